// A weather agent on the Vercel AI SDK, once for the whole answer and once as a stream. Of tracing it knows `experimental_telemetry`.
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";

const get_weather = tool({
  description: "The weather of a city",
  inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] }),
  execute: async ({ city }) => ({ city, celsius: 26 }),
});

const asked = (model, prompt, functionId) => ({
  model,
  prompt,
  tools: { get_weather },
  stopWhen: stepCountIs(3),
  experimental_telemetry: { isEnabled: true, functionId, metadata: { sessionId: "sess-1", userId: "user-456" } },
});

export async function generate(model, prompt) {
  const { text } = await generateText(asked(model, prompt, "weather-agent"));
  return text;
}

export async function* stream(model, prompt) {
  yield* streamText(asked(model, prompt, "weather-stream")).textStream;
}
