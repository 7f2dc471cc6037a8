"""
Threads for requests. They are daemons, and start when they are needed: an interpreter that ends, and a process that was just forked, may refuse to
start one, and then the caller does the work itself.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from opentelemetry import context

# How long a thread waits for its next task, in seconds.
IDLE = 30.0

_SUPPRESS = [
    key
    for key in (
        getattr(context, "_SUPPRESS_INSTRUMENTATION_KEY", None),
        getattr(context, "_SUPPRESS_HTTP_INSTRUMENTATION_KEY", None),
        "suppress_instrumentation",
    )
    if key is not None
]


def untraced(call: Callable[[], None]) -> None:
    """Runs `call` so that instrumentation of the libraries that it uses records nothing."""
    now = context.get_current()
    for key in _SUPPRESS:
        now = context.set_value(key, True, now)
    token = context.attach(now)
    try:
        call()
    finally:
        context.detach(token)


def start(name: str, run: Callable[[], None]) -> bool:
    """Starts a daemon thread. Returns False if the interpreter permits none any more."""
    try:
        threading.Thread(target=lambda: untraced(run), name=name, daemon=True).start()
        return True
    except RuntimeError:
        return False


class Couriers:
    """Runs tasks on up to `most` threads."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._tasks: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._idle = 0

    def run(self, task: Callable[[], None]) -> None:
        with self._changed:
            self._tasks.append(task)
            if self._idle >= len(self._tasks):
                self._changed.notify()
                return
            if self._threads >= self._most:
                return
            self._threads += 1
        if start(self._name, self._work):
            return
        with self._changed:
            self._threads -= 1
            if self._threads > 0 or not self._tasks:
                return
            task = self._tasks.popleft()
        untraced(task)

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._tasks:
                    self._idle += 1
                    self._changed.wait(IDLE)
                    self._idle -= 1
                if not self._tasks:
                    self._threads -= 1
                    return
                task = self._tasks.popleft()
            task()
