"""
Locks and forks. A fork copies a process as it is: what a thread was in the middle of stays so in the child, where that thread does not exist. So the
thread that forks takes the locks first.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable

# The core holds its locks for milliseconds. If it hangs, forks must not: the child gets a new core anyway.
PATIENCE = 5.0


def guard(locks: Callable[[], Iterable[threading.Lock]], in_child: Callable[[], None]) -> None:
    """Takes the locks while a process forks, and calls `in_child` in the child, which makes new ones."""
    held: list[threading.Lock] = []

    def before() -> None:
        for lock in locks():
            if lock.acquire(timeout=PATIENCE):
                held.append(lock)

    def after() -> None:
        while held:
            held.pop().release()

    def child() -> None:
        held.clear()
        in_child()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=before, after_in_parent=after, after_in_child=child)
