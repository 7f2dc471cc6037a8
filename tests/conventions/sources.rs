//! What makes a span one of a source convention: its scope, the key that it always writes, its word for a kind.

use crate::csv;
use crate::span::Source;
use serde_json::{Value as Json, json};

type Evidence = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Convention, scope, and a key with its value where the scope alone says too little. From the paragraphs "Recognise".
#[rustfmt::skip]
const EVIDENCE: &[Evidence] = &[
    ("otel-genai",          "opentelemetry.instrumentation.openai_v2",      &[]),
    ("langfuse",            "langfuse-sdk",                                 &[]),
    ("openinference",       "openinference.instrumentation.openai",         &[]),
    ("openllmetry",         "opentelemetry.instrumentation.openai.v1",      &[("traceloop.entity.path", "trip")]),
    ("vercel-ai-gateway",   "vercel-ai-gateway",                            &[("vercel.ai_gateway.generation.id", "gen-1")]),
    ("vercel-ai-v7",        "gen_ai",                                       &[]),
    ("vercel-ai",           "ai",                                           &[]),
    ("langsmith",           "langsmith",                                    &[]),
    ("langtrace",           "langtrace_python_sdk.instrumentation.openai",  &[("langtrace.sdk.name", "langtrace-python-sdk")]),
    ("pydantic-ai",         "pydantic-ai",                                  &[]),
    ("logfire",             "logfire.openai",                               &[]),
    ("mlflow",              "mlflow.openai",                                &[]),
    ("google-adk",          "gcp.vertex.agent",                             &[]),
    ("strands",             "strands.telemetry.tracer",                     &[]),
    ("spring-ai",           "org.springframework.boot",                     &[("gen_ai.system", "spring_ai")]),
    ("langchain4j",         "io.quarkus.opentelemetry",                     &[]),
    ("genkit",              "genkit-tracer",                                &[("genkit:type", "action")]),
    ("semantic-kernel",     "Microsoft.SemanticKernel.Diagnostics",         &[]),
    ("ms-agent-framework",  "agent_framework",                              &[]),
    ("crewai",              "crewai.telemetry",                             &[]),
    ("livekit",             "livekit-agents",                               &[]),
    ("claude-code",         "com.anthropic.claude_code.tracing",            &[]),
    ("gemini-cli",          "gemini-cli",                                   &[("gen_ai.agent.name", "gemini-cli")]),
    ("codex",               "codex_cli_rs",                                 &[]),
    ("github-copilot",      "copilot-chat",                                 &[("copilot_chat.turn", "1")]),
    ("mastra",              "@mastra/otel-exporter",                        &[]),
    ("voltagent",           "@voltagent/core",                              &[]),
    ("laminar",             "lmnr.tracer",                                  &[]),
    ("flue",                "@flue/opentelemetry",                          &[]),
    ("smolagents",          "openinference.instrumentation.smolagents",     &[]),
    ("openlit",             "openlit.instrumentation.openai",               &[]),
    ("veadk",               "veadk",                                        &[]),
    ("cozeloop",            "cozeloop",                                     &[]),
    ("trpc-agent-go",       "trpc.agent.go",                                &[]),
    ("galileo-trpc",        "galileo",                                      &[]),
    ("arms-loongsuite",     "loongsuite.instrumentation.langchain",         &[]),
    ("litellm",             "litellm",                                      &[]),
    ("braintrust",          "braintrust",                                   &[]),
    ("tencent-tapm",        "tapm.hook.langchain",                          &[]),
    ("dify-tencent",        "dify-sdk",                                     &[]),
    ("edgeone-pages",       "langfuse-sdk",                                 &[("langfuse.openinference.span.kind", "LLM")]),
    ("sentry",              "sentry",                                       &[]),
    ("haystack",            "haystack",                                     &[]),
    ("autogen",             "autogen-core",                                 &[]),
    ("vllm",                "vllm.llm_engine",                              &[]),
    ("langwatch",           "langwatch",                                    &[]),
    ("opik",                "opik",                                         &[]),
    ("opensearch-genai",    "opensearch-genai-observability",               &[]),
    ("langchain-otel-misc", "opentelemetry.instrumentation.langchain",      &[]),
    ("openai-agents",       "opentelemetry.instrumentation.openai_agents",  &[]),
    ("langchain",           "opentelemetry.instrumentation.langchain",      &[]),
    ("anthropic-sdk",       "com.anthropic.sdk.python",                     &[]),
    ("claude-platform",     "com.anthropic.claude-platform",                &[]),
    ("mistralai-sdk",       "mistralai_sdk_tracer",                         &[]),
    ("tencent-cls",         "tencentcloud_agentobs_sdk_openai_agent",       &[]),
    ("hermes-otel",         "hermes-agent.otel_tracing",                    &[]),
    ("openrouter",          "openrouter",                                   &[]),
    ("cloudflare-ai",       "app",                                          &[("gen_ai.model.provider", "openai")]),
    ("envoy-ai-gateway",    "envoyproxy/ai-gateway",                        &[]),
    ("agentgateway",        "agentgateway",                                 &[]),
    ("kong-ai-gateway",     "kong",                                         &[("kong.a2a.task.id", "t-1")]),
    ("bifrost",             "bifrost",                                      &[("gen_ai.number_of_retries", "0")]),
    ("openclaw",            "openclaw",                                     &[("openclaw.channel", "web")]),
    ("nemo-relay",          "opentelemetry",                                &[("nemo_relay.uuid", "u-1")]),
];

