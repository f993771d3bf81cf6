"""`load_net`: network files (`.net`) as BioNetGen writes them: numbered parameters, functions, species, reactions and groups.

Rates are declared mass action with the file's own factors (`0.5*kd` for A + A): deterministic k prod X^m, stochastic k X (X - 1) ..., no
1/m! of ours. Everything is counted in molecules in a volume of 1. Source: Faeder, Blinov, Hlavacek, Methods Mol. Biol. 500 (2009) 113.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sciml.arguments import checked
from sciml.biology.expressions import Expression, number, operation, symbol
from sciml.biology.formula import parse
from sciml.biology.network import Network, Parameter, Participant, Reaction, Rule, Species, Units, nearest
from sciml.biology.sbml.precheck import read_bytes, unpack
from sciml.biology.sources import NET, path_of, refuse_others
from sciml.errors import DataError

__all__ = ["load_net"]

_EXPECTED = "a BioNetGen network (.net)"
_WORD = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[A-Za-z_]\w*")
_NO_ARGUMENTS = re.compile(r"\b(\w+)\s*\(\s*\)")
_NAME = re.compile(r"[A-Za-z_]\w*")
_NUMBERS = re.compile(r"\d+(?:,\d+)*")
_LAW = re.compile(r"(?:(?P<factor>[^*\s]+)\s*\*\s*)?(?P<kind>MM|Sat|Hill|Arrhenius|FunctionProduct)\s+(?P<values>\S.*)")
_IGNORED = ("molecule types", "observables", "reaction rules", "compartments", "energy patterns", "population types", "population maps")
"""Blocks that say where the network came from; their effect is in species, reactions and groups."""
_KNOWN = ("parameters", "functions", "species", "reactions", "groups")
_OURS = "v_"  # put before the file's names in formulas, so that none is taken for a constant or a function of ours


@checked
def load_net(path: str | os.PathLike[str]) -> Network:
    """A network from a BioNetGen file.

    Species keep the file's names as ids (`A(a!1).A(a!1)`), `$` ones are boundary; groups and functions are symbols that follow the counts;
    parameters given by formulas follow those they depend on. Rate laws MM (two reactants), Sat (one constant) and Hill (one reactant) are
    taken as documented, others are refused. Raises DataError with file and line for what is missing, contradictory or not supported.
    """
    file = path_of("load_net", path)
    text = unpack(str(file), read_bytes(file, _EXPECTED), _EXPECTED)
    refuse_others(str(file), text, NET)
    try:
        return _Reader(str(file), text).network()
    except DataError as error:
        raise DataError(str(error) if str(error).startswith(f"{file}: ") else f"{file}: {error}") from error


@dataclass(frozen=True)
class _Line:
    """A line of a block: its number, its words, what stands behind `#`."""

    number: int
    text: str
    comment: str

    def words(self, most: int = -1) -> list[str]:
        return self.text.split(None, most)


@dataclass
class _Reader:
    """The blocks of one file, and the network they make."""

    file: str
    text: str
    ids: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)

    def network(self) -> Network:
        """The whole."""
        blocks = self._blocks()
        for kind in ("parameters", "functions", "groups"):
            for line in blocks[kind]:
                self._claim(_numbered(line)[1].partition("(")[0], line)
        parameters, assignments = self._parameters(blocks["parameters"])
        species, by_index = self._species(blocks["species"], assignments)
        rules = [*self._groups(blocks["groups"], by_index), *self._functions(blocks["functions"])]
        driven = [Parameter(rule.variable, None, constant=False) for rule in rules]
        reactions = [self._reaction(line, n, by_index) for n, line in enumerate(blocks["reactions"], 1)]
        return Network(
            id=re.sub(r"\W", "_", Path(self.file).name.split(".")[0]) or "network",
            species=tuple(species),
            parameters=(*parameters, *driven),
            reactions=tuple(reactions),
            rules=tuple(rules),
            initial_assignments=tuple(assignments),
            units=Units(substance="item"),
            source=self.file,
            warnings=tuple(self.warnings),
        )

    def fault(self, line: _Line | int, what: str) -> DataError:
        """An error at a line."""
        return DataError(f"{self.file}: line {line if isinstance(line, int) else line.number}: {what}")

    def _lines(self) -> Iterator[_Line]:
        """Lines that say something, continued ones joined, comments apart."""
        begun, start = "", 0
        for number_, raw in enumerate(self.text.splitlines(), 1):
            content, _, comment = raw.partition("#")
            start = start or number_
            if content.rstrip().endswith("\\"):
                begun += content.rstrip()[:-1] + " "
                continue
            whole = (begun + content).strip()
            if whole:
                yield _Line(start, whole, comment.strip())
            begun, start = "", 0
        if begun:
            raise self.fault(start, "the last line is continued (\\), but the file ends")

    def _blocks(self) -> dict[str, list[_Line]]:
        """Lines by block; refuses blocks that are not known, opened twice or left open."""
        blocks: dict[str, list[_Line]] = {name: [] for name in _KNOWN}
        opened, begun_at, rules = "", 0, 0
        for line in self._lines():
            first, _, rest = line.text.partition(" ")
            name = " ".join(rest.split())
            if first == "begin" and not opened:
                if name not in (*_KNOWN, *_IGNORED):
                    raise self.fault(line, f"found the block {name[:40]!r}, which is not supported; known are {', '.join(_KNOWN)}")
                if blocks.get(name):
                    raise self.fault(line, f"a second block of {name}")
                opened, begun_at = name, line.number
                rules = line.number if name == "reaction rules" else rules
            elif first in ("begin", "end"):
                if first == "begin" or name != opened:
                    raise self.fault(line, f"found {line.text[:40]!r} " + (f"within the block {opened!r}" if opened else "outside a block"))
                opened = ""
            elif opened:
                blocks.get(opened, []).append(line)
            else:
                self._command(line)
        if opened:
            raise self.fault(begun_at, f"the block {opened!r} is not closed; the file may be cut off")
        if rules and not blocks["reactions"]:
            raise self.fault(rules, "has reaction rules but no reactions: let BioNetGen generate the network first (generate_network)")
        if not blocks["species"]:
            raise DataError(f"{self.file}: holds no species, expected {_EXPECTED}")
        return blocks

    def _command(self, line: _Line) -> None:
        """What stands outside of blocks: commands that the generator leaves there. A file that is something else is refused here."""
        if not re.fullmatch(r"(?:setOption|substanceUnits|version|setModelName)\s*\(.*\)\s*;?", line.text):
            raise self.fault(line, f"found {line.text[:40]!r} outside a block: this is not {_EXPECTED}")
        if line.text.startswith("substanceUnits") and "Number" not in line.text:
            raise self.fault(line, f'found {line.text[:40]!r}; only numbers of molecules ("Number") are read')
        self.warnings.append(f"line {line.number}: {line.text[:60]} changes nothing here")

    def _claim(self, id: str, line: _Line) -> None:
        if not _NAME.fullmatch(id):
            raise self.fault(line, f"found {id[:40]!r}, expected a name of letters, digits and _")
        if id in self.ids:
            raise self.fault(line, f"the name {id!r} is used twice")
        self.ids.add(id)

    def _parameters(self, lines: list[_Line]) -> tuple[list[Parameter], list[tuple[str, Expression]]]:
        parameters, assignments = [], []
        for line in lines:
            _, name, rest = _numbered(line)
            if not rest:
                raise self.fault(line, f"parameter {name!r} has no value")
            value = self.formula(rest.removeprefix("=").strip(), line)
            parameters.append(Parameter(name, _constant(value)))
            if _constant(value) is None:
                assignments.append((name, value))
        return parameters, assignments

    def _species(self, lines: list[_Line], assignments: list[tuple[str, Expression]]) -> tuple[list[Species], dict[int, str]]:
        species, by_index, others = [], {}, set(self.ids)
        for place, line in enumerate(lines, 1):
            index, name, rest = _numbered(line)
            if not rest:
                raise self.fault(line, f"species {name!r} has no number of molecules")
            id, fixed = re.subn(r"^(@\w+::?)?\$", r"\1", name)
            if id in others:
                self.warnings.append(f"line {line.number}: species {id!r} has the name of a parameter or group; it is called '{id}()'")
                id += "()"
            if id in self.ids or (index or place) in by_index:
                raise self.fault(line, f"the species {id!r} or its number {index or place} is there twice")
            self.ids.add(id)
            by_index[index or place] = id
            start = self.formula(rest, line)
            species.append(Species(id, _constant(start), boundary=bool(fixed)))
            if _constant(start) is None:
                assignments.append((id, start))
        return species, by_index

    def _groups(self, lines: list[_Line], by_index: dict[int, str]) -> Iterator[Rule]:
        """Groups such as `1,2*2`: sums of counts with factors before the species' numbers."""
        for line in lines:
            _, name, rest = _numbered(line)
            terms = []
            for term in filter(None, re.sub(r"\s", "", rest).split(",")):
                factor, star, index = term.rpartition("*")
                if not index.isdecimal() or int(index) not in by_index or (star and _number(factor) is None):
                    raise self.fault(line, f"group {name!r}: found {term!r}, expected the number of a species, as in 1 or 2*1")
                one = symbol(by_index[int(index)])
                terms.append(one if not star or _number(factor) == 1 else operation("times", number(float(factor)), one))
            math = number(0.0) if not terms else terms[0] if len(terms) == 1 else Expression("plus", tuple(terms))
            yield Rule("assignment", math, name, line=line.number)

    def _functions(self, lines: list[_Line]) -> Iterator[Rule]:
        for line in lines:
            _, name, rest = _numbered(line)
            name, bracket, inside = name.partition("(")
            if not bracket and rest.startswith("("):
                inside, _, rest = rest[1:].partition(")")
                inside += ")"
            if inside.rstrip(")").strip():
                raise self.fault(line, f"function {name!r} has arguments; only functions of the whole state, as in {name}(), are read")
            if not rest.strip():
                raise self.fault(line, f"function {name!r} has no formula")
            yield Rule("assignment", self.formula(rest.strip().removeprefix("=").strip(), line), name, line=line.number)

    def _reaction(self, line: _Line, place: int, by_index: dict[int, str]) -> Reaction:
        words = line.words()
        numbered = len(words) > 3 and all(_NUMBERS.fullmatch(w) for w in words[:3])
        left, right, law = (line.words(3)[1:] if numbered else line.words(2)) if len(words) > 2 + numbered else ("", "", "")
        if not _NUMBERS.fullmatch(left) or not _NUMBERS.fullmatch(right):
            raise self.fault(line, f"found {line.text[:60]!r}, expected number, reactants, products and rate, as in '1 1,2 3 kon'")
        index = words[0] if numbered else str(place)
        id = f"r{index}"
        while id in self.ids:
            id = f"r{id}"
        self.ids.add(id)
        reactants, products = self._side(left, by_index, line), self._side(right, by_index, line)
        special = _LAW.fullmatch(law)
        rate = self._special(special, reactants, line) if special else self.formula(law, line)
        return Reaction(id, reactants, products, rate, mass_action=not special, name=line.comment, line=line.number)

    def _side(self, text: str, by_index: dict[int, str], line: _Line) -> tuple[Participant, ...]:
        counts: dict[str, float] = {}
        for index in map(int, text.split(",")):
            if index and index not in by_index:
                raise self.fault(line, f"species number {index} is not there")
            if index:
                counts[by_index[index]] = counts.get(by_index[index], 0.0) + 1
        return tuple(Participant(id, count) for id, count in counts.items())

    def _special(self, found: re.Match[str], reactants: tuple[Participant, ...], line: _Line) -> Expression:
        """The whole rate of a law that is not mass action."""
        kind, values = found["kind"], [self.formula(word, line) for word in found["values"].split()]
        shape = (kind, len(values), len(reactants))
        if shape not in _SHAPES or any(p.stoichiometry != 1 for p in reactants):
            found_here = f"the rate law {kind} with {len(values)} constants and {len(reactants)} reactants"
            raise self.fault(line, f"{found_here} is not supported; MM kcat Km of two, Sat k K of one or two, Hill k K h of one are")
        law = _LAWS[kind]([symbol(p.species) for p in reactants], *values)
        return law if found["factor"] is None else operation("times", self.formula(found["factor"], line), law)

    def formula(self, text: str, line: _Line) -> Expression:
        """A formula in the file's names. DataError with the line for an unknown name."""
        text = _NO_ARGUMENTS.sub(r"\1", text)
        marked = _WORD.sub(lambda m: _OURS + m[0] if m[0] in self.ids or m[0] in _DIFFERENT else m[0], text)
        try:
            math = parse(marked, [_OURS + name for name in _DIFFERENT]).map(self._unmarked)
        except DataError as error:
            raise self.fault(line, str(error).replace(_OURS, "")) from error
        if unknown := math.symbols() - self.ids:
            name = sorted(unknown)[0]
            raise self.fault(line, f"{text[:60]!r} has {name!r}, which is no parameter, function or group{nearest(name, self.ids)}")
        return math

    def _unmarked(self, node: Expression) -> Expression:
        if node.op == "symbol" and str(node.value).startswith(_OURS):
            name = str(node.value).removeprefix(_OURS)
            return Expression(_CONSTANTS[name]) if name in _CONSTANTS and name not in self.ids else symbol(name)
        if node.op == "call":
            return _call(str(node.value).removeprefix(_OURS), node.args)
        return node


