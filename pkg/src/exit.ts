// Sends the remaining spans when a Node process ends, by itself or by SIGTERM.

interface Leaving {
  flush: () => Promise<void>;
  shutdown: () => Promise<void>;
}

interface Exit {
  readonly processors: Set<Leaving>;
  ignore: () => void;
}

/** One list for the process, even if several copies of the package are loaded: the first one that finishes must not end the process for the others. */
const KEY = Symbol.for("genspan.exit");
const shared = globalThis as { [KEY]?: Exit };

/** Returns a function that cancels the registration. */
export function onExit(flush: () => Promise<void>, shutdown: () => Promise<void>): () => void {
  shared[KEY] ??= listen(new Set());
  const { processors, ignore } = shared[KEY];
  const leaving = { flush, shutdown };
  processors.add(leaving);
  return () => {
    processors.delete(leaving);
    if (processors.size > 0) return;
    ignore();
    if (shared[KEY]?.processors === processors) delete shared[KEY];
  };
}

function listen(processors: Set<Leaving>): Exit {
  // A flush keeps the process alive for a moment, and Node then emits `beforeExit` again: one flush is enough.
  const ends = () => {
    for (const { flush } of processors) void flush();
  };
  const stop = () => {
    const others = process.listenerCount("SIGTERM") > 1;
    ignore();
    if (shared[KEY]?.processors === processors) delete shared[KEY];
    const over = Promise.all([...processors].map(({ shutdown }) => shutdown()));
    // If the application has no handler for the signal, the process has to be ended here.
    void over.then(() => others || process.kill(process.pid, "SIGTERM"));
  };
  process.once("beforeExit", ends);
  process.on("SIGTERM", stop);
  const ignore = () => {
    process.off("beforeExit", ends);
    process.off("SIGTERM", stop);
  };
  return { processors, ignore };
}
