//! The JavaScript surface. Cold calls go through wasm-bindgen; hot ones are plain exports that take numbers, because each
//! of them is made once or twice for every span. Nothing else in the crate knows JavaScript.
//!
//! A hot call reads its record from the pipeline's input area ([`gs_reserve`]). With an invalid handle, or a length over the
//! reserved size, a call does nothing and returns 0.

use crate::config::{Config, Convert, Format};
use crate::convert::Converted;
use crate::error::Error;
use crate::frame::FrameError;
use crate::hash::{Hash, seed_hashes};
use crate::otlp::PartialSuccess;
#[cfg(feature = "ingest")]
use crate::pipeline::Ingested;
use crate::pipeline::{Flush, Pipeline};
use crate::privacy::{HookFailed, Hooks, MaskHook, MediaHook};
use crate::protobuf::array;
use js_sys::Function;
use serde::Serialize;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::hash::BuildHasher;
use wasm_bindgen::prelude::*;

/// Maximum number of flushes that can be queried; a host waits for one or two at a time.
const MAX_FLUSHES: usize = 1024;

struct Host {
    pipeline: Pipeline,
    input: Vec<u8>,
    /// The bytes that the host reads.
    out: Out,
    /// The message of a partial success.
    message: String,
    flushes: VecDeque<(u32, Flush)>,
    next_flush: u32,
}

impl Host {
    /// Makes a number of spans and a message available to the host.
    fn say(&mut self, PartialSuccess { rejected, message }: PartialSuccess) {
        self.message = message;
        self.out = Out { spans: rejected, body: (self.message.as_ptr(), self.message.len()), ..NOTHING };
    }
}

/// A request, or a partial success.
#[derive(Clone, Copy)]
struct Out {
    destination: usize,
    id: u32,
    spans: u64,
    body: (*const u8, usize),
}

const NOTHING: Out = Out { destination: 0, id: 0, spans: 0, body: (std::ptr::null(), 0) };

thread_local! {
    static HOSTS: RefCell<Vec<Option<Host>>> = const { RefCell::new(Vec::new()) };
}

fn with<T: Default>(handle: u32, f: impl FnOnce(&mut Host) -> T) -> T {
    HOSTS.with_borrow_mut(|hosts| match hosts.get_mut((handle as usize).wrapping_sub(1)) {
        Some(Some(host)) => f(host),
        _ => T::default(),
    })
}

/// Runs `f` on the first `length` bytes of the input area.
fn with_input<T: Default>(handle: u32, length: usize, f: impl FnOnce(&mut Host, &[u8]) -> T) -> T {
    with(handle, |host| {
        let input = std::mem::take(&mut host.input);
        let out = input.get(..length).map(|record| f(host, record)).unwrap_or_default();
        host.input = input;
        out
    })
}

fn error(message: impl std::fmt::Display) -> JsError {
    JsError::new(&message.to_string())
}

/// An object as JSON text: when it is read from text, an unknown field is an error, and every error names its field.
fn json(value: &JsValue) -> Result<String, JsError> {
    let text = js_sys::JSON::stringify(value).ok().and_then(|text| text.as_string());
    text.ok_or_else(|| error("configuration: must be an object that JSON can hold"))
}

/// The functions of the host in the form that the core calls. Any result but a string means that they failed.
fn hooks(mask: Option<Function>, on_media: Option<Function>) -> Hooks {
    let said = |answer: Result<JsValue, JsValue>| answer.ok().and_then(|answer| answer.as_string()).ok_or(HookFailed);
    Hooks {
        mask: mask.map(|hook| -> MaskHook { Box::new(move |text, key| said(hook.call2(&JsValue::UNDEFINED, &text.into(), &key.into()))) }),
        on_media: on_media.map(|hook| -> MediaHook {
            Box::new(move |m| said(hook.call3(&JsValue::UNDEFINED, &m.media_type.into(), &m.base64.into(), &m.key.into())))
        }),
    }
}

/// Seeds the hashes of the module at random. `otherwise` is the seed if the host provides no random values, as in workers before their first
/// request. Call it before anything else.
#[wasm_bindgen]
pub fn seed(otherwise: f64) {
    let mut seed = [0; 8];
    let is_random = getrandom::fill(&mut seed).is_ok();
    seed_hashes(if is_random { u64::from_le_bytes(seed) } else { otherwise as u64 });
}

