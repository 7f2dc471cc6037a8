// The spans that the bench hands over: those of workload.mjs, and the same texts as other SDKs write them. Keys, their order, what is JSON
// and what a span starts with are taken from what the SDKs sent to tests/fixtures/captures.
import { makeSpans } from "./workload.mjs";

/** In a batch, by the load: what is around 64 KB is sent in requests of about as many spans. */
const SPANS = { a: 512, b: 512, c: 128 };
export const TRACE = 16;

/** As the SDK builds them: key by key, which makes a dictionary of a large object in V8. */
export function rebuilt(attributes) {
  const built = {};
  for (const key of Object.keys(attributes)) built[key] = attributes[key];
  return built;
}

/** `share` of the texts: where an SDK writes each twice, half of them make a span as large. */
function messagesOf(json, share) {
  return JSON.parse(json).map(({ role, parts: [{ content }] }) => ({
    role,
    content: content.slice(0, Math.ceil(content.length * share)),
  }));
}

/** What the workload's span says: a tool's call, or a chat. */
function said(a, share = 1) {
  if (a["gen_ai.tool.name"])
    return {
      tool: a["gen_ai.tool.name"],
      input: a["gen_ai.tool.call.arguments"],
      output: a["gen_ai.tool.call.result"],
    };
  const messages = messagesOf(a["gen_ai.input.messages"], share);
  const [answer] = messagesOf(a["gen_ai.output.messages"], share);
  return { messages, answer };
}

const settings = { temperature: 0.7, top_p: 1, max_tokens: 1024 };
const ASK = "gpt-4o-mini";
const MODEL = "gpt-4o-mini-2024-07-18";

const langgraph = (node, step) => ({
  "langfuse.observation.metadata.ls_integration": "langgraph",
  "langfuse.observation.metadata.gen_ai.is_entry": "true",
  "langfuse.observation.metadata.langgraph_step": String(step),
  "langfuse.observation.metadata.langgraph_node": node,
  "langfuse.observation.metadata.langgraph_triggers": `["branch:to:${node}"]`,
  "langfuse.observation.metadata.langgraph_path": `["__pregel_pull","${node}"]`,
  "langfuse.observation.metadata.langgraph_checkpoint_ns": `${node}:6206f4fe-4502-5277-859a-471ded1a9415`,
  "langfuse.observation.metadata.checkpoint_ns": `${node}:6206f4fe-4502-5277-859a-471ded1a9415`,
});

/** @langfuse/langchain 5, of LangGraph. */
function langfuse(a) {
  const { tool, input, output, messages, answer } = said(a);
  if (tool)
    return {
      name: tool,
      attributes: {
        "langfuse.observation.type": "tool",
        "langfuse.observation.input": input,
        ...langgraph("tools", 2),
        "langfuse.observation.output": output,
      },
    };
  return {
    name: "ChatOpenAI",
    attributes: {
      "langfuse.observation.type": "generation",
      "langfuse.observation.input": JSON.stringify({ messages }),
      "langfuse.observation.model.name": MODEL,
      "langfuse.observation.model.parameters": JSON.stringify(settings),
      "langfuse.observation.metadata.tags": '["seq:step:2"]',
      ...langgraph("agent", 1),
      "langfuse.observation.metadata.ls_provider": "openai",
      "langfuse.observation.metadata.ls_model_name": ASK,
      "langfuse.observation.metadata.ls_model_type": "chat",
      "langfuse.observation.metadata.ls_temperature": "0.7",
      "langfuse.observation.output": JSON.stringify(answer),
      "langfuse.observation.usage_details": JSON.stringify({
        input: a["gen_ai.usage.input_tokens"],
        output: a["gen_ai.usage.output_tokens"],
        total: a["gen_ai.usage.input_tokens"] + a["gen_ai.usage.output_tokens"] + 40,
        input_cache_read: 32,
        output_reasoning: 8,
      }),
    },
  };
}

/** @arizeai/openinference-instrumentation-openai 4, and its wrapper for tools. */
function openinference(a) {
  const { tool, input, output, messages, answer } = said(a, 0.5);
  const known = {
    "session.id": a["session.id"],
    metadata: '{"team":"a"}',
    "user.id": a["user.id"],
    "tag.tags": '["a","b"]',
  };
  if (tool)
    return {
      name: tool,
      started: {
        ...known,
        "openinference.span.kind": "TOOL",
        "tool.name": tool,
        "input.value": input,
        "input.mime_type": "application/json",
      },
      attributes: { "output.value": output, "output.mime_type": "application/json" },
    };
  const spread = (list, of) =>
    Object.fromEntries(
      list.flatMap(({ role, content }, i) => [
        [`llm.${of}_messages.${i}.message.role`, role],
        [`llm.${of}_messages.${i}.message.content`, content],
      ]),
    );
  const counts = [a["gen_ai.usage.input_tokens"], a["gen_ai.usage.output_tokens"]];
  return {
    name: "OpenAI Chat Completions",
    started: {
      ...known,
      "openinference.span.kind": "LLM",
      "llm.model_name": ASK,
      "input.value": JSON.stringify({ model: ASK, messages, ...settings }),
      "input.mime_type": "application/json",
      "llm.invocation_parameters": JSON.stringify({ model: ASK, ...settings }),
      "llm.system": "openai",
      ...spread(messages, "input"),
    },
    attributes: {
      "output.value": JSON.stringify({
        id: a["gen_ai.response.id"],
        object: "chat.completion",
        model: MODEL,
        choices: [{ index: 0, finish_reason: "stop", message: answer }],
        usage: { prompt_tokens: counts[0], completion_tokens: counts[1], total_tokens: counts[0] + counts[1] },
      }),
      "output.mime_type": "application/json",
      "llm.model_name": MODEL,
      ...spread([answer], "output"),
      "llm.finish_reason": "stop",
      "llm.token_count.completion": counts[1],
      "llm.token_count.prompt": counts[0],
      "llm.token_count.total": counts[0] + counts[1],
      "llm.token_count.prompt_details.cache_read": 32,
      "llm.token_count.completion_details.reasoning": 8,
    },
  };
}

