"""
The OpenTelemetry SpanProcessor: leaves each span in a queue when it starts and ends; the sender's thread does the rest. It makes no decisions about
spans, and no error of it reaches the application.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import baggage
from opentelemetry.context import Context, get_current
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from . import _exit
from ._config import configure
from ._core import END, ENDED, START
from ._engine import Refused, Unavailable
from ._fork import guard
from ._frame import NO_ID, PARENT, REMOTE, SEGMENT, FrameTooLarge, FrameWriter
from ._privacy import Hooks, in_hook, inside
from ._sender import RECORDS, STORE_TIMEOUT, Records, Sender, snake
from ._types import Config

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Span
    from opentelemetry.trace import SpanContext
    from typing_extensions import Unpack

    from ._options import GenSpanOptions

logger = logging.getLogger("genspan")

_LLM = re.compile(r"llm(?::([0-9a-f]{16}))?")
# The session and the user in the baggage, under the keys of their attributes. Langfuse and Tencent's agent use their own names.
_PEOPLE = (
    ("session.id", ("session.id", "langfuse_session_id", "tapm.gen_ai.session.id")),
    ("user.id", ("user.id", "langfuse_user_id", "tapm.gen_ai.user.id")),
)
# Variables whose values the core checks.
_JUDGED = (("OTEL_SERVICE_NAME",), ("OTEL_RESOURCE_ATTRIBUTES",), ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"))

# The processors of this process, for forks.
_all: weakref.WeakSet[GenSpanProcessor] = weakref.WeakSet()

def _after_fork_in_child() -> None:
    for processor in list(_all):
        processor._new_process()
        processor._sender.new_process()


guard(lambda: [processor._sender.lock for processor in list(_all)], _after_fork_in_child)


class _Ended:
    """A span that ended, and whose start is not known. `goes_on`: the next one belongs to the same batch."""

    __slots__ = ("goes_on", "span")

    def __init__(self, span: ReadableSpan, goes_on: bool) -> None:
        self.span = span
        self.goes_on = goes_on


class GenSpanProcessor(SpanProcessor):
    """
    Passes the spans of a provider to genspan, which sends them to one destination or to several: `provider.add_span_processor(GenSpanProcessor(…))`.
    For options that are not set, it reads the environment variables of OpenTelemetry.
    """

    _sender: Sender

    def __init__(self, **options: Unpack[GenSpanOptions]) -> None:
        """
        If an option is invalid, raises a ValueError with the path, the value, the problem and a fix; nothing raises later. If the core cannot run
        here, it warns, and the processor does nothing.
        """
        self._hooks = Hooks.of(options)
        config = configure(options, _warn)
        self._filters = [(1 << i, route.filter) for i, route in enumerate(config.routes) if route.filter]
        self._inherit_session = options.get("inherit_session") is not False
        # Items, a start and an end of each span.
        self._most = 2 * max(route.max_queue_size for route in config.routes)
        self._new_process()
        on_partial_success = options.get("on_partial_success")

        def sender(config: Config) -> Sender:
            return Sender(config, self._write, on_partial_success, options.get("meter_provider"), lambda: self._counts["dropped_after_stop"])

        try:
            self._sender = sender(config)
        except Unavailable as error:
            _warn(f"{str(error).removeprefix('genspan: ')}; nothing is traced")
            config.disabled = True
            self._sender = sender(config)
        except ValueError as error:
            left = _without_variables(options, sender, error)
            if left is None:
                raise
            self._sender = left
        self._hooks.is_name = lambda key: self._sender.is_name(key)
        self._hooks.failed = lambda hook: self._sender.warn(f"the hook {hook} failed; its input was masked")
        _all.add(self)
        if options.get("flush_on_exit"):
            try:
                _exit.on_sigterm(id(self), self.shutdown, config.flush_timeout_millis / 1000 + STORE_TIMEOUT)
            except ValueError:
                _warn("flush_on_exit: has no effect, because the processor was not made on the main thread")

    def _new_process(self) -> None:
        self._counts = {"dropped_after_stop": 0, "dropped_waiting": 0, "dropped_oversized": 0, "dropped_in_hook": 0, "unread": 0}
        self._hooks.masked = self._hooks.mask_failed = self._hooks.media_replaced = 0
        self._is_finalized = False

    # ---- on the application's threads

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        sender = self._sender
        if not sender.takes or in_hook():
            return
        queue = sender.queue
        if len(queue) < self._most:
            queue.append((span, get_current() if parent_context is None else parent_context))
            if sender.idle:
                self._wake()

    def on_end(self, span: ReadableSpan) -> None:
        context = span.context
        if context is not None and context.trace_flags & 1:
            self._end(span)

    def _end(self, *items: Any) -> None:
        sender = self._sender
        queue = sender.queue
        if not sender.takes:
            self._counts["dropped_after_stop"] += 0 if sender.is_disabled else len(items)
        elif in_hook():
            self._counts["dropped_in_hook"] += len(items)
        elif len(queue) >= self._most:
            self._counts["dropped_waiting"] += len(items)
        else:
            queue.extend(items)
            if sender.idle or len(queue) == RECORDS:
                self._wake()

    def _wake(self) -> None:
        try:
            self._sender.wake()
            if not self._is_finalized:
                self._finalize()
        except Exception as error:
            self._sender.fault("on_end", error)

    def _finalize(self) -> None:
        """A child of `multiprocessing` ends without the functions of `atexit`."""
        self._is_finalized = True
        process = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            from multiprocessing.util import Finalize

            Finalize(None, self.shutdown, exitpriority=10)

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        """
        Blocks until every span that ended before the call has been delivered, is on disk, or was given up and counted, including requests in
        flight; or for `timeout_millis` (`flush_timeout_millis` by default). Returns True if all were delivered or are on disk.
        """
        try:
            return self._sender.force_flush(timeout_millis)
        except Exception as error:
            self._sender.fault("force_flush", error)
            return False

    def shutdown(self, timeout_millis: int | None = None) -> None:
        """
        Like `force_flush`; spans that end later are dropped and counted. Spans that are left after the time limit go to the spool, or are dropped and
        counted.
        """
        _exit.ignore(id(self))
        try:
            self._sender.shutdown(timeout_millis)
        except Exception as error:
            self._sender.fault("shutdown", error)

    def stats(self) -> dict[str, Any]:
        """Counters since construction, or since the fork of this process."""
        counts = dict(self._counts)
        unread = counts.pop("unread")
        try:
            found = snake(self._sender.stats())
        except Exception as error:
            self._sender.fault("stats", error)
            found = {"errors": self._sender.errors}
        if "seen" in found:
            found["seen"] += unread + counts["dropped_oversized"]
        for name, count in (("masked", self._hooks.masked), ("mask_failed", self._hooks.mask_failed), ("media_replaced", self._hooks.media_replaced)):
            found[name] = found.get(name, 0) + count
        return {**found, **counts}

    def _segment(self, context: SpanContext) -> bytes | None:
        """
        The id of the LLM span that is this span or is above it, in this process or in the calling one: zeros if the calling process does not provide
        it, None if the span belongs to no LLM segment.
        """
        try:
            self._sender.take_now()
            return self._sender.segment(context.trace_id.to_bytes(16, "big") + context.span_id.to_bytes(8, "big"))
        except Exception as error:
            self._sender.fault("propagator", error)
            return None

    # ---- for the exporter

    def _take(self, spans: Sequence[ReadableSpan]) -> None:
        """Adds spans that have ended and whose starts are not known. Each is known before the first of them is decided."""
        self._end(*(_Ended(span, i + 1 < len(spans)) for i, span in enumerate(spans)))

    # ---- on the sender's thread

    def _write(self, items: list[Any], writer: FrameWriter) -> Records:
        records: Records = []
        for i, item in enumerate(items):
            try:
                if type(item) is tuple:
                    span, context = item
                    # The attributes of a span that ends next are not needed.
                    attributes = None if i + 1 < len(items) and items[i + 1] is span else getattr(span, "_attributes", None)
                    records.append((START, self._refused(span), self._started(span, context, attributes, writer)))
                else:
                    kind, span = (ENDED, item.span) if type(item) is _Ended else (END, item)
                    parent = span.parent
                    flags = (PARENT | REMOTE if parent.is_remote else PARENT) if parent else 0
                    records.append((kind, self._refused(span), writer.span(span, flags, edit=self._hooks.edit)))
            except FrameTooLarge as error:
                self._counts["dropped_oversized"] += 1
                self._sender.warn("on_end", str(error))
            except Exception as error:
                self._counts["unread"] += type(item) is not tuple
                self._sender.fault("on_start" if type(item) is tuple else "on_end", error)
        return records

    def _started(self, span: Span, context: Context, attributes: Any, writer: FrameWriter) -> bytes:
        flags, caller = 0, NO_ID
        parent = span.parent
        if parent:
            flags = PARENT
            if parent.is_remote:
                inside_of = _inside_segment(parent, context)
                flags |= REMOTE if inside_of is None else REMOTE | SEGMENT
                caller = inside_of or NO_ID
        people = _people(context) if self._inherit_session else None
        return writer.start(span, flags, caller, people, getattr(attributes, "_dict", attributes))

    def _refused(self, span: ReadableSpan) -> int:
        """The destinations from which the application's filters exclude a span. If a filter raises, the span is included, because losing it would be worse."""
        refused = 0
        for bit, filter in self._filters:
            try:
                if not inside(_call(filter, span)):
                    refused |= bit
            except Exception as error:
                self._sender.fault("the hook filter", error)
        return refused


