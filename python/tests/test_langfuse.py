"""Langfuse's real SDKs, old and new, with OpenAI and LangGraph: at a backend like Tencent Cloud's that demands the token, and at a Langfuse, at once."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import grpc
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TOKEN = "secret-token"


def python(name):
    found = ROOT / "target" / f"py-{name}" / "bin" / "python"
    if not found.exists():
        pytest.skip(f"pip could not install requirements-{name}.txt")
    return str(found)


@pytest.fixture(scope="module")
def canned(tmp_path_factory):
    """A model with canned answers."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "capture" / "server.py"), str(port), str(tmp_path_factory.mktemp("canned"))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(url, timeout=5)
            break
        except urllib.error.HTTPError:
            break
        except OSError:
            assert time.monotonic() < end and server.poll() is None
            time.sleep(0.05)
    yield url
    server.kill()
    server.wait()


def demands_token(n, request):
    for rs in request.body.resource_spans:
        if not any(kv.key == "token" and kv.value.string_value == TOKEN for kv in rs.resource.attributes):
            return (grpc.StatusCode.UNAUTHENTICATED.value[0], {}, b"token is invalid")
    return None


def run(sdk, road, program, canned, tencent, own, langfuse):
    """Two backends of genspan's; `langfuse` is where Langfuse's own exporter sends."""
    destinations = [
        {"endpoint": tencent.url, "protocol": "grpc", "profile": "tencent", "token": TOKEN, "service_name": "weather", "host_name": "10.0.0.8"},
        {"endpoint": own.url, "profile": "langfuse", "headers": {"authorization": "Basic cGs6c2s="}},
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE.parent / "src"),
        "CANNED": canned,
        "LANGFUSE": langfuse.url.removesuffix("/v1/traces"),
        "DESTINATIONS": json.dumps(destinations),
        "LANGFUSE_FLUSH_INTERVAL": "1",
    }
    script = [str(HERE / "langfuse_app.py"), road, program] if road else ["-c", program]
    ran = subprocess.run([python(sdk), *script], env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["flushed"], (found, ran.stderr)
    assert found["stats"]["errors"] == 0, ran.stderr
    return found


@pytest.fixture
def third():
    import conftest

    made = conftest.Backend()
    server = conftest.serve(made)
    yield made
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("program", ["openai", "langgraph"])
@pytest.mark.parametrize(
    ("sdk", "road"),
    [
        ("langfuse3", "beside"),
        ("langfuse3", "instead"),
        ("langfuse4", "beside"),
        ("langfuse4", "instead"),
        ("langfuse4", "exporter"),
        ("newest", "beside"),
        ("newest", "instead"),
        ("newest", "exporter"),
    ],
)
def test_a_langfuse_application(sdk, road, program, canned, grpc_backend, backend, third):
    grpc_backend.act = demands_token
    run(sdk, road, program, canned, grpc_backend, backend, third)
    # What genspan sends does not depend on Langfuse; Langfuse's own exporter sends only beside it.
    assert (len(third.spans()) > 0) == (road == "beside")
    spans = {span.span_id: span for span in grpc_backend.spans()}
    names = [span.name for span in spans.values()]
    assert len(names) == len(grpc_backend.spans())
    # Langfuse's filter lets no HTTP span through to its exporter.
    assert ("POST /chat" in names) == (road != "exporter")
    entries = grpc_backend.entries()
    assert len(entries) == 1, entries
    if program == "openai":
        assert entries == ["weather-agent"]
    attributes = [of for of in grpc_backend.attributes().values() if of.get("gen_ai.span.kind") == "LLM"]
    assert attributes
    for of in attributes:
        assert of["gen_ai.request.model"] == "gpt-4o-mini" or of["gen_ai.response.model"].startswith("gpt-4o-mini")
        assert (of["gen_ai.usage.input_tokens"], of["gen_ai.usage.output_tokens"]) == (57, 17)
        messages = json.loads(of["gen_ai.input.messages"])
        assert messages[0]["role"] == "user"
        assert "深圳天气如何?" in json.dumps(messages[0], ensure_ascii=False)
    if program == "langgraph":
        assert any(of.get("gen_ai.session.id", of.get("session.id")) == "sess-1" for of in grpc_backend.attributes().values())
    # The other backend has the same spans, and not the token.
    assert sorted(backend.names()) == sorted(names)
    assert not any(TOKEN.encode() in request.raw for request in backend.requests + third.requests)


INSTRUMENTED = """
import json, os
os.environ.update(OPENAI_API_KEY="sk-x", OPENAI_BASE_URL=os.environ["CANNED"] + "/v1")
from opentelemetry.sdk.trace import TracerProvider
from {module} import OpenAIInstrumentor
from genspan import GenSpanProcessor
provider = TracerProvider()
genspan = GenSpanProcessor(destinations=json.loads(os.environ["DESTINATIONS"]))
provider.add_span_processor(genspan)
OpenAIInstrumentor().instrument(tracer_provider=provider)
from openai import OpenAI
with provider.get_tracer("opentelemetry.instrumentation.fastapi").start_as_current_span("POST /chat"):
    messages = [dict(role="user", content="深圳天气如何?")]
    OpenAI(max_retries=0).chat.completions.create(model="gpt-4o-mini", messages=messages, temperature=0.3)
print(json.dumps(dict(flushed=genspan.force_flush(10_000), stats=genspan.stats())), flush=True)
os._exit(0)
"""


@pytest.mark.parametrize("module", ["openinference.instrumentation.openai", "opentelemetry.instrumentation.openai"])
def test_other_instrumentations(module, canned, grpc_backend, backend, third):
    grpc_backend.act = demands_token
    run("newest", "", INSTRUMENTED.replace("{module}", module), canned, grpc_backend, backend, third)
    (entry,) = grpc_backend.entries()
    of = grpc_backend.attributes()[entry]
    assert of["gen_ai.span.kind"] == "LLM"
    assert of["gen_ai.request.model"] == "gpt-4o-mini"
    assert (of["gen_ai.usage.input_tokens"], of["gen_ai.usage.output_tokens"]) == (57, 17)
    assert "深圳天气如何?" in json.dumps(json.loads(of["gen_ai.input.messages"]), ensure_ascii=False)
    assert sorted(backend.names()) == sorted(grpc_backend.names()) == sorted(["POST /chat", entry])