_CONSTANTS = {"_pi": "pi", "_e": "exponentiale"}
_DIFFERENT = {"if", "rint", "log", *_CONSTANTS}
"""Names that mean something else there than in our formulas."""


def _call(name: str, args: tuple[Expression, ...]) -> Expression:
    if name == "if" and len(args) == 3:
        return Expression("piecewise", (args[1], args[0], args[2]))
    if name == "rint" and len(args) == 1:
        return operation("floor", args[0] + 0.5)
    hint = "; its base is not the same in all versions: write ln or log10" if name == "log" else ""
    raise DataError(f"found a call of {name!r} with {len(args)} arguments, which is not supported{hint}")


def _michaelis_menten(reactants: Sequence[Expression], k: Expression, km: Expression) -> Expression:
    """kcat E F / (Km + F), F = ((S - Km - E) + sqrt((S - Km - E)^2 + 4 Km S)) / 2 the free substrate; S is the first reactant."""
    s, e = reactants
    b = s - km - e
    free = 0.5 * (b + operation("root", 2.0, b**2.0 + 4.0 * km * s))
    return k * e * free / (km + free)


def _saturating(reactants: Sequence[Expression], k: Expression, km: Expression) -> Expression:
    """k S E / (K + S); S is the first reactant."""
    return operation("times", k, *reactants) / (km + reactants[0])


def _hill(reactants: Sequence[Expression], k: Expression, km: Expression, h: Expression) -> Expression:
    """k S^h / (K^h + S^h)."""
    s = reactants[0]
    return k * s**h / (km**h + s**h)


_SHAPES = (("MM", 2, 2), ("Sat", 2, 1), ("Sat", 2, 2), ("Hill", 3, 1))
"""(law, number of constants, number of reactants) that are read."""
_LAWS: dict[str, Callable[..., Expression]] = {"MM": _michaelis_menten, "Sat": _saturating, "Hill": _hill}


def _numbered(line: _Line) -> tuple[int, str, str]:
    """(number or 0, name, rest) of a line that may begin with its number."""
    words = line.words(2)
    if words[0].isdecimal() and len(words) > 1:
        return int(words[0]), words[1], words[2] if len(words) > 2 else ""
    return 0, words[0], line.text.removeprefix(words[0]).strip()


def _constant(math: Expression) -> float | None:
    """The number that a formula is, a sign before it allowed."""
    if math.op == "minus" and len(math.args) == 1 and math.args[0].constant is not None:
        return -math.args[0].constant
    return math.constant


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
