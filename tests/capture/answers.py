"""Canned answers for frameworks that take turns with a model: below `/turns`, the answer depends on what was said before.

First the tool `get_weather` is called, and once its result is among the messages the weather is told.
"""

import json
import re

TOLD = "26C sunny"
TEXT = "It is 26°C and sunny. 晴天。"
CALL_ID, ARGUMENTS = "call_abc123", {"city": "深圳"}
MODEL = "gpt-4o-mini-2024-07-18"
ABOUT = {"id": "chatcmpl-1", "created": 1700000000, "model": MODEL, "system_fingerprint": "fp_1", "service_tier": "default"}
CHAT_USAGE = {"prompt_tokens": 57, "completion_tokens": 17, "total_tokens": 74,
              "prompt_tokens_details": {"cached_tokens": 32, "audio_tokens": 0},
              "completion_tokens_details": {"reasoning_tokens": 8, "audio_tokens": 0}}
RESPONSES_USAGE = {"input_tokens": 57, "input_tokens_details": {"cached_tokens": 32},
                   "output_tokens": 17, "output_tokens_details": {"reasoning_tokens": 8}, "total_tokens": 74}
GEMINI_USAGE = {"promptTokenCount": 57, "cachedContentTokenCount": 32, "candidatesTokenCount": 9, "thoughtsTokenCount": 8, "totalTokenCount": 74}


def turn(path, body):
    """Status, body, content type; None: not for us. Anthropic's API is in `turns.py`."""
    if "/turns/" not in path or path.endswith("/messages"):
        return None
    said = json.dumps(body, ensure_ascii=False)
    if "boom" in (body.get("model") or "") or "boom:" in path:
        return 500, {"error": {"code": 500, "message": "the server had an error", "type": "server_error", "status": "INTERNAL"}}, "application/json"
    if path.split("?")[0].endswith("/embeddings"):
        return 200, {"object": "list", "model": "text-embedding-3-small", "usage": {"prompt_tokens": 8, "total_tokens": 8},
                     "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2, 0.3]}]}, "application/json"
    if "generatecontent" in path.lower():
        return gemini(path, body, said)
    if path.endswith("/responses"):
        return responses(body, said)
    return chat(body, said)


def sse(events, done=b""):
    return 200, "".join(events).encode() + done, "text/event-stream"


def data(value, event=None):
    return (f"event: {event}\n" if event else "") + f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def decide(tools, said):
    """The tool to call and its arguments, or None and the text to say."""
    if "[[ ## next_tool_name ## ]]" in said:  # DSPy's ReAct
        step = ("finish", {}) if TOLD in said else ("get_weather", ARGUMENTS)
        return None, f"[[ ## next_thought ## ]]\nask the tool\n\n[[ ## next_tool_name ## ]]\n{step[0]}\n\n" \
                     f"[[ ## next_tool_args ## ]]\n{json.dumps(step[1], ensure_ascii=False)}\n\n[[ ## completed ## ]]"
    if fields := re.findall(r"Respond with the corresponding output fields, starting with the field `\[\[ ## (\w+)", said):
        return None, f"[[ ## {fields[-1]} ## ]]\nby the tool\n\n[[ ## answer ## ]]\n{TEXT}\n\n[[ ## completed ## ]]"
    handoffs = [t for t in tools if t and t.startswith("transfer_to_")]
    if handoffs and "get_weather" not in tools:
        return handoffs[0], {}
    if "get_weather" in tools and TOLD not in said:
        return "get_weather", ARGUMENTS
    if "final_result" in tools:  # Pydantic AI
        return "final_result", {**ARGUMENTS, "celsius": 26}
    if "final_answer" in tools:  # smolagents
        return "final_answer", {"answer": TEXT}
    return None, TEXT


def id_of(name):
    return "call_handoff" if name and name.startswith("transfer_to_") else CALL_ID


def chat(body, said):
    tools = [t["function"]["name"] for t in body.get("tools") or []]
    name, what = decide(tools, said)
    message, reason = {"role": "assistant", "content": what}, "stop"
    if name:
        call = {"id": id_of(name), "type": "function", "function": {"name": name, "arguments": json.dumps(what, ensure_ascii=False)}}
        message, reason = {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"
    if not body.get("stream"):
        return 200, {**ABOUT, "object": "chat.completion", "usage": CHAT_USAGE,
                     "choices": [{"index": 0, "finish_reason": reason, "message": message}]}, "application/json"
    deltas = [{"role": "assistant", "content": None if name else ""}]
    deltas += [{"tool_calls": [{"index": 0, **call}]}] if name else [{"content": c} for c in (TEXT[:11], TEXT[11:])]
    choices = [{"index": 0, "delta": d, "finish_reason": None} for d in deltas] + [{"index": 0, "delta": {}, "finish_reason": reason}]
    about = {**ABOUT, "object": "chat.completion.chunk"}
    return sse([data({**about, "choices": [c], "usage": None}) for c in choices] + [data({**about, "choices": [], "usage": CHAT_USAGE})],
               b"data: [DONE]\n\n")


def responses(body, said):
    name, what = decide([t.get("name") for t in body.get("tools") or []], said)
    thought = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "ask the tool"}]}
    call = {"type": "function_call", "id": "fc_1", "call_id": id_of(name), "name": name, "arguments": json.dumps(what, ensure_ascii=False), "status": "completed"}
    text = {"type": "output_text", "text": what, "annotations": [], "logprobs": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [text]}
    output = [thought, call] if name else [message]
    about = {"id": "resp_1", "object": "response", "created_at": 1700000000, "model": MODEL, "parallel_tool_calls": True, "tool_choice": "auto",
             "tools": body.get("tools") or [], "instructions": body.get("instructions"), "temperature": body.get("temperature", 1.0), "top_p": 1.0}
    whole = {**about, "status": "completed", "output": output, "usage": RESPONSES_USAGE}
    if not body.get("stream"):
        return 200, whole, "application/json"
    events = [("response.created", {"response": {**about, "status": "in_progress", "output": []}})]
    for i, item in enumerate(output):
        at = {"output_index": i, "item_id": item["id"]}
        events.append(("response.output_item.added", {"output_index": i, "item": {**item, **({"content": []} if item is message else {})}}))
        if item is message:
            events += [("response.content_part.added", {**at, "content_index": 0, "part": {**text, "text": ""}}),
                       ("response.output_text.delta", {**at, "content_index": 0, "delta": what, "logprobs": []}),
                       ("response.output_text.done", {**at, "content_index": 0, "text": what, "logprobs": []}),
                       ("response.content_part.done", {**at, "content_index": 0, "part": text})]
        events.append(("response.output_item.done", {"output_index": i, "item": item}))
    events.append(("response.completed", {"response": whole}))
    return sse([data({"type": kind, "sequence_number": i, **value}, kind) for i, (kind, value) in enumerate(events)])


def gemini(path, body, said):
    tools = [f["name"] for t in body.get("tools") or [] for f in t.get("functionDeclarations") or t.get("function_declarations") or []]
    name, what = decide(tools, said)
    parts = [{"text": "ask the tool", "thought": True}, {"functionCall": {"id": CALL_ID, "name": name, "args": what}}] if name else [{"text": what}]
    answer = {"responseId": "resp_1", "modelVersion": "gemini-2.5-flash-001", "usageMetadata": GEMINI_USAGE,
              "candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": parts}}]}
    return sse([data(answer)]) if "streamGenerateContent" in path else (200, answer, "application/json")
