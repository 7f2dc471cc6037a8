// Programs with OpenInference's JavaScript instrumentations, from a folder with the packages: `node openinference_js.mjs PROGRAM`.

import * as clients from "./clients.mjs";
import {
  description,
  exporter,
  fails,
  load,
  openaiUrl,
  processor,
  question,
  register,
  request,
  weather,
} from "./js.mjs";

const core = await load("@arizeai/openinference-core");
const { context } = await load("@opentelemetry/api");

/** Who asks, on every span below. */
async function known(work) {
  let cx = core.setSession(context.active(), { sessionId: "sess-1" });
  cx = core.setUser(cx, { userId: "user-456" });
  cx = core.setMetadata(cx, { team: "a", "gen_ai.is_entry": true });
  cx = core.setTags(cx, ["a", "b"]);
  cx = core.setPromptTemplate(cx, { template: "{city}天气如何?", variables: { city: "深圳" }, version: "v1" });
  await context.with(cx, work);
}

const programs = {
  async openai() {
    register();
    const { OpenAIInstrumentation } = await load("@arizeai/openinference-instrumentation-openai");
    const { default: OpenAI } = await load("openai");
    new OpenAIInstrumentation().manuallyInstrument(OpenAI);
    await request(() => known(() => clients.openai(OpenAI)));
  },

  async anthropic() {
    register();
    const { AnthropicInstrumentation } = await load("@arizeai/openinference-instrumentation-anthropic");
    const { default: Anthropic } = await load("@anthropic-ai/sdk");
    new AnthropicInstrumentation().manuallyInstrument(Anthropic);
    await request(() => clients.anthropic(Anthropic));
  },

  async langchain() {
    register();
    const { LangChainInstrumentation } = await load("@arizeai/openinference-instrumentation-langchain");
    new LangChainInstrumentation().manuallyInstrument(await load("@langchain/core/callbacks/manager"));
    await request(() => clients.langchain());
  },

  /** Spans of one's own, through the wrappers. */
  async wrappers() {
    register();
    const { traceAgent, traceChain, traceTool, withSpan } = core;
    const get_weather = traceTool(weather, { name: "get_weather" });
    const search = withSpan(async (query) => [{ content: `${query}: 26C`, score: 0.8, id: "d1" }], {
      kind: "RETRIEVER",
      name: "search",
      processInput: (query) => core.getInputAttributes(query),
      processOutput: (documents) =>
        core.getRetrieverAttributes({ documents: documents.map((d) => ({ ...d, metadata: { source: "a" } })) }),
    });
    const llm = withSpan(async () => "It is 26°C and sunny. 晴天。", {
      kind: "LLM",
      name: "answer",
      processInput: () =>
        core.getLLMAttributes({
          provider: "openai",
          modelName: "gpt-4o-mini",
          invocationParameters: { temperature: 0.3, max_tokens: 64 },
          inputMessages: [
            { role: "system", content: "be brief" },
            {
              role: "user",
              contents: [
                { type: "text", text: question },
                { type: "image", image: { url: "https://example.com/a.png" } },
              ],
            },
          ],
          tools: [
            {
              jsonSchema: {
                type: "function",
                function: { name: "get_weather", description, parameters: { type: "object" } },
              },
            },
          ],
        }),
      processOutput: (text) =>
        core.getLLMAttributes({
          outputMessages: [{ role: "assistant", content: text }],
          tokenCount: { prompt: 57, completion: 17, total: 74, promptDetails: { cacheRead: 32 } },
        }),
    });
    const broken = traceTool(
      async () => {
        throw new TypeError("no weather today");
      },
      { name: "broken" },
    );
    const plan = traceChain((city) => get_weather({ city }), { name: "plan" });
    const agent = traceAgent(
      async (question) => {
        await plan("深圳");
        await search("深圳");
        await fails(() => broken({ city: "深圳" }));
        return llm(question);
      },
      { name: "weather-agent" },
    );
    await request(() => known(() => agent(question)));
  },

  /** The processor that writes OpenInference's keys beside those of the Vercel SDK. */
  async vercel() {
    const { OpenInferenceBatchSpanProcessor } = await load("@arizeai/openinference-vercel");
    const own = new OpenInferenceBatchSpanProcessor({
      exporter,
      config: { maxExportBatchSize: 512, scheduledDelayMillis: 3_600_000 },
    });
    register([own]);
    const ai = await load("ai");
    const { createOpenAI } = await load("@ai-sdk/openai");
    const { z } = await load("zod");
    const openai = createOpenAI({ apiKey: "sk-x", baseURL: openaiUrl });
    const known = { userId: "user-456", sessionId: "sess-1" };
    const seven = Boolean(ai.registerTelemetry);
    if (seven) {
      const { OpenTelemetry } = await load("@ai-sdk/otel");
      ai.registerTelemetry(new OpenTelemetry({ runtimeContext: true, embedding: true }));
    }
    const telemetry = seven
      ? {
          telemetry: { functionId: "weather-agent", includeRuntimeContext: { userId: true, sessionId: true } },
          runtimeContext: known,
        }
      : { experimental_telemetry: { isEnabled: true, functionId: "weather-agent", metadata: known } };
    const get_weather = ai.tool({
      description,
      inputSchema: z.object({ city: z.string() }),
      execute: async (input) => weather(input),
    });
    const call = {
      model: openai.chat("gpt-4o-mini"),
      ...(seven ? { instructions: "be brief" } : { system: "be brief" }),
      prompt: question,
      ...telemetry,
    };
    await request(async () => {
      const stopWhen = (ai.isStepCount ?? ai.stepCountIs)(3);
      await ai.generateText({ ...call, tools: { get_weather }, stopWhen, temperature: 0.3 });
      await ai.streamText(call).consumeStream();
      const model = openai.textEmbeddingModel("text-embedding-3-small");
      await ai.embed({ model, value: "深圳", ...telemetry });
    });
    await own.forceFlush();
  },
};

await programs[process.argv[2]]();
await processor.forceFlush();
