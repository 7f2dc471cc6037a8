//! The glue to the proxy: contexts, metrics, calls. It holds bodies and makes no decisions about spans. After a fault of the proxy's interface, the request
//! is forwarded, or refused if it must not be forwarded unread.

use crate::origin::{Head, Origin};
use crate::request::{Reason, Request};
use crate::settings::Settings;
use crate::share::{GAUGES, Share};
use genspan::internals::config;
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType, GrpcStatusCode, LogLevel, MapType, MetricType};
use std::borrow::Cow;
use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

const TICK: Duration = Duration::from_millis(250);
/// Minimum interval between two log lines for the same fault, in ms.
const LOG_INTERVAL: f64 = 60_000.0;
/// Maximum number of remembered header names.
const MAX_NAMED: usize = 64;
/// Maximum size of the answer to a call, in bytes.
const MAX_ANSWER: usize = 64 << 10;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(Root { worker: Rc::new(RefCell::new(Worker::default())) }));
}}

fn now() -> f64 {
    let time = hostcalls::get_current_time().unwrap_or(UNIX_EPOCH);
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1e3)
}

/// A counter and the value already reported to the proxy.
struct Counter {
    id: u32,
    reported: u64,
}

impl Counter {
    fn new(name: &str) -> Option<Self> {
        hostcalls::define_metric(MetricType::Counter, name).ok().map(|id| Counter { id, reported: 0 })
    }

    fn tell(&mut self, total: u64) {
        if total > self.reported && hostcalls::increment_metric(self.id, (total - self.reported) as i64).is_ok() {
            self.reported = total;
        }
    }
}

/// The names of the counters, in the order of [`Worker::totals`].
const COUNTERS: [&str; 9] = [
    "spans_total",
    "entries_total",
    "requests_total",
    "sent_total",
    "dropped_total",
    "filtered_total",
    "unparsed_total",
    "unread_total",
    "late_marks_total",
];
/// The names of the gauges, in the order in which [`Worker::tell_metrics`] reports them.
const LEVELS: [&str; GAUGES] = ["held", "pending", "buffered_bytes", "memory_bytes", "origins"];
/// The key of the table of [`Share`] in the data that the proxy shares among its workers.
const SHARES: &str = "genspan.shares";

#[derive(Default)]
struct Worker {
    settings: Option<Settings>,
    origins: Vec<Origin>,
    next_origin: u32,
    /// Calls in flight, which are few: the proxy's token, the origin and its number for the call.
    calls: Vec<(u32, u32, u32)>,
    /// Size of the bodies that are held.
    buffered: usize,
    requests: u64,
    passed: [u64; Reason::ALL.len()],
    refused: [u64; Reason::ALL.len()],
    /// Counters carried over from retired senders.
    gone: [u64; COUNTERS.len()],
    counters: Vec<Option<Counter>>,
    passed_counters: Vec<Option<Counter>>,
    refused_counters: Vec<Option<Counter>>,
    gauges: Vec<Option<u32>>,
    share: Share,
    logged: Vec<(String, f64)>,
    /// Known header names, and whether they identify a sender.
    named: Vec<(String, bool)>,
}

/// Returns true if a header identifies its sender. Most senders use the same headers.
fn is_named(known: &mut Vec<(String, bool)>, settings: &Settings, name: &str) -> bool {
    if let Some((_, is)) = known.iter().find(|(seen, _)| seen == name) {
        return *is;
    }
    let is = settings.origin_headers.iter().any(|pattern| config::glob(pattern, name.as_bytes()));
    if known.len() >= MAX_NAMED {
        known.clear();
    }
    known.push((name.to_owned(), is));
    is
}

fn totals_of(origin: &Origin) -> [u64; COUNTERS.len()] {
    let stats = origin.stats();
    let sum = |of: fn(&genspan::DestinationStats) -> u64| stats.destinations.iter().map(of).sum::<u64>();
    let dropped = sum(|d| d.dropped_full + d.dropped_refused + d.dropped_deadline + d.dropped_too_large + d.rejected);
    let filtered = sum(|d| d.filtered + d.not_sampled);
    [stats.seen, stats.entries, 0, sum(|d| d.sent), dropped, filtered, stats.unparsed, stats.unread, stats.late_marks]
}

