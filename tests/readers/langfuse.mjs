// What Langfuse's server makes of a span, by the rules of its public code, written anew: v4.16.0 of github.com/langfuse/langfuse, below
// packages/shared/src/server/otel: the order of the keys that name, type, model, usage, input, output, session and user are read from in
// OtelIngestionProcessor.ts, the kinds in ObservationTypeMapper.ts. Left out are rules for sources that no capture has (Genkit, Flue).

const text = (value) => (typeof value === "string" ? value : value === undefined ? undefined : JSON.stringify(value));
const first = (a, keys) => keys.map((key) => a[key]).find(Boolean);
const present = (value) =>
  value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && value.length === 0);

function parsed(value) {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

// ---- the kind: the first of these rules that knows the span (ObservationTypeMapper.ts) ----

const OWN = "span generation event embedding agent tool chain retriever guardrail evaluator".split(" ");

const OPENINFERENCE = {
  CHAIN: "CHAIN",
  RETRIEVER: "RETRIEVER",
  LLM: "GENERATION",
  EMBEDDING: "EMBEDDING",
  AGENT: "AGENT",
  TOOL: "TOOL",
  GUARDRAIL: "GUARDRAIL",
  EVALUATOR: "EVALUATOR",
};

const OPERATIONS = {
  chat: "GENERATION",
  completion: "GENERATION",
  text_completion: "GENERATION",
  generate_content: "GENERATION",
  generate: "GENERATION",
  embeddings: "EMBEDDING",
  invoke_agent: "AGENT",
  create_agent: "AGENT",
  execute_tool: "TOOL",
};

const AI_CALLS = [
  [/^ai\.(generate|stream)(Text|Object)\.do(Generate|Stream)/, "GENERATION"],
  [/^ai\.embed(Many)?\.doEmbed/, "EMBEDDING"],
  [/^ai\.toolCall/, "TOOL"],
];

const LIVEKIT = { agent_turn: "AGENT", start_agent_activity: "AGENT", function_tool: "TOOL" };

/** Up to 3.3 the Python SDK called its generations spans. */
function isOldGeneration(a, span) {
  const [major, minor] = (span.scope.version || "0.0").split(".").map(Number);
  const old = major < 3 || (major === 3 && minor <= 3);
  const of = span.scope.name === "langfuse-sdk" && span.resource["telemetry.sdk.language"] === "python";
  const keys =
    /^langfuse\.observation\.(model\.(name|parameters)|cost_details|usage_details|completion_start_time|prompt\.(name|version))$/;
  return old && of && a["langfuse.observation.type"] === "span" && Object.keys(a).some((key) => keys.test(key));
}

function kind(a, span) {
  if (isOldGeneration(a, span)) return "GENERATION";
  const own = a["langfuse.observation.type"];
  if (OWN.includes(own)) return own.toUpperCase();
  const known = OPENINFERENCE[a["openinference.span.kind"]] ?? OPERATIONS[a["gen_ai.operation.name"]];
  if (known) return known;
  const hasModel = [
    "langfuse.observation.model.name",
    "ai.model.id",
    "gen_ai.request.model",
    "gen_ai.response.model",
  ].some((key) => present(a[key]));
  const call = AI_CALLS.find(
    ([words]) => words.test(a["operation.name"] ?? "") || words.test(a["ai.operationId"] ?? ""),
  )?.[1];
  if (call && (hasModel || call === "TOOL")) return call;
  if (present(a["gen_ai.tool.name"]) || present(a["gen_ai.tool.call.id"])) return "TOOL";
  if (span.scope.name === "livekit-agents" && LIVEKIT[span.name]) return LIVEKIT[span.name];
  const models = [
    "langfuse.observation.model.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "llm.model_name",
    "model",
  ];
  return models.some((key) => present(a[key])) ? "GENERATION" : "SPAN";
}

// ---- model and usage ----

/** A span that repeats what its calls used: neither its model nor its usage nor its cost is read (isAiSdkAgentOperation). */
const repeats = (a) => ["invoke_agent", "agent_step"].includes(a["gen_ai.operation.name"]);

const MODELS = [
  "langfuse.observation.model.name",
  "gen_ai.response.model",
  "ai.model.id",
  "gen_ai.request.model",
  "llm.response.model",
  "llm.model_name",
  "model",
];

const COUNTS = {
  input: ["prompt_tokens", "input_tokens", "prompt"],
  output: ["completion_tokens", "output_tokens", "completion"],
  total: ["total_tokens", "total"],
  input_cached_tokens: [
    "cache_read.input_tokens",
    "cache_read_input_tokens",
    "cache_read_tokens",
    "details.cache_read_tokens",
    "details.cache_read_input_tokens",
    "prompt_details.cache_read",
    "input_cached_tokens",
  ],
  input_cache_creation: [
    "cache_creation.input_tokens",
    "cache_creation_input_tokens",
    "cache_write_tokens",
    "details.cache_write_tokens",
    "details.cache_creation_input_tokens",
    "prompt_details.cache_write",
    "input_cache_creation",
  ],
  output_reasoning_tokens: ["reasoning.output_tokens", "completion_details.reasoning"],
  output_audio_tokens: ["completion_details.audio"],
};

/** Each part is taken off its whole; counts with other names are buckets as they are. */
function counted(a) {
  const raw = {};
  for (const [key, value] of Object.entries(a)) {
    if (!/^(gen_ai\.usage\.|llm\.token_count\.)/.test(key) || key === "gen_ai.usage.cost") continue;
    if (!Number.isNaN(Number(value)))
      raw[key.replace("gen_ai.usage.", "").replace("llm.token_count.", "")] = Number(value);
  }
  const buckets = {};
  for (const [key, value] of Object.entries(raw)) {
    if (!Object.values(COUNTS).flat().includes(key)) buckets[key.replace(/^details\./, "")] = value;
  }
  for (const [name, keys] of Object.entries(COUNTS)) {
    const key = keys.find((key) => raw[key] !== undefined);
    if (key) buckets[name] = raw[key];
  }
  return exclusive(
    buckets,
    ["input_cached_tokens", "input_cache_creation"],
    ["output_reasoning_tokens", "output_audio_tokens"],
  );
}

function exclusive(buckets, ofInput, ofOutput) {
  for (const [whole, parts] of [
    ["input", ofInput],
    ["output", ofOutput],
  ]) {
    if (buckets[whole] === undefined) continue;
    buckets[whole] = Math.max(
      parts.reduce((left, part) => left - (buckets[part] ?? 0), buckets[whole]),
      0,
    );
  }
  return buckets;
}

/** The Vercel AI SDK has the parts in attributes of its own and in what the provider said. */
function ofAiSdk(a) {
  const whole = (...keys) => {
    const key = keys.find((key) => key in a);
    return key && Number.parseInt(a[key], 10);
  };
  const said = parsed(a["ai.response.providerMetadata"]) ?? {};
  const [openai, anthropic, bedrock] = [said.openai ?? {}, said.anthropic?.usage ?? {}, said.bedrock?.usage ?? {}];
  const creation = anthropic.cache_creation ?? {};
  const [short, long] = [creation.ephemeral_5m_input_tokens, creation.ephemeral_1h_input_tokens];
  const written = anthropic.cache_creation_input_tokens ?? bedrock.cacheCreationInputTokens;
  const buckets = {
    input: whole("gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens") ?? 0,
    output: whole("gen_ai.usage.completion_tokens", "gen_ai.usage.output_tokens") ?? 0,
    total: whole("ai.usage.tokens"),
    input_cached_tokens:
      a["ai.usage.cachedInputTokens"] ?? openai.cachedPromptTokens ?? anthropic.cache_read_input_tokens,
    input_cache_read: bedrock.cacheReadInputTokens,
    input_cache_write: bedrock.cacheWriteInputTokens,
    input_cache_creation:
      short === undefined && long === undefined ? written : Math.max((written ?? 0) - (short ?? 0) - (long ?? 0), 0),
    input_cache_creation_5m: short,
    input_cache_creation_1h: long,
    accepted_prediction_tokens: openai.acceptedPredictionTokens,
    rejected_prediction_tokens: openai.rejectedPredictionTokens,
    output_reasoning_tokens: a["ai.usage.reasoningTokens"] ?? openai.reasoningTokens,
  };
  for (const [name, count] of Object.entries(buckets)) if (count === undefined) delete buckets[name];
  const ofInput = [
    "input_cached_tokens",
    "input_cache_creation",
    "input_cache_creation_5m",
    "input_cache_creation_1h",
    "input_cache_read",
  ];
  return exclusive(buckets, ofInput, ["output_reasoning_tokens"]);
}

/** A usage as OpenAI's APIs have it is taken apart (UsageDetails in ingestion/types.ts). */
function ofOpenAi(said) {
  const [ofInput, ofOutput] = "completion_tokens" in said ? ["prompt", "completion"] : ["input", "output"];
  if (typeof said[`${ofInput}_tokens`] !== "number" || typeof said.total_tokens !== "number") return said;
  const buckets = { input: said[`${ofInput}_tokens`], output: said[`${ofOutput}_tokens`], total: said.total_tokens };
  const parts = (whole, details) =>
    Object.entries(details ?? {}).flatMap(([name, count]) => {
      if (typeof count !== "number") return [];
      buckets[`${whole}_${name}`] = count;
      return [`${whole}_${name}`];
    });
  const [input, output] = [
    parts("input", said[`${ofInput}_tokens_details`]),
    parts("output", said[`${ofOutput}_tokens_details`]),
  ];
  return exclusive(buckets, input, output);
}

function usage(a, scope) {
  if (repeats(a)) return {};
  const own = a["langfuse.observation.usage_details"];
  const said = own ? parsed(own) : undefined;
  if (said !== undefined) return said && typeof said === "object" && !Array.isArray(said) ? ofOpenAi(said) : {};
  if (scope === "ai") return ofAiSdk(a);
  const buckets = counted(a);
  if (scope !== "gcp.vertex.agent" || buckets.input_cached_tokens !== undefined) return buckets;
  const cached = parsed(a["gcp.vertex.agent.llm_response"])?.usage_metadata?.cached_content_token_count;
  if (cached > 0) {
    buckets.input_cached_tokens = cached;
    if (buckets.input !== undefined) buckets.input = Math.max(buckets.input - cached, 0);
  }
  return buckets;
}

// ---- input and output: the first source that has either of them (extractInputAndOutput) ----

/** Instructions become a system message where the messages have none. */
function instructed(input, instructions) {
  const messages = parsed(input);
  if (!input || !instructions || !Array.isArray(messages) || messages.some((message) => message?.role === "system"))
    return input;
  const list = parsed(instructions);
  const content = Array.isArray(list)
    ? list.map((part) => part?.content ?? String(part)).join("\n")
    : String(list ?? instructions);
  return [{ role: "system", content }, ...messages];
}

function ofOtel(a) {
  const [input, output] = [
    instructed(a["gen_ai.input.messages"], a["gen_ai.system_instructions"]),
    a["gen_ai.output.messages"],
  ];
  if (input || output) return { input, output };
  return pair(a, ["gen_ai.tool.call.arguments"], ["gen_ai.tool.call.result"]);
}

/** Both by the first key that is set, if one of them is. */
function pair(a, inputs, outputs) {
  const [input, output] = [first(a, inputs), first(a, outputs)];
  return input || output ? { input, output } : undefined;
}

/** Attributes whose keys hold the path into a list, as a list. */
function unflattened(a, prefix) {
  const keys = Object.keys(a).filter((key) => key.startsWith(prefix));
  return keys.length === 0 ? undefined : (a[prefix] ?? Object.fromEntries(keys.map((key) => [key, a[key]])));
}

function flat(a, inputs, outputs) {
  const [input, output] = [unflattened(a, inputs), unflattened(a, outputs)];
  return input || output ? { input, output } : undefined;
}

const plain = (attributes) =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value?.stringValue ?? Object.values(value ?? {}).find(present)]),
  );

