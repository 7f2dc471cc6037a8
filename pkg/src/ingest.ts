// What the relay and the receiver have in common: a body that a sender pushed goes into the core, or is refused as OTLP has it.
import type { Pipeline, Rejected } from "./core.js";
import { Refusal } from "./otlp.js";
import type { Sender } from "./sender.js";
import type { Host } from "./types.js";

/** The value of Retry-After where there is no space, in seconds. */
export const RETRY_AFTER = 2;
/** Spans in the queue: so many that its size in bytes is the effective limit, because a body is accepted as a whole. */
export const MAX_QUEUE = 1 << 20;

/**
 * The host of a program that receives spans of others. Variables that describe a service would describe this program instead of the senders, so they
 * are omitted; `host.name` is the sender's.
 */
export function hostOfSenders({ onExit: _, ...host }: Host): Host {
  const env = Object.entries(host.env).filter(([name]) => name.startsWith("OTEL_EXPORTER_OTLP_"));
  const token = host.env.OTEL_RESOURCE_ATTRIBUTES?.split(",").find((pair) => /^\s*token\s*=/.test(pair));
  return {
    ...host,
    env: { ...Object.fromEntries(env), ...(token && { OTEL_RESOURCE_ATTRIBUTES: token }) },
    hostName: () => undefined,
  };
}

/** Passes a body to the core. `peer` is the sender's address, `ends` is called where the core has stopped. Throws a Refusal. */
export function ingest(
  sender: Sender,
  body: Uint8Array,
  peer: string,
  ends: () => void,
): { pipeline: Pipeline; rejected: Rejected | undefined } {
  const pipeline = sender.usable();
  const { writer } = sender;
  if (sender.stopped || pipeline === undefined || writer === undefined) {
    if (!sender.stopped) ends();
    throw new Refusal(503, "shutting down", RETRY_AFTER);
  }
  const address = new TextEncoder().encode(peer);
  let taken: ReturnType<typeof pipeline.ingest>;
  try {
    taken = pipeline.ingest(writer.raw(address, body), address.length, Date.now());
  } catch (error) {
    sender.fault("ingest", error);
    if (sender.usable() === undefined) ends();
    // No Retry-After: another fault would harm other senders as much as this one did.
    throw new Refusal(500, "internal fault");
  }
  if (taken && "refused" in taken) {
    const { refused, message } = taken;
    if (refused !== "full") throw new Refusal(refused === "limit" ? 413 : 400, message);
    sender.pump();
    sender.warn(`${message}: answering 503`);
    throw new Refusal(503, message, RETRY_AFTER);
  }
  for (let service = pipeline.tokenless(); service !== undefined; service = pipeline.tokenless()) {
    sender.warn(
      `service ${JSON.stringify(service)} sends no token, so the destination of profile tencent does not receive its spans; set the resource attribute token there (OTEL_RESOURCE_ATTRIBUTES=token=…), or one token for all services here`,
    );
  }
  sender.handing(pipeline.taken);
  return { pipeline, rejected: taken };
}

/** The start of an attribute `token` with a text in protobuf, up to the length of its value; and the whole attribute in JSON. */
const TOKEN = [0x0a, 5, ...new TextEncoder().encode("token"), 0x12];
const TOKEN_IN_JSON = /"key":"token","value":\{"stringValue":("(?:[^"\\]|\\.)*")/g;

/** The tokens of senders in a batch. */
export function tokensIn(body: Uint8Array): string[] {
  const text = new TextDecoder();
  if (body[0] === 0x7b)
    return [...text.decode(body).matchAll(TOKEN_IN_JSON)].map(([, token = ""]) => JSON.parse(token));
  const tokens: string[] = [];
  for (let at = body.indexOf(0x0a); at >= 0; at = body.indexOf(0x0a, at + 1)) {
    if (!TOKEN.every((byte, i) => body[at + i] === byte)) continue;
    const [, value] = varint(body, at + TOKEN.length);
    const [length, start] = varint(body, value + 1);
    if (body[value] === 0x0a) tokens.push(text.decode(body.subarray(start, start + length)));
  }
  return tokens;
}

/** A protobuf varint, and the position after it. */
function varint(bytes: Uint8Array, from: number): [number, number] {
  let at = from;
  let number = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at++] ?? 0;
    number |= (byte & 127) << shift;
    if (byte < 128) break;
  }
  return [number, at];
}
