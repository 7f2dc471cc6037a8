"""
A service with Langfuse's SDK, OpenAI and LangGraph, and genspan on one of the roads of the README: `langfuse_app.py ROAD PROGRAM`.

    ROAD      beside (Langfuse sends too), instead (genspan sends in its place), exporter (genspan as Langfuse's span_exporter)
    PROGRAM   openai (Langfuse's client for OpenAI), langgraph (a mark in LangChain's metadata)

CANNED is the address of tests/capture/server.py, LANGFUSE that of a Langfuse, DESTINATIONS genspan's list in JSON.
"""

import json
import os
import sys

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind

from genspan import GenSpanExporter, GenSpanProcessor

road, program = sys.argv[1:]
os.environ.update(OPENAI_API_KEY="sk-x", OPENAI_BASE_URL=os.environ["CANNED"] + "/v1")
destinations = json.loads(os.environ["DESTINATIONS"])

from langfuse import Langfuse, observe  # noqa: E402
from langfuse._client import client  # noqa: E402

KEYS = {"public_key": "pk-lf-x", "secret_key": "sk-lf-x", "host": os.environ["LANGFUSE"]}
takes = client.Langfuse.__init__.__code__.co_varnames
provider = TracerProvider()

if road == "exporter":
    genspan = GenSpanExporter(destinations=destinations)
    langfuse = Langfuse(**KEYS, tracer_provider=provider, span_exporter=genspan)
else:
    genspan = GenSpanProcessor(destinations=destinations)
    provider.add_span_processor(genspan)
    if road == "beside":
        langfuse = Langfuse(**KEYS, tracer_provider=provider)
    elif "should_export_span" in takes:
        langfuse = Langfuse(**KEYS, tracer_provider=provider, should_export_span=lambda span: False)
    else:
        # Of each instrumentation in use: 3.x sends what it does not block.
        blocked = ["langfuse-sdk", "opentelemetry.instrumentation.fastapi"]
        langfuse = Langfuse(**KEYS, tracer_provider=provider, blocked_instrumentation_scopes=blocked)


def openai():
    from langfuse.openai import OpenAI

    @observe(name="weather-agent", as_type="agent")
    def agent():
        messages = [{"role": "user", "content": "深圳天气如何?"}]
        return OpenAI(max_retries=0).chat.completions.create(model="gpt-4o-mini", messages=messages, temperature=0.3)

    agent()


def langgraph():
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI
    from langfuse.langchain import CallbackHandler
    from langgraph.prebuilt import create_react_agent

    @tool
    def get_weather(city: str) -> str:
        """weather of a city"""
        return f"{city}: 26C sunny"

    agent = create_react_agent(ChatOpenAI(model="gpt-4o-mini", temperature=0.3), [get_weather])
    metadata = {"langfuse_user_id": "user-456", "langfuse_session_id": "sess-1", "gen_ai.is_entry": True}
    agent.invoke({"messages": [("user", "深圳天气如何?")]}, config={"callbacks": [CallbackHandler()], "metadata": metadata})


with trace.get_tracer("opentelemetry.instrumentation.fastapi", tracer_provider=provider).start_as_current_span("POST /chat", kind=SpanKind.SERVER):
    {"openai": openai, "langgraph": langgraph}[program]()
langfuse.flush()
provider.force_flush()
flushed = genspan.force_flush(10_000)
print(json.dumps({"flushed": flushed, "stats": genspan.stats()}))
sys.stdout.flush()
os._exit(0)  # no reporting of the frameworks' own
