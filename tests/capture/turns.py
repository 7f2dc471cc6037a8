"""Answers that depend on what was asked, in OpenAI's two APIs and Anthropic's, whole and as streams: a tool is called once, then comes
text; who asks for JSON gets it. What the JavaScript programs ask, below `/js`."""

import json

TEXT = ("It is 26°C", " and sunny. 晴天。")
ARGUMENTS = '{"city":"深圳"}'
OBJECT = '{"city":"深圳","celsius":26}'
USAGE = {
    "prompt_tokens": 57, "completion_tokens": 17, "total_tokens": 74,
    "prompt_tokens_details": {"cached_tokens": 32}, "completion_tokens_details": {"reasoning_tokens": 8},
}
INPUT_OUTPUT = {
    "input_tokens": 57, "input_tokens_details": {"cached_tokens": 32},
    "output_tokens": 17, "output_tokens_details": {"reasoning_tokens": 8}, "total_tokens": 74,
}
CLAUDE_USAGE = {"input_tokens": 25, "cache_read_input_tokens": 32, "cache_creation_input_tokens": 5, "output_tokens": 17}


def answer(path, body):
    """Status, content type and body of an answer."""
    if body.get("model") == "boom":
        error = {"type": "server_error", "message": "the server had an error"}
        return 500, "application/json", dump({"type": "error", "error": error})
    if path.endswith("/embeddings"):
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        data = [{"object": "embedding", "index": i, "embedding": [0.1, 0.2, 0.3]} for i, _ in enumerate(texts)]
        return 200, "application/json", dump({"object": "list", "model": body["model"], "data": data, "usage": {"prompt_tokens": 8, "total_tokens": 8}})
    whole, stream = {"responses": (response, response_events), "messages": (message, message_events)}.get(
        path.rsplit("/", 1)[1], (completion, completion_events))
    if not body.get("stream"):
        return 200, "application/json", dump(whole(body))
    events = stream(body)
    named = (f"event: {e['type']}\n" if "type" in e else "" for e in events)
    text = "".join(f"{name}data: {json.dumps(e, ensure_ascii=False)}\n\n" for name, e in zip(named, events))
    return 200, "text/event-stream", (text + ("" if "type" in events[0] else "data: [DONE]\n\n")).encode()


def dump(value):
    return json.dumps(value, ensure_ascii=False).encode()


def call_of(body, last_is_result):
    """The tool to call: its name and its arguments."""
    names = [t.get("function", t).get("name") for t in body.get("tools") or []]
    if "json" in names:
        return "json", OBJECT
    if not names or last_is_result:
        return None
    return names[0], ARGUMENTS


def completion(body):
    call = call_of(body, body["messages"][-1]["role"] == "tool")
    said = {"role": "assistant", "content": OBJECT if "response_format" in body else "".join(TEXT)}
    if call:
        function = {"name": call[0], "arguments": call[1]}
        said = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_abc123", "type": "function", "function": function}]}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": "gpt-4o-mini-2024-07-18", "system_fingerprint": "fp_1",
            "service_tier": "default", "usage": USAGE, "choices": [{"index": 0, "finish_reason": "tool_calls" if call else "stop", "message": said}]}


def completion_events(body):
    whole = completion(body)
    choice, about = whole["choices"][0], {**whole, "object": "chat.completion.chunk", "usage": None}
    if calls := choice["message"].get("tool_calls"):
        deltas = [{"role": "assistant", "content": None}, {"tool_calls": [{"index": 0, **calls[0]}]}]
    else:
        text = choice["message"]["content"]
        deltas = [{"role": "assistant", "content": ""}, {"content": text[:10]}, {"content": text[10:]}]
    choices = [{"index": 0, "delta": d, "finish_reason": None} for d in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]})
    return [{**about, "choices": [c]} for c in choices] + [{**about, "choices": [], "usage": USAGE}]


