// The dialog with the configuration to copy.
import { useEffect, useRef, useState } from "preact/hooks";
import { configuration, PLACES, type Place } from "../configuration.js";
import { profile, summary, words } from "../state.js";
import { Icon } from "./Icon.js";

export function Configuration({ close }: { close: () => void }) {
  const w = words.value;
  const dialog = useRef<HTMLDialogElement>(null);
  const code = useRef<HTMLPreElement>(null);
  const [place, setPlace] = useState<Place>("Node");
  const [copied, setCopied] = useState(false);
  useEffect(() => dialog.current!.showModal(), []);
  const text = configuration(place, profile.value, summary.value?.service ?? "");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      // The page may not use the clipboard, so the text is selected for copying by hand.
      getSelection()?.selectAllChildren(code.current!);
    }
  };
  const choose = (next: Place) => {
    setPlace(next);
    setCopied(false);
  };
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="configuration-title" onClose={close}>
      <div class="dialog-head">
        <h2 id="configuration-title">{w.copyConfiguration}</h2>
        <button type="button" class="button icon" aria-label={w.close} onClick={() => dialog.current!.close()}>
          <Icon name="close" />
        </button>
      </div>
      <p class="quiet">{w.configurationText}</p>
      <div class="tabs">
        <div
          role="tablist"
          aria-label={w.copyConfiguration}
          onKeyDown={(event) => {
            const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
            if (step === undefined) return;
            const next = PLACES[(PLACES.indexOf(place) + step + PLACES.length) % PLACES.length]!;
            choose(next);
            document.getElementById(`tab-${next}`)?.focus();
          }}
        >
          {PLACES.map((name) => (
            <button
              key={name}
              id={`tab-${name}`}
              type="button"
              role="tab"
              aria-selected={name === place}
              aria-controls="configuration-code"
              tabIndex={name === place ? 0 : -1}
              onClick={() => choose(name)}
            >
              {name}
            </button>
          ))}
        </div>
        <button type="button" class="button main" id="copy" onClick={copy}>
          <Icon name="copy" />
          <span role="status">{copied ? w.copied : w.copy}</span>
        </button>
      </div>
      <pre
        ref={code}
        id="configuration-code"
        class="text"
        role="tabpanel"
        aria-labelledby={`tab-${place}`}
        tabIndex={0}
      >
        {text}
      </pre>
    </dialog>
  );
}
