"""The spool: what could not be delivered is sent later, by another process and by Node too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genspan._spool import HEADER, MAGIC, Spool, parse
from genspan._types import SpoolSettings

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
QUICK = {"retry": {"initial_millis": 1, "max_millis": 5}, "breaker": {"failures": 1, "open_millis": 20}, "scheduled_delay_millis": 20}


def files(path):
    return sorted(name for name in os.listdir(path) if parse(name))


def test_what_a_shutdown_leaves_is_sent_by_the_next_process(app, backend, tmp_path):
    backend.act = lambda n, request: (503, {}, b"")
    options = {"endpoint": backend.url, "spool": {"dir": str(tmp_path / "spool")}, **QUICK}
    tracer, processor = app(**options)
    for i in range(3):
        with tracer.start_as_current_span(f"span {i}"):
            pass
    processor.shutdown(200)
    stats = processor.stats()
    assert stats["destinations"][0]["spooled"] == 3
    assert stats["spool"]["files"] == len(files(tmp_path / "spool")) == 1
    assert oct(os.stat(tmp_path / "spool" / files(tmp_path / "spool")[0]).st_mode & 0o777) == "0o600"
    backend.act = lambda n, request: None
    _, again = app(**options)
    end = time.monotonic() + 10
    while files(tmp_path / "spool") and time.monotonic() < end:
        time.sleep(0.02)
    assert files(tmp_path / "spool") == []
    assert sorted(backend.names()) == ["span 0", "span 1", "span 2"]
    assert again.stats()["destinations"][0]["restored"] == 3


def test_an_outage_goes_through_the_spool(app, backend, tmp_path):
    backend.act = lambda n, request: (503, {}, b"") if n < 5 else None
    tracer, processor = app(endpoint=backend.url, spool={"dir": str(tmp_path)}, max_export_batch_size=2, **QUICK)
    for i in range(40):
        with tracer.start_as_current_span(f"span {i}"):
            pass
        time.sleep(0.005)
    backend.wait(40)
    assert sorted(set(backend.names())) == sorted(f"span {i}" for i in range(40))
    assert len(backend.names()) == 40


def test_a_batch_of_another_account_is_left_alone(app, backend, tmp_path, caplog):
    backend.act = lambda n, request: (503, {}, b"")
    tracer, processor = app(endpoint=backend.url, headers={"authorization": "Bearer a"}, spool={"dir": str(tmp_path)}, **QUICK)
    with tracer.start_as_current_span("secret of a"):
        pass
    processor.shutdown(100)
    backend.act = lambda n, request: None
    _, other = app(endpoint=backend.url, headers={"authorization": "Bearer b"}, spool={"dir": str(tmp_path)}, **QUICK)
    time.sleep(0.3)
    assert backend.names() == []
    assert len(files(tmp_path)) == 1
    assert "which are left untouched (1)" in caplog.text


def test_a_damaged_file_is_set_aside(tmp_path):
    warnings = []
    spool = Spool(SpoolSettings(str(tmp_path), 1 << 20), ["account"], lambda what, why: warnings.append(what))
    assert spool.put(0, 2, b"body")
    (name,) = files(tmp_path)
    (tmp_path / name).write_bytes(MAGIC + bytes(HEADER - len(MAGIC)) + b"bodx")
    assert spool.take(0) is None
    assert files(tmp_path) == [name.replace(".ready", ".bad")]
    assert spool.stats() == {"files": 1, "bytes": HEADER + 4, "dropped": 2, "quarantined": 1}
    assert warnings == [f"the spool {tmp_path} has a damaged file, which was renamed to .bad"]


def test_a_full_spool_drops_the_oldest(tmp_path):
    spool = Spool(SpoolSettings(str(tmp_path), 2 * (HEADER + 100)), ["account"], lambda *_: None)
    for byte in b"abc":
        assert spool.put(0, 1, bytes([byte]) * 100)
    assert not spool.put(0, 1, bytes(1000))
    assert spool.stats()["dropped"] == 1
    taken = [spool.take(0), spool.take(0)]
    assert [one.body[:1] for one in taken] == [b"b", b"c"]
    spool.remove(taken[0].copy)
    spool.release(taken[1].copy)
    assert spool.take(0).body[:1] == b"c"


def test_a_directory_that_cannot_be_made_stops_nothing(app, backend, caplog):
    # README promise: "Nothing of ours breaks the host"
    tracer, processor = app(endpoint=backend.url, spool={"dir": "/proc/nowhere"}, **QUICK)
    with tracer.start_as_current_span("one"):
        pass
    assert processor.force_flush(5000)
    assert backend.names() == ["one"]
    assert "genspan: the spool /proc/nowhere cannot be created: ENOENT" in caplog.text


KILLED = """
import os, sys
from opentelemetry.sdk.trace import TracerProvider
from genspan import GenSpanProcessor
endpoint, directory, round = sys.argv[1:]
processor = GenSpanProcessor(name="backend", endpoint=endpoint, spool={"dir": directory}, max_export_batch_size=8, timeout_millis=100,
    retry={"initial_millis": 5, "max_millis": 20}, breaker={"open_millis": 20})
