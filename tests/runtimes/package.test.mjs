// The package as it would be published: what publint and Are the types wrong? say of it, and that it holds what is needed and nothing else.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { before, test } from "node:test";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { bin, inProject, makeProject, project } from "./project.mjs";

let packed;
before(async () => {
  packed = await makeProject();
});

test("publint finds nothing", async () => {
  const pkgDir = join(project, "node_modules/genspan");
  const { messages, pkg } = await publint({ pkgDir, pack: false, strict: true });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg)),
    [],
  );
});

for (const [entrypoints, args] of [
  // The WebAssembly module is nothing to require, and the platforms that take the receiver's default export load modules.
  [
    [".", "./edge", "./package.json", "./slim"],
    ["--exclude-entrypoints", "core.wasm", "receive"],
  ],
  [["./receive"], ["--entrypoints", "receive", "--ignore-rules", "cjs-resolves-to-esm"]],
]) {
  test(`Are the types wrong? finds nothing in ${entrypoints.join(" ")}`, async () => {
    // Node 10 knows no exports.
    const report = await inProject(bin("attw"), [packed.tarball, "--format", "json", "--profile", "node16", ...args]);
    const { analysis } = JSON.parse(report);
    assert.deepEqual(Object.keys(analysis.entrypoints).toSorted(), entrypoints);
    const isIgnored = (kind) => kind === "CJSResolvesToESM" && args.includes("cjs-resolves-to-esm");
    const problems = Object.values(analysis.problems).filter(
      ({ kind, resolutionKind }) => resolutionKind !== "node10" && !isIgnored(kind),
    );
    assert.deepEqual(problems, []);
  });
}

test("its command line receives, by gRPC too, with nothing else installed", async () => {
  const inspect = spawn(
    process.execPath,
    ["node_modules/genspan/bin/genspan.js", "inspect", "--port", "0", "--grpc-port", "0"],
    {
      cwd: project,
    },
  );
  try {
    let said = "";
    for await (const chunk of inspect.stdout) {
      said += chunk;
      if (said.includes("gRPC")) break;
    }
    assert.match(said, /OTLP\/gRPC {2}127\.0\.0\.1:\d+/);
    const [, url] = /OTLP\/HTTP {2}(\S+)/.exec(said);
    const headers = { "content-type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body: '{"resourceSpans":[]}' });
    assert.deepEqual([answer.status, await answer.text()], [200, "{}"]);
  } finally {
    inspect.kill();
  }
});

test("it holds what its entry points lead to, and nothing else", async () => {
  const { exports, bin: commands } = JSON.parse(
    await readFile(join(project, "node_modules/genspan/package.json"), "utf8"),
  );
  const reached = new Set(["package.json", "README.md", "LICENSE"]);
  const follow = async (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    if (file.endsWith(".wasm")) return;
    if (file === "dist/www") {
      // The inspector's page, a folder.
      reached.delete(file);
      for (const path of packed.files) if (path.startsWith("dist/www/")) reached.add(path);
      return;
    }
    const text = await readFile(join(project, "node_modules/genspan", file), "utf8");
    for (const [, path] of text.matchAll(/(?:from |import |import\(|require\(|new URL\()"(\.[^"?]+)/g)) {
      const target = posix.join(posix.dirname(file), path);
      await follow(/\.d\.c?ts$/.test(file) ? target.replace(/\.(c?)js$/, ".d.$1ts") : target);
    }
  };
  for (const file of [...targets(exports), ...Object.values(commands)]) await follow(posix.normalize(file));
  assert.deepEqual(packed.files.toSorted(), [...reached].toSorted());
});

function targets(node) {
  return typeof node === "string" ? [node] : Object.values(node).flatMap(targets);
}
