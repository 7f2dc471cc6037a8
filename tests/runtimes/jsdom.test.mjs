// Test environments that pretend to be a browser: the package is imported in them, and what it makes of a body is what Node makes of it.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before } from "node:test";
import { startReceiver } from "../../demo/receiver.mjs";
import { row } from "./matrix.mjs";
import { bin, inProject, link, makeProject, missing, project } from "./project.mjs";

/** What the tests of an application do with the package. `load` gives its entry points. */
const TESTS = (load) => `
test("the package is imported, and sends what it is given", async () => {
  expect(typeof document).toBe("object");
  const { GenSpanProcessor, normalize, version } = ${load("genspan")};
  const { trace } = ${load("genspan/edge")};
  expect(version()).toMatch(/^\\d+\\.\\d+\\.\\d+/);
  const span = { traceId: "1".repeat(32), spanId: "2".repeat(16), name: "深圳 😀", attributes: [{ key: "gen_ai.operation.name", value: { stringValue: "chat" } }] };
  const body = Uint8Array.from(Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })));
  const normalized = JSON.parse(Buffer.from(normalize(body)).toString());
  const [{ name, attributes }] = normalized.resourceSpans[0].scopeSpans[0].spans;
  expect(name).toBe("深圳 😀");
  expect(attributes.some(({ key }) => key === "gen_ai.is_entry")).toBe(true);
  const processor = new GenSpanProcessor({ endpoint: process.env.SERVER, compression: "gzip", headers: { "x-key": "k" } });
  const ended = { name: "x".repeat(2000), kind: 0, startTime: [1, 0], endTime: [2, 0], status: { code: 0 }, resource: { attributes: {} },
    attributes: {}, spanContext: () => ({ traceId: "1".repeat(32), spanId: "3".repeat(16), traceFlags: 1 }) };
  processor.onStart(ended);
  processor.onEnd(ended);
  expect(trace(undefined, undefined, {}).span("job", {}, () => 7)).toBe(7);
  await processor.shutdown({ timeoutMillis: 2000 });
  expect(processor.stats().errors).toBe(0);
});
`;

before(async () => {
  await makeProject();
  for (const name of ["vitest", "jsdom", "jest-environment-jsdom"]) await link(name);
  const imported = TESTS((name) => `await import("${name}")`);
  await writeFile(join(project, "vitest.test.js"), `import { expect, test } from "vitest";\n${imported}`);
  await writeFile(
    join(project, "jest.test.cjs"),
    `/** @jest-environment jsdom */\n${TESTS((name) => `require("${name}")`)}`,
  );
});

async function sends(t, run) {
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  await run({ SERVER: receiver.url });
  return receiver.spans().length;
}

// README promise: "Nothing of ours breaks the host"
for (const [how, inline] of [
  ["external", []],
  ["inlined", ["genspan"]],
]) {
  row("Vitest 4 with jsdom", how, missing("vitest"), async (t) => {
    const config = {
      root: project,
      test: { environment: "jsdom", include: ["vitest.test.js"], server: { deps: { inline } } },
    };
    await writeFile(join(project, "vitest.config.mjs"), `export default ${JSON.stringify(config)};`);
    const sent = await sends(t, (env) => inProject(bin("vitest"), ["run"], env));
    assert.equal(sent, 1);
  });
}

row("Jest 30 with jsdom", "require", missing("jest"), async (t) => {
  const config = { rootDir: project, testMatch: ["**/jest.test.cjs"], transform: {} };
  // It has no fetch: nothing can be sent, and nothing breaks.
  const sent = await sends(t, (env) => inProject(bin("jest"), ["--config", JSON.stringify(config)], env));
  assert.equal(sent, 0);
});
