// Turns src/ and the WebAssembly module into dist/: one bundle for every host, a thin one for Node, and their types.
// The module itself is built by the Makefile.
import { execFileSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(fileURLToPath(new URL(".", import.meta.url)));
rmSync("dist", { recursive: true, force: true });

for (const [format, extension] of [
  ["esm", "js"],
  ["cjs", "cjs"],
]) {
  const options = {
    bundle: true,
    format,
    target: "es2022",
    outdir: "dist",
    outExtension: { ".js": `.${extension}` },
    loader: { ".wasm": "base64" },
    legalComments: "none",
    logLevel: "warning",
  };
  await build({ ...options, entryPoints: ["src/index.ts"], platform: "neutral" });
  // Peers that an application has or has not.
  const external = ["@grpc/grpc-js", "undici"];
  // The Node entry stands on the other bundle instead of carrying the module a second time.
  const besideIndex = {
    name: "beside-index",
    setup(bundler) {
      bundler.onResolve({ filter: /^\.\/index\.js$/ }, () => ({ path: `./index.${extension}`, external: true }));
    },
  };
  await build({ ...options, entryPoints: ["src/node.ts"], platform: "node", plugins: [besideIndex], external });
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
// CommonJS gets the same types under names that make TypeScript read them as CommonJS.
for (const file of readdirSync("dist").filter((name) => name.endsWith(".d.ts"))) {
  const types = readFileSync(`dist/${file}`, "utf8").replace(/(from "\.\/\w+)\.js"/g, '$1.cjs"');
  writeFileSync(`dist/${file.replace(/\.d\.ts$/, ".d.cts")}`, types);
}

copyFileSync("wasm/core.wasm", "dist/core.wasm");
copyFileSync("../LICENSE", "LICENSE");
