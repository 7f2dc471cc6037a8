"""
The core behind its plain C interface (docs/embedding.md): as a native library through ctypes or, where there is none, as a WebAssembly module through
the package wasmtime. It does not know OpenTelemetry.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from struct import Struct
from typing import Any, Protocol

from ._fork import guard

ABI_VERSION = 1
REFUSED = -1
BROKEN = -2

_HERE = os.path.join(os.path.dirname(__file__), "_native")
_LIBRARY = {"darwin": "libgenspan.dylib", "win32": "genspan.dll"}.get(sys.platform, "libgenspan.so")
_MODULE = "genspan.wasm"
_WASMTIME = 'run pip install "genspan[wasm]"'


class Refused(ValueError):
    """The core refused its input."""


class Fault(RuntimeError):
    """A defect of genspan: what this handle held is lost, and it takes nothing more."""


class Unavailable(RuntimeError):
    """The core cannot run here."""


class Result:
    """What a call returned besides its number."""

    __slots__ = ("body", "destination", "id", "kind", "message", "number", "spans", "wake")

    def __init__(self, number: int, body: bytes, message: str, fields: tuple[int, int, int, int, float]) -> None:
        self.number = number
        self.body = body
        self.message = message
        self.id, self.spans, self.destination, self.kind, self.wake = fields


class Engine(Protocol):
    """One core. At most one thread may call it at a time."""

    def call(self, name: str, *args: int | float | bytes) -> Result:
        """Calls a function of the interface, without its last argument. Bytes become their address and length. Raises Refused or Fault."""
        ...

    def make(self, name: str, json: bytes, *args: int) -> int:
        """Calls a function that makes a handle. Raises Refused."""
        ...

    def drop(self, name: str, handle: int) -> None:
        """Frees a handle."""


def _checked(result: Result) -> Result:
    if result.number == REFUSED:
        raise Refused(result.message)
    if result.number < 0:
        raise Fault(result.message)
    return result


# ---- native

_POINTER = ctypes.c_void_p
_SIZE = ctypes.c_size_t
_U32 = ctypes.c_uint32
_I32 = ctypes.c_int32
_DOUBLE = ctypes.c_double
_BYTES = [ctypes.c_char_p, _SIZE]

# The arguments of each function, without the result.
_FUNCTIONS: dict[str, list[Any]] = {
    "gs_intern": [_POINTER, *_BYTES],
    "gs_scope": [_POINTER, *_BYTES],
    "gs_resource": [_POINTER, *_BYTES],
    "gs_records": [_POINTER, *_BYTES, _DOUBLE],
    "gs_poll": [_POINTER, _DOUBLE],
    "gs_response": [_POINTER, _U32, _U32, _DOUBLE, *_BYTES, _DOUBLE],
    "gs_failure": [_POINTER, _U32, _DOUBLE],
    "gs_stored": [_POINTER, _U32, _I32, _DOUBLE],
    "gs_wants": [_POINTER, _U32, _DOUBLE],
    "gs_restore": [_POINTER, _U32, _U32, _U32, *_BYTES],
    "gs_released": [_POINTER],
    "gs_flush": [_POINTER, _DOUBLE],
    "gs_settled": [_POINTER, _I32],
    "gs_close": [_POINTER, _DOUBLE],
    "gs_segment": [_POINTER, *_BYTES],
    "gs_is_name": [_POINTER, *_BYTES],
    "gs_stats": [_POINTER],
    "gs_wanted": [_POINTER],
    "gs_convert": [_POINTER, *_BYTES],
    "gs_explain": [_POINTER, *_BYTES],
    "gs_version": [],
}
_MAKERS: dict[str, list[Any]] = {
    "gs_open": [*_BYTES, _U32, _U32, _U32],
    "gs_converter": [*_BYTES, _U32, _U32],
}
_DROPS = ("gs_drop", "gs_converter_drop", "gs_result_free")


class _GsResult(ctypes.Structure):
    _fields_ = (
        ("ptr", _POINTER),
        ("len", _SIZE),
        ("message", _POINTER),
        ("message_len", _SIZE),
        ("id", _U32),
        ("spans", _U32),
        ("destination", _U32),
        ("kind", _U32),
        ("wake", _DOUBLE),
    )


def _load(path: str) -> ctypes.CDLL:
    library = ctypes.CDLL(path)
    library.gs_abi_version.restype = _U32
    version = library.gs_abi_version()
    if version != ABI_VERSION:
        raise OSError(f"{path} has version {version} of the interface, not {ABI_VERSION}; install one version of genspan")
    library.gs_result_new.restype = _POINTER
    for name, args in _FUNCTIONS.items():
        getattr(library, name).argtypes = [*args, _POINTER]
        getattr(library, name).restype = _I32
    for name, args in _MAKERS.items():
        getattr(library, name).argtypes = [*args, _POINTER]
        getattr(library, name).restype = _POINTER
    for name in _DROPS:
        getattr(library, name).argtypes = [_POINTER]
        getattr(library, name).restype = None
    return library


class Native:
    """The core in a shared library. ctypes releases the GIL during each call."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._result = library.gs_result_new()
        self._shown = _GsResult.from_address(self._result)

    def __del__(self) -> None:
        self._library.gs_result_free(self._result)

    def _answer(self, number: int) -> Result:
        shown = self._shown
        body = ctypes.string_at(shown.ptr, shown.len) if shown.len else b""
        message = ctypes.string_at(shown.message, shown.message_len).decode("utf-8", "replace") if shown.message_len else ""
        return Result(number, body, message, (shown.id, shown.spans, shown.destination, shown.kind, shown.wake))

    def call(self, name: str, *args: int | float | bytes) -> Result:
        given: list[Any] = []
        for arg in args:
            given.append(arg)
            if isinstance(arg, bytes):
                given.append(len(arg))
        return _checked(self._answer(getattr(self._library, name)(*given, self._result)))

    def make(self, name: str, json: bytes, *args: int) -> int:
        handle = getattr(self._library, name)(json, len(json), *args, self._result)
        if not handle:
            raise Refused(self._answer(REFUSED).message)
        return int(handle)

    def drop(self, name: str, handle: int) -> None:
        getattr(self._library, name)(handle)


