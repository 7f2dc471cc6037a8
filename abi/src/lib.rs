//! genspan behind a plain C ABI, for hosts in any language: as a shared library, and as a WebAssembly module without imports.
//! docs/embedding.md describes how a host uses it.
//!
//! What holds for every call:
//!
//! - A pointer with a length describes memory of the host that the call only reads, and only until it returns; it may be null if the length
//!   is 0. It must not be memory of the result that is passed to the same call.
//! - A handle is used only between the call that made it and the one that drops it. Any thread may use it; calls on one handle wait for each other.
//! - A result is used by one thread at a time.
//! - A negative number means that the call failed, and the message of the result contains the reason: [`REFUSED`]: its input was refused, and
//!   the handle is as it was before. [`BROKEN`]: a defect of genspan; the handle answers every further call so, and what it held is lost.
//! - Times are in ms since 1970.
//!
//! Signatures have only numbers of 32 bits, `double` and pointers, because JavaScript has no others without a conversion.

#![allow(clippy::missing_safety_doc, reason = "the rules are the same for every call, and stand above")]

mod guard;
mod host;
mod result;

use genspan::{Convert, Converter, Error, Hooks, PartialSuccess};
use guard::{Guarded, caught};
use host::Host;
use result::Out;
pub use result::{BROKEN, GsResult, REFUSED};
use std::ptr;

/// A pipeline: takes spans, and returns requests for the destinations of its configuration.
pub struct GsPipeline(Guarded<Host>);

/// Converts OTLP bodies, one in, one out.
pub struct GsConverter(Guarded<Converter>);

const _: fn() = || {
    fn may_be_used_by_any_thread<T: Send + Sync>() {}
    may_be_used_by_any_thread::<(GsPipeline, GsConverter)>();
};

/// The version of this interface. A change that a host would notice changes it.
pub const GS_ABI_VERSION: u32 = 1;

/// Flag of `gs_open`: the host passes OTLP bodies of other processes, with the addresses that they came from. A token or a host name that a
/// profile needs may then come from the senders instead of the configuration.
pub const GS_RELAY: u32 = 1;
/// Kind of a record in `gs_records`: a span started.
pub const GS_START: u8 = 0;
/// Kind of a record in `gs_records`: a span ended whose start was passed before, if the host knew it.
pub const GS_END: u8 = 1;
/// Kind of a record in `gs_records`: a span ended, and its start is never passed.
pub const GS_ENDED: u8 = 2;

/// Why `gs_ingest` or `gs_rewrite` refused a whole body, in `kind`: it is malformed.
pub const GS_MALFORMED: u32 = 1;
/// The same: there is no room for it now. A retry of the same body may succeed.
pub const GS_BUSY: u32 = 2;
/// The same: it exceeds a limit. A retry of the same body never succeeds, smaller ones with the same spans may.
pub const GS_LIMIT: u32 = 3;

/// The memory of the host that a pointer and a length describe; `None` if they cannot.
///
/// # Safety
/// The memory is readable and does not change until the end of `'h`.
unsafe fn bytes<'h>(at: *const u8, len: usize) -> Option<&'h [u8]> {
    match len {
        0 => Some(&[]),
        _ if at.is_null() || len > isize::MAX as usize => None,
        // SAFETY: as above; it is neither null nor longer than a slice can be.
        _ => Some(unsafe { std::slice::from_raw_parts(at, len) }),
    }
}

const NO_MEMORY: &str = "input: is a null pointer; pass the address of the bytes";

/// Runs a call that takes a handle and bytes.
///
/// # Safety
/// What holds for every call.
unsafe fn call<T>(
    handle: Option<&Guarded<T>>,
    (at, len): (*const u8, usize),
    result: *mut GsResult,
    f: impl FnOnce(&mut T, &[u8], &mut Out) -> i32,
) -> i32 {
    // SAFETY: as above.
    let (Some(out), input) = (unsafe { Out::of(result) }, unsafe { bytes(at, len) }) else { return REFUSED };
    out.clear();
    let answer = match (handle, input) {
        (None, _) => out.refuse("handle: is a null pointer; pass what gs_open or gs_converter returned"),
        (_, None) => out.refuse(NO_MEMORY),
        (Some(handle), Some(input)) => handle.run(out, |inside, out| f(inside, input, out)),
    };
    out.publish();
    answer
}

