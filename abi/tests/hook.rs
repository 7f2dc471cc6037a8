//! In a process of its own: the first call of the library sets a hook for panics.

use genspan_abi::*;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

static REPORTED: AtomicUsize = AtomicUsize::new(0);

// README promise: "Nothing of ours breaks the host"
#[test]
fn panics_of_a_host_in_rust_are_reported_as_before() {
    panic::set_hook(Box::new(|_| _ = REPORTED.fetch_add(1, Ordering::SeqCst)));
    let result = gs_result_new();
    // SAFETY: the text outlives the call, and handle and result are freed after their last use.
    unsafe {
        let pipeline = gs_open(b"{}".as_ptr(), 2, 0, 1, 2, result);
        assert!(!pipeline.is_null());
        assert!(thread::spawn(|| panic!("a defect of the host")).join().is_err());
        gs_drop(pipeline);
        gs_result_free(result);
    }
    assert_eq!(REPORTED.load(Ordering::SeqCst), 1);
}
