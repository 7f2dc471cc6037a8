// tests/fixtures/options.json has one value for every option, and what the core gets of it. The plugin for proxies is held to the same
// file (plugins/proxy-wasm/src/settings.rs): who adds an option has to say there what it means in a proxy.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { source } from "./source.mjs";

const { configure } = await source("config");
const fixture = JSON.parse(readFileSync(new URL("../../tests/fixtures/options.json", import.meta.url), "utf8"));
const { destination, delivery, shared, hooks } = fixture;
const host = {
  env: {},
  headers: {},
  shortText: 48,
  hostName: () => "h",
  onExit() {},
  grpc() {},
  spool() {},
  dispatch() {},
};
const coreOf = (options) => configure(options, host).core;

/** What an object may have in it, as the message says that names what it may not. */
function known(options) {
  let message;
  assert.throws(
    () => configure(options, host),
    (error) => {
      ({ message } = error);
      return true;
    },
  );
  return /known: (.+)$/.exec(message)[1].split(", ").sort();
}

test("the fixture has every option, and every field of those that are objects", () => {
  const groups = { ...destination, ...delivery, ...shared };
  assert.deepEqual([...Object.keys(groups), ...hooks, "destinations"].sort(), known({ "?": 1 }));
  const ofOne = [...Object.keys(destination), ...Object.keys(delivery), "privacy"];
  assert.deepEqual(ofOne.sort(), known({ destinations: [{ "?": 1 }] }));
  for (const name of ["entry", "privacy", "retry", "breaker", "spool", "tls"]) {
    assert.deepEqual(Object.keys(groups[name].options[name]).sort(), known({ [name]: { "?": 1 } }), name);
  }
  const [rule] = shared.privacy.options.privacy.mask;
  assert.deepEqual(Object.keys(rule).sort(), known({ privacy: { mask: [{ "?": 1 }] } }));
});

for (const [name, { options, core }] of Object.entries(destination)) {
  test(`${name}: the core gets what the fixture says`, () => {
    const plain = coreOf({ destinations: [{}, {}] }).destinations[1];
    assert.deepEqual(coreOf({ destinations: [{}, options] }).destinations[1], { ...plain, ...core });
  });
}

for (const [name, { options, core }] of Object.entries({ ...delivery, ...shared })) {
  test(`${name}: the core gets what the fixture says`, () => {
    assert.deepEqual(coreOf(options), { ...coreOf({}), ...core });
    if (name in delivery) assert.deepEqual(coreOf({ destinations: [{}, options] }).destinations[1].delivery, core);
  });
}
