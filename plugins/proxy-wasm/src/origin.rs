//! One sender, or several with the same credentials: its pipeline, and the calls of our own in its name. What one sender says never goes
//! out with the credentials of another.

use crate::coding::Coding;
use crate::request::{Reason, Request};
use crate::settings::{Route, Settings};
use genspan::{Pipeline, Stats};
use std::borrow::Cow;

/// The head of a sender's requests, as far as they have it in common.
#[derive(Clone, Debug)]
pub struct Head {
    /// `:authority`
    pub authority: String,
    /// `:path`
    pub path: String,
    /// `:scheme`
    pub scheme: String,
    /// The headers that name the sender.
    pub headers: Vec<(String, String)>,
    /// How its bodies are packed.
    pub request: Request,
    /// The proxy's cluster that they go to; `None`: not known, and no call of our own is possible.
    pub cluster: Option<String>,
}

impl Head {
    /// Is another request one of this sender's?
    pub fn is_of(&self, other: &Head) -> bool {
        let own = (&self.request, &self.authority, &self.path, &self.scheme, &self.headers);
        own == (&other.request, &other.authority, &other.path, &other.scheme, &other.headers)
    }
}

/// A request of our own.
pub struct Call {
    /// To answer it by, with [`Origin::answered`].
    pub id: u32,
    /// Through this cluster.
    pub cluster: String,
    /// Pseudo headers among them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// In ms.
    pub timeout_millis: u64,
}

/// A sender.
pub struct Origin {
    /// What its requests have in common.
    pub head: Head,
    /// A number that no other has.
    pub number: u32,
    /// It is to be forgotten once everything is sent.
    pub retiring: bool,
    pipeline: Pipeline,
    routes: Vec<Route>,
}

impl Origin {
    /// A sender that was not heard of before. `seed` is that of [`Pipeline::new`].
    pub fn new(head: Head, number: u32, settings: &Settings, seed: u64) -> Option<Self> {
        let mut core = settings.core.clone();
        let cluster = settings.routes.first().and_then(|route| route.cluster.clone());
        let head = Head { cluster: cluster.or(head.cluster), ..head };
        if head.cluster.is_none() {
            // What is decided later could not be sent.
            core.entry.hold_millis = 0.0;
        }
        // The configuration was checked when it was read.
        let pipeline = Pipeline::new(&core, seed).ok()?;
        Some(Origin { head, number, retiring: false, pipeline, routes: settings.routes.clone() })
    }

    /// [`Request::rewrite`]
    pub fn rewrite<'b>(
        &mut self,
        request: Request,
        body: &'b [u8],
        peer: Option<&str>,
        limit: usize,
        now: f64,
    ) -> Result<Cow<'b, [u8]>, Reason> {
        request.rewrite(body, &mut self.pipeline, peer, limit, now)
    }

    /// The next call to make. `now` is in ms.
    pub fn call(&mut self, now: f64) -> Option<Call> {
        let (destination, transmit) = self.pipeline.poll(now)?;
        let route = self.routes.get(destination)?;
        let (id, body) = (transmit.id, transmit.body);
        let to_upstream = destination == 0;
        // What the core gives for the upstream is protobuf, whatever its requests are.
        let packed = if to_upstream { Request { json: false, ..self.head.request } } else { route.packed };
        let (authority, path) = match to_upstream {
            true => (&self.head.authority, &self.head.path),
            false => (&route.authority, &route.path),
        };
        let cluster = if to_upstream { self.head.cluster.clone() } else { route.cluster.clone() };
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut set = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
        set(":method", "POST");
        set(":scheme", &self.head.scheme);
        set(":authority", authority);
        set(":path", path);
        set("content-type", packed.media_type());
        if packed.grpc {
            set("te", "trailers");
        }
        if packed.coding != Coding::Plain {
            set(if packed.grpc { "grpc-encoding" } else { "content-encoding" }, packed.coding.name());
        }
        let of_sender = if to_upstream { &self.head.headers[..] } else { &[] };
        for (name, value) in of_sender.iter().filter(|(name, _)| route.headers.iter().all(|(set, _)| set != name)).chain(&route.headers) {
            set(name, value);
        }
        Some(Call { id, cluster: cluster.unwrap_or_default(), headers, body: packed.wrap(body), timeout_millis: route.timeout_millis })
    }

    /// A call was answered: with an HTTP status, a gRPC status where there is one, and for how many ms to wait before the next.
    pub fn answered(&mut self, id: u32, status: u16, grpc_status: Option<u32>, retry_after: Option<f64>, body: &[u8], now: f64) {
        // The core knows gRPC's statuses by being below those of HTTP. The message is behind flag and length.
        let (status, body) = match grpc_status {
            None => (status, body),
            Some(0) => (200, body.get(5..).unwrap_or_default()),
            Some(status) => (u16::try_from(status).unwrap_or(2), &[][..]),
        };
        self.pipeline.response(id, status, retry_after, body, now);
    }

    /// A call was not answered.
    pub fn failed(&mut self, id: u32, now: f64) {
        self.pipeline.failure(id, now);
    }

    /// Everything goes out now, candidates too.
    pub fn flush(&mut self, now: f64) {
        self.pipeline.flush(now);
    }

    /// What happened so far.
    pub fn stats(&self) -> Stats {
        self.pipeline.stats()
    }

    /// Is something still to be sent, or held?
    pub fn is_busy(&self) -> bool {
        let stats = self.pipeline.stats();
        stats.held > 0 || stats.destinations.iter().any(|d| d.pending > 0)
    }
}
