// Captures from the tests that are included in the page; vite.config.ts copies them.

export const SAMPLES = [
  { file: "langfuse-py-5.0.4.langgraph-entry-inherited.pb", name: "Langfuse", note: "LangGraph · Python" },
  {
    file: "more/openinference-openai-agents-py-2.6.0.handoff.pb",
    name: "OpenInference",
    note: "OpenAI Agents SDK · Python",
  },
  { file: "more/openllmetry-langchain-py-0.62.4.agent.pb", name: "OpenLLMetry", note: "LangChain · Python" },
  { file: "more/vercel-ai-js-6.0.326.agent.pb", name: "Vercel AI SDK", note: "Agent · TypeScript" },
  { file: "more/google-adk-py-2.13.0.team.pb", name: "OpenTelemetry GenAI", note: "Google ADK, two agents · Python" },
] as const;

export const sampleFile = (file: string): string => file.slice(file.lastIndexOf("/") + 1);
