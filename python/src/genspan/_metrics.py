"""
The numbers of `stats` as metrics, under OpenTelemetry's names for SDKs (semantic conventions, otel/sdk-metrics). They are read when the application
collects; only the duration of a request is recorded immediately.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ._types import Route
from ._version import __version__

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

_TYPES = {"http/protobuf": "otlp_http_exporter", "http/json": "otlp_http_json_exporter", "grpc": "otlp_grpc_exporter"}
# The buckets that the conventions define for durations, in seconds.
_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
# The instruments of one collection read the same counters, for this long, in seconds.
_FRESH = 0.1
# Why spans were not exported, by their counters.
_FAILURES = {
    "rejected": "rejected",
    "droppedRefused": "refused",
    "droppedDeadline": "deadline",
    "droppedTooLarge": "too_large",
    "droppedClosed": "shutdown",
    "droppedFault": "internal_fault",
}

RequestEnded = Callable[[int, float, "int | None"], None]
"""Reports the duration of a request to a destination, in seconds, and its status; None: there was no answer."""

Attributes = dict[str, Any]
Row = tuple[float, Attributes]


def observe(provider: MeterProvider, routes: Sequence[Route], stats: Callable[[], Mapping[str, Any]]) -> RequestEnded:
    """`stats` has the counters by the names that the core has for them, and `droppedAfterStop`."""
    from opentelemetry.metrics import Observation

    meter = provider.get_meter("genspan", __version__)
    processors = [_component("genspan", route.name) for route in routes]
    exporters = []
    for route in routes:
        url = urlsplit(route.endpoint)
        port = url.port or (443 if url.scheme == "https" else 80)
        exporters.append({**_component(_TYPES[route.protocol], route.name), "server.address": url.hostname or "", "server.port": port})
    lock = threading.Lock()
    last: list[tuple[float, Mapping[str, Any]]] = []

    def counters() -> Mapping[str, Any]:
        with lock:
            if not last or time.monotonic() - last[0][0] > _FRESH:
                last[:] = [(time.monotonic(), stats())]
            return last[0][1]

    def watched(rows: Callable[[int, Mapping[str, Any], int], Iterable[Row]]) -> list[Callable[[CallbackOptions], Iterable[Observation]]]:
        def callback(_: CallbackOptions) -> Iterable[Observation]:
            found = counters()
            for i, destination in enumerate(found.get("destinations", ())):
                for value, attributes in rows(i, destination, found["droppedAfterStop"]):
                    yield Observation(value, attributes)

        return [callback]

    def failed(count: float, of: Attributes, type: str) -> Iterable[Row]:
        return [(count, {**of, "error.type": type})] if count else []

    def processed(i: int, d: Mapping[str, Any], after_stop: int) -> Iterable[Row]:
        yield d["queued"] - d["droppedFull"] - d["waiting"], processors[i]
        yield from failed(d["droppedFull"], processors[i], "queue_full")
        yield from failed(after_stop, processors[i], "already_shutdown")

    def exported(i: int, d: Mapping[str, Any], _: int) -> Iterable[Row]:
        yield d["sent"], exporters[i]
        for counter, type in _FAILURES.items():
            yield from failed(d[counter], exporters[i], type)

    unit = "{span}"
    meter.create_observable_up_down_counter(
        "otel.sdk.processor.span.queue.size", watched(lambda i, d, _: [(d["waiting"], processors[i])]), unit
    )
    meter.create_observable_up_down_counter(
        "otel.sdk.processor.span.queue.capacity", watched(lambda i, d, _: [(routes[i].max_queue_size, processors[i])]), unit
    )
    meter.create_observable_counter("otel.sdk.processor.span.processed", watched(processed), unit)
    meter.create_observable_up_down_counter(
        "otel.sdk.exporter.span.inflight", watched(lambda i, d, _: [(d["pending"] - d["waiting"], exporters[i])]), unit
    )
    meter.create_observable_counter("otel.sdk.exporter.span.exported", watched(exported), unit)
    duration = _histogram(meter)

    def ended(destination: int, seconds: float, status: int | None) -> None:
        attributes = dict(exporters[destination])
        if status is None:
            attributes["error.type"] = "no_answer"
        else:
            attributes["rpc.grpc.status_code" if status < 100 else "http.response.status_code"] = status
            if status != 0 and not 200 <= status < 300:
                attributes["error.type"] = str(status)
        duration.record(seconds, attributes)

    return ended


def _histogram(meter: Any) -> Any:
    name = "otel.sdk.exporter.operation.duration"
    try:
        return meter.create_histogram(name, "s", explicit_bucket_boundaries_advisory=_BUCKETS)
    except TypeError:
        # An older API.
        return meter.create_histogram(name, "s")


def _component(type: str, name: str) -> Attributes:
    return {"otel.component.type": type, "otel.component.name": f"{type}/{name}"}
