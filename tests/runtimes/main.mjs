// The program as a process: Node, Deno, Bun.
import process from "node:process";
import * as genspan from "genspan/edge";
import { run } from "./program.mjs";

run(genspan, process.argv[2]).then((errors) => console.log(`errors: ${errors}`));
