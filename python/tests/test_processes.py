"""Forks, servers that fork, and the ends of processes, with the real programs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent / "src"), str(HERE), *sys.path])}


def run(name, backend, seconds=60):
    command = [sys.executable, str(HERE / "programs.py"), name, backend.url]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=seconds)


def test_a_fork_in_the_middle_of_everything(backend):
    ran = run("fork", backend)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["bad"] == []
    names = backend.names()
    # Nothing is sent twice: what waits in the parent is the parent's to send.
    assert len(names) == len(set(names))
    assert sorted(name for name in names if name.startswith("child")) == sorted(f"child {i}" for i in range(12))
    parents = [name for name in names if name.startswith("parent")]
    assert len(parents) == found["seen"] - found["dropped"]
    assert found["seen"] == found["made"]


def test_children_of_multiprocessing(backend):
    ran = run("children", backend)
    assert ran.returncode == 0, ran.stderr
    assert sorted(backend.names()) == ["forked", "parent", "pool 0", "pool 1", "pool 2", "pool 3", "spawned"]


@pytest.mark.parametrize(("name", "span", "code"), [("end", "last", 0), ("late", "late", 0), ("crash", "before the crash", 1)])
def test_the_end_of_a_process(backend, name, span, code):
    ran = run(name, backend)
    assert ran.returncode == code, ran.stderr
    assert "Exception ignored" not in ran.stderr
    if name != "crash":
        assert ran.stderr == ""
    # A function of atexit that was registered after the provider's own runs before it.
    assert backend.names() == [span]


def test_a_signal_to_stop(backend):
    program = subprocess.Popen([sys.executable, str(HERE / "programs.py"), "terminated", backend.url], env=ENVIRONMENT, stdout=subprocess.PIPE)
    assert program.stdout is not None and program.stdout.readline() == b"ready\n"
    program.send_signal(signal.SIGTERM)
    assert program.wait(20) == -signal.SIGTERM
    program.stdout.close()
    assert backend.names() == ["before the signal"]


def test_asyncio(backend):
    ran = run("gather", backend)
    assert ran.returncode == 0, ran.stderr
    assert len(backend.names()) == 100
    assert sorted(backend.entries()) == sorted(f"agent {i}" for i in range(20))


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def serve(command, port, backend, requests):
    """Runs a server, sends it requests one after the other, and ends it."""
    server = subprocess.Popen(
        [sys.executable, "-m", *command], env={**ENVIRONMENT, "ENDPOINT": backend.url}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        end = time.monotonic() + 30
        while True:
            try:
                # The first request may wait for the compilation of the WebAssembly module.
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30).read()
                break
            except OSError:
                assert time.monotonic() < end and server.poll() is None, server.communicate(timeout=5)
                time.sleep(0.05)
        for _ in range(requests - 1):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read()
    finally:
        server.send_signal(signal.SIGTERM)
        out = server.communicate(timeout=30)[0]
    assert "Traceback" not in out, out
    return out


@pytest.mark.parametrize("kind", [["sync"], ["sync", "--preload"], ["gthread", "--threads", "4", "--preload"], ["gevent", "--preload"], ["gevent"]])
def test_gunicorn(backend, kind):
    port = free_port()
    serve(["gunicorn", "programs:wsgi", "-b", f"127.0.0.1:{port}", "-w", "2", "-k", *kind, "--log-level", "warning"], port, backend, 30)
    names = backend.names()
    assert names.count("GET") == 30
    assert len(backend.spans()) == 60
    entries = [span for span in backend.spans() if any(kv.key == "gen_ai.is_entry" for kv in span.attributes)]
    assert len(entries) == 30


@pytest.mark.parametrize("workers", ["1", "2"])
def test_uvicorn(backend, workers):
    port = free_port()
    serve(["uvicorn", "programs:asgi", "--port", str(port), "--workers", workers, "--log-level", "warning"], port, backend, 30)
    assert backend.names().count("GET") == 30
    assert len(backend.spans()) == 60
