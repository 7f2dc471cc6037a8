"""The wheel in an empty environment, the command line, and what importing costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import genspan

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BODY = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": "0af7651916cd43dd8448eb211c80319c",
                            "spanId": "b7ad6b7169203331",
                            "name": "chat",
                            "startTimeUnixNano": "1",
                            "endTimeUnixNano": "2",
                            "attributes": [
                                {"key": "openinference.span.kind", "value": {"stringValue": "LLM"}},
                                {"key": "llm.model_name", "value": {"stringValue": "gpt-4o"}},
                            ],
                        }
                    ]
                }
            ]
        }
    ]
}
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GENSPAN"))}

APP = """
import sys
from opentelemetry.sdk.trace import TracerProvider
from genspan import GenSpanProcessor
provider = TracerProvider()
processor = GenSpanProcessor(endpoint=sys.argv[1])
provider.add_span_processor(processor)
with provider.get_tracer("shop").start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}):
    pass
assert processor.force_flush(5000)
assert not {"grpc", "google.protobuf", "requests", "wasmtime"} & set(sys.modules), sorted(sys.modules)
"""


def python(*args, env=None, **more):
    return subprocess.run([sys.executable, "-m", "genspan", *args], env=env or {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, **more)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    if not (ROOT / "abi" / "dist" / "genspan.wasm").exists():
        pytest.skip("abi/dist is missing: run make abi")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(HERE.parent)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (made,) = out.glob("*.whl")
    return made


def test_a_wheel_in_an_empty_environment(wheel, backend, tmp_path):
    assert "-py3-none-" in wheel.name
    venv.create(tmp_path, with_pip=True)
    inside = str(tmp_path / ("Scripts" if os.name == "nt" else "bin") / "python")
    installed = subprocess.run(
        [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)], env=CLEAN, capture_output=True, text=True, timeout=300
    )
    if installed.returncode != 0 and "No matching distribution" in installed.stderr:
        pytest.skip("pip cannot install opentelemetry-sdk and urllib3")
    assert installed.returncode == 0, installed.stderr
    ran = subprocess.run([inside, "-c", APP, backend.url], cwd=tmp_path, env=CLEAN, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert backend.entries() == ["chat"]
    listed = subprocess.run(
        [inside, "-c", "from importlib.metadata import entry_points as e; print(*e(group='opentelemetry_traces_exporter', name='genspan'))"],
        env=CLEAN,
        capture_output=True,
        text=True,
    )
    assert "genspan._entry:EnvironmentExporter" in listed.stdout


def test_convert_and_explain_on_the_command_line(tmp_path):
    file = tmp_path / "body.json"
    file.write_text(json.dumps(BODY))
    ran = python("convert", str(file), "--profile", "otel")
    assert ran.returncode == 0, ran.stderr
    attributes = json.loads(ran.stdout)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"]
    assert {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o"}} in attributes
    ran = python("explain", "-", input=file.read_bytes())
    assert b"[openinference]" in ran.stdout.lower()
    assert json.loads(python("explain", str(file), "--format", "json").stdout)[0]["name"] == "chat"


@pytest.mark.parametrize(
    ("args", "status", "message"),
    [
        (["convert", "/nowhere"], 1, "genspan: /nowhere: No such file or directory"),
        (["convert", __file__], 1, f"genspan: {__file__}: "),
        (["convert", __file__, "--profile", "none"], 2, 'genspan: profile: "none" is unknown'),
        (["convert", __file__, "--config", "/nowhere"], 2, "genspan: /nowhere: No such file or directory"),
    ],
)
def test_errors_of_the_command_line(args, status, message):
    ran = python(*args, text=True)
    assert ran.returncode == status
    assert ran.stderr.startswith(message), ran.stderr


def test_normalize_reports_what_it_leaves_out():
    body = json.loads(json.dumps(BODY))
    spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans.append({**spans[0], "spanId": ""})
    told = []
    out = genspan.normalize(json.dumps(body).encode(), on_partial_success=lambda count, why: told.append((count, why)))
    assert len(json.loads(out)["resourceSpans"][0]["scopeSpans"][0]["spans"]) == 1
    assert told[0][0] == 1
    with pytest.raises(ValueError, match="^genspan: "):
        genspan.normalize(b"\xff\xff")
    with pytest.raises(TypeError, match="^genspan: the body is of type str; pass bytes"):
        genspan.normalize("{}")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="^genspan: entry.maxHeld: is not an option; did you mean max_held?"):
        genspan.normalize(b"{}", entry={"maxHeld": 1})  # type: ignore[typeddict-unknown-key]


def test_the_version_is_that_of_the_core():
    from genspan._engine import engine

    assert engine().call("gs_version").body.decode() == genspan.__version__


FORK = """
import os, threading, genspan
body = open(os.environ["BODY"], "rb").read()
stop = threading.Event()
def load():
    while not stop.is_set():
        genspan.convert(body)
threads = [threading.Thread(target=load) for _ in range(2)]
for thread in threads: thread.start()
bad = 0
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if genspan.convert(body) else 1)
    bad += os.waitpid(pid, 0)[1] != 0
stop.set()
print(bad)
"""


def test_convert_in_forked_children_while_threads_convert(tmp_path):
    file = tmp_path / "body.json"
    file.write_text(json.dumps(BODY))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "BODY": str(file)}
    ran = subprocess.run([sys.executable, "-c", FORK], env=environment, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (0, "0\n"), ran.stderr
