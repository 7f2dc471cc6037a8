// The command line: what it reads, what it writes, how it ends.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { convert, explain, normalize } from "genspan";

const bin = fileURLToPath(new URL("../bin/genspan.js", import.meta.url));
const capture = fileURLToPath(
  new URL("../../tests/fixtures/captures/langfuse-py-3.2.6.observe-openai-stream.pb", import.meta.url),
);
const folder = mkdtempSync(join(tmpdir(), "genspan-"));
after(() => rmSync(folder, { recursive: true }));

function file(name, content) {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

function genspan(args, input = "") {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [bin, ...args]);
    const out = [];
    const err = [];
    child.stdout.on("data", (chunk) => out.push(chunk));
    child.stderr.on("data", (chunk) => err.push(chunk));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("close", (status) => resolve({ status, out: Buffer.concat(out), err: Buffer.concat(err).toString() }));
  });
}

const spansOf = (json) => JSON.parse(json).resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans));

test("convert answers in the format that came in", async () => {
  const { status, out, err } = await genspan(["convert", capture]);
  assert.deepEqual({ status, err }, { status: 0, err: "" });
  assert.deepEqual(new Uint8Array(out), normalize(readFileSync(capture)));

  const json = await genspan(["convert", "--format", "json", capture]);
  assert.equal(json.status, 0);
  const spans = spansOf(json.out);
  assert.ok(spans.length > 0);

  const again = await genspan(["convert", file("spans.json", json.out)]);
  assert.equal(again.status, 0);
  assert.deepEqual(
    spansOf(again.out).map(({ spanId, name }) => [spanId, name]),
    spans.map(({ spanId, name }) => [spanId, name]),
  );
});

test("--explain says where each attribute comes from, for readers and as JSON", async () => {
  const { status, out, err } = await genspan(["convert", "--explain", capture]);
  assert.deepEqual({ status, err }, { status: 0, err: "" });
  assert.match(out.toString(), /\+ gen_ai\.usage\.input_tokens +langfuse\.observation\.usage_details \[langfuse\]/);
  assert.match(out.toString(), /◆ entry: it is marked, and no span above it is marked/);

  const json = await genspan(["convert", "--explain", "--format", "json", capture]);
  const spans = JSON.parse(json.out);
  const converted = spansOf((await genspan(["convert", "--format", "json", capture])).out);
  assert.deepEqual(
    spans.map(({ spanId, attributes }) => [spanId, attributes?.map(({ key }) => key)]),
    converted.map(({ spanId, attributes }) => [spanId, attributes.map(({ key }) => key)]),
  );
});

test("standard input, and gzip", async () => {
  const body = readFileSync(capture);
  const plain = await genspan(["convert", capture]);
  for (const input of [body, gzipSync(body)]) {
    const { status, out } = await genspan(["convert", "-"], input);
    assert.equal(status, 0);
    assert.deepEqual(out, plain.out);
  }
});

test("spans that no backend would take are left out, and counted", async () => {
  const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
  const body = (...spans) => Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
  const mixed = body({ name: "no ids" }, { ...ids, name: "good" });
  const namesIn = (json) => JSON.parse(json).resourceSpans[0].scopeSpans[0].spans.map(({ name }) => name);
  const { status, out, err } = await genspan(["convert", "-"], mixed);
  assert.deepEqual([status, namesIn(out)], [0, ["good"]]);
  assert.match(err, /^genspan: -: 1 of 2 spans refused; the first: resourceSpans\[0\].*spanId: .*\n$/);
  const alone = await genspan(["convert", "-"], body({ name: "no ids" }));
  assert.deepEqual([alone.status, alone.out.length], [1, 0]);
  assert.match(alone.err, /^genspan: -: 1 of 1 spans refused; .*\n$/);
  for (const call of [normalize, convert, explain]) {
    const leftOut = [];
    call(mixed, { onPartialSuccess: (partial) => leftOut.push(partial) });
    assert.deepEqual(
      leftOut.map(({ rejectedSpans, errorMessage }) => [rejectedSpans, errorMessage.slice(0, 20)]),
      [[1, "1 of 2 spans refused"]],
    );
    assert.throws(() => call(body({ name: "no ids" })), /^Error: 1 of 1 spans refused; the first: /);
  }
  assert.deepEqual(namesIn(Buffer.from(normalize(mixed))), ["good"]);
});

test("options beat the configuration file", async () => {
  const config = file("config.json", JSON.stringify({ keep: "all", entry: { value: "string" } }));
  const keys = async (...args) => {
    const { out, err } = await genspan(["convert", "--format", "json", ...args, capture]);
    assert.equal(err, "");
    return spansOf(out).flatMap(({ attributes }) => attributes.map(({ key }) => key));
  };
  const isLangfuse = (key) => key.startsWith("langfuse.");
  assert.ok((await keys("--config", config)).some(isLangfuse));
  assert.ok(!(await keys("--config", config, "--keep", "none")).some(isLangfuse));
});

for (const [what, args, input, line] of [
  ["cut off protobuf", ["convert", "-"], readFileSync(capture).subarray(0, 700), /^genspan: -: .*\d/],
  ["garbage", ["convert", "-"], Buffer.from([0xff, 0xff, 0xff, 0xff]), /^genspan: -: /],
  [
    "broken JSON",
    ["convert", "-"],
    '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":5}]}]}]}',
    /^genspan: -: .*(name|\d)/,
  ],
  ["broken gzip", ["convert", "-"], gzipSync("x").subarray(0, 12), /^genspan: -: /],
  ["no such file", ["convert", join(folder, "absent.pb")], "", /^genspan: .*absent\.pb: no such file$/],
  ["a folder", ["convert", folder], "", /^genspan: .*: EISDIR/],
]) {
  test(`exit 1 and one line: ${what}`, async () => {
    const { status, out, err } = await genspan(args, input);
    assert.equal(status, 1, err);
    assert.equal(out.length, 0);
    assert.match(err.trimEnd(), line);
    assert.equal(err.split("\n").length, 2, err);
  });
}

for (const [what, args, line] of [
  ["no command", [], /^genspan: no command/],
  ["unknown command", ["send", capture], /^genspan: unknown command send/],
  ["no file", ["convert"], /^genspan: convert: expects one FILE/],
  ["two files", ["convert", capture, capture], /^genspan: convert: expects one FILE/],
  ["unknown option", ["convert", "--frmat", "json", capture], /^genspan: Unknown option '--frmat'/],
  [
    "unknown format",
    ["convert", "--format", "xml", capture],
    /^genspan: --format: xml is not supported; use json or protobuf$/,
  ],
  ["unknown profile", ["convert", "--profile", "otle", capture], /^genspan: .*profile.*otle/],
  ["configuration that is no JSON", ["convert", "--config", file("bad.json", "{"), capture], /^genspan: .*bad\.json: /],
  [
    "configuration that is no object",
    ["convert", "--config", file("list.json", "[]"), capture],
    /list\.json: not a JSON object/,
  ],
]) {
  test(`exit 2 and one line: ${what}`, async () => {
    const { status, out, err } = await genspan(args);
    assert.equal(status, 2, err);
    assert.equal(out.length, 0);
    assert.match(err.trimEnd(), line);
    assert.equal(err.split("\n").length, 2, err);
  });
}

test("--help and --version", async () => {
  const help = await genspan(["--help"]);
  assert.equal(help.status, 0);
  assert.match(help.out.toString(), /genspan convert \[options\] FILE/);
  const version = await genspan(["--version"]);
  assert.equal(version.status, 0);
  assert.match(version.out.toString(), /^\d+\.\d+\.\d+\n$/);
});
