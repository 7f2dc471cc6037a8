// A weather agent on the Vercel AI SDK.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, stepCountIs, tool } from "ai";
import { tracingOf } from "./tracing.mjs";

const get_weather = tool({
  description: "The weather of a city",
  inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] }),
  execute: async ({ city }) => ({ city, celsius: 26 }),
});

export default {
  fetch(request, env, ctx) {
    const { processor, tracer } = tracingOf(env);
    return tracer.startActiveSpan(`GET ${new URL(request.url).pathname}`, async (span) => {
      // The response goes out at once; what the worker traced follows it.
      processor.flushVia(ctx);
      try {
        return new Response(await answer(new URL(request.url).searchParams.get("question"), env, tracer));
      } catch (error) {
        span.recordException(error);
        return new Response(`${error}\n`, { status: 502 });
      } finally {
        span.end();
      }
    });
  },
};

async function answer(question, env, tracer) {
  const openai = createOpenAICompatible({ name: "openai", baseURL: env.OPENAI_BASE_URL, apiKey: env.OPENAI_API_KEY });
  const { text } = await generateText({
    model: openai("gpt-4o-mini"),
    prompt: question ?? "What is the weather in Shenzhen?",
    tools: { get_weather },
    stopWhen: stepCountIs(3),
    experimental_telemetry: { isEnabled: true, functionId: "weather-agent", tracer },
  });
  return `${text}\n`;
}
