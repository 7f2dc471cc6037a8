// The OpenTelemetry propagator: informs the services that are called from inside an LLM segment that its entry is in this process. It uses only the
// header `tracestate`; another propagator carries the trace itself.
import { activeSpan, type Context, insideState, type SpanContext } from "./otel.js";
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
 * Adds the member `genspan=llm:<id of the LLM span>` to the `tracestate` of requests that are made inside an LLM segment. A `GenSpanProcessor` in the called
 * service then makes no second entry there. `inner` is the propagator that carries the trace, such as that for W3C trace context; without
 * it, this propagator has to follow such a one in a CompositePropagator.
 */
export class GenSpanPropagator implements TextMapPropagator {
  readonly #processor: GenSpanProcessor;
  readonly #inner: TextMapPropagator | undefined;

  constructor(processor: GenSpanProcessor, inner?: TextMapPropagator) {
    this.#processor = processor;
    this.#inner = inner;
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    this.#inner?.inject(context, carrier, setter);
    const span = activeSpan(context);
    const segment = span && this.#processor.segment(span);
    if (segment !== undefined) setter.set(carrier, TRACESTATE, insideState(span as SpanContext, segment));
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    return this.#inner?.extract(context, carrier, getter) ?? context;
  }

  fields(): string[] {
    return [...new Set([...(this.#inner?.fields() ?? []), TRACESTATE])];
  }
}
