// An OTLP/HTTP receiver on loopback that answers as it is told and remembers what came.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { gunzipSync } from "node:zlib";
import { decode, flatten } from "../../demo/receiver.mjs";

/** `answer(n)` tells how the n-th request (from 1) is answered: { status, headers, body, afterMillis, hang }. */
export async function startCollector(answer = () => ({})) {
  const requests = [];
  let answered = 0;
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const raw = Buffer.concat(chunks);
    const { headers, method, url } = request;
    const body = headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
    const came = { method, url, headers, body, answered: false };
    requests.push(came);
    const {
      status = 200,
      headers: extra = {},
      body: reply = "",
      afterMillis = 0,
      hang = false,
    } = answer(requests.length);
    if (hang) return;
    setTimeout(() => {
      answered++;
      came.answered = true;
      response.writeHead(status, { "content-type": "application/x-protobuf", ...extra }).end(reply);
    }, afterMillis);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}/v1/traces`,
    requests,
    answered: () => answered,
    /** The spans of every request, in the order of arrival, as OpenTelemetry's own code reads them. */
    spans: () => spansOf(requests),
    /** The same by request. */
    spansByRequest: () => requests.map(({ headers, body }) => ({ headers, spans: spansOf([{ headers, body }]) })),
    names: () => spansOf(requests).map(({ name }) => name),
    /** Of the requests that were answered. */
    answeredNames: () => spansOf(requests.filter((request) => request.answered)).map(({ name }) => name),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const spansOf = (requests) =>
  requests.flatMap(({ body, headers }) => {
    const decoded = decode(body, headers["content-type"]);
    attributeKeysAreUnique(decoded);
    return flatten(decoded);
  });

/** OTLP: "The attribute values are unique by key." An object of attributes would not show it. */
function attributeKeysAreUnique({ resourceSpans = [] }) {
  const spans = resourceSpans.flatMap(({ scopeSpans = [] }) => scopeSpans).flatMap(({ spans = [] }) => spans);
  for (const { name, attributes = [] } of spans) {
    const keys = attributes.map(({ key }) => key);
    assert.deepEqual(keys, [...new Set(keys)], `${name} has a key twice`);
  }
}