function ofEvents(span) {
  const events = span.events.map(({ name, attributes }) => ({ name, attributes: plain(attributes) }));
  for (const { name, attributes: a } of events) {
    if (name === "gen_ai.client.inference.operation.details" && ofOtel(a)) return ofOtel(a);
  }
  const named = (words) =>
    events.filter(({ name }) => words.test(name)).map(({ name, attributes }) => ({ name, ...attributes }));
  const list = (found) => (found.length > 0 ? found : undefined);
  const [input, output] = [
    list(named(/^gen_ai\.(system|user|assistant|tool)\.message$/)),
    list(named(/^gen_ai\.choice$/)),
  ];
  if (input || output) return { input, output };
  const [asked, answered] = [list(named(/^gen_ai\.content\.prompt$/)), list(named(/^gen_ai\.content\.completion$/))];
  return asked || answered ? { input: asked, output: answered } : undefined;
}

function ofLogfire(a) {
  const events = parsed(a.events);
  if (!Array.isArray(events) || events.length === 0) return undefined;
  const isAnswer = (event) => event["event.name"] === "gen_ai.choice";
  return { input: events.filter((event) => !isAnswer(event)), output: events.find(isAnswer) };
}

function ofAiSdkContent(a) {
  const of = (keys) => a[keys.find((key) => key in a)];
  const calls = a["ai.response.toolCalls"];
  const answer = [
    "ai.result.text",
    "ai.toolCall.result",
    "ai.response.object",
    "ai.result.object",
    "ai.response.toolCalls",
    "ai.result.toolCalls",
  ];
  const output =
    "ai.response.text" in a && calls !== undefined
      ? { content: a["ai.response.text"], tool_calls: calls }
      : a["ai.response.text"] || of(answer);
  const otel = ofOtel(a) ?? {};
  return {
    input: of(["ai.prompt.messages", "ai.prompt", "ai.toolCall.args"]) ?? otel.input,
    output: output ?? otel.output,
  };
}

