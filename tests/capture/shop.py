"""What the Python programs with real SDKs have in common: the model's address, the exporter, the tool and the question."""

import asyncio
import os
import sys

BASE = os.environ["CANNED"] + "/turns"
SINK = f"{os.environ['CANNED']}/{os.environ['NAME']}/v1/traces"
os.environ.update(OPENAI_API_KEY="sk-x", OPENAI_BASE_URL=BASE + "/v1", OPENAI_API_BASE=BASE + "/v1", GOOGLE_API_KEY="g-x",
                  OTEL_SERVICE_NAME="shop-agent")

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

sys.tracebacklimit = 0  # a stack trace tells of the machine
MODEL, SYSTEM, QUESTION = "gpt-4o-mini", "be brief", "深圳天气如何?"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
RESOURCE = {"service.name": "shop-agent", "host.name": "10.0.0.8", "token": "tok-123"}


provider = TracerProvider(resource=Resource(RESOURCE))


class Exporter(OTLPSpanExporter):
    def export(self, spans):
        for span in spans:
            span._resource = provider.resource  # what Logfire finds out of the machine stays here
        return super().export(spans)


processor = BatchSpanProcessor(Exporter(SINK), schedule_delay_millis=600_000)  # one body for the whole program
provider.add_span_processor(processor)
trace.set_tracer_provider(provider)


def get_weather(city: str) -> str:
    """weather of a city"""
    return f"{city}: 26C sunny"


async def fails(call):
    """The error of a model that does not work is the program's own business."""
    try:
        done = call()
        return await done if asyncio.iscoroutine(done) else done
    except Exception as error:
        return type(error).__name__


def run(programs):
    """The program that the command line names, below an HTTP span."""
    with trace.get_tracer("opentelemetry.instrumentation.fastapi").start_as_current_span("POST /chat", kind=SpanKind.SERVER):
        done = programs[sys.argv[1]]()
        print(asyncio.run(done) if asyncio.iscoroutine(done) else done)
    provider.force_flush()
    os._exit(0)  # no reporting of the frameworks' own
