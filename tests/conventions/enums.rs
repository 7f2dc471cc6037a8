//! From a row of `enums.csv` to sample spans: the word of the source, where the sources write it, and the word that must come out.

use crate::csv;
use crate::expect::{Case, Expect, What};
use crate::newer::otlp;
use crate::parts;
use crate::sample::{QUESTION, text};
use crate::sources::{of_kind, prove, says_kind};
use crate::span::Source;
use serde_json::{Value as Json, json};

/// A row of `enums.csv`.
pub struct Row {
    pub category: String,
    pub convention: String,
    pub key: String,
    pub value: String,
    operation: String,
    kind: String,
    target: String,
    note: String,
}

/// How the notes of the table begin.
const NOT_LLM: &[&str] = &["not LLM", "not LLM (v2)", "not LLM: no operation, kind, entry or segment"];

/// Bifrost does not send its word for the kind of a span: what a span of this kind has.
fn of_bifrost(kind: &str) -> Source {
    let source = match kind {
        "mcp.tool" => return Source::default().with("gen_ai.tool.name", "get_weather").with("gen_ai.tool.call.arguments", "{}"),
        "embedding" => Source::default().with("gen_ai.input.embedding", QUESTION),
        "speech" | "transcription" | "llm.call" => Source::default().with("gen_ai.usage.output_tokens", 5),
        _ => Source::default(),
    };
    let name = if kind == "plugin" { "plugin.log.prehook".into() } else { format!("{kind} gpt-4o") };
    Source { name, ..source }.with("gen_ai.provider.name", "openai").with("gen_ai.request.model", "gpt-4o")
}

pub fn rows() -> Vec<Row> {
    let row = |fields: &Vec<String>| Row {
        category: fields[0].clone(),
        convention: fields[1].clone(),
        key: fields[2].clone(),
        value: fields[3].clone(),
        operation: fields[4].clone(),
        kind: fields[5].clone(),
        target: fields[8].clone(),
        note: fields[9].clone(),
    };
    csv::enums().iter().map(row).collect()
}

fn chat() -> Source {
    Source { scope: "app".into(), name: "call".into(), ..Default::default() }.with("gen_ai.operation.name", "chat")
}

fn target(key: &str, value: impl Into<Json>) -> Vec<Expect> {
    vec![Expect::Target(key.into(), What::Is(value.into()))]
}

/// A name that the pattern covers: `*` is any text.
fn example(pattern: &str) -> String {
    pattern.replace('*', "v1")
}

impl Row {
    pub fn cases(&self) -> Vec<Case> {
        match self.category.as_str() {
            "span_kind" => vec![Case { source: self.source_of_kind(), expected: self.expected_kind() }],
            "kind_inference" => self.inferred(),
            "provider" => self.provider(),
            "provider_host" => self.host(),
            "provider_model_prefix" => self
                .value
                .split('|')
                .map(|model| Case {
                    source: chat().with("gen_ai.request.model", example(model)),
                    expected: target("gen_ai.provider.name", self.target.as_str()),
                })
                .collect(),
            "finish_reason" => self.finish_reason(),
            "role" => self.role(),
            "part_type" if self.convention == "openinference" => vec![self.flattened_part()],
            "part_type" => parts::cases(&self.convention, &self.value, &self.target),
            "level" => {
                let source =
                    prove("langfuse", Source::default().with("langfuse.observation.type", "span").with(&self.key, self.value.as_str()));
                let expected = if self.value == "ERROR" { vec![Expect::Failed] } else { vec![Expect::NotFailed] };
                let kept = if self.target.contains("keep level") { vec![Expect::Kept(self.key.clone())] } else { vec![] };
                vec![Case { source, expected: expected.into_iter().chain(kept).collect() }]
            }
            "output_type" => self.output_type(),
            "tool_type" => vec![Case {
                source: Source::default().with("gen_ai.operation.name", "execute_tool").with(&self.key, self.value.as_str()),
                expected: target(&self.key, self.target.as_str()),
            }],
            "bool" => self.bool(),
            "otlp_kind" | "otlp_status" => vec![self.otlp()],
            category => panic!("no sample for category {category}"),
        }
    }

    /// An account of calls is a plain span (rule 12).
    fn is_account(&self) -> bool {
        self.note.starts_with("accounting")
    }

    /// A word in the place of a number.
    fn otlp(&self) -> Case {
        let kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
        match kinds.iter().position(|kind| *kind == self.target) {
            Some(kind) => otlp("kind", &format!("{:?}", self.value), json!(kind)),
            None => {
                let code: u8 = self.target.parse().expect("a number of a status");
                let expected = if code == 0 { json!({}) } else { json!({ "code": code }) };
                otlp("status", &format!("{{\"code\":{:?}}}", self.value), expected)
            }
        }
    }

