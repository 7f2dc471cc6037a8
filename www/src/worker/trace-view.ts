// What the worker keeps of a trace while the page shows it.
import type { Explanation } from "genspan/slim";
import type { Placed } from "../otlp/spans.js";
import type { TraceDetail } from "../protocol.js";

/** A trace under one profile; spans are keyed by their ids. */
export interface TraceView {
  detail: TraceDetail;
  /** The spans as received. */
  before: Map<string, Placed>;
  /** The spans as the profile writes them. */
  after: Map<string, Placed>;
  /** The spans under `otel`, from which the page reads content, usage and parameters. */
  read: Map<string, Placed>;
  why: Map<string, Explanation>;
  /** The spans under `tencent`, which has a kind, an input and an output for every LLM span. */
  whole: Map<string, Placed>;
  /** Spans above a model call: the call contains their model and usage. */
  above: Set<string>;
}
