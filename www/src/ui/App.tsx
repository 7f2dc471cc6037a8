// The page: bar, list, trace, span; and dropping or pasting anywhere on it.
import { useEffect, useState } from "preact/hooks";
import { notice, pane, read, traces, words } from "../state.js";
import { Configuration } from "./Configuration.js";
import { Header } from "./Header.js";
import { openPane } from "./panes.js";
import { SpanPanel } from "./SpanPanel.js";
import { TraceList } from "./TraceList.js";
import { Waterfall } from "./Waterfall.js";
import { Welcome } from "./Welcome.js";

export function App() {
  const w = words.value;
  const [isOver, setOver] = useState(false);
  const [isConfiguring, setConfiguring] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    const on = <K extends keyof DocumentEventMap>(type: K, listener: (event: DocumentEventMap[K]) => void) =>
      document.addEventListener(type, listener, { signal: stop.signal });
    on("dragover", (event) => {
      event.preventDefault();
      setOver(true);
    });
    on("dragleave", (event) => {
      if (event.relatedTarget === null) setOver(false);
    });
    on("drop", (event) => {
      event.preventDefault();
      setOver(false);
      void take(event.dataTransfer);
    });
    on("paste", (event) => {
      if (isTyping(event)) return;
      event.preventDefault();
      void take(event.clipboardData);
    });
    on("keydown", (event) => {
      if (event.key !== "/" || isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      openPane("list", "search", "key");
    });
    return () => stop.abort();
  }, []);
  return (
    <div class="page" data-pane={pane.value}>
      <Header configure={() => setConfiguring(true)} />
      {traces.value.length === 0 ? (
        <Welcome />
      ) : (
        <main class="panes">
          <TraceList />
          <Waterfall />
          <SpanPanel />
        </main>
      )}
      <Notice />
      {isOver && <div class="over">{w.dropHere}</div>}
      {isConfiguring && <Configuration close={() => setConfiguring(false)} />}
    </div>
  );
}

const isTyping = ({ target }: Event) =>
  target instanceof Element && target.matches("input, textarea, select, [contenteditable]");

async function take(data: DataTransfer | null): Promise<void> {
  if (data === null) return;
  const files = [...data.files];
  const text = data.getData("text/plain");
  for (const file of files) await read(file.name, file);
  if (files.length === 0 && text.trim() !== "") await read(words.value.paste, new Blob([text]));
}

function Notice() {
  const w = words.value;
  const said = notice.value;
  useEffect(() => {
    if (said === undefined || said.bad) return;
    const timer = setTimeout(() => {
      notice.value = undefined;
    }, 4000);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <div class="notices" role="status" aria-live="polite">
      {said && (
        <div class={`notice${said.bad ? " bad" : ""}`}>
          <bdi>{said.text}</bdi>
          <button
            type="button"
            aria-label={w.close}
            onClick={() => {
              notice.value = undefined;
            }}
          >
            ✕
          </button>
        </div>
      )}
    </div>
  );
}
