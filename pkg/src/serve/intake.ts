// The common part of both receivers, HTTP and gRPC: counters, the memory that unfinished requests share, the choice of the request that is ended
// when memory is needed, and the reading of bodies within these limits.
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { Rejected } from "../core.js";
import { fromBrace, Refusal, type Take, unpack } from "./otlp.js";

export interface Counters {
  requests: number;
  /** Size of the accepted bodies, in bytes, unpacked. */
  bytes: number;
  malformed: number;
  /** Spans that were refused while the rest of their body was accepted. */
  rejectedSpans: number;
  tooLarge: number;
  /** Requests that were answered with 503. */
  busy: number;
  /** Requests that were ended because their bodies came too slowly. */
  stalled: number;
  /** Idle connections that were closed to make room for new ones, and new ones for which there was no room. */
  closed: number;
  /** Requests for a Host name or from an origin that is not allowed. */
  forbidden: number;
  /** Bodies of metrics and logs that were discarded. */
  discarded: number;
}

/** The content of a request: spans, or metrics, logs and profiles. */
export type Signal = "traces" | "other";

/** A request whose headers have been read. */
export interface Incoming {
  stream: Readable;
  socket: Socket | undefined;
  signal: Signal;
  /** Returns the length of the body according to the headers and its first bytes; 0 if unknown. There are HEAD first bytes, or fewer so far. */
  announced(head: Buffer): number;
  isJson: boolean;
  /** `true` if the sender reads an answer before it has sent everything; otherwise it is answered afterwards. */
  answersEarly: boolean;
  /** Returns the message in the body and its encoding. Throws a Refusal. */
  unwrap(body: Buffer): [message: Buffer, encoding: string | undefined];
}

/** The limits that senders share. */
export interface Bounds {
  /** Maximum size of one request, packed and unpacked. */
  maxBodyBytes: number;
  /** Maximum memory of all incomplete requests, in bytes. */
  maxHeldBytes: number;
  /** Longest pause within a body, in ms. */
  bodyIdleMillis: number;
  /** Lowest rate of a body, in bytes per second. */
  leastRate: number;
  maxConnections: number;
}

export interface IntakeOptions extends Bounds {
  /** The treatment of metrics and logs. */
  otherSignals: "discard" | "refuse";
  take: Take;
}

/** The number of first bytes of a body that may contain its length. */
export const HEAD = 5;
/** How much more of a body that is too large is read, so that its sender receives the answer. */
const MAX_IGNORED = 8;
/** Time limit of a whole request, in ms. */
export const REQUEST_TIMEOUT = 30_000;
const CHECK_INTERVAL = 100;
/** Memory of a request in addition to its body, in bytes. */
const OVERHEAD = 4 << 10;
/** Bodies up to this size have a reserved share of the memory, in bytes and as a fraction. A body has the size that it announces, from the start. */
const SMALL = 1 << 20;
const LEFT_FOR_SMALL = 1 / 5;
/** A body counts as stalled by the bytes received in this window and the one before, in ms and bytes. */
const WINDOW = 250;
const SLOW = 16 << 10;
/** A sender that holds this many times the memory of another one has to make room for it. */
const GREEDY = 2;

interface Connection {
  socket: Socket;
  peer: string;
  /** Unanswered requests, and those of them whose bodies are being received. */
  open: number;
  uploads: Set<Upload>;
  hasAsked: boolean;
  idleSince: number;
}

/** A body that is being received. */
class Upload {
  held = 0;
  announced = 0;
  chunks: Buffer[] = [];
  lastAt: number;
  /** The bytes received since then, for the minimum rate. */
  #judgedAt: number;
  #sinceJudged = 0;
  #windowAt: number;
  #inWindow = 0;
  /** No body counts as stalled before its first window is over. */
  #before = SLOW;

  constructor(
    readonly peer: string,
    readonly startedAt: number,
    readonly refuse: (why: Refusal) => void,
  ) {
    this.lastAt = this.#judgedAt = this.#windowAt = startedAt;
  }