impl Worker {
    fn define_metrics(&mut self) {
        self.counters = COUNTERS.iter().map(|name| Counter::new(&format!("genspan_{name}"))).collect();
        let by_reason =
            |name| Reason::ALL.iter().map(move |reason| Counter::new(&format!("genspan_{name}_total.reason.{}", reason.name())));
        (self.passed_counters, self.refused_counters) = (by_reason("passed_through").collect(), by_reason("refused").collect());
        let gauge = |name: &&str| hostcalls::define_metric(MetricType::Gauge, &format!("genspan_{name}")).ok();
        self.gauges = LEVELS.iter().map(gauge).collect();
        let mut hasher = DefaultHasher::new();
        hostcalls::get_current_time().ok().hash(&mut hasher);
        self.share = Share::new(hasher.finish());
    }

    fn tell_metrics(&mut self, now: f64) {
        let mut totals = self.gone;
        totals[2] += self.requests;
        let (mut held, mut pending) = (0, 0);
        for origin in &self.origins {
            totals.iter_mut().zip(totals_of(origin)).for_each(|(total, of_origin)| *total += of_origin);
            let stats = origin.stats();
            held += stats.held;
            pending += stats.destinations.iter().map(|d| d.pending).sum::<u64>();
        }
        self.counters.iter_mut().zip(totals).for_each(|(counter, total)| counter.iter_mut().for_each(|c| c.tell(total)));
        let passed = self.passed_counters.iter_mut().zip(self.passed);
        let refused = self.refused_counters.iter_mut().zip(self.refused);
        passed.chain(refused).for_each(|(counter, total)| counter.iter_mut().for_each(|c| c.tell(total)));
        let memory = core::arch::wasm32::memory_size(0) as u64 * 65_536;
        let levels = [held, pending, self.buffered as u64, memory, self.origins.len() as u64];
        let (table, version) = hostcalls::get_shared_data(SHARES).unwrap_or_default();
        let report = self.share.report(&table.unwrap_or_default(), levels, now);
        // If another worker has just changed the table, the next tick reports.
        if hostcalls::set_shared_data(SHARES, Some(&report.table), version).is_err() {
            return;
        }
        self.share = report.share;
        for (gauge, change) in self.gauges.iter().zip(report.changes) {
            if let Some(id) = gauge.filter(|_| change != 0) {
                let _ = hostcalls::increment_metric(id, change);
            }
        }
    }

    /// Logs at most once a minute for each fault.
    fn say(&mut self, level: LogLevel, what: &str, now: f64) {
        self.logged.retain(|(_, at)| now - at < LOG_INTERVAL);
        if self.logged.iter().any(|(logged, _)| logged == what) {
            return;
        }
        self.logged.push((what.to_owned(), now));
        let _ = hostcalls::log(level, &format!("genspan: {what}"));
    }

    fn passes(&mut self, reason: Reason, now: f64) {
        self.passed[reason as usize] += 1;
        self.say(LogLevel::Warn, &format!("requests pass as they came: {}", reason.name()), now);
    }

    /// Answers a request instead of the upstream, which receives nothing more of it.
    fn refuses(&mut self, kind: Kind, reason: Reason) -> Action {
        self.refused[reason as usize] += 1;
        self.say(LogLevel::Warn, &format!("requests are refused, since they cannot be read: {}", reason.name()), now());
        let _ = if kind.grpc {
            let status = match reason {
                Reason::Malformed => GrpcStatusCode::InvalidArgument,
                Reason::Unsupported => GrpcStatusCode::Unimplemented,
                Reason::Oversized => GrpcStatusCode::ResourceExhausted,
                Reason::Overload => GrpcStatusCode::Unavailable,
            };
            hostcalls::send_grpc_response(status, Some(reason.advice()), Vec::new())
        } else {
            let media_type = if kind.json { "application/json" } else { "application/x-protobuf" };
            hostcalls::send_http_response(reason.statuses().0, vec![("content-type", media_type)], Some(&reason.status(kind.json)))
        };
        Action::Pause
    }

