"""
Writes spans as frames; src/frame.rs of the core describes the format. It does not deal with batches, time or transport, and never changes the
spans that it reads. It reads the SDK's own fields, which are there in every version since 1.20: the public ones copy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from struct import Struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

# Flags: the span has a parent · the parent is in another process · and inside an LLM segment there.
PARENT = 1
REMOTE = 2
SEGMENT = 4
# Flag: a session or a user among the attributes comes from the baggage.
FROM_BAGGAGE = 8

VERSION = 1
MAX_FRAME = 32 << 20
# Maximum nesting, as in the core: readers of OTLP refuse deeper values.
MAX_DEPTH = 28
MAX_INTERNED_LENGTH = 256
# Maximum number of texts that are remembered while they wait for their second occurrence.
MAX_REMEMBERED = 1024
# Maximum number of scopes and resources whose numbers are remembered.
MAX_DESCRIBED = 1024
NO_ID = bytes(8)
SECOND = 1_000_000_000

_u32 = Struct("<I").pack
_string = Struct("<BI").pack
_integer = Struct("<Bq").pack
_double = Struct("<Bd").pack
_head = Struct("<BBBBI").pack
_times = Struct("<IIIIIIIII").pack
_event = Struct("<II").pack
_ZERO = _u32(0)


class FrameTooLarge(Exception):
    """A span that takes more bytes than the core would ever send."""


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Lone surrogates: two that belong together become their character, the others U+FFFD.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def _text(text: str) -> bytes:
    encoded = _utf8(text)
    return _u32(len(encoded)) + encoded


class FrameWriter:
    """
    `intern`, `scope` and `resource` are those of the core: each returns a number, 0 if there is no room. `wanted` are the keys whose values the core
    needs when a span starts.
    """

    def __init__(
        self, intern: Callable[[bytes], int], scope: Callable[[bytes], int], resource: Callable[[bytes], int], wanted: Iterable[str] = ()
    ) -> None:
        self._intern = intern
        self._describe_scope = scope
        self._describe_resource = resource
        self._wanted = frozenset(wanted)
        # References to texts that have a number.
        self._refs: dict[str, bytes] = {}
        # Texts that occurred once. A text gets a number at its second occurrence, so that names with unique ids in them never get one.
        self._met_once: set[str] = set()
        self._dictionary_full = False
        # By the object's identity, with the object, so that no other one gets its identity.
        self._scopes: dict[int, tuple[int, object]] = {}
        self._resources: dict[int, tuple[int, object]] = {}

    def forget(self) -> None:
        """Forgets the numbers of scopes and resources. Call it when the core has evicted one that a record refers to."""
        self._scopes.clear()
        self._resources.clear()

    def start(
        self, span: ReadableSpan, flags: int, caller: bytes = NO_ID, baggage: Mapping[str, str] | None = None, attributes: Any = None
    ) -> bytes:
        """
        A `start` record. `caller`: the LLM span in another process above this one. `baggage`: session and user from the baggage, under the keys of
        their attributes. `attributes`: those that the span has now.
        """
        context: Any = span.context
        refs = self._refs
        # The span may still get attributes on other threads.
        taken = dict(attributes) if attributes else {}
        keys = [refs.get(key) or self._new_ref(key) for key in taken]
        out = [
            bytes((VERSION, flags | FROM_BAGGAGE if baggage else flags)),
            context.trace_id.to_bytes(16, "big"),
            context.span_id.to_bytes(8, "big"),
            _parent_id(span),
            caller,
            _u32(self._scope(span.instrumentation_scope)),
            self._ref(span.name or ""),
            _u32(len(keys)),
            *keys,
        ]
        wanted = self._wanted.intersection(taken) if taken else ()
        if wanted or baggage:
            self._attributes({**(baggage or {}), **{key: taken[key] for key in wanted}}, out)
        else:
            out.append(_ZERO)
        return b"".join(out)

    def span(self, span: ReadableSpan, flags: int, attributes: Mapping[str, Any] | None = None, edit: Edit | None = None) -> bytes:
        """A `span` record. `edit` replaces the attributes of the span, its events and its links by what may leave. Raises FrameTooLarge."""
        context: Any = span.context
        of = span._attributes
        events = span._events
        links = span._links
        status = span.status
        description = status.description
        state = context.trace_state
        change = edit.attributes if edit else None
        starts, ends = divmod(span.start_time or 0, SECOND), divmod(span.end_time or 0, SECOND)
        out = [
            _head(VERSION, flags, span.kind._value_ + 1, status.status_code._value_, context.trace_flags),
            context.trace_id.to_bytes(16, "big"),
            context.span_id.to_bytes(8, "big"),
            _parent_id(span),
            _times(
                *starts,
                *ends,
                self._scope(span.instrumentation_scope),
                self._resource(span.resource),
                getattr(of, "dropped", 0),
                getattr(events, "dropped", 0),
                getattr(links, "dropped", 0),
            ),
            self._ref(span.name or ""),
            _text(edit.text(description, "status.message") if edit else description) if description else _ZERO,
            _text(state.to_header()) if state else _ZERO,
        ]
        self._attributes(change(of) if change and of else of, out)
        count = len(events) if events else 0
        out.append(_u32(count))
        if count:
            for event in events:
                out.append(_event(*divmod(event.timestamp, SECOND)))
                out.append(self._ref(event.name))
                self._described(event.attributes, change, out)
        count = len(links) if links else 0
        out.append(_u32(count))
        if count:
            for link in links:
                to = link.context
                out.append(to.trace_id.to_bytes(16, "big") + to.span_id.to_bytes(8, "big"))
                # As in OTLP: bit 8 means that bit 9, "is remote", is known.
                out.append(_u32((to.trace_flags & 0xFF) | (0x300 if to.is_remote else 0x100)))
                out.append(_text(to.trace_state.to_header()) if to.trace_state else _ZERO)
                self._described(link.attributes, change, out)
        frame = b"".join(out)
        if len(frame) > MAX_FRAME:
            raise FrameTooLarge(f"a span of more than {MAX_FRAME} bytes")
        return frame

    def _described(self, attributes: Any, change: Callable[[Any], Mapping[str, Any]] | None, out: list[bytes]) -> None:
        """The attributes of an event or a link, after the number of dropped ones."""
        out.append(_u32(getattr(attributes, "dropped", 0)))
        self._attributes(change(attributes) if change and attributes else attributes, out)

    # ---- records that spans refer to

    def _scope(self, scope: InstrumentationScope | None) -> int:
        found = self._scopes.get(id(scope))
        if found is not None:
            return found[0]
        out = [bytes((VERSION,))]
        for text in (scope.name, scope.version, scope.schema_url) if scope else ("", "", ""):
            out.append(_text(text or ""))
        self._attributes(getattr(scope, "attributes", None) or {}, out)
        return _remember(self._scopes, scope, self._describe_scope(b"".join(out)))

    def _resource(self, resource: Resource) -> int:
        found = self._resources.get(id(resource))
        if found is not None:
            return found[0]
        out = [bytes((VERSION,)), _text(resource.schema_url or "")]
        self._attributes(resource.attributes, out)
        return _remember(self._resources, resource, self._describe_resource(b"".join(out)))

    # ---- parts

    def _ref(self, text: str) -> bytes:
        """A reference to the text."""
        ref = self._refs.get(text)
        return ref if ref is not None else self._new_ref(text)

    def _new_ref(self, text: str) -> bytes:
        if not isinstance(text, str):
            return self._ref(str(text))
        encoded = _utf8(text)
        if len(encoded) <= MAX_INTERNED_LENGTH and not self._dictionary_full:
            if text in self._met_once or text in self._wanted:
                self._met_once.discard(text)
                number = self._intern(encoded)
                if number > 0:
                    ref = _u32(number)
                    # A subclass of str may compare as it likes.
                    self._refs[str(text)] = ref
                    return ref
                self._dictionary_full = True
                self._met_once.clear()
            else:
                if len(self._met_once) >= MAX_REMEMBERED:
                    self._met_once.clear()
                self._met_once.add(text)
        return _ZERO + _u32(len(encoded)) + encoded

    def _attributes(self, attributes: Any, out: list[bytes]) -> None:
        if not attributes:
            out.append(_ZERO)
            return
        # The SDK's mapping holds its lock for each access. Not all other spans have one. A processor after this one may still change it.
        items = list(getattr(attributes, "_dict", attributes).items())
        out.append(_u32(len(items)))
        refs = self._refs
        for key, value in items:
            out.append(refs.get(key) or self._new_ref(key))
            if type(value) is str:
                try:
                    encoded = value.encode()
                except UnicodeEncodeError:
                    encoded = _utf8(value)
                out.append(_string(1, len(encoded)))
                out.append(encoded)
            else:
                self._value(value, out, [])

    def _value(self, value: object, out: list[bytes], around: list[int]) -> None:
        """`around` has the containers around the value, by their identities, to detect cycles."""
        # bool is a subclass of int, and users have subclasses of all of these.
        if isinstance(value, str):
            encoded = _utf8(value)
            out.append(_string(1, len(encoded)))
            out.append(encoded)
        elif isinstance(value, bool):
            out.append(b"\x03" if value else b"\x02")
        elif isinstance(value, int):
            number = int(value)
            out.append(_integer(9, number) if -(1 << 63) <= number < 1 << 63 else b"\x01" + _text(str(number)))
        elif isinstance(value, float):
            out.append(_double(5, value))
        elif value is None:
            out.append(b"\x00")
        elif isinstance(value, (bytes, bytearray, memoryview)):
            raw = bytes(value)
            out.append(b"\x08" + _u32(len(raw)))
            out.append(raw)
        elif isinstance(value, (list, tuple, Mapping)):
            self._container(value, out, around)
        else:
            self._value(str(value), out, around)

    def _container(self, value: list[Any] | tuple[Any, ...] | Mapping[Any, Any], out: list[bytes], around: list[int]) -> None:
        if id(value) in around:
            out.append(b"\x00")
        elif len(around) >= MAX_DEPTH:
            out.append(b"\x01" + _text(_json(value)))
        else:
            around.append(id(value))
            if isinstance(value, Mapping):
                items = list(value.items())
                out.append(b"\x07" + _u32(len(items)))
                for key, member in items:
                    out.append(self._ref(str(key)))
                    self._value(member, out, around)
            else:
                members = list(value)
                out.append(b"\x06" + _u32(len(members)))
                for member in members:
                    self._value(member, out, around)
            around.pop()


class Edit:
    """What a host's hooks make of a span before it is handed over."""

    def attributes(self, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        raise NotImplementedError

    def text(self, text: str, key: str) -> str:
        raise NotImplementedError


def _remember(described: dict[int, tuple[int, object]], of: object, number: int) -> int:
    if len(described) >= MAX_DESCRIBED:
        for old in list(islice(described, MAX_DESCRIBED // 2)):
            del described[old]
    described[id(of)] = (number, of)
    return number


def _parent_id(span: ReadableSpan) -> bytes:
    parent = span.parent
    return parent.span_id.to_bytes(8, "big") if parent else NO_ID


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        # The value has a cycle, holds no JSON, or is nested too deep even for that.
        return ""
