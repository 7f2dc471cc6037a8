"""Frames against the stock encoder: what the processor sends is what genspan makes of the stock encoder's body, but for what stock loses."""

from __future__ import annotations

import json

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

import genspan
from genspan._core import ENDED, Pipeline
from genspan._frame import FrameWriter

REMOTE = SpanContext(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, True, TraceFlags(1), TraceState([("a", "1"), ("b", "2")]))


class Collect(SpanProcessor):
    def __init__(self):
        self.spans = []

    def on_end(self, span):
        self.spans.append(span)


def collected():
    collect = Collect()
    provider = TracerProvider(resource=Resource.create({"service.name": "shop", "list": ["a", "b"]}), shutdown_on_exit=False)
    provider.add_span_processor(collect)
    return provider.get_tracer("scope.x", "1.2", "https://schema", {"k": "v"}), collect.spans


def everything(tracer):
    context = trace.set_span_in_context(NonRecordingSpan(REMOTE))
    with tracer.start_as_current_span("root", context=context, kind=SpanKind.SERVER, links=[Link(REMOTE, {"k": 1})]) as span:
        span.set_attributes(
            {
                "str": "深圳 😀",
                "int": -5,
                "big": 2**62,
                "float": 0.5,
                "t": True,
                "f": False,
                "list": ["x", "y"],
                "ints": [1, 2],
                "bools": (True, False),
                "empty": "",
                "floats": [1.5, 2.5],
                "nested": {"a": [1, "b", None, {"c": b"\x00\x01"}]},
                "bytes": b"\xff\x00",
            }
        )
        span.add_event("event", {"e": "f", "n": 3})
        try:
            raise ValueError("no")
        except ValueError as error:
            span.record_exception(error)
        with tracer.start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}) as chat:
            chat.set_status(StatusCode.ERROR, "bad")

        class Text(str):
            pass

        with tracer.start_as_current_span("subclass", attributes={"sub": Text("v")}):
            pass


def sent(spans, **config):
    """What the pipeline sends for spans that were handed over as frames."""
    pipeline = Pipeline({"keep": "all", **config})
    writer = FrameWriter(pipeline.intern, pipeline.scope, pipeline.resource, pipeline.wanted())
    taken = pipeline.records([(ENDED, 0, writer.span(span, (3 if span.parent.is_remote else 1) if span.parent else 0)) for span in spans])
    assert (taken.ended, taken.unreadable) == (len(spans), 0), taken.why
    pipeline.flush()
    body = pb.ExportTraceServiceRequest()
    body.ParseFromString(pipeline.poll().body)
    pipeline.close()
    return body


def by_name(body):
    return {s.name: (rs.resource, ss.scope, ss.schema_url, s) for rs in body.resource_spans for ss in rs.scope_spans for s in ss.spans}


def test_all_that_a_span_can_hold_is_as_the_stock_encoder_has_it():
    tracer, spans = collected()
    everything(tracer)
    stock = pb.ExportTraceServiceRequest()
    stock.ParseFromString(genspan.convert(encode_spans(spans).SerializeToString(), keep="all"))
    ours, theirs = by_name(sent(spans)), by_name(stock)
    assert set(ours) == set(theirs) == {"root", "chat", "subclass"}
    for name, (resource, scope, schema, span) in theirs.items():
        assert ours[name][0] == resource
        assert ours[name][1] == scope
        assert ours[name][2] == schema
        # Stock leaves out the W3C flags, and the trace state of a link.
        copy = pb.ExportTraceServiceRequest().resource_spans.add().scope_spans.add().spans.add()
        copy.CopyFrom(ours[name][3])
        copy.flags = span.flags
        for link, of_stock in zip(copy.links, span.links, strict=True):
            link.trace_state = of_stock.trace_state
            link.flags = of_stock.flags
        # Stock writes an empty status out.
        for one in (copy, span):
            if not one.status.ByteSize():
                one.ClearField("status")
        assert copy == span


def test_lone_surrogates_become_replacement_characters():
    tracer, spans = collected()
    with tracer.start_as_current_span("lone") as span:
        span.set_attribute("one", "a\ud800b")
        span.set_attribute("pair", "\ud83d\ude00")
    attributes = {kv.key: kv.value.string_value for kv in by_name(sent(spans))["lone"][3].attributes}
    assert attributes["one"] == "a\ufffdb"
    # The two halves of one character.
    assert attributes["pair"] == "😀"


def test_values_that_no_frame_can_hold():
    tracer, spans = collected()
    cycle: list = [1]
    cycle.append(cycle)
    deep: dict = {}
    for _ in range(60):
        deep = {"d": deep}
    with tracer.start_as_current_span("odd") as span:
        pass
    # What an application may put there, past the checks of the SDK.
    span._attributes._dict.update({"cycle": cycle, "deep": deep, "huge": 2**80, "object": object(), "nan": float("nan")})
    span = by_name(sent(spans))["odd"][3]
    values = {kv.key: kv.value for kv in span.attributes}
    assert values["huge"].string_value == str(2**80)
    assert values["object"].string_value.startswith("<object")
    assert [one.WhichOneof("value") for one in values["cycle"].array_value.values] == ["int_value", None]
    assert values["nan"].double_value != values["nan"].double_value
    depth, at = 0, values["deep"]
    while at.WhichOneof("value") == "kvlist_value":
        depth, at = depth + 1, at.kvlist_value.values[0].value
    assert json.loads(at.string_value)


def test_keys_get_numbers_at_their_second_occurrence():
    interned = []

    def intern(text):
        interned.append(text)
        return len(interned)

    writer = FrameWriter(intern, lambda record: 1, lambda record: 1, ["wanted"])
    tracer, spans = collected()
    for i in range(3):
        with tracer.start_as_current_span(f"unique {i}", attributes={"key": i, "k" * 300: 1}):
            pass
    for span in spans:
        writer.span(span, 0)
    assert interned == [b"key"]


def test_more_scopes_than_the_core_remembers(app, backend):
    tracer, processor = app(endpoint=backend.url)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    for round in range(2):
        for i in range(3000):
            with provider.get_tracer(f"scope {i}").start_as_current_span(f"{round}-{i}"):
                pass
        assert processor.force_flush(20_000)
    assert len(set(backend.names())) == 6000
    assert processor.stats()["errors"] == 0
