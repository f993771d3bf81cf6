"""The package as data: its modules, what each imports (also inside functions), its functions and its public names."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Module:
    """One module: dotted name, text, whether it is a package's `__init__`."""

    name: str
    text: str
    package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    def imports(self) -> list[tuple[int, str]]:
        """(line, dotted name) of everything imported, at any depth; relative names resolved; `importlib.import_module("...")` too."""
        found = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [(node.lineno, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                found += [(node.lineno, a.value) for a in node.args[:1] if isinstance(a, ast.Constant)]
        return found

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        here = parts[: len(parts) - node.level + (1 if self.package else 0)]
        return ".".join([*here, *filter(None, [node.module])])

    def functions(self) -> list[tuple[str, int]]:
        """(name:line, lines) of every function, methods and inner ones too; decorators do not count."""
        return [
            (f"{self.name}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1)
            for node in ast.walk(self.tree)
            if isinstance(node, FUNCTIONS)
        ]

    def public(self) -> list[tuple[str, ast.AST]]:
        """Public functions, classes and methods: (dotted name, node)."""
        return list(_public(self.tree, self.name))


def _public(node: ast.AST, prefix: str):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*FUNCTIONS, ast.ClassDef)) and not child.name.startswith("_"):
            yield f"{prefix}.{child.name}", child
            if isinstance(child, ast.ClassDef):
                yield from _public(child, f"{prefix}.{child.name}")


def read(root: Path = ROOT) -> list[Module]:
    """Every module below root/sciml."""
    found = []
    for path in sorted((root / "sciml").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        package = parts[-1] == "__init__"
        found.append(Module(".".join(parts[:-1] if package else parts), path.read_text("utf-8"), package))
    return found
