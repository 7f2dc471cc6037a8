// The bar at the top: connection, profile, configuration, input, language and theme.
import { PROFILES, type Profile } from "../profiles.js";
import { connection, language, profile, read, setProfile, theme, words } from "../state.js";
import { Icon } from "./Icon.js";

export function Header({ configure }: { configure: () => void }) {
  const w = words.value;
  return (
    <header class="bar">
      <h1 class="logo">
        <span class="mark" aria-hidden="true">
          ◆
        </span>
        genspan<span class="logo-what">{w.title.replace("genspan", "")}</span>
      </h1>
      <State />
      <div class="bar-space" />
      <label class="field">
        <span>{w.profile}</span>
        <select
          id="profile"
          value={profile.value}
          onChange={(event) => setProfile(event.currentTarget.value as Profile)}
        >
          {PROFILES.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button type="button" class="button" id="configure" onClick={configure}>
        <Icon name="copy" />
        <span>{w.copyConfiguration}</span>
      </button>
      <Inputs />
      <button
        type="button"
        id="language"
        class="button icon"
        title={w.otherLanguage}
        aria-label={w.otherLanguage}
        lang={language.value === "zh" ? "en" : "zh-CN"}
        onClick={() => {
          language.value = language.value === "zh" ? "en" : "zh";
        }}
      >
        {language.value === "zh" ? "EN" : "中"}
      </button>
      <Theme />
    </header>
  );
}

function State() {
  const w = words.value;
  const { state } = connection.value;
  return (
    <span class={`state ${state}`} role="status" title={state === "static" ? w.staticHint : w.liveHint}>
      <i aria-hidden="true" />
      <span>{w[state]}</span>
    </span>
  );
}

function Inputs() {
  const w = words.value;
  return (
    <label class="button icon" title={w.open}>
      <Icon name="open" />
      <span class="unseen">{w.open}</span>
      <input
        id="file"
        class="unseen"
        type="file"
        multiple
        onChange={async (event) => {
          const input = event.currentTarget;
          for (const file of input.files ?? []) await read(file.name, file);
          input.value = "";
        }}
      />
    </label>
  );
}

const THEMES = ["system", "light", "dark"] as const;

function Theme() {
  const w = words.value;
  const names = { system: w.themeSystem, light: w.themeLight, dark: w.themeDark };
  const label = `${w.theme}: ${names[theme.value]}`;
  return (
    <button
      type="button"
      id="theme"
      class="button icon"
      title={label}
      aria-label={label}
      onClick={() => {
        theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]!;
      }}
    >
      <Icon name={theme.value} />
    </button>
  );
}
