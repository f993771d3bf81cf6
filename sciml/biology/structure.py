"""What follows from a network's reactions alone: the stoichiometric matrix, and sums of amounts that no reaction changes.

A conservation law is a vector l with l N = 0 (N: what one extent of each reaction adds to each amount). The left null space is computed in
exact arithmetic by sparse elimination; laws without a minus sign are preferred, with small whole coefficients.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any

from sciml.biology.kernels.system import System, compile_system
from sciml.biology.network import Network, Participant, Species
from sciml.errors import DataError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ConservationLaw", "Stoichiometry", "conservation_laws", "start_amounts", "stoichiometry"]

Row = dict[int, int]
"""A sparse vector of whole numbers."""

_LARGEST_DENOMINATOR = 10**6
_MOST_PASSES = 50


@dataclass(frozen=True)
class Stoichiometry:
    """`matrix` [S, R]: what one extent of a reaction adds to the amount of a species, conversion factors included.

    Rows are zero for species that reactions leave as they are (boundary, constant). NaN where a stoichiometry is no fixed number.
    """

    matrix: np.ndarray
    species: tuple[str, ...]
    reactions: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able data."""
        return {"matrix": self.matrix.tolist(), "species": list(self.species), "reactions": list(self.reactions)}


@dataclass(frozen=True)
class ConservationLaw:
    """sum of coefficient x amount = `total` (in the model's unit of substance; NaN where a start is not given)."""

    coefficients: tuple[tuple[str, int], ...]
    total: float

    @property
    def text(self) -> str:
        """As in "R + RL + 2 D = 200"."""
        terms = ""
        for id, factor in self.coefficients:
            sign = ("- " if factor < 0 else "+ ") if terms else ("-" if factor < 0 else "")
            terms += f"{' ' if terms else ''}{sign}{'' if abs(factor) == 1 else f'{abs(factor)} '}{id}"
        return f"{terms} = {'constant' if math.isnan(self.total) else f'{self.total:.10g}'}"

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """JSON-able data."""
        return {**asdict(self), "coefficients": dict(self.coefficients), "text": self.text}


def stoichiometry(network: Network) -> Stoichiometry:
    """The stoichiometric matrix N of a network: d amounts / dt = N rates, as far as reactions go."""
    import numpy as np

    species = tuple(s.id for s in network.species)
    matrix = np.zeros((len(species), len(network.reactions)))
    place = {id: row for row, id in enumerate(species)}
    for column, changes in enumerate(_changes(network)):
        for id, change in changes.items():
            matrix[place[id], column] = math.nan if change is None else float(change)
    return Stoichiometry(matrix, species, tuple(r.id for r in network.reactions))


def conservation_laws(network: Network, system: System | None = None) -> tuple[ConservationLaw, ...]:
    """Sums of amounts that stay as they are in every run, with their value at the start.

    As many as there are independent ones; without negative coefficients wherever such a law exists. Species that an event sets, that a rule
    determines or whose stoichiometry is no fixed number are in none. Source of the method: elimination on [N | 1] in whole numbers.
    """
    changes = _changes(network)
    rows = _eligible(network, changes)
    index = {id: row for row, id in enumerate(rows)}
    columns = [{index[id]: change for id, change in each.items() if id in index and change} for each in changes]
    basis = _non_negative(_left_null_space(len(rows), _whole(columns)), columns, len(rows))
    amounts = start_amounts(network, system) if basis else {}
    found = []
    for vector in sorted(basis, key=lambda v: (min(v), len(v))):
        coefficients = tuple((rows[i], vector[i]) for i in sorted(vector))
        found.append(ConservationLaw(coefficients, math.fsum(factor * amounts.get(id, math.nan) for id, factor in coefficients)))
    return tuple(found)


def start_amounts(network: Network, system: System | None = None) -> dict[str, float]:
    """{species: amount at time 0}, initial assignments and rules computed; NaN for all where something has no value."""
    import numpy as np

    ids = [s.id for s in network.species]
    try:
        system = system or compile_system(network)
        y, p = system.begin()
        values = system.graph.evaluate([system.amounts[id] for id in ids], states=list(y), params=list(p), lags=[np.nan] * len(system.lags))
    except DataError:
        return dict.fromkeys(ids, math.nan)
    return {id: float(value) for id, value in zip(ids, values, strict=True)}


def _changes(network: Network) -> list[dict[str, Fraction | None]]:
    """Per reaction {species: what one extent adds to its amount}, None where that is no fixed number."""
    free = {s.id: _factor(network, s) for s in network.species if not (s.boundary or s.constant)}
    variable = {rule.variable for rule in network.rules} | {id for e in network.events for id, _ in e.assignments}
    variable |= {id for id, _ in network.initial_assignments}
    found: list[dict[str, Fraction | None]] = []
    for reaction in network.reactions:
        changes: dict[str, Fraction | None] = {}
        for sign, side in ((-1, reaction.reactants), (1, reaction.products)):
            for participant in side:
                if participant.species in free:
                    before, number = changes.get(participant.species, Fraction(0)), _number(participant, variable)
                    factor = free[participant.species]
                    changes[participant.species] = None
                    if before is not None and number is not None and factor is not None:
                        changes[participant.species] = before + sign * number * factor
        found.append(changes)
    return found


