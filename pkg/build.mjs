// Turns src/ and the WebAssembly module into dist/: slim.ts in one bundle, the entry points that bring a module along as thin files over it, and
// their types. The module itself is built by the Makefile.
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(fileURLToPath(new URL(".", import.meta.url)));
rmSync("dist", { recursive: true, force: true });

const BOTH = ["slim", "index", "node", "edge"];
/** Entry points of runtimes that know no CommonJS. */
const ESM_ONLY = ["workerd", "edge-light", "deno", "receive", "receive-workerd", "receive-edge-light"];

const options = {
  bundle: true,
  target: "es2022",
  platform: "neutral",
  outdir: "dist",
  loader: { ".wasm": "base64" },
  legalComments: "none",
  logLevel: "warning",
};

for (const [format, extension] of [
  ["esm", "js"],
  ["cjs", "cjs"],
]) {
  const written = { ...options, format, outExtension: { ".js": `.${extension}` } };
  // Without line breaks and blanks it weighs a fifth less, gzipped too. Names stay, for stack traces.
  await build({ ...written, minifyWhitespace: true, inject: ["src/text.ts"], entryPoints: ["src/slim.ts"] });
  // What stands in dist/ by itself is not carried a second time.
  const besideOthers = {
    name: "beside-others",
    setup(bundler) {
      bundler.onResolve({ filter: /^\.\/(slim|index|receiver)\.js$/ }, ({ path }) => ({
        path: path.replace(/js$/, extension),
        external: true,
      }));
    },
  };
  const thin = { ...written, plugins: [besideOthers] };
  await build({ ...thin, entryPoints: ["src/index.ts"] });
  const onNode = { ...thin, platform: "node" };
  await build({ ...onNode, entryPoints: ["src/node.ts"] });
  // Whatever module the package has been given here, these are to use the same one.
  const byName = {
    name: "by-name",
    setup(bundler) {
      bundler.onResolve({ filter: /^\.\/index\.js$/ }, () => ({ path: "genspan", external: true }));
    },
  };
  await build({ ...written, plugins: [byName], entryPoints: ["src/edge.ts"] });
  if (format === "cjs") continue;
  // The command line's own, whole: it has another module.
  await build({
    ...written,
    entryPoints: { serve: "src/serve/index.ts" },
    platform: "node",
    external: ["@grpc/grpc-js"],
  });
  await build({ ...onNode, entryPoints: ["src/deno.ts"] });
  await build({ ...thin, entryPoints: ["src/workerd.ts", "src/edge-light.ts"], external: ["./core.wasm*"] });
  // The receiver's own, whole likewise.
  const whole = { ...written, minifyWhitespace: true };
  await build({ ...whole, entryPoints: ["src/receiver.ts"] });
  await build({ ...whole, entryPoints: ["src/receive.ts"], platform: "node", external: ["@grpc/grpc-js"] });
  await build({
    ...thin,
    entryPoints: ["src/receive-workerd.ts", "src/receive-edge-light.ts"],
    external: ["./ingest.wasm*"],
  });
}

execFileSync(
  "node_modules/.bin/tsc",
  [
    "--noEmit",
    "false",
    "--emitDeclarationOnly",
    "--declaration",
    "--rootDir",
    "src",
    "--outDir",
    "dist",
    "--project",
    "tsconfig.build.json",
  ],
  { stdio: "inherit" },
);
// Types that no entry point leads to say nothing to anyone.
const declared = new Set();
function declare(name) {
  if (declared.has(name)) return;
  declared.add(name);
  for (const [, path] of readFileSync(`dist/${name}.d.ts`, "utf8").matchAll(/"\.\/([\w-]+)\.js"/g)) declare(path);
}
for (const name of [...BOTH, ...ESM_ONLY]) declare(name);

for (const name of readdirSync("dist").flatMap((file) => /^(.+)\.d\.ts$/.exec(file)?.[1] ?? [])) {
  if (!declared.has(name)) rmSync(`dist/${name}.d.ts`);
  else if (![...ESM_ONLY, "receiver"].includes(name)) {
    // CommonJS gets the same types under names that make TypeScript read them as CommonJS.
    const types = readFileSync(`dist/${name}.d.ts`, "utf8").replace(/("\.\/[\w-]+)\.js"/g, '$1.cjs"');
    writeFileSync(`dist/${name}.d.cts`, types);
  }
}

rmSync("dist/serve", { recursive: true });
copyFileSync("wasm/core.wasm", "dist/core.wasm");
copyFileSync("wasm/ingest.wasm", "dist/ingest.wasm");
// The inspector's page is built with this package, and comes once it is: `genspan inspect` gives it the module that stands here.
if (existsSync("../www/dist")) {
  cpSync("../www/dist", "dist/www", { recursive: true, filter: (file) => !file.endsWith(".wasm") });
}
writeFileSync("dist/core.wasm.d.ts", "declare const module: WebAssembly.Module;\nexport default module;\n");
copyFileSync("../LICENSE", "LICENSE");
