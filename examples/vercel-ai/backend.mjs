// An OTLP backend that keeps the spans and shows them: a line a span, below its parent, and what counts of its attributes.
import { createServer } from "node:http";

const SHOWN = /^gen_ai\.(is_entry|operation\.name|request\.model|tool\.call\.|usage\.|(input|output)\.messages)/;

export async function startBackend() {
  const spans = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString());
    spans.push(...resourceSpans.flatMap((resource) => resource.scopeSpans).flatMap((scope) => scope.spans));
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1/traces`,
    show: () => below(spans, undefined, ""),
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

function below(spans, parent, indent) {
  const children = spans.filter(({ parentSpanId }) => (parentSpanId || undefined) === parent);
  for (const { name, spanId, attributes } of children.toSorted((a, b) =>
    a.startTimeUnixNano < b.startTimeUnixNano ? -1 : 1,
  )) {
    console.log(`${indent}${name}`);
    for (const { key, value } of attributes) {
      if (SHOWN.test(key)) console.log(`${indent}  · ${key} = ${Object.values(value)[0]}`);
    }
    below(spans, spanId, `${indent}  `);
  }
}
