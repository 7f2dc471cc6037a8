"""Sends what is left when the process is told to stop by SIGTERM, before what stopped it otherwise goes on."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

_registered: dict[int, tuple[Callable[[], object], float]] = {}
_previous: Any = None


def on_sigterm(key: int, shutdown: Callable[[], object], seconds: float) -> None:
    """Registers a function to call, and how long to wait for it. Raises ValueError on any thread but the main one."""
    global _previous
    if not _registered:
        _previous = signal.signal(signal.SIGTERM, _stop)
    _registered[key] = (shutdown, seconds)


def ignore(key: int) -> None:
    _registered.pop(key, None)


def _stop(number: int, frame: FrameType | None) -> None:
    # The thread that the signal interrupted may hold a lock, so another one does the work.
    threads = []
    for shutdown, seconds in list(_registered.values()):
        thread = threading.Thread(target=shutdown, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            continue
        threads.append((thread, seconds))
    for thread, seconds in threads:
        thread.join(seconds)
    _registered.clear()
    if callable(_previous):
        _previous(number, frame)
    elif _previous != signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
