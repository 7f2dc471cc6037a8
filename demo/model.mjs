// A loopback OpenAI-compatible server with canned answers for one conversation about the weather of 深圳, plus the weather itself.
// It knows nothing of tracing.
import { createServer } from "node:http";

export const CHAT_MODEL = "gpt-4o-mini";
export const ANSWERED_BY = "gpt-4o-mini-2024-07-18";
export const USAGE = { input: 57, cached: 32, output: 17, reasoning: 8 };
export const EMBEDDING_MODEL = "text-embedding-3-small";
export const EMBEDDING_INPUT = 6;
export const TOOL_ARGUMENTS = '{"city":"深圳"}';
export const ANSWER = "深圳今天 26°C，多云，适合出门。";

const usage = {
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  total_tokens: USAGE.input + USAGE.output,
  prompt_tokens_details: { cached_tokens: USAGE.cached, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: USAGE.reasoning,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
};

const weatherCall = {
  id: "call_weather_1",
  type: "function",
  function: { name: "get_weather", arguments: TOOL_ARGUMENTS },
};

/** Starts the server on a free loopback port. `url` is the OpenAI base URL, `weatherUrl` answers `GET ?city=`. */
export async function startModel() {
  const server = createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const { pathname, searchParams } = new URL(req.url, "http://localhost");
    const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString("utf8")) : {};
    if (pathname === "/weather") return json(res, { city: searchParams.get("city"), celsius: 26, sky: "多云" });
    if (pathname === "/v1/embeddings") return json(res, embedding(body));
    if (pathname !== "/v1/chat/completions") return json(res, { error: { message: `no ${pathname} here` } }, 404);
    answers += 1;
    await pause(25);
    const toolIsAnswered = body.messages.some((message) => message.role === "tool");
    if (body.stream) return stream(res, toolIsAnswered, body.stream_options?.include_usage === true);
    return json(res, completion(toolIsAnswered));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    url: `${origin}/v1`,
    weatherUrl: `${origin}/weather`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

function json(res, body, status = 200) {
  res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

let answers = 0;

// LangGraph merges messages by id: each answer needs its own.
function head(object) {
  return {
    id: `chatcmpl-demo-${answers}`,
    object,
    created: 1767225600,
    model: ANSWERED_BY,
    system_fingerprint: "fp_demo",
  };
}

function completion(toolIsAnswered) {
  const message = toolIsAnswered
    ? { role: "assistant", content: ANSWER, refusal: null }
    : { role: "assistant", content: null, refusal: null, tool_calls: [weatherCall] };
  const choice = { index: 0, message, logprobs: null, finish_reason: toolIsAnswered ? "stop" : "tool_calls" };
  return { ...head("chat.completion"), choices: [choice], usage };
}

function embedding({ model }) {
  const vector = [0.12, -0.07, 0.33, 0.05];
  return {
    object: "list",
    model,
    data: [{ object: "embedding", index: 0, embedding: vector }],
    usage: { prompt_tokens: EMBEDDING_INPUT, total_tokens: EMBEDDING_INPUT },
  };
}

async function stream(res, toolIsAnswered, withUsage) {
  res.writeHead(200, { "content-type": "text/event-stream" });
  const send = (choices, extra = {}) =>
    res.write(`data: ${JSON.stringify({ ...head("chat.completion.chunk"), choices, ...extra })}\n\n`);
  const delta = (content, finish = null) => send([{ index: 0, delta: content, finish_reason: finish }]);
  if (toolIsAnswered) {
    delta({ role: "assistant", content: "" });
    for (const piece of ANSWER.match(/.{1,5}/gu)) {
      await pause(6);
      delta({ content: piece });
    }
    delta({}, "stop");
  } else {
    delta({ role: "assistant", content: null, tool_calls: [{ index: 0, ...weatherCall }] });
    delta({}, "tool_calls");
  }
  if (withUsage) send([], { usage });
  res.end("data: [DONE]\n\n");
}
