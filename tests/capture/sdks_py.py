"""Instrumentations of SDKs and of LangChain, and platforms that trace by themselves: `sdks_py.py PROGRAM`.

As in `frameworks_py.py`, a question is asked below an HTTP span, a tool is called, and at last a model is asked that does not work.
"""

import asyncio

from shop import BASE, MODEL, PARAMETERS, QUESTION, SYSTEM, fails, get_weather, processor, provider, run

FUNCTION = {"name": "get_weather", "description": get_weather.__doc__, "parameters": PARAMETERS}
TOOLS = [{"type": "function", "function": FUNCTION}]
ASKED = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
CALL = {"id": "call_abc123", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"深圳"}'}}
TOLD = [*ASKED, {"role": "assistant", "content": None, "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "call_abc123", "content": "深圳: 26C sunny"}]
LOGFIRE = {"send_to_logfire": False, "console": False, "service_version": "1.0.0", "additional_span_processors": [processor]}


async def pydantic():
    await pydantic_runs()


async def pydantic_events():
    """Messages as events, the first form."""
    await pydantic_runs(version=1, event_mode="attributes")


async def pydantic_logs():
    """Logfire's own settings."""
    import logfire

    logfire.configure(**LOGFIRE)
    logfire.instrument_pydantic_ai()
    await pydantic_agents()


async def pydantic_responses():
    """OpenAI's Responses API, in the sixth form; a tool that fails at first."""
    from openai import AsyncOpenAI
    from pydantic_ai import Agent, ModelRetry
    from pydantic_ai.models.instrumented import InstrumentationSettings
    from pydantic_ai.models.openai import OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    asked = []

    def tool(city: str) -> str:
        asked.append(city)
        if len(asked) == 1:
            raise ModelRetry("ask again")
        return get_weather(city)

    Agent.instrument_all(InstrumentationSettings(tracer_provider=provider, version=6))
    model = OpenAIResponsesModel(MODEL, provider=OpenAIProvider(openai_client=AsyncOpenAI(max_retries=0)))
    agent = Agent(model, name="shop", instructions=SYSTEM)
    agent.tool_plain(tool, name="get_weather", retries=2)
    print((await agent.run(QUESTION)).output)


async def pydantic_runs(**settings):
    from pydantic_ai import Agent
    from pydantic_ai.models.instrumented import InstrumentationSettings

    Agent.instrument_all(InstrumentationSettings(tracer_provider=provider, **settings))
    await pydantic_agents()


async def pydantic_agents():
    """A tool and text; an answer as an object; a stream."""
    from openai import AsyncOpenAI
    from pydantic import BaseModel
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    class Weather(BaseModel):
        city: str
        celsius: int

    def agent(model, **more):
        model = OpenAIChatModel(model, provider=OpenAIProvider(openai_client=AsyncOpenAI(max_retries=0)))
        return Agent(model, name="shop", instructions=SYSTEM, model_settings={"temperature": 0.3, "max_tokens": 64}, **more)

    print((await agent(MODEL, tools=[get_weather]).run(QUESTION)).output)
    print((await agent(MODEL, output_type=Weather).run(QUESTION)).output)
    async with agent(MODEL).run_stream(QUESTION) as answer:
        print(await answer.get_output())
    print(await fails(lambda: agent("boom").run(QUESTION)))


MARK = {"gen_ai.is_entry": True}


def langchain_openinference():
    """The application marks its entry, which LangChain hands down to all runs."""
    from openinference.instrumentation.langchain import LangChainInstrumentor

    LangChainInstrumentor().instrument()
    langchain(MARK)


def langchain_openllmetry():
    langchain_openllmetry_with({"user_id": "user-456"})


def langchain_openllmetry_marked():
    langchain_openllmetry_with(MARK)


def langchain_openllmetry_with(metadata):
    from opentelemetry.instrumentation.langchain import LangchainInstrumentor

    LangchainInstrumentor().instrument()
    langchain(metadata)


def langchain_langsmith():
    """`LANGSMITH_OTEL_ENABLED=true LANGSMITH_OTEL_ONLY=true LANGSMITH_TRACING=true LANGSMITH_API_KEY=ls-x LANGSMITH_ENDPOINT=$CANNED`"""
    from langsmith import Client, traceable

    client = Client()

    @traceable(client=client, name="support", metadata={"user_id": "user-456"}, tags=["shop"])
    def support(question):
        langchain({"session_id": "sess-1"})
        return traceable(run_type="tool", client=client)(get_weather)("深圳")

    print(support(QUESTION))
    client.flush()


def langsmith_openai():
    """LangSmith's wrapper of OpenAI below an entry of the application's own; with the same environment."""
    from langsmith import Client, traceable
    from langsmith.wrappers import wrap_openai
    from openai import OpenAI

    client = Client()

    @traceable(client=client, name="support", metadata=MARK)
    def support(question):
        openai(wrap_openai(OpenAI(max_retries=0), tracing_extra={"client": client}))

    support(QUESTION)
    client.flush()


def langchain_langsmith_marked():
    """With the same environment."""
    from langchain_core.tracers.langchain import wait_for_all_tracers

    langchain(MARK)
    wait_for_all_tracers()


def langchain(metadata):
    """An agent of LangGraph, a retriever, a stream."""
    from langchain_core.documents import Document
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI

    class Shelf(BaseRetriever):
        def _get_relevant_documents(self, query, *, run_manager):
            return [Document(page_content="深圳: 26C", metadata={"source": "a"})]

    def model(name):
        return ChatOpenAI(model=name, temperature=0.3, max_tokens=64, max_retries=0, stream_usage=True)

    def agent(name):
        try:
            from langchain.agents import create_agent

            return create_agent(model(name), [tool(get_weather)], system_prompt=SYSTEM, name="shop")
        except ImportError:  # up to 0.3
            from langgraph.prebuilt import create_react_agent

            return create_react_agent(model(name), [tool(get_weather)], prompt=SYSTEM, name="shop")

    config = {"metadata": metadata, "configurable": {"thread_id": "sess-1"}}
    print(agent(MODEL).invoke({"messages": [("user", QUESTION)]}, config)["messages"][-1].content)
    print(Shelf().invoke(QUESTION, config))
    chain = ChatPromptTemplate([("system", SYSTEM), ("user", "{question}")]) | model(MODEL)
    print("".join(piece.content for piece in chain.stream({"question": QUESTION}, config)))
    try:
        agent("boom").invoke({"messages": [("user", QUESTION)]}, config)
    except Exception as error:
        print(type(error).__name__)


async def litellm(callbacks=("otel",)):
    """`USE_OTEL_LITELLM_REQUEST_SPAN=true LITELLM_LOCAL_MODEL_COST_MAP=true`, also with `OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental`;
    without the first (`-on-caller`) it writes on the caller's span."""
    import litellm

    litellm.callbacks = list(callbacks)
    common = {"model": f"openai/{MODEL}", "user": "user-456", "num_retries": 0}
    await litellm.acompletion(messages=ASKED, tools=TOOLS, temperature=0.3, max_tokens=64, metadata={"session_id": "sess-1"}, **common)
    await litellm.acompletion(messages=TOLD, tools=TOOLS, **common)
    async for _ in await litellm.acompletion(messages=ASKED, stream=True, stream_options={"include_usage": True}, **common):
        pass
    await litellm.aembedding(model="openai/text-embedding-3-small", input=["深圳"])
    print(await fails(lambda: litellm.acompletion(model="openai/boom", messages=ASKED, num_retries=0)))
    await asyncio.sleep(3)


async def litellm_openinference():
    """LiteLLM without its callback; `LITELLM_LOCAL_MODEL_COST_MAP=true`."""
    from openinference.instrumentation.litellm import LiteLLMInstrumentor

    LiteLLMInstrumentor().instrument()
    await litellm([])


def anthropic_openinference():
    from openinference.instrumentation.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()
    anthropic()


def anthropic_openllmetry():
    from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()
    anthropic()


def anthropic():
    """Both turns, and a stream that thinks first."""
    from anthropic import Anthropic

    client = Anthropic(api_key="sk-x", base_url=BASE, max_retries=0)
    common = {"model": "claude-sonnet-4-0", "max_tokens": 64, "system": SYSTEM}
    tools = [{"name": "get_weather", "description": get_weather.__doc__, "input_schema": PARAMETERS}]
    asked = [{"role": "user", "content": QUESTION}]
    called = client.messages.create(messages=asked, tools=tools, stop_sequences=["END"], **common)
    told = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "深圳: 26C sunny"}]}
    turns = [*asked, {"role": "assistant", "content": [part.model_dump(include={"type", "text", "id", "name", "input"}) for part in called.content]}, told]
    client.messages.create(messages=turns, tools=tools, **common)
    for _ in client.messages.create(messages=asked, stream=True, thinking={"type": "enabled", "budget_tokens": 1024}, **common):
        pass
    try:
        client.messages.create(messages=asked, **{**common, "model": "boom"})
    except Exception as error:
        print(type(error).__name__)


