// The agent in a worker that @microlabs/otel-cf-workers traces.
import { instrument } from "@microlabs/otel-cf-workers";
import { GenSpanExporter, GenSpanProcessor } from "genspan";
import { ask } from "./agent.mjs";

let genspan;

const worker = {
  async fetch(_, env) {
    return new Response(await ask(env.MODEL));
  },
};

// It is asked for its configuration by every request.
export default instrument(worker, (env) => {
  genspan ??= new GenSpanProcessor({ endpoint: env.ENDPOINT });
  const service = { name: "shop" };
  return env.WAY === "exporter"
    ? { exporter: new GenSpanExporter(genspan), service }
    : { spanProcessors: [genspan], service };
});
