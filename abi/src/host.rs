//! A pipeline as a host sees it: records in one piece of memory, flushes by number.

use crate::result::Out;
use crate::{GS_BUSY, GS_END, GS_ENDED, GS_LIMIT, GS_MALFORMED, GS_START};
use genspan::internals::json::read::Shown;
use genspan::{Config, ConfigError, Error, Flush, FrameError, Ingested, Pipeline};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

/// Maximum number of flushes that can be queried; a host waits for one or two at a time.
const MAX_FLUSHES: usize = 1024;

pub struct Host {
    pub pipeline: Pipeline,
    config: Config,
    flushes: VecDeque<(i32, Flush)>,
    next_flush: i32,
}

/// A record of a span, as `gs_records` takes it.
struct Record<'h> {
    kind: u8,
    refused: u32,
    frame: &'h [u8],
}

/// The length of what stands before the frame of a record: its kind, the refused destinations and the length of the frame.
const HEAD: usize = 9;

/// Takes the first record off; `None` if there is none.
fn next<'h>(rest: &mut &'h [u8]) -> Option<Record<'h>> {
    let (&[kind, a, b, c, d, ref len @ ..], tail) = rest.split_first_chunk::<HEAD>()?;
    let (frame, tail) = tail.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    *rest = tail;
    (kind <= GS_ENDED).then_some(Record { kind, refused: u32::from_le_bytes([a, b, c, d]), frame })
}

/// What of a configuration the host carries out, with defaults filled in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Settings<'c> {
    destinations: Vec<OfDestination<'c>>,
    flush_timeout_millis: u32,
    flush_on_exit: bool,
    spool: Option<OfSpool<'c>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfDestination<'c> {
    name: String,
    endpoint: &'c str,
    protocol: String,
    headers: BTreeMap<&'c str, &'c str>,
    compression: String,
    timeout_millis: u32,
    max_queue_size: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfSpool<'c> {
    dir: &'c Option<String>,
    max_bytes: usize,
}

fn settings(config: &Config) -> Settings<'_> {
    // Fractions of a ms mean nothing to a host, and to write them is a tenth of the module.
    let whole = |millis: f64| millis.ceil() as u32;
    // It is shown as JSON.
    let word = |value: &dyn Shown| value.shown().trim_matches('"').to_owned();
    let destinations = config.destinations.iter().enumerate().map(|(i, d)| OfDestination {
        name: d.name.clone().unwrap_or_else(|| format!("otlp-{i}")),
        endpoint: d.endpoint(),
        protocol: word(&d.protocol),
        headers: d.headers().collect(),
        compression: word(&d.compression),
        timeout_millis: whole(d.timeout_millis),
        max_queue_size: config.delivery(d).queue.max_spans,
    });
    Settings {
        destinations: destinations.collect(),
        flush_timeout_millis: whole(config.flush_timeout_millis),
        flush_on_exit: config.flush_on_exit,
        spool: config.spool.as_ref().map(|spool| OfSpool { dir: &spool.dir, max_bytes: spool.max_bytes }),
    }
}

/// Counts a record, and reports what the host has to know of it. Returns how many were taken.
fn count(index: u32, outcome: Result<(), FrameError>, out: &mut Out) -> i32 {
    match outcome {
        Ok(()) => return 1,
        Err(FrameError::FORGOTTEN) => {
            out.push(index);
            out.shown().id += 1;
        }
        Err(error) => {
            out.shown().spans += 1;
            if !out.has_message() {
                out.say(error);
            }
        }
    }
    0
}

impl Host {
    pub fn open(json: &str, is_relay: bool, seed: u64) -> Result<Self, ConfigError> {
        let mut config = Config::read(json)?;
        (config.peer_host_name, config.sender_tokens) = (is_relay, is_relay);
        Ok(Host { pipeline: Pipeline::new(&config, seed)?, config, flushes: VecDeque::new(), next_flush: 1 })
    }

