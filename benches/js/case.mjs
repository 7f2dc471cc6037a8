// One case of the JS bench in a process of its own: `node case.mjs PEER LOAD LANG SECONDS` prints `{micros}`, the median main-thread
// microseconds that PEER takes for a span. What is compared with what is in run.mjs.
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { FastJs, resourceMsg } from "./control-encoder.mjs";
import { makeSpans, med, req } from "./workload.mjs";

const SPANS = 512;
const TRACE = 16;
const REPEATS = 5;

const [peer, load, lang, seconds] = process.argv.slice(2);

const stock = (sdk) => {
  const { ProtobufTraceSerializer } = req(sdk)("@opentelemetry/otlp-transformer");
  return (spans) => ProtobufTraceSerializer.serializeRequest(spans);
};

const PEERS = {
  newest: () => ({ sdk: "peers", encode: stock("peers") }),
  fastest: () => ({ sdk: "old2", encode: stock("old2") }),
  control: () => ({ sdk: "peers", prepare: control }),
  genspan: () => ({ sdk: "peers", prepare: genspan }),
};

function control(spans) {
  const encoder = new FastJs(96 << 20, "utf8Write", 48);
  const resource = resourceMsg(stock("peers")(spans.slice(0, 1)));
  return { encode: () => encoder.run(spans, resource) };
}

// The whole way: every span handed over at its start and its end, normalised, its entry found, encoded, flushed to a transport that
// answers at once. Stock and control only encode.
function genspan(spans) {
  let sent = 0;
  globalThis.fetch = async (_url, { body }) => {
    sent += body.byteLength;
    return new Response(null, { status: 200 });
  };
  const { GenSpanProcessor } = createRequire(new URL("../../pkg/package.json", import.meta.url))("genspan");
  const processor = new GenSpanProcessor({
    endpoint: "http://127.0.0.1:4318/v1/traces",
    profile: "otel",
    compression: "none",
  });
  const context = req("peers")("@opentelemetry/api").ROOT_CONTEXT;
  return {
    renew: () => renew(spans),
    encode: async () => {
      for (let first = 0; first < spans.length; first += TRACE) {
        for (let i = first; i < first + TRACE; i++) processor.onStart(spans[i], context);
        for (let i = first + TRACE - 1; i >= first; i--) processor.onEnd(spans[i]);
      }
      await processor.forceFlush();
    },
    verify: () => {
      const stats = processor.stats();
      const [{ sent: delivered }] = stats.destinations;
      if (sent === 0 || delivered !== stats.seen) throw new Error(`spans were lost: ${JSON.stringify(stats)}`);
    },
  };
}

// New ids for spans that are handed over again: a trace that comes twice is no real load for whoever remembers traces.
function renew(spans) {
  for (let first = 0; first < spans.length; first += TRACE) {
    const ids = randomBytes(16 + 8 * TRACE).toString("hex");
    const traceId = ids.slice(0, 32);
    for (let i = 0; i < TRACE; i++) {
      const span = spans[first + i];
      span._spanContext = { ...span._spanContext, traceId, spanId: ids.slice(32 + 16 * i, 48 + 16 * i) };
      if (i > 0) span.parentSpanContext = spans[first]._spanContext;
    }
  }
}

async function measure({ encode, renew: fresh = () => {} }) {
  const round = async (secs) => {
    let nanos = 0;
    let batches = 0;
    while (nanos < secs * 1e9) {
      fresh();
      const start = process.hrtime.bigint();
      await encode();
      nanos += Number(process.hrtime.bigint() - start);
      batches += 1;
    }
    return nanos / batches / SPANS / 1000;
  };
  await round(Number(seconds));
  const rounds = [];
  for (let i = 0; i < REPEATS; i++) rounds.push(await round(Number(seconds)));
  return med(rounds);
}

const { sdk, encode, prepare } = PEERS[peer]();
const spans = makeSpans({ sdk, load, lang, n: SPANS });
const subject = prepare?.(spans) ?? { encode: () => encode(spans) };
const micros = await measure(subject);
subject.verify?.();
console.log(JSON.stringify({ micros }));
