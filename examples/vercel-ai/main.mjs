// Asks the agent both ways. Where the environment names no model, canned answers stand in for one; where it names no backend, what would
// have arrived there is shown.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generate, stream } from "./agent.mjs";
import { register } from "./tracing.mjs";

const { env } = process;
const QUESTION = "What is the weather in Shenzhen?";

const standIns = [];
async function standIn(file, start) {
  const started = await (await import(file))[start]();
  standIns.push(started);
  return started;
}

const baseURL = env.OPENAI_BASE_URL ?? (env.OPENAI_API_KEY ? "https://api.openai.com/v1" : undefined);
const backend = env.OTEL_EXPORTER_OTLP_ENDPOINT ? undefined : await standIn("./backend.mjs", "startBackend");
const genspan = register(backend && { endpoint: backend.url, protocol: "http/json" });
const openai = createOpenAICompatible({
  name: "openai",
  baseURL: baseURL ?? (await standIn("../../demo/model.mjs", "startModel")).url,
  apiKey: env.OPENAI_API_KEY ?? "none",
  includeUsage: true,
});
const model = openai(env.OPENAI_MODEL ?? "gpt-4o-mini");

console.log(await generate(model, QUESTION));
for await (const text of stream(model, QUESTION)) process.stdout.write(text);
console.log();

await genspan.shutdown();
backend?.show();
await Promise.all(standIns.map((started) => started.close()));
