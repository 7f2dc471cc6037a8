// The options of delivery: how batches are made and sent, and what the core and the transports get of them.
import { fail, known, millis, positive, present, shown } from "./check.js";
import type { Environment } from "./environment.js";
import type { Host, Tls } from "./host.js";

/** How batches are made and sent; beside `destinations` it holds for all of them. */
export interface DeliveryOptions {
  /** How long a span waits for its batch, in ms. Default 5000. */
  scheduledDelayMillis?: number | undefined;
  /** How many spans a batch may have. Default 512. */
  maxExportBatchSize?: number | undefined;
  /** How many bytes a request may have, as encoded, before compression; at most 33554432. Default 4194304 (4 MiB). */
  maxExportBatchBytes?: number | undefined;
  /** How many spans may wait; more are dropped and counted. Default 8192. */
  maxQueueSize?: number | undefined;
  /** How many bytes of encoded spans may wait. Default 67108864 (64 MiB). */
  maxQueueBytes?: number | undefined;
  /** What a full queue drops; entries are the last to go. Default `"oldest"`. */
  dropPolicy?: "oldest" | "newest" | undefined;
  /** How long delivery of a batch is tried, retries included, in ms. Default 300000. */
  exportTimeoutMillis?: number | undefined;
  /** How many requests are on their way at most. Default 4. */
  concurrencyLimit?: number | undefined;
  /** Waits between tries, in ms: below `initialMillis` (1000) at first, doubled each time up to `maxMillis` (30000). */
  retry?: { initialMillis?: number | undefined; maxMillis?: number | undefined } | undefined;
  /** After `failures` (5; 0: never) in a row a destination is left alone for `openMillis` (10000), then one request probes it. */
  breaker?: { failures?: number | undefined; openMillis?: number | undefined } | undefined;
}

/** Where what cannot be delivered is kept, in Node, Bun and Deno. */
export interface SpoolOptions {
  /** A directory of its own; processes may share it. */
  dir: string;
  /** How large it may become, in bytes; the oldest goes first. Default 268435456 (256 MiB). */
  maxBytes?: number | undefined;
}

/** The same with every default filled in. */
export interface SpoolSettings {
  dir: string;
  maxBytes: number;
}

export const DELIVERY_FIELDS = [
  "scheduledDelayMillis",
  "maxExportBatchSize",
  "maxExportBatchBytes",
  "maxQueueSize",
  "maxQueueBytes",
  "dropPolicy",
  "exportTimeoutMillis",
  "concurrencyLimit",
  "retry",
  "breaker",
] as const satisfies (keyof DeliveryOptions)[];

export const DEFAULT_QUEUE = 8192;
const DEFAULT_SPOOL = 256 << 20;
const MAX_BATCH = 32 << 20;

/** What the core calls `delivery`, and has beside `destinations` too; `undefined`: all as it is by default. */
export function delivery(at: string, options: DeliveryOptions, env: Environment, spool: boolean): object | undefined {
  const group = (fields: Record<string, unknown>) => {
    const set = present(fields);
    return Object.keys(set).length > 0 ? set : undefined;
  };
  const { retry = {}, breaker = {}, dropPolicy } = options;
  known(`${at}retry`, retry, ["initialMillis", "maxMillis"]);
  known(`${at}breaker`, breaker, ["failures", "openMillis"]);
  if (dropPolicy !== undefined && dropPolicy !== "oldest" && dropPolicy !== "newest") {
    fail(`${at}dropPolicy`, `${shown(dropPolicy)} is unknown`, 'use "oldest" or "newest"');
  }
  const count = (field: keyof DeliveryOptions) => positive(`${at}${field}`, options[field] as number | undefined);
  const time = (field: keyof DeliveryOptions) => millis(`${at}${field}`, options[field] as number | undefined);
  const maxBytes = count("maxExportBatchBytes");
  if (maxBytes !== undefined && maxBytes > MAX_BATCH) {
    fail(`${at}maxExportBatchBytes`, `${maxBytes} is more than is read back at once`, `write at most ${MAX_BATCH}`);
  }
  return group({
    queue: group({
      maxSpans: count("maxQueueSize") ?? env.positive("OTEL_BSP_MAX_QUEUE_SIZE"),
      maxBytes: count("maxQueueBytes"),
      drop: dropPolicy,
    }),
    batch: group({
      maxSpans: count("maxExportBatchSize") ?? env.positive("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
      maxBytes,
      delayMillis: time("scheduledDelayMillis") ?? env.millis("OTEL_BSP_SCHEDULE_DELAY"),
    }),
    retry: group({
      initialMillis: millis(`${at}retry.initialMillis`, retry.initialMillis),
      maxMillis: millis(`${at}retry.maxMillis`, retry.maxMillis),
      deadlineMillis: time("exportTimeoutMillis") ?? env.millis("OTEL_BSP_EXPORT_TIMEOUT"),
    }),
    breaker: group({
      failures: breaker.failures === 0 ? 0 : positive(`${at}breaker.failures`, breaker.failures),
      openMillis: millis(`${at}breaker.openMillis`, breaker.openMillis),
    }),
    maxInFlight: count("concurrencyLimit"),
    spool: spool || undefined,
  });
}

export function spoolOf(options: SpoolOptions | undefined, host: Host): SpoolSettings | undefined {
  if (options === undefined) return undefined;
  known("spool", options, ["dir", "maxBytes"]);
  if (!host.spool) fail("spool", "needs files, which this host has none of", "leave it out, or run in Node");
  if (typeof options.dir !== "string" || options.dir === "") {
    fail("spool.dir", "is no path", 'name a directory of its own, such as "/var/spool/shop-traces"');
  }
  return { dir: options.dir, maxBytes: positive("spool.maxBytes", options.maxBytes) ?? DEFAULT_SPOOL };
}

/** Certificates as options give them, or in the files that the environment names. */
export function tlsOf(at: string, options: Tls | undefined, env: Environment, host: Host): Tls | undefined {
  if (options !== undefined) known(`${at}tls`, options, ["ca", "cert", "key"]);
  const tls = { ...options };
  if (options === undefined && host.readFile) {
    const read = (path: string, name: string) => {
      try {
        return (host.readFile as NonNullable<Host["readFile"]>)(path);
      } catch {
        return fail(name, `${JSON.stringify(path)} cannot be read`, "name a PEM file");
      }
    };
    tls.ca = env.otlp("CERTIFICATE", read);
    tls.cert = env.otlp("CLIENT_CERTIFICATE", read);
    tls.key = env.otlp("CLIENT_KEY", read);
    if ((tls.cert === undefined) !== (tls.key === undefined)) {
      const [there, missing] = tls.cert ? ["CLIENT_CERTIFICATE", "CLIENT_KEY"] : ["CLIENT_KEY", "CLIENT_CERTIFICATE"];
      env.ignore(`OTEL_EXPORTER_OTLP_${there} needs OTEL_EXPORTER_OTLP_${missing} beside it`);
      tls.cert = undefined;
      tls.key = undefined;
    }
  }
  if (Object.values(tls).every((value) => value === undefined)) return undefined;
  if (!host.dispatch) fail(`${at}tls`, "cannot be set in this host", "leave it out, or run in Node");
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    fail(`${at}tls`, "has one of cert and key", "a client certificate needs both");
  }
  return present(tls as Record<string, unknown>);
}
