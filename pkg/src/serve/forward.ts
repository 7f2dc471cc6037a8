// Metrics and logs, which the relay passes on as they are to another receiver of OTLP/HTTP.
import { printable } from "../check.js";
import { JSON_TYPE, PROTOBUF, Refusal, type Signal } from "./otlp.js";
import { Quit } from "./quit.js";

/** Sends a body, still packed by `coding`, to the path of its signal. Throws a Refusal that has the answer's status. */
export type Forward = (signal: Signal, body: Buffer, isJson: boolean, coding: string | undefined) => Promise<void>;

const TIMEOUT = 10_000;
const RETRY_AFTER = 5;

export function forwardTo(url: string): Forward {
  if (!/^https?:\/\/[^/@\s]+(\/[^?#\s]*)?$/.test(url)) {
    const fix = "write the address of an OTLP/HTTP receiver without a signal's path, like http://collector:4318";
    throw new Quit(
      2,
      `--forward-other-signals: ${JSON.stringify(printable(url))} is not a URL to add /v1/metrics to; ${fix}`,
    );
  }
  return async (signal, body, isJson, coding) => {
    const answer = await fetch(url.replace(/\/+$/, "") + signal, {
      method: "POST",
      headers: { "content-type": isJson ? JSON_TYPE : PROTOBUF, ...(coding && { "content-encoding": coding }) },
      body: body as Uint8Array<ArrayBuffer>,
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT),
    }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    if (answer && answer.status < 500 && answer.status !== 429 && answer.status !== 408) {
      throw new Refusal(answer.status, "the receiver of metrics and logs refuses this");
    }
    throw new Refusal(503, "the receiver of metrics and logs does not answer", RETRY_AFTER);
  };
}