def genai_openinference():
    """Both turns, and a stream."""
    from google import genai
    from google.genai import types
    from openinference.instrumentation.google_genai import GoogleGenAIInstrumentor

    GoogleGenAIInstrumentor().instrument()
    client = genai.Client(api_key="g-x", http_options={"base_url": BASE})
    common = {"model": "gemini-2.5-flash"}
    tool = types.Tool(function_declarations=[{"name": "get_weather", "description": get_weather.__doc__, "parameters_json_schema": PARAMETERS}])
    config = types.GenerateContentConfig(system_instruction=SYSTEM, tools=[tool], temperature=0.3, max_output_tokens=64)
    asked = types.Content(role="user", parts=[types.Part(text=QUESTION)])
    called = client.models.generate_content(contents=[asked], config=config, **common).candidates[0].content
    told = types.Content(role="user", parts=[types.Part.from_function_response(name="get_weather", response={"result": "深圳: 26C sunny"})])
    client.models.generate_content(contents=[asked, called, told], config=config, **common)
    for _ in client.models.generate_content_stream(contents=QUESTION, **common):
        pass
    try:
        client.models.generate_content(model="gemini-boom", contents=QUESTION)
    except Exception as error:
        print(type(error).__name__)


def logfire_openai():
    """OpenAI's calls below a span of Logfire's own."""
    import logfire

    logfire.configure(**LOGFIRE)
    logfire.instrument_openai()
    with logfire.span("support"):
        openai()