/// Opens a pipeline; throws an `Error` with the path, the value, the problem and a fix. `mask` receives a text and its key, `on_media`
/// a media type, base64 and the key; each returns a string. They must not call anything in this module.
#[wasm_bindgen]
pub fn open(config: JsValue, mask: Option<Function>, on_media: Option<Function>) -> Result<u32, JsError> {
    let mut config = Config::read(&json(&config)?).map_err(error)?;
    (config.peer_host_name, config.sender_tokens) = (cfg!(feature = "ingest"), cfg!(feature = "ingest"));
    let mut pipeline = Pipeline::new(&config, Hash::default().hash_one(0)).map_err(error)?;
    pipeline.set_hooks(hooks(mask, on_media));
    let host = Host { pipeline, input: Vec::new(), out: NOTHING, message: String::new(), flushes: VecDeque::new(), next_flush: 1 };
    Ok(HOSTS.with_borrow_mut(|hosts| {
        let free = hosts.iter().position(Option::is_none).unwrap_or(hosts.len());
        if free == hosts.len() {
            hosts.push(None);
        }
        hosts[free] = Some(host);
        free as u32 + 1
    }))
}

/// Closes a pipeline and discards its contents.
#[wasm_bindgen]
pub fn close(handle: u32) {
    HOSTS.with_borrow_mut(|hosts| {
        if let Some(host) = hosts.get_mut((handle as usize).wrapping_sub(1)) {
            *host = None;
        }
    });
}

/// Attribute keys whose values the host must include in a `start` record, if the span starts with them.
#[wasm_bindgen]
pub fn wanted(handle: u32) -> js_sys::Array {
    with(handle, |host| host.pipeline.wanted().into_iter().map(JsValue::from_str).collect())
}

/// The counters so far, as a plain object; `undefined` for a handle that is not open.
#[wasm_bindgen]
pub fn stats(handle: u32) -> Result<JsValue, JsError> {
    let stats = with(handle, |host| Some(host.pipeline.stats()));
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    stats.map_or(Ok(JsValue::UNDEFINED), |s| s.serialize(&serializer).map_err(error))
}

fn options(value: &JsValue) -> Result<Convert, JsError> {
    if value.is_undefined() || value.is_null() { Ok(Convert::default()) } else { Convert::from_json(&json(value)?).map_err(error) }
}

/// Converts one OTLP body; throws an `Error` with the problem and its position. Hooks as for [`open`]; `partial` receives the number of omitted spans
/// and the reason, if there are any.
#[wasm_bindgen]
pub fn convert(
    body: &[u8],
    options: JsValue,
    mask: Option<Function>,
    on_media: Option<Function>,
    partial: &Function,
) -> Result<js_sys::Uint8Array, JsError> {
    handed_over(crate::convert_with(body, &self::options(&options)?, &hooks(mask, on_media)), partial)
}

/// The reasons for the result of [`convert`], as JSON text; throws and reports in the same way.
#[wasm_bindgen]
pub fn explain(
    body: &[u8],
    options: JsValue,
    mask: Option<Function>,
    on_media: Option<Function>,
    partial: &Function,
) -> Result<js_sys::Uint8Array, JsError> {
    handed_over(crate::explain_with(body, &self::options(&options)?, &hooks(mask, on_media)), partial)
}

/// The body in OTLP/JSON, or else in protobuf, without normalising it.
#[wasm_bindgen]
pub fn transcode(body: &[u8], to_json: bool) -> Result<js_sys::Uint8Array, JsError> {
    let to = if to_json { Format::Json } else { Format::Protobuf };
    crate::transcode(body, to).map(|body| js_sys::Uint8Array::from(&body[..])).map_err(error)
}

fn handed_over(converted: Result<Converted, Error>, partial: &Function) -> Result<js_sys::Uint8Array, JsError> {
    let Converted { body, partial_success } = converted.map_err(error)?;
    if let Some(PartialSuccess { rejected, message }) = partial_success {
        // It only stores the values.
        let _ = partial.call2(&JsValue::UNDEFINED, &JsValue::from_f64(rejected as f64), &message.into());
    }
    Ok(js_sys::Uint8Array::from(&body[..]))
}

/// The version of this crate.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// The input area, at least `length` bytes; valid until the next call of this function.
#[unsafe(no_mangle)]
pub extern "C" fn gs_reserve(handle: u32, length: usize) -> *mut u8 {
    let reserve = |host: &mut Host| {
        if host.input.len() < length {
            host.input.resize(length.next_power_of_two().max(1 << 16), 0);
        }
        Some(host.input.as_mut_ptr() as usize)
    };
    with(handle, reserve).unwrap_or(0) as *mut u8
}

/// The number of a key or name; 0 if the dictionary is full.
#[unsafe(no_mangle)]
pub extern "C" fn gs_intern(handle: u32, length: usize) -> u32 {
    with_input(handle, length, |host, text| host.pipeline.intern(text).unwrap_or(0))
}

