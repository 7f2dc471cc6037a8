// The disk spool: one file per undelivered batch. The directory is the only state, so processes may share
// it, and the next process can continue after one was killed. A batch is delivered twice only if its process dies between
// the backend's answer and the removal of the file.
//
//   <time>-<number>-<owner>.<account>.<spans>.<size>.<state>
//
// account: see `digest`. A batch is sent only to the account that it was written for.
// state: `temp-<owner>` while it is written, `ready`, `held-<owner>` while a process sends it, `bad` if it is damaged.
// owner: machine, process, instance. The file: MAGIC, SHA-256 of the rest, an ExportTraceServiceRequest.
import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Spool, SpoolSettings, SpoolStats, Stored, Warn } from "./types.js";

const MAGIC = Buffer.from("gspool1\n");
const HEADER = MAGIC.length + 32;
const SCAN_INTERVAL = 30_000;
/** Minimum interval between two reads of a full directory, in ms. */
const LIST_INTERVAL = 1_000;
/** A process that has held a file for this long is considered dead, on whatever machine, in ms. */
const LEASE = 10 * 60_000;

/** Open neither links nor files that block, such as pipes. Not every system has both flags. */
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
/** Errors that mean that the process lacks a resource for the moment; the file is not at fault. */
const SHORTAGES = ["EMFILE", "ENFILE", "ENOMEM", "EAGAIN"];

/** The instances of this process. After a restart, a process may have the number of a dead one. */
const alive = new Set<string>();