/// Runs a call on a pipeline.
///
/// # Safety
/// What holds for every call.
unsafe fn with(
    pipeline: *const GsPipeline,
    input: (*const u8, usize),
    result: *mut GsResult,
    f: impl FnOnce(&mut Host, &[u8], &mut Out) -> i32,
) -> i32 {
    // SAFETY: as above.
    let handle = unsafe { pipeline.as_ref() }.map(|GsPipeline(host)| host);
    // SAFETY: as above.
    unsafe {
        call(handle, input, result, |host, input, out| {
            let answer = f(host, input, out);
            out.shown().wake = host.pipeline.wake().unwrap_or(f64::INFINITY);
            answer
        })
    }
}

const NONE: (*const u8, usize) = (ptr::null(), 0);

/// Makes what a handle stands for from a configuration in JSON; null if it was refused.
///
/// # Safety
/// What holds for every call.
unsafe fn made<T, E: std::fmt::Display>(
    (at, len): (*const u8, usize),
    result: *mut GsResult,
    make: impl FnOnce(&str) -> Result<T, E>,
) -> *mut T {
    // SAFETY: as above.
    let (Some(out), json) = (unsafe { Out::of(result) }, unsafe { bytes(at, len) }) else { return ptr::null_mut() };
    out.clear();
    let made = match json.map(std::str::from_utf8) {
        Some(Ok(json)) => caught(|| make(json).map_err(|error| error.to_string())).unwrap_or_else(Err),
        Some(Err(_)) => Err("configuration: is not UTF-8; pass JSON in UTF-8".to_owned()),
        None => Err(NO_MEMORY.to_owned()),
    };
    let handle = match made {
        Ok(made) => Box::into_raw(Box::new(made)),
        Err(why) => {
            out.refuse(why);
            ptr::null_mut()
        }
    };
    out.publish();
    handle
}

/// Frees what a handle stands for.
///
/// # Safety
/// What holds for every call, and no other call uses the handle now or later.
unsafe fn dropped<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: as above; `made` made it by `Box::into_raw`.
        let handle = unsafe { Box::from_raw(handle) };
        let _ = caught(|| drop(handle));
    }
}

fn seed(lo: u32, hi: u32) -> u64 {
    u64::from(hi) << 32 | u64::from(lo)
}

/// Returns the version of this interface, `GS_ABI_VERSION` of the header that belongs to the library. A host compares them first.
#[unsafe(no_mangle)]
pub extern "C" fn gs_abi_version() -> u32 {
    GS_ABI_VERSION
}

/// Returns memory for a host that has none in the address space of the library, as around a WebAssembly module; null if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn gs_alloc(len: usize) -> *mut u8 {
    let mut memory = Vec::<u8>::new();
    match memory.try_reserve_exact(len.max(1)) {
        Ok(()) => std::mem::ManuallyDrop::new(memory).as_mut_ptr(),
        Err(_) => ptr::null_mut(),
    }
}

/// Frees memory of `gs_alloc`; `len` is the length that it was allocated with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_free(memory: *mut u8, len: usize) {
    if !memory.is_null() {
        // SAFETY: `gs_alloc` made it with this capacity.
        drop(unsafe { Vec::from_raw_parts(memory, 0, len.max(1)) });
    }
}

/// Makes a result, which every other call fills.
#[unsafe(no_mangle)]
pub extern "C" fn gs_result_new() -> *mut GsResult {
    Out::allocate()
}

/// Frees a result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_result_free(result: *mut GsResult) {
    // SAFETY: what holds for every call.
    unsafe { Out::free(result) }
}

/// Puts the version of genspan, such as `0.1.0`, into the bytes of the result. Returns 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_version(result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    let Some(out) = (unsafe { Out::of(result) }) else { return REFUSED };
    out.clear();
    out.copy(env!("CARGO_PKG_VERSION").as_bytes());
    out.publish();
    0
}

/// Opens a pipeline with a configuration in JSON (camelCase; pkg/README.md lists the options). `seed_lo` and `seed_hi` are random: who
/// sends spans must not know them. Returns null if the configuration is refused; the message names the option, the problem and a fix.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_open(
    json: *const u8,
    len: usize,
    flags: u32,
    seed_lo: u32,
    seed_hi: u32,
    result: *mut GsResult,
) -> *mut GsPipeline {
    let make = |json: &str| Host::open(json, flags & GS_RELAY != 0, seed(seed_lo, seed_hi)).map(|host| GsPipeline(Guarded::new(host)));
    // SAFETY: what holds for every call.
    unsafe { made((json, len), result, make) }
}

