"""Programs with the Langfuse Python SDK, 3.0 to 5: `langfuse_py.py PROGRAM`, see PROGRAMS at the end.

Options that a version of the SDK does not know are left out; that difference is what the captures are for.
"""

import os
import sys

from langfuse import Langfuse, get_client, observe
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

BASE = os.environ["CANNED"]
os.environ["OPENAI_API_KEY"] = "sk-x"
os.environ["OPENAI_BASE_URL"] = BASE + "/v1"

provider = TracerProvider(resource=Resource.create({"service.name": "shop-agent", "host.name": "10.0.0.8", "token": "tok-123"}))
trace.set_tracer_provider(provider)
options = {"public_key": "pk-lf-x", "secret_key": "sk-lf-x", "host": f"{BASE}/{os.environ['NAME']}"}
try:  # 4 and later export other scopes' spans only if told.
    langfuse = Langfuse(**options, should_export_span=lambda span: True)
except TypeError:
    langfuse = Langfuse(**options)
http = trace.get_tracer("opentelemetry.instrumentation.fastapi")

TOOLS = [{"type": "function", "function": {
    "name": "get_weather", "description": "weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]
QUESTION = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "深圳天气如何?"}]


def span(name, kind="span", **values):
    """An observation in the way of each version."""
    if hasattr(langfuse, "start_as_current_observation"):
        return langfuse.start_as_current_observation(name=name, as_type=kind, **values)
    if kind in ("generation", "embedding"):
        return langfuse.start_as_current_generation(name=name, **values)
    return langfuse.start_as_current_span(name=name, **values)


def graph(config_metadata):
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI
    from langfuse.langchain import CallbackHandler
    from langgraph.prebuilt import create_react_agent

    @tool
    def get_weather(city: str) -> str:
        """weather of a city"""
        return f"{city}: 26C sunny"

    agent = create_react_agent(ChatOpenAI(model="gpt-4o-mini", temperature=0.3), [get_weather])
    metadata = {"langfuse_user_id": "user-456", "langfuse_session_id": "sess-1", "langfuse_tags": ["a", "b"], **config_metadata}
    agent.invoke({"messages": [("user", "深圳天气如何?")]}, config={"callbacks": [CallbackHandler()], "metadata": metadata})


def inherited():
    with http.start_as_current_span("POST /chat"):
        graph({"gen_ai.is_entry": True})


def nested():
    with http.start_as_current_span("POST /chat"), span("agent-nested") as s:
        s.update(metadata={"gen_ai": {"is_entry": True}, "team": "a"})
        graph({})


def wrapper():
    """The OpenAI wrapper in all its calls, under decorated functions; one denies the mark, one sets OTel's attribute."""
    from langfuse.openai import OpenAI

    client = OpenAI(max_retries=0)

    @observe()
    def chat(city):
        get_client().update_current_span(metadata={"gen_ai.is_entry": True})
        if hasattr(get_client(), "update_current_trace"):
            get_client().update_current_trace(session_id="sess-1", user_id="user-456", tags=["a", "b"])
        client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION, tools=TOOLS, temperature=0.3, max_tokens=64, seed=7, stop=["END"])
        answer = client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION, name="answer", metadata={"turn": 2})
        return answer.choices[0].message.content

    @observe(name="embed", as_type="generation")
    def embed(text):
        return client.embeddings.create(model="text-embedding-3-small", input=text).data[0].embedding

    @observe()
    def stream():
        get_client().update_current_span(metadata={"gen_ai.is_entry": False})
        parts = client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION, tools=TOOLS, stream=True, stream_options={"include_usage": True})
        return [p.choices[0].delta.content for p in parts if p.choices]

    @observe()
    def fail():
        trace.get_current_span().set_attribute("gen_ai.is_entry", True)
        client.chat.completions.create(model="boom", messages=QUESTION)

    with http.start_as_current_span("POST /chat"):
        chat("深圳")
        embed("深圳")
        stream()
        try:
            fail()
        except Exception as error:
            print(type(error).__name__)


