// Debian's Chromium for the tests, making no requests of its own.
import { spawnSync } from "node:child_process";
import { missing } from "./setup.mjs";

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Why there is no Chromium, or false. */
export const noChromium = missing("chromium", spawnSync(CHROMIUM, ["--version"]).status === 0);

export const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
