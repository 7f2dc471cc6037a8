// The program in a route of Next.js, on Node.
import * as genspan from "genspan/edge";
import { run } from "./program.mjs";

export const dynamic = "force-dynamic";

export async function GET(request) {
  if (globalThis.EdgeRuntime !== undefined) throw new Error("this is not Node");
  return new Response(`errors: ${await run(genspan, new URL(request.url).searchParams.get("server"))}`);
}
