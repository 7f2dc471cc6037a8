//! What holds for every call, seen from the side of a host.

use super::*;
use std::thread;

/// A result of a host, and what it reads of it.
struct Answer(*mut GsResult);

impl Answer {
    fn new() -> Self {
        Answer(gs_result_new())
    }

    fn shown(&self) -> &GsResult {
        // SAFETY: it is freed when the answer is dropped, and calls end before it is read.
        unsafe { &*self.0 }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: as the result says.
        unsafe { std::slice::from_raw_parts(self.shown().ptr, self.shown().len) }
    }

    fn message(&self) -> &str {
        // SAFETY: as the result says.
        std::str::from_utf8(unsafe { std::slice::from_raw_parts(self.shown().message, self.shown().message_len) }).unwrap()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: nothing uses it afterwards.
        unsafe { gs_result_free(self.0) }
    }
}

fn open(config: &str, answer: &Answer) -> *mut GsPipeline {
    // SAFETY: the text outlives the call.
    unsafe { gs_open(config.as_ptr(), config.len(), 0, 1, 2, answer.0) }
}

/// The body of one span of an LLM.
fn body(id: u64) -> String {
    format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"scope":{{"name":"langfuse-sdk"}},"spans":[{{"traceId":"{id:032x}","spanId":"{id:016x}","name":"chat","startTimeUnixNano":"1","endTimeUnixNano":"2","attributes":[{{"key":"langfuse.observation.type","value":{{"stringValue":"generation"}}}}]}}]}}]}}]}}"#
    )
}

fn ingest(pipeline: *const GsPipeline, body: &str, answer: &Answer) -> i32 {
    // SAFETY: the handle is open, and the text outlives the call.
    unsafe { gs_ingest(pipeline, body.as_ptr(), body.len(), 0, 0.0, answer.0) }
}

// README promise: "Nothing of ours breaks the host"
#[test]
fn a_panic_breaks_the_handle_and_nothing_else() {
    let answer = Answer::new();
    let (broken, other) = (open("{}", &answer), open("{}", &answer));
    assert_eq!(ingest(broken, &body(1), &answer), 1);
    // SAFETY: the handles are open; they are dropped once, at the end.
    unsafe {
        let fault = |host: &mut Host, _: &[u8], out: &mut Out| {
            out.copy(b"half an answer");
            host.pipeline.flush(0.0);
            panic!("the tests\ndemand it")
        };
        assert_eq!(with(broken, NONE, answer.0, fault), BROKEN);
        let first = answer.message().to_owned();
        assert!(first.starts_with("genspan: internal fault (panicked at abi/src/tests.rs:"), "{first}");
        assert!(first.contains("the tests demand it") && first.ends_with("; drop this handle and open another"), "{first}");
        assert_eq!(answer.bytes(), b"");
        for call in [gs_tokenless, gs_released, gs_stats, gs_wanted] {
            assert_eq!((call(broken, answer.0), answer.message()), (BROKEN, &first[..]));
        }
        assert_eq!(gs_poll(broken, 0.0, answer.0), BROKEN);
        assert_eq!(gs_flush(broken, 0.0, answer.0), BROKEN);
        assert_eq!(answer.shown().wake, f64::INFINITY, "nothing is to be done for it any more");
        assert_eq!(ingest(broken, &body(2), &answer), BROKEN);
        // The other handle works, and so does a new one.
        assert_eq!((ingest(other, &body(1), &answer), answer.message()), (1, ""));
        let new = open("{}", &answer);
        assert_eq!(ingest(new, &body(1), &answer), 1);
        for handle in [broken, other, new] {
            gs_drop(handle);
        }
    }
}

#[test]
fn a_panic_while_a_handle_is_made_is_a_refusal() {
    let answer = Answer::new();
    let make = |_: &str| -> Result<u8, String> { panic!("the tests demand it") };
    // SAFETY: the text outlives the call.
    assert!(unsafe { made((b"{}".as_ptr(), 2), answer.0, make) }.is_null());
    assert!(answer.message().contains("the tests demand it"), "{}", answer.message());
}