  came(bytes: number, now: number): void {
    this.#slide(now);
    this.#inWindow += bytes;
    this.#sinceJudged += bytes;
    this.lastAt = now;
  }

  /** Returns `true` if almost nothing has arrived recently. */
  isSlow(now: number): boolean {
    this.#slide(now);
    return this.#before + this.#inWindow < SLOW;
  }

  /** The reason to end the upload, if it is too slow. */
  late(now: number, { bodyIdleMillis, leastRate }: Bounds): Refusal | undefined {
    if (now - this.startedAt > REQUEST_TIMEOUT)
      return new Refusal(408, `the request took more than ${REQUEST_TIMEOUT} ms`);
    if (now - this.lastAt > bodyIdleMillis)
      return new Refusal(408, `no data of the body arrived for ${bodyIdleMillis} ms`);
    const millis = now - this.#judgedAt;
    if (millis < bodyIdleMillis) return undefined;
    const rate = (this.#sinceJudged * 1000) / millis;
    [this.#judgedAt, this.#sinceJudged] = [now, 0];
    return rate < leastRate ? new Refusal(408, `the body is slower than ${leastRate} bytes a second`) : undefined;
  }

  #slide(now: number): void {
    const windows = Math.floor((now - this.#windowAt) / WINDOW);
    if (windows < 1) return;
    this.#before = windows === 1 ? this.#inWindow : 0;
    this.#inWindow = 0;
    this.#windowAt += windows * WINDOW;
  }
}

export class Intake {
  readonly counters: Counters = {
    requests: 0,
    bytes: 0,
    malformed: 0,
    rejectedSpans: 0,
    tooLarge: 0,
    busy: 0,
    stalled: 0,
    closed: 0,
    forbidden: 0,
    discarded: 0,
  };
  /** `true` during shutdown: nothing new is accepted. */
  closing = false;
  readonly #options: IntakeOptions;
  readonly #connections = new Map<Socket, Connection>();
  readonly #uploads = new Set<Upload>();
  #held = 0;
  /** The same for each sender. */
  readonly #heldBy = new Map<string, number>();
  #checking: NodeJS.Timeout | undefined;
  /** The time during which data could be received, in ms, and when it was last advanced. */
  #time = 0;
  #timeAt = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Registers a new connection. If there are too many, an idle one is closed, or this one if none is idle. */
  connected(socket: Socket): void {
    const peer = senderOf(addressOf(socket.remoteAddress));
    while (this.#connections.size >= this.#options.maxConnections) {
      this.counters.closed++;
      const idlest = this.#idlest(this.#now());
      if (!idlest) return void socket.destroy();
      for (const upload of idlest.uploads) this.#displace(upload);
      this.#connections.delete(idlest.socket);
      idlest.socket.destroy();
    }
    const connection = { socket, peer, open: 0, uploads: new Set<Upload>(), hasAsked: false, idleSince: Date.now() };
    this.#connections.set(socket, connection);
    socket.on("close", () => this.#connections.delete(socket));
  }

  /** Registers a request on a connection; `answered` emits "close" when it is finished. */
  asked(socket: Socket | undefined, answered: NodeJS.EventEmitter): void {
    const connection = socket && this.#connections.get(socket);
    if (!connection) return;
    connection.hasAsked = true;
    connection.open++;
    answered.once("close", () => {
      connection.open--;
      connection.idleSince = Date.now();
    });
  }

  /** Closes the connections without any request. */
  closeSilent(): void {
    for (const { hasAsked, socket } of this.#connections.values()) if (!hasAsked) socket.destroy();
  }

  /** Processes a request. Returns the refused spans, if there are any. Throws a Refusal. */
  async request(request: Incoming): Promise<Rejected | undefined> {
    const { maxBodyBytes, otherSignals, take } = this.#options;
    const { signal, socket } = request;
    if (this.closing) throw new Refusal(503, "shutting down", 1);
    if (signal === "other" && otherSignals === "refuse") throw new Refusal(404, TRACES_ONLY);
    const address = addressOf(socket?.remoteAddress);
    const peer = senderOf(address);
    const upload = await this.#read(request, peer);
    try {
      if (signal === "other") {
        this.counters.discarded++;
        return undefined;
      }
      const [message, encoding] = request.unwrap(Buffer.concat(upload.chunks));
      upload.chunks = [];
      const plain = await unpack(message, encoding, maxBodyBytes, peer);
      const body = request.isJson ? fromBrace(plain) : plain;
      const rejected = take(body, address);
      this.counters.bytes += body.length;
      this.counters.rejectedSpans += rejected?.rejected ?? 0;
      return rejected;
    } finally {
      this.#release(upload);
    }
  }

  /** Counts a refused request. Returns the answer for its sender. */
  refused(error: unknown): Refusal {
    const why = error instanceof Refusal ? error : new Refusal(500, "internal fault");
    if (why.status === 400) this.counters.malformed++;
    if (why.status === 408) this.counters.stalled++;
    if (why.status === 413) this.counters.tooLarge++;
    if (why.status === 503) this.counters.busy++;
    return why;
  }

  /** Reads a body within all limits. It counts as held until it is released. */
  #read({ stream, socket, announced, answersEarly }: Incoming, peer: string): Promise<Upload> {
    const { maxBodyBytes } = this.#options;
    const tooLarge = () => new Refusal(413, `the body has more than ${maxBodyBytes} bytes`);
    const uploads = socket && this.#connections.get(socket)?.uploads;
    return new Promise((resolve, reject) => {
      let length = 0;
      let head: Buffer = Buffer.alloc(0);
      let why: Refusal | undefined;
      const end = (refusal?: Refusal) => {
        this.#uploads.delete(upload);
        uploads?.delete(upload);
        if (this.#uploads.size === 0) this.#stopChecking();
        if (!refusal) return resolve(upload);
        this.#release(upload);
        reject(refusal);
      };
      /** Discards the body. Its sender is informed at once, or when it has sent everything. */
      const refuse = (refusal: Refusal, atOnce = answersEarly) => {
        why ??= refusal;
        if (atOnce) end(why);
        else this.#release(upload);
      };
      const upload = new Upload(peer, this.#now(), (refusal) => refuse(refusal, true));
      /** Reserves memory for so many bytes more, unless the request is refused. */
      const hold = (bytes: number) => {
        upload.announced = announced(head);
        if (Math.max(length, upload.announced) > maxBodyBytes) refuse(tooLarge());
        else if (!this.#hold(upload, bytes)) refuse(new Refusal(503, TOO_MANY, 1));
      };
      this.#uploads.add(upload);
      uploads?.add(upload);
      this.#check();
      hold(OVERHEAD);
      stream.on("data", (chunk: Buffer) => {
        length += chunk.length;
        upload.came(chunk.length, this.#now());
        if (head.length < HEAD) head = Buffer.concat([head, chunk.subarray(0, HEAD - head.length)]);
        if (length > maxBodyBytes * MAX_IGNORED) end(why);
        if (!why) hold(chunk.length);
        if (!why) upload.chunks.push(chunk);
      });
      stream.on("end", () => end(why));
      stream.on("close", () => {
        if (!stream.readableEnded) end(why ?? new Refusal(400, "the body is incomplete"));
      });
      stream.on("error", () => {});
    });
  }

  /** Reserves this many bytes for an upload. Returns `false` if there is not enough memory. */
  #hold(upload: Upload, bytes: number): boolean {
    const { maxHeldBytes } = this.#options;
    const most =
      Math.max(upload.announced, upload.held + bytes) > SMALL ? maxHeldBytes * (1 - LEFT_FOR_SMALL) : maxHeldBytes;
    while (this.#held + bytes > most) {
      const other = this.#inTheWay(upload, this.#now());
      if (!other) return false;
      this.#displace(other);
    }
    this.#count(upload, bytes);
    return true;
  }

  #release(upload: Upload): void {
    upload.chunks = [];
    this.#count(upload, -upload.held);
  }

  #count(upload: Upload, bytes: number): void {
    const by = (this.#heldBy.get(upload.peer) ?? 0) + bytes;
    upload.held += bytes;
    this.#held += bytes;
    if (by === 0) this.#heldBy.delete(upload.peer);
    else this.#heldBy.set(upload.peer, by);
  }

  #displace(upload: Upload): void {
    upload.refuse(new Refusal(503, "the memory was needed for other requests, and this body was slow", 1));
  }

  /** The upload that makes room for another one: of those that stall, or whose sender holds far more, the one that has waited longest. */
  #inTheWay(upload: Upload, now: number): Upload | undefined {
    const by = ({ peer }: Upload) => this.#heldBy.get(peer) ?? 0;
    const others = [...this.#uploads].filter((other) => other !== upload && other.held > 0);
    const slow = others.filter((other) => other.isSlow(now));
    const greedy = others.filter((other) => by(other) > GREEDY * Math.max(by(upload), SMALL));
    const [candidates] = [slow, greedy].filter((list) => list.length > 0);
    return candidates?.reduce((a, b) => (by(a) !== by(b) ? (by(a) > by(b) ? a : b) : a.lastAt <= b.lastAt ? a : b));
  }

  /** The connection to close: an idle one, or one whose bodies all stall, of the sender with the most of these. */
  #idlest(now: number): Connection | undefined {
    const all = [...this.#connections.values()];
    const counts = new Map<string, number>();
    for (const { peer } of all) counts.set(peer, (counts.get(peer) ?? 0) + 1);
    const stalls = ({ open, uploads }: Connection) =>
      open === uploads.size && [...uploads].every((upload) => upload.isSlow(now));
    const rank = ({ open, hasAsked, peer }: Connection) => [open > 0, hasAsked, -(counts.get(peer) ?? 0)].map(Number);
    const before = (a: Connection, b: Connection) => {
      const [ranks, others] = [rank(a), rank(b)];
      const at = ranks.findIndex((value, i) => value !== others[i]);
      return at < 0 ? a.idleSince <= b.idleSince : (ranks[at] as number) < (others[at] as number);
    };
    return all.filter(stalls).reduce<Connection | undefined>((a, b) => (a && before(a, b) ? a : b), undefined);
  }

  /** Periodically ends uploads that are too slow, as long as there are uploads. */
  #check(): void {
    this.#checking ??= setInterval(() => {
      const now = this.#now();
      for (const upload of this.#uploads) {
        const why = upload.late(now, this.#options);
        if (why) upload.refuse(why);
      }
    }, CHECK_INTERVAL).unref();
  }

  /** While the process is busy it reads nothing, so that time does not count: no body is slow because of it. */
  #now(): number {
    const now = Date.now();
    this.#time += Math.min(now - this.#timeAt, 2 * CHECK_INTERVAL);
    this.#timeAt = now;
    return this.#time;
  }

  #stopChecking(): void {
    clearInterval(this.#checking);
    this.#checking = undefined;
  }
}

const TOO_MANY = "too many bodies at once";
const TRACES_ONLY =
  "genspan relay accepts traces only; disable the other signals in the sender: OTEL_METRICS_EXPORTER=none, OTEL_LOGS_EXPORTER=none";

/** An IPv4 address in its own notation, even if the socket reports it as an IPv6 address. */
function addressOf(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:/, "");
}

/**
 * What stands for all addresses that one sender may have: of IPv6 the first 64 bits, which are its network. A machine chooses the rest as it likes
 * (RFC 4291, section 2.5.1).
 */
export function senderOf(address: string): string {
  const [front = [], back] = address.split("::").map((part) => part.split(":").filter((group) => group !== ""));
  if (!address.includes(":") || front.length > 8) return address;
  const zeros = back ? Math.max(0, 8 - front.length - back.length) : 0;
  return [...front, ...Array<string>(zeros).fill("0"), ...(back ?? [])].slice(0, 4).join(":");
}
