"""No call in the package can run code found in a file, and every write goes through `sciml.files`. Read from the syntax tree."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.security.exceptions import UNSAFE_SOURCE

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "sciml").rglob("*.py"))
MODULES = {"pickle", "_pickle", "marshal", "dill", "joblib", "cloudpickle", "shelve", "yaml", "tarfile", "jsonpickle"}
NAMES = {"eval", "exec", "compile", "__import__"}
ATTRIBUTES = {
    "MontyDecoder",
    "load_from_checkpoint",
    "read_pickle",
    "to_pickle",
    "extractall",
    "unpack_archive",
    "literal_compile",
    "loadfn",
}
CALLED = {"os.system", "os.popen", "torch.jit.load", "torch.hub.load", "torch.package.PackageImporter", "runpy.run_path", "pty.spawn"}
WRITERS = {"write_text", "write_bytes", "save_file", "savez", "savetxt", "to_csv", "to_parquet", "to_json"}


def unsafe(node: ast.AST) -> bool:
    """A call or an import that can run code found in a file."""
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] in MODULES for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return ((node.module or "").split(".")[0] in MODULES and not node.level) or any(a.name in NAMES | ATTRIBUTES for a in node.names)
    if not isinstance(node, ast.Call):
        return False
    called = ast.unparse(node.func)
    flags = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
    return (
        called.removeprefix("builtins.") in NAMES
        or called.rsplit(".", 1)[-1] in ATTRIBUTES
        or called in CALLED
        or (called == "torch.load" and flags.get("weights_only") is not True)
        or any(k.arg == "allow_pickle" and getattr(k.value, "value", None) is not False for k in node.keywords)
        or any(k.arg == "shell" and getattr(k.value, "value", None) is not False for k in node.keywords)
        or (called.endswith("YAML") and flags.get("typ") == "unsafe")
    )


def writes(node: ast.AST) -> bool:
    """A call that writes a file by another way than `sciml.files`."""
    if not isinstance(node, ast.Call):
        return False
    called = ast.unparse(node.func)
    last = called.rsplit(".", 1)[-1]
    if last == "open" and not called.startswith(("os.", "gzip.", "bz2.", "lzma.")):
        mode = [a.value for a in [*node.args[:2], *(k.value for k in node.keywords if k.arg == "mode")] if isinstance(a, ast.Constant)]
        return any(isinstance(m, str) and set(m) <= set("rwaxbt+") and set(m) & set("wax+") for m in mode)
    return called in {"json.dump", "torch.save"} or (last in WRITERS and "." in called and not called.startswith("files."))


def folders(tree: ast.AST) -> set[str]:
    """Names that a module gives to a folder of `write_folder`: what is written into those becomes whole by one rename."""
    items = [item for node in ast.walk(tree) if isinstance(node, ast.With) for item in node.items]
    return {ast.unparse(i.optional_vars) for i in items if i.optional_vars and "write_folder(" in ast.unparse(i.context_expr)}


def loose_writes(text: str) -> list[int]:
    """Lines that write a file neither by `sciml.files` nor into a folder that it makes whole."""
    tree = ast.parse(text)
    safe = folders(tree)
    names = {node: {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} for node in ast.walk(tree) if writes(node)}
    return [node.lineno for node, used in names.items() if not used & safe]


def found(check, sources):
    return [f"{p.relative_to(ROOT)}:{node.lineno}" for p in sources for node in ast.walk(ast.parse(p.read_text("utf-8"))) if check(node)]


def test_no_unsafe_call():
    assert len(SOURCES) > 8
    assert [line for line in found(unsafe, SOURCES) if line.split(":")[0] not in UNSAFE_SOURCE] == []


def test_every_exception_is_still_needed():
    assert [name for name in UNSAFE_SOURCE if not found(unsafe, [ROOT / name])] == []


def test_every_write_goes_through_files():
    """`sandbox` writes to a pipe and to memory; everybody else calls `sciml.files`."""
    outside = {ROOT / "sciml" / "files.py", ROOT / "sciml" / "sandbox.py"}
    lines = [f"{p.relative_to(ROOT)}:{n}" for p in SOURCES if p not in outside for n in loose_writes(p.read_text("utf-8"))]
    assert lines == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "import yaml.loader",
        "from pickle import loads",
        "from monty.json import MontyDecoder",
        "from builtins import eval",
        "eval(text)",
        "builtins.exec(text)",
        "compile(text, 'x', 'exec')",
        "__import__(name)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "subprocess.run(line, shell=True)",
        "subprocess.run(line, shell=flag)",
        "os.system(line)",
        "Model.load_from_checkpoint(path)",
        "pd.read_pickle(path)",
        "archive.extractall(folder)",
        "YAML(typ='unsafe')",
    ],
)
def test_the_check_sees_what_it_must(line):
    assert any(unsafe(node) for node in ast.walk(ast.parse(line)))


@pytest.mark.parametrize(
    "line",
    ["torch.load(path, weights_only=True)", "np.load(path, allow_pickle=False)", "re.compile('x')", "model.eval()", "from . import x"],
)
def test_the_check_leaves_good_lines(line):
    assert not any(unsafe(node) for node in ast.walk(ast.parse(line)))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("open(path, 'w')", True),
        ("open(path, mode='ab')", True),
        ("path.open('x')", True),
        ("path.write_text('a')", True),
        ("json.dump(a, f)", True),
        ("torch.save(a, p)", True),
        ("np.savez(p, a=a)", True),
        ("open(path)", False),
        ("path.open('rb')", False),
        ("files.write_text(p, 'a')", False),
        ("write_text(p, 'a')", False),
        ("json.dumps(a)", False),
    ],
)
def test_the_check_of_writes(line, expected):
    assert any(writes(node) for node in ast.walk(ast.parse(line))) is expected


def test_a_folder_made_whole_may_be_written_into():
    text = "with files.write_folder(path) as place:\n    (place / 'a').write_text('a')\n(other / 'b').write_text('b')\n"
    assert loose_writes(text) == [3]
