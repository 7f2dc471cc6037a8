// What both receivers, HTTP and gRPC, have in common: what is counted, and how a body is read within all bounds.
import type { Readable } from "node:stream";
import type { Rejected } from "../core.js";
import { fromBrace, Refusal, type Take, unpack } from "./otlp.js";

export interface Counters {
  requests: number;
  /** Bytes of bodies that were taken, unpacked. */
  bytes: number;
  malformed: number;
  /** Spans that were refused although the rest of their body was taken. */
  rejectedSpans: number;
  tooLarge: number;
  /** Answered with "come again later". */
  busy: number;
  /** Asked for by a name, or by a page, that is not allowed. */
  forbidden: number;
  /** Bodies of metrics and logs that were thrown away. */
  discarded: number;
}

/** What a request carries: spans, or metrics, logs and profiles. */
export type Signal = "traces" | "other";

/** A request that a receiver has read the head of. */
export interface Incoming {
  stream: Readable;
  signal: Signal;
  /** The sender's address. */
  peer: string;
  /** How many bytes its head announces; 0: unknown. */
  length: number;
  isJson: boolean;
  /** Its sender reads an answer before it has sent everything; one that does not is answered when it has. */
  answersEarly: boolean;
  /** Gives the message in the body, and how that is encoded. Throws a Refusal. */
  unwrap(body: Buffer): [message: Buffer, encoding: string | undefined];
}

export interface IntakeOptions {
  /** Of one request, packed and unpacked. */
  maxBodyBytes: number;
  /** What is done with metrics and logs. */
  otherSignals: "discard" | "refuse";
  take: Take;
}

/** What all requests together may hold packed, in bodies of the largest size. */
const MAX_HELD = 4;
/** A body that is too large is read on so far, so that its sender gets to hear it. */
const MAX_IGNORED = 8;

export class Intake {
  readonly counters: Counters = {
    requests: 0,
    bytes: 0,
    malformed: 0,
    rejectedSpans: 0,
    tooLarge: 0,
    busy: 0,
    forbidden: 0,
    discarded: 0,
  };
  /** Nothing new is taken. */
  closing = false;
  readonly #options: IntakeOptions;
  #held = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Takes what a request carries. Gives the spans that were not taken, if there are any. Throws a Refusal. */
  async request(request: Incoming): Promise<Rejected | undefined> {
    const { maxBodyBytes, otherSignals, take } = this.#options;
    const { signal, peer } = request;
    let packed: Buffer | undefined;
    try {
      if (this.closing) throw new Refusal(503, "shutting down", 1);
      if (signal === "other" && otherSignals === "refuse") throw new Refusal(404, TRACES_ONLY);
      packed = await this.#read(request);
      if (signal === "other") {
        this.counters.discarded++;
        return undefined;
      }
      const [message, encoding] = request.unwrap(packed);
      const plain = await unpack(message, encoding, maxBodyBytes);
      const body = request.isJson ? fromBrace(plain) : plain;
      const rejected = take(body, peer);
      this.counters.bytes += body.length;
      this.counters.rejectedSpans += rejected?.rejected ?? 0;
      return rejected;
    } finally {
      this.#held -= packed?.length ?? 0;
    }
  }

  /** Counts a request that was not taken. Gives what its sender is answered. */
  refused(error: unknown): Refusal {
    const why = error instanceof Refusal ? error : new Refusal(500, "internal fault");
    if (why.status === 400) this.counters.malformed++;
    if (why.status === 413) this.counters.tooLarge++;
    if (why.status === 503) this.counters.busy++;
    return why;
  }

  /** The body, within all bounds. It counts as held until its owner says that it is not. */
  #read({ stream, length: announced, answersEarly }: Incoming): Promise<Buffer> {
    const { maxBodyBytes } = this.#options;
    return new Promise((resolve, reject) => {
      let chunks: Buffer[] = [];
      let length = 0;
      let why: Refusal | undefined;
      const refuse = (refusal: Refusal) => {
        why ??= refusal;
        for (const chunk of chunks) this.#held -= chunk.length;
        chunks = [];
        if (answersEarly) reject(why);
      };
      if (announced > maxBodyBytes) refuse(tooLarge(maxBodyBytes));
      stream.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxBodyBytes * MAX_IGNORED) reject(why);
        if (why) return;
        if (length > maxBodyBytes) return refuse(tooLarge(maxBodyBytes));
        if (this.#held + chunk.length > maxBodyBytes * MAX_HELD) {
          return refuse(new Refusal(503, "too many bodies at once", 1));
        }
        this.#held += chunk.length;
        chunks.push(chunk);
      });
      stream.on("end", () => (why ? reject(why) : resolve(Buffer.concat(chunks, length))));
      stream.on("close", () => {
        if (stream.readableEnded) return;
        refuse(new Refusal(400, "the body broke off"));
        reject(why);
      });
      stream.on("error", () => {});
    });
  }
}

function tooLarge(maxBodyBytes: number): Refusal {
  return new Refusal(413, `the body has more than ${maxBodyBytes} bytes`);
}

const TRACES_ONLY =
  "genspan relay takes traces only; switch the others off in the sender: OTEL_METRICS_EXPORTER=none, OTEL_LOGS_EXPORTER=none";
