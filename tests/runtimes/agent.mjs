// An agent on the Vercel AI SDK with its telemetry, as it stands in every runtime.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, stepCountIs, tool } from "ai";

const get_weather = tool({
  inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } } }),
  execute: async ({ city }) => ({ city, celsius: 26 }),
});

export async function ask(baseURL) {
  const openai = createOpenAICompatible({ name: "openai", baseURL, apiKey: "none" });
  const { text } = await generateText({
    model: openai("gpt-4o-mini"),
    prompt: "What is the weather in Shenzhen?",
    tools: { get_weather },
    stopWhen: stepCountIs(3),
    experimental_telemetry: { isEnabled: true },
  });
  return text;
}
