"""
The sending half: one daemon thread passes records to the core, and batches of the core to the transports or the spool, and their answers back. It
makes no decisions about spans; nothing raises after construction.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ._core import START, Pipeline, Transmit, now
from ._engine import Fault
from ._errors import reason
from ._frame import FrameWriter
from ._past import Past
from ._privacy import in_hook
from ._threads import Couriers, start, untraced
from ._types import Answer, Config, PartialSuccess, Send

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider

    from ._metrics import RequestEnded
    from ._spool import Spool

logger = logging.getLogger("genspan")

# Maximum number of records in one call of the core, which holds its lock meanwhile.
RECORDS = 64
# How long the worker lets records gather, in seconds: many in one call cost less.
GATHER = 0.02
WARN_INTERVAL = 60.0
# The time that `shutdown` reserves for storing batches, in seconds.
STORE_TIMEOUT = 5.0
# The longest sleep of the worker, in seconds.
LONGEST = 3600.0

Records = list[tuple[int, int, bytes]]


@dataclass(eq=False)
class _Outside:
    """A batch outside the core: on its way to a backend or to the disk."""

    destination: int
    spans: int
    pipeline: Pipeline


@dataclass
class _Flush:
    done: threading.Event
    pipeline: Pipeline | None = None
    number: int = 0


@dataclass
class _LastError:
    message: str
    time_millis: float = field(default_factory=now)


class Sender:
    """
    `write` makes records of what the application's threads have left in `queue`: it gets the items and the writer.
    `on_partial_success` is the function of the options.
    """

    def __init__(
        self,
        config: Config,
        write: Callable[[list[Any], FrameWriter], Records],
        on_partial_success: Callable[[PartialSuccess], object] | None = None,
        meter_provider: MeterProvider | None = None,
        dropped_after_stop: Callable[[], int] = int,
    ) -> None:
        self._config = config
        self._write = write
        self._on_partial_success = on_partial_success
        self._warned: dict[str, float] = {}
        self._request_ended: RequestEnded | None = None
        self.stopped = False
        self.new_process()
        if not config.disabled:
            self._open()
            if config.spool:
                # What an earlier process has left is sent without a span of this one.
                self.wake()
        if meter_provider is not None:
            from ._metrics import observe

            try:
                self._request_ended = observe(meter_provider, config.routes, lambda: {**self.stats(), "droppedAfterStop": dropped_after_stop()})
            except Exception as error:
                self.fault("meter_provider", error)
        for route in config.routes:
            if route.protocol != "grpc" and re.fullmatch(r"https?://[^/?#]+/?", route.endpoint):
                self.warn(f"destination {route.name}: the endpoint has no path; most backends accept OTLP/HTTP at a path that ends in /v1/traces")

    def new_process(self) -> None:
        """Everything that processes do not share: what waits is sent by the process that it waits in. The core is opened when it is needed."""
        self.errors = 0
        # Held around every call of the core, and by a fork, so that the fork copies the core in no half state.
        self.lock = threading.Lock()
        # Held while records are written, which calls the application's hooks.
        self._writing = threading.Lock()
        self._starting = threading.Lock()
        self.queue: deque[Any] = deque()
        # The worker sleeps, and has nothing to do.
        self.idle = True
        # Made with the worker: a framework may replace the classes of `threading` between a fork and the first span.
        self._awake: threading.Event | None = None
        self._couriers: list[Couriers] = []
        self._storing: Couriers | None = None
        self._past = Past(len(self._config.routes))
        self._last_stats: dict[str, Any] = {}
        self._last_errors: dict[int, _LastError] = {}
        self._outside: list[_Outside] = []
        self._copies: dict[int, tuple[int, int]] = {}
        self._flushes: list[_Flush] = []
        self._sends: list[Send] = []
        self._restoring: set[int] = set()
        self._pipeline: Pipeline | None = None
        self._spool: Spool | None = None
        self._is_open = False
        self._is_hopeless = False

    def _open(self) -> None:
        # Here, because importing these takes longer than all of the rest: an application that only imports genspan need not wait.
        from ._spool import Spool
        from ._transport import transport

        spool = self._config.spool
        self._begin()
        self._sends = [transport(route) for route in self._config.routes]
        self._spool = Spool(spool, self._config.accounts, self.warn) if spool else None
        self._is_open = True

    def _begin(self) -> None:
        pipeline = Pipeline(self._config.core)

        def locked(call: Callable[[bytes], int]) -> Callable[[bytes], int]:
            def locked_call(record: bytes) -> int:
                with self.lock:
                    return call(record)

            return locked_call

        self._writer = FrameWriter(locked(pipeline.intern), locked(pipeline.scope), locked(pipeline.resource), pipeline.wanted())
        self._pipeline = pipeline

    @property
    def is_disabled(self) -> bool:
        return self._config.disabled

    @property
    def takes(self) -> bool:
        """Returns True while spans are accepted."""
        return not (self.stopped or self._config.disabled or (self._is_open and self._pipeline is None))

    # ---- the worker

    def wake(self) -> None:
        """Makes the worker look at what there is to do; starts it if it does not run."""
        self.idle = False
        awake = self._awake or self._start()
        if awake is not None:
            awake.set()

    def _start(self) -> threading.Event | None:
        with self._starting:
            if self._awake is None:
                if not self._is_open:
                    self._open()
                awake = threading.Event()
                self._couriers = [Couriers("genspan-send", route.concurrency_limit) for route in self._config.routes]
                self._storing = Couriers("genspan-spool", 1)
                if start("genspan", lambda: self._work(awake)):
                    self._awake = awake
            return self._awake

    def _work(self, awake: threading.Event) -> None:
        if self._spool:
            self._spool.scan()
        while True:
            wait = self._step()
            if self._pipeline is None and not self.queue:
                return
            self.idle = not self.queue
            if self.idle and not self.queue:
                awake.wait(wait)
            self.idle = False
            awake.clear()
            if not self._flushes and not self.stopped and len(self.queue) < RECORDS:
                awake.wait(GATHER)
                awake.clear()

    def _step(self) -> float:
        """Does everything that there is to do now. Returns how long to sleep, in seconds."""
        try:
            # A flush that comes later waits for spans that are not taken here.
            flushes = list(self._flushes)
            self._take()
            with self.lock:
                pipeline = self._pipeline
                for flush in flushes:
                    if pipeline and flush.pipeline is not pipeline:
                        flush.number = pipeline.flush()
                        flush.pipeline = pipeline
            self._pump()
            if self._spool and self._spool.is_due():
                self._spool.scan()
            pipeline = self._pipeline
            wake = pipeline.wake if pipeline else float("inf")
            return min(max(0.0, (wake - now()) / 1000), self._spool.scan_interval if self._spool else LONGEST, LONGEST)
        except Fault as error:
            if self._pipeline is not None:
                self._start_anew(error)
            return 0
        except Exception as error:
            self.fault("export", error)
            return 1

    def take_now(self) -> None:
        """Passes what waits in the queue to the core, on the caller's thread."""
        try:
            self._take(0.05)
        except Exception:
            # The worker gets the same, and mends it.
            self.wake()

    def _take(self, timeout: float = -1) -> None:
        queue = self.queue
        for _ in range(len(queue) // RECORDS + 1):
            if not queue or not self._writing.acquire(timeout=timeout):
                return
            try:
                pipeline = self._pipeline
                items: list[Any] = []
                while queue and (len(items) < RECORDS or getattr(items[-1], "goes_on", False)):
                    items.append(queue.popleft())
                if pipeline is not None:
                    self._pass(pipeline, items)
            finally:
                self._writing.release()

    def _pass(self, pipeline: Pipeline, items: list[Any]) -> None:
        records = self._write(items, self._writer)
        if not records:
            return
        with self.lock:
            self._past.ended += sum(kind != START for kind, _, _ in records)
            taken = pipeline.records(records)
        if taken.forgotten:
            # It has evicted a scope or a resource: all are described anew.
            self._writer.forget()
            again = self._write([items[i] for i in taken.forgotten], self._writer)
            with self.lock:
                taken = pipeline.records(again) if again else taken
        if taken.unreadable:
            self.warn("a span was refused", taken.why)

    def _pump(self) -> None:
        """Starts every request that the core has ready, and resolves the flushes that are complete."""
        while True:
            ready: list[tuple[Transmit, _Outside]] = []
            with self.lock:
                pipeline = self._pipeline
                if pipeline is None:
                    break
                batch = pipeline.poll()
                while batch:
                    outside = _Outside(batch.destination, batch.spans, pipeline)
                    ready.append((batch, outside))
                    self._outside.append(outside)
                    batch = pipeline.poll()
            for batch, outside in ready:
                self._go(pipeline, batch, outside)
            if not ready:
                break
        if self._spool and self._pipeline:
            self._unspool(self._pipeline, self._spool)
        with self.lock:
            pipeline = self._pipeline
            left = any(out.pipeline is not pipeline for out in self._outside)
            done = [f for f in self._flushes if pipeline is None or (f.pipeline is pipeline and not left and pipeline.settled(f.number))]
            self._flushes = [flush for flush in self._flushes if flush not in done]
        for flush in done:
            flush.done.set()

    def _go(self, pipeline: Pipeline, batch: Transmit, outside: _Outside) -> None:
        if batch.store:
            if self._storing:
                self._storing.run(lambda: self._store(pipeline, batch, outside))
            else:
                self._store(pipeline, batch, outside)
        elif self._couriers:
            self._couriers[batch.destination].run(lambda: self._send(pipeline, batch, outside))
        else:
            self._send(pipeline, batch, outside)

    def _send(self, pipeline: Pipeline, batch: Transmit, outside: _Outside) -> None:
        name = self._config.routes[batch.destination].name
        answer: Answer | None = None
        began = time.monotonic()
        try:
            answer = self._sends[batch.destination](batch.body)
        except Exception as error:
            self._failed(batch.destination, f"destination {name}: request failed", reason(error))
        if self._request_ended:
            try:
                self._request_ended(batch.destination, time.monotonic() - began, None if answer is None else answer.status)
            except Exception as error:
                self.fault("meter_provider", error)
        partial = None
        try:
            with self.lock:
                if outside in self._outside:
                    self._outside.remove(outside)
                if pipeline is self._pipeline:
                    if answer is None:
                        pipeline.failure(batch.id)
                    else:
                        partial = pipeline.response(batch.id, answer.status, answer.retry_after, answer.body)
                        if answer.is_taken:
                            self._past.sent[batch.destination] += batch.spans
                elif self._pipeline is not None:
                    self._late(batch, answer)
        except Fault:
            # The worker gets the same, and mends it.
            pass
        except Exception as error:
            self.fault("export", error)
        if answer and answer.status >= 300:
            self._failed(batch.destination, f"destination {name}: HTTP status {answer.status}")
        elif answer and 0 < answer.status < 100:
            self._failed(batch.destination, f"destination {name}: gRPC status {answer.status}", answer.message)
        if partial:
            self._rejected(batch.destination, *partial)
        self.wake()

    def _late(self, batch: Transmit, answer: Answer | None) -> None:
        """Counts a batch of a pipeline that is no more."""
        if answer and answer.is_taken:
            self._past.count(batch.destination, "sent", batch.spans)
        else:
            stored = self._spool is not None and self._spool.put(batch.destination, batch.spans, batch.body)
            self._past.count(batch.destination, "spooled" if stored else "droppedFault", batch.spans)

    def _rejected(self, destination: int, spans: int, message: str) -> None:
        name = self._config.routes[destination].name
        self._failed(destination, f"destination {name}: {'spans were rejected' if spans else 'a warning'}", message)
        if self._on_partial_success:
            try:
                self._on_partial_success(PartialSuccess(name, spans, message))
            except Exception:
                self.warn("on_partial_success raised")

    # ---- the spool

    def _store(self, pipeline: Pipeline, batch: Transmit, outside: _Outside) -> None:
        stored = self._spool is not None and self._spool.put(batch.destination, batch.spans, batch.body)
        try:
            with self.lock:
                if outside in self._outside:
                    self._outside.remove(outside)
                if pipeline is self._pipeline:
                    pipeline.stored(batch.id, stored)
                elif self._pipeline is not None:
                    self._past.count(batch.destination, "spooled" if stored else "droppedFault", batch.spans)
        except Fault:
            pass
        except Exception as error:
            self.fault("spool", error)
        self.wake()

    def _unspool(self, pipeline: Pipeline, spool: Spool) -> None:
        """Reports finished batches to the spool, and reads back batches that destinations would send now: one at a time for each."""
        finished: list[tuple[int, bool]] = []
        with self.lock:
            done = pipeline.released()
            while done:
                self._copies.pop(done[0], None)
                finished.append(done)
                done = pipeline.released()
        for copy, again in finished:
            if again:
                spool.release(copy)
            else:
                spool.remove(copy)
        for i in range(0 if self.stopped else len(self._config.routes)):
            if i in self._restoring or not spool.has(i):
                continue
            with self.lock:
                wants = pipeline.wants(i)
            if wants:
                self._restoring.add(i)
                self._restore(pipeline, spool, i)

    def _restore(self, pipeline: Pipeline, spool: Spool, destination: int) -> None:
        stored = spool.take(destination)
        self._restoring.discard(destination)
        if stored is None:
            return
        with self.lock:
            self._copies[stored.copy] = (destination, stored.spans)
            pipeline.restore(destination, stored.copy, stored.spans, stored.body)
        self.wake()

    # ---- for the owner

    def force_flush(self, timeout_millis: float | None = None) -> bool:
        """
        Blocks until every span that ended before the call has been delivered, is on disk, or was given up and counted, or until the time is over.
        Returns True if all of them were delivered or are on disk.
        """
        if in_hook():
            return False
        if self._config.disabled or not self._is_open and not self.queue:
            return True
        limit = self._config.flush_timeout_millis if timeout_millis is None else timeout_millis
        before = self._lost()
        flush = _Flush(threading.Event())
        with self.lock:
            self._flushes.append(flush)
        self.wake()
        if self._awake is None:
            done = self._step_here(flush, time.monotonic() + limit / 1000)
        else:
            done = flush.done.wait(limit / 1000)
        with self.lock:
            self._flushes = [other for other in self._flushes if other is not flush]
        return done and self._lost() == before

    def _step_here(self, flush: _Flush, deadline: float) -> bool:
        """Flushes on the caller's thread, where no worker could be started: at the end of an interpreter."""

        def steps() -> None:
            while not flush.done.is_set() and time.monotonic() < deadline:
                wait = self._step()
                if not flush.done.is_set():
                    time.sleep(min(wait, 0.05, max(0.0, deadline - time.monotonic())))

        untraced(steps)
        return flush.done.is_set()

    def _lost(self) -> float:
        destinations = self.stats().get("destinations", ())
        return float(sum(value for of in destinations for name, value in of.items() if name.startswith("dropped")))

    def shutdown(self, timeout_millis: float | None = None) -> None:
        if self.stopped:
            return
        self.stopped = True
        if not self._is_open:
            return
        self.force_flush(timeout_millis)
        try:
            with self.lock:
                if self._pipeline:
                    self._pipeline.give_up()
            if self._spool:
                self.force_flush(STORE_TIMEOUT * 1000)
                self._spool.close()
            self.stats()
            with self.lock:
                pipeline, self._pipeline = self._pipeline, None
                if pipeline:
                    pipeline.close()
            for send in self._sends:
                send.close()
        except Exception as error:
            self.fault("shutdown", error)
        self._pipeline = None
        self.wake()

    def stats(self) -> dict[str, Any]:
        """The counters, by the names that the core has for them."""
        if in_hook():
            return dict(self._last_stats)
        try:
            with self.lock:
                if self._pipeline:
                    self._last_stats = self._pipeline.stats()
                    self._past.read()
                outside = [out for out in self._outside if out.pipeline is not self._pipeline]
        except Fault:
            outside = []
        found = self._past.over(self._last_stats)
        for out in outside if "destinations" in found else ():
            found["destinations"][out.destination]["pending"] += out.spans
        for i, error in list(self._last_errors.items()):
            if "destinations" in found:
                found["destinations"][i]["lastError"] = {"message": error.message, "timeMillis": error.time_millis}
        found["errors"] = self.errors
        if self._spool:
            found["spool"] = self._spool.stats()
        return found

    def is_name(self, key: str) -> bool:
        """Returns True if the values of an attribute are names, ids or numbers, which hooks do not get."""
        with self.lock:
            return self._pipeline is not None and self._pipeline.is_name(key.encode("utf-8", "replace"))

    def segment(self, ids: bytes) -> bytes | None:
        if in_hook():
            return None
        with self.lock:
            return self._pipeline.segment(ids) if self._pipeline else None

    # ---- faults

    def fault(self, where: str, error: BaseException) -> None:
        """Counts and reports an error that was caught before it reached the application."""
        self.errors += 1
        self.warn(where, reason(error))

    def warn(self, what: str, why: str = "") -> None:
        """Warns at most once a minute for each problem."""
        at = time.monotonic()
        if at - self._warned.get(what, -WARN_INTERVAL) < WARN_INTERVAL:
            return
        self._warned[what] = at
        logger.warning("genspan: %s", f"{what}: {why}" if why else what)

    def _failed(self, destination: int, what: str, why: str = "") -> None:
        """Reports and remembers a failure of a destination, without secrets that its message may contain."""
        for secret in self._config.routes[destination].secrets:
            if len(secret) > 3:
                why = why.replace(secret, "…")
        why = why[:500]
        self._last_errors[destination] = _LastError(f"{what}: {why}" if why else what)
        self.warn(what, why)

    def _start_anew(self, error: Fault) -> None:
        """Continues after a fault with a new core. The contents of the old one are lost and counted; batches outside of it are not lost."""
        self.errors += 1
        with self.lock:
            broken = self._pipeline
            # A pipeline that breaks while it is empty would do so forever.
            hopeless = self._is_hopeless and self._past.ended == 0
            self._is_hopeless = self._past.ended == 0
            saved = [sum(out.spans for out in self._outside if out.destination == i and out.pipeline is broken) for i in range(len(self._config.routes))]
            for copy, (destination, spans) in self._copies.items():
                if self._spool:
                    self._spool.release(copy)
                saved[destination] += spans
                self._past.count(destination, "spooled", spans)
            self._copies.clear()
            lost = self._past.add(self._last_stats, saved)
            self._last_stats = {}
            self._pipeline = None
            if broken:
                broken.close()
        if not hopeless:
            try:
                self._begin()
            except Exception:
                self._pipeline = None
        with self.lock:
            stopped = self._pipeline is None
            flushes, self._flushes = (self._flushes, []) if stopped else ([], self._flushes)
        why = str(error).removeprefix("genspan: ")
        if stopped:
            self._last_stats = {"destinations": [{"name": route.name, "pending": 0, "pendingBytes": 0, "waiting": 0} for route in self._config.routes]}
            self.warn(f"stopped after an {why}; spans are dropped from now on")
        else:
            self.warn(f"{why} lost up to {lost} spans; tracing continues")
        for flush in flushes:
            flush.done.set()


def snake(stats: Any) -> Any:
    """Counters by the names that they have in Python."""
    if isinstance(stats, Mapping):
        return {re.sub(r"[A-Z]", lambda upper: f"_{upper[0].lower()}", name): snake(value) for name, value in stats.items()}
    return [snake(one) for one in stats] if isinstance(stats, list) else stats
