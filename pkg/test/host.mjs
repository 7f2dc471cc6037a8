// The host application of a test: what it is warned of, and that nothing of ours escapes into it.
import assert from "node:assert/strict";
import { after } from "node:test";
import { DiagLogLevel, diag } from "@opentelemetry/api";

const escaped = [];
process.on("unhandledRejection", (error) => escaped.push(error));
process.on("uncaughtException", (error) => escaped.push(error));
after(() => assert.deepEqual(escaped, [], "something escaped into the host"));

export const warnings = [];
const note = (...words) => warnings.push(words.join(" "));
diag.setLogger({ error: note, warn: note, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN);
