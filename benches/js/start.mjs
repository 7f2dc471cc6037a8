// How long a package takes until its first span: `start.mjs genspan|stock` in a process of its own prints `{load, ready}`, CPU milliseconds for
// the import and from there to a span processor that could be registered.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const here = createRequire(new URL("./peers/package.json", import.meta.url));
const found = (name, from = here) => pathToFileURL(from.resolve(name)).href;
const genspan = found("genspan", createRequire(new URL("../../pkg/package.json", import.meta.url)));

const SUBJECTS = {
  async genspan() {
    const { GenSpanProcessor } = await import(genspan);
    return () => new GenSpanProcessor({ endpoint: "http://127.0.0.1:4318/v1/traces" });
  },
  async stock() {
    const { BatchSpanProcessor } = await import(found("@opentelemetry/sdk-trace-base"));
    const { ProtobufTraceSerializer } = await import(found("@opentelemetry/otlp-transformer"));
    return () => new BatchSpanProcessor(ProtobufTraceSerializer);
  },
};

const before = cpu();
const make = await SUBJECTS[process.argv[2]]();
const loaded = cpu();
make();
console.log(JSON.stringify({ load: loaded - before, ready: cpu() - loaded }));