# ---- WebAssembly

_RESULT = Struct("<IIIIIIIId").unpack
_RESULT_SIZE = 40


class Wasm:
    """The core in an instance of its own of the module, so that a trap destroys no other one."""

    def __init__(self, engine: Any, module: Any) -> None:
        import wasmtime

        self._store = wasmtime.Store(engine)
        exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        self._exports: Any = exports
        self._memory: Any = exports["memory"]
        self._result = self._function("gs_result_new")
        self._area = (0, 0)
        self._fault = ""

    def _function(self, name: str, *args: int | float) -> int:
        found: int = self._exports[name](self._store, *args)
        return found & 0xFFFFFFFF if name in _ADDRESSES else found

    def _read(self, at: int, length: int) -> bytes:
        return bytes(self._memory.read(self._store, at, at + length)) if length else b""

    def _answer(self, number: int) -> Result:
        at, length, message, message_length, *fields = _RESULT(self._read(self._result, _RESULT_SIZE))
        text = self._read(message, message_length).decode("utf-8", "replace")
        return Result(number, self._read(at, length), text, tuple(fields))

    def _write(self, data: bytes) -> int:
        at, size = self._area
        if size < len(data):
            if size:
                self._function("gs_free", at, size)
            self._area = (0, 0)
            size = max(1 << 16, 1 << (len(data) - 1).bit_length())
            at = self._function("gs_alloc", size)
            if at == 0:
                raise Refused("out of memory")
            self._area = (at, size)
        self._memory.write(self._store, data, at)
        return at

    def _entered(self, name: str, args: tuple[int | float | bytes, ...]) -> int:
        import wasmtime

        if self._fault:
            raise Fault(self._fault)
        try:
            given: list[int | float] = []
            for arg in args:
                given.extend((self._write(arg), len(arg)) if isinstance(arg, bytes) else (arg,))
            # i32 has a sign here.
            return self._function(name, *(_signed(arg) for arg in given), self._result)
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            self._fault = f"genspan: internal fault ({str(error).splitlines()[0]})"
            raise Fault(self._fault) from None

    def call(self, name: str, *args: int | float | bytes) -> Result:
        return _checked(self._answer(self._entered(name, args)))

    def make(self, name: str, json: bytes, *args: int) -> int:
        handle = self._entered(name, (json, *args))
        if not handle:
            raise Refused(self._answer(REFUSED).message)
        return handle

    def drop(self, name: str, handle: int) -> None:
        if not self._fault:
            self._function(name, _signed(handle))


_ADDRESSES = ("gs_result_new", "gs_alloc", "gs_open", "gs_converter")


def _signed(number: int | float) -> int | float:
    return number - (1 << 32) if isinstance(number, int) and number >= 1 << 31 else number


# ---- which one

# Held while the library or the module is loaded.
_lock = threading.Lock()
_library: ctypes.CDLL | None = None
_module: tuple[Any, Any] | None = None


def _after_fork_in_child() -> None:
    global _lock
    _lock = threading.Lock()


guard(lambda: [_lock], _after_fork_in_child)


def _native() -> Engine:
    global _library
    with _lock:
        _library = _library or _load(os.environ.get("GENSPAN_LIBRARY") or os.path.join(_HERE, _LIBRARY))
    return Native(_library)


def _wasm() -> Engine:
    global _module
    import wasmtime

    with _lock:
        if _module is None:
            config = wasmtime.Config()
            # The threads that would compile do not exist in a forked process.
            config.parallel_compilation = False
            engine = wasmtime.Engine(config)
            _module = (engine, wasmtime.Module.from_file(engine, os.environ.get("GENSPAN_WASM") or os.path.join(_HERE, _MODULE)))
    return Wasm(*_module)


def engine() -> Engine:
    """
    A core of its own: the native library, or the WebAssembly module where there is none or GENSPAN_ENGINE is `wasm`. Raises Unavailable.
    """
    wanted = os.environ.get("GENSPAN_ENGINE", "")
    if wanted not in ("", "native", "wasm"):
        raise Unavailable(f'genspan: GENSPAN_ENGINE: "{wanted}" is unknown; use "native" or "wasm"')
    why: BaseException | None = None
    if wanted != "wasm":
        try:
            return _native()
        except (OSError, AttributeError) as error:
            if wanted == "native":
                raise Unavailable(f"genspan: the native library cannot be loaded ({error}); {_WASMTIME}, and leave GENSPAN_ENGINE unset") from None
            why = error
    try:
        return _wasm()
    except ImportError:
        because = f"the native library cannot be loaded ({why}), and " if why else ""
        raise Unavailable(f"genspan: {because}the package wasmtime is not installed; {_WASMTIME}") from None
    except Exception as error:
        raise Unavailable(f"genspan: the core cannot be loaded ({why or error}); install a wheel for this platform") from None
