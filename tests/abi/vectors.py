"""Makes the calls of tests/vectors through one engine: ENGINE FILE, where ENGINE is native (ctypes), wasmtime or wasm3. Prints each difference."""
import ctypes
import json
import math
import pathlib
import re
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests/vectors"


class Result(ctypes.Structure):
    _fields_ = [
        *[(name, ctypes.c_size_t) for name in ("ptr", "len", "message", "message_len")],
        *[(name, ctypes.c_uint32) for name in ("id", "spans", "destination", "kind")],
        ("wake", ctypes.c_double),
    ]


class Native:
    """The shared library, by the signatures of the header."""

    TYPES = {"double": ctypes.c_double, "size_t": ctypes.c_size_t, "uint32_t": ctypes.c_uint32, "int32_t": ctypes.c_int32, "void": None}

    def __init__(self, file):
        self.library = ctypes.CDLL(file)
        header = re.sub("//.*", "", (ROOT / "abi/include/genspan.h").read_text())
        for returned, name, parameters in re.findall(r"^(\w+ \**)(gs_\w+)\(([^)]*)\);", header, re.M):
            call = getattr(self.library, name)
            call.restype = self.type_of(returned)
            call.argtypes = [self.type_of(p) for p in parameters.split(",") if p != "void"]

    def type_of(self, declared):
        return ctypes.c_void_p if "*" in declared else self.TYPES[declared.split()[0]]

    def call(self, name, *args):
        return getattr(self.library, name)(*args)

    def write(self, data):
        self.kept = ctypes.create_string_buffer(data, max(1, len(data)))
        return ctypes.addressof(self.kept)

    def result(self, at):
        shown = Result.from_address(at)
        return shown.wake, shown, ctypes.string_at(shown.ptr, shown.len), ctypes.string_at(shown.message, shown.message_len)


class Module:
    """A module, in whose memory addresses have 32 bits."""

    def call(self, name, *args):
        returned = self.function(name)(*args)
        return 0 if returned is None else returned

    def write(self, data):
        at = self.call("gs_alloc", len(data)) & 0xFFFFFFFF
        self.store(at, data)
        return at

    def result(self, at):
        at &= 0xFFFFFFFF
        numbers = struct.unpack("<8Id", self.load(at, 40))
        shown = Result(*numbers)
        return shown.wake, shown, self.load(shown.ptr, shown.len), self.load(shown.message, shown.message_len)


class Wasmtime(Module):
    def __init__(self, file):
        import wasmtime

        self.context = wasmtime.Store()
        module = wasmtime.Module.from_file(self.context.engine, file)
        self.exports = wasmtime.Instance(self.context, module, []).exports(self.context)

    def function(self, name):
        export = self.exports[name]
        types = export.type(self.context).params
        return lambda *args: export(self.context, *[float(a) if str(t) == "f64" else int(a) for a, t in zip(args, types)])

    def load(self, at, length):
        return bytes(self.exports["memory"].read(self.context, at, at + length))

    def store(self, at, data):
        self.exports["memory"].write(self.context, data, at)


class Wasm3(Module):
    def __init__(self, file):
        import wasm3

        self.environment = wasm3.Environment()
        self.runtime = self.environment.new_runtime(1 << 20)
        self.module = self.environment.parse_module(pathlib.Path(file).read_bytes())
        self.runtime.load(self.module)

    def function(self, name):
        call = self.runtime.find_function(name)
        # 2 is an i32, 4 an f64.
        return lambda *args: call(*[float(a) if t == 4 else int(a) for a, t in zip(args, call.arg_types)])

    def load(self, at, length):
        return bytes(self.runtime.get_memory(0)[at : at + length])

    def store(self, at, data):
        self.runtime.get_memory(0)[at : at + len(data)] = data


def stored(value):
    if value is None:
        return b""
    return value["text"].encode() if "text" in value else (VECTORS / value["file"]).read_bytes()


def run(engine, steps, differs):
    result = engine.call("gs_result_new")
    handles = {}
    for number, step in enumerate(steps):
        data, name, args = stored(step.get("input")), step["call"], []
        at = engine.write(data)
        for arg in step["args"]:
            args += [at, len(data)] if arg == "input" else [handles[arg] if isinstance(arg, str) else arg]
        is_drop = name.endswith("drop")
        if isinstance(engine, Native):
            types = getattr(engine.library, name).argtypes
            args = [float(a) if t is ctypes.c_double else int(a) for a, t in zip(args, types)]
        returned = engine.call(name, *args, *([] if is_drop else [result]))
        if isinstance(engine, Module):
            engine.call("gs_free", at, len(data))
        if name in ("gs_open", "gs_converter"):
            handles["pipeline" if name == "gs_open" else "converter"] = returned
            returned = int(bool(returned))
        got = {"returns": returned or 0}
        expected = {"returns": step["returns"]}
        if not is_drop:
            wake, shown, got["bytes"], message = engine.result(result)
            got["wake"], got["message"] = wake, message.decode()
            expected["bytes"], expected["message"] = stored(step.get("bytes")), step.get("message", "")
            expected["wake"] = {None: math.inf, "now": -math.inf}.get(step.get("wake"), step.get("wake"))
            for field in ("id", "spans", "destination", "kind"):
                got[field], expected[field] = getattr(shown, field), step.get(field, 0)
        for field in got:
            if got[field] != expected[field]:
                differs(f"step {number}, {name}: {field} is {got[field]!r}, expected {expected[field]!r}")
    engine.call("gs_result_free", result)


def main(engine, file):
    files = sorted(VECTORS.glob("*.json"))
    differences = []
    for vector in files:
        made = {"native": Native, "wasmtime": Wasmtime, "wasm3": Wasm3}[engine](file)
        run(made, json.loads(vector.read_text())["steps"], lambda what: differences.append(f"{vector.name}: {what[:400]}"))
    print("\n".join(differences) or f"{len(files)} vectors are equal")
    return bool(differences) or not files


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