/// Frees a pipeline, with everything that it holds. Call `gs_close` first to learn what has to be stored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_drop(pipeline: *mut GsPipeline) {
    // SAFETY: what holds for every call.
    unsafe { dropped(pipeline) }
}

/// Returns the number that stands for an attribute key, a span name or an event name in records; 0: the dictionary is full, so write the text out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_intern(pipeline: *const GsPipeline, text: *const u8, len: usize, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe { with(pipeline, (text, len), result, |host, text, _| host.pipeline.intern(text).map_or(0, |number| number as i32)) }
}

/// Returns the number that stands for a scope in records, from 1. `record` is a `scope` record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_scope(pipeline: *const GsPipeline, record: *const u8, len: usize, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe {
        with(pipeline, (record, len), result, |host, record, out| {
            host.pipeline.scope(record).map_or_else(|error| out.refuse(error), |number| number as i32)
        })
    }
}

/// Returns the number that stands for a resource in records, from 1. `record` is a `resource` record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_resource(pipeline: *const GsPipeline, record: *const u8, len: usize, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe {
        with(pipeline, (record, len), result, |host, record, out| {
            host.pipeline.resource(record).map_or_else(|error| out.refuse(error), |number| number as i32)
        })
    }
}

/// Takes records of spans that started and ended, one after the other, each as: its kind (one byte: `GS_START`, `GS_END` or `GS_ENDED`), the
/// destinations that the host itself keeps it from (a set of bits, 4 bytes), its length (4 bytes, little-endian) and a `start` or `span` record.
/// Spans of `GS_ENDED` are taken last, and each is known to all of them before the first is decided.
///
/// Returns how many ended spans were taken. `id` is the number of records that have to be passed again after their scope and resource were
/// described anew, because genspan has forgotten those; the bytes are their indexes in the call, 4 bytes each. `spans` is the number of records
/// that cannot be read, and the message is the reason for the first. Refused as a whole is only input that does not consist of records.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_records(pipeline: *const GsPipeline, records: *const u8, len: usize, now: f64, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe { with(pipeline, (records, len), result, |host, records, out| host.records(records, now, out)) }
}

/// Takes the spans of an OTLP body, protobuf or JSON, that follows the `peer_len` bytes of its sender's address (0: unknown). Returns their
/// number; `spans` is the number of refused ones, and the message is the reason. If the whole body is refused, `kind` is `GS_MALFORMED`, `GS_BUSY` or
/// `GS_LIMIT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_ingest(
    pipeline: *const GsPipeline,
    input: *const u8,
    len: usize,
    peer_len: usize,
    now: f64,
    result: *mut GsResult,
) -> i32 {
    // SAFETY: what holds for every call.
    unsafe { with(pipeline, (input, len), result, |host, input, out| host.ingest(input, peer_len, now, out)) }
}

/// Takes a body as `gs_ingest` does, and puts what goes to the first destination in its place into the bytes of the result: for a proxy that
/// forwards the request itself. Returns 1, or 0 if the body goes out as it came. The other destinations are served by `gs_poll`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_rewrite(
    pipeline: *const GsPipeline,
    input: *const u8,
    len: usize,
    peer_len: usize,
    now: f64,
    result: *mut GsResult,
) -> i32 {
    // SAFETY: what holds for every call.
    unsafe { with(pipeline, (input, len), result, |host, input, out| host.rewrite(input, peer_len, now, out)) }
}

/// Puts the name of a service that sends no token although a destination requires one into the bytes of the result, and returns 1; 0 if there is none.
/// Each is returned once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_tokenless(pipeline: *const GsPipeline, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe {
        with(pipeline, NONE, result, |host, _, out| {
            let Some(name) = host.pipeline.tokenless() else { return 0 };
            out.copy(name);
            1
        })
    }
}

/// Returns 1 if a request is ready to be sent, 2 if one is to be stored in the spool, 0 if there is none until `wake`. The bytes of the result are its
/// body, with `id`, `spans` and `destination`. A request to send is answered by `gs_response` or `gs_failure`, one to store by `gs_stored`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_poll(pipeline: *const GsPipeline, now: f64, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe { with(pipeline, NONE, result, |host, _, out| host.poll(now, out)) }
}

