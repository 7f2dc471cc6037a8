// The program in a worker that has imported the module by itself.
import module from "genspan/core.wasm";
import * as genspan from "genspan/slim";
import { run } from "./program.mjs";

genspan.initSync(module);

export default {
  async fetch(request) {
    return new Response(`errors: ${await run(genspan, new URL(request.url).searchParams.get("server"))}`);
  },
};
