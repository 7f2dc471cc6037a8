// The command lines of `inspect` and `relay`.
import { readFileSync } from "node:fs";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { PROFILES } from "../options.js";
import { type Forward, forwardTo } from "./forward.js";
import type { Bounds } from "./intake.js";
import { Quit } from "./quit.js";

export const HELP = {
  inspect: `genspan inspect [options]

Receives OTLP traces on this machine and shows them in a browser: the input, genspan's output, and the reasons. No data leaves the machine.

  --port N             port for OTLP/HTTP and the page (default 4318; 0: any free port)
  --grpc-port N        port for OTLP/gRPC (default 4317; "none" disables it)
  --host ADDRESS       address to listen on (default 127.0.0.1)
  --keep-bytes SIZE    memory for received bodies (default 64MiB); the oldest are removed first
  --max-body SIZE      largest request, packed and unpacked (default 16MiB)
  --max-held SIZE      memory for all incomplete requests (default 5 times --max-body); stalled ones are ended first
  --body-idle SECONDS  longest pause within a request (default 5)
  --least-rate SIZE    lowest rate of a request, per second (default 4KiB)
  --max-connections N  maximum number of connections, HTTP and gRPC together (default 1024); idle ones are closed first
  --allow-host NAME    additional Host name to accept (repeatable)
  --allow-origin URL   additional origin whose pages may send spans (repeatable); pages of this machine always may
  --open               open the page in a browser
  --quiet              do not print a line for each trace`,
  relay: `genspan relay --to URL [options]

Receives OTLP traces of services in any language and delivers them as genspan's SpanProcessor does: normalised, with one entry per segment, in
batches, with retries. When the queue is full, senders get 503 with Retry-After.

  --to URL             where OTLP is posted to, exactly as given; for several destinations use --config
  --profile NAME       ${PROFILES.join(", ")} (default otel)
  --protocol NAME      http/protobuf (default), http/json, grpc (needs the package @grpc/grpc-js)
  --config FILE        JSON with the options of the package (destinations, headers, spool, privacy, …); command-line options take precedence
  --spool DIR          directory for undelivered batches
  --forward-other-signals URL
                       pass metrics and logs on to this OTLP/HTTP receiver, as they are; without it they get 404
  --port N             port for OTLP/HTTP (default 4318; 0: any free port)
  --grpc-port N        port for OTLP/gRPC (default 4317; "none" disables it)
  --host ADDRESS       address to listen on (default 127.0.0.1)
  --max-body SIZE      largest request, packed and unpacked (default 16MiB, at most 30MiB)
  --max-held SIZE      memory for all incomplete requests (default 5 times --max-body); stalled ones are ended first
  --body-idle SECONDS  longest pause within a request (default 5)
  --least-rate SIZE    lowest rate of a request, per second (default 4KiB)
  --max-connections N  maximum number of connections, HTTP and gRPC together (default 1024); idle ones are closed first
  --allow-host NAME    additional Host name to accept (repeatable)
  --allow-origin URL   additional origin whose pages may send spans (repeatable); pages of this machine always may
  --quiet              print only problems

Headers with credentials come from --config or OTEL_EXPORTER_OTLP_HEADERS; those of senders are not forwarded. With profile tencent and no token
in the configuration, each sender's own token (resource attribute "token") is sent with its spans. GET /healthz answers 200 while the relay runs.
On SIGTERM the relay sends what it holds for at most flushTimeoutMillis (20000; 5000 with a spool, which stores the rest), prints a summary of all
spans, and exits.`,
};

