"""The processor against backends that answer and fail."""

from __future__ import annotations

import json
import logging
import os
import threading
import time

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb

from genspan import GenSpanProcessor

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}


def test_spans_arrive_with_one_entry(app, backend):
    tracer, processor = app(endpoint=backend.url)
    with tracer.start_as_current_span("GET /ask"):
        with tracer.start_as_current_span("invoke_agent", attributes={"gen_ai.operation.name": "invoke_agent"}):
            with tracer.start_as_current_span("chat", attributes=CHAT):
                pass
    assert processor.force_flush(5000)
    assert sorted(backend.names()) == ["GET /ask", "chat", "invoke_agent"]
    assert backend.entries() == ["invoke_agent"]
    assert backend.requests[0].headers["user-agent"].startswith("genspan-python/")
    stats = processor.stats()
    assert (stats["seen"], stats["llm"], stats["entries"], stats["errors"]) == (3, 2, 1, 0)
    assert stats["destinations"][0]["sent"] == 3


def test_several_destinations_and_a_token_that_reaches_only_its_own(app, backend, second):
    tracer, processor = app(
        service_name=None,
        destinations=[
            {"endpoint": backend.url, "profile": "tencent", "token": "secret-token", "service_name": "shop", "host_name": "10.0.0.1"},
            {"endpoint": second.url, "profile": "langfuse", "headers": {"authorization": "Basic c2VjcmV0"}},
        ],
    )
    with tracer.start_as_current_span("chat", attributes=CHAT):
        pass
    assert processor.force_flush(5000)
    assert backend.resources()[0]["token"] == "secret-token"
    assert backend.resources()[0]["host.name"] == "10.0.0.1"
    assert "authorization" not in backend.requests[0].headers
    assert second.requests[0].headers["authorization"] == "Basic c2VjcmV0"
    assert second.requests[0].headers["x-langfuse-ingestion-version"] == "4"
    assert b"secret-token" not in second.requests[0].raw
    assert "token" not in second.resources()[0]


def test_a_batch_that_is_too_large_is_split(app, backend):
    def act(n, request):
        spans = sum(len(ss.spans) for rs in request.body.resource_spans for ss in rs.scope_spans)
        return (413, {}, b"") if spans > 3 else None

    backend.act = act
    tracer, processor = app(endpoint=backend.url)
    for i in range(10):
        with tracer.start_as_current_span(f"span {i}"):
            pass
    assert processor.force_flush(10_000)
    assert sorted(backend.names()) == sorted(f"span {i}" for i in range(10))
    assert processor.stats()["destinations"][0]["split_batches"] > 0


def test_retry_after_is_heeded(app, backend):
    times = []

    def act(n, request):
        times.append(time.monotonic())
        return (503, {"retry-after": "1"}, b"") if n == 0 else None

    backend.act = act
    tracer, processor = app(endpoint=backend.url, retry={"initial_millis": 1})
    with tracer.start_as_current_span("one"):
        pass
    assert processor.force_flush(10_000)
    assert backend.names() == ["one"]
    assert times[1] - times[0] >= 1


def test_a_redirect_is_not_followed(app, backend, second):
    backend.act = lambda n, request: (307, {"location": second.url}, b"")
    tracer, processor = app(endpoint=backend.url, headers={"authorization": "Bearer secret-key"})
    with tracer.start_as_current_span("one"):
        pass
    processor.force_flush(2000)
    assert second.requests == []


def test_force_flush_keeps_its_time_limit_and_says_so(app, backend):
    release = threading.Event()
    backend.act = lambda n, request: release.wait(10) and None
    tracer, processor = app(endpoint=backend.url)
    with tracer.start_as_current_span("one"):
        pass
    began = time.monotonic()
    assert processor.force_flush(200) is False
    assert 0.15 < time.monotonic() - began < 2
    release.set()
    assert processor.force_flush(5000) is True
    assert backend.names() == ["one"]


def test_force_flush_is_false_if_the_backend_refused_the_spans(app, backend):
    backend.act = lambda n, request: (400, {}, b"")
    tracer, processor = app(endpoint=backend.url)
    with tracer.start_as_current_span("one"):
        pass
    assert processor.force_flush(5000) is False
    assert processor.stats()["destinations"][0]["dropped_refused"] == 1


