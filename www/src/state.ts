// The state of the page: its data and the user's choices. The messages of the worker are processed here.
import { computed, effect, signal } from "@preact/signals";
import { LANGUAGES, type Language } from "./i18n.js";
import { PROFILES, type Profile } from "./profiles.js";
import type { Ask, Connection, Counts, Info, SpanDetail, Tell, TraceDetail, TraceSummary } from "./protocol.js";
import { sampleFile } from "./samples.js";

function remembered<T extends string>(key: string, known: readonly T[], otherwise: T) {
  const stored = (() => {
    try {
      return localStorage.getItem(`genspan.${key}`);
    } catch {
      return null; // this page may not use storage
    }
  })();
  const value = signal(known.find((k) => k === stored) ?? otherwise);
  effect(() => {
    try {
      localStorage.setItem(`genspan.${key}`, value.value);
    } catch {}
  });
  return value;
}

const spoken: Language = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
export const language = remembered<Language>("language", ["en", "zh"], spoken);
export const words = computed(() => LANGUAGES[language.value]);
/** The core's texts are in English. */
export const said = (text: string): string => words.value.core.get(text) ?? text;

export const theme = remembered("theme", ["system", "light", "dark"] as const, "system");
effect(() => {
  document.documentElement.dataset.theme = theme.value;
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
  document.title = words.value.title;
});

export const profile = remembered<Profile>("profile", PROFILES, "otel");

export const connection = signal<Connection>({ state: "connecting" });
export const info = signal<Info | undefined>(undefined);
export const counts = signal<Counts>({ spans: 0, bytes: 0, evicted: 0, cut: 0, unreadable: 0 });
export const notice = signal<{ text: string; bad: boolean } | undefined>(undefined);

const known = new Map<string, TraceSummary>();
/** Newest first. */
export const traces = signal<TraceSummary[]>([]);

export const query = signal("");
export const onlyErrors = signal(false);
export const onlyWithoutEntry = signal(false);
export const service = signal("");
export const services = computed(() => [...new Set(traces.value.map((trace) => trace.service))].sort());

export const shown = computed(() => {
  const terms = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  const isWanted = (t: TraceSummary) => {
    if (onlyErrors.value && t.errors === 0) return false;
    if (onlyWithoutEntry.value && t.entries > 0) return false;
    if (service.value !== "" && t.service !== service.value) return false;
    if (terms.length === 0) return true;
    const text = [t.name, t.service, t.user, t.session, t.id, ...t.models].join("\n").toLowerCase();
    return terms.every((term) => text.includes(term));
  };
  return traces.value.filter(isWanted);
});

export const traceId = signal<string | undefined>(undefined);
export const spanId = signal<string | undefined>(undefined);
export const trace = signal<TraceDetail | undefined>(undefined);
export const span = signal<SpanDetail | undefined>(undefined);
export const summary = computed(() => traces.value.find(({ id }) => id === traceId.value));
/** On a narrow screen, only one of the three panes is visible. */
export const pane = signal<"list" | "trace" | "span">("list");

const worker = new Worker(new URL("./worker/worker.ts", import.meta.url), { type: "module", name: "genspan" });
const ask = (message: Ask, transfer: Transferable[] = []) => worker.postMessage(message, transfer);

worker.onmessage = ({ data }: MessageEvent<Tell>) => {
  const w = words.value;
  switch (data.type) {
    case "traces":
      tracesCame(data.changed, data.gone, data.counts);
      break;
    case "trace":
      if (data.detail.id === traceId.value && data.detail.profile === profile.value) traceCame(data.detail);
      break;
    case "span":
      if (data.detail.row.id === spanId.value && data.detail.profile === profile.value) span.value = data.detail;
      break;
    case "taken":
      notice.value = { text: w.read(data.name, data.traces.length), bad: false };
      if (data.traces[0] !== undefined) choose(data.traces[0]);
      break;
    case "refused":
      notice.value = { text: w.notRead(data.name, data.reason), bad: true };
      break;
    case "info":
      info.value = data.info;
      break;
    case "connection":
      connection.value = data.connection;
      break;
    case "fault":
      notice.value = { text: `${w.fault}: ${data.message}`, bad: true };
  }
};

function tracesCame(changed: TraceSummary[], gone: string[], now: Counts): void {
  counts.value = now;
  if (changed.length === 0 && gone.length === 0) return;
  const isFirst = known.size === 0;
  for (const trace of changed) known.set(trace.id, trace);
  for (const id of gone) known.delete(id);
  traces.value = [...known.values()].sort((a, b) => b.start - a.start);
  if (isFirst && traces.value[0] !== undefined) choose(traces.value[0].id);
  if (traceId.value === undefined) return;
  if (gone.includes(traceId.value)) leave();
  else if (changed.some(({ id }) => id === traceId.value))
    ask({ type: "trace", id: traceId.value, profile: profile.value });
}

function traceCame(detail: TraceDetail): void {
  trace.value = detail;
  if (!detail.rows.some(({ id }) => id === spanId.value)) {
    spanId.value = detail.rows.find(({ entry }) => entry)?.id ?? detail.rows[0]?.id;
  }
  askSpan();
}

function askSpan(): void {
  if (traceId.value === undefined || spanId.value === undefined) return;
  ask({ type: "span", id: traceId.value, span: spanId.value, profile: profile.value });
}

export function choose(id: string): void {
  if (traceId.value !== id) {
    traceId.value = id;
    spanId.value = undefined;
    trace.value = undefined;
    span.value = undefined;
  }
  ask({ type: "trace", id, profile: profile.value });
}

export function chooseSpan(id: string): void {
  spanId.value = id;
  askSpan();
}

export function leave(): void {
  traceId.value = undefined;
  spanId.value = undefined;
  trace.value = undefined;
  span.value = undefined;
  pane.value = "list";
}

export function setProfile(next: Profile): void {
  profile.value = next;
  if (traceId.value !== undefined) ask({ type: "trace", id: traceId.value, profile: next });
}

export function clear(): void {
  leave();
  ask({ type: "clear" });
}

export async function read(name: string, body: Blob): Promise<void> {
  const buffer = await body.arrayBuffer();
  ask({ type: "body", name, body: buffer }, [buffer]);
}

export async function readSample(file: string, name: string): Promise<void> {
  const response = await fetch(new URL(`samples/${sampleFile(file)}`, document.baseURI));
  if (response.ok) await read(name, await response.blob());
  else notice.value = { text: words.value.notRead(name, String(response.status)), bad: true };
}

/** `?traces=…&mib=…` change the limits of the page's memory. */
export function start(): void {
  const given = new URLSearchParams(location.search);
  const number = (name: string) => Number(given.get(name)) || undefined;
  const [traces, mib] = [number("traces"), number("mib")];
  ask({
    type: "open",
    base: document.baseURI,
    limits: { ...(traces && { traces }), ...(mib && { bytes: mib * 2 ** 20 }) },
  });
}
