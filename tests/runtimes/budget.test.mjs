// What genspan costs a worker: bytes of its bundle, and CPU time of a request.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { startReceiver } from "../../demo/receiver.mjs";
import { MODULE_BYTES, REQUEST_MILLIS, WORKER_BYTES } from "../../pkg/test/bounds.mjs";
import { makeProject, missing, project } from "./project.mjs";
import { bundleWorker, startWorker } from "./workerd.mjs";

const noWorkerd = missing("workerd") ?? (process.platform === "linux" ? undefined : "it takes Linux to measure");
const outdir = join(project, "out");
let files;

before(async () => {
  await makeProject();
  const { metafile } = await bundleWorker({
    entryPoints: ["budget-worker.mjs"],
    outdir,
    minify: true,
    metafile: true,
  });
  files = Object.keys(metafile.outputs);
});

/** Maximum gzip size of everything but the module, in bytes, this worker included. pkg/test/size.test.mjs holds the module to its own bound. */
const GLUE = WORKER_BYTES - MODULE_BYTES;

test("bytes of a worker's bundle", async (t) => {
  const zipped = async (file) => gzipSync(await readFile(join(project, file)), { level: 9 }).length;
  const sizes = await Promise.all(files.map(zipped));
  for (const [i, file] of files.entries()) t.diagnostic(`${file}: ${sizes[i]} bytes with gzip`);
  const glue = sizes.filter((_, i) => !files[i].endsWith(".wasm")).reduce((sum, size) => sum + size, 0);
  assert.ok(glue <= GLUE, `${glue} bytes`);
});

/** User and system time of the processes that this one has started, in ms. */
async function cpu() {
  const children = await readFile(`/proc/self/task/${process.pid}/children`, "utf8");
  let ticks = 0;
  for (const child of children.trim().split(" ")) {
    const fields = (await readFile(`/proc/${child}/stat`, "utf8")).split(") ")[1].split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10;
}

test("CPU time of a request with five spans of 8 KB, in workerd", { skip: noWorkerd ?? false }, async (t) => {
  const receiver = await startReceiver({ respond: () => ({ headers: { "content-length": "0" } }) });
  const miniflare = startWorker(join(outdir, "budget-worker.js"), {
    bindings: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver.url },
  });
  t.after(() => Promise.all([miniflare.dispose(), receiver.close()]));
  const url = await miniflare.ready;
  const millis = async (path, count) => {
    const before = await cpu();
    for (let i = 0; i < count; i++) await (await fetch(new URL(path, url))).arrayBuffer();
    // What follows the last response counts as well.
    await sleep(100);
    return ((await cpu()) - before) / count;
  };
  await millis("traced", 300);
  const [untraced, traced] = [await millis("untraced", 1000), await millis("traced", 1000)];
  assert.equal(receiver.requests.length, 1300);
  t.diagnostic(`${(traced - untraced).toFixed(2)} ms, beside ${untraced.toFixed(2)} ms without a trace`);
  assert.ok(traced - untraced <= REQUEST_MILLIS, `${traced - untraced} ms`);
});
