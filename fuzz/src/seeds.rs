//! Where the targets start from: captured bodies, and what the tests know as configurations.

use crate::frames::FrameWriter;
use genspan::Pipeline;
use genspan::internals::config::Config;
use genspan::internals::conventions;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
/// Larger ones are slow, and say no more.
const MAX_SEED: usize = 24 << 10;

fn files(dir: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, all) } else { all.push(path) }
    }
}

/// Captured bodies, always in the same order.
pub fn captures() -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    files(&Path::new(FIXTURES).join("captures"), &mut paths);
    paths.sort();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pb"));
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

/// The spans of a body, a body each.
fn singles(body: &[u8]) -> Vec<Vec<u8>> {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return Vec::new() };
    let mut out = Vec::new();
    for resource in &request.resource_spans {
        for scope in &resource.scope_spans {
            for span in &scope.spans {
                let mut resource = resource.clone();
                resource.scope_spans = vec![scope.clone()];
                resource.scope_spans[0].spans = vec![span.clone()];
                out.push(ExportTraceServiceRequest { resource_spans: vec![resource] }.encode_to_vec());
            }
        }
    }
    out
}

/// A body with one span.
pub fn one() -> Vec<u8> {
    static ONE: OnceLock<Vec<u8>> = OnceLock::new();
    ONE.get_or_init(|| captures().first().and_then(|body| singles(body).into_iter().next()).unwrap_or_default()).clone()
}

/// All keys that a convention knows, and one that none does.
pub fn keys() -> &'static [String] {
    static KEYS: OnceLock<Vec<String>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let rules = conventions::ALL.iter().flat_map(|c| c.rules).map(|rule| rule.key.replace('*', "0.message.content"));
        let mut keys: Vec<_> = rules.chain(["my.own".into()]).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    })
}

/// The records of a host that hands over the spans of a body.
fn records(body: &[u8]) -> Vec<u8> {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return Vec::new() };
    let Some(mut p) = Config::from_json(r#"{"destinations":[{}]}"#).ok().and_then(|config| Pipeline::new(&config, 1).ok()) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let mut push = |kind: u8, record: &[u8]| {
        out.push(kind);
        out.extend_from_slice(&(record.len() as u32).to_le_bytes());
        out.extend_from_slice(record);
    };
    // Without attributes, and with all keys as text: the target's dictionary is not this one's.
    let text = |text: &str| [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let resource = [vec![1], text(""), text("")].concat();
    push(1, &resource);
    let mut w = FrameWriter(&mut p, true);
    let Ok(resource) = w.0.resource(&resource) else { return Vec::new() };
    for scope in request.resource_spans.iter().flat_map(|resource| &resource.scope_spans) {
        let name = scope.scope.as_ref().map_or("", |scope| &scope.name);
        let record = [vec![1], text(name), text(""), text(""), text("")].concat();
        push(0, &record);
        let Ok(number) = w.0.scope(&record) else { continue };
        let of_ids = |span: &&Span| span.trace_id.len() == 16 && span.span_id.len() == 8;
        // Half of the bodies are those of an exporter, which learns of no start.
        let exported = body.len().is_multiple_of(2);
        for span in scope.spans.iter().filter(of_ids).filter(|_| !exported) {
            push(2, &w.start_with(span, number, &[]));
        }
        for span in scope.spans.iter().filter(of_ids) {
            push(if exported { 4 } else { 3 }, &w.span(span, number, resource));
        }
    }
    out
}

const CONFIGS: &[&str] = &[
    r#"{"destinations":[{"profile":"otel"},{"profile":"tencent","token":"t","hostName":"h","serviceName":"shop","filter":"llm"}]}"#,
    r#"{"destinations":[{"filter":{"only":[{"llm":true,"scope":"a*"}],"except":[{"attributes":{"x":[null,"1"]}}]},"sampleRatio":0.5}],"entry":{"siblings":"first","holdMillis":5}}"#,
    r#"{"destinations":[{"allowScopes":["*"],"blockScopes":["http*"],"originalParent":"p","protocol":"http/json"}],"privacy":{"mask":[{"detect":["email"],"keys":["a.*"],"pattern":"x+"}],"captureContent":false,"maxAttributeBytes":100}}"#,
    r#"{"profile":"langfuse","keep":"none","serviceName":"x","resourceAttributes":{"a":1,"b":[true]}}"#,
    r#"{"maxKeys":8,"maxExportBatchSize":2,"maxExportBatchBytes":4096,"inheritSession":false,"inferProvider":false}"#,
];

/// What a target starts from.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let bodies = || captures().into_iter().filter(|body| body.len() <= MAX_SEED).collect::<Vec<_>>();
    let spans = || captures().iter().flat_map(|body| singles(body)).filter(|body| body.len() <= 4 << 10).collect::<Vec<_>>();
    match target {
        "json" => spans().iter().filter_map(|body| genspan::internals::otlp::json::from_protobuf(body).ok()).collect(),
        "frames" => captures().iter().map(|body| records(body)).filter(|records| records.len() <= MAX_SEED).collect(),
        "config" => CONFIGS.iter().map(|config| config.as_bytes().to_vec()).collect(),
        "grpc" => {
            let framed = |body: &Vec<u8>| [&[0][..], &(body.len() as u32).to_be_bytes(), body].concat();
            let spans = spans();
            spans.iter().map(framed).chain(spans.iter().take(50).cloned()).collect()
        }
        "attributes" => (0u16..64).map(|i| (0..400u16).map(|n| (n.wrapping_mul(i * 7 + 3) >> 3) as u8).collect()).collect(),
        "privacy" => {
            [&b"call +86 138 0013 8000 or 4111 1111 1111 1111"[..], b"{\"a\":\"sk-abc\"}", "深圳 \u{1f600} \\u0041".as_bytes(), b"a@b.c"]
                .map(<[u8]>::to_vec)
                .into()
        }
        _ => bodies().into_iter().chain(spans()).collect(),
    }
}
