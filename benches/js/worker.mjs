// A case of the bench in workerd. `?subject&shape&load&lang` makes it ready and gives the number of spans in a batch, `?batches&steps` runs it,
// all its steps or only those that are not timed elsewhere.
import * as api from "@opentelemetry/api";
import * as transformer from "@opentelemetry/otlp-transformer";
import * as resources from "@opentelemetry/resources";
import * as sdk from "@opentelemetry/sdk-trace-base";
import * as genspan from "genspan";
import { spansOf } from "./shapes.mjs";
import { SUBJECTS } from "./subjects.mjs";

const packages = {
  "@opentelemetry/api": api,
  "@opentelemetry/otlp-transformer": transformer,
  "@opentelemetry/resources": resources,
  "@opentelemetry/sdk-trace-base": sdk,
};
globalThis.packages = packages;

let current;

export default {
  async fetch(request) {
    const { subject, shape, load, lang, batches, steps } = Object.fromEntries(new URL(request.url).searchParams);
    if (subject) {
      const batch = spansOf({ sdk: "peers", shape, load, lang });
      const context = api.ROOT_CONTEXT;
      current = SUBJECTS[subject]({ ...batch, context, genspan, load: (name) => packages[name] });
      return new Response(String(batch.spans.length));
    }
    for (let i = 0; i < Number(batches); i++) {
      for (const { run, timed } of current.steps) if (!timed || steps === "all") await run();
    }
    if (steps === "all") current.verify?.();
    return new Response(batches);
  },
};
