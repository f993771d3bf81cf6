"""What is public: `__all__` in every package, few calls, each with a docstring and annotations."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
from pathlib import Path

import pytest

from tests.architecture.source import FUNCTIONS, ROOT, Module, read

MODULES = read()
PACKAGES = [m.name for m in MODULES if m.package]


def is_call(value: object) -> bool:
    """Functions and classes that do something; result, option and error classes, constants and modules are not counted."""
    if not inspect.isclass(value):
        return callable(value)
    return not (dataclasses.is_dataclass(value) or hasattr(value, "model_fields") or issubclass(value, BaseException))


def test_every_folder_with_modules_is_a_package():
    folders = {p.parent for p in (ROOT / "sciml").rglob("*.py")}
    assert [str(f.relative_to(ROOT)) for f in sorted(folders) if not (f / "__init__.py").is_file()] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_all_of_a_package(package):
    module = importlib.import_module(package)
    names = getattr(module, "__all__", None)
    assert names is not None, f"{package} has no __all__"
    assert len(set(names)) == len(names)
    assert [n for n in names if n.startswith("_") and n != "__version__"] == []
    assert [n for n in names if not hasattr(module, n)] == []
    assert sum(is_call(getattr(module, n)) for n in names) <= 30


def undocumented(module: Module) -> list[str]:
    """Module, public functions, classes and methods without a docstring."""
    faults = [] if ast.get_docstring(module.tree) else [module.name]
    return faults + [name for name, node in module.public() if not ast.get_docstring(node) and not _overloaded(node)]


def _overloaded(node: ast.AST) -> bool:
    return any(ast.unparse(d).split(".")[-1] in ("overload", "setter") for d in getattr(node, "decorator_list", []))


def bare(module: Module) -> list[str]:
    """Functions (private ones too) without a return annotation or with an argument without one."""
    faults = []
    for node in ast.walk(module.tree):
        if isinstance(node, FUNCTIONS):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, *filter(None, [node.args.vararg, node.args.kwarg])]
            if node.returns is None or any(a.annotation is None and a.arg not in ("self", "cls") for a in arguments):
                faults.append(f"{module.name}:{node.lineno} {node.name}")
    return faults


def test_docstrings():
    assert [name for m in MODULES for name in undocumented(m)] == []


def test_annotations():
    assert [name for m in MODULES for name in bare(m)] == []


def test_no_prints_and_no_marks_of_unfinished_work():
    assert [f"{m.name}: {w}" for m in MODULES for w in ("TODO", "FIXME", "XXX", "raise NotImplementedError") if w in m.text] == []
    calls = [
        f"{m.name}:{n.lineno}" for m in MODULES for n in ast.walk(m.tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "print"
    ]
    assert [line for line in calls if not line.startswith("sciml.cli.")] == []


def test_loggers_are_named_after_their_module():
    wrong = []
    for m in MODULES:
        for node in ast.walk(m.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("logging.getLogger", "getLogger"):
                name = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
                own = isinstance(name, str) and name.startswith("sciml") and m.name.startswith(name)
                foreign = isinstance(name, str) and not name.startswith("sciml")  # to hear or quieten another library for a while
                if not (own or foreign or ast.unparse(node).endswith(("(__name__)", "(name)"))):
                    wrong.append(f"{m.name}:{node.lineno} {ast.unparse(node)}")
    assert wrong == []


def test_the_checks_see_planted_faults():
    bad = Module("m", "def f(x):\n    pass\n\n\nclass A:\n    def g(self) -> int:\n        return 1\n")
    assert undocumented(bad) == ["m", "m.f", "m.A", "m.A.g"]
    assert bare(bad) == ["m:1 f"]
    good = Module("m", '"""M."""\ndef f(x: int, *a: int) -> None:\n    """F."""\n\ndef _g() -> None: ...\n')
    assert undocumented(good) == bare(good) == []

    @dataclasses.dataclass
    class Result:
        pass

    assert [is_call(v) for v in (Result, ValueError, 3, len, Path)] == [False, False, False, True, True]
