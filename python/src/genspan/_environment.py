"""
The environment variables of OpenTelemetry. They may be intended for another SDK, so an invalid value is reported and counts as unset, as
OpenTelemetry's specification of environment variables requires.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from ._check import fail, millis, positive, shown

T = TypeVar("T")


class Environment:
    """The variables of OpenTelemetry, used for options that are not set. An empty variable counts as unset."""

    def __init__(self, variables: Mapping[str, str], warn: Callable[[str], None]) -> None:
        self._variables = variables
        self._warn = warn
        self._reported: set[str] = set()

    def get(self, name: str) -> str | None:
        return self._variables.get(name, "").strip() or None

    def read(self, name: str, read: Callable[[str, str], T]) -> T | None:
        """The result of `read` for a variable. If `read` raises, the variable counts as unset."""
        text = self.get(name)
        if text is None:
            return None
        try:
            return read(text, name)
        except ValueError as error:
            self.ignore(str(error))
            return None

    def otlp(self, name: str, read: Callable[[str, str], T]) -> T | None:
        """The value of the variable for traces or, if that is unset, of the one for all signals."""
        found = self.read(f"OTEL_EXPORTER_OTLP_TRACES_{name}", read)
        return self.read(f"OTEL_EXPORTER_OTLP_{name}", read) if found is None else found

    def endpoint(self, grpc: bool, check: Callable[[str, str], str]) -> str | None:
        path = "" if grpc else "/v1/traces"
        return self.read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", check) or self.read(
            "OTEL_EXPORTER_OTLP_ENDPOINT", lambda base, name: check(base.rstrip("/") + path, name)
        )

    def headers(self, check: Callable[[str, str, str], None]) -> dict[str, str]:
        """The headers of the environment. A header for which `check` raises is left out."""
        headers: dict[str, str] = {}
        for variable in ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"):
            for i, entry in enumerate((self.get(variable) or "").split(",")):
                try:
                    for name, value in _pair(variable, entry, i):
                        check(name, value, variable)
                        headers[name] = value
                except ValueError as error:
                    self.ignore(str(error))
        return headers

    def resource(self) -> dict[str, str]:
        """The attributes of the variable; none if one of them cannot be read."""

        def pairs(text: str, name: str) -> list[tuple[str, str]]:
            return [pair for i, entry in enumerate(text.split(",")) for pair in _pair(name, entry, i)]

        return dict(self.read("OTEL_RESOURCE_ATTRIBUTES", pairs) or [])

    def disabled(self) -> bool:
        def boolean(text: str, name: str) -> bool:
            if text.lower() not in ("true", "false"):
                fail(name, f"{shown(text)} is not a boolean", 'use "true" or "false"')
            return text.lower() == "true"

        return self.read("OTEL_SDK_DISABLED", boolean) or False

    def timeout(self) -> int | None:
        return self.otlp("TIMEOUT", lambda text, name: millis(name, _whole(text), text))

    def millis(self, name: str) -> int | None:
        return self.read(name, lambda text, _: millis(name, _whole(text), text))

    def positive(self, name: str) -> int | None:
        return self.read(name, lambda text, _: positive(name, _whole(text), text))

    def ignore(self, message: str) -> None:
        if message in self._reported:
            return
        self._reported.add(message)
        self._warn(f"{message.removeprefix('genspan: ')}; it is ignored")


def _whole(text: str) -> int:
    """A whole number; -1, which no variable takes, if it is none."""
    return int(text) if re.fullmatch(r"\d{1,15}", text, re.ASCII) else -1


def _pair(variable: str, entry: str, i: int) -> list[tuple[str, str]]:
    """Reads a percent-encoded `key=value`. Returns an empty list for a blank entry."""
    if not entry.strip():
        return []
    key, equals, value = entry.partition("=")
    try:
        if not equals or not key.strip() or re.search(r"%(?![0-9a-fA-F]{2})", entry):
            raise ValueError
        return [(unquote_to_bytes(key.strip()).decode(), unquote_to_bytes(value.strip()).decode())]
    except ValueError:
        fail(variable, f"entry {i + 1} is not a percent-encoded key=value", "use key1=value1,key2=value2")