def _number(participant: Participant, variable: set[str]) -> Fraction | None:
    value = participant.stoichiometry
    fixed = isinstance(value, int | float) and math.isfinite(value) and participant.id not in variable
    return _fraction(float(value)) if fixed else None  # type: ignore[arg-type]


def _factor(network: Network, species: Species) -> Fraction | None:
    """What extent is multiplied by to give substance: a conversion factor, else 1."""
    name = species.conversion_factor or network.conversion_factor
    if name is None:
        return Fraction(1)
    value = network.elements[name].value
    return None if value is None or not math.isfinite(value) or dict(network.initial_assignments).get(name) else _fraction(value)


def _fraction(value: float) -> Fraction:
    """The ratio of small numbers that a decimal stands for (0.1, 0.3333333333), else the float's own."""
    near = Fraction(value).limit_denominator(_LARGEST_DENOMINATOR)
    return near if float(near) == value or abs(near - Fraction(value)) < 1e-14 * abs(value) else Fraction(value)


def _eligible(network: Network, changes: Sequence[Mapping[str, Fraction | None]]) -> list[str]:
    """Species that take part in reactions and that nothing but reactions with fixed numbers changes."""
    taking_part = {id for each in changes for id in each}
    barred = {id for each in changes for id, change in each.items() if change is None}
    barred |= {rule.variable for rule in network.rules} | {id for event in network.events for id, _ in event.assignments}
    if any(rule.kind == "algebraic" for rule in network.rules):
        barred |= {id for rule in network.rules if rule.kind == "algebraic" for id in rule.math.symbols()}
    return [s.id for s in network.species if s.id in taking_part and s.id not in barred]


def _whole(columns: Iterable[Mapping[int, Any]]) -> list[Row]:
    """Columns scaled to whole numbers, without double and empty ones."""
    found: dict[tuple[tuple[int, int], ...], Row] = {}
    for column in columns:
        if column:
            scale = math.lcm(*(Fraction(v).denominator for v in column.values()))
            row = _reduced({i: int(v * scale) for i, v in sorted(column.items())})
            found.setdefault(tuple(row.items()), row)
    return list(found.values())


