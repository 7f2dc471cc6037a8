// The package without the WebAssembly module, for any runtime with fetch and WebAssembly. Each other entry point adds the module in the way that its
// runtime loads it.
import * as core from "./core.js";
import type { DestinationOptions, GenSpanOptions } from "./options.js";
import { checkHooks, settings } from "./privacy.js";
import type { PartialSuccess } from "./types.js";

export { type CoreStats, type DestinationStats, initSync } from "./core.js";
export { type ExportResult, GenSpanExporter } from "./exporter.js";
export type { HeadersLike } from "./headers.js";
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
  RetryOptions,
  SpoolOptions,
} from "./options.js";
export type { PrivacyHooks } from "./privacy.js";
export { GenSpanProcessor, type Stats, type WaitUntil } from "./processor.js";
export { GenSpanPropagator, type TextMapPropagator } from "./propagator.js";
export type {
  Answer,
  FilterCondition,
  FilteredSpan,
  FilterRules,
  FilterValue,
  HeaderValues,
  Host,
  Mapping,
  Media,
  MeterProvider,
  PartialSuccess,
  Protocol,
  Route,
  Send,
  SpanFilter,
  Spool,
  SpoolSettings,
  SpoolStats,
  Stored,
  Tls,
  Warn,
} from "./types.js";

export type Format = "protobuf" | "json";

/** Options of `normalize`: the fields of a destination that do not concern sending. */
export type NormalizeOptions = Pick<
  DestinationOptions,
  "profile" | "keep" | "serviceName" | "token" | "hostName" | "resource" | "privacy"
> &
  Pick<
    GenSpanOptions,
    "entry" | "inferProvider" | "inheritSession" | "mappings" | "maxUnpackedBytes" | "mask" | "onMedia"
  > & {
    /**
     * Called with the spans that are omitted from the result because no backend would accept them, such as spans without ids. By default they are
     * omitted silently. A body that has only such spans is an error.
     */
    onPartialSuccess?: (leftOut: LeftOut) => void;
  };

export interface ConvertOptions extends NormalizeOptions {
  /** The encoding of the input. Default `"auto"`: detected by the first byte. */
  from?: Format | "auto" | undefined;
  /** The encoding of the output. Default: that of the input. */
  to?: Format | undefined;
}

/** Spans that were omitted because no backend would accept them: without ids, or with invalid content. */
export type LeftOut = Omit<PartialSuccess, "destination">;

/**
 * Processes the body of an OTLP ExportTraceServiceRequest, protobuf or JSON, and returns it in the same
 * encoding. Throws an Error that describes the problem in the body and its position.
 */
export function normalize(body: Uint8Array, options: NormalizeOptions = {}): Uint8Array {
  return convert(body, options);
}

/** Like `normalize`, from one encoding to another. */
export function convert(body: Uint8Array, options: ConvertOptions = {}): Uint8Array {
  return run(core.convert, body, options);
}

/**
 * Returns an OTLP body in the encoding `to`, without normalising it. The encoding of the input is detected by its first byte. Throws an Error that
 * describes the problem in the body and its position.
 */
export function transcode(body: Uint8Array, to: Format): Uint8Array {
  return core.transcode(body, to === "json");
}

/** Hooks are passed separately, because the JSON that the core reads cannot contain functions. */
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

/** Why a span is the entry (the first three), or is not. */
export type EntryReason =
  | "marked"
  | "outermost"
  | "above_segments"
  | "refuses"
  | "not_llm"
  | "unknown"
  | "opens_no_segment"
  | "copied_mark"
  | "late_mark"
  | "below_mark"
  | "below_llm"
  | "above_mark"
  | "called_from_segment"
  | "parent_elsewhere"
  | "other_segment"
  | "not_detected";

/** The reasons for the output of one span. */
export interface Explanation {
  /** In hex. */
  traceId: string;
  spanId: string;
  name: string;
  /** The conventions that were recognised, by their names in docs/conventions.md. */
  conventions: string[];
  /** `code` is for programs: it stays the same when the wording of `why` changes. */
  entry: { is: boolean; code: EntryReason; why: string };
  /** Every attribute of the output, in order. This field and the next two are missing if the span is forwarded unchanged. */
  attributes?: ExplainedAttribute[];
  /** The attributes of the source that are not in the output: the reason, and the keys that now contain their values. */
  gone?: (ExplainedAttribute & { why: string; by: string[] })[];
  /** Names of the events that are not in the output, because they were read into attributes. */
  goneEvents?: string[];
}

export interface ExplainedAttribute {
  key: string;
  /** The key in the source. Missing if no attribute of the source is the origin; `how` or `kept` then has the reason. */
  from?: string;
  /** The convention with the rule, the row of its table, and what the rule does. */
  convention?: string;
  rule?: string;
  how?: string;
  /** True if the attribute is a mark of the entry. */
  mark?: boolean;
  /** Why the attribute is kept as the source wrote it. */
  kept?: string;
  /** Of a value with members: the attribute that contains each of them (20 at most), by their paths. */
  members?: { path: string; in: string }[];
  /** The paths of the members that no other attribute contains (20 at most). */
  missing?: string[];
  /** The effect of privacy: `masked`, `mask failed`, `media replaced`, `truncated` (several: separated by commas), `dropped`. */
  privacy?: string;
}

/** Explains what `normalize` and `convert` do to each span of a body, in the body's order. Throws like them. */
export function explain(body: Uint8Array, options: ConvertOptions = {}): Explanation[] {
  return JSON.parse(new TextDecoder().decode(run(core.explain, body, options))) as Explanation[];
}

export function version(): string {
  return core.version();
}
