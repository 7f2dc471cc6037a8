"""
Puts the core into a wheel: the native library of `make abi`, or one that cargo builds here from the sources that the sdist has in `rust/`. The wheel is for
any Python 3 of one platform; without a native library (GENSPAN_PURE=1) it is for every platform, and has the WebAssembly module alone.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).parent
NATIVE = HERE / "src" / "genspan" / "_native"
LIBRARY = {"darwin": "libgenspan.dylib", "win32": "genspan.dll"}.get(sys.platform, "libgenspan.so")
MODULE = "genspan.wasm"


class CustomBuildHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "sdist":
            build_data["force_include"].update(_sources())
        elif version != "editable":
            _fill()
            build_data["artifacts"].append("src/genspan/_native/*")
            pure = os.environ.get("GENSPAN_PURE") == "1"
            build_data["pure_python"] = pure
            build_data["tag"] = "py3-none-any" if pure else f"py3-none-{_platform()}"


def _platform() -> str:
    return os.environ.get("GENSPAN_PLATFORM") or re.sub(r"[.-]", "_", sysconfig.get_platform())


def _fill() -> None:
    """Copies what was built, and builds what is missing."""
    NATIVE.mkdir(exist_ok=True)
    pure = os.environ.get("GENSPAN_PURE") == "1"
    for name in (LIBRARY, MODULE):
        built = HERE.parent / "abi" / "dist" / name
        if built.exists() and (HERE.parent / "abi" / "Cargo.toml").exists():
            shutil.copyfile(built, NATIVE / name)
    if pure:
        (NATIVE / LIBRARY).unlink(missing_ok=True)
    needed = NATIVE / (MODULE if pure else LIBRARY)
    if needed.exists():
        return
    rust = HERE / "rust"
    if pure or not rust.exists():
        raise SystemExit(f"genspan: {needed.name} is missing; run make abi first")
    with tempfile.TemporaryDirectory() as target:
        subprocess.run(["cargo", "build", "--lib", "--profile", "native", "-p", "genspan-abi", "--target-dir", target], cwd=rust, check=True)
        shutil.copyfile(Path(target) / "native" / LIBRARY.replace("genspan", "genspan_abi"), needed)


def _sources() -> dict[str, str]:
    """The Rust sources of the core and of its C interface, for an sdist that is made in the repository."""
    root = HERE.parent
    if not (root / "abi" / "Cargo.toml").exists():
        # An sdist of an sdist has them already.
        return {}
    made = Path(tempfile.mkdtemp())
    files = {}
    for name in ("Cargo.toml", "abi/Cargo.toml"):
        manifest = (root / name).read_text()
        manifest = re.sub(r"^members = .*$", 'members = [".", "abi"]', manifest, flags=re.M)
        # Targets whose files are not there, and what only they and the tests need.
        manifest = re.sub(r"^\[(\[(bench|example|bin)\]|dev-dependencies)\]\n(?:[^\[\n].*\n|\n)*", "", manifest, flags=re.M)
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text(manifest)
        files[made / name] = f"rust/{name}"
    for name in ("README.md", "Cargo.lock", "src", "abi/src", "abi/include"):
        files[root / name] = f"rust/{name}"
    return {str(path): name for path, name in files.items()}
