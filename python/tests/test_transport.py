"""TLS, proxies, and answers that are none."""

from __future__ import annotations

import http.server
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

import conftest

SUBJECT = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority of its own, a server's and a client's certificate."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    made = tmp_path_factory.mktemp("certificates")

    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=made, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=ours")
    for name in ("server", "client"):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", *SUBJECT)
        sign = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-copy_extensions", "copy"]
        openssl("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *sign)
    return made


@pytest.fixture
def secure(backend, certificates):
    """The backend behind TLS, which demands a client's certificate."""
    made = conftest.Backend()
    server = conftest.serve(made)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    made.url = made.url.replace("http:", "https:")
    yield made
    server.shutdown()
    server.server_close()


def one(tracer, name="one"):
    with tracer.start_as_current_span(name):
        pass


def test_certificates_of_the_options(app, secure, certificates):
    tls = {name: (certificates / file).read_bytes() for name, file in (("ca", "ca.pem"), ("cert", "client.pem"), ("key", "client.key"))}
    tracer, processor = app(endpoint=secure.url, tls=tls)
    one(tracer)
    assert processor.force_flush(5000)
    assert secure.names() == ["one"]


def test_certificates_of_the_environment(app, secure, certificates, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(certificates / "ca.pem"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", str(certificates / "client.pem"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CLIENT_KEY", str(certificates / "client.key"))
    tracer, processor = app(endpoint=secure.url)
    one(tracer)
    assert processor.force_flush(5000)
    assert secure.names() == ["one"]


def test_an_unknown_authority_is_refused(app, secure):
    tracer, processor = app(endpoint=secure.url, retry={"initial_millis": 1, "max_millis": 5})
    one(tracer)
    assert processor.force_flush(300) is False
    assert "certificate verify failed" in processor.stats()["destinations"][0]["last_error"]["message"]
    assert secure.requests == []
    processor.shutdown(50)


class Proxy(http.server.BaseHTTPRequestHandler):
    """Answers in the place of any host."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str | None]] = []

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.seen.append((self.path, self.headers["proxy-authorization"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def test_the_proxy_of_the_environment(app, backend, monkeypatch):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("http_proxy", f"http://user:pass@127.0.0.1:{server.server_port}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    tracer, processor = app(destinations=[{"endpoint": "http://collector.invalid/v1/traces"}, {"endpoint": backend.url}])
    one(tracer)
    assert processor.force_flush(5000)
    assert Proxy.seen == [("http://collector.invalid/v1/traces", "Basic dXNlcjpwYXNz")]
    assert backend.names() == ["one"]
    server.shutdown()


def raw(answer, slow=0.0):
    """A server that answers with these bytes, and then with nothing more."""
    server = socket.create_server(("127.0.0.1", 0))
    count = []

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            count.append(1)
            connection.settimeout(5)
            try:
                data = b""
                while b"\r\n\r\n" not in data:
                    data += connection.recv(65536)
                head, _, body = data.partition(b"\r\n\r\n")
                length = int([line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")][0].split(b":")[1])
                while len(body) < length:
                    body += connection.recv(65536)
                for piece in answer:
                    connection.sendall(piece)
                    time.sleep(slow)
            except OSError:
                pass
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}/v1/traces", count, server


def test_after_a_status_the_server_has_decided(app):
    """The body is cut short or never ends: the spans are not sent again."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n"
    for answer, slow in (([head, b"x" * 10], 0), ([head, *[b"x"] * 100], 0.05)):
        url, count, server = raw(answer, slow)
        tracer, processor = app(endpoint=url, timeout_millis=500, retry={"initial_millis": 1})
        one(tracer)
        assert processor.force_flush(5000)
        assert len(count) == 1
        assert processor.stats()["destinations"][0]["sent"] == 1
        server.close()


def test_a_server_that_hangs_is_left_after_the_time_limit(app):
    url, count, server = raw([b""], 30)
    tracer, processor = app(endpoint=url, timeout_millis=200, retry={"initial_millis": 1}, export_timeout_millis=300)
    one(tracer)
    began = time.monotonic()
    assert processor.force_flush(5000) is False
    assert time.monotonic() - began < 3
    destination = processor.stats()["destinations"][0]
    assert destination["last_error"]["message"].endswith("timed out")
    assert destination["dropped_deadline"] == 1
    server.close()


def test_a_body_of_garbage_is_no_answer_to_worry_about(app, backend):
    backend.act = lambda n, request: (200, {}, b"\xff" * 100)
    tracer, processor = app(endpoint=backend.url)
    one(tracer)
    assert processor.force_flush(5000)
    assert processor.stats()["destinations"][0]["sent"] == 1
