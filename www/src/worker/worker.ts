// The worker: receives bodies, stores traces, processes them with the core and sends the results to the page in small steps.
import wasm from "genspan/core.wasm?url";
import { initSync, version } from "genspan/slim";
import type { Profile } from "../profiles.js";
import type { Ask, Tell, TraceSummary } from "../protocol.js";
import { fromServer, intake } from "./intake.js";
import { listen } from "./live.js";
import { spanDetail } from "./span.js";
import { DEFAULT_LIMITS, Store } from "./store.js";
import type { TraceView } from "./trace-view.js";
import { look, summarize } from "./view.js";

/** A trace is summarised when nothing of it has arrived for the first time, or after the second time at the latest, in ms. */
const QUIET = 250;
const PATIENCE = 1500;
const TICK = 100;
/** The work of one tick, and the number of rows that the page receives at a time. */
const SLICE = 40;
const MAX_ROWS = 250;
/** The longest pause before a growing trace is processed again, in ms. */
const MAX_PAUSE = 5000;

let store = new Store(DEFAULT_LIMITS);
const tell = (message: Tell) => postMessage(message);
const changed = new Map<string, TraceSummary>();
const waiting = new Map<string, number>();
let looked: (TraceView & { body: Uint8Array }) | undefined;
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

function lookAt(id: string, profile: Profile): TraceView | undefined {
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
/** The duration of the last processing of a trace, in ms. */
let cost = 0;

/** Only the latest request is answered. A growing trace is processed again with pauses, so that there is time to receive more. */
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
