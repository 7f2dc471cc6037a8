// Receives the traces that gateways and platforms push to one URL, and passes them on to two backends, to each in its form.
import { receive } from "genspan/receive";

export default receive((env) => ({
  token: env.RECEIVE_TOKEN,
  destinations: [
    { name: "collector", endpoint: `${env.COLLECTOR_URL}/v1/traces` },
    {
      name: "langfuse",
      profile: "langfuse",
      endpoint: `${env.LANGFUSE_URL}/api/public/otel/v1/traces`,
      headers: { authorization: `Basic ${btoa(`${env.LANGFUSE_PUBLIC_KEY}:${env.LANGFUSE_SECRET_KEY}`)}` },
    },
  ],
}));
