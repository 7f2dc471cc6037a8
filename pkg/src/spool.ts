// What could not be delivered, on disk: one file for each batch, and the directory as the only state, so that processes may share
// it and a killed one leaves nothing that the next cannot take up. A batch is delivered twice only if its process dies between
// the backend's answer and the removal of the file.
//
//   <time>-<number>-<owner>.<destination>.<spans>.<size>.<state>
//
// state: `temp-<owner>` while it is written, `ready`, `held-<owner>` while somebody sends it, `bad` when it is damaged.
// owner: machine, process, instance. The file: MAGIC, SHA-256 of the rest, an ExportTraceServiceRequest.
import { createHash, randomBytes, webcrypto } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rename, stat, unlink, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Spool, SpoolOptions, SpoolStats, Stored, Warn } from "./index.js";

const MAGIC = Buffer.from("gspool1\n");
const HEADER = MAGIC.length + 32;
const SCAN_INTERVAL = 30_000;
/** Whoever holds a file for so long is dead, wherever it ran. */
const LEASE = 10 * 60_000;

const machine = short(hostname());
/** The instances of this process: after a restart, it may have the number of the one that died. */
const alive = new Set<string>();

function short(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** Off the main thread: bodies are large. */
async function checksum(body: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await webcrypto.subtle.digest("SHA-256", body));
}

interface File {
  base: string;
  key: string;
  spans: number;
  size: number;
  state: string;
  owner: string;
}

function parse(name: string): File | undefined {
  const found = /^(\d+-\d+-[\w-]+\.([0-9a-f]{8})\.(\d+)\.(\d+))\.(temp|ready|held|bad)(?:-([\w-]+))?$/.exec(name);
  if (!found) return undefined;
  const [, base = "", key = "", spans, size, state = "", owner = ""] = found;
  return { base, key, spans: Number(spans), size: Number(size), state, owner };
}

export function openSpool(options: Required<SpoolOptions>, names: string[], changed: () => void, warn: Warn): Spool {
  return new Directory(options, names.map(short), changed, warn);
}

class Directory implements Spool {
  readonly stats: SpoolStats = { files: 0, bytes: 0, dropped: 0, quarantined: 0 };
  readonly #dir: string;
  readonly #maxBytes: number;
  readonly #keys: string[];
  readonly #changed: () => void;
  readonly #warn: Warn;
  readonly #owner: string;
  readonly #ready = new Set<string>();
  readonly #held = new Map<number, { base: string; path: string }>();
  readonly #busy = new Set<Promise<unknown>>();
  readonly #opened: Promise<unknown>;
  readonly #timer: NodeJS.Timeout;
  #number = 0;
  #copies = 0;

