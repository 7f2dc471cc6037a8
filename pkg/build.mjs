// Turns src/ and the WebAssembly module into dist/: slim.ts in one bundle, the entry points that bring a module along as thin files over it, and
// their types. The module itself is built by the Makefile.
import { execFileSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(fileURLToPath(new URL(".", import.meta.url)));
rmSync("dist", { recursive: true, force: true });

/** Entry points of runtimes that know no CommonJS. */
const ESM_ONLY = ["workerd", "edge-light", "deno"];

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
  await build({ ...written, entryPoints: ["src/slim.ts"] });
  // What stands in dist/ by itself is not carried a second time.
  const besideOthers = {
    name: "beside-others",
    setup(bundler) {
      bundler.onResolve({ filter: /^\.\/(slim|index)\.js$/ }, ({ path }) => ({
        path: path.replace(/js$/, extension),
        external: true,
      }));
    },
  };
  const thin = { ...written, plugins: [besideOthers] };
  await build({ ...thin, entryPoints: ["src/index.ts"] });
  // Peers that an application has or has not.
  await build({ ...thin, entryPoints: ["src/node.ts"], platform: "node", external: ["@grpc/grpc-js", "undici"] });
  // Whatever module the package has been given here, these are to use the same one.
  const byName = {
    name: "by-name",
    setup(bundler) {
      bundler.onResolve({ filter: /^\.\/index\.js$/ }, () => ({ path: "genspan", external: true }));
    },
  };
  await build({ ...written, plugins: [byName], entryPoints: ["src/edge.ts"] });
  if (format === "cjs") continue;
  await build({ ...thin, entryPoints: ESM_ONLY.map((name) => `src/${name}.ts`), external: ["./core.wasm*"] });
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
  if (ESM_ONLY.some((name) => file === `${name}.d.ts`)) continue;
  const types = readFileSync(`dist/${file}`, "utf8").replace(/(from "\.\/\w+)\.js"/g, '$1.cjs"');
  writeFileSync(`dist/${file.replace(/\.d\.ts$/, ".d.cts")}`, types);
}

copyFileSync("wasm/core.wasm", "dist/core.wasm");
writeFileSync("dist/core.wasm.d.ts", "declare const module: WebAssembly.Module;\nexport default module;\n");
copyFileSync("../LICENSE", "LICENSE");
