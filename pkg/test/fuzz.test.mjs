// What must hold for any bytes on disk and in frames of gRPC: mutations of good ones, the same in every run. `FUZZ_SECONDS` makes them go on for so
// long, from another start each time.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { source } from "./source.mjs";

const SECONDS = Number(process.env.FUZZ_SECONDS ?? 0);
const SEED = SECONDS > 0 ? Date.now() >>> 0 : 1;

/** mulberry32: a whole number below `n`. */
function random(seed) {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** Bytes with some changed, gone, added or said twice. */
function mutate(bytes, below) {
  let data = Buffer.from(bytes);
  for (let i = below(3) + 1; i > 0; i--) {
    const at = below(data.length + 1);
    const end = Math.min(at + below(16), data.length);
    const [before, piece, after] = [data.subarray(0, at), data.subarray(at, end), data.subarray(end)];
    const kinds = [
      () => [before, Buffer.from([below(256)]), data.subarray(at + 1)],
      () => [before, after],
      () => [before],
      () => [before, piece, piece, after],
      () => [before, Buffer.from([[0, 0x7f, 0x80, 0xff][below(4)]]), data.subarray(at)],
      () => [data, data],
    ];
    data = Buffer.concat(kinds[below(kinds.length)]());
  }
  return data;
}

/** Runs `once` so often, or for so long as was asked for; gives how often. */
async function repeat(count, once) {
  const end = Date.now() + SECONDS * 1000;
  let runs = 0;
  while (SECONDS > 0 ? Date.now() < end : runs < count) await once(runs++);
  return runs;
}

test("a spool gives back what was put into it, or nothing", { timeout: 600_000 + SECONDS * 1000 }, async (t) => {
  const { openSpool } = await source("spool");
  const root = mkdtempSync(join(tmpdir(), "genspan-"));
  const dir = join(root, "spool");
  t.after(() => rmSync(root, { recursive: true }));
  const open = (account) =>
    openSpool(
      { dir, maxBytes: 1 << 20 },
      [account],
      () => {},
      () => {},
    );
  const own = open("own");
  const others = open("others");
  t.after(() => Promise.all([own.close(), others.close()]));
  // A good file of each account, to be copied.
  const [body, theirs] = ["a batch of our own", "a batch of theirs"].map((text) => Buffer.from(text));
  assert.ok((await own.put(0, 3, body)) && (await others.put(0, 2, theirs)));
  const good = readdirSync(dir).map((name) => ({ name, bytes: readFileSync(join(dir, name)) }));
  for (const [spool, text] of [
    [own, body],
    [others, theirs],
  ]) {
    const stored = await spool.take(0);
    assert.deepEqual(Buffer.from(stored.body), text);
    spool.remove(stored.copy);
  }
  const below = random(SEED);
  let taken = 0;
  const runs = await repeat(400, async (run) => {
    for (const { name, bytes } of good) {
      const numbered = name.replace(/-\d{6}-/, `-${String(run % 1_000_000).padStart(6, "0")}-`);
      const changed = below(2)
        ? numbered
        : mutate(numbered, below).toString("latin1").replace(/[/\0]/g, "_").slice(0, 250);
      if (changed !== "" && changed !== "." && changed !== "..") {
        writeFileSync(join(dir, changed), below(2) ? bytes : mutate(bytes, below));
      }
    }
    for (let stored = await own.take(0); stored; stored = await own.take(0)) {
      assert.deepEqual(Buffer.from(stored.body), body, `seed ${SEED}, run ${run}`);
      assert.ok(Number.isSafeInteger(stored.spans) && stored.spans >= 0, `${stored.spans} spans`);
      taken++;
      own.remove(stored.copy);
    }
    const { files, dropped, quarantined } = own.stats;
    assert.ok([files, dropped, quarantined].every(Number.isSafeInteger), JSON.stringify(own.stats));
    for (const name of readdirSync(dir)) rmSync(join(dir, name), { force: true });
  });
  assert.ok(taken > runs / 20, `${taken} of ${runs} were good`);
  t.diagnostic(`${runs} runs`);
});

test("a frame of gRPC is one whole message, or refused", { timeout: 600_000 + SECONDS * 1000 }, async (t) => {
  const { listenGrpc } = await source("serve/grpc");
  const unwraps = [];
  const request = async (incoming) => {
    unwraps.push(incoming.unwrap);
    incoming.stream.resume();
    await once(incoming.stream, "end");
  };
  const nothing = () => {};
  const intake = {
    counters: { requests: 0 },
    closing: false,
    connected: nothing,
    asked: nothing,
    request,
    refused: (error) => error,
  };
  const receiver = await listenGrpc({ host: "127.0.0.1", port: 0, intake });
  const session = connect(`http://127.0.0.1:${receiver.port}`);
  t.after(async () => {
    session.close();
    await receiver.close();
  });
  const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
  for (const encoding of [{}, { "grpc-encoding": "gzip" }]) {
    const call = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc", ...encoding });
    call.end(Buffer.alloc(5));
    call.resume();
    await once(call, "end");
  }
  assert.equal(unwraps.length, 2);
  const seeds = [0, 1, 200, 70_000].flatMap((length) =>
    [0, 1].map((flag) => {
      const frame = Buffer.alloc(5 + length, "message ");
      frame[0] = flag;
      frame.writeUInt32BE(length, 1);
      return frame;
    }),
  );
  const below = random(SEED);
  let taken = 0;
  const runs = await repeat(5_000, (run) => {
    const seed = seeds[below(seeds.length)];
    const frame = below(8) ? mutate(seed, below) : seed;
    for (const [i, unwrap] of unwraps.entries()) {
      try {
        const [message, encoding] = unwrap(frame);
        assert.equal(message.length, frame.length - 5, `seed ${SEED}, run ${run}`);
        assert.equal(frame.readUInt32BE(1), message.length);
        assert.equal(encoding, frame[0] === 1 ? "gzip" : undefined);
        assert.ok(frame[0] === 0 || i === 1, "what is packed says how");
        taken++;
      } catch (error) {
        assert.equal(error.status, 400, `seed ${SEED}, run ${run}: ${error}`);
      }
    }
  });
  assert.ok(taken > runs / 20, `${taken} of ${runs} were good`);
  t.diagnostic(`${runs} runs`);
});
