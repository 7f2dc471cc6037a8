#!/usr/bin/env node
// The command line: `convert` reads one OTLP body and writes the processed one; the long-running commands are in src/serve. The package does all
// processing of spans.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";

const USAGE = `genspan inspect [options]          receive OTLP traces on this machine and show them in a browser
genspan relay --to URL [options]   receive OTLP traces of services in any language and deliver them
genspan convert [options] FILE     process one OTLP body, or explain the result (--explain)

"genspan inspect --help" and "genspan relay --help" list their options.

genspan convert [options] FILE

Reads the body of an OTLP ExportTraceServiceRequest, protobuf or JSON, plain or gzip, from FILE ("-": standard input)
and writes the processed one to standard output.

  --profile NAME    otel (default), otel-1.41, tencent, tencent-cls, langfuse, openinference
  --keep WHAT       source attributes to keep: unmapped, all, none
  --format FORMAT   protobuf or json (default: the format of the input)
  --explain         write the reasons instead: for each span its conventions and entry, for each attribute its source and rule
                    (--format json: as JSON)
  --config FILE     JSON with further options of normalize(); the options above take precedence
  --help, --version

Spans that no backend would accept, such as those without ids, are omitted and counted in a line on standard error.

Exit status: 0 on success; 1 if the input is malformed, unreadable or has only such spans; 2 if the command line or the configuration is invalid.`;

function quit(status, message) {
  console.error(`genspan: ${message.replaceAll(/\s*\n\s*/g, " ")}`);
  process.exit(status);
}

async function built(load) {
  try {
    return await load();
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    return quit(1, "pkg/dist is missing: run make build");
  }
}

const packageInUse = () => built(() => import("../dist/node.js"));

function commandLine() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        config: { type: "string" },
        explain: { type: "boolean" },
        profile: { type: "string" },
        keep: { type: "string" },
        format: { type: "string" },
        help: { type: "boolean", short: "h" },
        version: { type: "boolean" },
      },
    });
  } catch (error) {
    return quit(2, `${error.message}; genspan --help lists the options`);
  }
}

async function configFile(file) {
  const { configFile } = await built(() => import("../dist/serve.js"));
  try {
    return configFile(file);
  } catch (error) {
    return quit(2, error.message);
  }
}

async function standardInput() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function read(file) {
  try {
    const body = file === "-" ? await standardInput() : readFileSync(file);
    return body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body;
  } catch (error) {
    return quit(1, `${file}: ${error.code === "ENOENT" ? "no such file" : error.message}`);
  }
}

// A reader that has read enough, such as head, is not an error.
process.stdout.on("error", (error) => process.exit(error.code === "EPIPE" ? 0 : 1));

const [staying, ...args] = process.argv.slice(2);
if (staying === "inspect" || staying === "relay") {
  process.exit(await (await built(() => import("../dist/serve.js"))).run(staying, args));
}

const { values, positionals } = commandLine();
const [command, file, ...rest] = positionals;
if (values.help) {
  console.log(USAGE);
} else if (values.version) {
  console.log((await packageInUse()).version());
} else if (command !== "convert") {
  quit(
    2,
    `${command === undefined ? "no command" : `unknown command ${/^[\w-]+$/.test(command) ? command : ""}`}; genspan --help lists the commands`,
  );
} else if (file === undefined || rest.length > 0) {
  quit(2, `convert: expects one FILE; use "-" for standard input`);
} else if (values.format !== undefined && values.format !== "json" && values.format !== "protobuf") {
  quit(2, `--format: ${values.format} is not supported; use json or protobuf`);
} else {
  await convert();
}

// One span for a reader: its output attributes with their sources, and the removed ones with the reasons.
function report({ name, spanId, conventions, entry, attributes = [], gone = [], goneEvents = [] }) {
  const colour = process.stdout.hasColors?.() ?? false;
  const paint = (code, text) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  const width = Math.min(48, Math.max(0, ...[...attributes, ...gone].map(({ key }) => key.length)));
  const rule = (a) =>
    [a.from !== a.key && a.from, a.convention && `[${a.convention}]`, a.how].filter(Boolean).join(" ");
  const lines = [
    `${paint(1, name)}  ${paint(2, spanId)}  ${conventions.join(", ") || "no LLM convention"}`,
    `  ${entry.is ? paint(32, "◆ entry") : "  no entry"}: ${entry.why}`,
    ...attributes.map(
      (a) => `  ${paint(a.kept ? 2 : 36, a.kept ? "=" : "+")} ${a.key.padEnd(width)}  ${a.kept ?? rule(a)}`,
    ),
    ...gone.map(
      ({ key, why, by, missing = [] }) =>
        `  ${paint(31, "-")} ${key.padEnd(width)}  ${why}${by.length > 0 ? `: ${by.join(", ")}` : ""}${missing.length > 0 ? `; lost: ${missing.join(", ")}` : ""}`,
    ),
    ...goneEvents.map((event) => `  ${paint(31, "-")} event ${event}: read into attributes`),
  ];
  return `${lines.join("\n")}\n`;
}

async function convert() {
  const { config, profile, keep, format } = values;
  const given = Object.entries({ profile, keep, to: format }).filter(([, value]) => value !== undefined);
  const onPartialSuccess = ({ errorMessage }) => console.error(`genspan: ${file}: ${errorMessage}`);
  const options = { ...(config && (await configFile(config))), ...Object.fromEntries(given), onPartialSuccess };
  const genspan = await packageInUse();
  try {
    genspan.convert(new Uint8Array(), { ...options, from: "protobuf" });
  } catch (error) {
    quit(2, error.message);
  }
  const body = await read(file);
  let output;
  try {
    if (values.explain) {
      const spans = genspan.explain(body, { ...options, to: undefined });
      return process.stdout.write(
        format === "json" ? `${JSON.stringify(spans, null, 2)}\n` : spans.map(report).join("\n"),
      );
    }
    output = Buffer.from(genspan.convert(body, options));
  } catch (error) {
    quit(1, `${file}: ${error.message}`);
  }
  if (process.stdout.isTTY && output[0] === 0x7b) output = `${JSON.stringify(JSON.parse(output), null, 2)}\n`;
  process.stdout.write(output);
}