def _reduced(row: Row) -> Row:
    """Divided by the greatest common divisor, the first entry positive."""
    divisor = reduce(math.gcd, row.values(), 0)
    if divisor and row[min(row)] < 0:
        divisor = -divisor
    return {i: v // divisor for i, v in row.items()} if divisor not in (0, 1) else row


def _left_null_space(size: int, columns: Sequence[Row]) -> list[Row]:
    """Whole vectors that span {l: l N = 0}, by elimination with the column of fewest entries first and the shortest row as pivot."""
    rows: list[Row] = [{} for _ in range(size)]  # what is left of N, by column
    marks: list[Row] = [{i: 1} for i in range(size)]
    members: list[set[int]] = []
    for c, column in enumerate(columns):
        members.append(set(column))
        for i, value in column.items():
            rows[i][c] = value
    waiting = [(len(m), c) for c, m in enumerate(members)]
    heapq.heapify(waiting)
    used: set[int] = set()
    while waiting:
        count, c = heapq.heappop(waiting)
        if count != len(members[c]):
            heapq.heappush(waiting, (len(members[c]), c))
            continue
        if not members[c]:
            continue
        pivot = min(members[c], key=lambda i: (len(rows[i]) + len(marks[i]), i))
        used.add(pivot)
        for i in members[c] - {pivot}:
            _eliminate(rows, marks, members, i, pivot, c)
        for other in rows[pivot]:
            members[other].discard(pivot)
    return [_reduced(marks[i]) for i in range(size) if i not in used]


def _eliminate(rows: list[Row], marks: list[Row], members: list[set[int]], i: int, pivot: int, c: int) -> None:
    """Row i becomes a multiple of itself and of the pivot row without column c."""
    a, b = rows[pivot][c], rows[i][c]
    common = math.gcd(a, b) if a > 0 else -math.gcd(a, b)
    a, b = a // common, b // common
    before = set(rows[i])
    changed, marked = _combined(rows[i], a, rows[pivot], -b), _combined(marks[i], a, marks[pivot], -b)
    for other in before - changed.keys():
        members[other].discard(i)
    for other in changed.keys() - before:
        members[other].add(i)
    divisor = reduce(math.gcd, (*changed.values(), *marked.values()), 0) if abs(a) != 1 or abs(b) != 1 else 1
    if divisor > 1:
        changed, marked = {k: v // divisor for k, v in changed.items()}, {k: v // divisor for k, v in marked.items()}
    rows[i], marks[i] = changed, marked


def _combined(first: Row, a: int, second: Row, b: int) -> Row:
    """a first + b second without zeros; `first` is used up."""
    result = {k: a * v for k, v in first.items()} if a != 1 else first
    for k, v in second.items():
        value = result.get(k, 0) + b * v
        if value:
            result[k] = value
        else:
            result.pop(k, None)
    return result


def _non_negative(basis: list[Row], columns: Sequence[Mapping[int, Any]], size: int) -> list[Row]:
    """An equal space, by vectors without negative entries as far as there are such, each with few entries."""
    good, rest = _split(basis)
    while rest:
        good, rest, moved = _lifted(good, rest)
        if not rest:
            break
        covered = {i for v in good for i in v}
        open_ends = sorted({i for v in rest for i in v} - covered)
        found = next((v for i in open_ends if (v := _through(i, good, rest, columns, size))), None)
        if found is None and not moved:
            break
        if found is not None:
            gone = _exchanged(found, good, rest)
            rest.remove(gone)
            good.append(found)
    return _shortened(good) + rest


def _split(basis: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    good: list[Row] = []
    rest: list[Row] = []
    for v in basis:
        positive = _reduced(v)
        (good if min(positive.values()) > 0 else rest).append(positive)
    return good, rest


def _lifted(good: list[Row], rest: list[Row]) -> tuple[list[Row], list[Row], bool]:
    """Vectors whose negative entries lie where good ones are positive become good by adding these."""
    left: list[Row] = []
    moved = False
    for v in rest:
        best: Row | None = None
        for sign in (1, -1):
            trial = {i: sign * x for i, x in v.items()}
            for w in good:
                lacking = max((Fraction(-trial[i], w[i]) for i in w if trial.get(i, 0) < 0), default=Fraction(0))
                if lacking > 0:
                    trial = _combined(dict(trial), lacking.denominator, w, lacking.numerator)
            if trial and min(trial.values()) > 0 and (best is None or len(trial) < len(best)):
                best = trial
        if best is None:
            left.append(v)
        else:
            good, moved = [*good, _reduced(best)], True
    return good, left, moved


def _through(j: int, good: list[Row], rest: list[Row], columns: Sequence[Mapping[int, Any]], size: int) -> Row | None:
    """A law without negative entries that has species j: the shortest by linear programming, then exact on its support."""
    import numpy as np
    from scipy.optimize import linprog
    from scipy.sparse import coo_matrix

    vectors = [*good, *rest]
    entries = [(i, k, float(x)) for k, v in enumerate(vectors) for i, x in v.items()]
    matrix = coo_matrix(([e[2] for e in entries], ([e[0] for e in entries], [e[1] for e in entries])), (size, len(vectors))).tocsr()
    used = matrix[np.unique(matrix.nonzero()[0])]
    answer = linprog(
        np.asarray(used.sum(axis=0)).ravel(), A_ub=-used, b_ub=np.zeros(used.shape[0]), A_eq=matrix[[j]], b_eq=[1.0], bounds=(None, None)
    )
    if answer.status != 0:
        return None
    weights = matrix @ answer.x
    support = [int(i) for i in np.flatnonzero(weights > 1e-9 * weights.max())]
    place = {i: k for k, i in enumerate(support)}
    inside = [{place[i]: x for i, x in column.items() if i in place} for column in columns]
    exact, _ = _split(_left_null_space(len(support), _whole(inside)))
    return next(({support[k]: x for k, x in v.items()} for v in exact if place[j] in v), None)


def _exchanged(found: Row, good: list[Row], rest: list[Row]) -> Row:
    """A vector of `rest` that `found` needs, so that it may take its place in the basis."""
    others = [*good, *rest]
    rows = sorted({i for v in (*others, found) for i in v})
    place = {i: k for k, i in enumerate(rows)}
    # found = sum of weights x others: a null vector of the matrix whose rows are found and the others
    columns: list[Row] = [{} for _ in rows]
    for k, v in enumerate((found, *others)):
        for i, x in v.items():
            columns[place[i]][k] = x
    relation = next(v for v in _left_null_space(len(others) + 1, [c for c in columns if c]) if 0 in v)
    return next(v for k, v in enumerate(rest) if 1 + len(good) + k in relation)


def _shortened(good: list[Row]) -> list[Row]:
    """Vectors that contain another one give it up, as often as it goes without a negative entry."""
    vectors = sorted(good, key=len)
    for _ in range(_MOST_PASSES):
        changed = False
        for k, v in enumerate(vectors):
            for w in vectors:
                if w is not v and w.keys() <= v.keys():
                    times = min(Fraction(v[i], w[i]) for i in w)
                    shorter = _reduced(_combined(dict(v), times.denominator, w, -times.numerator))
                    if shorter:
                        vectors[k] = v = shorter
                        changed = True
        if not changed:
            break
    return vectors
