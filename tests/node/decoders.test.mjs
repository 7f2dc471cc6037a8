// What genspan sends and converts, read by two decoders that are not ours: protobufjs with OpenTelemetry's generated code, and Python's
// opentelemetry-proto. Both have to read the same, whole message. What the message says is judged in other tests.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { decode, flatten, startReceiver } from "../../demo/receiver.mjs";
import { convert } from "../../pkg/dist/index.js";
import { decodeInPython, runApplication, runBytes, testInPython } from "./program.mjs";

const require = createRequire(new URL("../../demo/package.json", import.meta.url));
const { opentelemetry } = require("@opentelemetry/otlp-transformer/build/src/generated/root");
const { ExportTraceServiceRequest } = opentelemetry.proto.collector.trace.v1;
const CAPTURES = fileURLToPath(new URL("../fixtures/captures", import.meta.url));
const CLI = fileURLToPath(new URL("../../pkg/bin/genspan.js", import.meta.url));
const TARGET = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL("../../target", import.meta.url));
const NATIVE = join(TARGET, "release/examples/convert");
const PROFILES = ["otel", "otel-1.41", "tencent", "langfuse", "openinference"];
const captures = (await readdir(CAPTURES)).filter((name) => name.endsWith(".pb")).sort();

test("there are captures to convert", () => assert.ok(captures.length >= 10, `${captures.length} in ${CAPTURES}`));

for (const profile of PROFILES) {
  const test = testInPython;
  // README promise: "The native core and the WebAssembly module give identical output for every capture"
  test(`profile ${profile}: every capture converts to the same bytes natively and in WebAssembly, and two decoders read them alike`, async (t) => {
    for (const capture of captures) {
      await t.test(capture, async () => {
        const file = join(CAPTURES, capture);
        const wasm = await runBytes(process.execPath, [
          CLI,
          "convert",
          "--profile",
          profile,
          "--format",
          "protobuf",
          file,
        ]);
        const native = await runBytes(NATIVE, ["--profile", profile, file]);
        assert.ok(wasm.length > 0);
        assert.ok(
          wasm.equals(native),
          `${wasm.length} bytes from WebAssembly, ${native.length} natively, and they differ`,
        );
        const spans = await readAlike(wasm);
        const original = await runBytes("cat", [file]);
        assert.deepEqual(idsOf(spans), idsOf(flatten(decode(original))));
      });
    }
  });
}

for (const profile of PROFILES) {
  test(`profile ${profile}: what other SDKs sent converts to the same bytes natively and in WebAssembly`, async () => {
    const more = (await readdir(join(CAPTURES, "more"))).map((name) => join(CAPTURES, "more", name));
    assert.ok(more.length > 100, `${more.length}`);
    for (const file of more) {
      const native = await runBytes(NATIVE, ["--profile", profile, file]);
      assert.ok(native.equals(convert(await readFile(file), { profile })), file);
    }
  });
}

testInPython("what the processor sends is read alike by two decoders", async () => {
  const langfuse = await startReceiver();
  const ours = await startReceiver();
  try {
    await runApplication("sdk2/app.mjs", [langfuse.url, ours.url]);
    await runApplication("sdk2/langfuse.mjs", [
      JSON.stringify({
        destinations: [{ profile: "tencent", endpoint: ours.url, token: "t", serviceName: "s", hostName: "h" }],
      }),
    ]);
    assert.ok(ours.requests.length >= 2);
    for (const { body } of ours.requests) await readAlike(body);
  } finally {
    await Promise.all([langfuse.close(), ours.close()]);
  }
});

// README promise: "Nothing is lost that can be kept, and nothing silently"
testInPython("bad text and deep values are mended into what two decoders read alike", async () => {
  const BAD = "a BAD TEXT";
  const value = (levels, list) => {
    let value = { stringValue: BAD };
    for (let i = 0; i < levels; i++) {
      value = list ? { arrayValue: { values: [value] } } : { kvlistValue: { values: [{ key: "k", value }] } };
    }
    return value;
  };
  const ids = { traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 2) };
  const attributes = [
    { key: BAD, value: value(0) },
    { key: "list", value: value(60, true) },
    { key: "map", value: value(40, false) },
  ];
  const span = {
    ...ids,
    name: BAD,
    traceState: BAD,
    status: { code: 2, message: BAD },
    events: [{ name: BAD, attributes }],
    links: [{ ...ids, traceState: BAD, attributes }],
    attributes,
  };
  const scopeSpans = [{ scope: { name: BAD, version: BAD, attributes }, spans: [span], schemaUrl: BAD }];
  const request = { resourceSpans: [{ resource: { attributes }, scopeSpans, schemaUrl: BAD }] };
  const body = Buffer.from(ExportTraceServiceRequest.encode(request).finish());
  for (let at = body.indexOf(BAD); at >= 0; at = body.indexOf(BAD)) body.fill(0xff, at + 1, at + BAD.length);
  await assert.rejects(readAlike(body), "it is as bad as it should be");
  const [read] = await readAlike(convert(body));
  assert.equal(read.name, `a${"\ufffd".repeat(BAD.length - 1)}`);
  assert.deepEqual([read.links.length, read.events.length], [1, 1]);
});

const idsOf = (spans) => spans.map(({ traceId, spanId }) => `${traceId}/${spanId}`).sort();

/** Fails unless both decoders read the same out of `bytes`; returns the spans. */
async function readAlike(bytes) {
  const folder = await mkdtemp(join(tmpdir(), "genspan-"));
  try {
    const file = join(folder, "body.pb");
    await writeFile(file, bytes);
    const request = decode(bytes);
    assert.deepEqual(present(request), present(await decodeInPython(file)));
    return flatten(request);
  } finally {
    await rm(folder, { recursive: true });
  }
}

// Python leaves an absent message out and spells numbers that JSON has not.
function present(node) {
  if (Array.isArray(node)) return node.map(present);
  if (typeof node === "number" && !Number.isFinite(node)) return String(node);
  if (node === null || typeof node !== "object") return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([, held]) => held !== null)
      .map(([key, held]) => [key, present(held)]),
  );
}
