// What the programs of every instrumentation ask: the same questions, through each provider's client and through LangChain.

import { description, fails, load, openaiUrl, pixel, question, schema, weather } from "./js.mjs";

const system = { role: "system", content: "be brief" };
const user = { role: "user", content: question };
const drain = async (stream) => {
  for await (const _ of stream);
};

/** A call of a tool, its result, a stream, an image; items of the newer API, whole and as a stream; vectors; an error. */
export async function openai(OpenAI) {
  const client = new OpenAI({ apiKey: "sk-x", baseURL: openaiUrl, maxRetries: 0 });
  const model = "gpt-4o-mini";
  const tools = [{ type: "function", function: { name: "get_weather", description, parameters: schema } }];
  const chat = (body) => client.chat.completions.create({ model, ...body });
  const first = await chat({
    messages: [system, user],
    tools,
    temperature: 0.3,
    top_p: 0.9,
    max_tokens: 64,
    seed: 7,
    stop: ["END"],
  });
  const called = first.choices[0].message;
  const call = called.tool_calls[0];
  const told = { role: "tool", tool_call_id: call.id, content: weather(JSON.parse(call.function.arguments)) };
  await chat({ messages: [system, user, called, told], tools });
  await drain(await chat({ messages: [system, user], stream: true, stream_options: { include_usage: true } }));
  await drain(await chat({ messages: [user], tools, stream: true, stream_options: { include_usage: true } }));
  const image = { type: "image_url", image_url: { url: "https://example.com/a.png" } };
  await chat({ messages: [{ role: "user", content: [{ type: "text", text: question }, image] }] });
  const respond = (body) => client.responses.create({ model, instructions: "be brief", ...body });
  const functions = [{ type: "function", name: "get_weather", description, parameters: schema, strict: false }];
  const { output } = await respond({ input: question, tools: functions, temperature: 0.3, max_output_tokens: 64 });
  const result = { type: "function_call_output", call_id: call.id, output: told.content };
  await respond({ input: [user, ...output, result], tools: functions });
  await drain(await respond({ input: question, stream: true }));
  await client.embeddings.create({
    model: "text-embedding-3-small",
    input: ["深圳", "广州"],
    encoding_format: "float",
  });
  await fails(() => chat({ model: "boom", messages: [user] }));
}

/** A model that thinks, sees and calls a tool; its result; a stream of both; an error. */
export async function anthropic(Anthropic) {
  const client = new Anthropic({ apiKey: "sk-x", baseURL: openaiUrl.replace("/v1", ""), maxRetries: 0 });
  const tools = [{ name: "get_weather", description, input_schema: schema }];
  const about = { model: "claude-sonnet-4-20250514", max_tokens: 2048, system: "be brief" };
  const thinking = { type: "enabled", budget_tokens: 1024 };
  const image = { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } };
  const asked = { role: "user", content: [{ type: "text", text: question }, image] };
  const { content } = await client.messages.create({
    ...about,
    messages: [asked],
    tools,
    thinking,
    stop_sequences: ["END"],
  });
  const call = content.at(-1);
  const told = { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: weather(call.input) }] };
  await client.messages.create({ ...about, messages: [asked, { role: "assistant", content }, told], tools });
  await drain(
    await client.messages.create({
      ...about,
      messages: [user],
      tools,
      thinking,
      stream: true,
      temperature: 1,
      top_k: 40,
    }),
  );
  await drain(client.messages.stream({ ...about, messages: [user] }));
  await fails(() => client.messages.create({ ...about, model: "boom", messages: [user] }));
}

/** An agent that calls a tool, in a conversation; a retriever; a stream; a prompt and its parser; an error. */
export async function langchain(config = {}) {
  const { ChatOpenAI } = await load("@langchain/openai");
  const { tool } = await load("@langchain/core/tools");
  const { BaseRetriever } = await load("@langchain/core/retrievers");
  const { Document } = await load("@langchain/core/documents");
  const { ChatPromptTemplate } = await load("@langchain/core/prompts");
  const { StringOutputParser } = await load("@langchain/core/output_parsers");
  const { createReactAgent } = await load("@langchain/langgraph/prebuilt");
  const options = { apiKey: "sk-x", configuration: { baseURL: openaiUrl }, maxRetries: 0, streamUsage: true };
  const llm = new ChatOpenAI({ ...options, model: "gpt-4o-mini", temperature: 0.3, maxTokens: 64 });
  const get_weather = tool(weather, { name: "get_weather", description, schema });
  const agent = createReactAgent({ llm, tools: [get_weather], prompt: "be brief", name: "weather" });
  const metadata = { thread_id: "thread-1", session_id: "sess-1", user_id: "user-456", team: "a" };
  await agent.invoke(
    { messages: [["user", question]] },
    { ...config, metadata, configurable: { thread_id: "thread-1" } },
  );
  class Weather extends BaseRetriever {
    lc_namespace = ["weather"];
    async _getRelevantDocuments() {
      return [new Document({ pageContent: "深圳: 26C", metadata: { source: "a" } })];
    }
  }
  await new Weather().invoke("深圳", config);
  await drain(
    await llm.stream(
      [
        ["system", "be brief"],
        ["user", question],
      ],
      config,
    ),
  );
  const prompt = ChatPromptTemplate.fromMessages([
    ["system", "be brief"],
    ["user", "{city}天气如何?"],
  ]);
  await prompt.pipe(llm).pipe(new StringOutputParser()).invoke({ city: "深圳" }, config);
  await fails(() => new ChatOpenAI({ ...options, model: "boom" }).invoke(question, config));
}