function content(a, span) {
  const own = { input: a["langfuse.observation.input"], output: a["langfuse.observation.output"] };
  if (own.input !== undefined || own.output !== undefined) return own;
  if (span.scope.name === "ai") return ofAiSdkContent(a);
  const vertex = Object.fromEntries(Object.entries(a).filter(([, value]) => value !== "{}"));
  const agent = span.scope.name === "pydantic-ai" && pair(a, ["pydantic_ai.all_messages"], ["final_result"]);
  return (
    ofEvents(span) ||
    pair(
      vertex,
      ["gcp.vertex.agent.llm_request", "gcp.vertex.agent.tool_call_args"],
      ["gcp.vertex.agent.llm_response", "gcp.vertex.agent.tool_response"],
    ) ||
    pair(a, ["prompt"], ["all_messages_events"]) ||
    pair(a, ["lk.input_text", "lk.user_transcript", "lk.chat_ctx"], ["lk.function_tool.output", "lk.response.text"]) ||
    ofLogfire(a) ||
    pair(a, ["mlflow.spanInputs"], ["mlflow.spanOutputs"]) ||
    pair(a, ["traceloop.entity.input"], ["traceloop.entity.output"]) ||
    pair(a, ["input.value"], ["output.value"]) ||
    pair(a, ["input"], ["output"]) ||
    (agent && { ...agent, input: instructed(agent.input, a["gen_ai.system_instructions"]) }) ||
    pair(a, ["tool_arguments"], ["tool_response"]) ||
    flat(a, "gen_ai.prompt", "gen_ai.completion") ||
    flat(a, "llm.input_messages", "llm.output_messages") ||
    ofOtel(a) ||
    {}
  );
}