    /// Forwards a request unchanged, or refuses it if it must not be forwarded unread.
    fn unread(&mut self, kind: Kind, reason: Reason) -> Action {
        if self.settings.as_ref().is_some_and(|settings| settings.refuses) {
            return self.refuses(kind, reason);
        }
        self.passes(reason, now());
        Action::Continue
    }

    /// The sender of a request.
    fn origin(&mut self, head: Head, now: f64) -> Option<&mut Origin> {
        let settings = self.settings.as_ref()?;
        let same = |origin: &Origin| !origin.retiring && origin.head.is_of(&head);
        let at = match self.origins.iter().position(same) {
            Some(at) => at,
            None => {
                self.next_origin = self.next_origin.wrapping_add(1);
                let cluster = cluster_of_request();
                let seed = seed(&head, self.next_origin);
                let origin = Origin::new(Head { cluster, ..head }, self.next_origin, settings, seed)?;
                if self.origins.iter().filter(|origin| !origin.retiring).count() >= settings.max_origins
                    && let Some(oldest) = self.origins.iter_mut().find(|origin| !origin.retiring)
                {
                    oldest.retiring = true;
                    oldest.flush(now);
                }
                self.origins.push(origin);
                self.origins.len() - 1
            }
        };
        // The most recently used sender is last.
        let origin = self.origins.remove(at);
        self.origins.push(origin);
        self.origins.last_mut()
    }

    /// Makes the calls that are due, and removes retired senders.
    fn make_calls(&mut self, now: f64) {
        let mut faults = 0;
        for origin in &mut self.origins {
            while let Some(call) = origin.call(now) {
                let headers: Vec<_> = call.headers.iter().map(|(name, value)| (&name[..], &value[..])).collect();
                let timeout = Duration::from_millis(call.timeout_millis);
                match hostcalls::dispatch_http_call(&call.cluster, headers, Some(&call.body), Vec::new(), timeout) {
                    Ok(token) => self.calls.push((token, origin.number, call.id)),
                    Err(_) => {
                        origin.failed(call.id, now);
                        faults += 1;
                    }
                }
            }
        }
        if faults > 0 {
            self.say(LogLevel::Warn, "a call of our own could not be made: is its cluster there?", now);
        }
        let gone = &mut self.gone;
        self.origins.retain(|origin| {
            let stays = !origin.retiring || origin.is_busy();
            if !stays {
                gone.iter_mut().zip(totals_of(origin)).for_each(|(total, of_origin)| *total += of_origin);
            }
            stays
        });
    }
}

struct Root {
    worker: Rc<RefCell<Worker>>,
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body_size: usize, trailers: usize) {
        let mut worker = self.worker.borrow_mut();
        let now = now();
        let Some(at) = worker.calls.iter().position(|(known, ..)| *known == token) else { return };
        let (_, number, id) = worker.calls.swap_remove(at);
        let header = |name: &str| {
            let of = |map| hostcalls::get_map_value(map, name).ok().flatten();
            of(MapType::HttpCallResponseHeaders).or_else(|| (trailers > 0).then(|| of(MapType::HttpCallResponseTrailers)).flatten())
        };
        let status = header(":status").and_then(|status| status.parse::<u16>().ok()).filter(|_| headers > 0);
        let grpc_status = header("grpc-status").and_then(|status| status.parse().ok());
        // In whole seconds, as HTTP defines it; parsing fractions costs 12 KB of the module.
        let retry_after = header("retry-after").and_then(|seconds| seconds.trim().parse::<u32>().ok()).map(|s| f64::from(s) * 1e3);
        let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body_size.min(MAX_ANSWER)).ok().flatten().unwrap_or_default();
        if let Some(origin) = worker.origins.iter_mut().find(|origin| origin.number == number) {
            match status {
                Some(status) => origin.answered(id, status, grpc_status, retry_after, &body, now),
                None => origin.failed(id, now),
            }
        }
        if status.is_none_or(|status| status >= 300) || grpc_status.is_some_and(|status| status != 0) {
            let what = status.map_or("a call of our own got no answer".to_owned(), |s| format!("a call of our own got HTTP status {s}"));
            worker.say(LogLevel::Warn, &what, now);
        }
        worker.make_calls(now);
    }

    /// The plugin is being shut down: held spans are sent first.
    fn on_done(&mut self) -> bool {
        let mut worker = self.worker.borrow_mut();
        let now = now();
        worker.origins.iter_mut().for_each(|origin| {
            origin.retiring = true;
            origin.flush(now);
        });
        worker.make_calls(now);
        worker.tell_metrics(now);
        worker.calls.is_empty()
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let text = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX).ok().flatten().unwrap_or_default();
        match Settings::read(&String::from_utf8_lossy(&text)) {
            Ok(settings) => {
                for ignored in &settings.ignored {
                    let _ = hostcalls::log(LogLevel::Warn, &format!("genspan: {ignored}"));
                }
                let mut worker = self.worker.borrow_mut();
                worker.settings = Some(settings);
                worker.define_metrics();
                let _ = hostcalls::set_tick_period(TICK);
                true
            }
            Err(error) => {
                let _ = hostcalls::log(LogLevel::Error, &format!("genspan: {error}"));
                false
            }
        }
    }

    fn on_tick(&mut self) {
        let mut worker = self.worker.borrow_mut();
        let now = now();
        worker.make_calls(now);
        worker.tell_metrics(now);
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { worker: Rc::clone(&self.worker), ..Stream::default() }))
    }
}

