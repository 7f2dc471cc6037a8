//! How much memory a body makes the core ask for: the bodies that unpack into most of all, in a sixteenth of the size that a relay takes, with a
//! sixteenth of the bound. `pkg/test/memory.test.mjs` holds the module that is shipped against the whole.

use genspan::internals::config::{Config, Convert};
use genspan::{Error, Pipeline};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, which counts for each thread what is there and the most that was.
struct Counting;

thread_local! {
    static LIVE: Cell<i64> = const { Cell::new(0) };
    static MOST: Cell<i64> = const { Cell::new(0) };
}

fn count(bytes: i64) {
    LIVE.set(LIVE.get() + bytes);
    MOST.set(MOST.get().max(LIVE.get()));
}

// SAFETY: all work is the system's allocator's, the counters are plain cells that need no allocation.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SIZE: usize = 1 << 20;
const BOUND: usize = 8 << 20;
/// Beside what is counted: the values of one text that is JSON (twice as large here as in WebAssembly), the growth of lists, the dictionary, and
/// what goes out.
const MOST_ASKED: i64 = 128 << 20;

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length > 0x7f {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(bytes);
    out
}

fn attribute(key: &str, value: &[u8]) -> Vec<u8> {
    field(9, &[field(1, key.as_bytes()), field(2, value)].concat())
}

fn text(key: &str, value: &str) -> Vec<u8> {
    attribute(key, &field(1, value.as_bytes()))
}

/// A span with these fields.
fn span(id: u64, fields: &[u8]) -> Vec<u8> {
    let ids = [field(1, &[7; 16]), field(2, &(id + 1).to_be_bytes())].concat();
    field(2, &[&ids, fields].concat())
}

fn body(spans: &[u8]) -> Vec<u8> {
    field(1, &field(2, spans))
}

/// Of as many as there is room for.
fn many(size: usize, mut make: impl FnMut(u64) -> Vec<u8>) -> Vec<u8> {
    let mut out = Vec::new();
    for i in 0.. {
        let one = make(i);
        if out.len() + one.len() > size {
            break;
        }
        out.extend_from_slice(&one);
    }
    out
}

fn repeated(text: &str, bytes: usize) -> String {
    text.repeat(bytes / text.len())
}

const CHAT: &[(&str, &str)] = &[("gen_ai.operation.name", "chat")];

fn chat() -> Vec<u8> {
    CHAT.iter().flat_map(|(key, value)| text(key, value)).collect()
}

fn one(fields: Vec<u8>) -> Vec<u8> {
    body(&span(0, &[chat(), fields].concat()))
}

fn messages(bytes: usize) -> String {
    format!("[{}\"\"]", repeated("\"\",", bytes))
}

fn list(unit: &str, bytes: usize) -> String {
    format!("[{}0]", repeated(unit, bytes))
}

/// A body of about this size.
type Make = fn(usize) -> Vec<u8>;

const HOSTILE: &[(&str, Make)] = &[
    ("one list of empty messages", |size| one(text("gen_ai.input.messages", &messages(size)))),
    ("one list of numbers", |size| one(text("gen_ai.input.messages", &list("1,", size)))),
    ("one list of lists", |size| one(text("input.value", &list("[],", size)))),
    ("lists of 100 KB", |size| body(&many(size, |i| span(i, &[chat(), text("gen_ai.input.messages", &messages(100_000))].concat())))),
    ("lists of 4 KB", |size| body(&many(size, |i| span(i, &[chat(), text("gen_ai.input.messages", &messages(4_000))].concat())))),
    ("lists of 200 bytes", |size| body(&many(size, |i| span(i, &[chat(), text("gen_ai.input.messages", &messages(200))].concat())))),
    ("small LLM spans", |size| body(&many(size, |i| span(i, &text("gen_ai.system", "x"))))),
    ("small spans", |size| body(&many(size, |i| span(i, &[])))),
    ("empty spans", |size| body(&many(size, |_| vec![0x12, 0]))),
    ("empty attributes", |size| one(many(size, |_| vec![0x4a, 0]))),
    ("attributes", |size| one(many(size, |i| text(&format!("k{i}"), "")))),
    ("attributes of LLM spans", |size| {
        body(&many(size, |i| span(i, &(0..100).flat_map(|_| vec![0x4a, 0]).chain(chat()).collect::<Vec<_>>())))
    }),
    ("leaves of a list", |size| one(many(size, |i| text(&format!("gen_ai.prompt.{i}.content"), "")))),
    ("empty events", |size| one(many(size, |_| vec![0x5a, 0]))),
    ("empty links", |size| one(many(size, |_| vec![0x6a, 0]))),
    ("unknown fields", |size| one(many(size, |_| vec![0xa0, 1, 0]))),
    ("empty scopes", |size| field(1, &many(size, |_| vec![0x12, 0]))),
    ("empty resources", |size| many(size, |_| vec![0x0a, 0])),
    ("members of an array", |size| one(attribute("gen_ai.input.messages", &field(5, &many(size, |_| vec![0x0a, 0]))))),
    ("members of a map", |size| one(attribute("input.value", &field(6, &many(size, |_| vec![0x0a, 0]))))),
    ("empty resources in JSON", |size| format!("{{\"resourceSpans\":[{}{{}}]}}", repeated("{},", size)).into_bytes()),
    ("lists in JSON", |size| format!("{{\"x\":[{}[]]}}", repeated("[],", size)).into_bytes()),
];

/// Runs `take` with a body of this kind that is taken, or is refused only for its size; gives what it said, and the most memory that was asked for.
fn most_asked<T>(name: &str, make: Make, take: impl Fn(&[u8]) -> Result<T, Error>) {
    let mut size = SIZE;
    loop {
        let body = make(size);
        let before = LIVE.get();
        MOST.set(before);
        let taken = take(&body);
        let asked = MOST.get() - before;
        assert!(asked <= MOST_ASKED, "{name}: {} MiB for a body of {} KiB", asked >> 20, body.len() >> 10);
        match taken {
            // What is over the bound by little is tried too.
            Err(Error::LimitExceeded { limit: BOUND, .. }) => size = size * 3 / 4,
            Err(Error::Refused(_)) | Ok(_) => return,
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

#[test]
fn no_body_makes_the_core_ask_for_more_than_a_bound() {
    for (name, make) in HOSTILE {
        for (profile, more) in [("otel", ""), ("openinference", r#","privacy":{"mask":[{"detect":["email"]}]}"#)] {
            let config =
                format!(r#"{{"destinations":[{{"profile":"{profile}"}}],"maxQueueSize":1000000,"maxUnpackedBytes":{BOUND}{more}}}"#);
            let config = Config::from_json(&config).unwrap();
            most_asked(&format!("{name}, {profile}"), *make, |body| {
                let mut p = Pipeline::new(&config, 1).unwrap();
                p.ingest(body, None, 0.0).map(drop)
            });
        }
        let options = Convert { max_unpacked_bytes: BOUND, ..Convert::default() };
        most_asked(&format!("{name}, converted"), *make, |body| genspan::convert(body, &options).map(drop));
    }
}
