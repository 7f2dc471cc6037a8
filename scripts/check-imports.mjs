// Fails when a WebAssembly module imports anything: the core without its bindings must run in any host.
import { readFileSync } from "node:fs";

const [file] = process.argv.slice(2);
const imports = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(file)));
for (const { module, name, kind } of imports) console.error(`${file}: imports ${kind} ${module}.${name}`);
if (imports.length > 0) process.exit(1);
console.log(`${file}: no imports`);
