"""Backends on real sockets, whose bodies are read by the OpenTelemetry project's own generated code."""

from __future__ import annotations

import gzip
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.sdk.trace import TracerProvider

import genspan

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclass
class Request:
    headers: dict[str, str]
    raw: bytes
    body: pb.ExportTraceServiceRequest


def plain(value: Any) -> Any:
    """An AnyValue as Python has it."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(one) for one in value.array_value.values]
    if kind == "kvlist_value":
        return {one.key: plain(one.value) for one in value.kvlist_value.values}
    return getattr(value, kind) if kind else None


@dataclass
class Backend:
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    refused: list[Request] = field(default_factory=list)
    # Says what becomes of the n-th request: a status, headers and a body; None takes it.
    act: Callable[[int, Request], tuple[int, dict[str, str], bytes] | None] = lambda n, request: None
    count: int = 0

    def spans(self) -> list[Any]:
        return [s for r in self.requests for rs in r.body.resource_spans for ss in rs.scope_spans for s in ss.spans]

    def names(self) -> list[str]:
        return [span.name for span in self.spans()]

    def attributes(self) -> dict[str, dict[str, Any]]:
        return {span.name: {kv.key: plain(kv.value) for kv in span.attributes} for span in self.spans()}

    def resources(self) -> list[dict[str, Any]]:
        return [{kv.key: plain(kv.value) for kv in rs.resource.attributes} for r in self.requests for rs in r.body.resource_spans]

    def entries(self) -> list[str]:
        return [name for name, of in self.attributes().items() if of.get("gen_ai.is_entry") is True]

    def wait(self, count: int, seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while len(self.spans()) < count and time.monotonic() < end:
            time.sleep(0.01)

    def take(self, headers: dict[str, str], raw: bytes) -> tuple[int, dict[str, str], bytes]:
        packed = gzip.decompress(raw) if headers.get("content-encoding") == "gzip" else raw
        body = pb.ExportTraceServiceRequest()
        if headers.get("content-type") == "application/json":
            # A decoder of its own: the mapping of protobuf to JSON writes ids as base64, OTLP as hex.
            packed = genspan.convert(packed, keep="all", to="protobuf", entry={"enabled": False})
        body.ParseFromString(packed)
        request = Request(headers, raw, body)
        number, self.count = self.count, self.count + 1
        answer = self.act(number, request)
        (self.refused if answer and answer[0] != 200 else self.requests).append(request)
        return answer or (200, {}, b"")


def serve(backend: Backend, port: int = 0) -> http.server.ThreadingHTTPServer:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            status, headers, body = backend.take({name.lower(): value for name, value in self.headers.items()}, raw)
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    server = Server(("127.0.0.1", port), Handler)
    backend.url = f"http://127.0.0.1:{server.server_port}/v1/traces"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


@pytest.fixture
def backend() -> Iterator[Backend]:
    made = Backend()
    server = serve(made)
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def second() -> Iterator[Backend]:
    made = Backend()
    server = serve(made)
    yield made
    server.shutdown()
    server.server_close()


class _Raw(grpc.GenericRpcHandler):
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def service(self, details: Any) -> Any:
        if details.method != EXPORT:
            return None

        def answer(raw: bytes, context: Any) -> bytes:
            status, headers, body = self.backend.take({name: value for name, value in context.invocation_metadata()}, raw)
            if status != 200:
                context.set_trailing_metadata(tuple(headers.items()))
                context.abort(next(code for code in grpc.StatusCode if code.value[0] == status), body.decode())
            return body

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
def grpc_backend() -> Iterator[Backend]:
    made = Backend()
    server = grpc.server(futures.ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((_Raw(made),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    made.url = f"http://127.0.0.1:{port}"
    yield made
    server.stop(None)


@pytest.fixture
def app() -> Iterator[Callable[..., tuple[Any, genspan.GenSpanProcessor]]]:
    """Makes a tracer with a processor, which is shut down in the end."""
    providers: list[TracerProvider] = []

    def make(**options: Any) -> tuple[Any, genspan.GenSpanProcessor]:
        provider = TracerProvider(shutdown_on_exit=False)
        processor = genspan.GenSpanProcessor(**{"scheduled_delay_millis": 100, **options})
        provider.add_span_processor(processor)
        providers.append(provider)
        return provider.get_tracer("shop", "1.0"), processor

    yield make
    for provider in providers:
        provider.shutdown()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("OTEL_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