def openlit_openai():
    import openlit

    openlit.init(application_name="shop-agent", environment="test", disable_metrics=True)
    openai()


def traceloop_openai():
    """Traceloop's decorators, and OpenAI's calls below them."""
    from openai import OpenAI
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from traceloop.sdk import Traceloop
    from traceloop.sdk.decorators import agent, task, tool, workflow
    from traceloop.sdk.instruments import Instruments

    Traceloop.init(app_name="shop-agent", exporter=InMemorySpanExporter(), instruments={Instruments.OPENAI}, telemetry_enabled=False)
    Traceloop.set_association_properties({"user_id": "user-456", "session_id": "sess-1"})
    client = OpenAI(max_retries=0)

    @task(name="translate")
    def translate(question):
        return question

    @agent(name="shop")
    def shop(question):
        client.chat.completions.create(model=MODEL, messages=ASKED, tools=TOOLS, temperature=0.3, max_tokens=64)
        tool(name="get_weather")(get_weather)("深圳")
        return client.chat.completions.create(model=MODEL, messages=TOLD, tools=TOOLS).choices[0].message.content

    @workflow(name="support")
    def support(question):
        return shop(translate(question))

    @workflow(name="broken")
    def broken(question):
        return client.chat.completions.create(model="boom", messages=ASKED)

    print(support(QUESTION))
    try:
        broken(question=QUESTION)
    except Exception as error:
        print(type(error).__name__)


def langtrace_openai():
    from langtrace_python_sdk import langtrace

    langtrace.init(api_key="lt-x", custom_remote_exporter=processor.span_exporter, batch=True, write_spans_to_console=False)
    openai()


def openai(client=None):
    """Both turns, a stream, the Responses API, an embedding."""
    from openai import OpenAI

    client = client or OpenAI(max_retries=0)
    client.chat.completions.create(model=MODEL, messages=ASKED, tools=TOOLS, temperature=0.3, max_tokens=64)
    client.chat.completions.create(model=MODEL, messages=TOLD, tools=TOOLS)
    for _ in client.chat.completions.create(model=MODEL, messages=ASKED, stream=True, stream_options={"include_usage": True}):
        pass
    client.responses.create(model=MODEL, instructions=SYSTEM, input=QUESTION, tools=[{"type": "function", **FUNCTION}])
    client.embeddings.create(model="text-embedding-3-small", input="深圳", encoding_format="float")
    try:
        client.chat.completions.create(model="boom", messages=ASKED)
    except Exception as error:
        print(type(error).__name__)


PROGRAMS = {f.__name__: f for f in (
    pydantic, pydantic_events, pydantic_logs, pydantic_responses, langchain_openinference, langchain_openllmetry,
    langchain_openllmetry_marked, langchain_langsmith, langchain_langsmith_marked, langsmith_openai, litellm, litellm_openinference,
    anthropic, anthropic_openinference, anthropic_openllmetry, genai_openinference, logfire_openai, openlit_openai, traceloop_openai,
    langtrace_openai)}

run(PROGRAMS)
