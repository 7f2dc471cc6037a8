"""A pipeline of the core: the calls of its interface, with their types."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct, iter_unpack
from typing import Any

from ._check import in_python
from ._engine import Engine, Fault, Refused, Result, engine

# Kinds of records.
START = 0
END = 1
# The span's start is never passed.
ENDED = 2

_record = Struct("<BII").pack


def now() -> float:
    """The time in ms since 1970."""
    return time.time() * 1000


def seeds() -> tuple[int, int]:
    """Random numbers for the hashes of the core: who sends spans must not know them."""
    random = os.urandom(8)
    return int.from_bytes(random[:4], "little"), int.from_bytes(random[4:], "little")


def made(core: Engine, name: str, options: dict[str, Any], *args: int) -> int:
    """Makes a handle. Raises a ValueError with the path, the value, the problem and a fix."""
    try:
        return core.make(name, json.dumps(options).encode(), *args)
    except Refused as error:
        raise ValueError(f"genspan: {in_python(str(error))}") from None


@dataclass
class Transmit:
    """A batch that the core wants sent or stored. A retry has the same id."""

    id: int
    store: bool
    spans: int
    destination: int
    """The destination's index in the configuration."""
    body: bytes


@dataclass
class Taken:
    """What the core did with records."""

    ended: int
    """Spans whose end was taken."""
    forgotten: Sequence[int]
    """The records that have to be passed again after their scope and resource were described anew, by their indexes."""
    unreadable: int
    """Records that the core refused."""
    why: str


class Pipeline:
    """
    At most one thread may call it at a time. Every call returns when `poll` has to be called again, in ms since 1970, in `wake`. Raises a Fault from
    any call if the core has one.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._engine = engine()
        self._handle = made(self._engine, "gs_open", config, 0, *seeds())
        self.wake = float("inf")

    def _call(self, name: str, *args: int | float | bytes) -> Result:
        if self._handle == 0:
            raise Fault("genspan: the pipeline is closed")
        result = self._engine.call(name, self._handle, *args)
        self.wake = result.wake
        return result

    def wanted(self) -> list[str]:
        """Attribute keys whose values a `start` record has to contain."""
        return list(json.loads(self._call("gs_wanted").body))

    def is_name(self, key: bytes) -> bool:
        """Returns True if the values of a key are names, ids or numbers."""
        return self._call("gs_is_name", key).number != 0

    def intern(self, text: bytes) -> int:
        return self._call("gs_intern", text).number

    def scope(self, record: bytes) -> int:
        return self._call("gs_scope", record).number

    def resource(self, record: bytes) -> int:
        return self._call("gs_resource", record).number

    def records(self, records: Sequence[tuple[int, int, bytes]]) -> Taken:
        """Passes records: of each its kind, the destinations from which a filter excludes the span, and the frame."""
        parts = [part for kind, refused, frame in records for part in (_record(kind, refused, len(frame)), frame)]
        result = self._call("gs_records", b"".join(parts), now())
        forgotten = [index for (index,) in iter_unpack("<I", result.body)]
        return Taken(result.number, forgotten, result.spans, result.message)

    def poll(self) -> Transmit | None:
        result = self._call("gs_poll", now())
        if result.number == 0:
            return None
        return Transmit(result.id, result.number == 2, result.spans, result.destination, result.body)

    def response(self, id: int, status: int, retry_after: float, body: bytes) -> tuple[int, str] | None:
        """Passes the answer to a batch. Returns how many spans the backend rejected and why, if the answer is a partial success."""
        result = self._call("gs_response", id, status, float(retry_after), body, now())
        return (result.spans, result.message) if result.number else None

    def failure(self, id: int) -> None:
        """Reports that a batch got no answer."""
        self._call("gs_failure", id, now())

    def stored(self, id: int, ok: bool) -> None:
        self._call("gs_stored", id, int(ok), now())

    def wants(self, destination: int) -> bool:
        """Returns True if the destination would send a stored batch now."""
        return self._call("gs_wants", destination, now()).number != 0

    def restore(self, destination: int, copy: int, spans: int, body: bytes) -> None:
        """Passes a stored batch. `copy` is the caller's number for it, from 1, and is returned by `released`."""
        self._call("gs_restore", destination, copy, spans, body)

    def released(self) -> tuple[int, bool] | None:
        """A copy that is no longer needed, or (True) has to be offered again."""
        result = self._call("gs_released")
        return (result.id, result.number == 2) if result.number else None

    def flush(self) -> int:
        """Makes all accepted spans ready to send, and returns the number for `settled`."""
        return self._call("gs_flush", now()).number

    def settled(self, flush: int) -> bool:
        return self._call("gs_settled", flush).number != 0

    def give_up(self) -> None:
        """Gives up undelivered spans: `poll` returns the batches to store; the rest is dropped and counted."""
        self._call("gs_close", now())

    def segment(self, ids: bytes) -> bytes | None:
        """The id of the LLM span above the span with these ids, or of itself; zeros if it is unknown. None if it belongs to no LLM segment."""
        result = self._call("gs_segment", ids)
        return result.body if result.number else None

    def stats(self) -> dict[str, Any]:
        return dict(json.loads(self._call("gs_stats").body))

    def close(self) -> None:
        """Frees the pipeline. Further calls raise a Fault."""
        handle, self._handle = self._handle, 0
        if handle:
            self._engine.drop("gs_drop", handle)
