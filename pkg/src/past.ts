// What the pipelines of a sender have counted that are gone. A pipeline that breaks cannot be asked any more: what it did since it was asked last is
// counted here as well, as far as it can be seen from outside.
import type { CoreStats, DestinationStats } from "./core.js";

/** These say how things are, not how many there have been. */
const GAUGES = ["held", "tracked", "dictionary", "waiting", "pending", "pendingBytes"];

type Counts = Record<string, number>;

export class Past {
  /** Spans handed to the pipeline since its counters were read, and those of them that each destination took. */
  ended = 0;
  readonly sent: number[] = [];
  readonly #counts: Counts = {};
  readonly #destinations: Counts[];

  constructor(destinations: number) {
    this.#destinations = Array.from({ length: destinations }, () => ({}));
  }

  /** To be called when the counters of the pipeline have been read. */
  read(): void {
    this.ended = 0;
    this.sent.length = 0;
  }

  count(destination: number, counter: keyof DestinationStats, spans: number): void {
    add(this.#destinations[destination] ?? {}, { [counter]: spans });
  }

  /**
   * Adds a pipeline that is gone. `stats` were its last counters, `saved` the spans of each destination that are outside of it. Gives how many spans
   * are lost, for the destination that loses most. Which of them a destination would not have got for its filter nobody knows any more.
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

  /** Takes spans off the lost ones that have been handed over a second time: they are counted where that was. */
  again(spans: number): void {
    for (const counts of this.#destinations) {
      const found = Math.min(spans, counts.droppedFault ?? 0);
      add(counts, { queued: -found, droppedFault: -found });
    }
    add(this.#counts, { seen: -Math.min(spans, this.#counts.seen ?? 0) });
  }

  /** The counters of all pipelines, `stats` being those of the last one. */
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
