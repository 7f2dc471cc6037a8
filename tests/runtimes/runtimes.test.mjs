// The package out of its tarball, in every runtime and by every way of loading it: the spans arrive, and the bytes are those of the native core.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build as esbuild } from "esbuild";
import { chromium } from "playwright-core";
import { build as vite } from "vite";
import { decode, flatten, startReceiver } from "../../demo/receiver.mjs";
import { CHROMIUM, noChromium, QUIET } from "../chromium.mjs";
import { runBytes } from "../node/program.mjs";
import { row } from "./matrix.mjs";
import { inNextJs } from "./next.mjs";
import { bin, inProject, makeProject, missing, project } from "./project.mjs";
import { byWebpack } from "./webpack.mjs";
import { bundleWorker, startWorker } from "./workerd.mjs";

const CAPTURE = fileURLToPath(
  new URL("../fixtures/captures/langfuse-py-5.0.4.observations-unmarked.pb", import.meta.url),
);
const NATIVE = fileURLToPath(new URL("../../target/release/examples/convert", import.meta.url));
const PAGE = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>';

let native;
let first;

before(async () => {
  await makeProject();
  native = await runBytes(NATIVE, [CAPTURE]);
});

/** `program` runs the program against the server and gives what it says, `receiver` being what the server takes; `missing` tells why it can't. */
function runs(runtime, loaded, program, missing, edge = true) {
  row(runtime, loaded, missing, async () => {
    const receiver = await startReceiver({ respond: serve });
    try {
      assert.match(await program(new URL(receiver.url).origin, receiver), /^errors: 0$/m);
      check(receiver, edge);
    } finally {
      await receiver.close();
    }
  });
}

const files = {};
function serve({ path }) {
  if (path === "/capture") return { body: files.capture };
  if (path === "/") {
    const policy = files.policy && { "content-security-policy": files.policy };
    return { body: PAGE, headers: { "content-type": "text/html; charset=utf-8", ...policy } };
  }
  if (path === "/page.js") return { body: files.page, headers: { "content-type": "text/javascript" } };
  return {};
}
before(async () => {
  files.capture = await readFile(CAPTURE);
});

function check({ requests }, edge) {
  const traced = requests.filter(({ path }) => path === "/edge").flatMap(({ body }) => flatten(decode(body)));
  assert.deepEqual(
    traced.map(({ name }) => name),
    edge ? ["without an SDK"] : [],
  );
  const sent = requests.filter(({ path }) => path === "/v1/traces");
  const [normalized] = requests.filter(({ path }) => path === "/normalized");
  assert.ok(native.equals(normalized.body), "normalize gives other bytes than the native core");
  assert.equal(sent.length, 1);
  first ??= sent[0];
  assert.ok(first.body.equals(sent[0].body), "the processor sends other bytes than in the first runtime");
}

// ---- processes

const node = (file) => (server) => inProject(process.execPath, [file, server]);
const NODE = `Node ${process.versions.node}`;
runs(NODE, "import", node("main.mjs"));
runs(NODE, "require", async (server) => {
  await toCommonJs();
  return node("main.cjs")(server);
});
runs(NODE, "bundled by webpack", async (server) => {
  const file = await byWebpack("main.mjs", join(project, "out-webpack-node"), { target: "node20" });
  return inProject(process.execPath, [file, server]);
});
runs(NODE, "genspan/slim and genspan/core.wasm", node("slim.mjs"), undefined, false);

test("what arrived are the spans of the program", async () => {
  const [answer, request] = flatten(decode(first.body)).toSorted(
    (a, b) => a.kind - b.kind || (a.parentSpanId ? -1 : 1),
  );
  assert.equal(request.name, "POST /chat");
  assert.deepEqual(request.attributes, { "http.request.method": "POST" });
  assert.equal(answer.parentSpanId, request.spanId);
  const { attributes } = answer;
  assert.equal(attributes["gen_ai.operation.name"], "chat");
  assert.equal(attributes["gen_ai.request.model"], "gpt-4o-mini");
  assert.equal(attributes["gen_ai.usage.input_tokens"], 12);
  assert.equal(attributes["gen_ai.is_entry"], true);
  assert.deepEqual(JSON.parse(attributes["gen_ai.input.messages"]), [
    { role: "user", parts: [{ type: "text", content: "Was kostet’s in 深圳? 😀" }] },
  ]);
});

const deno =
  (...permissions) =>
  (server) =>
    inProject(bin("deno"), [
      "run",
      "--quiet",
      "--no-prompt",
      "--node-modules-dir=manual",
      ...permissions,
      "main.mjs",
      server,
    ]);
runs("Deno", "import", deno("--allow-net", "--allow-read", "--allow-env"), missing("deno"));
const FOR_THE_SDK = "--allow-env=OTEL_TRACES_*,OTEL_SPAN_*,OTEL_LINK_*,OTEL_EVENT_*,OTEL_ATTRIBUTE_*";
runs("Deno", "import, with no permission but the SDK's", deno("--allow-net=127.0.0.1", FOR_THE_SDK), missing("deno"));
runs("Bun", "import", (server) => inProject(bin("bun"), ["main.mjs", server]), missing("bun"));
runs("Bun", "require", (server) => inProject(bin("bun"), ["main.cjs", server]), missing("bun"));

/** Node's and Bun's program with `require` in place of `import`. */
function toCommonJs() {
  const paths = { entryPoints: [join(project, "main.mjs")], outfile: join(project, "main.cjs") };
  return esbuild({ ...paths, bundle: true, format: "cjs", platform: "node", packages: "external" });
}

// ---- bundles

const out = (entry) => ({ entryPoints: { main: `${entry}.mjs` }, outdir: join(project, `out-${entry}`) });

