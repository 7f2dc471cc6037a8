"""The hooks: what they return is sent, and nothing else where they fail."""

from __future__ import annotations

import base64
import json

import pytest

CHAT = {"gen_ai.operation.name": "chat"}
FAILED = "<masked: the hook failed>"


def test_mask_gets_every_text_with_its_key(app, backend):
    seen = []

    def mask(text, key):
        seen.append((key, text))
        return text.replace("4111", "…")

    tracer, processor = app(endpoint=backend.url, mask=mask)
    with tracer.start_as_current_span("chat", attributes={**CHAT, "gen_ai.system_instructions": "card 4111", "tags": ["a 4111", "b"], "n": 5}) as span:
        span.add_event("event", {"detail": "also 4111"})
    assert processor.force_flush(5000)
    assert b"4111" not in backend.requests[0].raw
    assert ("gen_ai.system_instructions", "card 4111") in seen
    assert ("detail", "also 4111") in seen
    # Names, ids and numbers are none of its business: an LLM span without its operation would be none.
    assert {key for key, _ in seen} == {"gen_ai.system_instructions", "tags", "detail"}
    # The application's own span is as it was.
    assert span.attributes["gen_ai.system_instructions"] == "card 4111"
    assert processor.stats()["masked"] == 3


async def coroutine(text, key):
    return text


@pytest.mark.parametrize("hook", [lambda text, key: 1 / 0, lambda text, key: None, coroutine])
def test_a_mask_that_fails_lets_nothing_out(app, backend, hook, caplog):
    # README promise: "Nothing of ours breaks the host"
    tracer, processor = app(endpoint=backend.url, mask=hook)
    with tracer.start_as_current_span("chat", attributes={"app.note": "secret words"}):
        pass
    assert processor.force_flush(5000)
    assert backend.attributes()["chat"]["app.note"] == FAILED
    assert b"secret words" not in backend.requests[0].raw
    assert processor.stats()["mask_failed"] == 1
    assert "genspan: the hook mask failed; its input was masked" in caplog.text


def test_media_is_handed_over_and_replaced(app, backend):
    media = []

    def on_media(found):
        media.append(found)
        return f"ref:{found.type}"

    picture = base64.b64encode(b"png" * 2000).decode()
    messages = json.dumps(
        [
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": "看"},
                    {"type": "blob", "modality": "image", "mime_type": "image/png", "content": picture},
                ],
            }
        ]
    )
    url = json.dumps([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{picture}"}}]}])
    tracer, processor = app(endpoint=backend.url, on_media=on_media)
    with tracer.start_as_current_span("chat", attributes={**CHAT, "gen_ai.input.messages": messages, "my.messages": url}):
        pass
    assert processor.force_flush(5000)
    assert picture.encode() not in backend.requests[0].raw
    assert [(one.type, one.key, one.base64 == picture) for one in media] == [
        ("image/png", "gen_ai.input.messages", True),
        ("image/jpeg", "my.messages", True),
    ]
    found = backend.attributes()["chat"]
    assert json.loads(found["gen_ai.input.messages"])[0]["parts"][1]["content"] == "ref:image/png"
    assert "ref:image/jpeg" in found["my.messages"]


def test_media_whose_hook_fails_does_not_leave(app, backend):
    picture = base64.b64encode(b"png" * 2000).decode()
    tracer, processor = app(endpoint=backend.url, on_media=lambda media: 1 / 0)
    with tracer.start_as_current_span("chat", attributes={"note": f"data:image/png;base64,{picture}"}):
        pass
    assert processor.force_flush(5000)
    assert backend.attributes()["chat"]["note"] == FAILED


def test_spans_of_a_hook_are_not_traced(app, backend):
    def mask(text, key):
        with tracer.start_as_current_span("inside"):
            assert processor.force_flush(100) is False
            processor.stats()
        return text

    tracer, processor = app(endpoint=backend.url, mask=mask)
    with tracer.start_as_current_span("chat", attributes={"note": "text"}):
        pass
    assert processor.force_flush(5000)
    assert backend.names() == ["chat"]
    assert processor.stats()["dropped_in_hook"] == 1


def test_a_filter_that_raises_loses_nothing(app, backend):
    tracer, processor = app(endpoint=backend.url, filter=lambda span: 1 / 0)
    with tracer.start_as_current_span("chat"):
        pass
    assert processor.force_flush(5000)
    assert backend.names() == ["chat"]
    assert processor.stats()["errors"] == 2


def test_a_mask_that_fails_keeps_the_operation(app, backend):
    tracer, processor = app(endpoint=backend.url, mask=lambda text, key: 1 / 0)
    with tracer.start_as_current_span("chat", attributes={**CHAT, "gen_ai.request.model": "gpt-4o", "gen_ai.system_instructions": "secret"}):
        pass
    assert processor.force_flush(5000)
    attributes = backend.attributes()["chat"]
    assert (attributes["gen_ai.operation.name"], attributes["gen_ai.request.model"]) == ("chat", "gpt-4o")
    assert b"secret" not in backend.requests[0].raw
