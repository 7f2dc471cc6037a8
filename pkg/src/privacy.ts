// What may leave of a span's content: the options, and what the core and its hooks get of them. The core does the rest.
import { fail, kindOf, known } from "./check.js";
import { type GenSpanOptions, type MaskRule, NAMES, type PrivacyOptions } from "./options.js";

/** The hooks of the application. What throws, or returns no string, is replaced by `<masked: …>`. */
export type PrivacyHooks = Pick<GenSpanOptions, "mask" | "onMedia">;

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

/** The settings as the core reads them. */
export function settings(at: string, options: PrivacyOptions | undefined, hooks: PrivacyHooks): object | undefined {
  if (options === undefined) return hooks.onMedia ? { media: "describe" } : undefined;
  known(at, options, NAMES.PrivacyOptions);
  const { mask, media = hooks.onMedia && "describe" } = options;
  if (hooks.onMedia && media === "keep") fail(`${at}.media`, '"keep" leaves nothing to onMedia', 'use "describe"');
  if (mask !== undefined && !Array.isArray(mask))
    fail(`${at}.mask`, `is ${kindOf(mask)}`, 'write [{ detect: ["email"] }]; a hook is the option mask beside privacy');
  return { ...options, media, mask: mask?.map((rule, i) => ruleOf(`${at}.mask[${i}]`, rule)) };
}

function ruleOf(at: string, rule: MaskRule): object {
  if (typeof rule !== "object" || rule === null) fail(at, "is not a rule", 'write { detect: ["email"] }');
  known(at, rule, NAMES.MaskRule);
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
    fail(name, `is ${kindOf(hook)}`, "give a function; rules are in privacy.mask");
  }
}
