// The agent in Node, by what instrumentation.js of Next.js says.
import { ask } from "./agent.mjs";
import { register } from "./agent-vercel.mjs";

const genspan = register();
console.log(await ask(process.env.MODEL));
await genspan.shutdown();