/** FNV-1a, for the name of the machine. */
function short(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/**
 * The account in file names: 128 bits of PBKDF2-HMAC-SHA-256 over the whole account, including credentials. File names are visible to
 * everyone who may list the directory. The salt is constant, so that every process finds its batches. A guess at a credential costs 10,000 rounds.
 */
async function digest(account: string): Promise<string> {
  const secret = await crypto.subtle.importKey("raw", Buffer.from(account), "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: Buffer.from("genspan spool"), iterations: 10_000 };
  return Buffer.from(await crypto.subtle.deriveBits(how, secret, 128)).toString("hex");
}

/** Hashes off the main thread, because bodies are large. */
async function checksum(body: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", body as Uint8Array<ArrayBuffer>));
}

/** Returns the content of a file, or undefined if it is damaged. Rejects if it cannot be read. */
async function read(path: string, size: number): Promise<Uint8Array | undefined> {
  const file = await open(path, READ);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw Object.assign(new Error(), { code: "it is not a file" });
    if (found.size !== size) return undefined;
    const all = await file.readFile();
    const body = all.subarray(HEADER);
    const header = Buffer.concat([MAGIC, await checksum(body)]);
    return all.subarray(0, HEADER).equals(header) ? body : undefined;
  } finally {
    await file.close();
  }
}

/** Returns `true` if the operation succeeded. In a shared directory, another process may have been faster. */
function done(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}

/** Like `mkdir` with `recursive`, which never returns for a path such as /proc/x, where no directory can be created. */
async function makeDirectory(dir: string): Promise<void> {
  const made = async () => {
    try {
      await mkdir(dir, { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !(await stat(dir)).isDirectory()) throw error;
    }
  };
  await made().catch(async (error: NodeJS.ErrnoException) => {
    const parent = dirname(dir);
    if (error.code !== "ENOENT" || parent === dir) throw error;
    await makeDirectory(parent);
    await made();
  });
}

/** Creates a spool's directory and tests whether files can be created in it. Rejects with the error of the system. */
export async function tryDirectory(dir: string): Promise<void> {
  await makeDirectory(dir);
  const path = join(dir, `.genspan-${process.pid}-${crypto.randomUUID().slice(0, 8)}`);
  const file = await open(path, "wx", 0o600);
  await file.close();
  await unlink(path);
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
  const found =
    /^(\d+-\d+-[\w-]+\.([0-9a-f]{8}|[0-9a-f]{32})\.(\d{1,9})\.(\d{1,12}))\.(temp|ready|held|bad)(?:-([\w-]+))?$/.exec(
      name,
    );
  if (!found) return undefined;
  const [, base = "", key = "", spans, size, state = "", owner = ""] = found;
  return { base, key, spans: Number(spans), size: Number(size), state, owner };
}

export function openSpool(options: SpoolSettings, accounts: string[], changed: () => void, warn: Warn): Spool {
  return new Directory(options, accounts, changed, warn);
}

class Directory implements Spool {
  readonly stats: SpoolStats = { files: 0, bytes: 0, dropped: 0, quarantined: 0 };
  readonly #dir: string;
  readonly #maxBytes: number;
  /** The account digests, by destination; empty until the directory is open. */
  #keys: string[] = [];
  readonly #changed: () => void;
  readonly #warn: Warn;
  readonly #machine = short(hostname());
  readonly #owner: string;
  /** Batches by destination, oldest first, as of the last read of the directory. A rename shows whether one still exists. */
  readonly #ready = new Map<string, File[]>();
  #bad: File[] = [];
  /** Unreadable files, by base. They stay in place, because they may belong to another user. */
  readonly #unreadable = new Set<string>();
  /** Total size of the batches that are being written, in bytes. */
  #writing = 0;
  #listedAt = 0;
  #listing: Promise<File[]> | undefined;
  /** The files at the last read of the directory: a batch may be seen between its rename and the end of `put`. */
  #seen = new Set<string>();
  /** The batches that became ready since the current read of the directory began. */
  #added: File[] = [];
  readonly #held = new Map<number, { file: File; path: string }>();
  readonly #busy = new Set<Promise<unknown>>();
  readonly #opened: Promise<unknown>;
  readonly #timer: NodeJS.Timeout;
  #number = 0;
  #copies = 0;

  constructor({ dir, maxBytes }: SpoolSettings, accounts: string[], changed: () => void, warn: Warn) {
    this.#dir = dir;
    this.#maxBytes = maxBytes;
    this.#changed = changed;
    this.#warn = warn;
    const instance = crypto.randomUUID().slice(0, 8);
    this.#owner = `${this.#machine}-${process.pid}-${instance}`;
    alive.add(this.#owner);
    this.#opened = this.#open(accounts).catch((error) => this.#failed("cannot be created", error));
    this.#timer = setInterval(() => this.#scan(), SCAN_INTERVAL).unref();
    this.#scan();
  }

  async put(destination: number, spans: number, body: Uint8Array): Promise<boolean> {
    const size = HEADER + body.length;
    const time = String(Date.now()).padStart(15, "0");
    const number = String(this.#number++).padStart(6, "0");
    await this.#opened;
    const key = this.#keys[destination];
    if (key === undefined) return false;
    const base = `${time}-${number}-${this.#owner}.${key}.${spans}.${size}`;
    const temp = this.#path(base, `temp-${this.#owner}`);
    this.#writing += size;
    try {
      if (!(await this.#makeRoom(size))) return false;
      const file = await open(temp, "wx", 0o600);
      try {
        const { bytesWritten } = await file.writev([MAGIC, await checksum(body), body]);
        if (bytesWritten !== size) throw new Error("only part of it was written");
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temp, this.#path(base, "ready"));
      await this.#syncDirectory();
      if (this.#seen.has(base)) return true;
      this.stats.files++;
      this.stats.bytes += size;
      const added = { base, key, spans, size, state: "ready", owner: "" };
      this.#of(key).push(added);
      this.#added.push(added);
      return true;
    } catch (error) {
      this.#failed("cannot be written", error);
      await unlink(temp).catch(() => {});
      return false;
    } finally {
      this.#writing -= size;
    }
  }

  has(destination: number): boolean {
    const key = this.#keys[destination];
    return key !== undefined && this.#of(key).length > 0;
  }

  async take(destination: number): Promise<Stored | undefined> {
    await this.#opened;
    const key = this.#keys[destination];
    if (key === undefined) return undefined;
    try {
      if (!this.has(destination)) await this.#list();
      for (let file = this.#of(key).shift(); file; file = this.#of(key).shift()) {
        const stored = await this.#hold(file);
        if (stored) return stored;
      }
    } catch (error) {
      this.#failed("cannot be read", error);
    }
    return undefined;
  }

  /** Reads a batch and then claims it, so that a file that this process cannot read stays available to the others. */
  async #hold(file: File): Promise<Stored | undefined> {
    const ready = this.#path(file.base, "ready");
    let body: Uint8Array | undefined;
    try {
      body = await read(ready, file.size);
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (SHORTAGES.includes(code)) throw error;
      // If the file is gone, another process was faster.
      if (code !== "ENOENT") this.#skip(file, error);
      return undefined;
    }
    const state = body ? `held-${this.#owner}` : "bad";
    const path = this.#path(file.base, state);
    const mine = await done(rename(ready, path));
    if (!mine) return undefined;
    if (!body) {
      this.stats.quarantined++;
      this.stats.dropped += file.spans;
      this.#bad.push({ ...file, state });
      this.#failed("has a damaged file, which was renamed to .bad", undefined);
      return undefined;
    }
    const now = new Date();
    await utimes(path, now, now).catch(() => {});
    const copy = ++this.#copies;
    this.#held.set(copy, { file, path });
    return { copy, spans: file.spans, body };
  }

  #skip(file: File, error: unknown): void {
    this.#unreadable.add(file.base);
    this.stats.quarantined++;
    this.#gone(file);
    this.#failed("has an unreadable batch, which is skipped", error);
  }

  remove(copy: number): void {
    const held = this.#held.get(copy);
    this.#held.delete(copy);
    if (held) this.#later(unlink(held.path).then(() => this.#gone(held.file)));
  }

  release(copy: number): void {
    const held = this.#held.get(copy);
    this.#held.delete(copy);
    if (!held) return;
    const back = rename(held.path, this.#path(held.file.base, "ready"));
    const listed = () => {
      this.#of(held.file.key).unshift(held.file);
      this.#added.push(held.file);
    };
    this.#later(back.then(listed));
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

  #of(key: string): File[] {
    const files = this.#ready.get(key) ?? [];
    this.#ready.set(key, files);
    return files;
  }

  #gone({ size }: File): void {
    this.stats.files--;
    this.stats.bytes -= size;
  }

  async #open(accounts: string[]): Promise<void> {
    this.#keys = await Promise.all(accounts.map(digest));
    await makeDirectory(this.#dir);
    const others = (await this.#list()).filter(({ state, key }) => state === "ready" && !this.#keys.includes(key));
    if (others.length === 0) return;
    const owners = "another account, another destination or an older version";
    this.#failed(`has batches of ${owners}, which are left untouched (${others.length})`, undefined);
  }

  #list(): Promise<File[]> {
    this.#listing ??= this.#read().finally(() => {
      this.#listing = undefined;
    });
    return this.#listing;
  }

  async #read(): Promise<File[]> {
    this.#added = [];
    const all = (await readdir(this.#dir)).sort().flatMap((name) => parse(name) ?? []);
    // A file that this process is writing is counted when it is complete.
    const files = all.filter(
      ({ base, state, owner }) => (state !== "temp" || owner !== this.#owner) && !this.#unreadable.has(base),
    );
    this.#seen = new Set(files.map(({ base }) => base));
    // Files that appeared while the directory was read may be missing in the result.
    files.push(...this.#added.filter(({ base }) => !this.#seen.has(base)));
    this.#listedAt = Date.now();
    this.stats.files = files.length;
    this.stats.bytes = files.reduce((sum, { size }) => sum + size, 0);
    this.#ready.clear();
    for (const file of files) if (file.state === "ready") this.#of(file.key).push(file);
    this.#bad = files.filter(({ state }) => state === "bad");
    return files;
  }

  /** Deletes damaged files first, then the oldest, until there is space for everything that is being written; `size` is that of one batch. */
  async #makeRoom(size: number): Promise<boolean> {
    const full = () => this.stats.bytes + this.#writing > this.#maxBytes;
    if (size > this.#maxBytes) return false;
    if (full() && Date.now() - this.#listedAt > LIST_INTERVAL) await this.#list();
    while (full()) {
      const file = this.#bad.shift() ?? this.#oldest();
      if (!file) return false;
      if (!(await done(unlink(this.#path(file.base, file.state))))) continue;
      this.#gone(file);
      if (file.state === "bad") continue;
      this.stats.dropped += file.spans;
      this.#failed("is full; the oldest batches are dropped", undefined);
    }
    return true;
  }

  #oldest(): File | undefined {
    const lists = [...this.#ready.values()].filter((files) => files.length > 0);
    return lists.sort(([a], [b]) => ((a as File).base < (b as File).base ? -1 : 1))[0]?.shift();
  }

  /** Takes over the files of dead owners, and determines which destinations have batches. */
  #scan(): void {
    const scan = async () => {
      await this.#opened;
      for (const file of await this.#list()) {
        const { base, state, owner, key } = file;
        if ((state === "held" || state === "temp") && (await this.#isDead(file))) {
          const path = this.#path(base, `${state}-${owner}`);
          if (state === "temp") await done(unlink(path));
          else if (await done(rename(path, this.#path(base, "ready"))))
            this.#of(key).unshift({ ...file, state: "ready" });
        }
      }
      if (this.#keys.some((_, i) => this.has(i))) this.#changed();
    };
    this.#later(scan());
  }

  async #isDead({ base, state, owner }: File): Promise<boolean> {
    const [host, pid] = owner.split("-");
    if (host === this.#machine) {
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

  /** Syncs the directory: without that, the name may be lost in a power failure. Not every system permits it. */
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
    this.#warn(`the spool ${this.#dir} ${what}`, (error as NodeJS.ErrnoException | undefined)?.code ?? "");
  }
}
