// What each request uses by itself and gives back: a worker's requests cannot wait for each other's I/O, and a new processor costs more than the
// spans of a request.
import type { DestinationStats } from "./core.js";

/** Maximum number of requests in progress, each with its own memory. */
export const MAX_OPEN = 64;
/** A request that is open for longer was ended by the runtime, in ms. */
const STALE = 120_000;
/** Maximum number of idle ones. */
const MAX_IDLE = 32;

export interface Pooled {
  stats(): { destinations?: DestinationStats[] };
  shutdown(options: { timeoutMillis: number }): Promise<void>;
}

/** Two requests may use the same one, one after the other, if `same` returns `true` for their settings. */
export class Pool<S, P extends Pooled> {
  readonly #idle: { settings: S; one: P }[] = [];
  /** Those in use, with the times when they were taken, in that order. */
  readonly #open = new Map<P, number>();

  constructor(
    private readonly same: (a: S, b: S) => boolean,
    private readonly make: (settings: S) => P,
  ) {}

  /** Returns undefined if too many are in use. */
  take(settings: S): P | undefined {
    const now = Date.now();
    for (const [one, since] of this.#open) {
      if (now - since < STALE) break;
      this.#open.delete(one);
      void one.shutdown({ timeoutMillis: 0 });
    }
    if (this.#open.size >= MAX_OPEN) return undefined;
    const at = this.#idle.findIndex((idle) => this.same(idle.settings, settings));
    const one = at >= 0 ? (this.#idle.splice(at, 1)[0] as { one: P }).one : this.make(settings);
    this.#open.set(one, now);
    return one;
  }

  /**
   * Drops undelivered spans, because they must not be sent on behalf of a later request. `works`: it may be used again. Returns the errors since it was
   * taken.
   */
  async give(settings: S, one: P, works = true): Promise<string[]> {
    const since = this.#open.get(one);
    if (since === undefined) return [];
    this.#open.delete(one);
    const { destinations = [] } = one.stats();
    const errors = destinations.flatMap(({ lastError }) =>
      lastError && lastError.timeMillis >= since ? [lastError.message] : [],
    );
    let left: P | undefined = one;
    if (works && destinations.every(({ pending, health }) => pending === 0 && health === "ok")) {
      this.#idle.push({ settings, one });
      left = this.#idle.length > MAX_IDLE ? this.#idle.shift()?.one : undefined;
    }
    await left?.shutdown({ timeoutMillis: 0 });
    return errors;
  }
}