/// The protocol in which a request expects its answer.
#[derive(Clone, Copy, Default)]
struct Kind {
    grpc: bool,
    json: bool,
}

/// One request.
#[derive(Default)]
struct Stream {
    worker: Rc<RefCell<Worker>>,
    kind: Kind,
    /// `None` if the request is forwarded unchanged.
    request: Option<(Request, Head)>,
    held: Vec<u8>,
    /// Its headers, which the proxy discards once they have been forwarded.
    headers: Vec<(String, Vec<u8>)>,
    /// The length of the body according to the headers.
    length: Option<usize>,
    /// The body was complete: further data cannot be read.
    closed: bool,
}

fn property(path: &[&str]) -> Option<String> {
    hostcalls::get_property(path.to_vec()).ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok())
}

/// A seed from values that no sender knows completely: the clock to the nanosecond, the proxy's own ids, the connection and the
/// request, and the credentials of the sender.
fn seed(head: &Head, number: u32) -> u64 {
    let mut hasher = DefaultHasher::new();
    (hostcalls::get_current_time().ok(), number, &head.headers).hash(&mut hasher);
    for path in [&["node", "id"][..], &["xds", "node", "id"], &["connection", "id"], &["request", "id"], &["source", "port"]] {
        hostcalls::get_property(path.to_vec()).ok().flatten().hash(&mut hasher);
    }
    hasher.finish()
}

/// The sender's address without its port.
fn peer() -> Option<String> {
    let address = property(&["source", "address"])?;
    let host = address.rsplit_once(':').map_or(&address[..], |(host, _)| host);
    Some(host.trim_matches(['[', ']']).to_owned()).filter(|host| !host.is_empty())
}

impl Stream {
    /// Forwards the part of the body that is held, and the rest as it arrives; or refuses the request.
    fn release(&mut self, chunk: &[u8], reason: Reason) -> Action {
        let mut worker = self.worker.borrow_mut();
        worker.buffered -= self.held.len();
        let mut whole = std::mem::take(&mut self.held);
        self.request = None;
        let action = worker.unread(self.kind, reason);
        if action == Action::Continue {
            whole.extend_from_slice(chunk);
            let _ = hostcalls::set_buffer(BufferType::HttpRequestBody, 0, usize::MAX, &whole);
        }
        action
    }

    /// Returns true if the whole body has arrived, although the stream has not ended.
    fn is_whole(&self) -> bool {
        let announced = self.request.as_ref().and_then(|(request, _)| request.length(&self.held)).or(self.length);
        announced == Some(self.held.len())
    }