/// The number of a scope; 0 if the record was refused.
#[unsafe(no_mangle)]
pub extern "C" fn gs_scope(handle: u32, length: usize) -> u32 {
    with_input(handle, length, |host, record| host.pipeline.scope(record).unwrap_or(0))
}

/// The number of a resource; 0 if the record was refused.
#[unsafe(no_mangle)]
pub extern "C" fn gs_resource(handle: u32, length: usize) -> u32 {
    with_input(handle, length, |host, record| host.pipeline.resource(record).unwrap_or(0))
}

/// The result of [`gs_start`] and [`gs_end`] for a record. A record that is refused for another reason is counted in the stats.
fn outcome(taken: Result<(), FrameError>) -> u32 {
    match taken {
        Ok(()) => 1,
        Err(FrameError::FORGOTTEN) => 4,
        Err(_) => 0,
    }
}

/// Registers the start of a span. `refused`: a bit set of the destinations from which the host excludes it. Bit 0: it was accepted; bit 2: its scope has to be
/// described again, and the record passed again.
#[unsafe(no_mangle)]
pub extern "C" fn gs_start(handle: u32, length: usize, refused: u32, now: f64) -> u32 {
    with_input(handle, length, |host, record| outcome(host.pipeline.start(record, refused, now)))
}

/// Registers the end of a span; `refused` and the bits as for [`gs_start`], also for the resource. Bit 1: something is ready to send.
#[unsafe(no_mangle)]
pub extern "C" fn gs_end(handle: u32, length: usize, refused: u32, now: f64) -> u32 {
    with_input(handle, length, |host, record| {
        let outcome = outcome(host.pipeline.end(record, refused, now));
        outcome | u32::from(host.pipeline.is_due(now)) << 1
    })
}

/// Ingests an OTLP body from the input area, where it follows the `peer` bytes of its sender's address. Returns how many of its spans were
/// accepted; `gs_out_spans` is the number of refused ones, and the reason is the body of `gs_out_*`. A negative result means that the whole body was
/// refused, with the reason in the body of `gs_out_*`: -1: it is malformed; -2: there is no room for it now; -3: it exceeds a limit and can never be
/// accepted.
#[cfg(feature = "ingest")]
#[unsafe(no_mangle)]
pub extern "C" fn gs_ingest(handle: u32, length: usize, peer: usize, now: f64) -> i32 {
    with_input(handle, length, |host, input| {
        let Some((peer, body)) = input.split_at_checked(peer) else { return 0 };
        let peer = std::str::from_utf8(peer).ok().filter(|peer| !peer.is_empty());
        match host.pipeline.ingest(body, peer, now) {
            Ok(Ingested { spans, partial_success }) => {
                host.say(partial_success.unwrap_or_default());
                spans as i32
            }
            Err(error) => {
                host.say(PartialSuccess { rejected: 0, message: error.to_string() });
                match error {
                    Error::Busy(_) => -2,
                    Error::LimitExceeded { .. } => -3,
                    _ => -1,
                }
            }
        }
    })
}

/// 1: a service sends no token although a destination requires one; `gs_out_*` contain its name. Each is reported once.
#[cfg(feature = "ingest")]
#[unsafe(no_mangle)]
pub extern "C" fn gs_tokenless(handle: u32) -> u32 {
    with(handle, |host| {
        let Some(name) = host.pipeline.tokenless() else { return 0 };
        let message = String::from_utf8_lossy(name).into_owned();
        host.say(PartialSuccess { rejected: 0, message });
        1
    })
}

/// 1: the span belongs to an LLM segment, and the id of that LLM span is at the start of the input area (zeros: unknown). Call it
/// with the trace id and the span id in the input area.
#[unsafe(no_mangle)]
pub extern "C" fn gs_segment(handle: u32, length: usize) -> u32 {
    with(handle, |host| {
        let Some(ids) = host.input.get_mut(..length).filter(|ids| ids.len() == 24) else { return 0 };
        let Some(segment) = host.pipeline.segment(array(&ids[..16]), array(&ids[16..])) else { return 0 };
        ids[..8].copy_from_slice(&segment);
        1
    })
}

/// 1: a request is ready to be sent, 2: to be stored; read it with `gs_out_*` before any other call. 0: nothing to do until [`gs_wake`].
#[unsafe(no_mangle)]
pub extern "C" fn gs_poll(handle: u32, now: f64) -> u32 {
    with(handle, |host| {
        let Some((destination, t)) = host.pipeline.poll(now) else { return 0 };
        host.out = Out { destination, id: t.id, spans: t.spans, body: (t.body.as_ptr(), t.body.len()) };
        1 + u32::from(t.store)
    })
}