def test_a_partial_success_is_reported(app, backend):
    answer = pb.ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 1
    answer.partial_success.error_message = "no room for secret-key"
    backend.act = lambda n, request: (200, {}, answer.SerializeToString())
    told = []
    tracer, processor = app(endpoint=backend.url, headers={"x-key": "secret-key"}, on_partial_success=told.append)
    with tracer.start_as_current_span("one"):
        pass
    processor.force_flush(5000)
    assert [(one.destination, one.rejected_spans) for one in told] == [("otlp-0", 1)]
    destination = processor.stats()["destinations"][0]
    assert destination["rejected"] == 1
    # README promise: a secret never stands in a message.
    assert "secret-key" not in destination["last_error"]["message"]


def test_a_dead_connection_is_opened_anew_at_once(app, backend):
    """As after a thaw: the server has closed the connection that was kept."""
    tracer, processor = app(endpoint=backend.url)
    backend.act = lambda n, request: (200, {"connection": "close"}, b"") if n == 0 else None
    for name in ("one", "two"):
        with tracer.start_as_current_span(name):
            pass
        assert processor.force_flush(5000)
        time.sleep(0.1)
    assert backend.names() == ["one", "two"]
    assert processor.stats()["destinations"][0]["retried"] == 0


def test_gzip_and_json(app, backend, second):
    tracer, processor = app(
        destinations=[{"endpoint": backend.url, "compression": "gzip"}, {"endpoint": second.url, "protocol": "http/json"}]
    )
    with tracer.start_as_current_span("chat", attributes={**CHAT, "text": "x" * 5000}):
        pass
    assert processor.force_flush(5000)
    assert backend.requests[0].headers["content-encoding"] == "gzip"
    assert backend.names() == ["chat"]
    assert second.requests[0].headers["content-type"] == "application/json"
    body = json.loads(second.requests[0].raw)
    assert body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] == "chat"


def test_headers_of_a_function_are_fresh(app, backend):
    tokens = iter(["a", "b"])
    tracer, processor = app(endpoint=backend.url, headers=lambda: {"authorization": f"Bearer {next(tokens)}"})
    for name in ("one", "two"):
        with tracer.start_as_current_span(name):
            pass
        assert processor.force_flush(5000)
    assert [request.headers["authorization"] for request in backend.requests] == ["Bearer a", "Bearer b"]


def test_requests_are_not_traced(app, backend, monkeypatch):
    """An instrumentation of urllib3 would trace them, and the spans of that would be sent, and so on."""
    import urllib3

    seen = []
    request = urllib3.PoolManager.request

    def instrumented(self, *args, **kwargs):
        seen.append(context.get_value(context._SUPPRESS_INSTRUMENTATION_KEY))
        return request(self, *args, **kwargs)

    monkeypatch.setattr(urllib3.PoolManager, "request", instrumented)
    tracer, processor = app(endpoint=backend.url)
    with tracer.start_as_current_span("one"):
        pass
    assert processor.force_flush(5000)
    assert seen == [True]


def test_unsampled_spans_are_not_sent(app, backend):
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    processor = GenSpanProcessor(endpoint=backend.url)
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    with provider.get_tracer("shop").start_as_current_span("one"):
        pass
    assert processor.force_flush(5000)
    assert processor.stats()["seen"] == 0
    provider.shutdown()


def test_filters_of_the_application(app, backend, second):
    tracer, processor = app(
        destinations=[
            {"endpoint": backend.url, "filter": lambda span: not span.name.startswith("SELECT")},
            {"endpoint": second.url, "filter": "llm"},
        ]
    )
    with tracer.start_as_current_span("SELECT 1"):
        pass
    with tracer.start_as_current_span("chat", attributes=CHAT):
        pass
    assert processor.force_flush(5000)
    assert backend.names() == ["chat"]
    assert second.names() == ["chat"]


def test_session_and_user_come_from_the_baggage(app, backend):
    tracer, processor = app(endpoint=backend.url)
    token = context.attach(baggage.set_baggage("langfuse_session_id", "s-1", baggage.set_baggage("user.id", "u-1")))
    with tracer.start_as_current_span("chat", attributes=CHAT):
        pass
    context.detach(token)
    assert processor.force_flush(5000)
    attributes = backend.attributes()["chat"]
    assert attributes["session.id"] == "s-1"
    assert attributes["user.id"] == "u-1"


