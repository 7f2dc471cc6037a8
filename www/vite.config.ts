// Builds the page as plain files with relative addresses, and brings along the captures that it offers as samples.
import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";
import { SAMPLES, sampleFile } from "./src/samples.js";

const captures = new URL("../tests/fixtures/captures/", import.meta.url);

const samples: Plugin = {
  name: "samples",
  generateBundle() {
    for (const { file } of SAMPLES) {
      this.emitFile({
        type: "asset",
        fileName: `samples/${sampleFile(file)}`,
        source: readFileSync(new URL(file, captures)),
      });
    }
  },
};

export default defineConfig({
  base: "./",
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  worker: { format: "es" },
  plugins: [samples],
  build: {
    target: "es2022",
    // A data: URL for a worker or a module is what the page's policy refuses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
