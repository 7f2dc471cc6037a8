// The spool by itself: what is on disk, who gets it, and what damage does.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, pbkdf2Sync } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
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

test("a file's name holds a digest of its account that takes 10,000 rounds to guess at", async (t) => {
  const account = JSON.stringify(["a", "http://backend/v1/traces", "Bearer low"]);
  const { open, files } = setup(t, { names: [account] });
  await open().put(0, 1, bytes("batch"));
  const digest = pbkdf2Sync(account, "genspan spool", 10_000, 16, "sha256").toString("hex");
  assert.equal(files()[0].split(".")[1], digest);
});

test("what an older version or another account wrote is left alone, with a warning", async (t) => {
  const { dir, open, files, warnings } = setup(t);
  const spool = open();
  await spool.put(0, 1, bytes("own"));
  const [own] = files();
  const others = ["811c9dc5", "0123456789abcdef0123456789abcdef"].map((key) =>
    own.replace(/\.[0-9a-f]{32}\./, `.${key}.`),
  );
  for (const name of others) writeFileSync(join(dir, name), readFileSync(join(dir, own)));
  const next = open();
  assert.equal(text(await next.take(0)), "own");
  assert.equal(await next.take(0), undefined);
  assert.deepEqual(
    files().filter((name) => name.endsWith(".ready")),
    others.toSorted(),
  );
  assert.deepEqual(warnings, [
    `the spool ${dir} has batches of another account, another destination or an older version, which are left untouched (2)`,
  ]);
});

/** Runs as somebody who may not read what root's files hold; whoever is not root is that already. */
async function asNobody(run) {
  if (process.getuid() !== 0) return run();
  process.seteuid(65_534);
  try {
    return await run();
  } finally {
    process.seteuid(0);
  }
}

for (const [what, turn] of [
  ["a directory", (path) => mkdirSync(path)],
  ["a dangling link", (path) => symlinkSync("/nowhere", path)],
  ["a link to a batch", (path, was) => symlinkSync(was, path)],
  ["a pipe", (path) => execFileSync("mkfifo", [path])],
  ["a file that this user may not read", (path) => writeFileSync(path, "odd", { mode: 0 })],
]) {
  test(`${what} under the name of a batch holds up nobody, is counted, and stays`, { timeout: 10_000 }, async (t) => {
    const { dir, open, files, warnings } = setup(t);
    chmodSync(join(dir, ".."), 0o755);
    const spool = open();
    await spool.put(0, 5, bytes("odd"));
    await spool.put(0, 1, bytes("whole"));
    chmodSync(dir, 0o777);
    const [odd, whole] = files();
    // Elsewhere, so that the directory lists one file of that name.
    const was = join(dir, "..", "odd");
    renameSync(join(dir, odd), was);
    turn(join(dir, odd), was);
    // Root's would be as unreadable.
    if (process.getuid() === 0) execFileSync("chown", ["65534", join(dir, whole)]);
    await asNobody(async () => {
      assert.equal(text(await spool.take(0)), "whole");
      assert.equal(await spool.take(0), undefined);
    });
    assert.deepEqual([spool.stats.quarantined, spool.stats.dropped, spool.stats.files], [1, 0, 1]);
    assert.ok(files().includes(odd));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /^the spool \S+ has an unreadable batch, which is skipped: /);
  });
}

test("names that count more than a batch can hold are not those of batches", async (t) => {
  const { dir, open, files } = setup(t);
  const spool = open();
  await spool.put(0, 1, bytes("batch"));
  const [name] = files();
  for (const counts of ["99999999999999999999.45", "1.99999999999999999999"])
    writeFileSync(join(dir, name.replace(".1.45.", `.${counts}.`)), "x");
  assert.equal(text(await spool.take(0)), "batch");
  assert.equal(await spool.take(0), undefined);
  assert.deepEqual([spool.stats.files, spool.stats.bytes, spool.stats.dropped], [1, 45, 0]);
});

test("batches that are written at the same time stay within the bytes together", async (t) => {
  const { dir, open, files } = setup(t, { maxBytes: 3 * 50 });
  const spool = open();
  await spool.put(0, 1, bytes("x".repeat(10)));
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(
      most,
      files().reduce((sum, name) => sum + (statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0), 0),
    );
  });
  await Promise.all(Array.from({ length: 10 }, () => spool.put(0, 1, bytes("x".repeat(10)))));
  clearInterval(watch);
  assert.ok(most <= 150 && files().length <= 3, `${most} bytes, ${files().length} files`);
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
    assert.deepEqual(warnings, [`the spool ${dir} has a damaged file, which was renamed to .bad`]);
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
  assert.ok(warnings.includes(`the spool ${dir} cannot be created: EEXIST`), warnings.join("\n"));
});
