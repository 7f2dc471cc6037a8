//! What stands between a host and the core: a lock, because a host may call from any thread, and a net for panics, because a defect of
//! genspan must not end the process of the host.

use crate::result::{BROKEN, Out};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};

#[cfg(all(not(panic = "unwind"), not(target_family = "wasm")))]
compile_error!("the shared library must unwind, or a panic would end the process of its host: build it with --profile native");

/// Something behind a handle. After a panic in it, it answers every call with the text of that panic.
pub struct Guarded<T>(Mutex<Result<T, String>>);

impl<T> Guarded<T> {
    /// Puts something behind a handle.
    pub fn new(inside: T) -> Self {
        Guarded(Mutex::new(Ok(inside)))
    }

    /// Runs a call, and returns what it returns or [`BROKEN`].
    pub fn run(&self, out: &mut Out, f: impl FnOnce(&mut T, &mut Out) -> i32) -> i32 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = match &mut *state {
            Ok(inside) => match caught(|| f(inside, out)) {
                Ok(answer) => return answer,
                Err(fault) => fault,
            },
            Err(fault) => {
                out.say(&*fault);
                return BROKEN;
            }
        };
        out.clear();
        out.say(&fault);
        // What a panic left unfinished may panic again while it is freed.
        let broken = std::mem::replace(&mut *state, Err(fault));
        let _ = caught(|| drop(broken));
        BROKEN
    }
}

/// Runs something; a panic in it becomes a text.
pub fn caught<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    let _inside = quiet::Inside::enter();
    panic::catch_unwind(AssertUnwindSafe(f))
        .map_err(|_| format!("genspan: internal fault ({}); drop this handle and open another", quiet::why()))
}

/// Keeps panics of genspan from the standard error stream of the host, and remembers where they were.
#[cfg(panic = "unwind")]
mod quiet {
    use std::cell::{Cell, RefCell};
    use std::panic;
    use std::sync::Once;

    thread_local! {
        static DEPTH: Cell<u32> = const { Cell::new(0) };
        static WHY: RefCell<String> = const { RefCell::new(String::new()) };
    }
    static HOOK: Once = Once::new();

    /// This thread is inside a call.
    pub struct Inside;

    impl Inside {
        pub fn enter() -> Self {
            HOOK.call_once(|| {
                let of_others = panic::take_hook();
                panic::set_hook(Box::new(move |info| match DEPTH.get() {
                    0 => of_others(info),
                    _ => WHY.set(info.to_string().replace('\n', " ")),
                }));
            });
            DEPTH.set(DEPTH.get() + 1);
            Inside
        }
    }

    impl Drop for Inside {
        fn drop(&mut self) {
            DEPTH.set(DEPTH.get() - 1);
        }
    }

    /// Why the last call of this thread panicked.
    pub fn why() -> String {
        WHY.take()
    }
}

/// A panic is a trap.
#[cfg(not(panic = "unwind"))]
mod quiet {
    pub struct Inside;

    impl Inside {
        pub fn enter() -> Self {
            Inside
        }
    }

    pub fn why() -> String {
        String::new()
    }
}
