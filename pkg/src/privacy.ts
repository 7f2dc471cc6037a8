// The options for content, in the form that the core reads, and the calls of hooks. The core does the rest.
import { fail, kindOf, known } from "./check.js";
import { type GenSpanOptions, type MaskRule, NAMES, type PrivacyOptions } from "./options.js";

/** The hooks of the application. If one throws or returns no string, the value becomes `<masked: …>`. */
export type PrivacyHooks = Pick<GenSpanOptions, "mask" | "onMedia">;

/** A hook of the application is running, called from inside the module: the module must not be entered until it returns. */
let hooked = false;

export const inHook = (): boolean => hooked;

/** Calls a hook. Spans that it starts are not traced, because the hook would be called for them too. */
export function inside<T>(call: () => T): T {
  hooked = true;
  try {
    return call();
  } finally {
    hooked = false;
  }
}

function resultOf<A extends unknown[]>(hook: (...given: A) => unknown, given: A): string | undefined {
  try {
    const result = hook(...given);
    if (typeof result === "string") return result;
    // Nobody awaits a promise that the hook returns, so its rejection must not reach the host.
    if (result instanceof Promise) result.catch(() => {});
  } catch {
    // The error may contain the text that was to be masked, so it is not reported.
  }
  return undefined;
}

/** The hook in the form that the core calls: it returns a string, or `undefined` if the hook failed. It never throws. */
export function guarded<A extends unknown[]>(
  hook: (...given: A) => unknown,
  failed: () => void,
): (...given: A) => string | undefined {
  return (...given) =>
    inside(() => {
      const result = resultOf(hook, given);
      if (result === undefined) failed();
      return result;
    });
}

/** The settings in the form that the core reads. */
export function settings(at: string, options: PrivacyOptions | undefined, hooks: PrivacyHooks): object | undefined {
  if (options === undefined) return hooks.onMedia ? { media: "describe" } : undefined;
  known(at, options, NAMES.PrivacyOptions);
  const { mask, media = hooks.onMedia && "describe" } = options;
  if (hooks.onMedia && media === "keep") fail(`${at}.media`, '"keep" disables onMedia', 'use "describe"');
  if (mask !== undefined && !Array.isArray(mask))
    fail(`${at}.mask`, `is ${kindOf(mask)}`, 'write [{ detect: ["email"] }]; pass a hook in the top-level option mask');
  return { ...options, media, mask: mask?.map((rule, i) => ruleOf(`${at}.mask[${i}]`, rule)) };
}

function ruleOf(at: string, rule: MaskRule): object {
  if (typeof rule !== "object" || rule === null) fail(at, "is not a rule", 'write { detect: ["email"] }');
  known(at, rule, NAMES.MaskRule);
  const { pattern } = rule;
  if (!(pattern instanceof RegExp)) return rule;
  // The other flags control only where and how often to search.
  const flags = pattern.flags.replaceAll(/[^ims]/g, "");
  return { ...rule, pattern: flags ? `(?${flags})${pattern.source}` : pattern.source };
}

/** Throws unless the hooks are functions. */
export function checkHooks({ mask, onMedia }: PrivacyHooks): void {
  for (const [name, hook] of Object.entries({ mask, onMedia })) {
    if (hook === undefined || typeof hook === "function") continue;
    fail(name, `is ${kindOf(hook)}`, "pass a function; mask rules belong in privacy.mask");
  }
}