    /// The held body, rewritten; or unchanged if it cannot be read and may be forwarded. An error if it may not, or was already forwarded.
    fn rewritten<'b>(&mut self, body: &'b [u8]) -> Result<Cow<'b, [u8]>, Action> {
        let worker = &mut *self.worker.borrow_mut();
        worker.buffered -= body.len();
        let (Some((request, head)), Some(settings)) = (self.request.take(), &worker.settings) else { return Err(Action::Continue) };
        self.closed = settings.refuses;
        let (limit, now) = (settings.max_body_bytes, now());
        let peer = if settings.needs_peer() { peer() } else { None };
        let rewritten = match worker.origin(head, now) {
            Some(origin) => origin.rewrite(request, body, peer.as_deref(), limit, now),
            None => Err(Reason::Unsupported),
        };
        rewritten.or_else(|reason| match worker.unread(self.kind, reason) {
            Action::Continue => Ok(Cow::Borrowed(body)),
            action => Err(action),
        })
    }

    /// Sends a call of the plugin instead of the request, whose headers have already been forwarded: the proxy cannot continue a body after trailers.
    /// The answer to the call becomes the answer to the request.
    fn call(&self, body: &[u8]) -> Action {
        let worker = &mut *self.worker.borrow_mut();
        let trailers = hostcalls::get_map_bytes(MapType::HttpRequestTrailers).unwrap_or_default();
        let route = worker.settings.as_ref().and_then(|settings| settings.routes.first());
        let set = || route.into_iter().flat_map(|route| &route.headers).map(|(name, value)| (&name[..], &value[..]));
        let mut headers = texts(&self.headers);
        headers.retain(|(name, _)| set().all(|(of_route, _)| of_route != *name));
        headers.extend(set());
        let cluster = route.and_then(|route| route.cluster.clone()).or_else(cluster_of_request).filter(|_| !self.kind.grpc);
        let timeout = Duration::from_millis(route.map_or(0, |route| route.timeout_millis));
        let made = cluster.map(|cluster| hostcalls::dispatch_http_call(&cluster, headers, Some(body), texts(&trailers), timeout));
        match made {
            Some(Ok(_)) => Action::Pause,
            // A gRPC frame that ends too early.
            _ if self.kind.grpc => worker.refuses(self.kind, Reason::Malformed),
            _ => worker.refuses(self.kind, Reason::Overload),
        }
    }
}

fn cluster_of_request() -> Option<String> {
    property(&["cluster_name"]).or_else(|| property(&["xds", "cluster_name"]))
}

/// The headers that are valid text, except for those of a single connection.
fn texts(headers: &[(String, Vec<u8>)]) -> Vec<(&str, &str)> {
    const OF_CONNECTION: [&str; 4] = ["connection", "content-length", "keep-alive", "transfer-encoding"];
    let of_request = headers.iter().filter(|(name, _)| !OF_CONNECTION.contains(&&name[..]));
    of_request.filter_map(|(name, value)| Some((&name[..], std::str::from_utf8(value).ok()?))).collect()
}

