// One of two services, in a process of its own: `front` answers with a LangGraph graph of three parallel branches, one of which asks
// `back`, which asks a model. Traced by Langfuse's callback handler and the stock HTTP instrumentation, as the example sets them up.
// `node services.mjs '{"role": …, "genspan": …, "baseURL": …, "mark": …, "back": <its port>, "outside": <ask it from outside of the graph>}'`
import http from "node:http";
import { createRequire } from "node:module";
import { startTracing } from "../../examples/node-langfuse/tracing.mjs";

const { role, genspan, baseURL, mark, back, outside } = JSON.parse(process.argv[2]);
const require = createRequire(new URL("../../examples/node-langfuse/package.json", import.meta.url));
const { processor } = startTracing(genspan);
const { CallbackHandler } = require("@langfuse/langchain");
const { Annotation, END, START, StateGraph } = require("@langchain/langgraph");
const { ChatOpenAI } = require("@langchain/openai");

const model = new ChatOpenAI({ model: "gpt-4o-mini", apiKey: "none", configuration: { baseURL } });
const say = async (config) => [String((await model.invoke("hello", config)).content)];

function askBack() {
  return new Promise((resolve, reject) => {
    const request = http.request({ port: back, host: "127.0.0.1", method: "POST", path: "/back" }, (response) => {
      response.resume().on("end", () => resolve(["asked"]));
    });
    request.on("error", reject).end();
  });
}

const State = Annotation.Root({ said: Annotation({ reducer: (a, b) => a.concat(b), default: () => [] }) });
const graph = new StateGraph(State)
  .addNode("poet", async (_, config) => ({ said: await say(config) }))
  .addNode("critic", async (_, config) => ({ said: await say(config) }))
  .addNode("caller", async () => ({ said: outside ? ["nobody asked"] : await askBack() }))
  .addNode("join", async () => ({ said: ["done"] }))
  .addEdge(START, "poet")
  .addEdge(START, "critic")
  .addEdge(START, "caller")
  .addEdge(["poet", "critic", "caller"], "join")
  .addEdge("join", END)
  .compile();

const answers = {
  async front() {
    const metadata = mark ? { "gen_ai.is_entry": true } : undefined;
    const { said } = await graph.invoke({ said: [] }, { callbacks: [new CallbackHandler()], metadata });
    if (outside) await askBack();
    return said.length;
  },
  back: async () => (await say({ callbacks: [new CallbackHandler()] })).length,
};

const server = http.createServer(async (_, response) => {
  try {
    response.end(String(await answers[role]()));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
process.once("message", async () => {
  server.close();
  server.closeAllConnections();
  await processor.shutdown();
  process.send({ stats: processor.stats() }, () => process.disconnect());
});
