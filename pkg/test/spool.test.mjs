// The spool by itself: what is on disk, who gets it, and what damage does.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { source } from "./source.mjs";

const { openSpool } = await source("spool");

function setup(t, { maxBytes = 1 << 20, names = ["a"] } = {}) {
  const dir = join(mkdtempSync(join(tmpdir(), "genspan-")), "spool");
  const warnings = [];
  const open = () => {
    const spool = openSpool(
      { dir, maxBytes },
      names,
      () => {},
      (what, why) => warnings.push(why ? `${what}: ${why}` : what),
    );
    t.after(() => spool.close());
    return spool;
  };
  t.after(() => rmSync(join(dir, ".."), { recursive: true }));
  return { dir, open, warnings, files: () => readdirSync(dir).sort() };
}

const bytes = (text) => new TextEncoder().encode(text);
const text = (stored) => stored && new TextDecoder().decode(stored.body);

test("a batch is a private file with the checksum of what it holds", async (t) => {
  const { dir, open, files } = setup(t);
  const spool = open();
  assert.equal(await spool.put(0, 3, bytes("batch")), true);
  const [name, ...others] = files();
  assert.deepEqual(others, []);
  assert.match(name, /\.3\.45\.ready$/);
  assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  const file = readFileSync(join(dir, name));
  assert.equal(file.subarray(40).toString(), "batch");
  assert.deepEqual(file.subarray(8, 40), createHash("sha256").update("batch").digest());
});

test("the oldest comes first, whoever wrote it, and once", async (t) => {
  const { open } = setup(t);
  const [one, writer] = [open(), open()];
  for (const [spool, batch] of [
    [one, "1"],
    [one, "2"],
    [writer, "3"],
    [writer, "4"],
  ]) {
    await spool.put(0, 1, bytes(batch));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const two = open();
  const first = await two.take(0);
  assert.equal(text(first), "1");
  const rest = await Promise.all([one.take(0), two.take(0), one.take(0), two.take(0), one.take(0)]);
  assert.deepEqual(rest.map(text).filter(Boolean).sort(), ["2", "3", "4"]);
  two.release(first.copy);
  // To release is to rename: it is there when the disk says so.
  while (!two.has(0)) await new Promise((resolve) => setTimeout(resolve, 2));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(text(await one.take(0)), "1", "what was released is there for all");
  assert.deepEqual([one.has(0), await writer.take(0)], [false, undefined]);
});

test("a batch is counted once, also when the directory is read while it is written", async (t) => {
  const { open, files } = setup(t, { names: ["a", "b"] });
  const spool = open();
  for (let i = 1; i <= 100; i++) {
    // Who has nothing to take reads the directory.
    await Promise.all([spool.put(0, 1, bytes("batch")), spool.take(1)]);
    assert.deepEqual([spool.stats.files, spool.stats.bytes, files().length], [i, i * 45, i]);
  }
  for (let i = 0; i < 100; i++) assert.equal(text(await spool.take(0)), "batch");
  assert.equal(spool.has(0), false);
});

test("a destination gets its own batches only", async (t) => {
  const { open } = setup(t, { names: ["a", "b"] });
  const spool = open();
  await spool.put(1, 1, bytes("b"));
  assert.deepEqual([spool.has(0), spool.has(1)], [false, true]);
  assert.equal(await spool.take(0), undefined);
  assert.equal(text(await spool.take(1)), "b");
});

for (const [what, damage] of [
  ["cut short", (path) => truncateSync(path, 42)],
  ["cut to nothing", (path) => truncateSync(path, 0)],
  [
    "changed",
    (path) => {
      const file = readFileSync(path);
      file[file.length - 1] ^= 1;
      writeFileSync(path, file);
    },
  ],
  ["longer", (path) => writeFileSync(path, "x", { flag: "a" })],
]) {
  test(`a file that is ${what} is set aside, and the next one comes`, async (t) => {
    const { dir, open, files, warnings } = setup(t);
    const spool = open();
    await spool.put(0, 5, bytes("damaged"));
    await spool.put(0, 1, bytes("whole"));
    damage(join(dir, files()[0]));
    assert.equal(text(await spool.take(0)), "whole");
    assert.deepEqual([spool.stats.quarantined, spool.stats.dropped], [1, 5]);
    assert.equal(files().filter((name) => name.endsWith(".bad")).length, 1);
    assert.deepEqual(warnings, [`the spool ${dir} has a damaged file, which is set aside as .bad`]);
  });
}

test("it stays within its bytes: damaged files go, then the oldest, and are counted", async (t) => {
  const { dir, open, files } = setup(t, { maxBytes: 3 * 50 });
  const spool = open();
  for (const batch of ["1", "2", "3"]) await spool.put(0, 2, bytes(batch.repeat(10)));
  truncateSync(join(dir, files()[2]), 45);
  assert.equal(text(await spool.take(0)), "1".repeat(10));
  assert.equal(text(await spool.take(0)), "2".repeat(10));
  assert.equal(await spool.take(0), undefined);
  assert.equal(spool.stats.dropped, 2);
  await spool.put(0, 2, bytes("4".repeat(10)));
  assert.equal(files().filter((name) => name.endsWith(".bad")).length, 0);
  assert.equal(spool.stats.dropped, 2, "a damaged file is counted once");
  // What is being sent is not taken away.
  assert.equal(await spool.put(0, 2, bytes("5".repeat(10))), true);
  assert.equal(spool.stats.dropped, 4);
  assert.equal(text(await spool.take(0)), "5".repeat(10));
  assert.equal(await spool.put(0, 2, bytes("6".repeat(10))), false);
  assert.equal(await spool.put(0, 1, bytes("7".repeat(200))), false);
});

test("what the dead held is taken up, what they were writing is not; the living keep theirs", async (t) => {
  const { dir, open, files } = setup(t);
  const writer = open();
  await writer.put(0, 1, bytes("held"));
  await writer.put(0, 1, bytes("own"));
  await writer.take(0);
  const owner = /held-([0-9a-f]{8})-/.exec(files()[0])[1];
  const rename = (from, to) => {
    writeFileSync(join(dir, to), readFileSync(join(dir, from)), { mode: 0o600 });
    rmSync(join(dir, from));
  };
  const [held, ready] = files();
  const base = held.replace(/\.held.*/, "");
  // No process has this number.
  rename(held, `${base}.held-${owner}-4194999-00000000`);
  rename(ready, ready.replace(".ready", `.temp-${owner}-4194999-00000000`));
  await writer.put(0, 1, bytes("living"));
  const living = await writer.take(0);
  assert.equal(text(living), "living");
  writeFileSync(join(dir, "README"), "not ours");
  const next = open();
  for (let waited = 0; !next.has(0); waited += 5) {
    assert.ok(waited < 20_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.equal(text(await next.take(0)), "held");
  assert.equal(await next.take(0), undefined);
  assert.deepEqual(
    files().filter((name) => /temp|README/.test(name)),
    ["README"],
  );
});

test("a directory that cannot be used is said, and is no fault of the host", async (t) => {
  const { dir, warnings } = setup(t);
  writeFileSync(dir, "a file");
  const spool = openSpool({ dir, maxBytes: 1000 }, ["a"], assert.fail, (what, why) => warnings.push(`${what}: ${why}`));
  assert.equal(await spool.put(0, 1, bytes("x")), false);
  assert.equal(await spool.take(0), undefined);
  await spool.close();
  assert.ok(warnings.includes(`the spool ${dir} cannot be made: EEXIST`), warnings.join("\n"));
});
