// What backends read out of the captured bodies: as their SDKs wrote them, and as genspan sends them. What the program did is what profile `otel` says
// without the rest of the source; tests/captures_frameworks holds that to facts written by hand.
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decode, flatten } from "../../demo/receiver.mjs";
import { convert } from "../../pkg/dist/index.js";
import { read } from "./langfuse.mjs";

const require = createRequire(new URL("../../demo/package.json", import.meta.url));
const { opentelemetry } = require("@opentelemetry/otlp-transformer/build/src/generated/root");
const { ExportTraceServiceRequest } = opentelemetry.proto.collector.trace.v1;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
export const python = here("../../target/readers/bin/python");

const folder = here("../fixtures/captures");
const bodiesIn = (path) => readdirSync(path).filter((name) => /\.(pb|json)$/.test(name));

/** Every captured body, as protobuf, by the name of its file. */
export const captures = [
  ...bodiesIn(folder).map((name) => ({ name, path: join(folder, name) })),
  ...bodiesIn(join(folder, "more")).map((name) => ({ name, path: join(folder, "more", name) })),
]
  .filter(({ name }, at, all) => all.findIndex((other) => other.name === name) === at)
  .map(({ name, path }) => ({ name, body: inProtobuf(readFileSync(path)) }))
  .sort((a, b) => (a.name < b.name ? -1 : 1));

function inProtobuf(body) {
  if (body[0] !== 0x7b) return body;
  const request = decode(body, "application/json");
  const bytes = (hex) => Buffer.from(hex ?? "", "hex");
  for (const { scopeSpans } of request.resourceSpans) {
    for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
      Object.assign(span, {
        traceId: bytes(span.traceId),
        spanId: bytes(span.spanId),
        parentSpanId: bytes(span.parentSpanId),
      });
      for (const link of span.links) Object.assign(link, { traceId: bytes(link.traceId), spanId: bytes(link.spanId) });
    }
  }
  return ExportTraceServiceRequest.encode(ExportTraceServiceRequest.fromObject(request)).finish();
}

/** The captures as a profile sends them. */
export const sentIn = (profile) => captures.map(({ name, body }) => ({ name, body: convert(body, { profile }) }));

/** Runs read.py over bodies. */
export function readInPython(bodies, args = []) {
  const dir = mkdtempSync(join(tmpdir(), "genspan-readers-"));
  const files = bodies.map(({ name, body }, at) => {
    const path = join(dir, `${at}.pb`);
    writeFileSync(path, body);
    return { name, path };
  });
  return new Promise((resolve, reject) => {
    const limits = { maxBuffer: 256 << 20, timeout: 300_000 };
    const child = execFile(python, [here("read.py"), ...args], limits, (error, stdout) => {
      rmSync(dir, { recursive: true, force: true });
      if (error) reject(error);
      else resolve(JSON.parse(stdout));
    });
    child.stdin.end(JSON.stringify(files));
  });
}

/** What Langfuse reads of bodies, in the form of `readInPython`. */
export const inLangfuse = (bodies) =>
  Object.fromEntries(
    bodies.map(({ name, body }) => [
      name,
      Object.fromEntries(flatten(decode(body)).map((span) => [span.spanId, read(span)])),
    ]),
  );

const KINDS = {
  chat: "LLM",
  text_completion: "LLM",
  generate_content: "LLM",
  embeddings: "EMBEDDING",
  execute_tool: "TOOL",
  invoke_agent: "AGENT",
  create_agent: "AGENT",
  retrieval: "RETRIEVER",
};

/** The words of the readers for a call of a model. */
const same = { CHAT_MODEL: "LLM", GENERATION: "LLM" };

/** The single values of a composite one as texts; JSON inside of text too. */
export function leaves(value) {
  if (value === null || value === undefined) return [];
  if (typeof value === "object") return Object.values(value).flatMap(leaves);
  const text = String(value);
  if (typeof value !== "string" || !/^\s*[[{"]/.test(text)) return [text];
  try {
    return leaves(JSON.parse(text));
  } catch {
    return [text];
  }
}

/** What stands in messages, whatever the form: texts, media, the names and arguments of calls, results. */
const atoms = (messages) =>
  messages.flatMap(({ parts }) =>
    parts.flatMap((part) =>
      leaves([part.content, part.uri, part.file_id, part.name, part.arguments, part.response]).filter(Boolean),
    ),
  );

const json = (text) => (typeof text === "string" ? JSON.parse(text) : []);

/** What the program did, for each span by its id, as far as a reader could know it. */
export function done(body) {
  const spans = flatten(decode(convert(body, { profile: "otel", keep: "none", inheritSession: false })));
  return Object.fromEntries(
    spans.map(({ spanId, name, attributes: a }) => {
      const instructions = json(a["gen_ai.system_instructions"]);
      const asked = json(a["gen_ai.input.messages"]);
      const input = [
        ...atoms(asked),
        ...leaves(a["gen_ai.tool.call.arguments"]),
        ...leaves(a["gen_ai.retrieval.query.text"]),
      ];
      const output = [...atoms(json(a["gen_ai.output.messages"])), ...leaves(a["gen_ai.tool.call.result"])];
      const says = {
        name,
        type: KINDS[a["gen_ai.operation.name"]],
        model: a["gen_ai.response.model"] ?? a["gen_ai.request.model"],
        input_tokens: a["gen_ai.usage.input_tokens"],
        output_tokens: a["gen_ai.usage.output_tokens"],
        cache_read: a["gen_ai.usage.cache_read.input_tokens"],
        cache_write: a["gen_ai.usage.cache_write.input_tokens"],
        instructions: instructions.length > 0 && asked.length > 0 ? atoms([{ parts: instructions }]) : undefined,
        input: input.length > 0 ? input : undefined,
        output: output.length > 0 ? output : undefined,
        session: a["session.id"],
        conversation: a["gen_ai.conversation.id"],
        user: a["user.id"],
        operation: a["gen_ai.operation.name"],
      };
      return [spanId, says];
    }),
  );
}

/** The fields that are compared. */
export const FIELDS = [
  "type",
  "model",
  "input_tokens",
  "output_tokens",
  "cache_read",
  "cache_write",
  "instructions",
  "input",
  "output",
  "session",
  "conversation",
  "user",
];

/** Returns true if the reader has read of a field what the program did. */
export function reads(field, says, reading) {
  const read = { instructions: "input", conversation: "session" };
  const [expected, found] = [says[field], reading?.[read[field] ?? field]];
  if (Array.isArray(expected)) {
    const texts = leaves(found);
    return expected.every((atom) => texts.some((text) => text.includes(atom)));
  }
  if (field === "type") return (same[found] ?? found) === expected;
  return found !== undefined && String(found) === String(expected);
}
