// What real readers make of every captured body as genspan sends it: MLflow's translators and Arize Phoenix's decoder run themselves; Langfuse's rules
// are written down in langfuse.mjs. Each field has to be what the program did.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { missing, needing } from "../setup.mjs";
import { forPage, PAGE, part, render } from "./page.mjs";
import { captures, done, FIELDS, inLangfuse, python, readInPython, reads, sentIn } from "./readings.mjs";

const { test, setUp } = needing(missing("readers", existsSync(python)));
const facts = Object.fromEntries(captures.map(({ name, body }) => [name, done(body)]));

const isModel = ({ operation }) => ["chat", "text_completion", "generate_content", "embeddings"].includes(operation);
const isOwn = ({ file }, own) => file.startsWith(own);

/** What a reader can't be asked for, by profile and field: returns true where the field is not compared. */
const EXCEPT = {
  "mlflow otel": {
    // MLflow has no word for retrieval, and reads neither its query, nor instructions apart from messages, nor conversations. It reads input.value
    // before all, which stays where it holds more than messages.
    type: ({ operation }) => operation === "retrieval",
    model: (span) => isOwn(span, "openinference-"),
    input: (span) => span.operation === "retrieval" || isOwn(span, "openinference-"),
    instructions: () => true,
    conversation: () => true,
  },
  "mlflow openinference": {
    // It reads input.value before all, and what OpenInference's own instrumentations wrote stays as it is. In the prompt of the AI SDK's streams the
    // bytes of the picture are a list of numbers.
    model: (span) => isOwn(span, "openinference-"),
    input: (span) =>
      isOwn(span, "openinference-") || (span.operation === "invoke_agent" && /^vercel-.*stream/.test(span.file)),
    instructions: (span) => isOwn(span, "openinference-"),
    output: (span) => isOwn(span, "openinference-"),
    // A span that runs no model goes out as it came.
    conversation: ({ operation }) => operation === undefined,
  },
  "phoenix openinference": { model: (span) => isOwn(span, "openinference-") },
  langfuse: {
    // What its own SDKs wrote stays as they wrote it, with the wrong counts and kinds of the older ones.
    type: (span) => isOwn(span, "langfuse-"),
    input_tokens: (span) => isOwn(span, "langfuse-"),
    output_tokens: (span) => isOwn(span, "langfuse-"),
    cache_read: (span) => isOwn(span, "langfuse-"),
    cache_write: (span) => isOwn(span, "langfuse-"),
  },
};

/** Fails with each field of each span that is not read as it was. */
function hold(found, except) {
  const faults = [];
  let held = 0;
  for (const [file, spans] of Object.entries(facts)) {
    for (const [id, says] of Object.entries(spans)) {
      for (const field of FIELDS) {
        if (says[field] === undefined || except[field]?.({ ...says, file })) continue;
        // A span that repeats what its calls used goes without a model where the backend would count it once more.
        if (field === "model" && !isModel(says)) continue;
        const reading = found[file][id];
        if (reads(field, says, reading)) held += 1;
        else
          faults.push(
            `${file}, ${says.name}: ${field} ${JSON.stringify(says[field])}, read: ${JSON.stringify(reading)}`,
          );
      }
    }
  }
  assert.deepEqual(faults, []);
  assert.ok(held > 3000, `${held} fields`);
}

let readings;
let schema;

setUp(async () => {
  readings = await readInPython(forPage());
  schema = {
    otel: await readInPython(sentIn("otel"), ["--schema"]),
    "otel-1.41": await readInPython(sentIn("otel-1.41"), ["--schema", "--strict"]),
  };
});

for (const [reader, profile] of [
  ["mlflow", "otel"],
  ["mlflow", "openinference"],
  ["phoenix", "openinference"],
]) {
  test(`${reader} reads from profile ${profile} what the programs did`, () =>
    hold(part(readings, reader, profile), EXCEPT[`${reader} ${profile}`]));
}

needing(false).test("Langfuse reads from profile langfuse what the programs did", () =>
  hold(inLangfuse(sentIn("langfuse")), EXCEPT.langfuse),
);

test("the tables of docs/readers.md are up to date (`make readers` writes them)", () =>
  assert.equal(readFileSync(PAGE, "utf8"), render(readings)));

for (const profile of ["otel", "otel-1.41"]) {
  test(`profile ${profile}: messages, tools and documents are valid by the published schemas, known parts as their own type`, () => {
    // Its SDK records no thought, and the signature is empty.
    const { "openllmetry-js-0.14.6.anthropic.pb": thoughtless, ...others } = schema[profile];
    assert.ok(thoughtless.every((fault) => fault.includes("ReasoningPart")));
    assert.deepEqual(
      Object.entries(others).flatMap(([file, found]) => found.map((fault) => `${file}, ${fault}`)),
      [],
    );
  });
}
