// The options of delivery that the core does not check: defaults from the environment, the spool, and certificates.
import { fail, known, positive, present } from "./check.js";
import type { Environment } from "./environment.js";
import { DEFAULTS, type DeliveryOptions, NAMES, type SpoolOptions } from "./options.js";
import type { Host, SpoolSettings, Tls } from "./types.js";

/** The delivery options that are set; with an environment, its variables fill in the others. */
export function delivery(options: DeliveryOptions, env?: Environment): DeliveryOptions {
  const set = Object.fromEntries(NAMES.DeliveryOptions.map((name) => [name, options[name]]));
  return present({
    ...(env && {
      scheduledDelayMillis: env.millis("OTEL_BSP_SCHEDULE_DELAY"),
      maxExportBatchSize: env.positive("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
      maxQueueSize: env.positive("OTEL_BSP_MAX_QUEUE_SIZE"),
      exportTimeoutMillis: env.millis("OTEL_BSP_EXPORT_TIMEOUT"),
    }),
    ...present(set),
  });
}

export function spoolOf(options: SpoolOptions | undefined, host: Host): SpoolSettings | undefined {
  if (options === undefined) return undefined;
  known("spool", options, NAMES.SpoolOptions);
  if (!host.spool) fail("spool", "is not supported: this runtime has no files", "omit it, or use Node, Bun or Deno");
  if (typeof options.dir !== "string" || options.dir === "") {
    fail("spool.dir", "is not a path", 'use a separate directory, such as "/var/spool/shop-traces"');
  }
  return { dir: options.dir, maxBytes: positive("spool.maxBytes", options.maxBytes) ?? DEFAULTS.maxBytes };
}

/** The certificates of the options, or those in the files that the environment names. */
export function tlsOf(at: string, options: Tls | undefined, env: Environment, host: Host): Tls | undefined {
  if (options !== undefined) known(`${at}tls`, options, ["ca", "cert", "key"]);
  const tls = { ...options };
  if (options === undefined && host.readFile) {
    const read = (path: string, name: string) => {
      try {
        return (host.readFile as NonNullable<Host["readFile"]>)(path);
      } catch {
        return fail(name, `${JSON.stringify(path)} cannot be read`, "use the path of a PEM file");
      }
    };
    tls.ca = env.otlp("CERTIFICATE", read);
    tls.cert = env.otlp("CLIENT_CERTIFICATE", read);
    tls.key = env.otlp("CLIENT_KEY", read);
    if ((tls.cert === undefined) !== (tls.key === undefined)) {
      const [there, missing] = tls.cert ? ["CLIENT_CERTIFICATE", "CLIENT_KEY"] : ["CLIENT_KEY", "CLIENT_CERTIFICATE"];
      env.ignore(`OTEL_EXPORTER_OTLP_${there}: is unusable without OTEL_EXPORTER_OTLP_${missing}`);
      tls.cert = undefined;
      tls.key = undefined;
    }
  }
  if (Object.values(tls).every((value) => value === undefined)) return undefined;
  if (!host.dispatch) fail(`${at}tls`, "is not supported by this runtime", "omit it, or use Node, Bun or Deno");
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    fail(`${at}tls`, "has only one of cert and key", "set both for a client certificate");
  }
  return present(tls as Record<string, unknown>);
}
