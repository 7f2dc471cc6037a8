// The package for any host with fetch and WebAssembly. A runtime with more to offer has its own entry beside this one.
import type { DestinationOptions, GenSpanOptions } from "./config.js";
import * as core from "./core.js";

export type { DestinationOptions, EntryOptions, GenSpanOptions, Keep, Profile } from "./config.js";
export type { CoreStats, DestinationStats } from "./core.js";
export type { Host } from "./host.js";
export { GenSpanProcessor, type Stats } from "./processor.js";

export type Format = "protobuf" | "json";

/** How `normalize` treats spans: the fields of a destination that are not about sending. */
export type NormalizeOptions = Pick<
  DestinationOptions,
  "profile" | "keep" | "serviceName" | "token" | "hostName" | "resource"
> &
  Pick<GenSpanOptions, "entry" | "inferProvider">;

export interface ConvertOptions extends NormalizeOptions {
  /** Default `"auto"`: told by the first byte. */
  from?: Format | "auto";
  /** Default: as it came. */
  to?: Format;
}

/**
 * Takes the body of an OTLP ExportTraceServiceRequest, protobuf or JSON, and gives back the processed one in the same
 * encoding. Throws an Error that says what is wrong with it, and where.
 */
export function normalize(body: Uint8Array, options: NormalizeOptions = {}): Uint8Array {
  return convert(body, options);
}

/** As `normalize`, from one encoding to another. */
export function convert(body: Uint8Array, options: ConvertOptions = {}): Uint8Array {
  return core.convert(body, options);
}

export function version(): string {
  return core.version();
}
