// A weather agent on the OpenAI SDK, instrumented with @langfuse/tracing and @langfuse/openai: a retrieval, a tool call, a streamed answer.
// It holds no line about OpenTelemetry or about where the spans go.
import { observeOpenAI } from "@langfuse/openai";
import { propagateAttributes, startActiveObservation, startObservation } from "@langfuse/tracing";
import OpenAI from "openai";

const MODEL = "gpt-4o-mini";
const EMBEDDING_MODEL = "text-embedding-3-small";

const NOTES = [
  { id: "note-7", content: "Answer in the language of the question.", score: 0.91 },
  { id: "note-2", content: "天气回答里要有温度和一句建议。", score: 0.84 },
];

const TOOLS = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "The weather in a city right now",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
];

/** Answers one question. `metadata` goes onto the agent's span, as an application would set it through Langfuse. */
export function createAgent({ baseURL, apiKey, weatherUrl }) {
  const plain = new OpenAI({ baseURL, apiKey });
  const openai = observeOpenAI(plain);

  async function embed(text) {
    const embedding = startObservation("embed-query", { model: EMBEDDING_MODEL, input: text }, { asType: "embedding" });
    const { usage } = await plain.embeddings.create({ model: EMBEDDING_MODEL, input: text, encoding_format: "float" });
    embedding.update({ usageDetails: { input: usage.prompt_tokens, total: usage.total_tokens } }).end();
  }

  function retrieve(query) {
    return startActiveObservation(
      "search-notes",
      async (retriever) => {
        retriever.update({ input: query });
        await embed(query);
        retriever.update({ output: NOTES });
        return NOTES;
      },
      { asType: "retriever" },
    );
  }

  function getWeather(args) {
    return startActiveObservation(
      "get_weather",
      async (tool) => {
        tool.update({ input: args });
        const answer = await fetch(`${weatherUrl}?city=${encodeURIComponent(args.city)}`);
        const weather = await answer.json();
        tool.update({ output: weather });
        return weather;
      },
      { asType: "tool" },
    );
  }

  async function run(question) {
    const notes = await retrieve(question);
    const messages = [
      { role: "system", content: notes.map((note) => note.content).join("\n") },
      { role: "user", content: question },
    ];
    const first = await openai.chat.completions.create({ model: MODEL, temperature: 0.3, messages, tools: TOOLS });
    const [{ message }] = first.choices;
    messages.push(message);
    for (const call of message.tool_calls ?? []) {
      const result = await getWeather(JSON.parse(call.function.arguments));
      messages.push({ role: "tool", tool_call_id: call.id, content: JSON.stringify(result) });
    }
    const stream = await openai.chat.completions.create({
      model: MODEL,
      temperature: 0.3,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    return text;
  }

  return (question, { user, session, metadata } = {}) =>
    propagateAttributes({ userId: user, sessionId: session }, () =>
      startActiveObservation(
        "weather-agent",
        async (agent) => {
          agent.update({ input: question, metadata });
          const text = await run(question);
          agent.update({ output: text });
          return text;
        },
        { asType: "agent" },
      ),
    );
}
