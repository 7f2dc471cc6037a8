// The OpenTelemetry SpanExporter, for libraries that hand over spans only after they have ended. It reports their starts to the processor first.
import { type EndedSpan, parentSpanId } from "./otel.js";
import { type GenSpanProcessor, type Stats, take } from "./processor.js";

/** OpenTelemetry's `ExportResult`, by structure: `code` 0 is success, 1 failure. */
export interface ExportResult {
  code: 0 | 1;
  error?: Error;
}

/**
 * The processor as an exporter, for `@microlabs/otel-cf-workers` and other libraries that accept only exporters. It exports every span that it receives, sampled or
 * not, because sampling was decided before. Give it whole traces: if a parent comes in a later batch than an LLM span below it, that LLM span becomes the
 * entry. With a provider that accepts span processors, use the processor itself.
 */
export class GenSpanExporter {
  readonly #processor: GenSpanProcessor;

  constructor(processor: GenSpanProcessor) {
    this.#processor = processor;
  }

  /** Calls back once the spans are delivered, or after `flushTimeoutMillis`. Delivery of the remaining spans continues. */
  export(spans: readonly EndedSpan[], done: (result: ExportResult) => void): void {
    this.#deliver(spans).then(
      (left) =>
        done(left > 0 ? { code: 1, error: new Error(`genspan: ${left} spans are not delivered yet`) } : { code: 0 }),
      (error) => done({ code: 1, error }),
    );
  }

  async #deliver(spans: readonly EndedSpan[]): Promise<number> {
    const before = undelivered(this.#processor.stats());
    const started = parentsFirst(spans);
    take(this.#processor, started, [...started].reverse().sort(by("endTime")));
    await this.#processor.forceFlush();
    return undelivered(this.#processor.stats()) - before;
  }

  forceFlush(): Promise<void> {
    return this.#processor.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#processor.shutdown();
  }
}

function undelivered({ destinations = [], droppedAfterStop }: Stats): number {
  return destinations.reduce((sum, d) => sum + d.queued + d.restored - d.sent - d.spooled, droppedAfterStop);
}

const by = (field: "startTime" | "endTime") => (a: EndedSpan, b: EndedSpan) =>
  a[field][0] - b[field][0] || a[field][1] - b[field][1];

/** Sorts spans by their starts, parents before children. In a worker they may have equal times, because its clock does not advance while it computes. */
function parentsFirst(spans: readonly EndedSpan[]): EndedSpan[] {
  const id = (trace: string, span = "") => `${trace} ${span}`;
  const known = new Map(spans.map((span) => [id(span.spanContext().traceId, span.spanContext().spanId), span]));
  const waiting = new Set(spans);
  const ordered: EndedSpan[] = [];
  for (const span of [...spans].sort(by("startTime"))) {
    const path: EndedSpan[] = [];
    for (let at: EndedSpan | undefined = span; at && waiting.delete(at); ) {
      path.push(at);
      at = known.get(id(at.spanContext().traceId, parentSpanId(at)));
    }
    ordered.push(...path.reverse());
  }
  return ordered;
}
