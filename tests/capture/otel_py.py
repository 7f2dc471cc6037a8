"""Programs with OpenTelemetry's own instrumentations and with spans made by hand: `otel_py.py PROGRAM`, see PROGRAMS.

The hand-made spans follow semantic conventions 1.27, 1.28, 1.30, 1.36, 1.37, 1.41 and genai 0.1.0, one trace for each.
"""

import json
import os
import sys

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

BASE = os.environ["CANNED"]
provider = TracerProvider(resource=Resource.create({"service.name": "shop-agent", "host.name": "10.0.0.8", "token": "tok-123"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{BASE}/{os.environ['NAME']}/v1/traces")))
trace.set_tracer_provider(provider)
http = trace.get_tracer("opentelemetry.instrumentation.fastapi")

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "weather of a city", "parameters": PARAMETERS}
CALL = {"id": "call_abc123", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"深圳"}'}}


def openai():
    from openai import OpenAI
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

    OpenAIInstrumentor().instrument()
    client = OpenAI(api_key="sk-x", base_url=BASE + "/v1", max_retries=0)
    messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "深圳天气如何?"}]
    tools = [{"type": "function", "function": FUNCTION}]
    with http.start_as_current_span("POST /chat", kind=SpanKind.SERVER):
        client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=tools, temperature=0.3, max_tokens=64, seed=7, stop=["END"])
        turns = [*messages, {"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "call_abc123", "content": "深圳: 26C sunny"}]
        client.chat.completions.create(model="gpt-4o-mini", messages=turns, tools=tools)
        for _ in client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True, stream_options={"include_usage": True}):
            pass
        client.embeddings.create(model="text-embedding-3-small", input="深圳", encoding_format="float")
        try:
            client.chat.completions.create(model="boom", messages=messages)
        except Exception as error:
            print(type(error).__name__)


def made():
    def span(version, name, attributes, events=(), kind=SpanKind.CLIENT):
        tracer = trace.get_tracer("shop.agent", version, schema_url=f"https://opentelemetry.io/schemas/{version}")
        current = tracer.start_as_current_span(name, kind=kind, attributes=attributes)
        with current as s:
            for event, fields in events:
                s.add_event(event, fields)

    model = {"gen_ai.request.model": "gpt-4o-mini", "gen_ai.response.model": "gpt-4o-mini-2024-07-18", "gen_ai.request.temperature": 0.3,
             "gen_ai.response.finish_reasons": ["tool_calls"], "gen_ai.response.id": "chatcmpl-1"}
    old = {"gen_ai.system": "openai", **model}
    asked = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "深圳天气如何?"}]
    called = [{"role": "assistant", "content": None, "tool_calls": [CALL]}]

    span("1.26.0", "chat gpt-4o-mini", {**old, "gen_ai.usage.prompt_tokens": 57, "gen_ai.usage.completion_tokens": 17,
         "gen_ai.prompt": json.dumps(asked), "gen_ai.completion": json.dumps(called)})
    span("1.27.0", "chat gpt-4o-mini", {**old, "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 17},
         [("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps(asked)}), ("gen_ai.content.completion", {"gen_ai.completion": json.dumps(called)})])
    counted = {**old, "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 17}
    turns = [("gen_ai.system.message", {"content": "be brief"}), ("gen_ai.user.message", {"content": "深圳天气如何?"}),
             ("gen_ai.assistant.message", {"tool_calls": json.dumps([CALL])}),
             ("gen_ai.tool.message", {"id": "call_abc123", "content": "深圳: 26C sunny"})]
    answer = ("gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": json.dumps({"role": "assistant", "content": "It is 26°C and sunny. 晴天。"})})
    span("1.28.0", "chat gpt-4o-mini", {**counted, "gen_ai.response.finish_reasons": ["stop"]},
         [(name, {"gen_ai.system": "openai", **fields}) for name, fields in [*turns, answer]])
    # Event bodies in one attribute, as the bridges from log events to span events write them.
    span("1.30.0", "chat gpt-4o-mini", {**counted, "gen_ai.openai.request.seed": 7, "gen_ai.openai.request.response_format": "json_object",
         "gen_ai.openai.response.service_tier": "default", "gen_ai.openai.request.service_tier": "auto"},
         [("gen_ai.user.message", {"gen_ai.event.content": json.dumps({"role": "user", "content": "深圳天气如何?"})}),
          ("gen_ai.choice", {"gen_ai.event.content": json.dumps({"index": 0, "finish_reason": "tool_calls", "message": called[0]})})])
    span("1.36.0", "execute_tool get_weather", {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather",
         "gen_ai.tool.call.id": "call_abc123", "gen_ai.tool.description": "weather of a city", "gen_ai.tool.type": "function"}, kind=SpanKind.INTERNAL)
    # The same events with lists of parts, as Strands writes them.
    use = {"toolUse": {"toolUseId": "call_abc123", "name": "get_weather", "input": {"city": "深圳"}}}
    result = {"toolResult": {"toolUseId": "call_abc123", "status": "success", "content": [{"text": "深圳: 26C sunny"}]}}
    parts = [("gen_ai.user.message", {"content": json.dumps([{"text": "深圳天气如何?"}])}), ("gen_ai.assistant.message", {"content": json.dumps([use])}),
             ("gen_ai.tool.message", {"content": json.dumps([result])}), ("gen_ai.choice", {"finish_reason": "tool_use", "message": json.dumps([{"text": "again"}, use])})]
    span("1.36.0", "chat", {"gen_ai.operation.name": "chat", "gen_ai.system": "strands-agents", "gen_ai.request.model": "gpt-4o-mini"}, parts, SpanKind.INTERNAL)
    asked = [{"role": "user", "parts": [{"type": "text", "content": "深圳天气如何?"}]}]
    called = [{"role": "assistant", "parts": [{"type": "tool_call", "id": "call_abc123", "name": "get_weather", "arguments": {"city": "深圳"}}], "finish_reason": "tool_call"}]
    new = {"gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat", **model, "gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 17,
           "gen_ai.input.messages": json.dumps(asked), "gen_ai.output.messages": json.dumps(called), "gen_ai.conversation.id": "conv-1"}
    span("1.37.0", "chat gpt-4o-mini", {**new, "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "be brief"}]),
         "openai.response.service_tier": "default", "gen_ai.output.type": "text", "gen_ai.request.choice.count": 2})
    told = [*asked, *called, {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_abc123", "result": "深圳: 26C sunny"}]}]
    with trace.get_tracer("shop.agent", "1.41.0").start_as_current_span("invoke_workflow weather", attributes={
            "gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "weather"}):
        span("1.41.0", "chat gpt-4o-mini", {**new, "gen_ai.input.messages": json.dumps(told, ensure_ascii=False), "gen_ai.usage.cache_read.input_tokens": 32,
             "gen_ai.usage.cache_creation.input_tokens": 0, "gen_ai.usage.reasoning.output_tokens": 8, "gen_ai.request.stream": True,
             "gen_ai.response.time_to_first_chunk": 0.25, "gen_ai.request.top_k": 40.0,
             "gen_ai.tool.definitions": json.dumps([{"type": "function", **FUNCTION}])})
        span("1.41.0", "execute_tool get_weather", {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather",
             "gen_ai.tool.call.arguments": '{"city": "\\u6df1\\u5733"}', "gen_ai.tool.call.result": "深圳: 26C sunny"}, kind=SpanKind.INTERNAL)
        span("1.41.0", "retrieval kb", {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "kb", "gen_ai.retrieval.query.text": "深圳",
             "gen_ai.request.top_k": 3.0, "gen_ai.retrieval.documents": json.dumps([{"id": "d1", "score": 0.8}])})
    plain = [{"role": m["role"], "parts": m["parts"]} for m in called]
    span("0.1.0", "chat gpt-4o-mini", {**new, "gen_ai.output.messages": json.dumps(plain), "gen_ai.usage.cache_read.input_tokens": 32,
         "gen_ai.usage.cache_write.input_tokens": 0, "gen_ai.usage.reasoning.output_tokens": 8, "gen_ai.usage.text.input_tokens": 57,
         "gen_ai.request.top_k": 40, "gen_ai.request.reasoning.level": "high", "gen_ai.prompt.name": "weather", "gen_ai.prompt.version": "3",
         "gen_ai.prompt.variable.city": "深圳", "gen_ai.response.status": "completed", "gen_ai.is_entry": "False"})
    span("0.1.0", "embeddings text-embedding-3-small", {"gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "openai",
         "gen_ai.request.model": "text-embedding-3-small", "gen_ai.usage.input_tokens": 8, "gen_ai.embeddings.dimension.count": 3,
         "gen_ai.request.encoding_formats": ["float"]})
    with trace.get_tracer("shop.agent", "0.1.0").start_as_current_span("invoke_agent shop", attributes={
            "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "shop", "gen_ai.agent.version": "2", "gen_ai.provider.name": "openai"}) as agent:
        agent.set_status(Status(StatusCode.ERROR, "quota used up"))


PROGRAMS = {"openai": openai, "made": made}
PROGRAMS[sys.argv[1]]()
provider.shutdown()
