// The bodies that `inspect` keeps (the newest, up to a limit in bytes) and the readers that follow them, each at its own pace, without delaying
// the intake.
import type { ServerResponse } from "node:http";

/** Memory of a body in addition to its bytes. */
const OVERHEAD = 128;
const HEARTBEAT = 15_000;
/** A reader that reads nothing for this many heartbeats is considered gone. */
const MAX_STALLED = 4;
const MAX_READERS = 16;
const EMPTY = Buffer.alloc(4);

export class Kept {
  /** The bodies by number, oldest first. */
  readonly #bodies = new Map<number, Buffer>();
  #first = 0;
  #next = 0;
  #bytes = 0;
  readonly #readers = new Set<Reader>();
  readonly #heartbeat: NodeJS.Timeout;
  /** Bodies removed because newer ones arrived · bodies missed by slow readers, counted for each · readers disconnected for that reason. */
  readonly counters = { dropped: 0, skipped: 0, stalled: 0 };

  constructor(
    readonly maxBytes: number,
    heartbeatMillis = HEARTBEAT,
  ) {
    this.#heartbeat = setInterval(() => {
      for (const reader of this.#readers) reader.beat();
    }, heartbeatMillis).unref();
  }

  /** The number of kept bodies and of readers. */
  get stats() {
    return { bodies: this.#bodies.size, bytes: this.#bytes, readers: this.#readers.size, ...this.counters };
  }

  add(body: Buffer): void {
    this.#bodies.set(this.#next++, body);
    this.#bytes += body.length + OVERHEAD;
    while (this.#bytes > this.maxBytes && this.#bodies.size > 1) {
      this.#bytes -= (this.#bodies.get(this.#first)?.length ?? 0) + OVERHEAD;
      this.#bodies.delete(this.#first++);
      this.counters.dropped++;
    }
    for (const reader of this.#readers) reader.send();
  }

  /** The first body from `number` on, and how many before it have been removed. */
  from(number: number): { body: Buffer; number: number; gone: number } | undefined {
    const at = Math.max(number, this.#first);
    const body = this.#bodies.get(at);
    return body && { body, number: at, gone: at - number };
  }

  /** Writes frames to the response while it is open: first the kept bodies, then new ones. Returns `false` if there are too many readers. */
  follow(response: ServerResponse): boolean {
    if (this.#readers.size >= MAX_READERS) return false;
    const reader = new Reader(this, response, this.#first);
    this.#readers.add(reader);
    response.on("close", () => this.#readers.delete(reader));
    reader.send();
    return true;
  }

  close(): void {
    clearInterval(this.#heartbeat);
    for (const reader of this.#readers) reader.end();
  }
}

class Reader {
  readonly #kept: Kept;
  readonly #response: ServerResponse;
  #next: number;
  #blocked = false;
  #stalled = 0;

  constructor(kept: Kept, response: ServerResponse, first: number) {
    this.#kept = kept;
    this.#response = response;
    this.#next = first;
    response.on("drain", () => {
      this.#blocked = false;
      this.#stalled = 0;
      this.send();
    });
  }

  /** Writes until the socket is full. Data that cannot be written is not buffered for this reader. */
  send(): void {
    while (!this.#blocked && !this.#response.destroyed) {
      const found = this.#kept.from(this.#next);
      if (!found) return;
      this.#kept.counters.skipped += found.gone;
      this.#next = found.number + 1;
      const length = Buffer.alloc(4);
      length.writeUInt32LE(found.body.length);
      this.#response.write(length);
      this.#blocked = !this.#response.write(found.body);
    }
  }

  beat(): void {
    if (!this.#blocked) {
      this.#response.write(EMPTY);
    } else if (++this.#stalled >= MAX_STALLED) {
      this.#kept.counters.stalled++;
      this.#response.destroy();
    }
  }

  end(): void {
    this.#response.end();
  }
}