#[test]
fn a_handle_serves_several_threads() {
    const THREADS: u64 = 4;
    const EACH: u64 = 200;
    let answer = Answer::new();
    let pipeline = open(r#"{"maxExportBatchSize":64}"#, &answer) as usize;
    let numbers: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let (pipeline, answer) = (pipeline as *const GsPipeline, Answer::new());
                    let mut numbers = Vec::new();
                    for n in 0..EACH {
                        let key = format!("my.key.{n}");
                        // SAFETY: the handle is open until all threads have ended, and each has its own result.
                        unsafe {
                            numbers.push(gs_intern(pipeline, key.as_ptr(), key.len(), answer.0));
                            assert_eq!(ingest(pipeline, &body(thread * EACH + n + 1), &answer), 1);
                            if gs_poll(pipeline, 0.0, answer.0) == 1 {
                                // The body is a copy: what other threads do meanwhile does not change it.
                                assert_eq!(answer.bytes().first(), Some(&0x0a));
                                assert_eq!(gs_response(pipeline, answer.shown().id, 200, -1.0, ptr::null(), 0, 0.0, answer.0), 0);
                            }
                        }
                    }
                    numbers
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(numbers.windows(2).all(|pair| pair[0] == pair[1]), "a key has one number");
    let pipeline = pipeline as *mut GsPipeline;
    // SAFETY: the threads have ended.
    unsafe {
        gs_flush(pipeline, 0.0, answer.0);
        while gs_poll(pipeline, 0.0, answer.0) == 1 {
            gs_response(pipeline, answer.shown().id, 200, -1.0, ptr::null(), 0, 0.0, answer.0);
        }
        gs_stats(pipeline, answer.0);
        let stats: serde_json::Value = serde_json::from_slice(answer.bytes()).unwrap();
        assert_eq!((&stats["seen"], &stats["destinations"][0]["sent"]), (&(THREADS * EACH).into(), &(THREADS * EACH).into()));
        gs_drop(pipeline);
    }
}

#[test]
fn a_call_with_a_wrong_pointer_is_refused() {
    let answer = Answer::new();
    let pipeline = open("{}", &answer);
    // SAFETY: null pointers are allowed, and lengths that no memory has are refused.
    unsafe {
        assert_eq!(
            (gs_poll(ptr::null(), 0.0, answer.0), answer.message()),
            (REFUSED, "handle: is a null pointer; pass what gs_open or gs_converter returned")
        );
        assert_eq!(gs_convert(ptr::null(), ptr::null(), 0, answer.0), REFUSED);
        assert_eq!(
            (gs_ingest(pipeline, ptr::null(), 1, 0, 0.0, answer.0), answer.message()),
            (REFUSED, "input: is a null pointer; pass the address of the bytes")
        );
        assert_eq!(gs_ingest(pipeline, b"x".as_ptr(), usize::MAX, 0, 0.0, answer.0), REFUSED);
        assert_eq!(gs_ingest(pipeline, ptr::null(), 0, 0, 0.0, answer.0), 0, "an empty body has no address");
        assert_eq!(gs_poll(pipeline, 0.0, ptr::null_mut()), REFUSED);
        assert!(gs_open(ptr::null(), 2, 0, 1, 2, answer.0).is_null() && gs_open(b"{}".as_ptr(), 2, 0, 1, 2, ptr::null_mut()).is_null());
        assert!(gs_open(b"\xff".as_ptr(), 1, 0, 1, 2, answer.0).is_null());
        assert_eq!(answer.message(), "configuration: is not UTF-8; pass JSON in UTF-8");
        gs_drop(ptr::null_mut());
        gs_converter_drop(ptr::null_mut());
        gs_free(ptr::null_mut(), 0);
        gs_result_free(ptr::null_mut());
        gs_drop(pipeline);
    }
}

#[test]
fn the_memory_of_a_result_is_kept_between_calls_and_outlives_the_handle() {
    let answer = Answer::new();
    let pipeline = open("{}", &answer);
    let mut addresses = Vec::new();
    // SAFETY: the handle is dropped once, after its last call.
    unsafe {
        for id in 1..=3 {
            assert_eq!(ingest(pipeline, &body(id), &answer), 1);
            gs_flush(pipeline, 0.0, answer.0);
            assert_eq!(gs_poll(pipeline, 0.0, answer.0), 1);
            addresses.push(answer.shown().ptr);
        }
        let before = answer.bytes().to_vec();
        gs_drop(pipeline);
        assert_eq!(answer.bytes(), before);
    }
    assert_eq!(addresses, [addresses[0]; 3]);
}

#[test]
fn memory_for_hosts_is_writable_and_freed() {
    for len in [0, 1, 100_000] {
        // SAFETY: the memory has this length, and is freed once.
        unsafe {
            let memory = gs_alloc(len);
            std::slice::from_raw_parts_mut(memory, len).fill(7);
            gs_free(memory, len);
        }
    }
    assert!(gs_alloc(usize::MAX).is_null());
}

#[test]
fn a_flush_that_nobody_made_is_settled() {
    let answer = Answer::new();
    let pipeline = open("{}", &answer);
    assert_eq!(ingest(pipeline, &body(1), &answer), 1);
    // SAFETY: the handle is dropped once, after its last call.
    unsafe {
        assert_eq!((gs_flush(pipeline, 0.0, answer.0), gs_settled(pipeline, 1, answer.0), gs_settled(pipeline, 2, answer.0)), (1, 0, 1));
        gs_poll(pipeline, 0.0, answer.0);
        gs_response(pipeline, answer.shown().id, 200, -1.0, ptr::null(), 0, 0.0, answer.0);
        assert_eq!(gs_settled(pipeline, 1, answer.0), 1);
        gs_drop(pipeline);
    }
}

#[test]
fn settings_tell_a_host_what_it_has_to_do_itself() {
    let answer = Answer::new();
    let config = r#"{"destinations":[
        {"profile":"langfuse","headers":{"authorization":"Basic x","X-Langfuse-Ingestion-Version":"9"}},
        {"name":"b","protocol":"grpc","compression":"gzip","timeoutMillis":4.5,"maxQueueSize":7}
    ],"spool":{"dir":"/spool"}}"#;
    let pipeline = open(config, &answer);
    // SAFETY: the handle is dropped once, after its last call.
    let settings: serde_json::Value = unsafe {
        assert_eq!((gs_settings(pipeline, answer.0), answer.message()), (0, ""));
        gs_drop(pipeline);
        serde_json::from_slice(answer.bytes()).unwrap()
    };
    let [first, second] = [0, 1].map(|i| settings["destinations"][i].clone());
    assert_eq!(first["headers"], serde_json::json!({"authorization": "Basic x", "X-Langfuse-Ingestion-Version": "9"}));
    assert_eq!((&first["name"], &first["endpoint"]), (&"otlp-0".into(), &"http://localhost:4318/v1/traces".into()));
    assert_eq!((&first["protocol"], &first["compression"]), (&"http/protobuf".into(), &"none".into()));
    assert_eq!((&second["name"], &second["endpoint"]), (&"b".into(), &"http://localhost:4317".into()));
    assert_eq!((&second["protocol"], &second["compression"]), (&"grpc".into(), &"gzip".into()));
    assert_eq!((&second["timeoutMillis"], &second["maxQueueSize"]), (&5.into(), &7.into()));
    assert_eq!((&settings["spool"]["dir"], &settings["flushTimeoutMillis"]), (&"/spool".into(), &30_000.into()));
}

