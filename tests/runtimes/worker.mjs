// The program in a worker, which may do nothing before a request comes.
import * as genspan from "genspan/edge";
import { run } from "./program.mjs";

export default {
  async fetch(request) {
    return new Response(`errors: ${await run(genspan, new URL(request.url).searchParams.get("server"))}`);
  },
};
