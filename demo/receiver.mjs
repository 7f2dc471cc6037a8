// A loopback OTLP/HTTP trace receiver: keeps every request as it came in and reads it back with the OpenTelemetry project's
// own generated protobuf code. No code of genspan's is used here, so what it reads is evidence.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { gunzipSync } from "node:zlib";

const require = createRequire(import.meta.url);
const { opentelemetry } = require("@opentelemetry/otlp-transformer/build/src/generated/root");
const { ExportTraceServiceRequest } = opentelemetry.proto.collector.trace.v1;

const JSON_TYPE = "application/json";

/**
 * Starts a receiver on a free loopback port.
 * `respond(request, n)` may return `{status, headers, body, afterMillis}` for the n-th request (counted from 0); the default is an empty 200.
 * `requests` holds `{path, headers, body, type}` in order of arrival, `body` unzipped.
 */
export async function startReceiver({ respond = () => ({}) } = {}) {
  const requests = [];
  const waiting = new Set();
  let answered = 0;
  const server = createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const raw = Buffer.concat(chunks);
    const body = req.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
    const request = { path: req.url, headers: req.headers, body, type: req.headers["content-type"] ?? "" };
    requests.push(request);
    const { status = 200, headers = {}, body: answer = "", afterMillis = 0 } = respond(request, requests.length - 1);
    if (afterMillis > 0) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, afterMillis);
        waiting.add(timer);
      });
    }
    answered += 1;
    res.writeHead(status, { "content-type": request.type, ...headers }).end(answer);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1/traces`,
    requests,
    answered: () => answered,
    /** All spans that arrived, each with the resource and scope it came under. */
    spans: () => requests.flatMap((request) => flatten(decode(request.body, request.type))),
    close: () =>
      new Promise((resolve) => {
        for (const timer of waiting) clearTimeout(timer);
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/** The protobuf of an ExportTraceServiceRequest in JSON. */
export function encode(json) {
  const message = ExportTraceServiceRequest.fromObject(idsToBytes(structuredClone(json)));
  return Buffer.from(ExportTraceServiceRequest.encode(message).finish());
}

/** An ExportTraceServiceRequest as a plain object: ids in hex, 64-bit integers as decimal text, defaults filled in. */
export function decode(body, type = "application/x-protobuf") {
  const message = type.startsWith(JSON_TYPE)
    ? ExportTraceServiceRequest.fromObject(idsToBytes(JSON.parse(Buffer.from(body).toString("utf8"))))
    : ExportTraceServiceRequest.decode(body);
  return plain(ExportTraceServiceRequest.toObject(message, { longs: String, enums: Number, defaults: true }));
}

/** Every span of a decoded request as `{resource, scope, ...span}` with attributes as plain objects. */
export function flatten(request) {
  const spans = [];
  for (const { resource, scopeSpans } of request.resourceSpans) {
    for (const { scope, spans: list } of scopeSpans) {
      for (const span of list) {
        spans.push({
          ...span,
          resource: attributes(resource?.attributes),
          scope: { name: scope?.name ?? "", version: scope?.version ?? "" },
          attributes: attributes(span.attributes),
          millis: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
        });
      }
    }
  }
  return spans;
}

/** OTLP key-values as an object of plain values. */
export function attributes(list = []) {
  return Object.fromEntries(list.map(({ key, value: held }) => [key, value(held)]));
}

function value(any) {
  if (any == null) return null;
  if (any.arrayValue != null) return any.arrayValue.values.map(value);
  if (any.kvlistValue != null) return attributes(any.kvlistValue.values);
  if (any.intValue != null) return Number(any.intValue);
  return any.stringValue ?? any.boolValue ?? any.doubleValue ?? any.bytesValue ?? null;
}

// Bytes (ids, bytes values) become hex; nothing else changes.
function plain(node) {
  if (node instanceof Uint8Array) return Buffer.from(node).toString("hex");
  if (Array.isArray(node)) return node.map(plain);
  if (node !== null && typeof node === "object") {
    return Object.fromEntries(Object.entries(node).map(([key, held]) => [key, plain(held)]));
  }
  return node;
}

// OTLP JSON writes ids in hex where protobuf JSON has base64.
function idsToBytes(node) {
  if (Array.isArray(node)) return node.map(idsToBytes);
  if (node === null || typeof node !== "object") return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, held]) => [
      key,
      /^(trace|span|parentSpan)Id$/.test(key) ? Buffer.from(held, "hex") : idsToBytes(held),
    ]),
  );
}
