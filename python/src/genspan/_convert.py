"""`normalize`, `convert` and `explain`: one OTLP body in, one out, without a pipeline."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from ._check import fail, for_core, kind_of, known
from ._core import made, seeds
from ._engine import Fault, Refused, Result, engine
from ._fork import guard
from ._options import NAMES

if TYPE_CHECKING:
    from typing_extensions import TypedDict, Unpack

    from ._options import EntryOptions, Keep, PrivacyOptions, Profile
    from ._types import KeyMapping

    class NormalizeOptions(TypedDict, total=False):
        """Options of `normalize`: the fields of a destination that do not concern sending. The same names have the same meaning there."""

        profile: Profile
        keep: Keep
        service_name: str
        token: str
        host_name: str
        resource: Mapping[str, str | int | float | bool]
        entry: EntryOptions
        privacy: PrivacyOptions
        infer_provider: bool
        inherit_session: bool
        mappings: list[KeyMapping]
        max_unpacked_bytes: int
        on_partial_success: Callable[[int, str], object]
        """
        Called with the number of spans that are omitted from the result because no backend would accept them, such as spans without ids, and the
        reason. By default they are omitted silently. A body that has only such spans is an error.
        """

    class ConvertOptions(NormalizeOptions, total=False):
        """Options of `convert` and `explain`."""

        from_: Literal["auto", "protobuf", "json"]
        """The encoding of the input. Default "auto": detected by the first byte."""
        to: Literal["protobuf", "json"]
        """The encoding of the output. Default: that of the input."""


_NAMES = ["profile", "keep", "service_name", "token", "host_name", "resource", "entry", "privacy", "infer_provider", "inherit_session"]
_NAMES += ["mappings", "max_unpacked_bytes", "from_", "to", "on_partial_success"]
_GROUPS = {"entry": "EntryOptions", "privacy": "PrivacyOptions"}
_CAMEL = {snake: camel for names in NAMES.values() for snake, camel in names.items()} | {"from_": "from", "to": "to"}
# Converters that are kept: making one costs more than converting a small body.
_MOST = 8


class _Converter:
    """A converter of the core. One thread at a time uses it."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._engine = engine()
        self.lock = threading.Lock()
        self._handle = made(self._engine, "gs_converter", options, *seeds())

    def call(self, name: str, body: bytes) -> Result:
        with self.lock:
            return self._engine.call(name, self._handle, body)

    def __del__(self) -> None:
        handle = getattr(self, "_handle", 0)
        if handle:
            self._engine.drop("gs_converter_drop", handle)


_lock = threading.Lock()
_kept: OrderedDict[str, _Converter] = OrderedDict()
_of_parent: list[OrderedDict[str, _Converter]] = []


def _locks() -> list[threading.Lock]:
    return [_lock, *(converter.lock for converter in list(_kept.values()))]


def _after_fork_in_child() -> None:
    global _lock, _kept
    # A thread that did not let go of its lock may have left a converter in the middle of a call: none is used or freed here.
    _of_parent.append(_kept)
    _lock = threading.Lock()
    _kept = OrderedDict()


guard(_locks, _after_fork_in_child)


def normalize(body: bytes, **options: Unpack[NormalizeOptions]) -> bytes:
    """
    Processes the body of an OTLP ExportTraceServiceRequest, protobuf or JSON, and returns it in the same encoding. Raises a ValueError that describes
    the problem in the body and its position.
    """
    return convert(body, **options)


def convert(body: bytes, **options: Unpack[ConvertOptions]) -> bytes:
    """Like `normalize`, from one encoding to another."""
    return _run("gs_convert", body, options)


def explain(body: bytes, **options: Unpack[ConvertOptions]) -> list[dict[str, Any]]:
    """
    Explains what `normalize` and `convert` do to each span of a body, in the body's order: its conventions and entry, and for each attribute its source
    and rule. Raises like them.
    """
    found: list[dict[str, Any]] = json.loads(_run("gs_explain", body, options))
    return found


def _run(name: str, body: bytes, options: Mapping[str, Any]) -> bytes:
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise TypeError(f"genspan: the body is {kind_of(body)}; pass bytes")
    known("", options, _NAMES)
    on_partial_success = options.get("on_partial_success")
    if on_partial_success is not None and not callable(on_partial_success):
        fail("on_partial_success", f"is {kind_of(on_partial_success)}", "pass a function, or omit the option")
    core = {
        _CAMEL[name]: for_core(name, value, _GROUPS.get(name))
        for name, value in options.items()
        if value is not None and name != "on_partial_success"
    }
    result = _call(name, json.dumps(core, sort_keys=True), bytes(body))
    if result.number and on_partial_success:
        on_partial_success(result.spans, result.message)
    return result.body


def _call(name: str, key: str, body: bytes) -> Result:
    with _lock:
        converter = _kept.pop(key, None) or _Converter(json.loads(key))
        _kept[key] = converter
        if len(_kept) > _MOST:
            _kept.popitem(last=False)
    try:
        return converter.call(name, body)
    except Refused as error:
        raise ValueError(f"genspan: {error}") from None
    except Fault:
        with _lock:
            _kept.pop(key, None)
        raise
