// A worker whose requests have five spans of 8 KB each, traced without an SDK, and the same without a trace.
import { trace } from "genspan/edge";

const MESSAGES = JSON.stringify([
  { role: "user", parts: [{ type: "text", content: "What does a return cost? ".repeat(330) }] },
]);
const CHAT = {
  "gen_ai.operation.name": "chat",
  "gen_ai.provider.name": "openai",
  "gen_ai.request.model": "gpt-4o-mini",
  "gen_ai.usage.input_tokens": 2000,
  "gen_ai.usage.output_tokens": 200,
};
const OPTIONS = {};

function work(span) {
  for (const name of ["a", "b", "c", "d"]) {
    span(`chat ${name}`, CHAT, (chat) => chat.setAttribute("gen_ai.input.messages", MESSAGES));
  }
}

const untraced = (_, __, fn) => fn({ setAttribute() {} });

export default {
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "/untraced") work(untraced);
    else if (new URL(request.url).pathname === "/sent") {
      work(untraced);
      ctx.waitUntil(
        fetch(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, { method: "POST", body: new Uint8Array(42000) }).then((r) =>
          r.arrayBuffer(),
        ),
      );
    } else {
      const traced = trace(request, ctx, env, OPTIONS);
      traced.span("GET /", { "gen_ai.input.messages": MESSAGES }, (root) => work(root.span));
    }
    return new Response();
  },
};
