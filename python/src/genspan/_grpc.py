"""OTLP/gRPC by grpcio, the extra `genspan[grpc]`. Sends and receives plain bytes, without generated code."""

from __future__ import annotations

import ssl
import threading
from typing import Any
from urllib.parse import urlsplit

import grpc

from ._types import Answer, Route
from ._version import __version__

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
MAX_RESPONSE = 4 << 20


class Grpc:
    """Sends to one endpoint over one channel, which is opened by the first request."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._lock = threading.Lock()
        self._channel: Any = None
        self._export: Any = None

    def __call__(self, body: bytes) -> Answer:
        with self._lock:
            if self._channel is None:
                self._channel = _channel(self._route)
                self._export = self._channel.unary_unary(EXPORT, request_serializer=None, response_deserializer=None)
            export = self._export
        metadata = tuple((name.lower(), value) for name, value in self._route.headers().items() if name.lower() != "user-agent")
        try:
            return Answer(0, body=export(body, timeout=self._route.timeout_millis / 1000, metadata=metadata))
        except grpc.RpcError as error:
            trailing: Any = error.trailing_metadata() or ()
            details = next((value for name, value in trailing if name == "grpc-status-details-bin"), b"")
            return Answer(error.code().value[0], body=bytes(details), message=error.details() or "")

    def close(self) -> None:
        with self._lock:
            if self._channel is not None:
                self._channel.close()
            self._channel = None


def _channel(route: Route) -> Any:
    url = urlsplit(route.endpoint)
    secure = url.scheme == "https"
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    target = f"{host}:{url.port or (443 if secure else 80)}"
    options = [
        ("grpc.primary_user_agent", f"genspan-python/{__version__}"),
        # The core decides about retries.
        ("grpc.enable_retries", 0),
        ("grpc.max_receive_message_length", MAX_RESPONSE),
        # A process and its forks must not share connections.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    compression = grpc.Compression.Gzip if route.gzip else None
    if not secure:
        return grpc.insecure_channel(target, options=options, compression=compression)
    tls = route.tls or {}
    credentials = grpc.ssl_channel_credentials(
        root_certificates=_bytes(tls.get("ca")) or _of_system(),
        private_key=_bytes(tls.get("key")),
        certificate_chain=_bytes(tls.get("cert")),
    )
    return grpc.secure_channel(target, credentials, options=options, compression=compression)


def _bytes(pem: str | bytes | None) -> bytes | None:
    return pem.encode() if isinstance(pem, str) else pem


def _of_system() -> bytes | None:
    """The certificates of the system; grpcio would use its own."""
    path = ssl.get_default_verify_paths().cafile
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None