const NAMES_OF_AGENTS: &[&str] = &[
    "OpenAI Agents",
    "Agent run",
    "Function",
    "Chat completion",
    "Responses",
    "Guardrail",
    "Handoff",
    "Speech",
    "Text",
    "MCP:",
    "Custom",
    "Task",
    "Turn",
];

/// Conventions whose kinds are another's.
const KINDS_OF: &[(&str, &str)] = &[
    ("dify-tencent", "tencent"),
    ("edgeone-pages", "tencent"),
    ("galileo-trpc", "tencent"),
    ("smolagents", "openinference"),
    ("tencent-tapm", "tencent"),
];

/// A span that its scope, and keys besides it, prove; the row's own key comes first, what is added never replaces it.
pub fn prove(convention: &str, source: Source) -> Source {
    let evidence = EVIDENCE.iter().find(|(name, ..)| convention.starts_with(name));
    let Some((_, scope, keys)) = evidence else { return source };
    let source = Source { scope: if source.scope.is_empty() { (*scope).into() } else { source.scope.clone() }, ..source };
    keys.iter().fold(source, |source, (key, value)| source.with(key, *value))
}

/// A span of this kind (a word of `gen_ai.span.kind`), as the convention says it, else as OTel does.
pub fn of_kind(convention: &str, kind: &str, source: Source) -> Source {
    let other = KINDS_OF.iter().find(|(name, _)| *name == convention).map_or(convention, |(_, other)| other);
    let rows = csv::enums();
    let word = |convention: &str, kind: &str| {
        // What Bifrost calls a span stays in it, and LiteLLM's pass-through is a call only with a model.
        let is_word = |row: &&Vec<String>| !row[2].starts_with("span kind of") && row[3] != "litellm.passthrough";
        let mut rows = rows.iter().filter(is_word).filter(|row| row[0] == "span_kind" && row[1] == convention && row[5] == kind);
        rows.find(|row| !matches!(row[2].as_str(), "span.op" | "llm.request.type"))
            .or_else(|| rows.next())
            .map(|row| (row[2].clone(), row[3].clone()))
    };
    // OpenLLMetry names the kind of a model span by the type of the request.
    let word = |convention: &str| word(convention, kind).or_else(|| if kind == "CHAIN" { word(convention, "TASK") } else { None });
    let word = if (other, kind) == ("openllmetry", "LLM") { Some(("llm.request.type".into(), "chat".into())) } else { word(other) };
    match word.or_else(|| word_of_otel(rows, kind)) {
        Some((key, value)) => says_kind(source, &key, &value),
        None => source,
    }
}

fn word_of_otel(rows: &[Vec<String>], kind: &str) -> Option<(String, String)> {
    let of_otel = |row: &&Vec<String>| row[0] == "span_kind" && row[1].starts_with("otel-genai") && row[5] == kind;
    rows.iter().find(of_otel).map(|row| (row[2].clone(), row[3].clone()))
}

/// The span with a kind, written as `enums.csv` names the place of it.
pub fn says_kind(source: Source, key: &str, value: &str) -> Source {
    let value = value.replace("{model}", "gpt-4o-mini").replace("{agent}", "planner").replace("{tool}", "get_weather").replace("{n}", "2");
    match key {
        "span.name" if source.name.is_empty() => {
            // Logfire's names are those of its spans of the OpenAI Agents SDK.
            let of_agents = source.scope == "logfire.openai" && NAMES_OF_AGENTS.iter().any(|name| value.starts_with(name));
            let scope = if of_agents { "logfire.openai_agents".into() } else { source.scope.clone() };
            Source { name: crate::newer::name_of(&value), scope, ..source }
        }
        "span.name" => source,
        "entity.type|span.type" => source.with("entity.type", value),
        "span.op" => source.with("sentry.op", value),
        "mlflow.spanType" => source.with(key, format!("{value:?}")),
        "braintrust.span_attributes.type" => source.with("braintrust.span_attributes", json!({ "type": value }).to_string()),
        "haystack.component.type (suffix)" => {
            source.with("haystack.component.type", value.replace('*', "OpenAI").replace("(other)", "Joiner"))
        }
        "flue key" => source.with(&value.replace('*', "id"), "flue-1"),
        key => source.with(key, Json::from(value)),
    }
}