def test_spans_after_shutdown_are_counted(app, backend):
    tracer, processor = app(endpoint=backend.url)
    processor.shutdown()
    with tracer.start_as_current_span("late"):
        pass
    assert processor.stats()["dropped_after_stop"] == 1
    assert processor.force_flush(1000) in (True, False)


def test_shutdown_sends_what_is_left(app, backend):
    tracer, processor = app(endpoint=backend.url, scheduled_delay_millis=60_000)
    with tracer.start_as_current_span("one"):
        pass
    processor.shutdown()
    assert backend.names() == ["one"]
    assert processor.stats()["destinations"][0]["sent"] == 1


def test_spans_leave_by_themselves(app, backend):
    tracer, _ = app(endpoint=backend.url, scheduled_delay_millis=50)
    with tracer.start_as_current_span("one"):
        pass
    backend.wait(1)
    assert backend.names() == ["one"]


def test_a_full_queue_drops_and_counts(app, backend):
    tracer, processor = app(endpoint=backend.url, max_queue_size=10)
    processor._sender._writing.acquire()
    for i in range(50):
        with tracer.start_as_current_span(f"span {i}"):
            pass
    processor._sender._writing.release()
    processor.force_flush(5000)
    stats = processor.stats()
    assert stats["dropped_waiting"] == 40
    assert stats["dropped_waiting"] + stats["seen"] == 50


def test_many_threads(app, backend):
    tracer, processor = app(endpoint=backend.url)

    def work(n):
        for i in range(200):
            with tracer.start_as_current_span(f"{n}-{i}", attributes=CHAT):
                pass

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert processor.force_flush(20_000)
    assert len(set(backend.names())) == 1600


def test_the_connection_is_refused(app, caplog):
    caplog.set_level(logging.WARNING, "genspan")
    tracer, processor = app(endpoint="http://127.0.0.1:9/v1/traces", retry={"initial_millis": 1, "max_millis": 5})
    with tracer.start_as_current_span("one"):
        pass
    assert processor.force_flush(500) is False
    assert processor.stats()["destinations"][0]["last_error"]["message"] == "destination otlp-0: request failed: Connection refused"
    assert "genspan: destination otlp-0: request failed: Connection refused" in caplog.text
    processor.shutdown(100)


def test_the_sdk_switched_off_by_the_environment(backend, monkeypatch):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    processor = GenSpanProcessor(endpoint=backend.url)
    assert processor.force_flush(1000) is True
    processor.shutdown()


def test_a_span_that_cannot_be_read_is_counted(app, backend):
    class Bad:
        def __str__(self):
            raise RuntimeError("no text")

    tracer, processor = app(endpoint=backend.url)
    with tracer.start_as_current_span("bad") as span:
        pass
    with tracer.start_as_current_span("bad", attributes=CHAT) as span:
        # What the SDK would refuse.
        span._attributes._dict["bad"] = Bad()
    with tracer.start_as_current_span("good"):
        pass
    processor.force_flush(5000)
    assert sorted(backend.names()) == ["bad", "good"]
    stats = processor.stats()
    assert stats["errors"] == 1
    assert stats["seen"] == 3


def test_the_propagator_marks_calls_from_inside_a_segment(app, backend):
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    from genspan import GenSpanPropagator

    tracer, processor = app(endpoint=backend.url)
    propagator = GenSpanPropagator(processor, TraceContextTextMapPropagator())
    outside: dict[str, str] = {}
    inside: dict[str, str] = {}
    with tracer.start_as_current_span("GET /ask"):
        propagator.inject(outside)
        with tracer.start_as_current_span("invoke_agent", attributes={"gen_ai.operation.name": "invoke_agent"}) as agent:
            with tracer.start_as_current_span("POST"):
                propagator.inject(inside)
    assert "tracestate" not in outside
    assert inside["tracestate"] == f"genspan=llm:{agent.get_span_context().span_id:016x}"
    # The called service has no second entry.
    remote = propagator.extract(inside)
    with tracer.start_as_current_span("chat", attributes=CHAT, context=remote):
        pass
    assert processor.force_flush(5000)
    assert backend.entries() == ["invoke_agent"]
    assert trace.get_current_span(remote).get_span_context().trace_state.get("genspan")


