// What is left to send when a Node process ends: by itself, or by SIGTERM.

/** Gives what undoes it. */
export function onExit(flush: () => Promise<void>, shutdown: () => Promise<void>): () => void {
  // A flush keeps the process alive for a moment, after which it would end again: once is enough.
  const ends = () => void flush();
  const told = () => {
    const others = process.listenerCount("SIGTERM") > 1;
    process.off("SIGTERM", told);
    // Where nobody else decides what the signal means, it means the end.
    void shutdown().then(() => others || process.kill(process.pid, "SIGTERM"));
  };
  process.once("beforeExit", ends);
  process.on("SIGTERM", told);
  return () => {
    process.off("beforeExit", ends);
    process.off("SIGTERM", told);
  };
}
