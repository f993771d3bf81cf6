"""What a network's ids refer to: missing and double ids, what is determined twice, circles; all of it, in linear time."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from sciml.biology.sbml.context import Context
from sciml.biology.sbml.elements import Plain

__all__ = ["check"]


class Finder:
    """Ids of a plain network by kind, and the place for findings."""

    def __init__(self, context: Context, network: Plain) -> None:
        self.context, self.network = context, network
        kinds = ("compartments", "species", "parameters", "reactions")
        self.kind = {e["id"]: kind for kind in kinds for e in network[kind]}
        self.elements: dict[str, Plain] = {e["id"]: e for kind in kinds for e in network[kind]}
        named = [p for r in network["reactions"] for p in (*r["reactants"], *r["products"]) if "id" in p]
        self.kind |= {p["id"]: "participants" for p in named}
        self.elements |= {p["id"]: p for p in named}
        self.functions = {f["id"]: len(f["arguments"]) for f in network["functions"]}

    def refuse(self, line: int, what: str) -> None:
        """Note something that cannot be taken."""
        self.context.unsupported.append((line, what))

    def line(self, key: str) -> int:
        """The line of an element by the key under which it is kept; 0 where it is not known."""
        return self.context.lines.get(key, 0)


def check(context: Context, network: Plain) -> None:
    """Note everything in a plain network that refers to nothing, contradicts itself or goes round in a circle."""
    finder = Finder(context, network)
    _double_ids(finder)
    _places(finder)
    symbols = _formulas(finder)
    _determined(finder)
    _circles(finder, symbols)


def _double_ids(finder: Finder) -> None:
    seen: set[str] = set()
    n = finder.network
    named = [p for r in n["reactions"] for p in (*r["reactants"], *r["products"]) if "id" in p]
    for element in (*n["compartments"], *n["species"], *n["parameters"], *n["reactions"], *named, *n["functions"], *n["events"]):
        id = element["id"]
        if not id:
            finder.refuse(0, "an element has no id")
        elif id in seen:
            finder.refuse(element.get("line", finder.line(id)), f"the id {id!r} is used twice")
        seen.add(id)


def _places(finder: Finder) -> None:
    """Compartments of species, species of reactions, conversion factors."""
    kind = finder.kind
    for s in finder.network["species"]:
        if kind.get(s["compartment"]) != "compartments":
            finder.refuse(finder.line(s["id"]), f"species {s['id']!r}: lies in compartment {s['compartment']!r}, which is not there")
        if "conversion_factor" in s and kind.get(s["conversion_factor"]) != "parameters":
            finder.refuse(
                finder.line(s["id"]), f"species {s['id']!r}: its conversion factor {s['conversion_factor']!r} is no parameter of the model"
            )
    if (factor := finder.network.get("conversion_factor")) is not None and kind.get(factor) != "parameters":
        finder.refuse(finder.line(""), f"the model's conversion factor {factor!r} is no parameter of the model")
    for r in finder.network["reactions"]:
        for p in (*r["reactants"], *r["products"]):
            if kind.get(p["species"]) != "species":
                finder.refuse(r["line"], f"reaction {r['id']!r}: has {p['species']!r}, which is no species of the model")
        for modifier in r["modifiers"]:
            if kind.get(modifier) != "species":
                finder.refuse(r["line"], f"reaction {r['id']!r}: has the modifier {modifier!r}, which is no species of the model")


def _formulas(finder: Finder) -> dict[str, set[str]]:
    """Check the ids in every formula; returns what each assigned id (a rule's variable, a reaction, "initial id") depends on."""
    depends: dict[str, set[str]] = {}
    for where, line, key, formula, own in _each(finder):
        found, calls = symbols_of(formula)
        for id in sorted(id for id in found if id not in finder.kind and id not in own):
            finder.refuse(line, f"{where}: has {id!r}, which is no element of the model")
        for id, count in sorted(calls):
            if id not in finder.functions:
                finder.refuse(line, f"{where}: calls {id!r}, which is no function of the model or has no body")
            elif finder.functions[id] != count:
                finder.refuse(line, f"{where}: calls {id!r} with {count} arguments, it takes {finder.functions[id]}")
        if key:
            behind = {f"call {id}" for id, _ in calls} if key.startswith("call ") else set()
            depends[key] = (symbols_of(formula, rates=False)[0] - own) | behind
    return depends


def _each(finder: Finder) -> Iterator[tuple[str, int, str, Any, set[str]]]:
    """(where, line, key of what it determines, formula, ids known in it alone)."""
    network = finder.network
    nothing: set[str] = set()
    for r in network["reactions"]:
        if "law" in r:
            yield f"the law of reaction {r['id']!r}", r["line"], r["id"], r["law"]["math"], {p["id"] for p in r["local"]}
    for rule in network["rules"]:
        key = rule["variable"] if rule["kind"] == "assignment" else ""
        yield (
            f"the {rule['kind']} rule of {rule['variable']!r}" if rule["variable"] else "an algebraic rule",
            rule["line"],
            key,
            rule["math"]["math"],
            nothing,
        )
    for id, formula in network["initial_assignments"]:
        yield f"the initial assignment of {id!r}", finder.line(f"{id}.initial"), f"initial {id}", formula["math"], nothing
    for f in network["functions"]:
        yield f"function {f['id']!r}", finder.line(f["id"]), f"call {f['id']}", f["body"]["math"], set(f["arguments"])
    for e in network["events"]:
        for what, formula in (*((name, e.get(name)) for name in ("trigger", "delay", "priority")), *e["assignments"]):
            if formula is not None:
                yield f"event {e['id']!r}, {what}", e["line"], "", formula["math"], nothing


def symbols_of(formula: Any, *, rates: bool = True) -> tuple[set[str], set[tuple[str, int]]]:
    """(ids, {(function, number of arguments)}) in the list form of an expression; without `rates`, not what stands in a rateOf."""
    ids: set[str] = set()
    calls: set[tuple[str, int]] = set()
    stack = [formula]
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            ids.add(part)
        elif isinstance(part, list) and (rates or part[0] != "rateOf"):
            first = 2 if part[0] == "call" else 1
            if first == 2:
                calls.add((part[1], len(part) - 2))
            stack.extend(part[first:])
    return ids, calls


def _determined(finder: Finder) -> None:
    """What rules, initial assignments and events set: it must be there, may change, and is set once."""
    by_rule: dict[str, str] = {}
    in_algebraic: set[str] = set()
    reacting = {p["species"] for r in finder.network["reactions"] for p in (*r["reactants"], *r["products"])}
    for rule in finder.network["rules"]:
        id, kind = rule["variable"], rule["kind"]
        if kind == "algebraic":
            in_algebraic |= symbols_of(rule["math"]["math"])[0]
            continue
        where = f"the {kind} rule of {id!r}"
        _settable(finder, id, rule["line"], where, changing=True)
        if id in by_rule:
            finder.refuse(rule["line"], f"{where}: another rule determines it too")
        if id in reacting and not finder.elements[id]["boundary"] and finder.kind[id] == "species":
            finder.refuse(rule["line"], f"{where}: reactions change it too; only a boundary species may have both")
        by_rule[id] = kind
    initial: set[str] = set()
    for id, _ in finder.network["initial_assignments"]:
        line, where = finder.line(f"{id}.initial"), f"the initial assignment of {id!r}"
        _settable(finder, id, line, where, changing=False)
        if id in initial or by_rule.get(id) == "assignment":
            finder.refuse(line, f"{where}: something else determines it at the start too")
        initial.add(id)
    in_events: set[str] = set()
    for event in finder.network["events"]:
        for id, _ in event["assignments"]:
            where = f"event {event['id']!r}, assignment to {id!r}"
            _settable(finder, id, event["line"], where, changing=True)
            if by_rule.get(id) == "assignment":
                finder.refuse(event["line"], f"{where}: an assignment rule determines it at all times")
            in_events.add(id)
    _stoichiometries(finder, by_rule.keys() | in_algebraic | initial | in_events)


def _settable(finder: Finder, id: str, line: int, where: str, *, changing: bool) -> None:
    if finder.kind.get(id, "reactions") == "reactions":
        finder.refuse(line, f"{where}: that is no species, compartment, parameter or stoichiometry of the model")
    elif changing and finder.elements[id]["constant"]:
        finder.refuse(line, f"{where}: {id!r} is declared constant")


def _stoichiometries(finder: Finder, determined: set[str]) -> None:
    for r in finder.network["reactions"]:
        for p in (*r["reactants"], *r["products"]):
            s = finder.elements.get(p["species"], {})
            if p["stoichiometry"] is None and p.get("id") not in determined and not (s.get("boundary") or s.get("constant")):
                finder.refuse(r["line"], f"reaction {r['id']!r}: {p['species']!r} has no stoichiometry and nothing determines one")


def _circles(finder: Finder, depends: dict[str, set[str]]) -> None:
    """Assignment rules, laws, initial assignments and functions that define each other in a circle."""
    for start in (False, True):
        graph = {
            key: {f"initial {id}" if start and f"initial {id}" in depends else id for id in ids}
            for key, ids in depends.items()
            if start or not key.startswith("initial ")
        }
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = " -> ".join(str(id).removeprefix("call ") for id in reversed(error.args[1]))
            first = error.args[1][0].removeprefix("call ").removeprefix("initial ")
            line = next((finder.line(key) for key in (f"{first}.rule", f"{first}.initial", first) if finder.line(key)), 0)
            finder.refuse(line, f"these define each other in a circle: {circle}")
            return
