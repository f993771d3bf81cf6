"""Predictions and noise widths of all measurements from the states at their times: every row with its own parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.biology.expressions import Expression
from sciml.biology.fitting.rows import at_rows
from sciml.biology.fitting.starts import Values
from sciml.biology.fitting.statement import Measurement, Observable, Statement
from sciml.biology.formula import infix
from sciml.biology.kernels.derivatives import partials
from sciml.biology.kernels.lowering import Lowering
from sciml.biology.kernels.native import Native, native
from sciml.biology.kernels.system import System
from sciml.biology.network import nearest
from sciml.errors import DataError

__all__ = ["Readout", "Reading"]

_PLACEHOLDER = re.compile(r"(observable|noise)Parameter([1-9]\d*)_(.+)")


@dataclass(frozen=True)
class _Group:
    """The measurements of one observable: which `rows`, and the function that writes prediction, sigma and their derivatives.

    `states`, `slots`: indices of the leaves that the derivatives are with respect to, in y and in the row's parameters.
    """

    observable: Observable
    rows: np.ndarray
    value: Native
    slopes: Native
    states: tuple[int, ...]
    slots: tuple[int, ...]


@dataclass(frozen=True)
class Reading:
    """`predicted`, `sigma` [R] of all measurements."""

    predicted: np.ndarray
    sigma: np.ndarray


class Readout:
    """Compiled formulas of observables and noise. `condition` [R] is the number of each measurement's condition."""

    def __init__(self, problem: Statement, system: System, values: Values, condition: np.ndarray) -> None:
        self.problem, self.system, self.condition = problem, system, condition
        self._values = values
        self._extras: dict[str, int] = {}  # ids that the model does not have -> their number
        self._used = set(problem.network.elements)
        self._first = len(system.parameters) + len(system.lags)
        self._predictions: dict[str, int | None] = {}
        nodes = {o.id: (self._prediction(o.id), self._lowered(o.id, o.sigma)) for o in problem.observables}
        groups = []
        for o in problem.observables:
            rows = np.array([r for r, m in enumerate(problem.measurements) if m.observable == o.id], dtype=np.int64)
            if len(rows):
                groups.append(self._group(o, rows, nodes[o.id]))
        self.groups = tuple(groups)
        self.times = np.array([m.time for m in problem.measurements])
        self.sources = np.full((len(problem.measurements), len(self._extras)), values.constant(np.nan), dtype=np.int64)
        for r, m in enumerate(problem.measurements):
            self._place(r, m)
        self._refuse_unused()

    def read(self, states: np.ndarray, numbers: np.ndarray, row: np.ndarray) -> Reading:
        """From states [R, n] at the measurements, parameters [C, m] of the conditions and the row of values."""
        p = self._parameters(numbers, row)
        found = np.empty((len(self.times), 2))
        for group in self.groups:
            found[group.rows] = at_rows(group.value, self.times[group.rows], states[group.rows], p[group.rows])
        return Reading(found[:, 0], found[:, 1])

    def slopes(self, states: np.ndarray, numbers: np.ndarray, row: np.ndarray, dstates: np.ndarray, dnumbers: np.ndarray) -> np.ndarray:
        """[2, R, K]: derivatives of predictions and sigmas, from those of states [R, K, n] and of conditions' parameters [C, K, m]."""
        p = self._parameters(numbers, row)
        slopes = np.zeros((2, len(self.times), dstates.shape[1]))
        m = numbers.shape[1]
        for group in self.groups:
            rows = group.rows
            found = at_rows(group.slopes, self.times[rows], states[rows], p[rows]).reshape(len(rows), 2, -1)
            for column, index in enumerate(group.states):
                slopes[:, rows] += np.einsum("rw,rk->wrk", found[:, :, column], dstates[rows, :, index])
            for column, slot in enumerate(group.slots, start=len(group.states)):
                if slot < m:
                    slopes[:, rows] += np.einsum("rw,rk->wrk", found[:, :, column], dnumbers[self.condition[rows], :, slot])
                elif slot >= self._first:
                    source = self.sources[rows, slot - self._first]
                    own = np.flatnonzero(source < dstates.shape[1])
                    slopes[:, rows[own], source[own]] += found[own, :, column].T
        return slopes

    def explained(self, r: int, reading: Reading, states: np.ndarray) -> str:
        """What is wrong with the prediction or the noise of a measurement: expression, values of the species in it, time, condition."""
        m = self.problem.measurements[r]
        o = next(o for o in self.problem.observables if o.id == m.observable)
        finite = np.isfinite(reading.predicted[r]) and (o.transformation == "lin" or reading.predicted[r] > 0)
        what, expression, value = ("sigma", o.sigma, reading.sigma[r]) if finite else ("prediction", o.formula, reading.predicted[r])
        names = sorted(expression.symbols() & set(self.system.states))
        shown = ", ".join(f"{name} = {states[r, self.system.states.index(name)]:.6g}" for name in names[:5])
        wanted = "a number > 0" if what == "sigma" or o.transformation != "lin" else "a finite number"
        return (
            f"measurement {r} ({o.id!r}, condition {m.condition!r}, time {m.time:g}): its {what} {infix(expression)[:100]} is {value:.6g}, "
            f"expected {wanted}" + (f" ({shown})" if shown else "")
        )

    def _parameters(self, numbers: np.ndarray, row: np.ndarray) -> np.ndarray:
        lags = np.full((len(self.times), len(self.system.lags)), np.nan)
        return np.concatenate([numbers[self.condition], lags, row[self.sources]], axis=1)

    def _prediction(self, id: str) -> int:
        """The node of an observable's formula."""
        if id not in self._predictions:
            self._predictions[id] = None
            self._predictions[id] = self._lowered(id, next(o.formula for o in self.problem.observables if o.id == id))
        found = self._predictions[id]
        if found is None:
            raise DataError(f"{self.problem.name}: observable {id!r} is defined by itself")
        return found

    def _lowered(self, observable: str, expression: Expression) -> int:
        graph = self.system.graph

        def refuse(*_: Any) -> int:
            raise DataError(f"{self.problem.name}: observable {observable!r} looks into the past, which is not supported")

        lowering = Lowering(
            graph,
            {f.id: f for f in self.problem.network.functions},
            resolve=lambda id: self._resolved(observable, id),
            rate_of=refuse,
            delayed=refuse,
            number=graph.const,
        )
        node = lowering.lower(expression)
        if graph.leaves([node], "lag"):
            refuse()
        return node

    def _resolved(self, observable: str, id: str) -> int:
        """The node of an id: of the model, of another observable, or of a number that each row of measurements has."""
        problem, system = self.problem, self.system
        if id in system.values:
            return system.values[id]
        if id in self._predictions or any(o.id == id for o in problem.observables):
            return self._prediction(id)
        known = {*self._values.index, *(name for row in problem.conditions.values() for name in row)}
        if not _PLACEHOLDER.fullmatch(id) and id not in known:
            names = [*system.values, *known, *(o.id for o in problem.observables)]
            raise DataError(f"{problem.name}: observable {observable!r} has {id!r}, which nothing defines{nearest(id, names)}")
        self._used.add(id)
        return system.graph.leaf("param", self._first + self._extras.setdefault(id, len(self._extras)))

    def _group(self, o: Observable, rows: np.ndarray, nodes: tuple[int, int]) -> _Group:
        g = self.system.graph
        by_state, by_slot = partials(g, nodes, "state"), partials(g, nodes, "param")
        states, slots = ({i for found in by for i in found} for by in (by_state, by_slot))
        zero = g.const(0.0)
        slopes = [
            by.get(i, zero)
            for s, q in zip(by_state, by_slot, strict=True)
            for by, order in ((s, states), (q, slots))
            for i in sorted(order)
        ]
        count = len(self.system.parameters)
        return _Group(o, rows, native(g, nodes, count), native(g, slopes, count), tuple(sorted(states)), tuple(sorted(slots)))

    def _place(self, r: int, m: Measurement) -> None:
        """Say where the values of the ids that the model does not have come from in this row."""
        problem, where = self.problem, f"measurement {r} of {m.observable!r}"
        lists = {"observable": m.observable_parameters, "noise": m.noise_parameters}
        wanted = {"observable": 0, "noise": 0}
        for id, number in self._extras.items():
            placeholder = _PLACEHOLDER.fullmatch(id)
            if placeholder is None:
                self._place_named(r, m, id, number)
                continue
            kind, index, observable = placeholder[1], int(placeholder[2]), placeholder[3]
            if observable != m.observable:
                continue
            wanted[kind] = max(wanted[kind], index)
            if index <= len(lists[kind]):
                self.sources[r, number] = self._values.source(lists[kind][index - 1], where)
                self._used.update(v for v in lists[kind] if isinstance(v, str))
        for kind, count in wanted.items():
            if len(lists[kind]) != count:
                raise DataError(f"{problem.name}: {where}: found {len(lists[kind])} {kind}Parameters, its formulas have {count}")

    def _place_named(self, r: int, m: Measurement, id: str, number: int) -> None:
        condition = self.problem.conditions[m.condition]
        if id in self._values.index:
            self.sources[r, number] = self._values.index[id]
        elif id in condition:
            self.sources[r, number] = self._values.source(condition[id], f"condition {m.condition!r}, {id}")
        else:
            return  # only a row that uses it needs it: its prediction is then no number, which is said there

    def _refuse_unused(self) -> None:
        """Refuse what is named and used nowhere: most often a misspelt id."""
        problem = self.problem
        overrides = {v for row in problem.conditions.values() for v in row.values() if isinstance(v, str)}
        for condition, row in problem.conditions.items():
            for id in row.keys() - self._used:
                raise DataError(f"{problem.name}: condition {condition!r}: nothing uses {id!r}{nearest(id, self._used)}")
        for p in problem.estimated:
            if p.id not in self._used | overrides:
                raise DataError(f"{problem.name}: parameter {p.id!r} is estimated and nothing uses it{nearest(p.id, self._used)}")
