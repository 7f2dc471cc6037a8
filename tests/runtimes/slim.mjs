// The program with a module that the application has compiled by itself.
import { readFile } from "node:fs/promises";
import process from "node:process";
import * as genspan from "genspan/slim";
import { run } from "./program.mjs";

const file = new URL(import.meta.resolve("genspan/core.wasm"));
genspan.initSync(await WebAssembly.compile(await readFile(file)));
console.log(`errors: ${await run(genspan, process.argv[2])}`);