impl Context for Stream {
    /// Handles the answer to the call that replaced the request.
    fn on_http_call_response(&mut self, _: u32, _: usize, body_size: usize, _: usize) {
        let headers = hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).unwrap_or_default();
        let (head, rest): (Vec<_>, Vec<_>) = texts(&headers).into_iter().partition(|(name, _)| name.starts_with(':'));
        let status = head.iter().find(|(name, _)| *name == ":status").and_then(|(_, status)| status.parse().ok());
        let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body_size.min(MAX_ANSWER)).ok().flatten();
        match status {
            Some(status) => _ = hostcalls::send_http_response(status, rest, body.as_deref()),
            None => _ = self.worker.borrow_mut().refuses(self.kind, Reason::Overload),
        }
    }

    /// The request has ended, in whatever way.
    fn on_done(&mut self) -> bool {
        self.worker.borrow_mut().buffered -= self.held.len();
        self.held = Vec::new();
        true
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        // A request that is not OTLP costs one crossing; otherwise one call returns all headers. As bytes, because not every header is UTF-8.
        let path = hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, ":path").ok().flatten().unwrap_or_default();
        let Some(path) = std::str::from_utf8(&path).ok().filter(|path| Request::may_be_at(path)) else { return Action::Continue };
        let headers = hostcalls::get_map_bytes(MapType::HttpRequestHeaders).unwrap_or_default();
        let text = |value| std::str::from_utf8(value).ok();
        let header = |name: &str| headers.iter().find(|(known, _)| known == name).and_then(|(_, value)| text(value));
        let Some(request) = Request::of(header(":method").unwrap_or_default(), path, header) else { return Action::Continue };
        let json = header("content-type").is_some_and(|of| of.to_ascii_lowercase().starts_with("application/json"));
        self.kind = Kind { grpc: Request::is_grpc(path), json };
        let worker = &mut *self.worker.borrow_mut();
        worker.requests += 1;
        let Some(settings) = &worker.settings else { return Action::Continue };
        for (name, value) in settings.routes.first().iter().flat_map(|route| &route.headers) {
            let _ = hostcalls::set_map_value(MapType::HttpRequestHeaders, name, Some(value));
        }
        let length = header("content-length").and_then(|length| length.parse::<usize>().ok());
        let oversized = length.is_some_and(|length| length > settings.max_body_bytes);
        let mut of_sender: Vec<(String, String)> = Vec::new();
        let mut repeatable = true;
        for (name, value) in headers.iter().filter(|(name, _)| !name.starts_with(':') && is_named(&mut worker.named, settings, name)) {
            let value = text(value);
            repeatable &= value.is_some();
            let value = value.unwrap_or_default();
            let at = of_sender.partition_point(|(before, of)| (&before[..], &of[..]) < (&name[..], value));
            of_sender.insert(at, (name.clone(), value.to_owned()));
        }
        match request {
            _ if end_of_stream => {}
            // Calls of the plugin could not carry such credentials.
            Ok(_) if !repeatable => return worker.unread(self.kind, Reason::Unsupported),
            Err(reason) => return worker.unread(self.kind, reason),
            Ok(_) if oversized => return worker.unread(self.kind, Reason::Oversized),
            Ok(request) => {
                let [authority, scheme] = [(":authority", ""), (":scheme", "http")].map(|(name, or)| header(name).unwrap_or(or).to_owned());
                if length.is_some() {
                    // The length will change; without the header, the proxy sends chunks.
                    let _ = hostcalls::set_map_value(MapType::HttpRequestHeaders, "content-length", None);
                }
                self.length = length;
                self.headers = headers;
                self.request =
                    Some((request, Head { authority, path: path.to_owned(), scheme, headers: of_sender, request, cluster: None }));
            }
        }
        Action::Continue
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if self.request.is_none() {
            return if self.closed && size > 0 { self.worker.borrow_mut().refuses(self.kind, Reason::Malformed) } else { Action::Continue };
        }
        let chunk = hostcalls::get_buffer(BufferType::HttpRequestBody, 0, size).ok().flatten().unwrap_or_default();
        let mut worker = self.worker.borrow_mut();
        let Some((max_body, max_buffered)) = worker.settings.as_ref().map(|s| (s.max_body_bytes, s.max_buffered_bytes)) else {
            return Action::Continue;
        };
        let over = match (self.held.len() + chunk.len() > max_body, worker.buffered + chunk.len() > max_buffered) {
            (true, _) => Some(Reason::Oversized),
            (_, true) => Some(Reason::Overload),
            _ => None,
        };
        if let Some(reason) = over {
            drop(worker);
            return self.release(&chunk, reason);
        }
        let untouched = self.held.is_empty();
        worker.buffered += chunk.len();
        drop(worker);
        if untouched {
            self.held = chunk;
        } else {
            self.held.extend_from_slice(&chunk);
        }
        if !end_of_stream && !self.is_whole() {
            let _ = hostcalls::set_buffer(BufferType::HttpRequestBody, 0, usize::MAX, &[]);
            return Action::Continue;
        }
        let body = std::mem::take(&mut self.held);
        match self.rewritten(&body) {
            // The proxy has the body unchanged.
            Ok(Cow::Borrowed(_)) if untouched => {}
            Ok(out) => _ = hostcalls::set_buffer(BufferType::HttpRequestBody, 0, usize::MAX, &out),
            Err(action) => return action,
        }
        Action::Continue
    }

    /// The body has ended although it seemed incomplete: in HTTP/2 its length is known only at its end, and here trailers are its end.
    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        let body = std::mem::take(&mut self.held);
        match self.rewritten(&body) {
            Ok(out) => self.call(&out),
            Err(action) => action,
        }
    }
}
