// `make demo`: runs the example's agents against a canned model, receives what genspan sends, prints it, and fails if it is not what must arrive.
// Everything is on loopback; nothing is read back with genspan's own code. At a terminal it ends with its traces in the inspector, until Ctrl-C
// (OPEN=0: without, OPEN=1: in a browser).
import { fork } from "node:child_process";
import { once } from "node:events";
import { checkInspector, startInspector } from "./inspector.mjs";
import { ANSWERED_BY, CHAT_MODEL, EMBEDDING_INPUT, startModel, TOOL_ARGUMENTS, USAGE } from "./model.mjs";
import { startReceiver } from "./receiver.mjs";
import { COLUMNS, isEntry, kindOf, sideBySide, traceTree } from "./report.mjs";
import { bold, cyan, dim, fit, green, red, yellow } from "./terminal.mjs";

const TOKEN = "demo-token";
const SERVICE = "weather-agent";
const HOST = "10.0.0.8";
const QUESTION = "深圳今天天气怎么样？";

const RUNS = [
  {
    route: "/chat",
    title: "Unmarked",
    note: "@langfuse/tracing + @langfuse/openai; genspan finds the entry",
    entry: "weather-agent",
    generations: 2,
    embeddings: 1,
  },
  {
    route: "/marked",
    title: "Marked through metadata",
    note: "metadata: {'gen_ai.is_entry': true} on the agent",
    entry: "weather-agent",
    generations: 2,
    embeddings: 1,
  },
  {
    route: "/graph",
    title: "Mark inherited",
    note: "LangGraph hands config.metadata to every run below",
    entry: "LangGraph",
    generations: 2,
    embeddings: 0,
  },
];

/** The inspector's; one that is free, if it is not. */
const PORT = 4318;
const LIMIT_MILLIS = 20_000;

const say = (line = "") => console.log(line);

async function main() {
  const model = await startModel();
  const receiver = await startReceiver();
  const { written, body, stats } = await drive({
    genspan: { endpoint: receiver.url, profile: "tencent", token: TOKEN, serviceName: SERVICE, hostName: HOST },
    services: { baseURL: model.url, apiKey: "none", weatherUrl: model.weatherUrl },
  });
  await Promise.all([model.close(), receiver.close()]);

  const spans = receiver.spans();
  const wrong = [...arrival(written, spans), ...resources(spans)];
  const title = "genspan demo";
  const arrived = `  an agent asks the weather of 深圳, three times · ${spans.length} spans arrived, read by protobufjs`;
  say(bold(title) + dim(fit(arrived, COLUMNS - title.length)));
  for (const [i, run] of RUNS.entries()) {
    const trace = traceOf(run, spans);
    const marks = written.filter(
      (span) =>
        span.traceId === trace[0]?.traceId && "langfuse.observation.metadata.gen_ai.is_entry" in span.attributes,
    ).length;
    say();
    say(
      bold(`${i + 1}  ${run.title}`) +
        dim(
          fit(
            `  ${run.note} · ${marks} mark${marks === 1 ? "" : "s"} in, ${trace.filter(isEntry).length} out`,
            COLUMNS - 3 - run.title.length,
          ),
        ),
    );
    for (const line of traceTree(trace)) say(line);
    wrong.push(...check(run, trace));
  }
  const shown = traceOf(RUNS[0], spans).find((span) => kindOf(span) === "LLM");
  if (shown !== undefined) {
    const { attributes } = written.find((span) => span.spanId === shown.spanId);
    say();
    say(
      bold(`One generation of run 1`) +
        dim(
          `  ${shown.name}: ${Object.keys(attributes).length} attributes in, ${Object.keys(shown.attributes).length} out`,
        ),
    );
    for (const line of sideBySide(attributes, shown.attributes)) say(line);
  }
  say();
  const inspector = await startInspector(body, PORT);
  wrong.push(...(await checkInspector(inspector, body)));
  const status = conclude(wrong, written, stats);
  if (status === 0 && process.stdout.isTTY && process.env.OPEN !== "0") await show(inspector);
  await inspector.close();
  return status;
}

/** Until Ctrl-C. */
async function show({ url, hasPage, open }) {
  say();
  if (!hasPage) return say(dim("The inspector's page is not built: make demo builds it."));
  say(
    `${bold("Look inside:")} ${cyan(`${url}/`)} ${dim("shows these traces as they came in, and what genspan makes of them")}`,
  );
  say(dim("Ctrl-C ends it."));
  if (process.env.OPEN === "1") open();
  await once(process, "SIGINT");
}

