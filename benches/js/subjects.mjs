// What the bench measures, each as steps over a batch of spans, some of them timed. Runs in every runtime.
import { FastJs, resourceMsg } from "./control-encoder.mjs";
import { rebuilt, TRACE } from "./shapes.mjs";

const BATCH_BYTES = 4 << 20;

/** What the control writes long text with, and from how many characters on: measured. workerd's utf8Write wants a length. */
const NATIVE = (() => {
  const { process, navigator } = globalThis;
  if (navigator?.userAgent === "Cloudflare-Workers") return ["encodeInto", 32];
  return ["utf8Write", Number.parseInt(process.versions.node, 10) >= 24 ? 16 : 48];
})();

/** An exporter that encodes, and sends nothing. */
const encoding = (serializer) => ({
  export(spans, done) {
    serializer.serializeRequest(spans);
    done({ code: 0 });
  },
  async forceFlush() {},
  async shutdown() {},
});

function encoder(encode) {
  return { steps: [{ timed: true, run: encode }] };
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** New ids for spans that are handed over again: a trace that comes twice is no real load for who remembers traces. */
function renew(spans) {
  for (let first = 0; first < spans.length; first += TRACE) {
    const ids = hex(crypto.getRandomValues(new Uint8Array(16 + 8 * TRACE)));
    const traceId = ids.slice(0, 32);
    for (let i = 0; i < TRACE; i++) {
      const span = spans[first + i];
      span._spanContext = { ...span._spanContext, traceId, spanId: ids.slice(32 + 16 * i, 48 + 16 * i) };
      if (i > 0) span.parentSpanContext = spans[first]._spanContext;
    }
  }
}

/**
 * The whole way of a span processor: all spans start, all end, children first, and are flushed. In between, and not timed, they get the
 * attributes that an application gives to a span that runs. `given`: they start with all. `mutates`: the processor writes into attributes.
 */
function processing(processor, { spans, started, context }, { given = false, mutates = false } = {}) {
  const ended = spans.map(({ attributes }) => attributes);
  const become = (attributes, over) => {
    for (let i = 0; i < spans.length; i++) {
      spans[i].attributes = mutates ? rebuilt(attributes[i]) : attributes[i];
      spans[i]._ended = over;
    }
  };
  const start = () => {
    for (let i = 0; i < spans.length; i++) processor.onStart(spans[i], context);
  };
  const end = () => {
    for (let first = 0; first < spans.length; first += TRACE) {
      for (let i = first + TRACE - 1; i >= first; i--) processor.onEnd(spans[i]);
    }
  };
  const prepare = () => {
    renew(spans);
    become(given ? ended : started, false);
  };
  return {
    processor,
    steps: [
      { run: prepare },
      { timed: true, run: start },
      { run: () => become(ended, true) },
      { timed: true, run: end },
      { timed: true, run: () => processor.forceFlush() },
    ],
  };
}

/** `genspan` is the package, `fetch` has to answer to it. */
function ours({ genspan, ...batch }, options) {
  const answered = { bytes: 0 };
  globalThis.fetch = async (_url, { body }) => {
    answered.bytes += body.byteLength;
    return new Response(null, { status: 200 });
  };
  const processor = new genspan.GenSpanProcessor({
    endpoint: "http://127.0.0.1:4318/v1/traces",
    profile: "otel",
    compression: "none",
  });
  return {
    ...processing(processor, batch, options),
    answered,
    verify() {
      const stats = processor.stats();
      const [{ sent }] = stats.destinations;
      if (answered.bytes === 0 || sent !== stats.seen) throw new Error(`spans were lost: ${JSON.stringify(stats)}`);
      if (stats.llm !== stats.seen) throw new Error(`spans were not recognised: ${JSON.stringify(stats)}`);
    },
  };
}

/** By name. Each takes `{ spans, started, context, load }`, by which `load(name)` gives a package, and gives a subject. */
export const SUBJECTS = {
  genspan: (batch) => ours(batch),
  given: (batch) => ours(batch, { given: true }),
  protobuf({ spans, load }) {
    const { ProtobufTraceSerializer } = load("@opentelemetry/otlp-transformer");
    return encoder(() => ProtobufTraceSerializer.serializeRequest(spans));
  },
  json({ spans, load }) {
    const { JsonTraceSerializer } = load("@opentelemetry/otlp-transformer");
    return encoder(() => JsonTraceSerializer.serializeRequest(spans));
  },
  control({ spans, load }) {
    const { ProtobufTraceSerializer } = load("@opentelemetry/otlp-transformer");
    const resource = resourceMsg(ProtobufTraceSerializer.serializeRequest(spans.slice(0, 1)));
    const control = new FastJs(96 << 20, ...NATIVE);
    return encoder(() => control.run(spans, resource));
  },
  floor({ spans }) {
    const text = new TextEncoder();
    const bytes = new Uint8Array(BATCH_BYTES);
    return encoder(() => {
      let at = 0;
      for (let i = 0; i < spans.length; i++) {
        const { attributes } = spans[i];
        for (const key in attributes) {
          const value = attributes[key];
          if (typeof value !== "string") continue;
          if (at + 3 * value.length > bytes.length) at = 0;
          at += text.encodeInto(value, bytes.subarray(at)).written;
        }
      }
    });
  },
  stock({ load, ...batch }) {
    const sdk = load("@opentelemetry/sdk-trace-base");
    const { ProtobufTraceSerializer } = load("@opentelemetry/otlp-transformer");
    return processing(new sdk.BatchSpanProcessor(encoding(ProtobufTraceSerializer)), batch);
  },
  langfuse({ load, ...batch }) {
    const { LangfuseSpanProcessor } = load("@langfuse/otel");
    // Its own exporter writes JSON.
    const { JsonTraceSerializer } = load("@opentelemetry/otlp-transformer");
    const keys = { publicKey: "pk-lf-bench", secretKey: "sk-lf-bench" };
    const processor = new LangfuseSpanProcessor({ ...keys, exporter: encoding(JsonTraceSerializer) });
    return processing(processor, batch, { mutates: true });
  },
  openinference({ load, ...batch }) {
    const { OpenInferenceBatchSpanProcessor } = load("@arizeai/openinference-vercel");
    const { ProtobufTraceSerializer } = load("@opentelemetry/otlp-transformer");
    const processor = new OpenInferenceBatchSpanProcessor({ exporter: encoding(ProtobufTraceSerializer) });
    return processing(processor, batch, { mutates: true });
  },
};

/** Runs a batch; gives what its timed steps took by `clock`, in the clock's unit. */
export async function batch({ steps }, clock) {
  let spent = 0;
  for (const { run, timed } of steps) {
    const before = timed ? clock() : 0;
    await run();
    if (timed) spent += clock() - before;
  }
  return spent;
}
