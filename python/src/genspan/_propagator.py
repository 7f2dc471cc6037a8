"""
The OpenTelemetry propagator: informs the services that are called from inside an LLM segment that its entry is in this process. It uses only the
header `tracestate`; another propagator carries the trace itself.
"""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import CarrierT, Getter, Setter, TextMapPropagator, default_getter, default_setter

from ._processor import GenSpanProcessor

TRACESTATE = "tracestate"


class GenSpanPropagator(TextMapPropagator):
    """
    Adds the member `genspan=llm:<id of the LLM span>` to the `tracestate` of requests that are made inside an LLM segment. A GenSpanProcessor in the
    called service then makes no second entry there. `inner` is the propagator that carries the trace, such as that for W3C trace context; without it,
    this propagator has to follow such a one in a CompositePropagator.
    """

    def __init__(self, processor: GenSpanProcessor, inner: TextMapPropagator | None = None) -> None:
        self._processor = processor
        self._inner = inner

    def inject(self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter) -> None:
        if self._inner:
            self._inner.inject(carrier, context, setter)
        span = trace.get_current_span(context).get_span_context()
        segment = self._processor._segment(span) if span.is_valid else None
        if segment is None:
            return
        value = f"llm:{segment.hex()}" if any(segment) else "llm"
        # A new member comes first, and an old one of that name goes.
        others = [f"{key}={of}" for key, of in span.trace_state.items() if key != "genspan"] if span.trace_state else []
        setter.set(carrier, TRACESTATE, ",".join([f"genspan={value}", *others][:32]))

    def extract(self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter) -> Context:
        if self._inner:
            return self._inner.extract(carrier, context, getter)
        return Context() if context is None else context

    @property
    def fields(self) -> set[str]:
        return {*(self._inner.fields if self._inner else ()), TRACESTATE}
