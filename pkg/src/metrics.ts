// The numbers of `stats` as metrics, under OpenTelemetry's names for SDKs (semantic conventions, otel/sdk-metrics). They are read when the
// application collects; only the duration of a request is recorded immediately.

import type { CoreStats } from "./core.js";
import type { MeterProvider, Route } from "./types.js";

type Attributes = Record<string, string | number>;

interface Result {
  observe(instrument: object, value: number, attributes: Attributes): void;
}

/** Reports the duration of a request to a destination, in ms, and its outcome. */
export type RequestEnded = (destination: number, millis: number, ended: { status?: number; error?: string }) => void;

const TYPES = {
  "http/protobuf": "otlp_http_exporter",
  "http/json": "otlp_http_json_exporter",
  grpc: "otlp_grpc_exporter",
} as const;
const SPANS = { unit: "{span}" };
/** Options of the histogram: seconds, with the buckets that the conventions define for durations. */
const DURATION = {
  unit: "s",
  advice: {
    explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  },
};

export function observe(
  provider: MeterProvider,
  version: string,
  routes: readonly Route[],
  stats: () => Partial<CoreStats> & { droppedAfterStop: number },
): RequestEnded {
  const meter = provider.getMeter("genspan", version);
  const size = meter.createObservableUpDownCounter("otel.sdk.processor.span.queue.size", SPANS);
  const capacity = meter.createObservableUpDownCounter("otel.sdk.processor.span.queue.capacity", SPANS);
  const processed = meter.createObservableCounter("otel.sdk.processor.span.processed", SPANS);
  const inflight = meter.createObservableUpDownCounter("otel.sdk.exporter.span.inflight", SPANS);
  const exported = meter.createObservableCounter("otel.sdk.exporter.span.exported", SPANS);
  const duration = meter.createHistogram("otel.sdk.exporter.operation.duration", DURATION);
  const processors = routes.map(({ name }) => component("genspan", name));
  const exporters = routes.map(({ name, protocol, endpoint }) => {
    const { hostname, port, protocol: scheme } = new URL(endpoint);
    return {
      ...component(TYPES[protocol], name),
      "server.address": hostname,
      "server.port": Number(port || (scheme === "https:" ? 443 : 80)),
    };
  });
  meter.addBatchObservableCallback(
    (result: Result) => {
      const { destinations = [], droppedAfterStop } = stats();
      for (const [i, d] of destinations.entries()) {
        const [processor, exporter, route] = [processors[i], exporters[i], routes[i]];
        if (!processor || !exporter || !route) continue;
        const failed = (instrument: object, count: number, of: Attributes, type: string) => {
          if (count > 0) result.observe(instrument, count, { ...of, "error.type": type });
        };
        result.observe(size, d.waiting, processor);
        result.observe(capacity, route.maxQueueSize, processor);
        result.observe(processed, d.queued - d.droppedFull - d.waiting, processor);
        failed(processed, d.droppedFull, processor, "queue_full");
        failed(processed, droppedAfterStop, processor, "already_shutdown");
        result.observe(inflight, d.pending - d.waiting, exporter);
        result.observe(exported, d.sent, exporter);
        failed(exported, d.rejected, exporter, "rejected");
        failed(exported, d.droppedRefused, exporter, "refused");
        failed(exported, d.droppedDeadline, exporter, "deadline");
        failed(exported, d.droppedTooLarge, exporter, "too_large");
        failed(exported, d.droppedClosed, exporter, "shutdown");
        failed(exported, d.droppedFault, exporter, "internal_fault");
      }
    },
    [size, capacity, processed, inflight, exported],
  );
  return (destination, millis, { status, error }) => {
    const exporter = exporters[destination];
    if (!exporter) return;
    const attributes: Attributes = { ...exporter };
    if (status !== undefined && status < 100) attributes["rpc.grpc.status_code"] = status;
    else if (status !== undefined) attributes["http.response.status_code"] = status;
    const failed = status !== undefined && status !== 0 && !(status >= 200 && status < 300);
    if (error ?? failed) attributes["error.type"] = error ?? String(status);
    duration.record(millis / 1000, attributes);
  };
}

function component(type: string, name: string): Attributes {
  return { "otel.component.type": type, "otel.component.name": `${type}/${name}` };
}
