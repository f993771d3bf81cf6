"""Loops compiled by numba, whose machine code is kept in our own cache folder and nowhere else."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from sciml.errors import SciMLError
from sciml.resources import cache_folder

__all__ = ["compiled", "keep_compiled", "prefer_wide"]

_log = logging.getLogger("sciml.compiling")
_PACKAGE = Path(__file__).resolve().parent


def compiled(*signature: Any, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator: numba's `njit(nogil=True, **options)`, kept under `cache_folder()/numba`; compiled at once for a `signature`, else at
    the first call.

    numba itself would write beside the source, or into a folder named by one setting for the whole process. The folder here is ours
    (mode 0700, owner checked); of numba's settings the width of vectors alone is touched (`prefer_wide`). Where it cannot be used each
    process compiles anew.
    """
    import numba

    prefer_wide()

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = numba.njit(nogil=True, **options)(function)
        keep_compiled(dispatcher, function)
        if signature:
            dispatcher.compile(*signature)
        return dispatcher

    return decorate


def prefer_wide() -> None:
    """Let numba use vectors as wide as the processor's, of which LLVM takes half by default: exact runs are a quarter faster.

    It holds where numba has compiled nothing yet and the user has set nothing; results are the same bits either way.
    """
    import llvmlite.binding as llvm
    from numba.core import config as untyped

    config: Any = untyped
    features = llvm.get_host_cpu_features()
    if features.get("avx512f") and config.CPU_NAME is None and config.CPU_FEATURES is None:
        config.CPU_FEATURES = f"{features.flatten()},-prefer-256-bit"


def keep_compiled(target: Any, function: Callable[..., Any]) -> None:
    """Let a dispatcher or a C callback of numba keep its machine code of `function` in our cache folder."""
    try:
        target._cache = _cache_of(function)
    except (ImportError, AttributeError, RuntimeError, OSError, SciMLError) as error:
        _log.info("%s: compiled code is not kept (%s)", function.__qualname__, error)


@cache
def _sources() -> str:
    """A name that changes with any module of the package: numba looks at the file of a function alone, not at what the function calls."""
    state = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        status = path.stat()
        state.update(f"{path.relative_to(_PACKAGE)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return state.hexdigest()[:16]


def _cache_of(function: Callable[..., Any]) -> Any:
    """numba's cache object with one place to look: `cache_folder()/numba/<package folder and its hash>`."""
    from numba.core import caching

    folder = cache_folder() / "numba" / _sources()

    class Locator(caching.UserProvidedCacheLocator):
        def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
            self._py_file = py_file
            self._lineno = py_func.__code__.co_firstlineno
            self._cache_path = str(folder / self.get_suitable_cache_subpath(py_file))

        @classmethod
        def from_function(cls, py_func: Callable[..., Any], py_file: str) -> Any:
            return super(caching.UserProvidedCacheLocator, cls).from_function(py_func, py_file)

    class Implementation(caching.CompileResultCacheImpl):
        _locator_classes = [Locator]  # noqa: RUF012

    class Cache(caching.FunctionCache):
        _impl_class = Implementation

    return Cache(function)
