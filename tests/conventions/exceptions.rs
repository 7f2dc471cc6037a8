//! The rows that are treated otherwise on purpose, each with its reason.

/// Group, row (`key → target` of `mapping.csv`, `convention key value` of `enums.csv`; `*` at the end is any rest), reason.
#[rustfmt::skip]
pub const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("otel-genai-1.26-1.36", "gen_ai.system.message etc as log record *", "a log record is no part of a trace"),
    ("otel-genai-1.37-1.41", "gen_ai.agent.id (internal agent span) *", "nothing on a span says whether its agent's id is transient: it stays"),
    ("otel-genai-1.37-1.41", "gen_ai.system_instructions (non-text parts) *", "parts that are no text stay among the instructions: moved into the history they would be another message"),
    ("openinference", "annotations.{i}.annotation.*", "one event per score would have to be made; the scores stay as they are"),
    ("openinference", "evaluations.{i}.evaluation.*", "one event per score would have to be made; the scores stay as they are"),
    ("openinference", "tool.parameters.* *", "the exploded form of Phoenix's exports, which is no OTLP: the attributes stay"),
    ("openllmetry", "gen_ai.prompt.{i}.user *", "OpenAI's parameter `user`, not the text of a user: the attribute stays"),
    ("braintrust", "braintrust.scores *", "one event per score would have to be made; the scores stay as they are"),
    ("spring-ai", "scope.name=org.springframework.boot *", "every span of a Spring application has this scope: keys decide"),
    ("langchain4j", "scope.name=io.quarkus.opentelemetry*", "every span of a Quarkus application has this scope: keys decide"),
    ("logfire", "gen_ai.usage.partial.* *", "of a call whose usage nobody says whole they are all that is known: they stay, and are no usage"),
    ("logfire", "output_type *", "what an agent answers with, no parameter of a call: it stays"),
    ("litellm", "llm.{provider}.* *", "the call as the provider got it is a plain span; only there are the ids of its calls, so it stays as it is"),
    ("span_kind", "mastra mastra.span.type model_generation", "since 1.x a wrapper around `model_inference`: without a model and counts it is no call"),
    ("logfire", "scope.name=logfire*", "every span that an application makes with Logfire has the scope `logfire`: keys decide there"),
    ("langsmith", "langsmith.trace.session_id *", "it is the LangSmith project, no session of a user; the keys of the thread are read"),
    ("langtrace", "event:stream.start *", "the request's start: nothing has been answered yet"),
    ("langtrace", "event:stream.end *", "the answer's end, not its first piece"),
    ("laminar", "anthropic.request.service_tier *", "only for OpenAI, as the row's own note says: another provider's key stays"),
    ("finish_reason", "any finish reason (missing)", "most sources name no reason of a good answer: an error would be made up"),
    ("finish_reason", "any finish reason null", "null is an absence (rule 9)"),
    ("kind_inference", "any attribute present gen_ai.agent.name without model", "children inherit the agent's name: alone it proves no agent, as the row's own note says"),
    ("span_kind", "openai-agents span_data.type *", "a member of the SDK's own objects; no exporter writes it as an attribute"),
    ("span_kind", "langchain run_type *", "an argument of LangChain's callbacks; on spans LangSmith's, Langfuse's or OpenInference's word for it stands"),
];
