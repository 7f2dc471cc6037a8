// A weather service in Deno, traced without an SDK. What OTEL_* say counts, as everywhere.
import { trace } from "genspan/edge";

const env = Deno.env.toObject();
const OPENAI = env.OPENAI_BASE_URL ?? "https://api.openai.com/v1";
const MODEL = "gpt-4o-mini";

Deno.serve({ hostname: "127.0.0.1", port: Number(env.PORT ?? 8000) }, (request) => {
  const { pathname, searchParams } = new URL(request.url);
  const question = searchParams.get("question") ?? "What is the weather in Shenzhen?";
  return trace(request, undefined, env).span(`GET ${pathname}`, { "http.request.method": "GET" }, async (span) => {
    const { status, text } = await chat(span, [{ role: "user", content: question }]);
    return new Response(`${text}\n`, { status });
  });
});

function chat(parent, messages) {
  const asked = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": MODEL,
    "gen_ai.input.messages": JSON.stringify(messages.map(({ role, content }) => said(role, content))),
  };
  return parent.span(`chat ${MODEL}`, asked, async (span) => {
    const response = await span.fetch(`${OPENAI}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${env.OPENAI_API_KEY}` },
      body: JSON.stringify({ model: MODEL, messages }),
    });
    const { choices, usage, model, error } = await response.json();
    if (error) return { status: 502, text: error.message };
    const text = choices[0].message.content ?? "";
    span.setAttributes({
      "gen_ai.response.model": model,
      "gen_ai.usage.input_tokens": usage.prompt_tokens,
      "gen_ai.usage.output_tokens": usage.completion_tokens,
      "gen_ai.output.messages": JSON.stringify([said("assistant", text)]),
    });
    return { status: 200, text };
  });
}

const said = (role, content) => ({ role, parts: [{ type: "text", content }] });