/// Threads of musl have 128 KB.
#[test]
fn a_small_stack_is_enough_for_values_nested_deep() {
    let nested = [&"[".repeat(100_000), &"]".repeat(100_000)].map(String::as_str).concat();
    let nested = body(1).replace(
        "\"generation\"}}",
        &format!("\"generation\"}}}},{{\"key\":\"langfuse.observation.input\",\"value\":{{\"stringValue\":\"{nested}\"}}}}"),
    );
    let caller = thread::Builder::new().stack_size(128 << 10).spawn(move || {
        let answer = Answer::new();
        let pipeline = open("{}", &answer);
        assert_eq!(ingest(pipeline, &nested, &answer), 1);
        // SAFETY: the handle is dropped once, after its last call.
        unsafe {
            gs_flush(pipeline, 0.0, answer.0);
            assert_eq!(gs_poll(pipeline, 0.0, answer.0), 1);
            assert!(answer.bytes().len() > 200_000);
            gs_drop(pipeline);
        }
    });
    caller.unwrap().join().unwrap();
}

#[test]
fn masking_leaves_names_alone() {
    let answer = Answer::new();
    let pipeline = open("{}", &answer);
    // SAFETY: the handle is open, and the text outlives the call.
    let is_name = |key: &str| unsafe { gs_is_name(pipeline, key.as_ptr(), key.len(), answer.0) };
    for name in ["gen_ai.operation.name", "gen_ai.request.model", "langfuse.observation.type", "session.id", "llm.token_count.prompt"] {
        assert_eq!(is_name(name), 1, "{name}");
    }
    for text in ["gen_ai.input.messages", "langfuse.observation.output", "llm.prompts", "http.url", "my.own"] {
        assert_eq!(is_name(text), 0, "{text}");
    }
    // SAFETY: as above.
    unsafe { gs_drop(pipeline) }
}
