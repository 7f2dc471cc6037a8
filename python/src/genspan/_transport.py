"""
One OTLP request over HTTP by urllib3. Decides nothing: retries, queues and what an answer means are the core's.
"""

from __future__ import annotations

import email.utils
import gzip
import os
import re
import ssl
import tempfile
import time
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError

from ._types import Answer, Route, Send, Tls

MAX_RESPONSE = 4 << 20
# Smaller bodies do not benefit from compression, in bytes.
MIN_GZIP = 1024


def transport(route: Route) -> Send:
    if route.protocol == "grpc":
        from ._grpc import Grpc

        return Grpc(route)
    return Http(route)


def tls_context(tls: Tls | None) -> ssl.SSLContext:
    """The certificates of the system, or those of the route in their place."""
    tls = tls or {}
    ca = tls.get("ca")
    context = ssl.create_default_context(cadata=_text(ca) if ca is not None else None)
    cert, key = tls.get("cert"), tls.get("key")
    if cert is not None and key is not None:
        # Python reads them from files only.
        file, path = tempfile.mkstemp()
        try:
            with os.fdopen(file, "w") as out:
                out.write(f"{_text(key)}\n{_text(cert)}")
            context.load_cert_chain(path)
        finally:
            os.unlink(path)
    return context


def _text(pem: str | bytes) -> str:
    return pem.decode("ascii") if isinstance(pem, bytes) else pem


def _proxy(endpoint: str) -> str | None:
    """The proxy that the environment names for a URL."""
    url = urlsplit(endpoint)
    host = url.hostname or ""
    proxies = urllib.request.getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    return None if not found or urllib.request.proxy_bypass(host) else found


class Http:
    """Sends to one endpoint, over connections that are kept."""

    def __init__(self, route: Route) -> None:
        self._route = route
        context = tls_context(route.tls) if route.endpoint.startswith("https:") else None
        options: dict[str, Any] = {"maxsize": route.concurrency_limit, "retries": False, **({"ssl_context": context} if context else {})}
        proxy = _proxy(route.endpoint)
        if proxy:
            address = proxy if "://" in proxy else f"http://{proxy}"
            url = urlsplit(address)
            credentials = None
            if url.username is not None:
                credentials = urllib3.make_headers(proxy_basic_auth=f"{url.username}:{url.password or ''}")
            self._pool: urllib3.PoolManager = urllib3.ProxyManager(address, proxy_headers=credentials, **options)
        else:
            self._pool = urllib3.PoolManager(**options)
        # When a connection was last used without fault, and how often one was opened.
        self._has_answered = False

    def __call__(self, body: bytes) -> Answer:
        deadline = time.monotonic() + self._route.timeout_millis / 1000
        headers = {
            **self._route.headers(),
            "content-type": "application/json" if self._route.protocol == "http/json" else "application/x-protobuf",
        }
        if self._route.gzip and len(body) >= MIN_GZIP:
            headers["content-encoding"] = "gzip"
            body = gzip.compress(body, 6, mtime=0)
        try:
            answer = self._post(body, headers, deadline)
        except ProtocolError as error:
            # A kept connection may have died while the process was frozen.
            if not self._has_answered or not any(isinstance(arg, ConnectionError) for arg in error.args):
                raise
            self._has_answered = False
            answer = self._post(body, headers, deadline)
        self._has_answered = True
        return answer

    def _post(self, body: bytes, headers: dict[str, str], deadline: float) -> Answer:
        left = max(0.001, deadline - time.monotonic())
        response = self._pool.request(
            "POST",
            self._route.endpoint,
            body=body,
            headers=headers,
            # A redirect would send the headers, including credentials, to another server.
            redirect=False,
            retries=False,
            preload_content=False,
            timeout=urllib3.Timeout(total=left),
        )
        return Answer(response.status, _retry_after(response.headers.get("retry-after")), _read(response, deadline))

    def close(self) -> None:
        self._pool.clear()


def _read(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """
    The body, read to its end so that the connection can be used again. After a status the server has decided: an incomplete or too large body
    must not cause a retry, and counts as empty.
    """
    body = bytearray()
    try:
        # As it comes: a server may send a byte now and then.
        while chunk := response.read1(1 << 16, decode_content=True):
            body += chunk
            if len(body) > MAX_RESPONSE or time.monotonic() > deadline:
                response.close()
                return b""
    except (HTTPError, OSError):
        response.close()
        return b""
    response.release_conn()
    return bytes(body)


def _retry_after(header: str | None) -> float:
    if header is None:
        return -1
    if re.fullmatch(r"\s*\d{1,12}\s*", header, re.ASCII):
        return int(header) * 1000
    try:
        return max(0, (email.utils.parsedate_to_datetime(header).timestamp() - time.time()) * 1000)
    except (TypeError, ValueError):
        return -1

