"""What all commands share: options, output, exit codes, one clear line for an error."""

from __future__ import annotations

import functools
import io
import json
import logging
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from sciml.errors import ConfigError, SciMLError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Device", "Dtype", "Json", "Out", "Overwrite", "Quiet", "Seed", "Threads", "Verbose", "command", "emit", "new_file", "pairs"]

P = ParamSpec("P")

Seed = Annotated[int, typer.Option("--seed", help="Start of every random number; the same seed gives the same result.")]
Device = Annotated[str, typer.Option("--device", help="auto (CUDA, else CPU), cpu, cuda or cuda:N.")]
Dtype = Annotated[str, typer.Option("--dtype", help="Precision of the network: float32 or float64.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more on stderr; show the traceback of an error.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors (and the JSON, if asked for).")]
Out = Annotated[Path, typer.Option("--out", help="Where the result is written.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file at --out.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Threads; default SCIML_NUM_THREADS, else what the machine grants.")]

_ARGUMENT = re.compile(
    r"(?<![^\s(])(resume|cell|symbols|units|keys|initial|substance)=(True|\{[^{}]*\}|'\w+'|)(?=[\s,;:)]|\.?(?:\s|$))"
)  # a whole word


def command(function: Callable[P, None]) -> Callable[P, None]:
    """A command: a SciMLError becomes one line on stderr and its exit code, an interrupt 130, SIGTERM 143, anything else 1."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        verbose, quiet = bool(kwargs.get("verbose")), bool(kwargs.get("quiet"))
        typed = [str(value) for value in kwargs.values() if isinstance(value, str | Path)]
        with _logging(verbose, quiet), _sigterm():
            code = _outcome(lambda: function(*args, **kwargs), verbose, typed)
        if code:
            raise typer.Exit(code)

    return run


def _outcome(work: Callable[[], None], verbose: bool, typed: Iterable[str]) -> int:
    """Run `work` and return its exit code, after saying what went wrong; words that were `typed` are said as they are."""
    try:
        work()
    except SciMLError as error:
        return _fail(_with_flags(str(error), typed), error.exit_code, verbose)
    except KeyboardInterrupt:
        return _fail("interrupted; what was saved is kept", 130, verbose=False)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
        return _fail("ended by SIGTERM; what was saved is kept", code, verbose=False) if code == 143 else code
    except BrokenPipeError:  # the reader has gone, as in `| head`
        sys.stdout = io.StringIO()
        return 1
    except typer.Exit as error:
        return int(error.exit_code)
    except (OSError, MemoryError) as error:
        return _fail(f"{type(error).__name__}: {error}", 1, verbose)
    except Exception as error:  # a fault of ours: one line too, -v shows where
        return _fail(f"unexpected {type(error).__name__}: {error} (-v shows where; please report it)", 1, verbose)
    return 0


def _fail(message: str, code: int, verbose: bool) -> int:
    if verbose:
        traceback.print_exc()
    print(f"sciml: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    return code


def _with_flags(message: str, typed: Iterable[str]) -> str:
    """Arguments of Python in a message as options: cell=True -> --cell, units={"energy": "Ry"} -> --units energy=Ry, keys= -> --keys.

    Only where they stand as words by themselves, and not within what was `typed`: a path may hold anything.
    """
    kept = [re.escape(text) for text in typed if _ARGUMENT.search(text)]
    parts = re.split(f"({'|'.join(kept)})", message) if kept else [message]
    parts[::2] = [_ARGUMENT.sub(_flag, part) for part in parts[::2]]
    return "".join(parts)


def _flag(argument: re.Match[str]) -> str:
    name, value = argument.groups()
    words = re.sub(r"[{}'\" ]", "", value).replace(":", "=") if value != "True" else ""
    return f"--{name} {words}".rstrip()


def emit(result: Mapping[str, Any], text: str, *, as_json: bool, quiet: bool) -> None:
    """Print a result: as JSON if asked for, else `text` unless quiet. Infinite and missing numbers are null."""
    if as_json:
        print(json.dumps(_jsonable(result), indent=1, allow_nan=False))  # noqa: T201
    elif not quiet:
        _show(text)


def _show(text: str) -> None:
    """On a terminal with numbers and paths in colours, else plain."""
    if not sys.stdout.isatty():
        print(text)  # noqa: T201
        return
    from rich.console import Console

    Console(soft_wrap=True).print(text, markup=False, emoji=False)


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_jsonable(item) for item in value]
    if hasattr(value, "tolist"):
        return _jsonable(value.tolist())
    if isinstance(value, float):
        return value if value - value == 0 else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def pairs(option: str, values: Sequence[str], example: str = "energy=eV") -> dict[str, str]:
    """{"energy": "Ry"} from NAME=VALUE words, several in one word by commas. ConfigError, naming the option, for anything else."""
    found = {}
    for word in [part for value in values for part in value.split(",")]:
        name, sign, value = word.partition("=")
        if not (name.strip() and sign and value.strip()):
            raise ConfigError(f"{option}: found {word!r}, expected NAME=VALUE, as in {example}")
        found[name.strip()] = value.strip()
    return found


def settings(option: str, values: Sequence[str], example: str = "energy=eV") -> dict[str, Any]:
    """NAME=VALUE words whose values are JSON (numbers, true, lists) or else text. ConfigError as for `pairs`."""
    found: dict[str, Any] = {}
    for word in values:
        for name, text in pairs(option, [word], example).items():
            try:
                found[name] = json.loads(text)
            except ValueError:
                found[name] = text
    return found


def new_file(
    path: Path, *, overwrite: bool, source: Path | None = None, option: str = "--out", suffixes: Sequence[str] = (".extxyz", ".xyz")
) -> Path:
    """`path` where a file of these `suffixes` may be written; asked before any work is done.

    ConfigError, naming the `option`, for another suffix, a folder that is not there, `source`, and a file that exists (`overwrite`).
    """
    if path.suffix not in suffixes:
        raise ConfigError(f"{option}: found {path}, a name that ends in {suffixes[0]} would be right")
    if not path.parent.is_dir():
        state = "is no folder" if path.parent.exists() else "is not there"
        raise ConfigError(f"{option}: {path}: the folder {path.parent} {state}; make it, or give a name in one that is there")
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise ConfigError(f"{option}: {path} is the file that is read; give another name")
    if path.is_dir() or (path.exists() and not overwrite):
        raise ConfigError(f"{option}: {path} exists; give another name" + ("" if path.is_dir() else ", or --overwrite"))
    return path


@contextmanager
def _logging(verbose: bool, quiet: bool) -> Iterator[None]:
    """Messages of the library on stderr while the command runs: warnings, with -v what is done too, with -q errors only."""
    logger, level = logging.getLogger("sciml"), logging.getLogger("sciml").level
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.ERROR if quiet else logging.INFO if verbose else logging.WARNING)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def _sigterm() -> Iterator[None]:
    """Within the block SIGTERM ends the command by SystemExit(143), so that what is being written is put away."""

    def end(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
