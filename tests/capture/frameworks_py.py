"""Agent frameworks, each with its own tracing or the instrumentation of it: `frameworks_py.py PROGRAM`.

Every program asks one question below an HTTP span; the model calls `get_weather`, and then tells the weather (`answers.py`).
Then a model that does not work is asked. What else a program does stands in its first sentence.
"""

import asyncio
import os

from shop import BASE, MODEL, PARAMETERS, QUESTION, SYSTEM, fails, get_weather, provider, run, trace


async def strands():
    """Also with `OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental,gen_ai_tool_definitions`."""
    from strands import Agent, tool
    from strands.models.openai import OpenAIModel

    def agent(model):
        model = OpenAIModel(model_id=model, client_args={"max_retries": 0}, params={"temperature": 0.3, "max_tokens": 64})
        return Agent(name="shop", model=model, tools=[tool(get_weather)], system_prompt=SYSTEM, callback_handler=None,
                     trace_attributes={"session.id": "sess-1", "user.id": "user-456"})

    print(await agent(MODEL).invoke_async(QUESTION))
    print(await fails(lambda: agent("boom").invoke_async(QUESTION)))


async def adk_gemini():
    await adk("gemini-2.5-flash", "gemini-boom")


async def adk_litellm():
    from google.adk.models.lite_llm import LiteLlm

    await adk(LiteLlm(f"openai/{MODEL}"), LiteLlm("openai/boom"))


async def adk(*models):
    from google.adk.agents import LlmAgent
    from google.adk.runners import InMemoryRunner
    from google.genai import types

    for model in models:
        async def ask():
            config = types.GenerateContentConfig(temperature=0.3, max_output_tokens=64)
            agent = LlmAgent(name="shop", description="answers", model=model, instruction=SYSTEM, tools=[get_weather], generate_content_config=config)
            runner = InMemoryRunner(agent, app_name="shop")
            await runner.session_service.create_session(app_name="shop", user_id="user-456", session_id="sess-1")
            question = types.Content(role="user", parts=[types.Part(text=QUESTION)])
            async for event in runner.run_async(user_id="user-456", session_id="sess-1", new_message=question):
                print(event.content and [p.model_dump(exclude_none=True) for p in event.content.parts or []], event.error_code)

        print(await fails(ask))


