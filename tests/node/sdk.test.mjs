// Real spans of OpenTelemetry SDK 1.x, 2.x and 3.x, as ES modules and as CommonJS, through genspan and through the SDK's own exporter beside
// it: spans that are no LLM's arrive the same. What genspan does to LLM spans is tested elsewhere.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, startReceiver } from "../../demo/receiver.mjs";
import { nodeFor, runApplication } from "./program.mjs";

const SPANS = ["", "GET /order", "SELECT", "called from afar", "send", "too many attributes"];

for (const sdk of ["sdk1", "sdk2", "sdk3"]) {
  for (const module of ["mjs", "cjs"]) {
    test(`${sdk}, app.${module}: a span that is no LLM's arrives as the stock exporter sends it`, async () => {
      const stock = await startReceiver();
      const ours = await startReceiver();
      try {
        const stats = await runApplication(`${sdk}/app.${module}`, [stock.url, ours.url], { node: nodeFor(sdk) });
        const expected = spansOf(stock);
        const arrived = spansOf(ours);
        assert.deepEqual(arrived.map(({ span }) => span.name).sort(), SPANS);
        assert.equal(stats.seen, SPANS.length);
        assert.equal(stats.destinations[0].sent, SPANS.length);
        assert.deepEqual(expected.map(({ span }) => span.name).sort(), SPANS);
        for (const [i, want] of expected.entries()) {
          if (sdk === "sdk1") fillInFlags(want.span);
          assert.deepEqual(arrived[i], want, `span ${JSON.stringify(want.span.name)}`);
        }
      } finally {
        await Promise.all([stock.close(), ours.close()]);
      }
    });
  }
}

const REMOTE = "b7ad6b7169203331";

// The exporter of SDK 1.x does not know the field `flags` yet; genspan fills it in for every SDK.
function fillInFlags(span) {
  const flags = (id) => (id === REMOTE ? 0x301 : 0x101);
  span.flags = flags(span.parentSpanId);
  for (const link of span.links) link.flags = flags(link.spanId);
}

/** Each span with its scope and resource, ordered by id; what protobuf does not tell apart (absent, empty) is made the same. */
function spansOf(receiver) {
  const spans = receiver.requests.flatMap(({ body, type }) =>
    decode(body, type).resourceSpans.flatMap(({ resource, schemaUrl, scopeSpans }) =>
      scopeSpans.flatMap(({ scope, spans: list, schemaUrl: scopeSchema }) =>
        list.map((span) => ({
          span: { ...span, status: { code: 0, message: "", ...span.status } },
          scope,
          scopeSchema,
          resource,
          schemaUrl,
        })),
      ),
    ),
  );
  return spans.sort((a, b) => (a.span.spanId < b.span.spanId ? -1 : 1));
}
