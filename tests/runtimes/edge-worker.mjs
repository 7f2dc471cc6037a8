// A worker that traces its requests, in both ways that genspan/edge has.
import { trace as api, ROOT_CONTEXT } from "@opentelemetry/api";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { GenSpanProcessor, trace } from "genspan/edge";

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const CHAT = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini" };

let requests = 0;
let provider;
let processor;
const tenants = {};

const routes = {
  /** The SDK: the spans end when the response is long gone. One provider serves all requests of the isolate. */
  sdk(name, ctx, env) {
    processor ??= new GenSpanProcessor({ endpoint: env.ENDPOINT, retry: { initialMillis: 100 } });
    provider ??= new BasicTracerProvider({ spanProcessors: [processor] });
    const tracer = provider.getTracer("worker");
    const root = tracer.startSpan(name, {}, ROOT_CONTEXT);
    const chat = tracer.startSpan(`chat ${name}`, { attributes: CHAT }, api.setSpan(ROOT_CONTEXT, root));
    ctx.waitUntil(
      sleep(50).then(() => {
        chat.end();
        root.end();
      }),
    );
    ctx.waitUntil(processor.flushVia());
  },

  /** Without it; each tenant has a token of its own. */
  trace(name, ctx, env, request) {
    const tenant = name.split("-")[0];
    tenants[tenant] ??= {
      endpoint: env.ENDPOINT,
      headers: { authorization: `Bearer ${tenant}` },
      resource: { tenant },
      retry: { initialMillis: 100 },
    };
    const traced = trace(request, ctx, env, tenants[tenant]);
    ctx.waitUntil(
      traced.span(name, {}, async (root) => {
        await sleep(50);
        await root.span(`chat ${name}`, CHAT, () => sleep(5));
      }),
    );
  },

  nothing() {},
};

/** Handlers of events that are no requests: their spans say what they were called with. */
const job = (name, event, ctx, env) => {
  tenants.jobs ??= { endpoint: env.ENDPOINT, retry: { initialMillis: 100 } };
  return trace(event, ctx, env, tenants.jobs).span(name, {}, (root) => root.span(`chat ${name}`, CHAT, () => sleep(5)));
};

export default {
  scheduled: (event, env, ctx) => job(`scheduled ${event.cron}`, event, ctx, env),

  async queue(batch, env, ctx) {
    for (const { body } of batch.messages) await job(`queue ${body.name}`, body, ctx, env);
    batch.ackAll();
  },

  async fetch(request, env, ctx) {
    const [, route, name] = new URL(request.url).pathname.split("/");
    await routes[route](name, ctx, env, request);
    return new Response("sunny", { headers: { requests: ++requests } });
  },
};
