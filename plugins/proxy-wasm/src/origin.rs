//! One sender, or several with the same credentials: its pipeline, and the plugin's calls on its behalf. Data of one sender is never sent
//! with the credentials of another.

use crate::coding::Coding;
use crate::request::{Reason, Request};
use crate::settings::{Route, Settings};
use genspan::{Pipeline, Stats};
use std::borrow::Cow;

/// The headers that all requests of a sender have in common.
#[derive(Clone, Debug)]
pub struct Head {
    /// `:authority`
    pub authority: String,
    /// `:path`
    pub path: String,
    /// `:scheme`
    pub scheme: String,
    /// The headers that identify the sender.
    pub headers: Vec<(String, String)>,
    /// The coding of its bodies.
    pub request: Request,
    /// The proxy's cluster that receives them; `None` if it is unknown, so that no calls are possible.
    pub cluster: Option<String>,
}

impl Head {
    /// Returns true if another request is from this sender.
    pub fn is_of(&self, other: &Head) -> bool {
        let own = (&self.request, &self.authority, &self.path, &self.scheme, &self.headers);
        own == (&other.request, &other.authority, &other.path, &other.scheme, &other.headers)
    }
}

/// A request made by the plugin.
pub struct Call {
    /// Its number, for [`Origin::answered`].
    pub id: u32,
    /// The cluster to use.
    pub cluster: String,
    /// The headers, including pseudo headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The time limit, in ms.
    pub timeout_millis: u64,
}

/// A sender.
pub struct Origin {
    /// The headers that its requests have in common.
    pub head: Head,
    /// A unique number.
    pub number: u32,
    /// It is removed once everything is sent.
    pub retiring: bool,
    pipeline: Pipeline,
    routes: Vec<Route>,
}

impl Origin {
    /// Creates a new sender. `seed` is that of [`Pipeline::new`].
    pub fn new(head: Head, number: u32, settings: &Settings, seed: u64) -> Option<Self> {
        let mut core = settings.core.clone();
        let cluster = settings.routes.first().and_then(|route| route.cluster.clone());
        let head = Head { cluster: cluster.or(head.cluster), ..head };
        if head.cluster.is_none() {
            // Candidates that are decided later could not be sent.
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
        // The core's output for the upstream is protobuf, whatever the format of the requests.
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

    /// Passes the answer to a call: the HTTP status, the gRPC status if there is one, and the requested wait in ms.
    pub fn answered(&mut self, id: u32, status: u16, grpc_status: Option<u32>, retry_after: Option<f64>, body: &[u8], now: f64) {
        // The core distinguishes gRPC statuses by their being below those of HTTP. The message follows flag and length.
        let (status, body) = match grpc_status {
            None => (status, body),
            Some(0) => (200, body.get(5..).unwrap_or_default()),
            Some(status) => (u16::try_from(status).unwrap_or(2), &[][..]),
        };
        self.pipeline.response(id, status, retry_after, body, now);
    }

    /// Reports that a call got no answer.
    pub fn failed(&mut self, id: u32, now: f64) {
        self.pipeline.failure(id, now);
    }

    /// Sends everything now, including candidates.
    pub fn flush(&mut self, now: f64) {
        self.pipeline.flush(now);
    }

    /// The counters so far.
    pub fn stats(&self) -> Stats {
        self.pipeline.stats()
    }

    /// Returns true if spans are still held or waiting to be sent.
    pub fn is_busy(&self) -> bool {
        let stats = self.pipeline.stats();
        stats.held > 0 || stats.destinations.iter().any(|d| d.pending > 0)
    }
}