def response(body):
    items = body["input"] if isinstance(body["input"], list) else []
    call = call_of(body, bool(items) and items[-1].get("type") == "function_call_output")
    text = OBJECT if (body.get("text") or {}).get("format") else "".join(TEXT)
    output = [{"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "ask the tool"}]}] if call else []
    if call:
        output.append({"type": "function_call", "id": "fc_1", "call_id": "call_abc123", "name": call[0], "arguments": call[1], "status": "completed"})
    else:
        content = [{"type": "output_text", "text": text, "annotations": []}]
        output.append({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content})
    return {"id": "resp_1", "object": "response", "created_at": 1700000000, "model": "gpt-4o-mini-2024-07-18", "status": "completed", "error": None,
            "incomplete_details": None, "instructions": body.get("instructions"), "temperature": body.get("temperature"), "top_p": body.get("top_p"),
            "parallel_tool_calls": True, "tool_choice": "auto", "tools": body.get("tools", []), "service_tier": "default", "output": output, "usage": INPUT_OUTPUT}


def response_events(body):
    whole = response(body)
    events = [{"type": "response.created", "response": {**whole, "status": "in_progress", "output": [], "usage": None}}]
    for i, item in enumerate(whole["output"]):
        at = {"output_index": i, "item_id": item["id"]}
        started = {"reasoning": {"summary": []}, "function_call": {"arguments": ""}, "message": {"content": []}}[item["type"]]
        events.append({"type": "response.output_item.added", **at, "item": {**item, **started}})
        if item["type"] == "reasoning":
            events += [
                {"type": "response.reasoning_summary_part.added", **at, "summary_index": 0, "part": {"type": "summary_text", "text": ""}},
                {"type": "response.reasoning_summary_text.delta", **at, "summary_index": 0, "delta": "ask the tool"},
            ]
        elif item["type"] == "function_call":
            events.append({"type": "response.function_call_arguments.delta", **at, "delta": item["arguments"]})
        else:
            part = item["content"][0]
            events.append({"type": "response.content_part.added", **at, "content_index": 0, "part": {**part, "text": ""}})
            events += [{"type": "response.output_text.delta", **at, "content_index": 0, "delta": d} for d in (part["text"][:10], part["text"][10:])]
            events.append({"type": "response.content_part.done", **at, "content_index": 0, "part": part})
        events.append({"type": "response.output_item.done", **at, "item": item})
    events.append({"type": "response.completed", "response": whole})
    return [{**event, "sequence_number": n} for n, event in enumerate(events)]


def message(body):
    last = body["messages"][-1]["content"]
    told = isinstance(last, list) and last[-1].get("type") == "tool_result"
    call = call_of(body, told)
    content = [{"type": "thinking", "thinking": "ask the tool", "signature": "c2ln"}] if body.get("thinking") and not told else []
    if call:
        content += [{"type": "text", "text": "I ask."}, {"type": "tool_use", "id": "toolu_1", "name": call[0], "input": json.loads(call[1])}]
    else:
        content.append({"type": "text", "text": OBJECT if "output_format" in body or "output_config" in body else "".join(TEXT)})
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-20250514", "content": content,
            "stop_reason": "tool_use" if call else "end_turn", "stop_sequence": None, "usage": CLAUDE_USAGE}


def message_events(body):
    whole = message(body)
    events = [{"type": "message_start", "message": {**whole, "content": [], "stop_reason": None, "usage": {**CLAUDE_USAGE, "output_tokens": 1}}}]
    for i, block in enumerate(whole["content"]):
        empty, deltas = {
            "thinking": ({"thinking": "", "signature": ""}, [{"type": "thinking_delta", "thinking": "ask the tool"}, {"type": "signature_delta", "signature": "c2ln"}]),
            "text": ({"text": ""}, [{"type": "text_delta", "text": block.get("text", "")}]),
            "tool_use": ({"input": {}}, [{"type": "input_json_delta", "partial_json": json.dumps(block.get("input"), ensure_ascii=False)}]),
        }[block["type"]]
        events.append({"type": "content_block_start", "index": i, "content_block": {**block, **empty}})
        events += [{"type": "content_block_delta", "index": i, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": i})
    events.append({"type": "message_delta", "delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None}, "usage": CLAUDE_USAGE})
    return events + [{"type": "message_stop"}]
