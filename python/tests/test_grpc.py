"""gRPC through grpcio, with raw bytes, at a server that demands the token in the resource, as Tencent Cloud does."""

from __future__ import annotations

import grpc


def test_spans_arrive_with_the_token(app, grpc_backend):
    grpc_backend.act = lambda n, request: (
        None
        if all(any(kv.key == "token" and kv.value.string_value == "secret-token" for kv in rs.resource.attributes) for rs in request.body.resource_spans)
        else (grpc.StatusCode.UNAUTHENTICATED.value[0], {}, b"no token")
    )
    tracer, processor = app(
        endpoint=grpc_backend.url, protocol="grpc", profile="tencent", token="secret-token", service_name="shop", headers={"X-Tenant": "a"}
    )
    with tracer.start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}):
        pass
    assert processor.force_flush(5000)
    assert grpc_backend.entries() == ["chat"]
    assert grpc_backend.requests[0].headers["x-tenant"] == "a"
    assert grpc_backend.requests[0].headers["user-agent"].startswith("genspan-python/")


def test_a_refusal_is_reported_without_secrets(app, grpc_backend):
    grpc_backend.act = lambda n, request: (grpc.StatusCode.INVALID_ARGUMENT.value[0], {}, b"key secret-key is no good")
    tracer, processor = app(endpoint=grpc_backend.url, protocol="grpc", headers={"x-key": "secret-key"})
    with tracer.start_as_current_span("one"):
        pass
    assert processor.force_flush(5000) is False
    destination = processor.stats()["destinations"][0]
    assert destination["dropped_refused"] == 1
    assert destination["last_error"]["message"] == "destination otlp-0: gRPC status 3: key … is no good"


def test_unavailable_is_tried_again(app, grpc_backend):
    grpc_backend.act = lambda n, request: (grpc.StatusCode.UNAVAILABLE.value[0], {}, b"later") if n == 0 else None
    tracer, processor = app(endpoint=grpc_backend.url, protocol="grpc", retry={"initial_millis": 1})
    with tracer.start_as_current_span("one"):
        pass
    assert processor.force_flush(5000)
    assert grpc_backend.names() == ["one"]
    assert processor.stats()["destinations"][0]["retried"] == 1


def test_grpc_and_http_at_once(app, grpc_backend, backend):
    tracer, processor = app(destinations=[{"endpoint": grpc_backend.url, "protocol": "grpc", "compression": "gzip"}, {"endpoint": backend.url}])
    with tracer.start_as_current_span("one", attributes={"text": "x" * 5000}):
        pass
    assert processor.force_flush(5000)
    assert grpc_backend.names() == backend.names() == ["one"]
