// The traces with a running local root: a span without a parent, or with a parent in another process.

/** Maximum number of remembered roots, because some never end. */
const MAX_ROOTS = 10_000;

export class LocalRoots {
  /** By trace: the callers that wait for the end of its root. */
  readonly #running = new Map<string, (() => void)[]>();

  get none(): boolean {
    return this.#running.size === 0;
  }

  started(traceId: string): void {
    if (this.#running.size < MAX_ROOTS && !this.#running.has(traceId)) this.#running.set(traceId, []);
  }

  ended(traceId: string): void {
    const waiting = this.#running.get(traceId);
    this.#running.delete(traceId);
    for (const resolve of waiting ?? []) resolve();
  }

  /** Resolves when the root of this trace has ended; if it has none, when all roots that run now have. */
  async end(traceId: string | undefined): Promise<void> {
    const one = traceId !== undefined && this.#running.has(traceId);
    const traces = one ? [traceId] : [...this.#running.keys()];
    await Promise.all(traces.map((trace) => new Promise<void>((resolve) => this.#running.get(trace)?.push(resolve))));
  }
}