    fn source_of_kind(&self) -> Source {
        // Its scopes of other libraries have older names.
        let scope = if self.convention == "logfire" && self.key == "span.name" { "logfire.openai_agents" } else { "" };
        let key = self.key.as_str();
        let source = match (key, self.value.as_str()) {
            ("gen_ai.operation.name", value) if value.ends_with(')') => {
                Source::default().with(key, value.split(" (").next().unwrap_or_default())
            }
            ("gen_ai.operation.name", "litellm.passthrough") => Source::default()
                .with(key, self.value.as_str())
                .with("gen_ai.request.model", "gpt-4o")
                .with("gen_ai.usage.output_tokens", 5),
            ("openinference.span.kind", "TOKEN_COUNTER") => {
                Source::default().with(key, "TOKEN_COUNTER").with("llm.model_name", "m").with("llm.token_count.prompt", 12)
            }
            _ if key.starts_with("span kind of") => of_bifrost(&self.value),
            (key, value) => says_kind(Source { scope: scope.into(), ..Default::default() }, key, value),
        };
        prove(&self.convention, source)
    }

    fn expected_kind(&self) -> Vec<Expect> {
        if self.operation.is_empty() && self.kind.is_empty() && NOT_LLM.contains(&self.note.as_str()) || self.is_account() {
            return vec![Expect::Plain];
        }
        let mut expected = vec![match self.operation.as_str() {
            // The name of the span is not an operation.
            "" if self.key == "span.name" => Expect::Absent("gen_ai.operation.name".into()),
            // OTel has no word: not another one.
            "" => Expect::AbsentOr("gen_ai.operation.name".into(), json!(self.value)),
            operation => Expect::Target("gen_ai.operation.name".into(), What::Is(json!(operation))),
        }];
        expected.push(match self.kind.as_str() {
            "" => Expect::AbsentOr("gen_ai.span.kind".into(), json!(self.value)),
            "GUARDRAIL" | "EVALUATOR" | "PROMPT" | "MEMORY" => Expect::Target("gen_ai.span.kind".into(), What::Is(json!("TASK"))),
            kind => Expect::Target("gen_ai.span.kind".into(), What::Is(json!(kind))),
        });
        expected
    }

    fn inferred(&self) -> Vec<Case> {
        let span = |key: &str| {
            let (key, value) = key.split_once('=').unwrap_or((key, "sample-1"));
            Source::default().with(&key.replace('*', if key.starts_with("retrieval") { "0.document.content" } else { "query" }), value)
        };
        let sources: Vec<Source> = match self.value.as_str() {
            "gen_ai.usage.output_tokens" => {
                vec![Source::default().with("gen_ai.usage.output_tokens", 7).with("gen_ai.request.model", "gpt-4o-mini")]
            }
            "gen_ai.request.model + embedding in model id" => {
                // A model by itself makes no span LLM (rule 12): one with usage does.
                vec![Source::default().with("gen_ai.request.model", "text-embedding-3-small").with("gen_ai.usage.input_tokens", 7)]
            }
            "gen_ai.agent.name without model" => vec![span("gen_ai.agent.name")],
            keys => keys.split(" | ").map(span).collect(),
        };
        let of_convention = |source: Source| {
            let key = source.attributes[0].0.as_str();
            let convention = match () {
                () if key.starts_with("retrieval.") || key.starts_with("reranker.") => "openinference",
                () if key.starts_with("rerank.") => "tencent-tapm",
                () if key.starts_with("db.") => "openllmetry",
                () => "otel-genai",
            };
            prove(convention, Source { name: "call".into(), ..source })
        };
        sources.into_iter().map(|source| Case { source: of_convention(source), expected: self.expected_kind() }).collect()
    }

    fn provider(&self) -> Vec<Case> {
        let keys = self.key.split('|').map(|key| match key {
            "ls_provider" => ("langfuse", "langfuse.observation.metadata.ls_provider", "LLM"),
            "ai.model.provider" => ("vercel-ai", key, "LLM"),
            "llm.provider" | "llm.system" => ("openinference", key, "LLM"),
            _ => ("otel-genai", key, "LLM"),
        });
        keys.map(|(convention, key, kind)| {
            let convention = if self.convention == "any" || convention != "otel-genai" { convention } else { &self.convention };
            // Where names tell the kind, the name of a model's call.
            let name = if self.convention == "google-adk" { "call_llm" } else { "call" };
            let source = Source { name: name.into(), ..Default::default() }.with(key, self.value.as_str());
            let expected = match self.target.as_str() {
                "(drop)" | "" => vec![Expect::Absent("gen_ai.provider.name".into())],
                provider => target("gen_ai.provider.name", provider),
            };
            // The scope of a wrapper names a provider too.
            let source = if convention == "otel-genai" { Source { scope: "app".into(), ..source } } else { source };
            Case { source: of_kind(convention, kind, prove(convention, source)), expected }
        })
        .collect()
    }

