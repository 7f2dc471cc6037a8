"""The exporter, and the entry point of the SDK that makes it from the environment."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

from genspan import GenSpanExporter
from genspan._entry import EnvironmentExporter

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}


def run(make, endpoint, **options):
    provider = TracerProvider(shutdown_on_exit=False)
    made = GenSpanExporter(endpoint=endpoint, **options)
    provider.add_span_processor(make(made))
    return provider, made


def test_the_outermost_span_of_a_batch_is_the_entry(backend):
    provider, made = run(BatchSpanProcessor, backend.url)
    tracer = provider.get_tracer("shop")
    with tracer.start_as_current_span("GET /ask"):
        with tracer.start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"}):
            for i in range(100):
                with tracer.start_as_current_span(f"chat {i}", attributes=CHAT):
                    pass
    provider.force_flush()
    assert made.force_flush(5000)
    assert len(backend.names()) == 102
    assert backend.entries() == ["agent"]
    provider.shutdown()


def test_a_parent_that_comes_in_a_later_batch(backend):
    provider, made = run(SimpleSpanProcessor, backend.url)
    tracer = provider.get_tracer("shop")
    with tracer.start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"}):
        with tracer.start_as_current_span("chat", attributes=CHAT):
            pass
    assert made.force_flush(5000)
    assert backend.entries() == ["agent"]
    provider.shutdown()


def test_shutdown_delivers(backend):
    provider, made = run(BatchSpanProcessor, backend.url)
    with provider.get_tracer("shop").start_as_current_span("one"):
        pass
    provider.shutdown()
    assert backend.names() == ["one"]


def test_a_bad_configuration_by_entry_point_is_logged_and_does_nothing(caplog, monkeypatch):
    # README promise: "Nothing of ours breaks the host"
    provider = TracerProvider(shutdown_on_exit=False)
    made = EnvironmentExporter(profile="tencent")
    provider.add_span_processor(BatchSpanProcessor(made))
    with provider.get_tracer("shop").start_as_current_span("one"):
        pass
    assert provider.force_flush()
    provider.shutdown()
    assert "genspan: token: is missing; profile tencent needs the token of your Tencent Cloud business system; nothing is exported" in caplog.text
    caplog.clear()
    monkeypatch.setenv("GENSPAN_CONFIG", "/nowhere/genspan.json")
    EnvironmentExporter()
    assert "genspan: GENSPAN_CONFIG: /nowhere/genspan.json cannot be read (No such file or directory); use the path of a JSON file" in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


APP = """
from opentelemetry.sdk._configuration import _OTelSDKConfigurator
_OTelSDKConfigurator().configure(auto_instrumentation_version="0")
from opentelemetry import trace
with trace.get_tracer("shop").start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}):
    pass
print("done")
"""


def test_the_sdk_finds_the_entry_point(backend, tmp_path):
    """With the metadata of an installed distribution, as pip writes it."""
    info = tmp_path / "genspan-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: genspan\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[opentelemetry_traces_exporter]\ngenspan = genspan._entry:EnvironmentExporter\n")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "OTEL_TRACES_EXPORTER": "genspan",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_ENDPOINT": backend.url.removesuffix("/v1/traces"),
        "OTEL_SERVICE_NAME": "shop",
    }
    ran = subprocess.run([sys.executable, "-c", APP], env=environment, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (0, "done\n"), ran.stderr
    assert backend.entries() == ["chat"]
    assert backend.resources()[0]["service.name"] == "shop"
    # A bad configuration: the program runs all the same.
    config = tmp_path / "genspan.json"
    config.write_text('{"profile": "tencent"}')
    ran = subprocess.run(
        [sys.executable, "-c", APP], env={**environment, "GENSPAN_CONFIG": str(config)}, capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode, ran.stdout) == (0, "done\n"), ran.stderr
    assert "genspan: token: is missing" in ran.stderr
