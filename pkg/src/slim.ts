// The package for any host with fetch and WebAssembly, without the WebAssembly module: each entry point beside this file brings it
// along in the way that its runtime wants it.
import * as core from "./core.js";
import type { DestinationOptions, GenSpanOptions } from "./options.js";
import { checkHooks, settings } from "./privacy.js";
import type { PartialSuccess } from "./types.js";

export { type CoreStats, type DestinationStats, initSync } from "./core.js";
export { type ExportResult, GenSpanExporter } from "./exporter.js";
export type { HeadersLike } from "./headers.js";
export type { Host, Spool, SpoolStats, Stored, Warn } from "./host.js";
export type { MeterProvider } from "./metrics.js";
export type {
  BreakerOptions,
  DeliveryOptions,
  DestinationOptions,
  EntryOptions,
  GenSpanOptions,
  Keep,
  MaskRule,
  PrivacyOptions,
  Profile,
  Protocol,
  RetryOptions,
  SpoolOptions,
} from "./options.js";
export type { PrivacyHooks } from "./privacy.js";
export { GenSpanProcessor, type Stats, type WaitUntil } from "./processor.js";
export { GenSpanPropagator, type TextMapPropagator } from "./propagator.js";
export type { Answer, Send } from "./transport.js";
export type {
  FilterCondition,
  FilteredSpan,
  FilterRules,
  FilterValue,
  HeaderValues,
  Mapping,
  Media,
  PartialSuccess,
  Route,
  SpanFilter,
  SpoolSettings,
  Tls,
} from "./types.js";

export type Format = "protobuf" | "json";

/** How `normalize` treats spans: the fields of a destination that are not about sending. */
export type NormalizeOptions = Pick<
  DestinationOptions,
  "profile" | "keep" | "serviceName" | "token" | "hostName" | "resource" | "privacy"
> &
  Pick<
    GenSpanOptions,
    "entry" | "inferProvider" | "inheritSession" | "mappings" | "maxUnpackedBytes" | "mask" | "onMedia"
  > & {
    /**
     * Called with the spans that are left out of the result because no backend would take them, such as spans without ids. Without it they are
     * left out silently. A body that has only such spans is an error.
     */
    onPartialSuccess?: (leftOut: LeftOut) => void;
  };

export interface ConvertOptions extends NormalizeOptions {
  /** The encoding that it comes in. Default `"auto"`: told by the first byte. */
  from?: Format | "auto" | undefined;
  /** The encoding to give. Default: as it came. */
  to?: Format | undefined;
}

/** Spans that were left out, since no backend would take them: without ids, or broken inside. */
export type LeftOut = Omit<PartialSuccess, "destination">;

/**
 * Takes the body of an OTLP ExportTraceServiceRequest, protobuf or JSON, and gives back the processed one in the same
 * encoding. Throws an Error that says what is wrong with it, and where.
 */
export function normalize(body: Uint8Array, options: NormalizeOptions = {}): Uint8Array {
  return convert(body, options);
}

/** As `normalize`, from one encoding to another. */
export function convert(body: Uint8Array, options: ConvertOptions = {}): Uint8Array {
  return run(core.convert, body, options);
}

/** Functions are handed over beside the options: they would get lost in the JSON that the core reads. */
function run(
  call: typeof core.convert,
  bytes: Uint8Array,
  { mask, onMedia, onPartialSuccess, ...options }: ConvertOptions,
): Uint8Array {
  const hooks = { mask, onMedia };
  checkHooks(hooks);
  const { body, partial } = call(bytes, { ...options, privacy: settings("privacy", options.privacy, hooks) }, hooks);
  if (partial) onPartialSuccess?.({ rejectedSpans: partial.rejected, errorMessage: partial.message });
  return body;
}

/** Why a span goes out as it does. */
export interface Explanation {
  /** Hex. */
  traceId: string;
  spanId: string;
  name: string;
  /** The conventions that were recognised, by their names in docs/conventions.md. */
  conventions: string[];
  entry: { is: boolean; why: string };
  /** Every attribute that goes out, in order. Missing, as the next two: the span goes out as it came. */
  attributes?: ExplainedAttribute[];
  /**
   * The attributes of the source that do not go out: why, and the keys that have their values in their place.
   */
  gone?: (ExplainedAttribute & { why: string; by: string[] })[];
  /** Names of the events that do not go out, since they were read into attributes. */
  goneEvents?: string[];
}

export interface ExplainedAttribute {
  key: string;
  /** The key in the source; missing: no attribute of the source gave it, `how` or `kept` says more. */
  from?: string;
  /** Whose table holds the rule, the row of that table, and what the rule does. */
  convention?: string;
  rule?: string;
  how?: string;
  /** It stays as the source had it: why. */
  kept?: string;
  /** Of a value with members: which attribute has each of them (20 at most), by their paths. */
  members?: { path: string; in: string }[];
  /** The paths of those that no other attribute has (20 at most). */
  missing?: string[];
  /** What privacy did to it: `masked`, `mask failed`, `media replaced`, `truncated` (several: with commas), `dropped`. */
  privacy?: string;
}

/** Explains what `normalize` and `convert` do to each span of a body, in its order. Throws as they do. */
export function explain(body: Uint8Array, options: ConvertOptions = {}): Explanation[] {
  return JSON.parse(new TextDecoder().decode(run(core.explain, body, options))) as Explanation[];
}

export function version(): string {
  return core.version();
}
