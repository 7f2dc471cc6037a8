// Programs with Traceloop's JavaScript SDK, from a folder with the packages: `node traceloop_js.mjs PROGRAM`.

import * as clients from "./clients.mjs";
import { description, exporter, fails, load, openaiUrl, question, request, weather } from "./js.mjs";

const traceloop = await load("@traceloop/node-server-sdk");
const start = (instrumentModules) =>
  traceloop.initialize({ appName: "shop-agent", exporter, instrumentModules, traceloopSyncEnabled: false });

/** Who asks, on every span below; the agent that a workflow runs. */
const known = (work) =>
  traceloop.withAssociationProperties({ session_id: "sess-1", user_id: "user-456" }, () =>
    traceloop.withWorkflow({ name: "support" }, () => traceloop.withAgent({ name: "shop" }, work)),
  );

const programs = {
  async openai() {
    const { OpenAI } = await load("openai");
    start({ openAI: OpenAI });
    await request(async () => {
      await known(() => clients.openai(OpenAI));
      await traceloop.withTool({ name: "get_weather" }, async (city) => weather(city), { city: "深圳" });
      await fails(() =>
        traceloop.withTask({ name: "broken" }, async () => {
          throw new TypeError("no weather today");
        }),
      );
    });
  },

  async anthropic() {
    const anthropic = await load("@anthropic-ai/sdk");
    start({ anthropic });
    await request(() => clients.anthropic(anthropic.Anthropic));
  },

  async langchain() {
    start({ langchain: { callbackManagerModule: await load("@langchain/core/callbacks/manager") } });
    await request(() => clients.langchain());
  },

  /** Its processor writes its own keys, and OTel's, beside those of the Vercel SDK. */
  async vercel() {
    start({});
    const ai = await load("ai");
    const { createOpenAI } = await load("@ai-sdk/openai");
    const { z } = await load("zod");
    const openai = createOpenAI({ apiKey: "sk-x", baseURL: openaiUrl });
    const metadata = { userId: "user-456", sessionId: "sess-1" };
    const telemetry = { isEnabled: true, functionId: "weather-agent", metadata };
    const execute = async (input) => weather(input);
    const get_weather = ai.tool({ description, inputSchema: z.object({ city: z.string() }), execute });
    const model = openai.chat("gpt-4o-mini");
    const call = { model, system: "be brief", prompt: question, maxRetries: 0, experimental_telemetry: telemetry };
    await request(async () => {
      await ai.generateText({ ...call, tools: { get_weather }, stopWhen: ai.stepCountIs(3), temperature: 0.3 });
      await ai.streamText(call).consumeStream();
      const schema = z.object({ city: z.string(), celsius: z.number() });
      await ai.generateObject({ ...call, schema });
      await fails(() => ai.generateText({ ...call, model: openai.chat("boom") }));
    });
  },
};

await programs[process.argv[2]]();
await traceloop.forceFlush();