/** Runs the application in its own process, asks it once on every route, and returns what its spans looked like inside. */
async function drive(config) {
  const app = fork(new URL("./app.mjs", import.meta.url), [JSON.stringify(config)], { serialization: "advanced" });
  const ended = once(app, "exit").then(([code]) => {
    throw new Error(`the application ended early with exit code ${code}`);
  });
  ended.catch(() => {});
  setTimeout(() => app.kill(), LIMIT_MILLIS).unref();
  const message = () => Promise.race([once(app, "message").then(([held]) => held), ended]);
  const { port } = await message();
  for (const { route } of RUNS) {
    const response = await fetch(`http://127.0.0.1:${port}${route}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ question: QUESTION, user: "user-456", session: "sess-1" }),
    });
    if (!response.ok) throw new Error(`${route} answered ${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
  }
  const result = message();
  app.send("stop");
  return result;
}

/** The spans of the trace that an HTTP request to `run.route` started. */
function traceOf({ route }, spans) {
  const root = spans.find((span) => span.attributes["url.path"] === route || span.attributes["http.target"] === route);
  return root === undefined ? [] : spans.filter((span) => span.traceId === root.traceId);
}

function arrival(written, spans) {
  const wrong = [];
  const arrived = spans.map((span) => span.spanId);
  const lost = written.filter((span) => !arrived.includes(span.spanId));
  if (lost.length > 0) {
    const names = [...new Set(lost.map((span) => span.name))].join(", ");
    wrong.push(`${lost.length} of ${written.length} spans did not arrive: ${names}`);
  }
  if (new Set(arrived).size !== arrived.length) wrong.push("a span arrived more than once");
  return wrong;
}

function resources(spans) {
  const expected = { token: TOKEN, "service.name": SERVICE, "host.name": HOST };
  return Object.entries(expected)
    .filter(([key, value]) => spans.some((span) => span.resource[key] !== value))
    .map(([key, value]) => `the resource attribute ${key} is not ${value} on every span`);
}

function check(run, trace) {
  const wrong = [];
  const expect = (holds, what) => {
    if (!holds) wrong.push(`${run.title}: ${what}`);
  };
  const entries = trace.filter(isEntry).map((span) => span.name);
  expect(
    entries.length === 1 && entries[0] === run.entry,
    `the entry must be ${run.entry} alone, it is ${entries.join(", ") || "nothing"}`,
  );
  const marks = trace.filter(
    (span) =>
      "gen_ai.is_entry" in span.attributes || "langfuse.observation.metadata.gen_ai.is_entry" in span.attributes,
  );
  expect(marks.length === 1, `${marks.length} spans carry a mark of any spelling, one must`);
  const generations = trace.filter((span) => kindOf(span) === "LLM");
  expect(
    generations.length === run.generations,
    `${generations.length} spans of kind LLM, ${run.generations} must be there`,
  );
  const embeddings = trace.filter((span) => kindOf(span) === "EMBEDDING");
  expect(
    embeddings.length === run.embeddings,
    `${embeddings.length} spans of kind EMBEDDING, ${run.embeddings} must be there`,
  );
  for (const { name, attributes } of generations) {
    const usage = {
      input: attributes["gen_ai.usage.input_tokens"],
      cached: attributes["gen_ai.usage.cache_read_input_tokens"],
      output: attributes["gen_ai.usage.output_tokens"],
      reasoning: attributes["gen_ai.usage.reasoning_tokens"],
    };
    expect(
      JSON.stringify(usage) === JSON.stringify(USAGE),
      `${name} has the tokens ${JSON.stringify(usage)}, the model said ${JSON.stringify(USAGE)}`,
    );
    const model = attributes["gen_ai.response.model"];
    expect([CHAT_MODEL, ANSWERED_BY].includes(model), `${name} was answered by ${model}, not ${ANSWERED_BY}`);
  }
  for (const { name, attributes } of embeddings) {
    expect(
      attributes["gen_ai.usage.input_tokens"] === EMBEDDING_INPUT,
      `${name} has ${attributes["gen_ai.usage.input_tokens"]} input tokens, the model said ${EMBEDDING_INPUT}`,
    );
  }
  for (const kind of ["TOOL", ...(run.embeddings > 0 ? ["AGENT", "RETRIEVER"] : [])]) {
    expect(trace.filter((span) => kindOf(span) === kind).length === 1, `one span of kind ${kind} must be there`);
  }
  const tool = trace.find((span) => kindOf(span) === "TOOL")?.attributes["gen_ai.tool.call.arguments"];
  expect(tool === TOOL_ARGUMENTS, `the tool was called with ${tool}, not ${TOOL_ARGUMENTS}`);
  return wrong;
}

function conclude(wrong, written, stats) {
  for (const what of wrong) say(red(`✗ ${what}`));
  if (wrong.length > 0) {
    say(yellow(`  genspan's own count: ${JSON.stringify(stats)}`));
    return 1;
  }
  say(
    green(
      `✓ all ${written.length} spans arrived, each trace has exactly one entry, and the tokens are what the model said`,
    ),
  );
  return 0;
}

process.exitCode = await main();
