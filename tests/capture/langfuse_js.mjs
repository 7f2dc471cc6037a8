// Programs with the Langfuse JS SDK, 4 and 5, from a folder with the packages: `node langfuse_js.mjs PROGRAM`.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const resolve = createRequire(`${process.cwd()}/`).resolve;
const load = async (name) => import(pathToFileURL(resolve(name)).href);
const { NodeTracerProvider } = await load("@opentelemetry/sdk-trace-node");
const { resourceFromAttributes } = await load("@opentelemetry/resources");
const { trace } = await load("@opentelemetry/api");
const { LangfuseSpanProcessor } = await load("@langfuse/otel");
const tracing = await load("@langfuse/tracing");

const base = process.env.CANNED;
const processor = new LangfuseSpanProcessor({
  publicKey: "pk-lf-x",
  secretKey: "sk-lf-x",
  baseUrl: `${base}/${process.env.NAME}`,
  shouldExportSpan: () => true,
});
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "shop-agent", "host.name": "10.0.0.8", token: "tok-123" }),
  spanProcessors: [processor],
});
provider.register();
const http = trace.getTracer("@opentelemetry/instrumentation-http");

const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ type: "function", function: { name: "get_weather", description: "weather of a city", parameters } }];
const messages = [
  { role: "system", content: "be brief" },
  { role: "user", content: "深圳天气如何?" },
];

async function graph(metadata) {
  const { ChatOpenAI } = await load("@langchain/openai");
  const { tool } = await load("@langchain/core/tools");
  const { createReactAgent } = await load("@langchain/langgraph/prebuilt");
  const { CallbackHandler } = await load("@langfuse/langchain");
  const getWeather = tool(({ city }) => `${city}: 26C sunny`, {
    name: "get_weather",
    description: "weather of a city",
    schema: parameters,
  });
  const llm = new ChatOpenAI({
    model: "gpt-4o-mini",
    temperature: 0.3,
    apiKey: "sk-x",
    configuration: { baseURL: `${base}/v1` },
  });
  const handler = new CallbackHandler({ userId: "user-456", sessionId: "sess-1", tags: ["a", "b"] });
  const agent = createReactAgent({ llm, tools: [getWeather] });
  await agent.invoke({ messages: [["user", "深圳天气如何?"]] }, { callbacks: [handler], metadata });
}

const programs = {
  async inherited() {
    await http.startActiveSpan("POST /chat", async (span) => {
      await graph({ "gen_ai.is_entry": true });
      span.end();
    });
  },

  async nested() {
    await http.startActiveSpan("POST /chat", async (span) => {
      await tracing.startActiveObservation("agent-nested", async (agent) => {
        agent.update({ metadata: { gen_ai: { is_entry: true }, team: "a" } });
        await graph({});
      });
      span.end();
    });
  },

  async wrapper() {
    const { default: OpenAI } = await load("openai");
    const { observeOpenAI } = await load("@langfuse/openai");
    const client = observeOpenAI(new OpenAI({ apiKey: "sk-x", baseURL: `${base}/v1`, maxRetries: 0 }));
    await http.startActiveSpan("POST /chat", async (span) => {
      await tracing.startActiveObservation("chat", async (chat) => {
        chat.update({ metadata: { "gen_ai.is_entry": true } });
        await client.chat.completions.create({
          model: "gpt-4o-mini",
          messages,
          tools,
          temperature: 0.3,
          max_tokens: 64,
          seed: 7,
          stop: ["END"],
        });
        await client.chat.completions.create({ model: "gpt-4o-mini", messages });
      });
      await client.embeddings.create({ model: "text-embedding-3-small", input: "深圳", encoding_format: "float" });
      await tracing.startActiveObservation("stream", async (stream) => {
        stream.update({ metadata: { "gen_ai.is_entry": false } });
        const call = { model: "gpt-4o-mini", messages, tools, stream: true, stream_options: { include_usage: true } };
        for await (const _ of await client.chat.completions.create(call));
      });
      await client.chat.completions.create({ model: "boom", messages }).catch((error) => console.log(error.message));
      span.end();
    });
  },

  async sdk() {
    const { startActiveObservation: observe, propagateAttributes } = tracing;
    const turn = async (span) => {
      if (!propagateAttributes)
        span.updateTrace({
          sessionId: "sess-1",
          userId: "user-456",
          tags: ["a", "b"],
          metadata: { "gen_ai.is_entry": true },
        });
      await observe(
        "plan",
        async (plan) => {
          plan.update({
            model: "gpt-4o-mini",
            modelParameters: { temperature: 0.3, maxTokens: 64, topP: 0.9 },
            input: messages,
            output: {
              role: "assistant",
              content: "",
              tool_calls: [
                {
                  id: "call_abc123",
                  type: "function",
                  function: { name: "get_weather", arguments: '{"city":"深圳"}' },
                },
              ],
            },
            completionStartTime: new Date(),
            usageDetails: { input: 25, output: 9, input_cached_tokens: 32, output_reasoning_tokens: 8, total: 74 },
            costDetails: { input: 0.01, output: 0.02, total: 0.03 },
            prompt: { name: "weather", version: 3, isFallback: false },
          });
        },
        { asType: "generation" },
      );
      await observe(
        "get_weather",
        async (tool) => {
          tool.update({ input: { city: "深圳" }, output: "深圳: 26C sunny", level: "WARNING", statusMessage: "slow" });
        },
        { asType: "tool" },
      );
      await observe(
        "search",
        async (search) => {
          search.update({ input: "深圳", output: [{ pageContent: "深圳: 26C", metadata: { source: "a" } }] });
        },
        { asType: "retriever" },
      );
      await observe(
        "vectors",
        async (vectors) => {
          vectors.update({ model: "text-embedding-3-small", input: "深圳", usageDetails: { input: 8 } });
        },
        { asType: "embedding" },
      );
      await observe(
        "broken",
        async (broken) => {
          broken.update({ model: "gpt-4o-mini", input: messages, level: "ERROR", statusMessage: "quota used up" });
        },
        { asType: "generation" },
      );
      span.update({ input: { question: "深圳天气如何?" }, output: "It is 26°C and sunny. 晴天。" });
    };
    const attributes = {
      sessionId: "sess-1",
      userId: "user-456",
      tags: ["a", "b"],
      metadata: { "gen_ai.is_entry": "true", team: "a" },
    };
    const run = () => observe("chat-turn", turn, { asType: "agent" });
    await (propagateAttributes ? propagateAttributes(attributes, run) : run());
  },
};

await programs[process.argv[2]]();
await processor.forceFlush();
