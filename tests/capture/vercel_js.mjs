// Programs with the Vercel AI SDK, 4 to 7, from a folder with the packages: `node vercel_js.mjs PROGRAM`.

import { description, fails, load, openaiUrl, pixel, processor, question, register, request, weather } from "./js.mjs";

const ai = await load("ai");
const { createOpenAI } = await load("@ai-sdk/openai");
const { createAnthropic } = await load("@ai-sdk/anthropic");
const { z } = await load("zod");
register();

const major = process.env.AI_MAJOR;
// From 7 on telemetry is an integration, of the old class or of its own.
if (major === "7") {
  const otel = await load("@ai-sdk/otel");
  const all = {
    usage: true,
    providerMetadata: true,
    embedding: true,
    runtimeContext: true,
    toolChoice: true,
    schema: true,
  };
  ai.registerTelemetry(
    process.env.LEGACY ? new otel.LegacyOpenTelemetry() : new otel.OpenTelemetry(process.env.MORE ? all : {}),
  );
}
const openai = createOpenAI({ apiKey: "sk-x", baseURL: openaiUrl });
const anthropic = createAnthropic({ apiKey: "sk-x", baseURL: openaiUrl });

const telemetry = (functionId) =>
  major === "7"
    ? {
        telemetry: { functionId, includeRuntimeContext: { userId: true, sessionId: true } },
        runtimeContext: { userId: "user-456", sessionId: "sess-1" },
      }
    : {
        experimental_telemetry: {
          isEnabled: true,
          functionId,
          metadata: { userId: "user-456", sessionId: "sess-1", team: "a", tags: ["a", "b"] },
        },
      };
const tool = (execute) => {
  const parameters = z.object({ city: z.string() });
  return ai.tool({ description, ...(major === "4" ? { parameters } : { inputSchema: parameters }), execute });
};
const get_weather = tool(async (input) => weather(input));
const loop = major === "4" ? { maxSteps: 3 } : { stopWhen: (ai.isStepCount ?? ai.stepCountIs)(3) };
const most = (n) => (major === "4" ? { maxTokens: n } : { maxOutputTokens: n });
const settings = { temperature: 0.3, topP: 0.9, maxRetries: 0, ...most(64) };
const system = major === "7" ? { instructions: "be brief" } : { system: "be brief" };
const city = z.object({ city: z.string(), celsius: z.number() });
const thinking = { providerOptions: { anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } } } };

const programs = {
  /** Agent loop, JSON, vectors and an error. */
  async openai() {
    const { steps } = await ai.generateText({
      model: openai("gpt-4o-mini"),
      ...system,
      prompt: question,
      tools: { get_weather },
      ...loop,
      ...settings,
      ...telemetry("weather-agent"),
    });
    if (steps.length !== 2) console.error("steps:", steps.length);
    await ai.generateObject({
      model: openai.chat("gpt-4o-mini"),
      schema: city,
      prompt: question,
      maxRetries: 0,
      ...telemetry("extract"),
    });
    const model = openai.textEmbeddingModel("text-embedding-3-small");
    await ai.embed({ model, value: "深圳", ...telemetry("vector") });
    await ai.embedMany({ model, values: ["深圳", "广州"], ...telemetry("vectors") });
    await fails(() =>
      ai.generateText({ model: openai.chat("boom"), prompt: question, maxRetries: 0, ...telemetry("broken") }),
    );
  },

  /** Streams: an agent that thinks and sees, a tool that fails, text of OpenAI's, JSON. */
  async stream() {
    const content = [
      { type: "text", text: question },
      ...(major === "7"
        ? [
            { type: "file", mediaType: "image/png", data: new URL("https://example.com/a.png") },
            { type: "file", mediaType: "image/png", data: Buffer.from(pixel, "base64") },
          ]
        : [
            { type: "image", image: new URL("https://example.com/a.png") },
            { type: "image", image: Buffer.from(pixel, "base64"), mimeType: "image/png", mediaType: "image/png" },
          ]),
    ];
    const stream = { model: anthropic("claude-sonnet-4-20250514"), ...system, ...loop, maxRetries: 0 };
    const messages = [{ role: "user", content }];
    await ai
      .streamText({
        ...stream,
        messages,
        tools: { get_weather },
        ...thinking,
        ...most(2048),
        ...telemetry("weather-agent"),
      })
      .consumeStream();
    const broken = tool(async () => {
      throw new TypeError("no weather today");
    });
    await ai
      .streamText({
        ...stream,
        messages: [{ role: "user", content: question }],
        tools: { broken },
        ...telemetry("broken-tool"),
      })
      .consumeStream();
    await ai
      .streamText({
        model: openai.chat("gpt-4o-mini"),
        prompt: question,
        seed: 7,
        stopSequences: ["END"],
        ...telemetry("answer"),
      })
      .consumeStream();
    const object = ai.streamObject({
      model: openai.chat("gpt-4o-mini"),
      schema: city,
      prompt: question,
      ...telemetry("extract"),
    });
    for await (const _ of object.partialObjectStream);
    await fails(async () => {
      const { fullStream } = ai.streamText({
        model: anthropic("boom"),
        prompt: question,
        maxRetries: 0,
        onError() {},
        ...telemetry("broken"),
      });
      for await (const part of fullStream) if (part.type === "error") throw part.error;
    });
  },

  /** The agent's class, and a call whose content is not recorded. */
  async agent() {
    const Agent = ai.ToolLoopAgent ?? ai.Experimental_Agent;
    const agent = new Agent({
      model: openai("gpt-4o-mini"),
      ...(ai.ToolLoopAgent ? { instructions: "be brief" } : system),
      tools: { get_weather },
      ...loop,
      ...telemetry("shop"),
    });
    await agent.generate({ prompt: question });
    const hidden = telemetry("hidden");
    Object.assign(hidden.telemetry ?? hidden.experimental_telemetry, { recordInputs: false, recordOutputs: false });
    await ai.generateText({
      model: openai("gpt-4o-mini"),
      prompt: question,
      tools: { get_weather },
      ...loop,
      ...hidden,
    });
  },
};

await request(programs[process.argv[2]]);
await processor.forceFlush();
