// The worker: takes bodies, keeps traces, asks the core about them and tells the page, a little at a time.
import wasm from "genspan/core.wasm?url";
import { initSync, version } from "genspan/slim";
import type { Profile } from "../profiles.js";
import type { Ask, Tell, TraceSummary } from "../protocol.js";
import { fromServer, intake } from "./intake.js";
import { listen } from "./live.js";
import { spanDetail } from "./span.js";
import { DEFAULT_LIMITS, Store } from "./store.js";
import { type Looked, look, summarize } from "./view.js";

/** A trace is summed up when nothing came for it this long, or when it waits that long, in ms. */
const QUIET = 250;
const PATIENCE = 1500;
const TICK = 100;
/** Work of one tick, and rows that the page gets at a time. */
const SLICE = 40;
const MAX_ROWS = 250;
/** Longest pause before a trace that grows is looked at again, in ms. */
const MAX_PAUSE = 5000;

let store = new Store(DEFAULT_LIMITS);
const tell = (message: Tell) => postMessage(message);
const changed = new Map<string, TraceSummary>();
const waiting = new Map<string, number>();
let looked: (Looked & { body: Uint8Array }) | undefined;
let told = "";

const ready = WebAssembly.compileStreaming(fetch(wasm))
  .catch(async () => WebAssembly.compile(await (await fetch(wasm)).arrayBuffer()))
  .then((module) => {
    initSync(module);
    version();
  });

function tick(): void {
  const now = Date.now();
  const until = now + SLICE;
  for (const [id, touched] of store.dirty) {
    if (changed.size >= MAX_ROWS || Date.now() > until) break;
    const since = waiting.get(id) ?? touched;
    waiting.set(id, since);
    if (now - touched < QUIET && now - since < PATIENCE) continue;
    sumUp(id);
  }
  const counts = JSON.stringify(store.counts);
  if (changed.size === 0 && store.gone.size === 0 && counts === told) return;
  told = counts;
  tell({ type: "traces", changed: [...changed.values()], gone: [...store.gone], counts: { ...store.counts } });
  for (const id of store.gone) waiting.delete(id);
  changed.clear();
  store.gone.clear();
}

function sumUp(id: string): void {
  store.dirty.delete(id);
  waiting.delete(id);
  const body = store.body(id);
  if (body === undefined) return;
  try {
    changed.set(id, summarize(id, body));
  } catch {
    store.counts.unreadable++;
  }
}

function lookAt(id: string, profile: Profile): Looked | undefined {
  const body = store.body(id);
  if (body === undefined) return undefined;
  const isFresh = looked?.detail.id === id && looked.detail.profile === profile && looked.body.length === body.length;
  if (!isFresh) looked = { ...look(id, body, profile), body };
  return looked;
}

async function take(name: string, body: ArrayBuffer): Promise<void> {
  try {
    const traces = new Set<string>();
    for (const part of await intake(new Uint8Array(body))) {
      for (const id of store.add(part, Date.now())) traces.add(id);
    }
    if (traces.size === 0) throw new Error("no spans");
    for (const id of traces) sumUp(id);
    tick();
    tell({ type: "taken", name, traces: [...traces] });
  } catch (error) {
    tell({ type: "refused", name, reason: (error as Error).message });
  }
}

let wanted: (Ask & { type: "trace" | "span" }) | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
/** What the last look at a trace took, in ms. */
let cost = 0;

/** Only what was asked for last is answered; a trace that grows is looked at again with pauses, so that there is time to take more in. */
function lookLater(ask: Ask & { type: "trace" | "span" }): void {
  const isSame = looked?.detail.id === ask.id && looked.detail.profile === ask.profile;
  const isGrowing = ask.type === "trace" && isSame;
  if (isGrowing && wanted !== undefined) return;
  wanted = ask;
  clearTimeout(timer);
  timer = setTimeout(lookNow, isGrowing ? Math.min(4 * cost, MAX_PAUSE) : 0);
}

function lookNow(): void {
  const ask = wanted;
  wanted = undefined;
  if (ask === undefined) return;
  const start = Date.now();
  try {
    const found = lookAt(ask.id, ask.profile);
    if (found === undefined) return;
    if (ask.type === "trace") tell({ type: "trace", detail: found.detail });
    else {
      const detail = spanDetail(found, ask.span);
      if (detail) tell({ type: "span", detail });
    }
  } catch (error) {
    tell({ type: "fault", message: (error as Error).message });
  }
  cost = Date.now() - start;
}

async function answer(ask: Ask): Promise<void> {
  await ready;
  switch (ask.type) {
    case "open":
      store = new Store({ ...DEFAULT_LIMITS, ...ask.limits });
      setInterval(tick, TICK);
      return listen(ask.base, {
        info: (info) => tell({ type: "info", info }),
        connection: (connection) => tell({ type: "connection", connection }),
        body: (body) => {
          try {
            store.add(fromServer(body), Date.now());
          } catch {
            store.counts.unreadable++;
          }
        },
      });
    case "body":
      return take(ask.name, ask.body);
    case "clear":
      store.clear();
      looked = undefined;
      return tick();
    default:
      return lookLater(ask);
  }
}

addEventListener("message", ({ data }: MessageEvent<Ask>) => {
  answer(data).catch((error: Error) => tell({ type: "fault", message: error.message }));
});
