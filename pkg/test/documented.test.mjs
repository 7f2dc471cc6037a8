// What an editor shows of an option: each has a comment, and every number of time or size names its unit and its default.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const INTERFACES = {
  config: ["DestinationOptions", "EntryOptions", "GenSpanOptions"],
  delivery: ["DeliveryOptions", "SpoolOptions"],
  privacy: ["MaskRule", "PrivacyOptions", "PrivacyHooks"],
  slim: ["ConvertOptions"],
};

for (const [file, names] of Object.entries(INTERFACES)) {
  const declared = readFileSync(new URL(`../dist/${file}.d.ts`, import.meta.url), "utf8");
  for (const name of names) {
    test(`every option of ${name} says what it means`, () => {
      const body = new RegExp(`interface ${name}\\b[^{]*\\{\\n(.*?)\\n\\}`, "s").exec(declared)?.[1] ?? "";
      const options = [...body.matchAll(/^ {4}(?:\/\*\*((?:(?!\*\/).)*)\*\/\n {4})?(\w+)\??:/gms)];
      assert.ok(options.length > 1, declared);
      for (const [, comment, option] of options) {
        assert.ok(comment, option);
        if (/Millis$/.test(option)) assert.match(comment, /\bms\b.*Default \d+/s, option);
        if (/Bytes$/.test(option)) assert.match(comment, /bytes.*Default \d+/s, option);
      }
    });
  }
}
