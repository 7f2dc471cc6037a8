"""A Python service that sends its traces to a proxy: `client.py PROGRAM EXPORTER COMPRESSION BATCHING`.

    PROGRAM      langgraph (Langfuse's callback handler, a mark in LangChain's metadata), openinference, traceloop (OpenAI's client)
    EXPORTER     http, grpc
    COMPRESSION  gzip, none
    BATCHING     batch (one body), simple (a body for each span, children first)

CANNED is the address of tests/capture/server.py, PROXY_HTTP and PROXY_GRPC those of the proxy.
"""

import os
import sys

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.trace import SpanKind

program, exporter, compression, batching = sys.argv[1:]
os.environ.update(OPENAI_API_KEY="sk-x", OPENAI_BASE_URL=os.environ["CANNED"] + "/v1")

if exporter == "grpc":
    from grpc import Compression
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    sends = OTLPSpanExporter(os.environ["PROXY_GRPC"], insecure=True, headers={"authorization": "Bearer of-the-application"},
                             compression=Compression.Gzip if compression == "gzip" else Compression.NoCompression)
else:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    sends = OTLPSpanExporter(os.environ["PROXY_HTTP"] + "/v1/traces", headers={"authorization": "Bearer of-the-application"},
                             compression=Compression.Gzip if compression == "gzip" else Compression.NoCompression)

provider = TracerProvider(resource=Resource({"service.name": "Shop Agent"}))
provider.add_span_processor(SimpleSpanProcessor(sends) if batching == "simple" else BatchSpanProcessor(sends, schedule_delay_millis=600_000))
trace.set_tracer_provider(provider)

QUESTION = [{"role": "user", "content": "深圳天气如何?"}]


def langgraph():
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI
    from langfuse import Langfuse
    from langfuse.langchain import CallbackHandler
    from langgraph.prebuilt import create_react_agent

    options = {"public_key": "pk-lf-x", "secret_key": "sk-lf-x", "host": os.environ["CANNED"] + "/langfuse"}
    try:  # 4 and later export other scopes' spans only if told.
        Langfuse(**options, should_export_span=lambda span: True)
    except TypeError:
        Langfuse(**options)

    @tool
    def get_weather(city: str) -> str:
        """weather of a city"""
        return f"{city}: 26C sunny"

    agent = create_react_agent(ChatOpenAI(model="gpt-4o-mini", temperature=0.3), [get_weather])
    metadata = {"langfuse_user_id": "user-456", "langfuse_session_id": "sess-1", "gen_ai.is_entry": True}
    agent.invoke({"messages": [("user", "深圳天气如何?")]}, config={"callbacks": [CallbackHandler()], "metadata": metadata})


def chat():
    from openai import OpenAI

    OpenAI(max_retries=0).chat.completions.create(model="gpt-4o-mini", messages=QUESTION, temperature=0.3)


def openinference():
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=provider)
    chat()


def traceloop():
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=provider)
    chat()


with trace.get_tracer("opentelemetry.instrumentation.fastapi").start_as_current_span("POST /chat", kind=SpanKind.SERVER):
    {"langgraph": langgraph, "openinference": openinference, "traceloop": traceloop}[program]()
provider.force_flush()
provider.shutdown()
os._exit(0)  # no reporting of the frameworks' own
