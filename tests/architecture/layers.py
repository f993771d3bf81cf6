"""Who may import whom, as data. A name imports only names to its left (earlier rows); names of one row never import each other."""

from __future__ import annotations

from tests.architecture.source import Module

PACKAGE = (
    ("errors", "door"),
    ("files", "seeding", "devices", "units", "arguments", "trainer"),
    ("resources", "sandbox"),
    ("compiling",),
    ("nn", "report"),
    ("uncertainty",),
    ("materials", "biology"),
    ("workflow",),
    ("page",),
    ("cli",),
)
MATERIALS = (
    ("neighbors",),
    ("labels",),
    ("formats",),
    ("structure",),
    ("datasets",),
    ("graph",),
    ("kernels",),
    ("models",),
    ("calculator",),
    ("snapshot",),
    ("references",),
    ("potential",),
    ("model_card",),
    ("model_file",),
    ("prediction_file",),
    ("relaxation", "dynamics"),
    ("audit",),
    ("run_figures",),
    ("run_report",),
    ("training",),
    ("equation_of_state", "elasticity", "phonons", "properties"),
)
BIOLOGY = (
    ("distributions", "expressions", "probabilities"),
    ("formula", "plain_data"),
    ("parts", "sources"),
    ("network",),
    ("sbml",),
    ("antimony", "bionetgen", "sedml"),
    ("datasets",),
    ("model_file", "cell_tables", "measurement"),
    ("shipped_cells",),
    ("kernels",),
    ("structure", "rates", "law_forms"),
    ("simulation", "information"),
    ("summary", "drawing"),
    ("result_figures",),
    ("dose_simulation", "response_figures"),
    ("channel",),
    ("transmission", "cell", "fitting"),
    ("audit",),
)
ORDERS = {"sciml": PACKAGE, "sciml.materials": MATERIALS, "sciml.biology": BIOLOGY}


def targets(module: Module, names: set[str]) -> list[tuple[int, str]]:
    """(line, module of the package) for each import that stays inside the package; `from a import b` is a.b where that is a module."""
    found = []
    for line, name in module.imports():
        if name.split(".")[0] == "sciml":
            found.append((line, name if name in names else name.rpartition(".")[0] if name.rpartition(".")[0] in names else name))
    return found


def layer_faults(modules: list[Module], orders=ORDERS) -> list[str]:
    """Every import against the order, every import of a door from inside, every module that has no place."""
    names, faults = {m.name for m in modules}, []
    for door, rows in orders.items():
        place = {name: row for row, group in enumerate(rows) for name in group}
        inside = [m for m in modules if m.name.startswith(door + ".")]
        faults += [f"{m.name}: has no place in the order of {door}" for m in inside if _part(m.name, door) not in place]
        for module in inside:
            here = _part(module.name, door)
            for line, target in targets(module, names):
                there = _part(target, door)
                if target == door and door != "sciml":
                    faults.append(f"{module.name}:{line}: imports the door {door} from inside")
                elif there in place and here in place and there != here and place[there] >= place[here]:
                    faults.append(f"{module.name}:{line}: {here} may not import {there}")
    return faults


def cycles(modules: list[Module]) -> list[str]:
    """Modules that import each other round a circle, imports inside functions counted."""
    names = {m.name for m in modules}
    edges = {m.name: {t for _, t in targets(m, names) if t in names and t != m.name} for m in modules}
    while leaves := {name for name, out in edges.items() if not out}:
        edges = {name: out - leaves for name, out in edges.items() if name not in leaves}
    while roots := edges.keys() - set().union(*edges.values()):
        edges = {name: out for name, out in edges.items() if name not in roots}
    return sorted(edges)


def _part(name: str, door: str) -> str:
    """The name right below a door: sciml.materials.graph -> graph; empty for others."""
    return name[len(door) + 1 :].split(".")[0] if name.startswith(door + ".") else ""