/// The address of the request's body.
#[unsafe(no_mangle)]
pub extern "C" fn gs_out_ptr(handle: u32) -> *const u8 {
    with(handle, |host| host.out.body.0 as usize) as *const u8
}

/// The length of the body, in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn gs_out_len(handle: u32) -> usize {
    with(handle, |host| host.out.body.1)
}

/// The id of the request, for its answer. Ids of different destinations differ.
#[unsafe(no_mangle)]
pub extern "C" fn gs_out_id(handle: u32) -> u32 {
    with(handle, |host| host.out.id)
}

/// Its number of spans.
#[unsafe(no_mangle)]
pub extern "C" fn gs_out_spans(handle: u32) -> u32 {
    with(handle, |host| host.out.spans as u32)
}

/// The index of its destination in the configuration.
#[unsafe(no_mangle)]
pub extern "C" fn gs_out_destination(handle: u32) -> u32 {
    with(handle, |host| host.out.destination as u32)
}

/// When [`gs_poll`] has to be called again, in ms since 1970; infinity: only after another event.
#[unsafe(no_mangle)]
pub extern "C" fn gs_wake(handle: u32) -> f64 {
    with(handle, |host| host.pipeline.wake()).unwrap_or(f64::INFINITY)
}

/// Makes everything ready to send; returns a number for [`gs_settled`].
#[unsafe(no_mangle)]
pub extern "C" fn gs_flush(handle: u32, now: f64) -> u32 {
    with(handle, |host| {
        let number = host.next_flush;
        host.next_flush = host.next_flush.wrapping_add(1).max(1);
        let flush = host.pipeline.flush(now);
        if host.flushes.len() == MAX_FLUSHES {
            host.flushes.pop_front();
        }
        host.flushes.push_back((number, flush));
        number
    })
}

/// 1: every span of that flush was answered, or given up and counted.
#[unsafe(no_mangle)]
pub extern "C" fn gs_settled(handle: u32, number: u32) -> u32 {
    with(handle, |host| {
        let Some(at) = host.flushes.iter().position(|(n, _)| *n == number) else { return 1 };
        let settled = host.pipeline.settled(&host.flushes[at].1);
        if settled {
            host.flushes.remove(at);
        }
        u32::from(settled)
    })
}

/// Passes a backend's answer; `status` is that of HTTP or, below 100, of gRPC; `retry_after` is in ms, -1 for none; the body (for gRPC: the
/// `grpc-status-details-bin`) is in the input area. 1: the answer is a partial success, `gs_out_spans` is the number of rejected spans, and the message is
/// the body of `gs_out_*`.
#[unsafe(no_mangle)]
pub extern "C" fn gs_response(handle: u32, id: u32, status: u32, retry_after: f64, length: usize, now: f64) -> u32 {
    with_input(handle, length, |host, body| {
        let retry_after = (retry_after >= 0.0).then_some(retry_after);
        let Some(partial) = host.pipeline.response(id, status.try_into().unwrap_or(u16::MAX), retry_after, body, now) else { return 0 };
        host.say(partial);
        1
    })
}

/// Reports that there was no answer.
#[unsafe(no_mangle)]
pub extern "C" fn gs_failure(handle: u32, id: u32, now: f64) {
    with(handle, |host| host.pipeline.failure(id, now));
}

/// Reports whether a request could be stored: 1 or 0.
#[unsafe(no_mangle)]
pub extern "C" fn gs_stored(handle: u32, id: u32, ok: u32, now: f64) {
    with(handle, |host| host.pipeline.stored(id, ok != 0, now));
}

/// 1: the destination would send a stored request now.
#[unsafe(no_mangle)]
pub extern "C" fn gs_wants(handle: u32, destination: usize, now: f64) -> u32 {
    with(handle, |host| u32::from(host.pipeline.wants(destination, now)))
}

/// Passes a stored request, which is in the input area; `copy` is the host's number for it, not 0.
#[unsafe(no_mangle)]
pub extern "C" fn gs_restore(handle: u32, destination: usize, copy: u32, spans: u32, length: usize) {
    with_input(handle, length, |host, body| host.pipeline.restore(destination, copy, u64::from(spans), body));
}

/// Twice the number of a copy that the host may delete, plus one if the host has to offer it again; 0 if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn gs_released(handle: u32) -> u32 {
    with(handle, |host| host.pipeline.released().map_or(0, |(copy, again)| copy << 1 | u32::from(again)))
}

/// Gives up undelivered spans: [`gs_poll`] returns the requests to store; the rest is dropped and counted.
#[unsafe(no_mangle)]
pub extern "C" fn gs_close(handle: u32, now: f64) {
    with(handle, |host| host.pipeline.close(now));
}
