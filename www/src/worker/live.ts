// The stream of bodies from `genspan inspect`: frames of a length and that many bytes. Reconnects after an interruption.
import type { Connection, Info } from "../protocol.js";

const MAX_FRAME = 256 << 20;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
/** The server sends something every 15 s. */
const SILENCE = 40_000;

interface Listener {
  info(info: Info): void;
  connection(connection: Connection): void;
  body(body: Uint8Array): void;
}

/** Listens forever; returns at once if there is no server. */
export async function listen(base: string, listener: Listener): Promise<void> {
  listener.connection({ state: "connecting" });
  const info = await ask(new URL("api/info", base));
  if (info === undefined) return listener.connection({ state: "static" });
  listener.info(info);
  for (let wait = FIRST_WAIT; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
    try {
      await follow(new URL("api/bodies", base), listener, () => {
        wait = FIRST_WAIT / 2;
      });
    } catch {
      // Retry after any error.
    }
    const pause = wait * (0.75 + Math.random() / 2);
    listener.connection({ state: "waiting" });
    await new Promise((resolve) => setTimeout(resolve, pause));
    listener.connection({ state: "connecting" });
  }
}

/** The server's information about itself; a plain web server answers with an error, or with a page. */
async function ask(url: URL): Promise<Info | undefined> {
  try {
    const response = await fetch(url);
    const info: unknown = response.ok ? await response.json() : undefined;
    return typeof info === "object" && info !== null && "endpoints" in info ? (info as Info) : undefined;
  } catch {
    return undefined;
  }
}

async function follow(url: URL, listener: Listener, connected: () => void): Promise<void> {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), SILENCE);
  try {
    const response = await fetch(url, { signal: abort.signal, cache: "no-store" });
    if (!response.ok || response.body === null) throw new Error(`${response.status}`);
    connected();
    listener.connection({ state: "live" });
    const frames = new Frames();
    const reader = response.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(timer);
      for (const body of frames.take(part.value)) listener.body(body);
      timer = setTimeout(() => abort.abort(), SILENCE);
    }
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

/** Assembles frames from the chunks of the network. */
export class Frames {
  private head = new Uint8Array(4);
  private headLength = 0;
  private body: Uint8Array | undefined;
  private bodyLength = 0;

  *take(part: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < part.length; ) {
      if (this.body === undefined) {
        this.head[this.headLength++] = part[at++] as number;
        if (this.headLength < 4) continue;
        this.headLength = 0;
        const length = new DataView(this.head.buffer).getUint32(0, true);
        if (length > MAX_FRAME) throw new Error("a frame too large");
        if (length > 0) this.body = new Uint8Array(length);
        this.bodyLength = 0;
        continue;
      }
      const piece = part.subarray(at, at + this.body.length - this.bodyLength);
      this.body.set(piece, this.bodyLength);
      this.bodyLength += piece.length;
      at += piece.length;
      if (this.bodyLength === this.body.length) {
        const body = this.body;
        this.body = undefined;
        yield body;
      }
    }
  }
}