def _call(filter: Callable[[ReadableSpan], bool], span: ReadableSpan) -> Callable[[], bool]:
    return lambda: filter(span)


def _warn(message: str) -> None:
    logger.warning("genspan: %s", message)


def _without_variables(options: Mapping[str, Any], sender: Callable[[Config], Sender], error: ValueError) -> Sender | None:
    """The sender without the invalid variables of the environment; None if the error has another cause."""
    for names in _JUDGED:
        if not all(os.environ.get(name) for name in names):
            continue
        try:
            made = sender(configure(options, lambda _: None, {name: value for name, value in os.environ.items() if name not in names}))
        except (ValueError, Refused):
            # These variables are not the cause.
            continue
        _warn(f"{str(error).removeprefix('genspan: ')}; {' and '.join(names)} is ignored")
        return made
    return None


def _inside_segment(parent: SpanContext, context: Context) -> bytes | None:
    """
    The id of the LLM span above the remote parent, from genspan's member of the trace state. Zeros if there is such a span but its id is unknown, as
    with the baggage in which Langfuse names the trace that has an application root. None if there is none.
    """
    found = _LLM.fullmatch(parent.trace_state.get("genspan") or "") if parent.trace_state else None
    if found:
        return bytes.fromhex(found[1]) if found[1] else NO_ID
    return NO_ID if baggage.get_baggage("langfuse_trace_id", context) == f"{parent.trace_id:032x}" else None


def _people(context: Context) -> dict[str, str] | None:
    entries = baggage.get_all(context)
    if not entries:
        return None
    named = {}
    for key, spellings in _PEOPLE:
        value = next((entries[name] for name in spellings if entries.get(name)), None)
        if value:
            named[key] = str(value)
    return named or None


