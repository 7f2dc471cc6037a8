// The command lines of `inspect` and `relay`, and what they mean.
import { readFileSync } from "node:fs";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { PROFILES } from "../options.js";
import type { Bounds } from "./intake.js";

/** The command line, the configuration or the machine is not as it must be; the process ends with `status`. */
export class Quit extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export const HELP = {
  inspect: `genspan inspect [options]

Receives OTLP traces on this machine and shows them in a browser: what came in, what genspan makes of it, and why. Nothing leaves the machine.

  --port N             OTLP/HTTP and the page (default 4318; 0: any that is free)
  --grpc-port N        OTLP/gRPC (default 4317; none: off)
  --host ADDRESS       where it listens (default 127.0.0.1)
  --keep-bytes SIZE    how much is kept, such as 64MiB (the default); the oldest goes first
  --max-body SIZE      largest request, packed and unpacked (default 16MiB)
  --max-held SIZE      what requests hold in memory until they are whole, together (default 5 times --max-body); what stalls goes first
  --body-idle SECONDS  how long a request may send nothing (default 5)
  --least-rate SIZE    how much of a request has to come each second (default 4KiB)
  --max-connections N  connections by HTTP and gRPC together (default 1024); what idles goes first
  --allow-host NAME    a further name that it may be asked for by; may stand several times
  --allow-origin URL   a page that may send spans, beside those of this machine; may stand several times
  --open               open the page in a browser
  --quiet              no line for each trace`,
  relay: `genspan relay --to URL [options]

Receives OTLP traces of services in any language and sends them on as genspan's SpanProcessor would: normalised, with one entry, in batches,
with retries. Whoever sends too much is told to come again, so nothing is lost silently.

  --to URL             where OTLP is posted to, as it stands; several destinations: --config
  --profile NAME       ${PROFILES.join(", ")} (default otel)
  --protocol NAME      http/protobuf (default), http/json, grpc (needs the package @grpc/grpc-js)
  --config FILE        JSON with the options of the package (destinations, headers, spool, privacy, …); the options here win
  --spool DIR          where what cannot be delivered waits
  --port N             OTLP/HTTP (default 4318; 0: any that is free)
  --grpc-port N        OTLP/gRPC (default 4317; none: off)
  --host ADDRESS       where it listens (default 127.0.0.1)
  --max-body SIZE      largest request, packed and unpacked (default 16MiB, at most 30MiB)
  --max-held SIZE      what requests hold in memory until they are whole, together (default 5 times --max-body); what stalls goes first
  --body-idle SECONDS  how long a request may send nothing (default 5)
  --least-rate SIZE    how much of a request has to come each second (default 4KiB)
  --max-connections N  connections by HTTP and gRPC together (default 1024); what idles goes first
  --allow-host NAME    a further name that it may be asked for by; may stand several times
  --allow-origin URL   a page that may send spans, beside those of this machine; may stand several times
  --quiet              nothing but problems

Headers with keys come from --config or OTEL_EXPORTER_OTLP_HEADERS; those of senders are not passed on. With profile tencent and without a
token here, each sender's own (resource attribute "token") goes with its spans. GET /healthz answers 200 while it runs.
SIGTERM: what it holds is sent, for at most flushTimeoutMillis (20000; 5000 with a spool, which takes the rest), then it ends and says what
became of every span.`,
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
} as const;

/** Where and from whom it receives. */
export interface Listening extends Bounds {
  port: number;
  /** Undefined: not by gRPC. */
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
  /** As GenSpanProcessor takes them. */
  options: Record<string, unknown>;
}

const DEFAULTS = {
  port: 4318,
  grpcPort: 4317,
  host: "127.0.0.1",
  maxBodyBytes: 16 << 20,
  /** In bodies of the largest size. */
  held: 5,
  bodyIdleSeconds: 5,
  leastRate: 4 << 10,
  maxConnections: 1024,
  keepBytes: 64 << 20,
};
/** What the core reads at once, less the address in front. */
const MAX_BODY = 30 << 20;

/** Undefined: help is asked for. */
export function inspectCommand(args: string[]): InspectCommand | undefined {
  const values = read(args, INSPECT);
  if (values.help) return undefined;
  const keepBytes = size("--keep-bytes", values["keep-bytes"]) ?? DEFAULTS.keepBytes;
  return { ...listening(values), keepBytes, open: values.open ?? false };
}

/** Undefined: help is asked for. */
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
  return { ...listening(values), options };
}

function read<T extends NonNullable<ParseArgsConfig["options"]>>(args: string[], options: T) {
  try {
    return parseArgs({ args, options, allowPositionals: false }).values;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // What stands where no option is may be a URL with a key in it.
    const what = code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL" ? "an argument is no option" : message.split(". ")[0];
    throw new Quit(2, `${what} (--help tells the options)`);
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
  if (maxBodyBytes > MAX_BODY)
    throw new Quit(2, `--max-body ${values["max-body"]} is more than can be read at once; write at most 30MiB`);
  const maxHeldBytes = size("--max-held", values["max-held"]) ?? DEFAULTS.held * maxBodyBytes;
  if (maxHeldBytes < 2 * maxBodyBytes) {
    throw new Quit(2, `--max-held ${values["max-held"]} is too little; write at least twice the size of --max-body`);
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
    throw new Quit(2, `${option} ${text} is no port; write a number up to 65535`);
  return Number(text);
}

function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Quit(2, `${option} ${text} is not a whole number from 1`);
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
  if (!(bytes >= 1)) throw new Quit(2, `${option} ${text} is no size; write it like 64MiB`);
  return bytes;
}

/** The object in a JSON file. Throws a Quit, without what is in the file, which may be a token. */
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
    throw new Quit(2, `${file}: is no JSON${/ at position \d+/.exec((error as Error).message)?.[0] ?? ""}`);
  }
  if (config === null || typeof config !== "object" || Array.isArray(config))
    throw new Quit(2, `${file}: is no JSON object`);
  return config as Record<string, unknown>;
}
