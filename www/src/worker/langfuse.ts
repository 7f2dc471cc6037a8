// Converts a trace from Langfuse's API or its download button to OTLP with the attributes of Langfuse's own SDKs. The core does the rest.

interface Observation {
  id: string;
  type?: string;
  name?: string | null;
  startTime?: string;
  endTime?: string | null;
  completionStartTime?: string | null;
  parentObservationId?: string | null;
  model?: string | null;
  modelParameters?: unknown;
  input?: unknown;
  output?: unknown;
  metadata?: unknown;
  level?: string | null;
  statusMessage?: string | null;
  usageDetails?: Record<string, number> | null;
  usage?: Record<string, unknown> | null;
  costDetails?: Record<string, number> | null;
  promptName?: string | null;
  promptVersion?: number | null;
  version?: string | null;
  environment?: string | null;
}

interface Trace {
  id: string;
  name?: string | null;
  timestamp?: string;
  userId?: string | null;
  sessionId?: string | null;
  tags?: string[] | null;
  release?: string | null;
  version?: string | null;
  environment?: string | null;
  input?: unknown;
  output?: unknown;
  observations?: Observation[];
}

/** The API's `TraceWithFullDetails`, or the download's `{ trace, observations }`. */
type Export = (Trace & { observations: Observation[] }) | { trace: Trace; observations?: Observation[] };

export function isLangfuseExport(json: unknown): json is Export {
  const { observations, trace } = (json ?? {}) as Partial<Record<"observations" | "trace", unknown>>;
  const list = observations ?? (trace as Trace | undefined)?.observations;
  return Array.isArray(list) && list.every((item) => typeof item === "object" && item !== null && "id" in item);
}

type Value = { stringValue: string } | { intValue: string } | { arrayValue: { values: Value[] } };

export function langfuseToOtlp(json: Export): Record<string, unknown> {
  const trace: Trace = "trace" in json ? json.trace : json;
  const observations = json.observations ?? trace.observations ?? [];
  const ids = new Map(observations.map(({ id }) => [id, identifier(id, 8)]));
  const traceId = identifier(trace.id ?? "", 16);
  const spans = observations.map((o) => {
    const parent = o.parentObservationId
      ? (ids.get(o.parentObservationId) ?? identifier(o.parentObservationId, 8))
      : "";
    const isError = o.level === "ERROR";
    return {
      traceId,
      spanId: ids.get(o.id),
      parentSpanId: parent,
      name: o.name ?? o.type?.toLowerCase() ?? "",
      kind: 1,
      startTimeUnixNano: nanos(o.startTime),
      endTimeUnixNano: nanos(o.endTime ?? o.startTime),
      status: isError ? { code: 2, message: o.statusMessage ?? "" } : {},
      attributes: attributes({
        "langfuse.observation.type": (o.type ?? "span").toLowerCase(),
        "langfuse.observation.input": o.input,
        "langfuse.observation.output": o.output,
        "langfuse.observation.model.name": o.model,
        "langfuse.observation.model.parameters": filled(o.modelParameters),
        "langfuse.observation.usage_details": filled(o.usageDetails) ?? filled(o.usage),
        "langfuse.observation.cost_details": filled(o.costDetails),
        "langfuse.observation.completion_start_time": o.completionStartTime && JSON.stringify(o.completionStartTime),
        "langfuse.observation.prompt.name": o.promptName,
        "langfuse.observation.prompt.version": o.promptVersion,
        "langfuse.observation.level": o.level,
        "langfuse.observation.status_message": o.statusMessage,
        ...metadata(o.metadata),
        "langfuse.version": o.version,
        "langfuse.trace.name": trace.name,
        "langfuse.trace.tags": trace.tags?.length ? trace.tags : undefined,
        "session.id": trace.sessionId,
        "user.id": trace.userId,
        ...(parent === "" ? { "langfuse.trace.input": trace.input, "langfuse.trace.output": trace.output } : {}),
      }),
    };
  });
  const resource = attributes({
    "langfuse.environment": trace.environment ?? observations[0]?.environment,
    "langfuse.release": trace.release,
    ...resourceAttributes(observations),
  });
  return {
    resourceSpans: [{ resource: { attributes: resource }, scopeSpans: [{ scope: { name: "langfuse-sdk" }, spans }] }],
  };
}

/** The resource attributes that Langfuse keeps for spans received by OTLP. */
function resourceAttributes(observations: Observation[]): Record<string, unknown> {
  for (const { metadata } of observations) {
    const object = (typeof metadata === "string" ? parsed(metadata) : metadata) as {
      resourceAttributes?: unknown;
    } | null;
    if (typeof object?.resourceAttributes === "object") return { ...object.resourceAttributes };
  }
  return {};
}

function metadata(value: unknown): Record<string, unknown> {
  const object = typeof value === "string" ? parsed(value) : value;
  if (typeof object !== "object" || object === null || Array.isArray(object))
    return { "langfuse.observation.metadata": value };
  // These attributes repeat the content of the SDK's own span, which the attributes above already contain.
  const own = Object.entries(object).filter(([key]) => !["attributes", "resourceAttributes", "scope"].includes(key));
  return Object.fromEntries(own.map(([key, item]) => [`langfuse.observation.metadata.${key}`, item]));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The API returns `{}` and zeros for missing values. */
function filled(value: unknown): unknown {
  const object = typeof value === "string" ? parsed(value) : value;
  if (typeof object !== "object" || object === null) return undefined;
  const entries = Object.entries(object).filter(([, item]) => item !== null && item !== undefined);
  return entries.some(([, item]) => item !== 0) ? Object.fromEntries(entries) : undefined;
}

function attributes(values: Record<string, unknown>): { key: string; value: Value }[] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([key, value]) => ({ key, value: toValue(value) }));
}

function toValue(value: unknown): Value {
  if (typeof value === "string") return { stringValue: value };
  if (Number.isSafeInteger(value)) return { intValue: String(value) };
  if (Array.isArray(value) && value.every((item) => typeof item === "string"))
    return { arrayValue: { values: value.map(toValue) } };
  return { stringValue: JSON.stringify(value) };
}

function nanos(time: string | undefined): string {
  const millis = Date.parse(time ?? "");
  return Number.isFinite(millis) ? String(BigInt(millis) * 1_000_000n) : "0";
}

/** Keeps OTLP ids. Others, such as UUIDs and names, are converted to ids of `bytes` bytes. */
function identifier(id: string, bytes: number): string {
  const plain = id.replaceAll("-", "").toLowerCase();
  if (plain.length === bytes * 2 && /^[0-9a-f]+$/.test(plain)) return plain;
  let out = "";
  for (let seed = 0; out.length < bytes * 2; seed++) out += fnv(`${seed}:${id}`).toString(16).padStart(8, "0");
  return out;
}

function fnv(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