  constructor({ dir, maxBytes }: Required<SpoolOptions>, keys: string[], changed: () => void, warn: Warn) {
    this.#dir = dir;
    this.#maxBytes = maxBytes;
    this.#keys = keys;
    this.#changed = changed;
    this.#warn = warn;
    const instance = randomBytes(4).toString("hex");
    this.#owner = `${machine}-${process.pid}-${instance}`;
    alive.add(this.#owner);
    this.#opened = mkdir(dir, { recursive: true, mode: 0o700 }).catch((error) => this.#failed("cannot be made", error));
    this.#timer = setInterval(() => this.#scan(), SCAN_INTERVAL).unref();
    this.#scan();
  }

  async put(destination: number, spans: number, body: Uint8Array): Promise<boolean> {
    const size = HEADER + body.length;
    const time = String(Date.now()).padStart(15, "0");
    const number = String(this.#number++).padStart(6, "0");
    const base = `${time}-${number}-${this.#owner}.${this.#keys[destination]}.${spans}.${size}`;
    const temp = this.#path(base, `temp-${this.#owner}`);
    try {
      await this.#opened;
      if (!(await this.#makeRoom(size))) return false;
      const file = await open(temp, "wx", 0o600);
      try {
        await file.writev([MAGIC, await checksum(body), body]);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temp, this.#path(base, "ready"));
      await this.#syncDirectory();
      this.stats.files++;
      this.stats.bytes += size;
      this.#ready.add(this.#keys[destination] as string);
      return true;
    } catch (error) {
      this.#failed("cannot be written", error);
      await unlink(temp).catch(() => {});
      return false;
    }
  }

  has(destination: number): boolean {
    return this.#ready.has(this.#keys[destination] as string);
  }

  async take(destination: number): Promise<Stored | undefined> {
    const key = this.#keys[destination] as string;
    try {
      for (const file of await this.#list()) {
        if (file.state !== "ready" || file.key !== key) continue;
        const path = this.#path(file.base, `held-${this.#owner}`);
        const mine = await rename(this.#path(file.base, "ready"), path).then(
          () => true,
          () => false,
        );
        if (!mine) continue;
        const now = new Date();
        await utimes(path, now, now).catch(() => {});
        const body = await this.#read(path, file);
        if (!body) continue;
        const copy = ++this.#copies;
        this.#held.set(copy, { base: file.base, path });
        return { copy, spans: file.spans, body };
      }
      this.#ready.delete(key);
    } catch (error) {
      this.#ready.delete(key);
      this.#failed("cannot be read", error);
    }
    return undefined;
  }

  remove(copy: number): void {
    const held = this.#held.get(copy);
    this.#held.delete(copy);
    if (held) this.#later(unlink(held.path));
  }

  release(copy: number): void {
    const held = this.#held.get(copy);
    this.#held.delete(copy);
    if (!held) return;
    this.#later(rename(held.path, this.#path(held.base, "ready")));
    const key = parse(`${held.base}.ready`)?.key;
    if (key) this.#ready.add(key);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const copy of [...this.#held.keys()]) this.release(copy);
    await Promise.all(this.#busy);
    alive.delete(this.#owner);
  }

  #path(base: string, state: string): string {
    return join(this.#dir, `${base}.${state}`);
  }

  /** Oldest first. */
  async #list(): Promise<File[]> {
    const files = (await readdir(this.#dir)).sort().flatMap((name) => parse(name) ?? []);
    this.stats.files = files.length;
    this.stats.bytes = files.reduce((sum, { size }) => sum + size, 0);
    return files;
  }

  /** What a file holds, if it is what was written; else it is set aside. */
  async #read(path: string, file: File): Promise<Uint8Array | undefined> {
    const all = await readFile(path);
    const body = all.subarray(HEADER);
    const header = Buffer.concat([MAGIC, await checksum(body)]);
    if (all.length === file.size && all.subarray(0, HEADER).equals(header)) return body;
    this.stats.quarantined++;
    this.stats.dropped += file.spans;
    await rename(path, this.#path(file.base, "bad"));
    this.#failed("has a damaged file, which is set aside as .bad", undefined);
    return undefined;
  }

  /** Deletes damaged files first, then the oldest, until there is room. */
  async #makeRoom(size: number): Promise<boolean> {
    if (size > this.#maxBytes) return false;
    const files = await this.#list();
    let over = this.stats.bytes + size - this.#maxBytes;
    const old = files.filter(({ state }) => state === "bad" || state === "ready");
    for (const file of old.sort((a, b) => Number(b.state === "bad") - Number(a.state === "bad"))) {
      if (over <= 0) break;
      const gone = await unlink(this.#path(file.base, file.state)).then(
        () => true,
        () => false,
      );
      over -= file.size;
      if (!gone || file.state === "bad") continue;
      this.stats.dropped += file.spans;
      this.#failed("is full, the oldest spans are dropped", undefined);
    }
    return over <= 0;
  }

  /** Takes up what dead owners left behind, and looks who has something to get. */
  #scan(): void {
    const scan = async () => {
      await this.#opened;
      for (const file of await this.#list()) {
        const { base, state, owner, key } = file;
        if ((state === "held" || state === "temp") && (await this.#isDead(file))) {
          const path = this.#path(base, `${state}-${owner}`);
          // Somebody else may have been quicker.
          await (state === "held" ? rename(path, this.#path(base, "ready")) : unlink(path)).catch(() => {});
          if (state === "held") this.#ready.add(key);
        }
        if (state === "ready") this.#ready.add(key);
      }
      if (this.#keys.some((key) => this.#ready.has(key))) this.#changed();
    };
    this.#later(scan());
  }

  async #isDead({ base, state, owner }: File): Promise<boolean> {
    const [host, pid] = owner.split("-");
    if (host === machine) {
      if (Number(pid) === process.pid) return !alive.has(owner);
      try {
        process.kill(Number(pid), 0);
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === "ESRCH";
      }
    }
    const found = await stat(this.#path(base, `${state}-${owner}`)).catch(() => undefined);
    return found !== undefined && Date.now() - found.mtimeMs > LEASE;
  }

  /** Without it the name may be lost with the power; not every system lets one. */
  async #syncDirectory(): Promise<void> {
    let directory: FileHandle | undefined;
    try {
      directory = await open(this.#dir, "r");
      await directory.sync();
    } catch {
      // The file itself is safe.
    } finally {
      await directory?.close();
    }
  }

  #later(work: Promise<unknown>): void {
    const done = work.catch((error) => this.#failed("fails", error)).finally(() => this.#busy.delete(done));
    this.#busy.add(done);
  }

  #failed(what: string, error: unknown): void {
    this.#warn(`the spool ${what}`, (error as NodeJS.ErrnoException | undefined)?.code ?? "");
  }
}
