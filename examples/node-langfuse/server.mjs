// The example's HTTP server: `POST /chat {"question": …}` is answered by agent.mjs, `POST /graph` by graph.mjs.
// Run by itself it sends to the backend that the environment names; see README.md.
import { createServer } from "node:http";
import { createAgent } from "./agent.mjs";
import { createGraphAgent } from "./graph.mjs";
import { startTracing } from "./tracing.mjs";

const MARK = { "gen_ai.is_entry": true };

/** The routes of the server. `/chat` leaves the entry to genspan, `/marked` and `/graph` mark it through metadata. */
export function createApp(services) {
  const agent = createAgent(services);
  const graph = createGraphAgent(services);
  const routes = {
    "/chat": (question, who) => agent(question, who),
    "/marked": (question, who) => agent(question, { ...who, metadata: MARK }),
    "/graph": (question, who) => graph(question, { ...who, metadata: MARK }),
  };
  return createServer(async (req, res) => {
    const route = routes[req.url];
    if (route === undefined || req.method !== "POST") return res.writeHead(404).end();
    try {
      const chunks = [];
      for await (const chunk of req) chunks.push(chunk);
      const { question, user, session } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      const answer = await route(question, { user, session });
      res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ answer }));
    } catch (error) {
      res.writeHead(500, { "content-type": "text/plain" }).end(String(error));
    }
  });
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const { env } = process;
  const { processor } = startTracing({
    profile: "tencent",
    token: env.APM_TOKEN,
    serviceName: env.OTEL_SERVICE_NAME ?? "weather-agent",
    hostName: env.APM_HOST,
  });
  const server = createApp({
    baseURL: env.OPENAI_BASE_URL,
    apiKey: env.OPENAI_API_KEY,
    weatherUrl: env.WEATHER_URL ?? "http://127.0.0.1:9/weather",
  });
  server.listen(Number(env.PORT ?? 3000), "127.0.0.1");
  process.once("SIGTERM", async () => {
    server.close();
    await processor.shutdown();
  });
}
