// Programs with LangSmith's export to OTel, from a folder with the packages: `node langsmith_js.mjs PROGRAM`.

import { description, fails, load, openaiUrl, question, register, request, schema, sink, weather } from "./js.mjs";

process.env.LANGSMITH_TRACING = "true";
process.env.LANGSMITH_OTEL_ENABLED = "true";
process.env.LANGSMITH_OTEL_ONLY = "true";
process.env.LANGSMITH_ENDPOINT = process.env.CANNED;
process.env.LANGSMITH_API_KEY = "x";
process.env.LANGSMITH_PROJECT = "shop";
const { LangSmithOTLPTraceExporter } = await load("langsmith/experimental/otel/exporter");
const { LangSmithOTLPSpanProcessor } = await load("langsmith/experimental/otel/processor");
const { initializeOTEL } = await load("langsmith/experimental/otel/setup");
const { traceable } = await load("langsmith/traceable");
const { Client } = await load("langsmith");

const own = new LangSmithOTLPSpanProcessor(new LangSmithOTLPTraceExporter({ url: sink }), {
  maxExportBatchSize: 512,
  scheduledDelayMillis: 3_600_000,
});
initializeOTEL({ globalTracerProvider: register([own]), skipGlobalContextManagerSetup: true });
const client = new Client();

const programs = {
  /** Runs of one's own, and the wrapper of OpenAI's client below them. No stream: its run would be written over the one around it. */
  async openai() {
    const { wrapOpenAI } = await load("langsmith/wrappers");
    const { OpenAI } = await load("openai");
    const openai = wrapOpenAI(new OpenAI({ apiKey: "sk-x", baseURL: openaiUrl, maxRetries: 0 }), { client });
    const run = (name, run_type, work, more) => traceable(work, { name, run_type, client, ...more });
    const get_weather = run("get_weather", "tool", async (input) => weather(input));
    const search = run("search", "retriever", async (query) => [
      { page_content: `${query}: 26C`, type: "Document", metadata: { source: "a" } },
    ]);
    const broken = run("broken", "tool", async () => {
      throw new TypeError("no weather today");
    });
    const metadata = { session_id: "sess-1", user_id: "user-456", team: "a" };
    const work = async (question) => {
      const model = "gpt-4o-mini";
      const chat = (body) => openai.chat.completions.create({ model, ...body });
      const tools = [{ type: "function", function: { name: "get_weather", description, parameters: schema } }];
      const messages = [
        { role: "system", content: "be brief" },
        { role: "user", content: question },
      ];
      const first = await chat({
        messages,
        tools,
        temperature: 0.3,
        top_p: 0.9,
        max_tokens: 64,
        seed: 7,
        stop: ["END"],
      });
      const called = first.choices[0].message;
      const content = await get_weather(JSON.parse(called.tool_calls[0].function.arguments));
      const told = { role: "tool", tool_call_id: called.tool_calls[0].id, content };
      const second = await chat({ messages: [...messages, called, told], tools });
      const functions = [{ type: "function", name: "get_weather", description, parameters: schema, strict: false }];
      const asked = { model, instructions: "be brief", tools: functions };
      const { output } = await openai.responses.create({ ...asked, input: question, max_output_tokens: 64 });
      const result = { type: "function_call_output", call_id: told.tool_call_id, output: content };
      await openai.responses.create({ ...asked, input: [messages[1], ...output, result] });
      await search("深圳");
      await fails(() => broken({ city: "深圳" }));
      await fails(() => chat({ model: "boom", messages }));
      return second.choices[0].message.content;
    };
    await request(() => run("shop", "chain", work, { metadata, tags: ["a", "b"] })(question));
  },

  /** Its exporter writes its own keys beside those of the Vercel SDK. */
  async vercel() {
    const ai = await load("ai");
    const { createOpenAI } = await load("@ai-sdk/openai");
    const { z } = await load("zod");
    const openai = createOpenAI({ apiKey: "sk-x", baseURL: openaiUrl });
    const metadata = { userId: "user-456", session_id: "sess-1" };
    const telemetry = { isEnabled: true, functionId: "weather-agent", metadata };
    const execute = async (input) => weather(input);
    const get_weather = ai.tool({ description, inputSchema: z.object({ city: z.string() }), execute });
    const model = openai.chat("gpt-4o-mini");
    const call = { model, system: "be brief", prompt: question, maxRetries: 0, experimental_telemetry: telemetry };
    await request(async () => {
      await ai.generateText({ ...call, tools: { get_weather }, stopWhen: ai.stepCountIs(3), temperature: 0.3 });
      await ai.streamText(call).consumeStream();
      await fails(() => ai.generateText({ ...call, model: openai.chat("boom") }));
    });
  },
};

await programs[process.argv[2]]();
await client.awaitPendingTraceBatches();
await own.forceFlush();
