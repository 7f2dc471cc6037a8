// The program in a route of Next.js, on Vercel's edge runtime.
import * as genspan from "genspan/edge";
import { run } from "./program.mjs";

export const runtime = "edge";

export async function GET(request) {
  if (globalThis.EdgeRuntime === undefined) throw new Error("this is not the edge runtime");
  return new Response(`errors: ${await run(genspan, new URL(request.url).searchParams.get("server"))}`);
}