def test_after_a_fault_of_the_core_tracing_continues(app, backend, caplog):
    # README promise: "Nothing of ours breaks the host"
    from genspan._engine import Fault

    tracer, processor = app(endpoint=backend.url)
    with tracer.start_as_current_span("before"):
        pass
    assert processor.force_flush(5000)
    engine = processor._sender._pipeline._engine
    call = engine.call

    def faulty(name, *args):
        if name == "gs_records":
            raise Fault("genspan: internal fault (the test demands it)")
        return call(name, *args)

    engine.call = faulty
    with tracer.start_as_current_span("lost"):
        pass
    processor.force_flush(5000)
    with tracer.start_as_current_span("after"):
        pass
    assert processor.force_flush(5000)
    assert backend.names() == ["before", "after"]
    stats = processor.stats()
    assert stats["seen"] == 3
    destination = stats["destinations"][0]
    assert (destination["queued"], destination["sent"], destination["dropped_fault"]) == (3, 2, 1)
    assert "internal fault (the test demands it) lost up to 1 spans; tracing continues" in caplog.text


def test_metrics_have_the_names_of_the_conventions(app, backend):
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    reader = InMemoryMetricReader()
    backend.act = lambda n, request: (400, {}, b"") if n == 1 else None
    tracer, processor = app(endpoint=backend.url, name="main", max_queue_size=100, meter_provider=MeterProvider([reader]))
    for name in ("one", "two"):
        with tracer.start_as_current_span(name):
            pass
        processor.force_flush(5000)
    found = {
        metric.name: [(dict(point.attributes), getattr(point, "value", None)) for point in metric.data.data_points]
        for of in reader.get_metrics_data().resource_metrics
        for scope in of.scope_metrics
        for metric in scope.metrics
    }
    of_processor = {"otel.component.type": "genspan", "otel.component.name": "genspan/main"}
    port = int(backend.url.split(":")[2].split("/")[0])
    of_exporter = {
        "otel.component.type": "otlp_http_exporter",
        "otel.component.name": "otlp_http_exporter/main",
        "server.address": "127.0.0.1",
        "server.port": port,
    }
    assert found["otel.sdk.processor.span.queue.size"] == [(of_processor, 0)]
    assert found["otel.sdk.processor.span.queue.capacity"] == [(of_processor, 100)]
    assert found["otel.sdk.processor.span.processed"] == [(of_processor, 2)]
    assert found["otel.sdk.exporter.span.inflight"] == [(of_exporter, 0)]
    assert found["otel.sdk.exporter.span.exported"] == [(of_exporter, 1), ({**of_exporter, "error.type": "refused"}, 1)]
    assert [attributes for attributes, _ in found["otel.sdk.exporter.operation.duration"]] == [
        {**of_exporter, "http.response.status_code": 200},
        {**of_exporter, "http.response.status_code": 400, "error.type": "400"},
    ]


def test_a_closed_pipeline_is_not_called(app, backend):
    """The library would read memory that it has given back."""
    from genspan._engine import Fault

    _, processor = app(endpoint=backend.url)
    pipeline = processor._sender._pipeline
    processor.shutdown()
    with pytest.raises(Fault, match="closed"):
        pipeline.poll()


def test_shutdown_amid_a_load_of_spans(backend):
    """Threads end spans while the processor is shut down, many times over."""
    from opentelemetry.sdk.trace import TracerProvider

    for _ in range(20):
        provider = TracerProvider(shutdown_on_exit=False)
        processor = GenSpanProcessor(endpoint=backend.url, scheduled_delay_millis=1)
        provider.add_span_processor(processor)
        tracer = provider.get_tracer("shop")
        stop = threading.Event()

        def load():
            while not stop.is_set():
                with tracer.start_as_current_span("one", attributes=CHAT):
                    processor.stats()

        threads = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.03)
        processor.shutdown(2000)
        stop.set()
        for thread in threads:
            thread.join()
        assert processor.stats()["errors"] == 0
