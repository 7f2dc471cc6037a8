"""
Counters of a sender's previous pipelines. A broken pipeline cannot be queried any more, so the events since the last query are counted here too, as
far as they are visible from outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Counters that describe the present state instead of counting events.
_GAUGES = ("held", "tracked", "dictionary", "waiting", "pending", "pendingBytes")


class Past:
    def __init__(self, destinations: int) -> None:
        # Spans passed to the pipeline since its counters were read · those of them that each destination accepted.
        self.ended = 0
        self.sent = [0] * destinations
        self._counts: dict[str, float] = {}
        self._destinations: list[dict[str, float]] = [{} for _ in range(destinations)]

    def read(self) -> None:
        """Call it when the counters of the pipeline have been read."""
        self.ended = 0
        self.sent = [0] * len(self.sent)

    def count(self, destination: int, counter: str, spans: int) -> None:
        _add(self._destinations[destination], {counter: spans})

    def add(self, stats: Mapping[str, Any], saved: Sequence[int]) -> int:
        """
        Adds a pipeline that no longer exists. `stats` were its last counters, `saved` the spans of each destination that are outside of it. Returns how
        many spans are lost, for the destination that loses most. It cannot be determined which of them a filter would have excluded.
        """
        last: Sequence[Mapping[str, Any]] = stats.get("destinations", ())
        _add(self._counts, stats)
        _add(self._counts, {"seen": self.ended})
        unqueued = self.ended + int(stats.get("held", 0))
        most = 0
        for i, counts in enumerate(self._destinations):
            of = last[i] if i < len(last) else {}
            lost = max(0, int(of.get("pending", 0)) + unqueued - self.sent[i] - saved[i])
            _add(counts, of)
            _add(counts, {"queued": unqueued, "sent": self.sent[i], "droppedFault": lost})
            most = max(most, lost)
        self.read()
        return most

    def over(self, stats: Mapping[str, Any]) -> dict[str, Any]:
        """The counters of all pipelines; `stats` are those of the last one."""
        all_of = _sum(stats, self._counts)
        if "destinations" in stats:
            pairs = zip(stats["destinations"], self._destinations)
            all_of["destinations"] = [_sum({"droppedFault": 0, **of}, past) for of, past in pairs]
        return all_of


def _is_count(name: str, value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and name not in _GAUGES


def _add(counts: dict[str, float], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        if _is_count(name, value):
            counts[name] = counts.get(name, 0) + value


def _sum(stats: Mapping[str, Any], past: Mapping[str, float]) -> dict[str, Any]:
    return {**stats, **{name: value + (stats.get(name, 0)) for name, value in past.items()}}