    fn host(&self) -> Vec<Case> {
        let host = example(&self.value);
        let urls = [
            ("otel-genai", "server.address", host.clone()),
            ("otel-genai", "url.full", format!("https://{host}/v1/chat")),
            ("openllmetry", "gen_ai.openai.api_base", format!("https://{host}/v1/")),
        ];
        urls.into_iter()
            .map(|(convention, key, value)| {
                // The wrapper would name the provider before the host does.
                let source = Source { scope: "app".into(), name: "call".into(), ..Default::default() }.with(key, value);
                Case { source: of_kind(convention, "LLM", source), expected: target("gen_ai.provider.name", self.target.as_str()) }
            })
            .collect()
    }

    fn finish_reason(&self) -> Vec<Case> {
        let key = "gen_ai.response.finish_reasons";
        let reason = match self.target.as_str() {
            "(keep lower-case)" => self.value.to_lowercase(),
            reason => reason.into(),
        };
        if self.value == "(missing)" {
            let choice = json!([{"role": "assistant", "parts": [], "finish_reason": null}]);
            let source = Source { failed: true, ..chat() }.with("gen_ai.output.messages", text(choice));
            return vec![Case { source, expected: target(key, json!([reason])) }];
        }
        let number = self.value.parse::<i64>().map_or(json!(self.value), |n| json!(n));
        [json!([self.value]), number]
            .map(|value| {
                let key_of = if value.is_array() { key } else { "gen_ai.response.finish_reason" };
                Case { source: chat().with(key_of, value), expected: target(key, json!([reason])) }
            })
            .into()
    }

    fn role(&self) -> Vec<Case> {
        let content = json!({"role": self.value, "content": QUESTION});
        let part = json!({"role": self.value, "parts": [{"type": "text", "content": QUESTION}]});
        [content, part]
            .map(|message| {
                let role: &'static str =
                    ["system", "user", "assistant", "tool"].into_iter().find(|role| *role == self.target).expect("a role of OTel");
                let expected = vec![Expect::Target("gen_ai.input.messages".into(), What::Message(Some(role), vec![QUESTION.into()]))];
                Case { source: chat().with("gen_ai.input.messages", text(json!([message]))), expected }
            })
            .into()
    }

    /// OpenInference flattens its parts.
    fn flattened_part(&self) -> Case {
        let said = "about Paris";
        let url = "https://example.com/paris";
        let at = |path: &str| format!("llm.input_messages.0.message.contents.0.{path}");
        let source =
            Source::default().with("llm.input_messages.0.message.role", "user").with(&at("message_content.type"), self.value.as_str());
        let (source, texts) = match self.value.as_str() {
            "image" => (source.with(&at("message_content.image.image.url"), url), vec![url, "image"]),
            "audio" => (source.with(&at("message_content.audio.audio.url"), url), vec![url, "audio"]),
            kind @ ("document" | "video") => (source.with(&at(&format!("message_content.{kind}.{kind}.url")), url), vec![url, kind]),
            "tool_use" => (
                source
                    .with(&at("tool_call.id"), "call_1")
                    .with(&at("tool_call.function.name"), "get_weather")
                    .with(&at("tool_call.function.arguments"), said),
                vec!["call_1", "get_weather", said],
            ),
            _ => (source.with(&at("message_content.text"), said), vec![said]),
        };
        let types = self.target.split(' ').next().unwrap_or_default().split('|').map(Into::into).collect();
        let expected = vec![Expect::Target("gen_ai.input.messages".into(), What::Part(types, texts.into_iter().map(Into::into).collect()))];
        Case { source: of_kind("openinference", "LLM", prove("openinference", source)), expected }
    }

    fn output_type(&self) -> Vec<Case> {
        let expected = || target("gen_ai.output.type", self.target.as_str());
        let parameters = text(json!({ "response_format": self.value }));
        let langfuse = prove("langfuse", Source::default().with("langfuse.observation.model.parameters", parameters.clone()));
        let open_inference = prove("openinference", Source::default().with("llm.invocation_parameters", parameters));
        let vercel = prove("vercel-ai", Source::default().with("ai.settings.output", self.value.as_str()));
        let old = chat().with("gen_ai.openai.request.response_format", self.value.as_str());
        [of_kind("langfuse", "LLM", langfuse), of_kind("openinference", "LLM", open_inference), of_kind("vercel-ai", "LLM", vercel), old]
            .map(|source| Case { source, expected: expected() })
            .into()
    }

    fn bool(&self) -> Vec<Case> {
        let source = chat().with(&self.key, self.value.as_str());
        match self.target.as_str() {
            "true" => vec![Case { source, expected: vec![Expect::Entry] }],
            // "False" is an answer, and takes the span out; an empty text says nothing.
            _ if self.value.is_empty() => vec![Case { source, expected: vec![Expect::Entry] }],
            _ => vec![Case { source, expected: vec![Expect::Absent(self.key.clone())] }],
        }
    }
}