// ---- the rest ----

const metadata = (name) => [`langfuse.observation.metadata.${name}`, `langfuse.trace.metadata.${name}`];
const USERS = ["langfuse.user.id", "user.id", ...metadata("langfuse_user_id"), "ai.telemetry.metadata.userId"];
const SESSIONS = [
  "langfuse.session.id",
  "session.id",
  "gen_ai.conversation.id",
  ...metadata("langfuse_session_id"),
  "ai.telemetry.metadata.sessionId",
];

function name(a, span) {
  const said = a["gen_ai.tool.name"] || a["genkit:name"] || a["logfire.msg"] || a["ai.toolCall.name"];
  if (said) return text(said);
  const prefix = a["ai.telemetry.functionId"] ? `${a["ai.telemetry.functionId"]}:` : "";
  return a["ai.operationId"] ? `${prefix}${a["ai.operationId"]}` : span.name;
}

/** Sums the buckets whose names begin so. */
function sum(buckets, prefix) {
  const counts = Object.entries(buckets).filter(([name]) => name.startsWith(prefix));
  return counts.length > 0 ? counts.reduce((all, [, count]) => all + (count ?? 0), 0) : undefined;
}

/** What Langfuse reads of a span as `flatten` of demo/receiver.mjs has it, in the form of read.py. */
export function read(span) {
  const a = span.attributes;
  const buckets = usage(a, span.scope.name);
  return {
    name: name(a, span),
    type: kind(a, span),
    model: repeats(a) ? undefined : text(first(a, MODELS)),
    buckets,
    input_tokens: sum(buckets, "input"),
    output_tokens: sum(buckets, "output"),
    cache_read: buckets.input_cached_tokens ?? buckets.input_cache_read,
    cache_write: buckets.input_cache_creation,
    ...content(a, span),
    session: text(first(a, SESSIONS)),
    user: text(first(a, USERS)),
  };
}
