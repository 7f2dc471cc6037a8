"""The other end of the capture programs: an OpenAI-compatible API with canned answers, and a sink that stores OTLP bodies.

    python server.py PORT FOLDER

POST /NAME/…/v1/traces stores the body as FOLDER/NAME.pb (or .json), later ones as NAME.1.pb …
"""

import gzip
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import answers
import turns

USAGE = {
    "prompt_tokens": 57, "completion_tokens": 17, "total_tokens": 74,
    "prompt_tokens_details": {"cached_tokens": 32, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 8, "audio_tokens": 0,
                                  "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
}
CALL = {"id": "call_abc123", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"深圳"}'}}
ABOUT = {"id": "chatcmpl-1", "created": 1700000000, "model": "gpt-4o-mini-2024-07-18", "system_fingerprint": "fp_1", "service_tier": "default"}

RESPONSE = {
    "id": "resp_1", "object": "response", "created_at": 1700000000, "model": "gpt-4o-mini-2024-07-18", "status": "completed",
    "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "instructions": "be brief", "temperature": 0.3, "top_p": 1.0,
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "ask the tool"}]},
        {"type": "function_call", "id": "fc_1", "call_id": "call_abc123", "name": "get_weather", "arguments": '{"city":"深圳"}', "status": "completed"},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
         "content": [{"type": "output_text", "text": "It is 26°C and sunny. 晴天。", "annotations": []}]},
    ],
    "usage": {"input_tokens": 57, "input_tokens_details": {"cached_tokens": 32},
              "output_tokens": 17, "output_tokens_details": {"reasoning_tokens": 8}, "total_tokens": 74},
}
ANTHROPIC = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-20250514", "stop_reason": "tool_use", "stop_sequence": None,
    "content": [{"type": "text", "text": "I ask."}, {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "深圳"}}],
    "usage": {"input_tokens": 25, "cache_read_input_tokens": 32, "cache_creation_input_tokens": 0, "output_tokens": 17},
}


def answer(body):
    """The message and its finish reason: the tool's turn first, then text."""
    if body.get("tools") and body["messages"][-1]["role"] != "tool":
        return {"role": "assistant", "content": None, "tool_calls": [CALL]}, "tool_calls"
    return {"role": "assistant", "content": "It is 26°C and sunny. 晴天。"}, "stop"


def chunks(body):
    message, reason = answer(body)
    calls = [{"index": 0, **CALL}] if "tool_calls" in message else None
    deltas = [{"role": "assistant", "content": "" if calls is None else None}]
    deltas += [{"tool_calls": calls}] if calls else [{"content": c} for c in ("It is 26°C", " and sunny. 晴天。")]
    choices = [{"index": 0, "delta": d, "finish_reason": None} for d in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": reason})
    for choice in choices:
        yield {**ABOUT, "object": "chat.completion.chunk", "choices": [choice], "usage": None}
    yield {**ABOUT, "object": "chat.completion.chunk", "choices": [], "usage": USAGE}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status, value, kind="application/json"):
        data = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self):
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def do_POST(self):
        data = self.body()
        if self.headers.get("content-encoding") == "gzip":
            data = gzip.decompress(data)
        if self.path.endswith("/v1/traces"):
            return self.store(data)
        body = json.loads(data or b"{}")
        if answered := answers.turn(self.path, body):
            return self.reply(*answered)
        if self.path.startswith("/js/"):
            status, kind, data = turns.answer(self.path, body)
            return self.reply(status, data, kind)
        if body.get("model") == "boom":
            return self.reply(500, {"error": {"message": "the server had an error", "type": "server_error"}})
        if self.path.endswith("/embeddings"):
            return self.reply(200, {"object": "list", "model": "text-embedding-3-small", "usage": {"prompt_tokens": 8, "total_tokens": 8},
                                    "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2, 0.3]}]})
        if self.path.endswith("/responses"):
            return self.reply(200, RESPONSE)
        if self.path.endswith("/messages"):
            return self.reply(200, ANTHROPIC)
        if not self.path.endswith("/chat/completions"):
            return self.reply(200, {})
        if body.get("stream"):
            events = "".join(f"data: {json.dumps(c, ensure_ascii=False)}\n\n" for c in chunks(body))
            return self.reply(200, (events + "data: [DONE]\n\n").encode(), "text/event-stream")
        message, reason = answer(body)
        self.reply(200, {**ABOUT, "object": "chat.completion", "usage": USAGE,
                         "choices": [{"index": 0, "finish_reason": reason, "message": message}]})

    def do_GET(self):
        self.reply(200, {})

    def store(self, data):
        kind = "json" if "json" in self.headers.get("content-type", "") else "pb"
        name = self.path.split("/")[1]
        folder, n = Path(sys.argv[2]), 0
        while (path := folder / (f"{name}.{n}.{kind}" if n else f"{name}.{kind}")).exists():
            n += 1
        path.write_bytes(data)
        self.reply(200, b"{}" if kind == "json" else b"", self.headers["content-type"])

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
