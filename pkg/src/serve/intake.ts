// What both receivers, HTTP and gRPC, have in common: what is counted, what unfinished requests may hold together, who has to go when there is
// no room, and how a body is read within all that.
import type { Socket } from "node:net";
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
  /** Ended because their bodies came too slowly. */
  stalled: number;
  /** Idle connections that were closed to make room for new ones, and new ones that there was no room for. */
  closed: number;
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
  socket: Socket | undefined;
  signal: Signal;
  /** How many bytes its head announces; 0: unknown. */
  length: number;
  isJson: boolean;
  /** Its sender reads an answer before it has sent everything; one that does not is answered when it has. */
  answersEarly: boolean;
  /** Gives the message in the body, and how that is encoded. Throws a Refusal. */
  unwrap(body: Buffer): [message: Buffer, encoding: string | undefined];
}

/** The bounds that senders share. */
export interface Bounds {
  /** Of one request, packed and unpacked. */
  maxBodyBytes: number;
  /** What all requests may hold together until they are read, in bytes. */
  maxHeldBytes: number;
  /** How long a body may stop, in ms. */
  bodyIdleMillis: number;
  /** How fast a body has to come, in bytes per second. */
  leastRate: number;
  maxConnections: number;
}

export interface IntakeOptions extends Bounds {
  /** What is done with metrics and logs. */
  otherSignals: "discard" | "refuse";
  take: Take;
}

/** A body that is too large is read on so far, so that its sender gets to hear it. */
const MAX_IGNORED = 8;
/** How long a request may take in all, in ms. */
export const REQUEST_TIMEOUT = 30_000;
const CHECK_INTERVAL = 1_000;
/** What a request takes beside its body, in bytes. */
const OVERHEAD = 4 << 10;
/** Bodies up to this size may fill the room that larger ones have to leave, in bytes and as a part of it. */
const SMALL = 1 << 20;
const LEFT_FOR_SMALL = 1 / 5;
/** Whether a body stalls is seen by what came of it in this window and the one before, in ms and bytes. */
const WINDOW = 250;
const SLOW = 16 << 10;
/** A sender that holds so many times what another one holds makes room for it. */
const GREEDY = 2;

interface Connection {
  socket: Socket;
  peer: string;
  /** Requests that are not answered yet, and those of them whose bodies are under way. */
  open: number;
  uploads: Set<Upload>;
  hasAsked: boolean;
  idleSince: number;
}

/** A body that is under way. */
class Upload {
  readonly startedAt = Date.now();
  held = 0;
  chunks: Buffer[] = [];
  lastAt = this.startedAt;
  /** The bytes since then, by which the least rate is judged. */
  #judgedAt = this.startedAt;
  #sinceJudged = 0;
  #windowAt = this.startedAt;
  #inWindow = 0;
  #before = 0;

  constructor(
    readonly peer: string,
    readonly refuse: (why: Refusal) => void,
  ) {}

  came(bytes: number, now: number): void {
    this.#slide(now);
    this.#inWindow += bytes;
    this.#sinceJudged += bytes;
    this.lastAt = now;
  }

  /** Returns true if next to nothing came of it in the last moments. */
  isSlow(now: number): boolean {
    this.#slide(now);
    return this.#before + this.#inWindow < SLOW;
  }