provider = TracerProvider()
provider.add_span_processor(processor)
tracer = provider.get_tracer("shop")
i = 0
while True:
    for _ in range(20):
        tracer.start_span(f"{round}-{i}").end()
        i += 1
    if processor.force_flush(60_000):
        os.write(1, f"{i}\\n".encode())
"""


def test_kill_9(backend, app, tmp_path):
    """What a flush has answered for arrives, whenever the process is killed; a batch arrives twice at most once a kill."""
    backend.act = lambda n, request: (503, {}, b"") if n % 3 == 0 else None
    sure = {}
    for round in range(6):
        program = subprocess.Popen(
            [sys.executable, "-c", KILLED, backend.url, str(tmp_path), str(round)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
        )
        out = program.stdout
        assert out is not None
        first = out.readline()
        time.sleep(0.05 * (round + 1))
        program.send_signal(signal.SIGKILL)
        sure[round] = int((first + out.read()).split()[-1])
        program.wait()
    backend.act = lambda n, request: None
    # The owner of this name finds the files of the dead.
    _, processor = app(name="backend", endpoint=backend.url, spool={"dir": str(tmp_path)}, **QUICK)
    end = time.monotonic() + 20
    while files(tmp_path) and time.monotonic() < end:
        time.sleep(0.05)
    assert files(tmp_path) == []
    names = backend.names()
    missing = [f"{round}-{i}" for round, count in sure.items() for i in range(count) if f"{round}-{i}" not in set(names)]
    assert missing == []
    assert len(names) - len(set(names)) <= 8 * 4 * len(sure)


NODE = """
import { createRequire } from "node:module";
const require = createRequire(process.argv[2] + "/tests/node/sdk2/package.json");
const { NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");
const { GenSpanProcessor } = require("genspan");
const [, , , endpoint, dir, name] = process.argv;
const processor = new GenSpanProcessor({
  endpoint, profile: "tencent", token: "t", hostName: "h", serviceName: "s", headers: { "X-B": "2", "x-a": "1" },
  spool: { dir }, retry: { initialMillis: 1, maxMillis: 5 }, breaker: { failures: 1, openMillis: 20 },
});
if (name) {
  new NodeTracerProvider({ spanProcessors: [processor] }).getTracer("shop").startSpan(name).end();
  await processor.shutdown({ timeoutMillis: 200 });
} else {
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await processor.shutdown({ timeoutMillis: 1000 });
}
"""


def test_node_and_python_read_each_others_spool(app, backend, tmp_path):
    if not (ROOT / "pkg" / "dist" / "node.js").exists() or not (ROOT / "tests" / "node" / "sdk2" / "node_modules").exists():
        pytest.skip("the npm package is not built: run make build")
    script = tmp_path / "app.mjs"
    script.write_text(NODE)
    spool = tmp_path / "spool"
    python = {
        "endpoint": backend.url,
        "profile": "tencent",
        "token": "t",
        "host_name": "h",
        "service_name": "s",
        "headers": {"X-B": "2", "x-a": "1"},
        "spool": {"dir": str(spool)},
        **QUICK,
    }

    def node(name):
        subprocess.run(["node", str(script), str(ROOT), backend.url, str(spool), name], check=True, timeout=60)

    backend.act = lambda n, request: (503, {}, b"")
    node("of node")
    assert len(files(spool)) == 1
    backend.act = lambda n, request: None
    _, processor = app(**python)
    backend.wait(1)
    assert backend.names() == ["of node"]
    processor.shutdown()
    assert files(spool) == []
    backend.act = lambda n, request: (503, {}, b"")
    tracer, processor = app(**python)
    with tracer.start_as_current_span("of python"):
        pass
    processor.shutdown(200)
    assert len(files(spool)) == 1
    backend.act = lambda n, request: None
    node("")
    assert backend.names() == ["of node", "of python"]
    assert files(spool) == []


