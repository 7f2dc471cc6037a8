"""
The disk spool: one file per undelivered batch. The directory is the only state, so processes may share it, in Python and in Node, and the next
process can continue after one was killed. A batch is delivered twice only if its process dies between the backend's answer and the removal of the
file.

    <time>-<number>-<owner>.<account>.<spans>.<size>.<state>

account: see `_digest`. A batch is sent only to the account that it was written for.
state: `temp-<owner>` while it is written, `ready`, `held-<owner>` while a process sends it, `bad` if it is damaged.
owner: machine, process, instance. The file: MAGIC, SHA-256 of the rest, an ExportTraceServiceRequest.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import socket
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ._types import SpoolSettings, Warn

MAGIC = b"gspool1\n"
HEADER = len(MAGIC) + 32
SCAN_INTERVAL = 30.0
# Minimum interval between two reads of a full directory, in seconds.
LIST_INTERVAL = 1.0
# A process that has held a file for this long is considered dead, on whatever machine, in seconds.
LEASE = 600.0
# Open neither links nor files that block, such as pipes. Not every system has both flags.
READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
# Errors that mean that the process lacks a resource for the moment; the file is not at fault.
SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)

_NAME = re.compile(r"(\d+-\d+-[\w-]+\.([0-9a-f]{8}|[0-9a-f]{32})\.(\d{1,9})\.(\d{1,12}))\.(temp|ready|held|bad)(?:-([\w-]+))?", re.ASCII)
# The instances of this process. After a restart, a process may have the number of a dead one.
_alive: set[str] = set()


def _machine() -> str:
    """FNV-1a of the name of the machine."""
    hash = 0x811C9DC5
    for byte in socket.gethostname().encode():
        hash = (hash ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{hash:08x}"


def _digest(account: str) -> str:
    """
    The account in file names: 128 bits of PBKDF2-HMAC-SHA-256 over the whole account, including credentials. File names are visible to everyone who
    may list the directory. The salt is constant, so that every process finds its batches. A guess at a credential costs 10,000 rounds.
    """
    return hashlib.pbkdf2_hmac("sha256", account.encode(), b"genspan spool", 10_000, 16).hex()


def _unlink(path: str) -> bool:
    """Returns True if it succeeded. In a shared directory, another process may have been faster."""
    try:
        os.unlink(path)
        return True
    except OSError:
        return False


def _rename(path: str, to: str) -> bool:
    try:
        os.rename(path, to)
        return True
    except OSError:
        return False


@dataclass(frozen=True)
class File:
    base: str
    key: str
    spans: int
    size: int
    state: str
    owner: str


def parse(name: str) -> File | None:
    found = _NAME.fullmatch(name)
    return found and File(found[1], found[2], int(found[3]), int(found[4]), found[5], found[6] or "")


@dataclass
class Stored:
    """A batch that was read back."""

    copy: int
    """Its number, for `remove` and `release`."""
    spans: int
    body: bytes


class Spool:
    """Stores undelivered batches on disk. No method raises."""

    scan_interval = SCAN_INTERVAL

    def __init__(self, settings: SpoolSettings, accounts: list[str], warn: Warn | Callable[..., None]) -> None:
        self._dir = settings.dir
        self._most = settings.max_bytes
        self._warn = warn
        self._lock = threading.RLock()
        self._here = _machine()
        self._owner = f"{self._here}-{os.getpid()}-{secrets.token_hex(4)}"
        _alive.add(self._owner)
        self._keys = [_digest(account) for account in accounts]
        # Batches by account, oldest first, as of the last read of the directory. A rename shows whether one still exists.
        self._ready: dict[str, list[File]] = {}
        self._bad: list[File] = []
        # Unreadable files, by base. They stay in place, because they may belong to another user.
        self._unreadable: set[str] = set()
        self._held: dict[int, tuple[File, str]] = {}
        self._files = self._bytes = self._dropped = self._quarantined = 0
        self._number = self._copies = 0
        self._listed_at = self._scanned_at = float("-inf")
        self._is_open = False

    def _open(self) -> None:
        if self._is_open:
            return
        os.makedirs(self._dir, 0o700, exist_ok=True)
        others = sum(file.state == "ready" and file.key not in self._keys for file in self._list())
        self._is_open = True
        if others:
            owners = "another account, another destination or an older version"
            self._failed(f"has batches of {owners}, which are left untouched ({others})")

    def put(self, destination: int, spans: int, body: bytes) -> bool:
        """Returns True once the batch is safely stored, and False if it cannot be."""
        with self._lock:
            size = HEADER + len(body)
            base = f"{int(time.time() * 1000):015}-{self._number:06}-{self._owner}.{self._keys[destination]}.{spans}.{size}"
            self._number += 1
            temp = self._path(base, f"temp-{self._owner}")
            try:
                self._open()
                if not self._make_room(size):
                    return False
                with os.fdopen(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "wb") as file:
                    file.write(MAGIC + hashlib.sha256(body).digest())
                    file.write(body)
                    file.flush()
                    os.fsync(file.fileno())
                os.rename(temp, self._path(base, "ready"))
                self._sync_directory()
            except OSError as error:
                self._failed("cannot be written", error)
                _unlink(temp)
                return False
            file_ = parse(f"{base}.ready")
            if file_:
                self._files += 1
                self._bytes += size
                self._of(file_.key).append(file_)
            return True

    def has(self, destination: int) -> bool:
        """Returns True if there may be a batch for this destination."""
        with self._lock:
            return bool(self._of(self._keys[destination]))

    def take(self, destination: int) -> Stored | None:
        with self._lock:
            try:
                self._open()
                files = self._of(self._keys[destination])
                while files:
                    stored = self._hold(files.pop(0))
                    if stored:
                        return stored
            except OSError as error:
                self._failed("cannot be read", error)
            return None

    def _hold(self, file: File) -> Stored | None:
        """Reads a batch and then claims it, so that a file that this process cannot read stays available to the others."""
        ready = self._path(file.base, "ready")
        try:
            body = self._read(ready, file.size)
        except OSError as error:
            if error.errno in SHORTAGES:
                raise
            # If the file is gone, another process was faster.
            if error.errno != errno.ENOENT:
                self._unreadable.add(file.base)
                self._quarantined += 1
                self._gone(file)
                self._failed("has an unreadable batch, which is skipped", error)
            return None
        state = "bad" if body is None else f"held-{self._owner}"
        path = self._path(file.base, state)
        if not _rename(ready, path):
            return None
        if body is None:
            self._quarantined += 1
            self._dropped += file.spans
            self._bad.append(replace(file, state=state))
            self._failed("has a damaged file, which was renamed to .bad")
            return None
        try:
            os.utime(path)
        except OSError:
            pass
        self._copies += 1
        self._held[self._copies] = (file, path)
        return Stored(self._copies, file.spans, body)

    def _read(self, path: str, size: int) -> bytes | None:
        """The content of a file, or None if it is damaged."""
        with os.fdopen(os.open(path, READ), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, "it is not a file")
            if found.st_size != size:
                return None
            everything = file.read()
        body = everything[HEADER:]
        return body if everything[:HEADER] == MAGIC + hashlib.sha256(body).digest() else None

    def remove(self, copy: int) -> None:
        with self._lock:
            held = self._held.pop(copy, None)
            if held and _unlink(held[1]):
                self._gone(held[0])

    def release(self, copy: int) -> None:
        with self._lock:
            held = self._held.pop(copy, None)
            if held and _rename(held[1], self._path(held[0].base, "ready")):
                self._of(held[0].key).insert(0, held[0])

    def close(self) -> None:
        with self._lock:
            for copy in list(self._held):
                self.release(copy)
            _alive.discard(self._owner)

    def stats(self) -> dict[str, int]:
        return {"files": self._files, "bytes": self._bytes, "dropped": self._dropped, "quarantined": self._quarantined}

    def is_due(self) -> bool:
        return time.monotonic() - self._scanned_at >= SCAN_INTERVAL

    def scan(self) -> None:
        """Takes over the files of dead owners, and finds out which destinations have batches."""
        with self._lock:
            self._scanned_at = time.monotonic()
            try:
                self._open()
                for file in self._list():
                    if file.state not in ("held", "temp") or not self._is_dead(file):
                        continue
                    path = self._path(file.base, f"{file.state}-{file.owner}")
                    if file.state == "temp":
                        _unlink(path)
                    elif _rename(path, self._path(file.base, "ready")):
                        self._of(file.key).insert(0, replace(file, state="ready", owner=""))
            except OSError as error:
                self._failed("fails" if self._is_open else "cannot be created", error)

    def _path(self, base: str, state: str) -> str:
        return os.path.join(self._dir, f"{base}.{state}")

    def _of(self, key: str) -> list[File]:
        return self._ready.setdefault(key, [])

    def _gone(self, file: File) -> None:
        self._files -= 1
        self._bytes -= file.size

    def _list(self) -> list[File]:
        found = [parse(name) for name in sorted(os.listdir(self._dir))]
        files = [file for file in found if file and file.base not in self._unreadable]
        self._listed_at = time.monotonic()
        self._files = len(files)
        self._bytes = sum(file.size for file in files)
        self._ready.clear()
        for file in files:
            if file.state == "ready":
                self._of(file.key).append(file)
        self._bad = [file for file in files if file.state == "bad"]
        return files

    def _make_room(self, size: int) -> bool:
        """Deletes damaged files first, then the oldest, until there is space; `size` is that of the batch."""
        if size > self._most:
            return False
        if self._bytes + size > self._most and time.monotonic() - self._listed_at > LIST_INTERVAL:
            self._list()
        while self._bytes + size > self._most:
            file = self._bad.pop(0) if self._bad else self._oldest()
            if file is None:
                return False
            if not _unlink(self._path(file.base, file.state)):
                continue
            self._gone(file)
            if file.state == "bad":
                continue
            self._dropped += file.spans
            self._failed("is full; the oldest batches are dropped")
        return True

    def _oldest(self) -> File | None:
        lists = [files for files in self._ready.values() if files]
        return min(lists, key=lambda files: files[0].base).pop(0) if lists else None

    def _is_dead(self, file: File) -> bool:
        machine, _, rest = file.owner.partition("-")
        pid = rest.partition("-")[0]
        if machine == self._here and pid.isdigit():
            if int(pid) == os.getpid():
                return file.owner not in _alive
            # On Windows, this would end the process.
            if os.name == "posix":
                try:
                    os.kill(int(pid), 0)
                except (OSError, OverflowError) as error:
                    return isinstance(error, ProcessLookupError)
        try:
            return time.time() - os.stat(self._path(file.base, f"{file.state}-{file.owner}")).st_mtime > LEASE
        except OSError:
            return False

    def _sync_directory(self) -> None:
        """Syncs the directory: without that, the name may be lost in a power failure. Not every system permits it."""
        try:
            directory = os.open(self._dir, os.O_RDONLY)
        except OSError:
            return
        try:
            os.fsync(directory)
        except OSError:
            # The file itself is safe.
            pass
        finally:
            os.close(directory)

    def _failed(self, what: str, error: OSError | None = None) -> None:
        code = errno.errorcode.get(error.errno or 0, str(error.strerror)) if error else ""
        self._warn(f"the spool {self._dir} {what}", code)
