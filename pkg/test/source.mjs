// Gives a module of src/ to a test that looks behind the package's entry.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** `replace`: modules of src/ that give way to files of this folder. */
export async function source(name, replace = {}) {
  const stand = {
    name: "stand-in",
    setup(bundler) {
      for (const [module, file] of Object.entries(replace)) {
        bundler.onResolve({ filter: new RegExp(`^\\./${module}\\.js$`) }, () => ({ path: here(file) }));
      }
    },
  };
  const { outputFiles } = await build({
    entryPoints: [here(`../src/${name}.ts`)],
    bundle: true,
    format: "esm",
    external: ["node:*"],
    write: false,
    plugins: [stand],
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
