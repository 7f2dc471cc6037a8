// The OpenTelemetry propagator: tells the services that are called from inside an LLM segment that its entry is here. Knows no header but
// `tracestate`; the trace itself is carried by the propagator that it stands around.
import { activeSpan, type Context, insideState } from "./otel.js";
import type { GenSpanProcessor } from "./processor.js";

/** OpenTelemetry's `TextMapPropagator`, by structure. */
export interface TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void;
  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context;
  fields(): string[];
}

export interface TextMapSetter {
  set(carrier: unknown, key: string, value: string): void;
}

export interface TextMapGetter {
  keys(carrier: unknown): string[];
  get(carrier: unknown, key: string): undefined | string | string[];
}

const TRACESTATE = "tracestate";

/**
 * Stands around another propagator, such as the W3C trace context's, and adds the member `genspan=llm` to the `tracestate` of requests
 * that are made inside an LLM segment. A `GenSpanProcessor` in the called service then makes no second entry there.
 */
export class GenSpanPropagator implements TextMapPropagator {
  readonly #processor: GenSpanProcessor;
  readonly #inner: TextMapPropagator;

  constructor(processor: GenSpanProcessor, inner: TextMapPropagator) {
    this.#processor = processor;
    this.#inner = inner;
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    this.#inner.inject(context, carrier, setter);
    const span = activeSpan(context);
    if (span && this.#processor.isInsideSegment(span)) setter.set(carrier, TRACESTATE, insideState(span));
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    return this.#inner.extract(context, carrier, getter);
  }

  fields(): string[] {
    return [...new Set([...this.#inner.fields(), TRACESTATE])];
  }
}