/// Passes the answer to a request. `status` is that of HTTP or, below 100, of gRPC; `retry_after` is in ms, negative for none; the body is that of
/// the response or, for gRPC, its `grpc-status-details-bin`. Returns 1 if the backend rejected `spans` of the request with the message, else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_response(
    pipeline: *const GsPipeline,
    id: u32,
    status: u32,
    retry_after: f64,
    body: *const u8,
    len: usize,
    now: f64,
    result: *mut GsResult,
) -> i32 {
    // SAFETY: what holds for every call.
    unsafe {
        with(pipeline, (body, len), result, |host, body, out| {
            let (status, retry_after) = (status.try_into().unwrap_or(u16::MAX), (retry_after >= 0.0).then_some(retry_after));
            let Some(partial) = host.pipeline.response(id, status, retry_after, body, now) else { return 0 };
            out.tell(partial);
            1
        })
    }
}

/// Reports that a request got no answer. Returns 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_failure(pipeline: *const GsPipeline, id: u32, now: f64, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe {
        with(pipeline, NONE, result, |host, _, _| {
            host.pipeline.failure(id, now);
            0
        })
    }
}

/// Reports whether a request was stored in the spool (`ok` is not 0). Returns 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_stored(pipeline: *const GsPipeline, id: u32, ok: i32, now: f64, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe {
        with(pipeline, NONE, result, |host, _, _| {
            host.pipeline.stored(id, ok != 0, now);
            0
        })
    }
}

/// Returns 1 if the destination would send a request of the spool now, else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_wants(pipeline: *const GsPipeline, destination: u32, now: f64, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe { with(pipeline, NONE, result, |host, _, _| i32::from(host.pipeline.wants(destination as usize, now))) }
}

/// Passes a request of the spool. `copy` is the host's number for it, not 0. Returns 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_restore(
    pipeline: *const GsPipeline,
    destination: u32,
    copy: u32,
    spans: u32,
    body: *const u8,
    len: usize,
    result: *mut GsResult,
) -> i32 {
    // SAFETY: what holds for every call.
    unsafe {
        with(pipeline, (body, len), result, |host, body, _| {
            host.pipeline.restore(destination as usize, copy, u64::from(spans), body);
            0
        })
    }
}

/// Returns 1 if the host may delete the copy `id` of the spool, 2 if it has to pass it again later, 0 if there is none. Call it until it returns 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_released(pipeline: *const GsPipeline, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe {
        with(pipeline, NONE, result, |host, _, out| {
            let Some((copy, again)) = host.pipeline.released() else { return 0 };
            out.shown().id = copy;
            1 + i32::from(again)
        })
    }
}

/// Makes everything ready to send, also what waits for its ancestors. Returns a number for `gs_settled`, from 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_flush(pipeline: *const GsPipeline, now: f64, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe { with(pipeline, NONE, result, |host, _, _| host.flush(now)) }
}

/// Returns 1 if every span of a flush was answered, stored, or given up and counted, else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_settled(pipeline: *const GsPipeline, flush: i32, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe { with(pipeline, NONE, result, |host, _, _| i32::from(host.is_settled(flush))) }
}

/// Gives up what is not delivered: `gs_poll` returns the requests to store, the rest is dropped and counted. Returns 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_close(pipeline: *const GsPipeline, now: f64, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe {
        with(pipeline, NONE, result, |host, _, _| {
            host.pipeline.close(now);
            0
        })
    }
}

/// Returns 1 if a span belongs to an LLM segment, else 0. `ids` are the 16 bytes of the trace id and the 8 of the span id. The bytes of the result are
/// the id of the LLM span above it, zeros if that is unknown.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_segment(pipeline: *const GsPipeline, ids: *const u8, len: usize, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe { with(pipeline, (ids, len), result, |host, ids, out| host.segment(ids, out)) }
}

/// Puts the counters into the bytes of the result, as a JSON object. Returns 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_stats(pipeline: *const GsPipeline, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe { with(pipeline, NONE, result, |host, _, out| out.json(&host.pipeline.stats())) }
}

/// Puts the attribute keys whose values a `start` record has to contain, if the span starts with them, into the bytes of the result, as a JSON list.
/// Returns 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_wanted(pipeline: *const GsPipeline, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe { with(pipeline, NONE, result, |host, _, out| out.json(&host.pipeline.wanted())) }
}

