// What the tests of a file need of the machine, and what they share: it is started before them and closed after them.
import { existsSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";

/** Returns false if the tool works, else the reason why it is missing, as scripts/install.sh has written it down. */
export function missing(tool, works) {
  if (works) return false;
  const reason = new URL(`../target/missing/${tool}`, import.meta.url);
  return existsSync(reason) ? readFileSync(reason, "utf8").trim() : `${tool} is not installed`;
}

/** Gives `test` and `setUp` to a file whose tests need a tool. Where that is missing, for `reason`, the tests are listed as not run. */
export function needing(reason) {
  return {
    /** As node's: `test(name, [options], run)`. */
    test: (name, ...rest) =>
      test(name, { ...(rest.length > 1 && rest[0]), ...(reason && { skip: reason }) }, rest.at(-1)),

    /**
     * Runs `start` before the tests of the file. It passes what it starts through `keep`, which closes it when the tests are over, or when a later
     * part of the set-up fails: what stays open keeps the file from ending.
     */
    setUp(start) {
      if (reason) return;
      const open = [];
      const keep = async (starting) => {
        const started = await starting;
        open.push(started);
        return started;
      };
      before(() => start(keep));
      after(async () => {
        for (const started of open.reverse()) await started.close();
      });
    },
  };
}