/** The Vercel AI SDK 6. */
function vercel(a) {
  const { tool, input, output, messages, answer } = said(a);
  const common = (operation) => ({
    "operation.name": `${operation} weather-agent`,
    "resource.name": "weather-agent",
    "ai.operationId": operation,
    "ai.telemetry.functionId": "weather-agent",
  });
  const metadata = {
    "ai.telemetry.metadata.userId": a["user.id"],
    "ai.telemetry.metadata.sessionId": a["session.id"],
    "ai.telemetry.metadata.team": "a",
  };
  if (tool)
    return {
      name: "ai.toolCall",
      started: {
        ...common("ai.toolCall"),
        ...metadata,
        "ai.toolCall.name": tool,
        "ai.toolCall.id": a["gen_ai.tool.call.id"],
        "ai.toolCall.args": input,
      },
      attributes: { "ai.toolCall.result": output },
    };
  const counts = [a["gen_ai.usage.input_tokens"], a["gen_ai.usage.output_tokens"]];
  const prompt = messages.map(({ role, content }) =>
    role === "system" ? { role, content } : { role, content: [{ type: "text", text: content }] },
  );
  return {
    name: "ai.generateText.doGenerate",
    started: {
      ...common("ai.generateText.doGenerate"),
      "ai.model.provider": "openai.responses",
      "ai.model.id": ASK,
      "ai.settings.maxOutputTokens": settings.max_tokens,
      "ai.settings.temperature": settings.temperature,
      "ai.settings.topP": settings.top_p,
      "ai.settings.maxRetries": 0,
      ...metadata,
      "ai.request.headers.user-agent": "ai/6.0.326",
      "ai.prompt.messages": JSON.stringify(prompt),
      "ai.prompt.toolChoice": '{"type":"auto"}',
      "gen_ai.system": "openai.responses",
      "gen_ai.request.model": ASK,
      "gen_ai.request.max_tokens": settings.max_tokens,
      "gen_ai.request.temperature": settings.temperature,
      "gen_ai.request.top_p": settings.top_p,
    },
    attributes: {
      "ai.response.finishReason": "stop",
      "ai.response.text": answer.content,
      "ai.response.id": a["gen_ai.response.id"],
      "ai.response.model": MODEL,
      "ai.response.timestamp": "2023-11-14T22:13:20.000Z",
      "ai.response.providerMetadata": '{"openai":{"serviceTier":"default"}}',
      "ai.usage.inputTokens": counts[0],
      "ai.usage.inputTokenDetails.cacheReadTokens": 32,
      "ai.usage.outputTokens": counts[1],
      "ai.usage.outputTokenDetails.reasoningTokens": 8,
      "ai.usage.totalTokens": counts[0] + counts[1],
      "ai.usage.reasoningTokens": 8,
      "ai.usage.cachedInputTokens": 32,
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.response.id": a["gen_ai.response.id"],
      "gen_ai.response.model": MODEL,
      "gen_ai.usage.input_tokens": counts[0],
      "gen_ai.usage.output_tokens": counts[1],
    },
  };
}

const SHAPES = {
  langfuse: { write: langfuse, scope: { name: "langfuse-sdk", version: "5.11.1" } },
  openinference: {
    write: openinference,
    scope: { name: "@arizeai/openinference-instrumentation-openai", version: "4.2.7" },
  },
  vercel: { write: vercel, scope: { name: "ai", version: "" } },
};

/**
 * Ended spans of an SDK (`sdk`: a folder beside this file), and the attributes that each had when it started. `shape`: `genai` as
 * workload.mjs writes them, after the start; or one of those above.
 */
export function spansOf({ sdk, shape, load, lang }) {
  const spans = makeSpans({ sdk, load, lang, n: SPANS[load] });
  const started = spans.map((span) => {
    if (shape === "genai") return {};
    const { write, scope } = SHAPES[shape];
    const { name, started = {}, attributes } = JSON.parse(JSON.stringify(write(span.attributes)));
    span.name = name;
    span.instrumentationScope = scope;
    span.attributes = rebuilt({ ...started, ...attributes });
    return rebuilt(started);
  });
  return { spans, started };
}
