// Unpacking bodies in Node, within limits that senders share. The other rules of OTLP/HTTP for receivers are those of ../otlp.ts.
import { promisify } from "node:util";
import { unzip } from "node:zlib";
import type { Rejected } from "../core.js";
import { codingOf, isNoValid, unpacksToMore } from "../otlp.js";

export * from "../otlp.js";

/**
 * Processes one unpacked body: protobuf, or JSON that begins with its brace. `peer` is the sender's address. Returns the refused spans,
 * if there are any. Throws a Refusal.
 */
export type Take = (body: Buffer, peer: string) => Rejected | undefined;

const unpackAsync = promisify<Buffer, { maxOutputLength: number }, Buffer>(unzip);

/** Limits of parallel unpacking: one body per thread of the pool, fewer of one sender. Waiting bodies stay packed. */
const MAX_UNPACKING = 4;
const MAX_OF_SENDER = 3;
const unpacking: string[] = [];
const waiting: { peer: string; go: () => void }[] = [];

function mayUnpack({ peer }: { peer: string }): boolean {
  return unpacking.length < MAX_UNPACKING && unpacking.filter((other) => other === peer).length < MAX_OF_SENDER;
}

/** The body of a request without its content encoding; it may unpack to at most `limit` bytes. */
export async function unpack(body: Buffer, encoding: string | undefined, limit: number, peer: string): Promise<Buffer> {
  const coding = codingOf(encoding);
  if (coding === undefined) return body;
  if (mayUnpack({ peer })) unpacking.push(peer);
  else await new Promise<void>((go) => waiting.push({ peer, go }));
  try {
    return await unpackAsync(body, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw unpacksToMore(limit);
    }
    throw isNoValid(coding);
  } finally {
    unpacking.splice(unpacking.indexOf(peer), 1);
    const next = waiting.findIndex(mayUnpack);
    for (const { peer, go } of next < 0 ? [] : waiting.splice(next, 1)) {
      unpacking.push(peer);
      go();
    }
  }
}
