"""Options and the environment: each error names the path that the user wrote, the problem and a fix, and no secret."""

from __future__ import annotations

import re

import pytest

from genspan import GenSpanExporter, GenSpanProcessor
from genspan._config import configure

TENCENT = {"profile": "tencent", "token": "t", "host_name": "h"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profle": "otel"}, "profle: is not an option; did you mean profile?"),
        ({"serviceName": "a"}, "serviceName: is not an option; did you mean service_name?"),
        ({"entry": {"holdMillis": 1}}, "entry.holdMillis: is not an option; did you mean hold_millis?"),
        ({"endpoint": "collector:4318"}, 'endpoint: "collector:4318" does not begin with http:// or https://; use one of them, for example http://localhost:4318/v1/traces'),
        ({"endpoint": "http://u:secret@c/v1"}, 'endpoint: contains a user name or password; send them as a header: headers={"authorization": …}'),
        ({"endpoint": 5}, "endpoint: is of type int; write a URL, for example http://localhost:4318/v1/traces"),
        ({"protocol": "udp"}, 'protocol: "udp" is unknown; use one of http/protobuf, http/json, grpc'),
        ({"headers": {"a b": "secret"}}, 'headers: contains an invalid header name; use letters, digits and "-"'),
        ({"headers": {"a": "secret\r\nb"}}, 'headers["a"]: is not a valid HTTP header; use visible ASCII, without line breaks'),
        ({"headers": {"a": 5}}, 'headers["a"]: is of type int; write a string'),
        ({"compression": "zstd"}, 'compression: "zstd" is not supported; use "gzip" or "none"'),
        ({"timeout_millis": -1}, "timeout_millis: -1 is out of range; use a whole number from 0 to 2147483647 (ms)"),
        ({"flush_timeout_millis": 1.5}, "flush_timeout_millis: 1.5 is out of range; use a whole number from 0 to 2147483647 (ms)"),
        ({"destinations": []}, "destinations: is not a list of destinations; write at least one, or leave it out and use endpoint, profile, …"),
        ({"destinations": [{}], "token": "t"}, "token: cannot be combined with destinations; move it into the destinations that need it"),
        ({"destinations": [{}, {"profle": "a"}]}, "destinations[1].profle: is not an option; did you mean profile?"),
        ({"spool": {}}, 'spool.dir: is not a path; use a separate directory, such as "/var/spool/shop-traces"'),
        ({"tls": {"cert": "x"}}, "tls: has only one of cert and key; set both for a client certificate"),
        ({"tls": {"ca": "no PEM"}}, "tls: cannot be read; write certificates and the key that belongs to cert, in PEM"),
        ({"mask": "email"}, "mask: is of type str; pass a function; mask rules belong in privacy.mask"),
        ({"privacy": {"media": "keep"}, "on_media": lambda media: ""}, 'privacy.media: "keep" disables on_media; use "describe"'),
        ({"profile": "tencent", "host_name": "h"}, "token: is missing; profile tencent needs the token of your Tencent Cloud business system"),
        # Those of the core, with the names that options have here.
        ({"max_export_batch_size": 0}, "max_export_batch_size: 0 is out of range; use a whole number, 1 or more"),
        ({"destinations": [{"sample_ratio": 1.5}]}, "destinations[0].sample_ratio: 1.5 is out of range; use a number from 0 (no trace) to 1 (all)"),
        (
            {**TENCENT, "service_name": "My serviceName"},
            'service_name: "My serviceName" is not a name that profile tencent takes; use at most 63 lower-case letters, digits and "-", '
            'beginning with a letter and ending with a letter or digit, such as "my-servicename"',
        ),
        ({"resource": {"a": float("nan")}}, "resource.a: nan is out of range; use a finite number"),
        ({"resource": {"a": object()}}, "resource.a: is of type object; use text, numbers, booleans, lists and dictionaries"),
    ],
)
def test_a_bad_option_is_named_with_a_fix(options, message):
    for make in (GenSpanProcessor, GenSpanExporter):
        with pytest.raises(ValueError) as raised:
            make(**options)
        assert str(raised.value) == f"genspan: {message}"
        assert "secret" not in str(raised.value)