def mlflow_openai():
    """OpenAI's calls, with a tool, an agent and a retriever of MLflow's own; also with `MLFLOW_ENABLE_OTEL_GENAI_SEMCONV=true`."""
    import mlflow
    from openai import OpenAI

    mlflow.openai.autolog()
    client = OpenAI(max_retries=0)
    tools = [{"type": "function", "function": {"name": "get_weather", "description": get_weather.__doc__, "parameters": PARAMETERS}}]
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]

    @mlflow.trace(span_type="RETRIEVER")
    def search(query):
        from mlflow.entities import Document

        return [Document(page_content="深圳: 26C", metadata={"source": "a"})]

    @mlflow.trace(span_type="AGENT")
    def shop(question):
        mlflow.update_current_trace(metadata={"mlflow.trace.session": "sess-1", "mlflow.trace.user": "user-456"})
        search(question)
        call = client.chat.completions.create(model=MODEL, messages=messages, tools=tools, temperature=0.3, max_tokens=64).choices[0].message
        result = mlflow.trace(get_weather, span_type="TOOL")("深圳")
        turns = [*messages, call.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": "call_abc123", "content": result}]
        stream = client.chat.completions.create(model=MODEL, messages=turns, tools=tools, stream=True, stream_options={"include_usage": True})
        return "".join(c.choices[0].delta.content or "" for c in stream if c.choices)

    print(shop(QUESTION))
    client.responses.create(model=MODEL, input=QUESTION, instructions=SYSTEM)
    client.embeddings.create(model="text-embedding-3-small", input="深圳", encoding_format="float")
    try:
        client.chat.completions.create(model="boom", messages=messages)
    except Exception as error:
        print(type(error).__name__)
    from mlflow.tracing.provider import provider as tracing

    tracing.get().force_flush()


async def agent_framework():
    """Chat completions, and a workflow of one agent; `ENABLE_SENSITIVE_DATA=true`."""
    from agent_framework import Agent, WorkflowBuilder
    from agent_framework.observability import enable_instrumentation, enable_sensitive_telemetry
    from agent_framework.openai import OpenAIChatCompletionClient

    enable_instrumentation()
    enable_sensitive_telemetry()

    def agent(model):
        return Agent(client=OpenAIChatCompletionClient(model=model), name="shop", description="answers", instructions=SYSTEM, tools=[get_weather],
                     default_options={"temperature": 0.3, "max_tokens": 64})

    print(await agent(MODEL).run(QUESTION))
    async for _ in agent(MODEL).run(QUESTION, stream=True):
        pass
    print(await WorkflowBuilder(start_executor=agent(MODEL), name="weather").build().run(QUESTION))
    print(await fails(lambda: agent("boom").run(QUESTION)))


async def agent_framework_beta():
    """The API of 2025; `ENABLE_OTEL=true ENABLE_SENSITIVE_DATA=true`."""
    from agent_framework import ChatAgent
    from agent_framework.openai import OpenAIChatClient

    def agent(model):
        return ChatAgent(OpenAIChatClient(model_id=model), name="shop", description="answers", instructions=SYSTEM, tools=[get_weather],
                         temperature=0.3, max_tokens=64)

    print(await agent(MODEL).run(QUESTION))
    print(await fails(lambda: agent("boom").run(QUESTION)))


async def semantic_kernel():
    """`SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE=true`."""
    from semantic_kernel.agents import ChatCompletionAgent
    from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings
    from semantic_kernel.functions import KernelArguments, kernel_function

    class Weather:
        @kernel_function(name="get_weather", description=get_weather.__doc__)
        def get_weather(self, city: str) -> str:
            return get_weather(city)

    def agent(model):
        settings = OpenAIChatPromptExecutionSettings(temperature=0.3, max_tokens=64)
        return ChatCompletionAgent(service=OpenAIChatCompletion(ai_model_id=model), name="shop", description="answers", instructions=SYSTEM,
                                   plugins=[Weather()], arguments=KernelArguments(settings))

    print(await agent(MODEL).get_response(messages=QUESTION))
    async for _ in agent(MODEL).invoke_stream(messages=QUESTION):
        pass
    print(await fails(lambda: agent("boom").get_response(messages=QUESTION)))


async def autogen():
    from autogen_agentchat.agents import AssistantAgent
    from autogen_agentchat.teams import RoundRobinGroupChat
    from autogen_core import SingleThreadedAgentRuntime
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    def agent(model):
        info = {"family": "gpt-4o", "vision": False, "function_calling": True, "json_output": True, "structured_output": True}
        client = OpenAIChatCompletionClient(model=model, temperature=0.3, max_retries=0, model_info=info)
        return AssistantAgent("shop", client, tools=[get_weather], system_message=SYSTEM, description="answers", reflect_on_tool_use=True)

    print((await agent(MODEL).run(task=QUESTION)).messages[-1])
    runtime = SingleThreadedAgentRuntime(tracer_provider=provider)
    runtime.start()
    print((await RoundRobinGroupChat([agent(MODEL)], max_turns=1, runtime=runtime).run(task=QUESTION)).messages[-1])
    await runtime.stop()
    print(await fails(lambda: agent("boom").run(task=QUESTION)))


async def agents_openinference():
    from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

    OpenAIAgentsInstrumentor().instrument()
    await openai_agents()


async def agents_openllmetry():
    from opentelemetry.instrumentation.openai_agents import OpenAIAgentsInstrumentor

    OpenAIAgentsInstrumentor().instrument()
    await openai_agents()


async def openai_agents():
    """The Responses API, chat completions, a handoff."""
    from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, function_tool
    from openai import AsyncOpenAI

    client = AsyncOpenAI(max_retries=0)

    def agent(model, **more):
        settings = ModelSettings(temperature=0.3, max_tokens=64)
        return Agent("shop", instructions=SYSTEM, model=model, tools=[function_tool(get_weather)], model_settings=settings, **more)

    print((await Runner.run(agent(MODEL), QUESTION)).final_output)
    print((await Runner.run(agent(OpenAIChatCompletionsModel(MODEL, client)), QUESTION)).final_output)
    print(await fails(lambda: Runner.run(agent("boom"), QUESTION)))


async def crewai_openinference():
    from openinference.instrumentation.crewai import CrewAIInstrumentor
    from openinference.instrumentation.openai import OpenAIInstrumentor

    CrewAIInstrumentor().instrument()
    OpenAIInstrumentor().instrument()
    await crewai()


async def crewai_openllmetry():
    from opentelemetry.instrumentation.crewai import CrewAIInstrumentor
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    CrewAIInstrumentor().instrument()
    OpenAIInstrumentor().instrument()
    await crewai()


async def crewai():
    """A crew of one; `CREWAI_DISABLE_TELEMETRY=true`."""
    from importlib.metadata import version

    from crewai import LLM, Agent, Crew, Task
    from crewai.tools import tool

    OF_OPENAI = {"provider": "openai"} if version("crewai") >= "1" else {"custom_llm_provider": "openai"}

    def crew(model):
        agent = Agent(role="shop", goal="tell the weather", backstory=SYSTEM, tools=[tool("get_weather")(get_weather)],
                      llm=LLM(model=model, **OF_OPENAI, temperature=0.3, max_tokens=64, max_retries=0), max_retry_limit=0)
        task = Task(name="weather", description="{question}", expected_output="the weather", agent=agent)
        return Crew(name="weather-crew", agents=[agent], tasks=[task], tracing=False)

    print(await crew(MODEL).kickoff_async(inputs={"question": QUESTION}))
    print(await fails(lambda: crew("boom").kickoff_async(inputs={"question": QUESTION})))


def haystack():
    """A pipeline of prompt and model, and an agent; `HAYSTACK_CONTENT_TRACING_ENABLED=true`."""
    from haystack import Pipeline, tracing
    from haystack.components.agents import Agent
    from haystack.components.builders import ChatPromptBuilder
    from haystack.components.generators.chat import OpenAIChatGenerator
    from haystack.dataclasses import ChatMessage
    from haystack.tools import create_tool_from_function
    try:
        from haystack_integrations.tracing.opentelemetry import OpenTelemetryTracer
    except ImportError:  # up to 2
        from haystack.tracing.opentelemetry import OpenTelemetryTracer

    tracing.enable_tracing(OpenTelemetryTracer(trace.get_tracer("haystack")))
    haystack_runs(Pipeline, Agent, ChatPromptBuilder, OpenAIChatGenerator, ChatMessage, create_tool_from_function)


def haystack_openinference():
    from haystack import Pipeline
    from haystack.components.agents import Agent
    from haystack.components.builders import ChatPromptBuilder
    from haystack.components.generators.chat import OpenAIChatGenerator
    from haystack.dataclasses import ChatMessage
    from haystack.tools import create_tool_from_function
    from openinference.instrumentation.haystack import HaystackInstrumentor

    HaystackInstrumentor().instrument()
    haystack_runs(Pipeline, Agent, ChatPromptBuilder, OpenAIChatGenerator, ChatMessage, create_tool_from_function)


def haystack_runs(Pipeline, Agent, ChatPromptBuilder, OpenAIChatGenerator, ChatMessage, create_tool_from_function):
    pipeline = Pipeline()
    pipeline.add_component("prompt", ChatPromptBuilder([ChatMessage.from_system(SYSTEM), ChatMessage.from_user("{{question}}")]))
    pipeline.add_component("llm", OpenAIChatGenerator(model=MODEL, generation_kwargs={"temperature": 0.3, "max_tokens": 64}, max_retries=0))
    pipeline.connect("prompt.prompt", "llm.messages")
    print(pipeline.run({"prompt": {"question": QUESTION}})["llm"]["replies"][0].text)
    for model in (MODEL, "boom"):
        try:
            agent = Agent(chat_generator=OpenAIChatGenerator(model=model, max_retries=0), tools=[create_tool_from_function(get_weather)], system_prompt=SYSTEM)
            print(agent.run(messages=[ChatMessage.from_user(QUESTION)])["messages"][-1].text)
        except Exception as error:
            print(type(error).__name__)


def smolagents():
    from openinference.instrumentation.smolagents import SmolagentsInstrumentor

    SmolagentsInstrumentor().instrument(tracer_provider=provider)
    from smolagents import OpenAIServerModel, ToolCallingAgent, tool

    def get_weather(city: str) -> str:
        """weather of a city

        Args:
            city: the city
        """
        return f"{city}: 26C sunny"

    for model in (MODEL, "boom"):
        try:
            model = OpenAIServerModel(model, api_base=BASE + "/v1", api_key="sk-x", temperature=0.3, max_tokens=64, client_kwargs={"max_retries": 0})
            print(ToolCallingAgent(tools=[tool(get_weather)], model=model, instructions=SYSTEM, max_steps=3, verbosity_level=0).run(QUESTION))
        except Exception as error:
            print(type(error).__name__)


async def agno():
    from openinference.instrumentation.agno import AgnoInstrumentor

    AgnoInstrumentor().instrument(tracer_provider=provider)
    from agno.agent import Agent
    from agno.models.openai import OpenAIChat

    for model in (MODEL, "boom"):
        agent = Agent(name="shop", model=OpenAIChat(id=model, temperature=0.3, max_tokens=64, max_retries=0), tools=[get_weather], instructions=SYSTEM,
                      session_id="sess-1", user_id="user-456", telemetry=False)
        print(await fails(lambda: agent.arun(QUESTION)))


def dspy():
    from openinference.instrumentation.dspy import DSPyInstrumentor

    DSPyInstrumentor().instrument(tracer_provider=provider)
    import dspy

    for model in (MODEL, "boom"):
        dspy.configure(lm=dspy.LM(f"openai/{model}", temperature=0.3, max_tokens=64, cache=False, num_retries=0))
        try:
            print(dspy.ReAct("question -> answer", tools=[get_weather], max_iters=3)(question=QUESTION).answer)
        except Exception as error:
            print(type(error).__name__)


async def livekit():
    """A session without audio; LiveKit's own tracer."""
    from livekit.agents import Agent, AgentSession, function_tool
    from livekit.agents.telemetry import set_tracer_provider
    from livekit.plugins import openai

    async def tool(city: str) -> str:
        return get_weather(city)

    set_tracer_provider(provider)

    async def ask(model):
        session = AgentSession(llm=openai.LLM(model=model, temperature=0.3, max_completion_tokens=64, max_retries=0))
        await session.start(Agent(instructions=SYSTEM, tools=[function_tool(tool, name="get_weather", description=get_weather.__doc__)]))
        try:
            await asyncio.wait_for(session.run(user_input=QUESTION), 20)
        finally:
            await session.aclose()

    for model in (MODEL, "boom"):
        print(await asyncio.create_task(fails(lambda: ask(model))))


def langwatch():
    """The decorators, OpenAI's calls below them, and what the program adds to the trace."""
    import langwatch
    from openai import OpenAI

    langwatch.setup(api_key="lw-x", endpoint_url=os.environ["CANNED"], tracer_provider=provider, skip_open_telemetry_setup=True)
    openai_below(langwatch.trace(name="shop", metadata={"user_id": "user-456", "thread_id": "sess-1"}), langwatch.span(type="tool"), OpenAI(max_retries=0),
                 lambda client: langwatch.get_current_trace().autotrack_openai_calls(client))


def laminar():
    """The decorators, and OpenAI's calls below them; its body is `v1.pb`."""
    from lmnr import Laminar, observe
    from openai import OpenAI

    url, port = os.environ["CANNED"].rsplit(":", 1)
    Laminar.initialize(project_api_key="l" * 64, base_url=url, http_port=int(port), force_http=True, set_global_tracer_provider=False)
    openai_below(observe(name="shop", session_id="sess-1", user_id="user-456"), observe(span_type="TOOL"), OpenAI(max_retries=0), lambda client: None)
    Laminar.flush()


def openai_below(agent, tool, client, track):
    tools = [{"type": "function", "function": {"name": "get_weather", "description": get_weather.__doc__, "parameters": PARAMETERS}}]
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]

    @agent
    def shop(question):
        track(client)
        call = client.chat.completions.create(model=MODEL, messages=messages, tools=tools, temperature=0.3, max_tokens=64).choices[0].message
        result = tool(get_weather)("深圳")
        turns = [*messages, call.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": "call_abc123", "content": result}]
        return client.chat.completions.create(model=MODEL, messages=turns, tools=tools).choices[0].message.content

    @agent
    def broken(question):
        track(client)
        client.chat.completions.create(model="boom", messages=messages)

    print(shop(QUESTION))
    try:
        broken(QUESTION)
    except Exception as error:
        print(type(error).__name__)


async def strands_graph():
    """Two agents, one after the other, in a graph."""
    from strands import Agent, tool
    from strands.models.openai import OpenAIModel
    from strands.multiagent import GraphBuilder

    def agent(name, tools):
        return Agent(name=name, model=OpenAIModel(model_id=MODEL), tools=tools, system_prompt=SYSTEM, callback_handler=None)

    graph = GraphBuilder()
    graph.add_node(agent("shop", [tool(get_weather)]), "shop")
    graph.add_node(agent("editor", []), "editor")
    graph.add_edge("shop", "editor")
    print((await graph.build().invoke_async(QUESTION)).status)


async def adk_team():
    """Two agents, one after the other."""
    from google.adk.agents import LlmAgent, SequentialAgent
    from google.adk.runners import InMemoryRunner
    from google.genai import types

    team = [LlmAgent(name="shop", model="gemini-2.5-flash", instruction=SYSTEM, tools=[get_weather]),
            LlmAgent(name="editor", model="gemini-2.5-flash", instruction=SYSTEM)]
    runner = InMemoryRunner(SequentialAgent(name="team", sub_agents=team), app_name="shop")
    await runner.session_service.create_session(app_name="shop", user_id="user-456", session_id="sess-1")
    async for event in runner.run_async(user_id="user-456", session_id="sess-1", new_message=types.Content(role="user", parts=[types.Part(text=QUESTION)])):
        print(event.author)


async def handoff_openinference():
    from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

    OpenAIAgentsInstrumentor().instrument()
    await handoff()


async def handoff_openllmetry():
    from opentelemetry.instrumentation.openai_agents import OpenAIAgentsInstrumentor

    OpenAIAgentsInstrumentor().instrument()
    await handoff()


async def handoff():
    """A guardrail, a stream, and an agent that hands over to another."""
    from agents import Agent, GuardrailFunctionOutput, InputGuardrail, Runner, function_tool, trace

    async def polite(context, agent, asked):
        return GuardrailFunctionOutput(output_info="polite", tripwire_triggered=False)

    shop = Agent("shop", instructions=SYSTEM, model=MODEL, tools=[function_tool(get_weather)])
    desk = Agent("desk", instructions="hand over", model=MODEL, handoffs=[shop], input_guardrails=[InputGuardrail(polite)])
    with trace("support", group_id="sess-1", metadata={"team": "a"}):
        result = Runner.run_streamed(desk, QUESTION)
        async for _ in result.stream_events():
            pass
    print(result.final_output)


PROGRAMS = {f.__name__: f for f in (
    strands, adk_gemini, adk_litellm, mlflow_openai, agent_framework, agent_framework_beta, semantic_kernel, autogen, agents_openinference, agents_openllmetry,
    crewai_openinference, crewai_openllmetry, haystack, haystack_openinference, smolagents, agno, dspy, livekit, langwatch, laminar,
    strands_graph, adk_team, handoff_openinference, handoff_openllmetry)}

run(PROGRAMS)