    pub fn records(&mut self, input: &[u8], now: f64, out: &mut Out) -> i32 {
        let mut rest = input;
        while next(&mut rest).is_some() {}
        if !rest.is_empty() {
            let at = input.len() - rest.len();
            return out.refuse(format_args!(
                "records: the one at byte {at} is cut short or of an unknown kind; pass whole records of kind 0, 1 or 2"
            ));
        }
        let (mut rest, mut index, mut taken) = (input, 0, 0);
        let (mut ended, mut indexes) = (Vec::new(), Vec::new());
        while let Some(Record { kind, refused, frame }) = next(&mut rest) {
            match kind {
                GS_START => _ = count(index, self.pipeline.start(frame, refused, now), out),
                GS_END => taken += count(index, self.pipeline.end(frame, refused, now), out),
                _ => {
                    ended.push((frame, refused));
                    indexes.push(index);
                }
            }
            index += 1;
        }
        for (index, outcome) in indexes.into_iter().zip(self.pipeline.end_all(&ended, now)) {
            taken += count(index, outcome, out);
        }
        taken
    }

    /// The address of the sender and the body behind it.
    fn parts(input: &[u8], peer: usize) -> Option<(Option<&str>, &[u8])> {
        let (peer, body) = input.split_at_checked(peer)?;
        Some((std::str::from_utf8(peer).ok().filter(|peer| !peer.is_empty()), body))
    }

    pub fn ingest(&mut self, input: &[u8], peer: usize, now: f64, out: &mut Out) -> i32 {
        let Some((peer, body)) = Self::parts(input, peer) else { return out.refuse(PEER) };
        match self.pipeline.ingest(body, peer, now) {
            Ok(Ingested { spans, partial_success }) => {
                out.tell(partial_success.unwrap_or_default());
                spans.try_into().unwrap_or(i32::MAX)
            }
            Err(error) => refused_body(&error, out),
        }
    }

    pub fn rewrite(&mut self, input: &[u8], peer: usize, now: f64, out: &mut Out) -> i32 {
        let Some((peer, body)) = Self::parts(input, peer) else { return out.refuse(PEER) };
        match self.pipeline.rewrite(body, peer, now) {
            Ok(Cow::Borrowed(_)) => 0,
            Ok(Cow::Owned(body)) => {
                out.give(body);
                1
            }
            Err(error) => refused_body(&error, out),
        }
    }

    pub fn poll(&mut self, now: f64, out: &mut Out) -> i32 {
        let Some((destination, transmit)) = self.pipeline.poll(now) else { return 0 };
        out.copy(transmit.body);
        let shown = out.shown();
        (shown.id, shown.spans, shown.destination) = (transmit.id, transmit.spans as u32, destination as u32);
        1 + i32::from(transmit.store)
    }

    pub fn flush(&mut self, now: f64) -> i32 {
        let number = self.next_flush;
        self.next_flush = number.checked_add(1).unwrap_or(1);
        if self.flushes.len() == MAX_FLUSHES {
            self.flushes.pop_front();
        }
        self.flushes.push_back((number, self.pipeline.flush(now)));
        number
    }

    pub fn is_settled(&mut self, number: i32) -> bool {
        let Some(at) = self.flushes.iter().position(|(n, _)| *n == number) else { return true };
        let settled = self.flushes.get(at).is_none_or(|(_, flush)| self.pipeline.settled(flush));
        if settled {
            self.flushes.remove(at);
        }
        settled
    }

    pub fn settings(&self, out: &mut Out) -> i32 {
        out.json(&settings(&self.config))
    }

    pub fn segment(&mut self, ids: &[u8], out: &mut Out) -> i32 {
        let (Some((trace_id, span_id)), 24) = (ids.split_first_chunk::<16>(), ids.len()) else {
            return out.refuse("ids: are not 24 bytes; pass the 16 of the trace id and the 8 of the span id");
        };
        let Ok(span_id) = span_id.try_into() else { return 0 };
        let Some(segment) = self.pipeline.segment(*trace_id, span_id) else { return 0 };
        out.copy(&segment);
        1
    }
}

const PEER: &str = "peer_len: is more than the length of the input; pass the address of the sender before the body, or 0";

/// Why a body was refused: the number is for programs.
fn refused_body(error: &Error, out: &mut Out) -> i32 {
    out.shown().kind = match error {
        Error::Busy(_) => GS_BUSY,
        Error::LimitExceeded { .. } => GS_LIMIT,
        _ => GS_MALFORMED,
    };
    out.refuse(error)
}