/// Returns 1 if the values of an attribute key are names, ids or numbers, which masking leaves alone, else 0. For hosts whose own functions mask
/// values before they are passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_is_name(pipeline: *const GsPipeline, key: *const u8, len: usize, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe { with(pipeline, (key, len), result, |host, key, _| i32::from(host.pipeline.is_name(key))) }
}

/// Puts what the host has to do itself into the bytes of the result, as a JSON object with the defaults filled in: `destinations` (a list, each with
/// `name`, `endpoint`, `protocol`, `headers`, `compression`, `timeoutMillis` and `maxQueueSize`), `flushTimeoutMillis`, `flushOnExit`, and `spool` (`dir` and
/// `maxBytes`, or null). The headers are those of the configuration, which are secrets, and those that a profile needs. Returns 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_settings(pipeline: *const GsPipeline, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe { with(pipeline, NONE, result, |host, _, out| host.settings(out)) }
}

/// Makes a converter with options in JSON: `from` and `to` (`"auto"`, `"protobuf"` or `"json"`), and those options in pkg/README.md that say what goes out
/// (`profile`, `keep`, `serviceName`, `token`, `hostName`, `resource`, `entry`, `privacy`, `inferProvider`, `inheritSession`, `mappings`, `maxUnpackedBytes`).
/// Seeds and return value are as for `gs_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_converter(json: *const u8, len: usize, seed_lo: u32, seed_hi: u32, result: *mut GsResult) -> *mut GsConverter {
    let make = |json: &str| {
        genspan::seed_hashes(seed(seed_lo, seed_hi));
        Converter::new(&Convert::from_json(json)?).map(|converter| GsConverter(Guarded::new(converter)))
    };
    // SAFETY: what holds for every call.
    unsafe { made((json, len), result, make) }
}

/// Frees a converter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_converter_drop(converter: *mut GsConverter) {
    // SAFETY: what holds for every call.
    unsafe { dropped(converter) }
}

/// Runs a call on a converter.
///
/// # Safety
/// What holds for every call.
unsafe fn with_converter(
    converter: *const GsConverter,
    body: (*const u8, usize),
    result: *mut GsResult,
    f: impl FnOnce(&mut Converter, &[u8], &mut Out) -> Result<Option<PartialSuccess>, Error>,
) -> i32 {
    // SAFETY: as above.
    let handle = unsafe { converter.as_ref() }.map(|GsConverter(converter)| converter);
    // SAFETY: as above.
    unsafe {
        call(handle, body, result, |converter, body, out| match f(converter, body, out) {
            Ok(None) => 0,
            Ok(Some(partial)) => {
                out.tell(partial);
                1
            }
            Err(error) => out.refuse(error),
        })
    }
}

/// Converts an OTLP body; the bytes of the result are the new one. Returns 1 if `spans` of it are left out for the reason in the message, else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_convert(converter: *const GsConverter, body: *const u8, len: usize, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe {
        with_converter(converter, (body, len), result, |converter, body, out| {
            let written = converter.convert(body, &Hooks::default())?;
            out.copy(written.body);
            Ok(written.partial_success)
        })
    }
}

/// Explains what `gs_convert` makes of a body: the bytes of the result are a JSON list with an object for each span. Returns as `gs_convert` does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gs_explain(converter: *const GsConverter, body: *const u8, len: usize, result: *mut GsResult) -> i32 {
    // SAFETY: what holds for every call.
    unsafe {
        with_converter(converter, (body, len), result, |converter, body, out| {
            let explained = converter.explain(body, &Hooks::default())?;
            out.give(explained.body);
            Ok(explained.partial_success)
        })
    }
}

impl Out {
    /// Returns a partial success.
    fn tell(&mut self, PartialSuccess { rejected, message }: PartialSuccess) {
        self.shown().spans = rejected.try_into().unwrap_or(u32::MAX);
        self.say(message);
    }

    /// Returns something as JSON.
    fn json(&mut self, value: &impl serde::Serialize) -> i32 {
        match serde_json::to_vec(value) {
            Ok(json) => {
                self.give(json);
                0
            }
            Err(error) => self.refuse(error),
        }
    }
}

#[cfg(test)]
mod tests;
