// Counters of a sender's previous pipelines. A broken pipeline cannot be queried any more, so the events since the last query are
// counted here too, as far as they are visible from outside.
import type { CoreStats, DestinationStats } from "./core.js";

/** Counters that describe the present state instead of counting events. */
const GAUGES = ["held", "tracked", "dictionary", "waiting", "pending", "pendingBytes"];

type Counts = Record<string, number>;

export class Past {
  /** Spans passed to the pipeline since its counters were read · those of them that each destination accepted. */
  ended = 0;
  readonly sent: number[] = [];
  readonly #counts: Counts = {};
  readonly #destinations: Counts[];

  constructor(destinations: number) {
    this.#destinations = Array.from({ length: destinations }, () => ({}));
  }

  /** Call it when the counters of the pipeline have been read. */
  read(): void {
    this.ended = 0;
    this.sent.length = 0;
  }

  count(destination: number, counter: keyof DestinationStats, spans: number): void {
    add(this.#destinations[destination] ?? {}, { [counter]: spans });
  }

  /**
   * Adds a pipeline that no longer exists. `stats` were its last counters, `saved` the spans of each destination that are outside of it. Returns how many spans
   * are lost, for the destination that loses most. It cannot be determined which of them a filter would have excluded.
   */
  add({ destinations = [], ...stats }: Partial<CoreStats>, saved: readonly number[]): number {
    add(this.#counts, stats);
    add(this.#counts, { seen: this.ended });
    const unqueued = this.ended + (stats.held ?? 0);
    const lost = this.#destinations.map((counts, i) => {
      const sent = this.sent[i] ?? 0;
      const left = (destinations[i]?.pending ?? 0) + unqueued - sent - (saved[i] ?? 0);
      add(counts, destinations[i] ?? {});
      add(counts, { queued: unqueued, sent, droppedFault: Math.max(0, left) });
      return Math.max(0, left);
    });
    this.read();
    return Math.max(0, ...lost);
  }

  /** Subtracts lost spans that were passed a second time, because they are counted there. */
  again(spans: number): void {
    for (const counts of this.#destinations) {
      const found = Math.min(spans, counts.droppedFault ?? 0);
      add(counts, { queued: -found, droppedFault: -found });
    }
    add(this.#counts, { seen: -Math.min(spans, this.#counts.seen ?? 0) });
  }

  /** The counters of all pipelines; `stats` are those of the last one. */
  with({ destinations, ...stats }: Partial<CoreStats>): Partial<CoreStats> {
    return {
      ...sum(stats, this.#counts),
      ...(destinations && {
        destinations: destinations.map((d, i) => sum({ ...d, droppedFault: 0 }, this.#destinations[i] ?? {})),
      }),
    };
  }
}

function add(counts: Counts, more: object): void {
  for (const [name, value] of Object.entries(more)) {
    if (typeof value === "number" && !GAUGES.includes(name)) counts[name] = (counts[name] ?? 0) + value;
  }
}

function sum<T extends object>(stats: T, past: Counts): T {
  const all = { ...past };
  add(all, stats);
  return { ...stats, ...all };
}
