// The tables of docs/readers.md: what each reader reads, from what the SDKs wrote and from what genspan sends. `make readers` writes them.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { captures, done, inLangfuse, readInPython, reads, sentIn } from "./readings.mjs";

export const PAGE = fileURLToPath(new URL("../../docs/readers.md", import.meta.url));
const START = "<!-- tables: make readers -->\n";

/** The readers with their profiles. */
export const READERS = [
  ["mlflow", "otel", "MLflow 3.17.2"],
  ["phoenix", "openinference", "Arize Phoenix 20.26.1"],
  ["langfuse", "langfuse", "Langfuse 4.16.0"],
];

const COLUMNS = {
  kind: ["type"],
  model: ["model"],
  tokens: ["input_tokens", "output_tokens", "cache_read", "cache_write"],
  input: ["input"],
  instructions: ["instructions"],
  output: ["output"],
  session: ["session", "conversation"],
  user: ["user"],
};

/** The SDK that wrote a file, without version: langfuse-py, vercel-ai-js. */
const sourceOf = (file) => file.replace(/-v?\d[\w.]*\..*$|-1\.26-to.*$/, "");

/** Counts by source and column: spans where the program did something, and of them those that were read so. */
function count(before, after) {
  const counts = {};
  for (const { name, body } of captures) {
    counts[sourceOf(name)] ??= Object.fromEntries(Object.keys(COLUMNS).map((column) => [column, [0, 0, 0]]));
    const row = counts[sourceOf(name)];
    for (const [id, says] of Object.entries(done(body))) {
      for (const [column, fields] of Object.entries(COLUMNS)) {
        const known = fields.filter((field) => says[field] !== undefined);
        // What runs calls of a model goes without a model of its own where a backend would count its tokens twice.
        if (known.length === 0 || (column === "model" && says.type !== "LLM" && says.type !== "EMBEDDING")) continue;
        const right = (readings) => Number(known.every((field) => reads(field, says, readings[name][id])));
        const cell = row[column];
        cell[0] += 1;
        cell[1] += right(before);
        cell[2] += right(after);
      }
    }
  }
  return counts;
}

const cell = ([all, before, after]) =>
  all === 0 ? "" : before === after ? `${after} of ${all}` : `${before} → ${after} of ${all}`;

function table(counts) {
  const total = Object.fromEntries(
    Object.keys(COLUMNS).map((column) => [
      column,
      [0, 1, 2].map((at) => Object.values(counts).reduce((sum, row) => sum + row[column][at], 0)),
    ]),
  );
  const rows = [["all", total], ...Object.entries(counts).sort()].map(([name, row]) => [
    name,
    ...Object.values(row).map(cell),
  ]);
  const lines = [["source", ...Object.keys(COLUMNS)], ["", ...Object.keys(COLUMNS)].map(() => "---"), ...rows];
  return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
}

/** The bodies that Python reads for the page. */
export const forPage = () => [
  ...captures.map(({ name, body }) => ({ name: `raw/${name}`, body })),
  ...["otel", "openinference"].flatMap((profile) =>
    sentIn(profile).map(({ name, body }) => ({ name: `${profile}/${name}`, body })),
  ),
];

/** Of what Python has read, the part of a reader and a profile. */
export const part = (readings, reader, profile) =>
  Object.fromEntries(captures.map(({ name }) => [name, readings[reader][`${profile}/${name}`]]));

/** The page with its tables as they are by these readings. */
export function render(readings) {
  const [head] = readFileSync(PAGE, "utf8").split(START);
  const sections = READERS.map(([reader, profile, title]) => {
    const [before, after] =
      reader === "langfuse"
        ? [inLangfuse(captures), inLangfuse(sentIn(profile))]
        : [part(readings, reader, "raw"), part(readings, reader, profile)];
    return `## ${title}, profile \`${profile}\`\n\n${table(count(before, after))}\n`;
  });
  return `${head}${START}\n${sections.join("\n")}`;
}

if (process.env.WRITE_PAGE) writeFileSync(PAGE, render(await readInPython(forPage())));