def test_rules_of_privacy_take_patterns_of_re(app, backend):
    tracer, processor = app(endpoint=backend.url, privacy={"mask": [{"pattern": re.compile("secret", re.I), "replacement": "…"}]})
    with tracer.start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat", "gen_ai.system_instructions": "SECRET plan"}):
        pass
    assert processor.force_flush(5000)
    assert b"SECRET" not in backend.requests[0].raw


def test_options_that_are_none_are_not_set():
    processor = GenSpanProcessor(endpoint=None, token=None, headers=None, destinations=None)
    processor.shutdown(0)


def environment(**variables):
    warnings: list[str] = []
    return configure({}, warnings.append, variables), warnings


def test_variables_of_opentelemetry():
    config, warnings = environment(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://collector:4318/",
        OTEL_EXPORTER_OTLP_HEADERS="a=1,b=%20x",
        OTEL_EXPORTER_OTLP_TRACES_HEADERS="a=2",
        OTEL_EXPORTER_OTLP_TIMEOUT="1234",
        OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
        OTEL_SERVICE_NAME="shop",
        OTEL_BSP_SCHEDULE_DELAY="100",
        OTEL_BSP_MAX_QUEUE_SIZE="77",
    )
    route = config.routes[0]
    assert warnings == []
    assert route.endpoint == "http://collector:4318/v1/traces"
    assert {name: value for name, value in route.headers().items() if name != "user-agent"} == {"a": "2", "b": " x"}
    assert (route.timeout_millis, route.gzip, route.max_queue_size) == (1234, True, 77)
    assert config.core["serviceName"] == "shop"
    assert (config.core["scheduledDelayMillis"], config.core["maxQueueSize"]) == (100, 77)


def test_bad_variables_are_ignored(tmp_path):
    # README promise: "Nothing of ours breaks the host"
    config, warnings = environment(
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="collector",
        OTEL_EXPORTER_OTLP_HEADERS="secret,b=2,%zz=1",
        OTEL_EXPORTER_OTLP_TIMEOUT="soon",
        OTEL_EXPORTER_OTLP_PROTOCOL="udp",
        OTEL_SDK_DISABLED="yes",
        OTEL_EXPORTER_OTLP_CERTIFICATE="/nowhere.pem",
    )
    (tmp_path / "bad.pem").write_text("no PEM")
    of_file, about_file = environment(OTEL_EXPORTER_OTLP_CERTIFICATE=str(tmp_path / "bad.pem"))
    assert of_file.routes[0].tls is None
    assert about_file == ["OTEL_EXPORTER_OTLP_CERTIFICATE, …CLIENT_CERTIFICATE or …CLIENT_KEY: is the path of a file that is not PEM; it is ignored"]
    assert config.routes[0].endpoint == "http://localhost:4318/v1/traces"
    assert config.routes[0].headers()["b"] == "2"
    assert not config.disabled
    assert sorted(warning.partition(":")[0] for warning in warnings) == [
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_SDK_DISABLED",
    ]
    assert all(warning.endswith("; it is ignored") for warning in warnings)
    assert not any("secret" in warning for warning in warnings)


def test_a_service_name_of_the_environment_that_the_backend_refuses(monkeypatch, caplog):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "My Shop")
    processor = GenSpanProcessor(endpoint="http://127.0.0.1:9/v1/traces", **TENCENT)
    assert "OTEL_SERVICE_NAME is ignored" in caplog.text
    processor.shutdown(0)


def test_headers_of_the_environment_go_only_to_the_endpoint_of_the_environment():
    variables = {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=secret"}
    config = configure({"destinations": [{}, {"endpoint": "http://other:4318/v1/traces"}]}, print, variables)
    assert config.routes[0].headers()["authorization"] == "secret"
    assert "authorization" not in config.routes[1].headers()


def test_without_a_library_the_application_runs(monkeypatch, caplog):
    # README promise: "Nothing of ours breaks the host"
    from opentelemetry.sdk.trace import TracerProvider

    from genspan import _engine

    def missing():
        raise _engine.Unavailable("genspan: the native library cannot be loaded")

    monkeypatch.setattr("genspan._core.engine", missing)
    processor = GenSpanProcessor()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    with provider.get_tracer("shop").start_as_current_span("one"):
        pass
    assert provider.force_flush()
    provider.shutdown()
    assert "genspan: the native library cannot be loaded; nothing is traced" in caplog.text
