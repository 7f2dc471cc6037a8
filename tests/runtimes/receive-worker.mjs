// A worker that receives traces for two tenants.
import { receive } from "genspan/receive";

export default receive((env) =>
  ["red", "blue"].map((tenant) => ({
    token: `${tenant}-token`,
    destinations: [{ endpoint: env.ENDPOINT, headers: { authorization: `Bearer ${tenant}` }, resource: { tenant } }],
    retry: { initialMillis: 50, maxMillis: 50 },
    queue: env.QUEUE,
    answerTimeoutMillis: Number(env.ANSWER_TIMEOUT),
  })),
);