const COMMON = {
  port: { type: "string" },
  "grpc-port": { type: "string" },
  host: { type: "string" },
  "max-body": { type: "string" },
  "max-held": { type: "string" },
  "body-idle": { type: "string" },
  "least-rate": { type: "string" },
  "max-connections": { type: "string" },
  "allow-host": { type: "string", multiple: true },
  "allow-origin": { type: "string", multiple: true },
  quiet: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const satisfies ParseArgsConfig["options"];
const INSPECT = { ...COMMON, "keep-bytes": { type: "string" }, open: { type: "boolean" } } as const;
const RELAY = {
  ...COMMON,
  to: { type: "string" },
  profile: { type: "string" },
  protocol: { type: "string" },
  config: { type: "string" },
  spool: { type: "string" },
  "forward-other-signals": { type: "string" },
} as const;

/** Where and from whom it receives. */
export interface Listening extends Bounds {
  port: number;
  /** Undefined if gRPC is disabled. */
  grpcPort: number | undefined;
  host: string;
  allowHosts: string[];
  allowOrigins: string[];
  quiet: boolean;
}

export interface InspectCommand extends Listening {
  keepBytes: number;
  open: boolean;
}

export interface RelayCommand extends Listening {
  /** Options of GenSpanProcessor. */
  options: Record<string, unknown>;
  /** Where metrics and logs go. */
  forward?: Forward | undefined;
}

const DEFAULTS = {
  port: 4318,
  grpcPort: 4317,
  host: "127.0.0.1",
  maxBodyBytes: 16 << 20,
  /** A multiple of the largest body. */
  held: 5,
  bodyIdleSeconds: 5,
  leastRate: 4 << 10,
  maxConnections: 1024,
  keepBytes: 64 << 20,
};
/** The largest body that the core reads, less the address that precedes it. */
const MAX_BODY = 30 << 20;

/** Returns undefined if help is requested. */
export function inspectCommand(args: string[]): InspectCommand | undefined {
  const values = read(args, INSPECT);
  if (values.help) return undefined;
  const keepBytes = size("--keep-bytes", values["keep-bytes"]) ?? DEFAULTS.keepBytes;
  return { ...listening(values), keepBytes, open: values.open ?? false };
}

/** Returns undefined if help is requested. */
export function relayCommand(args: string[]): RelayCommand | undefined {
  const values = read(args, RELAY);
  if (values.help) return undefined;
  const { to, profile, protocol, config, spool } = values;
  const given = Object.entries({ endpoint: to, profile, protocol }).filter(([, value]) => value !== undefined);
  const options = {
    ...(config !== undefined && configFile(config)),
    ...Object.fromEntries(given),
    ...(spool !== undefined && { spool: { dir: spool } }),
  };
  if (!("endpoint" in options) && !("destinations" in options)) {
    throw new Quit(2, "relay needs --to URL, or --config with an endpoint or destinations");
  }
  const url = values["forward-other-signals"];
  return { ...listening(values), options, ...(url !== undefined && { forward: forwardTo(url) }) };
}

function read<T extends NonNullable<ParseArgsConfig["options"]>>(args: string[], options: T) {
  try {
    return parseArgs({ args, options, allowPositionals: false }).values;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // The message omits an unexpected argument, because it may be a URL with a key in it.
    const what =
      code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL" ? "unexpected argument: not an option" : message.split(". ")[0];
    throw new Quit(2, `${what}; --help lists the options`);
  }
}

function listening(values: {
  port?: string;
  "grpc-port"?: string;
  host?: string;
  "max-body"?: string;
  "max-held"?: string;
  "body-idle"?: string;
  "least-rate"?: string;
  "max-connections"?: string;
  "allow-host"?: string[];
  "allow-origin"?: string[];
  quiet?: boolean;
}): Listening {
  const maxBodyBytes = size("--max-body", values["max-body"]) ?? DEFAULTS.maxBodyBytes;
  if (maxBodyBytes > MAX_BODY) throw new Quit(2, `--max-body: ${values["max-body"]} is too large; use at most 30MiB`);
  const maxHeldBytes = size("--max-held", values["max-held"]) ?? DEFAULTS.held * maxBodyBytes;
  if (maxHeldBytes < 2 * maxBodyBytes) {
    throw new Quit(2, `--max-held: ${values["max-held"]} is too small; use at least twice the size of --max-body`);
  }
  return {
    port: port("--port", values.port) ?? DEFAULTS.port,
    grpcPort:
      values["grpc-port"] === "none" ? undefined : (port("--grpc-port", values["grpc-port"]) ?? DEFAULTS.grpcPort),
    host: values.host ?? DEFAULTS.host,
    maxBodyBytes,
    maxHeldBytes,
    bodyIdleMillis: 1000 * (count("--body-idle", values["body-idle"]) ?? DEFAULTS.bodyIdleSeconds),
    leastRate: size("--least-rate", values["least-rate"]) ?? DEFAULTS.leastRate,
    maxConnections: count("--max-connections", values["max-connections"]) ?? DEFAULTS.maxConnections,
    allowHosts: values["allow-host"] ?? [],
    allowOrigins: values["allow-origin"] ?? [],
    quiet: values.quiet ?? false,
  };
}

function port(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535)
    throw new Quit(2, `${option}: ${text} is not a valid port; use a number up to 65535`);
  return Number(text);
}

function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Quit(2, `${option}: ${text} is not a positive integer; use 1 or more`);
  return Number(text);
}

const UNITS: Record<string, number> = {
  "": 1,
  b: 1,
  k: 1 << 10,
  kib: 1 << 10,
  kb: 1e3,
  m: 1 << 20,
  mib: 1 << 20,
  mb: 1e6,
  g: 1 << 30,
  gib: 1 << 30,
  gb: 1e9,
};

function size(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
  if (!(bytes >= 1)) throw new Quit(2, `${option}: ${text} is not a size; write it like 64MiB`);
  return bytes;
}

/** The object in a JSON file. Throws a Quit, whose message omits the content of the file, because that may contain a token. */
export function configFile(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Quit(
      2,
      `${file}: ${(error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : (error as Error).message}`,
    );
  }
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    throw new Quit(2, `${file}: not valid JSON${/ at position \d+/.exec((error as Error).message)?.[0] ?? ""}`);
  }
  if (config === null || typeof config !== "object" || Array.isArray(config))
    throw new Quit(2, `${file}: not a JSON object`);
  return config as Record<string, unknown>;
}