def sdk():
    """The SDK's own API: every field of a generation, a tool, an error, a warning."""
    from datetime import datetime, timezone

    scope = None
    try:
        from langfuse import propagate_attributes

        scope = propagate_attributes(session_id="sess-1", user_id="user-456", tags=["a", "b"], metadata={"gen_ai.is_entry": "true", "team": "a"})
        scope.__enter__()
    except ImportError:
        pass
    with span("chat-turn", "agent", input={"question": "深圳天气如何?"}) as turn:
        if scope is None:
            turn.update_trace(session_id="sess-1", user_id="user-456", tags=["a", "b"], metadata={"gen_ai.is_entry": True})
        with span("plan", "generation", model="gpt-4o-mini", input=QUESTION,
                  model_parameters={"temperature": 0.3, "max_tokens": 64, "top_p": 0.9, "stop": ["END"]}) as g:
            g.update(output={"role": "assistant", "content": "", "tool_calls": [
                {"id": "call_abc123", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"深圳"}'}}]},
                completion_start_time=datetime.now(timezone.utc),
                usage_details={"input": 25, "output": 9, "input_cached_tokens": 32, "output_reasoning_tokens": 8, "total": 74},
                cost_details={"input": 0.01, "output": 0.02, "total": 0.03}, version="7")
        with span("get_weather", "tool", input={"city": "深圳"}) as t:
            t.update(output="深圳: 26C sunny", level="WARNING", status_message="slow")
        with span("vectors", "embedding", model="text-embedding-3-small", input="深圳") as e:
            e.update(usage_details={"input": 8})
        with span("answer", "generation", model="claude-sonnet-4", input="深圳天气如何?", metadata={"note": "N/A"}) as g:
            g.update(output="It is 26°C and sunny. 晴天。", usage_details={"input": 57, "output": 17, "cache_read_input_tokens": 32})
        with span("broken", "generation", model="gpt-4o-mini", input=QUESTION) as g:
            g.update(level="ERROR", status_message="quota used up")
        turn.update(output="It is 26°C and sunny. 晴天。")
    if scope is not None:
        scope.__exit__(None, None, None)


def more():
    """Other shapes: OpenAI's Responses API, structured output, LangChain's stream and retriever, the rarer types, a prompt."""
    from langchain_core.documents import Document
    from langchain_core.messages import HumanMessage, SystemMessage
    from langchain_core.retrievers import BaseRetriever
    from langchain_openai import ChatOpenAI
    from langfuse.langchain import CallbackHandler
    from langfuse.openai import OpenAI

    class Weather(BaseRetriever):
        def _get_relevant_documents(self, query, *, run_manager):
            return [Document(page_content="深圳: 26C", metadata={"source": "a"})]

    client = OpenAI(max_retries=0)
    client.responses.create(model="gpt-4o-mini", input="深圳天气如何?", instructions="be brief", temperature=0.3)
    schema = {"type": "json_schema", "json_schema": {"name": "weather", "schema": TOOLS[0]["function"]["parameters"]}}
    picture = {"role": "user", "content": [{"type": "text", "text": "深圳?"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}
    client.chat.completions.create(model="gpt-4o-mini", messages=[picture], response_format=schema, reasoning_effort="low", max_completion_tokens=64, n=1, user="user-456")
    config = {"callbacks": [CallbackHandler()], "metadata": {"thread_id": "thread-1"}}
    llm = ChatOpenAI(model="gpt-4o-mini", temperature=0.3, max_tokens=64, stream_usage=True, stop_sequences=["END"])
    list(llm.stream([SystemMessage("be brief"), HumanMessage("深圳天气如何?")], config=config))
    Weather().invoke("深圳", config=config)
    try:
        ChatOpenAI(model="boom", max_retries=0).invoke("深圳天气如何?", config=config)
    except Exception as error:
        print(type(error).__name__)
    for kind in ("guardrail", "evaluator", "chain"):
        with span(f"a {kind}", kind, input="深圳") as s:
            s.update(output={"ok": True})
    langfuse.create_event(name="an event", input="深圳")
    with span("silence", "generation", model="gpt-4o-mini", input="") as s:
        s.update(output="", usage_details={"input": 20, "output": 17, "total": 74, "input_cache_read": 32,
                                           "input_cache_creation": 0, "input_ephemeral_5m_input_tokens": 5})
    if hasattr(langfuse, "start_as_current_observation"):
        observe(name="find", as_type="retriever")(lambda query: ["深圳: 26C"])("深圳")


def marks():
    """The mark in each nested form, on the trace and on the observation."""
    mark = {"gen_ai": {"is_entry": True}, "team": "a"}
    with span("turn") as turn:
        if hasattr(turn, "update_trace"):
            turn.update_trace(metadata=mark)
            with span("answer", "generation", model="gpt-4o-mini", metadata=mark) as g:
                g.update(output="ok")
        else:
            from langfuse import propagate_attributes

            with propagate_attributes(metadata=mark), span("answer", "generation", model="gpt-4o-mini", metadata=mark) as g:
                g.update(output="ok")


PROGRAMS = {"more": more, "marks": marks, "inherited": inherited, "nested": nested, "wrapper": wrapper, "sdk": sdk}
PROGRAMS[sys.argv[1]]()
langfuse.flush()
