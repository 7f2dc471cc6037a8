//! A span exporter for OpenTelemetry Rust with genspan in it: spans go in as an OTLP body, requests come out.
//! `cargo run --example exporter -- http://127.0.0.1:4318/v1/traces`, with `npx genspan inspect` as the receiver.

use genspan::{Config, Pipeline};
use opentelemetry::trace::{Span, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::{common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider, trace::SpanData, trace::SpanExporter};
use prost::Message;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Debug)]
struct Exporter {
    pipeline: Mutex<Pipeline>,
    resource: ResourceAttributesWithSchema,
    endpoint: String,
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
}

impl Exporter {
    /// Sends what is due, after `change`; waits for requests to retry as long as `patience` lasts.
    fn run(&self, patience: Duration, change: impl FnOnce(&mut Pipeline) -> OTelSdkResult) -> OTelSdkResult {
        let mut pipeline = self.pipeline.lock().map_err(|e| OTelSdkError::InternalFailure(e.to_string()))?;
        change(&mut pipeline)?;
        let until = now() + patience.as_millis() as f64;
        loop {
            while let Some((_, request)) = pipeline.poll(now()) {
                let id = request.id;
                match ureq::post(&self.endpoint).content_type("application/x-protobuf").send(request.body) {
                    Ok(mut answer) => {
                        let body = answer.body_mut().read_to_vec().unwrap_or_default();
                        pipeline.response(id, answer.status().as_u16(), None, &body, now());
                    }
                    Err(ureq::Error::StatusCode(status)) => drop(pipeline.response(id, status, None, b"", now())),
                    Err(_) => pipeline.failure(id, now()),
                }
            }
            match pipeline.wake().filter(|wake| *wake < until) {
                Some(wake) => std::thread::sleep(Duration::from_secs_f64((wake - now()).max(0.0) / 1000.0)),
                None => return Ok(()),
            }
        }
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        self.run(Duration::ZERO, |pipeline| {
            pipeline.ingest(&body, None, now()).map(drop).map_err(|e| OTelSdkError::InternalFailure(e.to_string()))
        })
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.run(timeout, |pipeline| {
            pipeline.flush(now());
            Ok(())
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:4318/v1/traces".to_owned());
    let config = Config::from_json(&format!(r#"{{"destinations": [{{"profile": "otel", "endpoint": "{endpoint}"}}]}}"#))?;
    let pipeline = Mutex::new(Pipeline::new(&config, u64::from(std::process::id()))?);
    let exporter = Exporter { pipeline, resource: ResourceAttributesWithSchema::default(), endpoint };
    let resource = Resource::builder().with_service_name("rust-example").build();
    let provider = SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();

    // As an instrumentation of OpenInference writes it; genspan makes OpenTelemetry's conventions of it, and marks the entry.
    let tracer = provider.tracer("openinference.instrumentation.example");
    let mut agent = tracer.start("answer a question");
    agent.set_attribute(KeyValue::new("openinference.span.kind", "AGENT"));
    let context = Context::current_with_span(agent);
    let mut call = tracer.start_with_context("chat", &context);
    call.set_attributes([
        KeyValue::new("openinference.span.kind", "LLM"),
        KeyValue::new("llm.model_name", "gpt-4o"),
        KeyValue::new("llm.token_count.prompt", 12),
        KeyValue::new("llm.token_count.completion", 5),
    ]);
    call.end();
    context.span().end();
    provider.shutdown()?;
    Ok(())
}
