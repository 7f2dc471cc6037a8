// What may leave of a span's content: the options, and what the core and its hooks get of them. The core does the rest.
import { fail, known } from "./check.js";

/** One mask rule: where it looks, what it looks for, what stands there instead. */
export interface MaskRule {
  /**
   * Attribute keys as they go out (`*` stands for any text), on every span. Left out: all text of LLM spans but names and ids, such
   * as models, tools and `user.id`.
   */
  keys?: string[] | undefined;
  /**
   * A regular expression, as text or as a RegExp (its flags i, m and s count): classes, groups, alternatives, repetitions, anchors; no
   * look-around, no back-references, no `\p{…}`. It takes time linear in the text, and sees one string at a time: JSON is masked inside
   * its strings. With neither `pattern` nor `detect`, the whole value is masked.
   */
  pattern?: string | RegExp | undefined;
  /** Built-in detectors: e-mail addresses, phone numbers, card numbers, keys and tokens by their shape. */
  detect?: ("email" | "phone" | "card" | "key")[] | undefined;
  /** What stands in place of a match, as it is. Default `<masked>`, or the detector's name, such as `<email>`. */
  replacement?: string | undefined;
}

/** What may leave of a span's content, and how large it may be. */
export interface PrivacyOptions {
  /**
   * Send prompts, answers, tool calls and documents at all. Default true. With false, only what is known to hold none leaves of a span
   * that any convention knows: numbers, booleans, and short texts under the keys of a list of names and ids.
   */
  captureContent?: boolean | undefined;
  /**
   * With `captureContent: false`: send the application's metadata and tags (`langfuse.trace.metadata.*`, `metadata`, …) all the same.
   * Default true.
   */
  captureMetadata?: boolean | undefined;
  /**
   * With `captureContent: false`: send the messages of the status and of exceptions, and stack traces, all the same. They may quote
   * a prompt. Default false: the class of the error leaves alone.
   */
  captureErrors?: boolean | undefined;
  /** Applied in this order, to what is written for the destination. Default none. */
  mask?: MaskRule[] | undefined;
  /**
   * Media in base64 in the content of LLM spans: `"describe"` replaces each by a text such as
   * `[image/png 290 KB sha256:2cf24dba5fb0a30e…]`, `"large"` those of 4 KiB of base64 and more, `"keep"` none. Default `"large"`; with
   * the hook `onMedia`, `"describe"`.
   */
  media?: "keep" | "large" | "describe" | undefined;
  /** The longest text of one attribute, in bytes of UTF-8. Longer text is cut. Default 1048576; 0 or null: no limit. */
  maxAttributeBytes?: number | null | undefined;
  /** The largest span, in bytes as encoded: its largest texts are cut until it fits. Default 3145728; 0 or null: no limit. */
  maxSpanBytes?: number | null | undefined;
}

/** Media that was found in content. */
export interface Media {
  /** Media type, such as `image/png`; `media` where the source has none. */
  type: string;
  /** As the source has it. */
  base64: string;
  /** The attribute that it stands in. */
  key: string;
}

/** What the application does with content itself. Synchronous. What throws, or gives no string, is replaced by `<masked: …>`. */
export interface PrivacyHooks {
  /**
   * Gets each text of the content of LLM spans after the rules, and the key of its attribute; gives what may leave. Of JSON it gets
   * each string by itself. Spans that it ends are not traced.
   */
  mask?: ((value: string, key: string) => string) | undefined;
  /** Gets media in base64; gives what stands in its place, such as the address that it is kept at. */
  onMedia?: ((media: Media) => string) | undefined;
}

/** A hook of the application runs, called from inside: nobody may enter until it is back. */
let hooked = false;

export const inHook = (): boolean => hooked;

/** Calls a hook. Spans that it starts are not traced, or it would be asked about them too. */
export function inside<T>(call: () => T): T {
  hooked = true;
  try {
    return call();
  } finally {
    hooked = false;
  }
}

function told<A extends unknown[]>(hook: (...given: A) => unknown, given: A): string | undefined {
  try {
    const said = hook(...given);
    if (typeof said === "string") return said;
    // Of a promise that nobody waits for, the host must not hear either.
    if (said instanceof Promise) said.catch(() => {});
  } catch {
    // What it threw may hold what it was to mask.
  }
  return undefined;
}

/** The hook as the core calls it: nothing gets out of it but a string; `undefined` says that it failed. */
export function guarded<A extends unknown[]>(
  hook: (...given: A) => unknown,
  failed: () => void,
): (...given: A) => string | undefined {
  return (...given) =>
    inside(() => {
      const said = told(hook, given);
      if (said === undefined) failed();
      return said;
    });
}

const FIELDS = [
  "captureContent",
  "captureMetadata",
  "captureErrors",
  "mask",
  "media",
  "maxAttributeBytes",
  "maxSpanBytes",
];
const RULE_FIELDS = ["keys", "pattern", "detect", "replacement"];

/** JSON leaves functions out: a rule that is lost on the way to the core would not be missed. */
function plain(at: string, value: object, fields: string[]): void {
  known(at, value, fields);
  for (const [field, given] of Object.entries(value)) {
    if (typeof given === "function") {
      fail(`${at}.${field}`, "is a function", "hooks are options of their own: mask, onMedia; here are rules");
    }
  }
}

/** The settings as the core reads them. */
export function settings(at: string, options: PrivacyOptions | undefined, hooks: PrivacyHooks): object | undefined {
  if (options === undefined) return hooks.onMedia ? { media: "describe" } : undefined;
  plain(at, options, FIELDS);
  const { mask, media = hooks.onMedia && "describe" } = options;
  if (hooks.onMedia && media === "keep") fail(`${at}.media`, '"keep" leaves nothing to onMedia', 'use "describe"');
  if (mask !== undefined && !Array.isArray(mask)) fail(`${at}.mask`, "is no list", 'write [{ detect: ["email"] }]');
  return { ...options, media, mask: mask?.map((rule, i) => ruleOf(`${at}.mask[${i}]`, rule)) };
}

function ruleOf(at: string, rule: MaskRule): object {
  if (typeof rule !== "object" || rule === null) fail(at, "is no rule", 'write { detect: ["email"] }');
  plain(at, rule, RULE_FIELDS);
  const { pattern } = rule;
  if (!(pattern instanceof RegExp)) return rule;
  // The other flags say how often and from where one searches.
  const flags = pattern.flags.replaceAll(/[^ims]/g, "");
  return { ...rule, pattern: flags ? `(?${flags})${pattern.source}` : pattern.source };
}

/** Throws unless the hooks are functions. */
export function checkHooks({ mask, onMedia }: PrivacyHooks): void {
  for (const [name, hook] of Object.entries({ mask, onMedia })) {
    if (hook === undefined || typeof hook === "function") continue;
    fail(name, `is of type ${typeof hook}`, "give a function; rules are in privacy.mask");
  }
}
