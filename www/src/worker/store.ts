// The traces that the page holds, each as the received protobuf, span by span, so that the core can process it again.
// Limited in traces, bytes and spans per trace. The trace that arrived first is removed first, and counted.
import { concat, fields, lengthDelimited, type WireField } from "../otlp/wire.js";
import type { Counts, Limits } from "../protocol.js";

export const DEFAULT_LIMITS: Limits = { traces: 5000, bytes: 256 << 20, spansPerTrace: 10_000 };
/** Ids of removed traces, remembered so that a server that replays its bodies does not restore them. */
const MAX_REMEMBERED = 50_000;

const RESOURCE_SPANS = 1;
const RESOURCE = 1;
const SCOPE_SPANS = 2;
const SCOPE = 1;
const SPANS = 2;
const SCHEMA_URL = 3;
const TRACE_ID = 1;
const SPAN_ID = 2;

interface Held {
  /** Fields `resource_spans` of a request, encoded. */
  fragments: Uint8Array[];
  bytes: number;
  spans: Set<bigint>;
}

export class Store {
  private readonly traces = new Map<string, Held>();
  private readonly went = new Set<string>();
  readonly counts: Counts = { spans: 0, bytes: 0, evicted: 0, cut: 0, unreadable: 0 };
  /** Traces that changed, and traces that were removed, since the last query. */
  readonly dirty = new Map<string, number>();
  readonly gone = new Set<string>();

  constructor(private readonly limits: Limits) {}

  /** Adds a protobuf body and returns the ids of its traces. Throws, without adding anything, if the body is invalid. Spans that arrived before are omitted. */
  add(body: Uint8Array, now: number): string[] {
    const parts = split(body);
    const ids = new Set<string>();
    for (const { traceId, spanId, resource, scope, raw } of parts) {
      if (this.went.has(traceId)) continue;
      ids.add(traceId);
      let held = this.traces.get(traceId);
      if (held === undefined) {
        held = { fragments: [], bytes: 0, spans: new Set() };
        this.traces.set(traceId, held);
      }
      if (held.spans.has(spanId)) continue;
      if (held.spans.size >= this.limits.spansPerTrace) {
        this.counts.cut++;
        continue;
      }
      held.spans.add(spanId);
      const fragment = lengthDelimited(RESOURCE_SPANS, resource, lengthDelimited(SCOPE_SPANS, scope, raw));
      held.fragments.push(fragment);
      held.bytes += fragment.length;
      this.counts.spans++;
      this.counts.bytes += fragment.length;
      this.dirty.set(traceId, now);
    }
    this.evict();
    return [...ids];
  }

  /** The trace as one body, or undefined if it was removed. */
  body(id: string): Uint8Array | undefined {
    const held = this.traces.get(id);
    return held && concat(held.fragments);
  }

  /** Forgets all traces. */
  clear(): void {
    for (const [id, held] of this.traces) this.drop(id, held);
    this.went.clear();
  }

  private evict(): void {
    for (const [id, held] of this.traces) {
      if (this.traces.size <= this.limits.traces && this.counts.bytes <= this.limits.bytes) break;
      this.drop(id, held);
      this.counts.evicted++;
      this.went.add(id);
      if (this.went.size > MAX_REMEMBERED) this.went.delete(this.went.values().next().value as string);
    }
  }

  private drop(id: string, held: Held): void {
    this.traces.delete(id);
    this.dirty.delete(id);
    this.gone.add(id);
    this.counts.spans -= held.spans.size;
    this.counts.bytes -= held.bytes;
  }
}

interface Piece {
  traceId: string;
  spanId: bigint;
  /** Encoded fields of the `ResourceSpans` and the `ScopeSpans` around the span, without spans. */
  resource: Uint8Array;
  scope: Uint8Array;
  /** The field `spans` with the span. */
  raw: Uint8Array;
}

function hex(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += byte.toString(16).padStart(2, "0");
  return out;
}

/** The spans of a body, each with its envelope. */
function split(body: Uint8Array): Piece[] {
  const pieces: Piece[] = [];
  const raw = ({ at, end }: WireField) => body.subarray(at, end);
  const inside = (field: WireField, each: (field: WireField) => void) => fields(body, field.value, field.end, each);
  const around = (numbers: number[], field: WireField) => {
    const found: Uint8Array[] = [];
    inside(field, (f) => void (numbers.includes(f.number) && f.type === 2 && found.push(raw(f))));
    return concat(found);
  };
  fields(body, 0, body.length, (resourceSpans) => {
    if (resourceSpans.number !== RESOURCE_SPANS || resourceSpans.type !== 2) return;
    const resource = around([RESOURCE, SCHEMA_URL], resourceSpans);
    inside(resourceSpans, (scopeSpans) => {
      if (scopeSpans.number !== SCOPE_SPANS || scopeSpans.type !== 2) return;
      const scope = around([SCOPE, SCHEMA_URL], scopeSpans);
      inside(scopeSpans, (span) => {
        if (span.number !== SPANS || span.type !== 2) return;
        let traceId = "";
        let spanId = 0n;
        inside(span, ({ number, value, end, type }) => {
          if (type !== 2 || end === value) return;
          if (number === TRACE_ID) traceId = hex(body.subarray(value, end));
          else if (number === SPAN_ID) spanId = BigInt(`0x${hex(body.subarray(value, end))}`);
        });
        pieces.push({ traceId, spanId, resource, scope, raw: raw(span) });
      });
    });
  });
  return pieces;
}