  /** Why it has to end, if it comes too slowly. */
  late(now: number, { bodyIdleMillis, leastRate }: Bounds): Refusal | undefined {
    if (now - this.startedAt > REQUEST_TIMEOUT)
      return new Refusal(408, `the request took more than ${REQUEST_TIMEOUT} ms`);
    if (now - this.lastAt > bodyIdleMillis)
      return new Refusal(408, `nothing of the body came for ${bodyIdleMillis} ms`);
    const millis = now - this.#judgedAt;
    if (millis < bodyIdleMillis) return undefined;
    const rate = (this.#sinceJudged * 1000) / millis;
    [this.#judgedAt, this.#sinceJudged] = [now, 0];
    return rate < leastRate ? new Refusal(408, `the body came at less than ${leastRate} bytes a second`) : undefined;
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
  /** Nothing new is taken. */
  closing = false;
  readonly #options: IntakeOptions;
  readonly #connections = new Map<Socket, Connection>();
  readonly #uploads = new Set<Upload>();
  #held = 0;
  /** The same by sender. */
  readonly #heldBy = new Map<string, number>();
  #checking: NodeJS.Timeout | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** A connection came. Where there are too many, what idles is closed, or else this one. */
  connected(socket: Socket): void {
    const peer = addressOf(socket.remoteAddress);
    while (this.#connections.size >= this.#options.maxConnections) {
      this.counters.closed++;
      const idlest = this.#idlest(Date.now());
      if (!idlest) return void socket.destroy();
      for (const upload of idlest.uploads) this.#displace(upload);
      this.#connections.delete(idlest.socket);
      idlest.socket.destroy();
    }
    const connection = { socket, peer, open: 0, uploads: new Set<Upload>(), hasAsked: false, idleSince: Date.now() };
    this.#connections.set(socket, connection);
    socket.on("close", () => this.#connections.delete(socket));
  }

  /** A request came on a connection; `answered` emits "close" when that is over. */
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

  /** Closes the connections that have not asked for anything. */
  closeSilent(): void {
    for (const { hasAsked, socket } of this.#connections.values()) if (!hasAsked) socket.destroy();
  }

  /** Takes what a request carries. Gives the spans that were not taken, if there are any. Throws a Refusal. */
  async request(request: Incoming): Promise<Rejected | undefined> {
    const { maxBodyBytes, otherSignals, take } = this.#options;
    const { signal, socket } = request;
    if (this.closing) throw new Refusal(503, "shutting down", 1);
    if (signal === "other" && otherSignals === "refuse") throw new Refusal(404, TRACES_ONLY);
    const peer = addressOf(socket?.remoteAddress);
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
      const rejected = take(body, peer);
      this.counters.bytes += body.length;
      this.counters.rejectedSpans += rejected?.rejected ?? 0;
      return rejected;
    } finally {
      this.#release(upload);
    }
  }

  /** Counts a request that was not taken. Gives what its sender is answered. */
  refused(error: unknown): Refusal {
    const why = error instanceof Refusal ? error : new Refusal(500, "internal fault");
    if (why.status === 400) this.counters.malformed++;
    if (why.status === 408) this.counters.stalled++;
    if (why.status === 413) this.counters.tooLarge++;
    if (why.status === 503) this.counters.busy++;
    return why;
  }

  /** Reads a body within all bounds. It counts as held until it is released. */
  #read({ stream, socket, length: announced, answersEarly }: Incoming, peer: string): Promise<Upload> {
    const { maxBodyBytes } = this.#options;
    const tooLarge = () => new Refusal(413, `the body has more than ${maxBodyBytes} bytes`);
    const uploads = socket && this.#connections.get(socket)?.uploads;
    return new Promise((resolve, reject) => {
      let length = 0;
      let why: Refusal | undefined;
      const end = (refusal?: Refusal) => {
        this.#uploads.delete(upload);
        uploads?.delete(upload);
        if (this.#uploads.size === 0) this.#stopChecking();
        if (!refusal) return resolve(upload);
        this.#release(upload);
        reject(refusal);
      };
      /** Nothing of it is kept. Its sender hears so at once, or when it has sent everything. */
      const refuse = (refusal: Refusal, atOnce = answersEarly) => {
        why ??= refusal;
        if (atOnce) end(why);
        else this.#release(upload);
      };
      const upload = new Upload(peer, (refusal) => refuse(refusal, true));
      this.#uploads.add(upload);
      uploads?.add(upload);
      this.#check();
      if (announced > maxBodyBytes) refuse(tooLarge());
      else if (!this.#hold(upload, OVERHEAD)) refuse(new Refusal(503, TOO_MANY, 1));
      stream.on("data", (chunk: Buffer) => {
        length += chunk.length;
        upload.came(chunk.length, Date.now());
        if (length > maxBodyBytes * MAX_IGNORED) end(why);
        if (why) return;
        if (length > maxBodyBytes) refuse(tooLarge());
        else if (!this.#hold(upload, chunk.length)) refuse(new Refusal(503, TOO_MANY, 1));
        else upload.chunks.push(chunk);
      });
      stream.on("end", () => end(why));
      stream.on("close", () => {
        if (!stream.readableEnded) end(why ?? new Refusal(400, "the body broke off"));
      });
      stream.on("error", () => {});
    });
  }

  /** Gives an upload room for so many bytes. Returns false if there is none. */
  #hold(upload: Upload, bytes: number): boolean {
    const { maxHeldBytes } = this.#options;
    const most = upload.held + bytes > SMALL ? maxHeldBytes * (1 - LEFT_FOR_SMALL) : maxHeldBytes;
    while (this.#held + bytes > most) {
      const other = this.#inTheWay(upload, Date.now());
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
    upload.refuse(new Refusal(503, "others needed the room, and little of the body came", 1));
  }

  /** Who makes room for an upload: of those that stall, or whose sender holds far more than this one, the one that has waited longest. */
  #inTheWay(upload: Upload, now: number): Upload | undefined {
    const by = ({ peer }: Upload) => this.#heldBy.get(peer) ?? 0;
    const others = [...this.#uploads].filter((other) => other !== upload && other.held > 0);
    const slow = others.filter((other) => other.isSlow(now));
    const greedy = others.filter((other) => by(other) > GREEDY * Math.max(by(upload), SMALL));
    const [candidates] = [slow, greedy].filter((list) => list.length > 0);
    return candidates?.reduce((a, b) => (by(a) !== by(b) ? (by(a) > by(b) ? a : b) : a.lastAt <= b.lastAt ? a : b));
  }

  /** The connection that is missed least: of those that ask for nothing, or whose bodies all stall, of the sender that has most of them. */
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

  /** Ends the uploads that come too slowly, for as long as there are any. */
  #check(): void {
    this.#checking ??= setInterval(() => {
      const now = Date.now();
      for (const upload of this.#uploads) {
        const why = upload.late(now, this.#options);
        if (why) upload.refuse(why);
      }
    }, CHECK_INTERVAL).unref();
  }

  #stopChecking(): void {
    clearInterval(this.#checking);
    this.#checking = undefined;
  }
}

const TOO_MANY = "too many bodies at once";
const TRACES_ONLY =
  "genspan relay takes traces only; switch the others off in the sender: OTEL_METRICS_EXPORTER=none, OTEL_LOGS_EXPORTER=none";

/** An address of IPv4 as itself, however the socket has it. */
function addressOf(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:/, "");
}