async function byEsbuild() {
  const paths = out("page");
  await esbuild({ ...paths, absWorkingDir: project, bundle: true, format: "esm", logLevel: "warning" });
  return join(paths.outdir, "main.js");
}

async function workerByEsbuild(entry) {
  const paths = out(entry);
  await bundleWorker({ ...paths, logLevel: "warning" });
  return join(paths.outdir, "main.js");
}

async function byVite() {
  const input = join(project, "page.mjs");
  const build = { write: false, rollupOptions: { input, output: { entryFileNames: "page.js" } } };
  const { output } = await vite({ root: project, configFile: false, logLevel: "warn", build });
  return output[0].code;
}

let browser;
const warned = [];
after(() => browser?.close());

const inChromium = (bundle, policy) => async (server) => {
  files.page = await bundle();
  files.policy = policy;
  browser ??= await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
  const page = await browser.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => message.type() === "warning" && warned.push(message.text()));
  await page.goto(server);
  await page
    .waitForFunction(() => document.title !== "", undefined, { timeout: 10_000 })
    .catch((error) => {
      throw new Error(`${faults.join("\n")} ${error.message}`);
    });
  const title = await page.title();
  await page.close();
  return title;
};
const byEsbuildHere = async () => readFile(await byEsbuild());
runs("Chromium", "bundled by esbuild", inChromium(byEsbuildHere), noChromium);
runs("Chromium", "bundled by Vite (Rollup)", inChromium(byVite), noChromium);
runs(
  "Chromium",
  "bundled by webpack",
  inChromium(async () => readFile(await byWebpack("page.mjs", join(project, "out-webpack")))),
  noChromium,
);

runs(
  "Chromium",
  "with a Content-Security-Policy that allows WebAssembly",
  inChromium(byEsbuildHere, "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"),
  noChromium,
);

// README promise: "Nothing of ours breaks the host"
row("Chromium", "with one that forbids it: a warning, and the page goes on", noChromium, async (t) => {
  const receiver = await startReceiver({ respond: serve });
  t.after(() => receiver.close());
  warned.length = 0;
  const bundle = async () => {
    const contents = `
      import { GenSpanProcessor } from "genspan";
      import { trace } from "genspan/edge";
      const processors = [new GenSpanProcessor(), new GenSpanProcessor()];
      const said = trace(undefined).span("job", {}, () => 7);
      Promise.all(processors.flatMap((p) => [p.forceFlush(), p.shutdown()])).then(() => { document.title = "said " + said; });`;
    const stdin = { contents, resolveDir: project };
    const { outputFiles } = await esbuild({ stdin, bundle: true, format: "esm", write: false });
    return outputFiles[0].contents;
  };
  const { origin } = new URL(receiver.url);
  assert.equal(await inChromium(bundle, "default-src 'self'")(origin), "said 7");
  assert.equal(warned.length, 1, warned.join("\n"));
  assert.match(warned[0], /^genspan: WebAssembly is not available .*script-src 'wasm-unsafe-eval'/);
});

// ---- workers

const inWorkerd =
  (bundle, flags = []) =>
  async (server) => {
    const scriptPath = await bundle();
    const miniflare = startWorker(scriptPath, { compatibilityFlags: flags });
    try {
      const response = await miniflare.dispatchFetch(`http://worker/?server=${server}`);
      return await response.text();
    } finally {
      await miniflare.dispose();
    }
  };
const noWorkerd = missing("workerd");
runs(
  "workerd",
  "bundled by esbuild",
  inWorkerd(() => workerByEsbuild("worker")),
  noWorkerd,
);
runs(
  "workerd",
  "bundled by esbuild, with nodejs_compat",
  inWorkerd(() => workerByEsbuild("worker"), ["nodejs_compat"]),
  noWorkerd,
);
runs(
  "workerd",
  "genspan/slim and genspan/core.wasm",
  inWorkerd(() => workerByEsbuild("slim-worker")),
  noWorkerd,
  false,
);
runs("workerd", "bundled by wrangler", inWorkerd(byWrangler), missing("wrangler"));

async function byWrangler() {
  const config = { name: "shop", main: "worker.mjs", compatibility_date: "2026-04-01" };
  await writeFile(join(project, "wrangler.json"), JSON.stringify(config));
  await inProject(bin("wrangler"), ["deploy", "--dry-run", "--outdir", "out-wrangler"]);
  return join(project, "out-wrangler", "worker.js");
}

// Both bundlers take an import that they cannot resolve for an error, and nobody has installed the optional peers here.
// README promise: "Nothing of ours breaks the host"
for (const [runtime, bundler, route] of [
  ["Next.js 16 on Node", "Turbopack", "next-route.mjs"],
  ["Next.js 16 on Node", "webpack", "next-route.mjs"],
  // Its webpack builds no route of the edge runtime any more, whatever is in it.
  ["Next.js 16 on Vercel Edge", "Turbopack", "route.mjs"],
]) {
  runs(runtime, `bundled by ${bundler}`, inNext(bundler.toLowerCase(), route), missing("next"));
}

function inNext(bundler, route) {
  const files = {
    "app/run/route.js": route,
    "app/run/program.mjs": "program.mjs",
    "instrumentation.js": "instrumentation.mjs",
  };
  return async (server, receiver) => {
    const said = await inNextJs(bundler, files, { SERVER: server }, (origin) =>
      fetch(`${origin}/run?server=${server}`).then((answer) => answer.text()),
    );
    const instrumented = receiver.requests.filter(({ path }) => path === "/instrumentation");
    const names = instrumented.flatMap(({ body }) => flatten(decode(body)).map(({ name }) => name));
    // On Node, and in the edge runtime where a route is there.
    assert.deepEqual([...new Set(names)], ["register"]);
    return said;
  };
}
