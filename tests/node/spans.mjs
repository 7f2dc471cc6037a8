// The spans that the SDK tests send: every kind of attribute, event, link, status and parent that OTLP can hold, made with whichever SDK calls.
// No span here is an LLM's: genspan has to leave every one of them as it is.

const REMOTE = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: 1,
  isRemote: true,
};

export const ATTRIBUTES = {
  "text.plain": "hello",
  "text.empty": "",
  "text.wide": "深圳 — “weather” 🌦",
  "text.long": "天气 and weather, ".repeat(400),
  "text.control": "line\nbreak\ttab\u0000zero",
  "int.zero": 0,
  "int.negative": -42,
  "int.large": 9007199254740991,
  "double.half": 0.5,
  "double.tiny": 5e-324,
  "double.infinite": Number.POSITIVE_INFINITY,
  "bool.true": true,
  "bool.false": false,
  "list.text": ["a", "深", ""],
  "list.int": [1, -2, 3],
  "list.double": [0.25, 1e-9],
  "list.bool": [true, false],
  "list.empty": [],
  "list.holes": ["a", null, "c"],
};

/** Makes and ends the spans with a tracer provider of any SDK version; `api` is its @opentelemetry/api. */
export function makeSpans(api, provider) {
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api;
  const shop = provider.getTracer("shop", "1.2.3");
  const bare = provider.getTracer("bare");

  const root = shop.startSpan(
    "GET /order",
    { kind: SpanKind.SERVER, startTime: [1767225600, 1], attributes: ATTRIBUTES },
    ROOT_CONTEXT,
  );
  const inRoot = trace.setSpan(ROOT_CONTEXT, root);

  const remote = shop.startSpan(
    "called from afar",
    { kind: SpanKind.CONSUMER },
    trace.setSpanContext(ROOT_CONTEXT, { ...REMOTE, traceState: api.createTraceState("vendor=value,other=1") }),
  );
  remote.setStatus({ code: SpanStatusCode.OK });
  remote.end();

  const failing = bare.startSpan("SELECT", { kind: SpanKind.CLIENT }, inRoot);
  failing.recordException(new TypeError("no such table: 订单"));
  failing.setStatus({ code: SpanStatusCode.ERROR, message: "no such table: 订单" });
  failing.end();

  const linked = shop.startSpan(
    "send",
    { kind: SpanKind.PRODUCER, links: [{ context: REMOTE, attributes: { "link.why": "batch" } }] },
    inRoot,
  );
  linked.addLink?.({ context: root.spanContext() });
  linked.addEvent("queued", { position: 3, urgent: true });
  linked.addEvent("sent", [1767225601, 500]);
  linked.addEvent("one too many");
  linked.end([1767225602, 999999999]);

  const crowded = bare.startSpan("too many attributes", {}, inRoot);
  for (let i = 0; i < 40; i++) crowded.setAttribute(`key.${i}`, i);
  crowded.end();

  bare.startSpan("", { kind: SpanKind.INTERNAL }, inRoot).end();

  const unsampled = { ...REMOTE, spanId: "b7ad6b7169203332", traceFlags: 0 };
  shop.startSpan("not sampled", {}, trace.setSpanContext(ROOT_CONTEXT, unsampled)).end();

  root.end([1767225600, 250000000]);
  return 6;
}

export const SPAN_LIMITS = { attributeCountLimit: 32, eventCountLimit: 2, linkCountLimit: 2 };

/** Sends the same spans through the SDK's own exporter and through genspan; prints what genspan counted. */
export async function main({ api, provider, genspan }) {
  makeSpans(api, provider);
  await provider.forceFlush();
  await provider.shutdown();
  process.stdout.write(JSON.stringify(genspan.stats()));
}
