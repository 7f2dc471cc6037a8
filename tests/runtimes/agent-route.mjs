// The agent as an edge route of Next.js. Its import of genspan makes Next.js hand the module to instrumentation.js too.
import { version } from "genspan";
import { ask } from "./agent.mjs";

export const runtime = "edge";

export async function GET() {
  return new Response(await ask(process.env.MODEL), { headers: { genspan: version() } });
}
