"""
Converts options and environment variables to the configuration of the core and of the transport. Checks the options that the transport uses
(endpoint, headers, durations); the core checks all others.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from ._check import fail, for_core, kind_of, known, millis, positive, printable, shown
from ._environment import Environment
from ._options import FLUSH_TIMEOUT_MILLIS, MAX_BYTES, MAX_QUEUE_SIZE, NAMES, PROFILE_HEADERS, TIMEOUT_MILLIS
from ._privacy import Hooks
from ._types import Config, Protocol, Route, SpoolSettings, Tls
from ._version import __version__

T = TypeVar("T")
R = TypeVar("R")

_DELIVERY = list(NAMES["DeliveryOptions"])
_DESTINATION = [*NAMES["DestinationOptions"], *_DELIVERY]
_DEFAULT_ENDPOINT = "http://localhost:4318/v1/traces"
_DEFAULT_GRPC_ENDPOINT = "http://localhost:4317"
_PROTOCOLS: tuple[Protocol, ...] = ("http/protobuf", "http/json", "grpc")
# Maximum number of remembered secrets: tokens that change leave their predecessors behind.
_MAX_SECRETS = 64
# The options that only the host knows.
_OF_HOST = (
    "destinations",
    "spool",
    "flush_timeout_millis",
    "flush_on_exit",
    "mask",
    "on_media",
    "on_partial_success",
    "meter_provider",
)


def configure(options: Mapping[str, Any], warn: Callable[[str], None], variables: Mapping[str, str] = os.environ) -> Config:
    """
    Raises a ValueError with the path, the value, the problem and a fix; never with a token or the value of a header. An unusable environment
    variable causes a warning instead.
    """
    env = Environment(variables, warn)
    options = {name: value for name, value in options.items() if value is not None}
    known("", options, [*_DESTINATION, *NAMES["GenSpanOptions"]])
    destinations = options.get("destinations")
    if destinations is not None:
        if not isinstance(destinations, (list, tuple)) or not destinations:
            fail("destinations", "is not a list of destinations", "write at least one, or leave it out and use endpoint, profile, …")
        both = next((name for name in NAMES["DestinationOptions"] if name != "privacy" and name in options), None)
        if both:
            fail(both, "cannot be combined with destinations", "move it into the destinations that need it")
        for i, destination in enumerate(destinations):
            known(f"destinations[{i}]", destination, _DESTINATION)
    hooks = Hooks.of(options)
    _check_function("on_partial_success", options.get("on_partial_success"))
    if "meter_provider" in options:
        _check_function("meter_provider.get_meter", getattr(options["meter_provider"], "get_meter", 0))
    spool = _spool(options.get("spool"))
    delivery = {**_delivery_of_environment(env), **{name: options[name] for name in _DELIVERY if name in options}}
    of, routes, accounts = [], [], []
    listed = destinations or [options]
    for i, destination in enumerate(listed):
        at = f"destinations[{i}]." if destinations else ""
        own = {name: value for name, value in destination.items() if value is not None and name in _DESTINATION}
        filled, route, account = _fill_in(own, at, env)
        if destinations:
            filled.update({name: own[name] for name in _DELIVERY if name in own})
            if "privacy" in own:
                hooks.check_privacy(f"{at}privacy", own["privacy"])
                filled["privacy"] = own["privacy"]
        route.name = own.get("name", f"otlp-{i}")
        # The core checks them, and refuses the others.
        for name in ("max_queue_size", "concurrency_limit"):
            limit = (own if destinations else {}).get(name, delivery.get(name))
            if isinstance(limit, int):
                setattr(route, name, limit)
        of.append(_renamed(filled, at))
        routes.append(route)
        accounts.append(account)
    if spool:
        _check_accounts(listed, routes, destinations is not None)
    if "privacy" in options:
        hooks.check_privacy("privacy", options["privacy"])
    shared = {name: options[name] for name in NAMES["GenSpanOptions"] if name in options and name not in _OF_HOST}
    core = {**_renamed({**delivery, **shared}, ""), **({"destinations": of} if destinations else of[0])}
    if spool:
        core["spool"] = {"dir": spool.dir, "maxBytes": spool.max_bytes}
    flush = options.get("flush_timeout_millis")
    return Config(
        disabled=env.disabled(),
        core=core,
        routes=routes,
        flush_timeout_millis=FLUSH_TIMEOUT_MILLIS if flush is None else millis("flush_timeout_millis", flush),
        spool=spool,
        accounts=accounts if spool else [],
    )


_CAMEL = {snake: camel for names in NAMES.values() for snake, camel in names.items()}
_GROUP = {
    "retry": "RetryOptions",
    "breaker": "BreakerOptions",
    "privacy": "PrivacyOptions",
    "entry": "EntryOptions",
}


def _renamed(options: Mapping[str, Any], at: str) -> dict[str, Any]:
    """Options in the form that the core reads. `at` is the path before them."""
    return {_CAMEL[name]: for_core(f"{at}{name}", value, _GROUP.get(name)) for name, value in options.items() if value is not None}


def _delivery_of_environment(env: Environment) -> dict[str, int]:
    found = {
        "scheduled_delay_millis": env.millis("OTEL_BSP_SCHEDULE_DELAY"),
        "max_export_batch_size": env.positive("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
        "max_queue_size": env.positive("OTEL_BSP_MAX_QUEUE_SIZE"),
        "export_timeout_millis": env.millis("OTEL_BSP_EXPORT_TIMEOUT"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _fill_in(options: Mapping[str, Any], at: str, env: Environment) -> tuple[dict[str, Any], Route, str]:
    """The options of a destination for the core, its route, and its account."""
    # In a list, headers from the environment are used only with the endpoint from there: they may contain a key that other backends must not see.
    own_endpoint = at != "" and "endpoint" in options

    def given(name: str, check: Callable[[Any, str], R]) -> R | None:
        return check(options[name], f"{at}{name}") if name in options else None

    protocol = given("protocol", _check_protocol) or (None if own_endpoint else env.otlp("PROTOCOL", _check_protocol)) or "http/protobuf"
    grpc = protocol == "grpc"
    endpoint = (
        given("endpoint", _check_endpoint)
        or env.endpoint(grpc, _check_endpoint)
        or (_DEFAULT_GRPC_ENDPOINT if grpc else _DEFAULT_ENDPOINT)
    )
    fresh = options.get("headers") if callable(options.get("headers")) else None
    named = None if fresh else given("headers", _check_headers)
    headers = named if named is not None else {} if fresh or own_endpoint else env.headers(_check_header)
    query = urlsplit(endpoint).query
    resource = env.resource() if options.get("profile") == "tencent" else {}
    token = options.get("token", resource.get("token"))
    secrets = [text for text in (token, *_secrets_of(headers), query, *(value for _, value in parse_qsl(query))) if isinstance(text, str)]
    compression = given("compression", _check_compression) or env.otlp("COMPRESSION", _check_compression) or "none"
    if "block_scopes" in options and "blocked_instrumentation_scopes" in options:
        fail(f"{at}blocked_instrumentation_scopes", "is the same option as block_scopes", "use only one of them")
    profile = options.get("profile", "otel")
    tls = _tls(at, options.get("tls"), env)
    fixed = {"user-agent": f"genspan-python/{__version__}", **PROFILE_HEADERS.get(str(profile), {}), **headers}

    def headers_now() -> dict[str, str]:
        if fresh is None:
            return fixed
        try:
            now = fresh()
        except Exception:
            # The error of the function may contain a key that is not among the known secrets.
            raise RuntimeError(f"{at}headers: the function failed") from None
        now = _check_headers(now, f"{at}headers")
        secrets.extend(secret for secret in _secrets_of(now) if secret not in secrets)
        del secrets[:-_MAX_SECRETS]
        return {**fixed, **now}

    is_tencent = profile == "tencent"
    filled = {
        "name": options.get("name"),
        "endpoint": endpoint,
        "headers": headers,
        "service_name": options.get("service_name", env.get("OTEL_SERVICE_NAME") or resource.get("service.name")),
        "token": token,
        "host_name": options.get("host_name", resource.get("host.name") or (_host_name() if is_tencent else None)),
        "protocol": None if protocol == "http/protobuf" else protocol,
        "block_scopes": options.get("block_scopes", options.get("blocked_instrumentation_scopes")),
        "filter": None if callable(options.get("filter")) else options.get("filter"),
        **{name: options.get(name) for name in ("profile", "keep", "resource", "allow_scopes", "original_parent", "sample_ratio")},
    }
    limit = options.get("timeout_millis")
    route = Route(
        name="",
        endpoint=endpoint,
        protocol=protocol,
        headers=headers_now,
        gzip=compression == "gzip",
        timeout_millis=millis(f"{at}timeout_millis", limit) if limit is not None else env.timeout() or TIMEOUT_MILLIS,
        tls=tls,
        secrets=secrets,
        max_queue_size=MAX_QUEUE_SIZE,
        filter=options["filter"] if callable(options.get("filter")) else None,
    )
    credentials = sorted([name.lower(), value] for name, value in headers.items())
    cert = (tls or {}).get("cert") or ""
    cert = cert.decode("utf-8", "replace") if isinstance(cert, bytes) else cert
    # As in Node, so that either reads the spool of the other.
    account = json.dumps(
        [options.get("name"), endpoint, profile, token, credentials, cert], ensure_ascii=False, separators=(",", ":")
    )
    return filled, route, account


def _secrets_of(headers: Mapping[str, str]) -> list[str]:
    """The values of headers, and the words in them that follow a scheme such as Bearer."""
    return [text for value in headers.values() for text in (value, *value.split(" ")[1:])]


def _check_accounts(listed: Sequence[Mapping[str, Any]], routes: list[Route], is_list: bool) -> None:
    """The spool distinguishes destinations by their accounts, in this process and in the next, so these must be unique."""
    fix = 'with a spool, name each account, for example name="team-a"'
    names = [destination.get("name") for destination in listed]
    keys = [(name, route.endpoint) for name, route in zip(names, routes)]
    for i, name in enumerate(names):
        path = f"destinations[{i}].name" if is_list else "name"
        if name is None and callable(listed[i].get("headers")):
            fail(path, "is missing, and headers is a function", fix)
        twin = keys.index(keys[i])
        if twin != i:
            problem = "is missing, as in" if name is None else f"{shown(name)} is also the name of"
            fail(path, f"{problem} destinations[{twin}], which has the same endpoint", fix)


def _check_function(path: str, value: object) -> None:
    if value is not None and not callable(value):
        fail(path, f"is {kind_of(value)}", "pass a function, or omit the option")


def _check_protocol(protocol: object, path: str) -> Protocol:
    found: Protocol | None = next((name for name in _PROTOCOLS if name == protocol), None)
    if found is None:
        fail(path, f"{shown(protocol)} is unknown", f"use one of {', '.join(_PROTOCOLS)}")
    if found == "grpc" and importlib.util.find_spec("grpc") is None:
        fail(path, '"grpc" needs the package grpcio, which is not installed', 'run pip install "genspan[grpc]"')
    return found


def _check_compression(compression: object, path: str) -> str:
    if compression not in ("gzip", "none"):
        fail(path, f"{shown(compression)} is not supported", 'use "gzip" or "none"')
    return str(compression)


def _check_endpoint(endpoint: object, path: str) -> str:
    example = f"for example {_DEFAULT_ENDPOINT}"
    if not isinstance(endpoint, str):
        fail(path, f"is {kind_of(endpoint)}", f"write a URL, {example}")
    quoted = shown(printable(endpoint))
    try:
        url = urlsplit(endpoint)
        host = url.hostname if url.port is None or url.port else None
    except ValueError:
        url, host = urlsplit(""), None
    if not url.scheme or (url.scheme in ("http", "https") and not host) or re.search(r"\s", endpoint):
        fail(path, f"{quoted} is not a URL", f"include scheme and host, {example}")
    if url.scheme not in ("http", "https") or not url.netloc:
        fail(path, f"{quoted} does not begin with http:// or https://", f"use one of them, {example}")
    if "@" in url.netloc:
        fail(path, "contains a user name or password", 'send them as a header: headers={"authorization": …}')
    return endpoint


def _check_headers(headers: object, path: str) -> dict[str, str]:
    if not isinstance(headers, Mapping):
        fail(path, f"is {kind_of(headers)}", "use a mapping of names to values")
    for name, value in headers.items():
        _check_header(name, value, path)
    return dict(headers)


def _check_header(name: object, value: object, path: str) -> None:
    # The message omits the name, because it may be a value in the wrong place.
    if not isinstance(name, str) or not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII):
        fail(path, "contains an invalid header name", 'use letters, digits and "-"')
    at = f"{path}[{shown(name)}]"
    if not isinstance(value, str):
        fail(at, f"is {kind_of(value)}", "write a string")
    if not re.fullmatch(r"[\t\x20-\x7e\x80-\xff]*", value):
        fail(at, "is not a valid HTTP header", "use visible ASCII, without line breaks")


def _spool(options: object) -> SpoolSettings | None:
    if options is None:
        return None
    settings = known("spool", options, list(NAMES["SpoolOptions"]))
    dir = settings.get("dir")
    if not isinstance(dir, str) or not dir:
        fail("spool.dir", "is not a path", 'use a separate directory, such as "/var/spool/shop-traces"')
    most = settings.get("max_bytes")
    return SpoolSettings(dir, MAX_BYTES if most is None else positive("spool.max_bytes", most))


def _tls(at: str, options: object, env: Environment) -> Tls | None:
    """The certificates of the options, or those in the files that the environment names."""
    tls: Tls = {}
    if options is not None:
        given = known(f"{at}tls", options, ["ca", "cert", "key"])
        for name in ("ca", "cert", "key"):
            value = given.get(name)
            if value is not None and not isinstance(value, (str, bytes)):
                fail(f"{at}tls.{name}", f"is {kind_of(value)}", "write PEM, as text or bytes")
        tls = {name: value for name, value in given.items() if value is not None}  # type: ignore[assignment]
        if ("cert" in tls) != ("key" in tls):
            fail(f"{at}tls", "has only one of cert and key", "set both for a client certificate")
        if not _is_pem(tls):
            fail(f"{at}tls", "cannot be read", "write certificates and the key that belongs to cert, in PEM")
    else:

        def read(path: str, name: str) -> bytes:
            try:
                with open(path, "rb") as file:
                    return file.read()
            except OSError:
                fail(name, f"{shown(path)} cannot be read", "use the path of a PEM file")

        found = {"ca": env.otlp("CERTIFICATE", read), "cert": env.otlp("CLIENT_CERTIFICATE", read), "key": env.otlp("CLIENT_KEY", read)}
        if (found["cert"] is None) != (found["key"] is None):
            there, missing = ("CLIENT_CERTIFICATE", "CLIENT_KEY") if found["cert"] else ("CLIENT_KEY", "CLIENT_CERTIFICATE")
            env.ignore(f"OTEL_EXPORTER_OTLP_{there}: is unusable without OTEL_EXPORTER_OTLP_{missing}")
            found["cert"] = found["key"] = None
        tls = {name: value for name, value in found.items() if value is not None}  # type: ignore[assignment]
        if not _is_pem(tls):
            env.ignore("OTEL_EXPORTER_OTLP_CERTIFICATE, …CLIENT_CERTIFICATE or …CLIENT_KEY: is the path of a file that is not PEM")
            tls = {}
    return tls or None


def _is_pem(tls: Tls) -> bool:
    """Returns True if certificates can be used."""
    if not tls:
        return True
    from ._transport import tls_context

    try:
        tls_context(tls)
    except (OSError, ValueError):
        return False
    return True


def _host_name() -> str:
    """The first address of this machine, or its name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        try:
            # Nothing is sent: this only chooses the interface.
            found.connect(("192.0.2.1", 9))
            address = str(found.getsockname()[0])
        except OSError:
            address = ""
    return address if address and not address.startswith("127.") else socket.gethostname()
