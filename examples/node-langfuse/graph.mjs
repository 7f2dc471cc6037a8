// The same weather agent as a LangGraph graph, traced by @langfuse/langchain's callback handler.
// LangChain hands a run's `metadata` down to every run below it; that is how a mark gets inherited.

import { tool } from "@langchain/core/tools";
import { END, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { ChatOpenAI } from "@langchain/openai";
import { CallbackHandler } from "@langfuse/langchain";
import { z } from "zod";

/** Answers one question with the graph; `metadata` becomes LangChain's `config.metadata`. */
export function createGraphAgent({ baseURL, apiKey, weatherUrl }) {
  const getWeather = tool(
    async ({ city }) => {
      const answer = await fetch(`${weatherUrl}?city=${encodeURIComponent(city)}`);
      return answer.text();
    },
    { name: "get_weather", description: "The weather in a city right now", schema: z.object({ city: z.string() }) },
  );
  const model = new ChatOpenAI({
    model: "gpt-4o-mini",
    temperature: 0.3,
    apiKey,
    configuration: { baseURL },
  }).bindTools([getWeather]);

  const graph = new StateGraph(MessagesAnnotation)
    .addNode("model", async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
    .addNode("tools", new ToolNode([getWeather]))
    .addEdge(START, "model")
    .addConditionalEdges("model", ({ messages }) => (messages.at(-1).tool_calls?.length > 0 ? "tools" : END))
    .addEdge("tools", "model")
    .compile();

  return async (question, { user, session, metadata } = {}) => {
    const handler = new CallbackHandler({ userId: user, sessionId: session });
    const { messages } = await graph.invoke(
      { messages: [{ role: "user", content: question }] },
      { callbacks: [handler], metadata },
    );
    return messages.at(-1).content;
  };
}
