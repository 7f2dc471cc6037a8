// What differs between the hosts that genspan runs in. A runtime's entry file gives one of these; the rest of src/ knows
// web standards only.

export interface Host {
  /** Environment variables; empty where a host has none or they are not ours to read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Headers of every request, if the host lets a page or worker set them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Up to how many characters a loop in JS beats the call of a native UTF-8 encoder. */
  readonly shortText: number;
  /** What names this machine in `host.name`. */
  hostName(): string | undefined;
}

/** Any host with fetch, WebAssembly and TextEncoder. */
export const webHost: Host = { env: {}, headers: {}, shortText: 32, hostName: () => undefined };
