"""Machine code of generated programs as files in the cache folder: a second use needs neither the compiler nor the time to load it.

numba compiles at the first use. What it made is kept with a digest, under a name that says program, processor and versions, and linked by
LLVM itself later on. Only code that calls nothing but other programs by address and the C library is kept so.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sciml import files
from sciml.compiling import prefer_wide
from sciml.errors import SciMLError
from sciml.resources import cache_folder

__all__ = ["Code", "machine_code"]

_log = logging.getLogger("sciml.biology.kernels")
_lock = threading.Lock()
_loaded: dict[str, Code] = {}
_C_LIBRARY = frozenset(("memcpy", "memset", "memmove", "exp", "log", "pow", "sqrt"))


@dataclass(frozen=True)
class Code:
    """A function of machine code: where it lies, and what keeps it there."""

    address: int
    keeper: Any


def machine_code(text: str, build: Callable[[], Any]) -> Code:
    """The function that `text` names: the same text must always mean the same program. `build` gives numba's C callback of it."""
    name = hashlib.sha256("\n".join([text, *_machine()]).encode()).hexdigest()[:40]
    with _lock:
        if name not in _loaded:
            _loaded[name] = _kept(name) or _built(name, build)
        return _loaded[name]


@cache
def _machine() -> tuple[str, ...]:
    """What machine code depends on beside its program."""
    import llvmlite.binding as llvm

    return "wide", llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), version("numba"), version("llvmlite")


def _path(name: str) -> Path:
    return cache_folder() / "objects" / f"{name}.o"


def _kept(name: str) -> Code | None:
    """What lies in the cache folder, where its digest holds."""
    try:
        data = _path(name).read_bytes()
    except (OSError, SciMLError):
        return None
    digest, _, rest = data.partition(b"\n")
    symbol, _, code = rest.partition(b"\n")
    if files.digest(rest).encode() != digest:
        _log.warning("%s: damaged, made anew", _path(name))
        return None
    return _linked(symbol.decode(), code)


def _linked(symbol: str, code: bytes) -> Code:
    """Machine code linked into this process."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return Code(engine.get_function_address(symbol), engine)


def _built(name: str, build: Callable[[], Any]) -> Code:
    """Compile it, and keep it where it stands on its own."""
    prefer_wide()
    made = build()
    library = made._library  # numba has no public way to the object it made
    foreign = set(re.findall(r"^declare [^@]*@\"?([\w.$]+)", library.get_llvm_str(), re.M))
    foreign = {f for f in foreign if not f.startswith("llvm.")} - _C_LIBRARY
    if foreign:
        _log.info("machine code is not kept: it calls %s", ", ".join(sorted(foreign)))
    else:
        rest = made._wrapper_name.encode() + b"\n" + library._get_compiled_object()
        try:
            _path(name).parent.mkdir(mode=0o700, exist_ok=True)
            files.write_bytes(_path(name), files.digest(rest).encode() + b"\n" + rest)
        except (OSError, SciMLError) as error:
            _log.info("machine code is not kept: %s", error)
    return Code(made.address, made)
