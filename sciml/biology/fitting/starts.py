"""Where runs start: states and parameters of each condition from the values of the fit, and how they change with them.

A condition's values, and those of the fit that are parameters of the model, are put in before initial assignments are computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sciml.biology.expressions import number, operation, symbol
from sciml.biology.fitting.rows import at_rows
from sciml.biology.fitting.statement import Statement, Value
from sciml.biology.kernels.derivatives import partials
from sciml.biology.kernels.native import native
from sciml.biology.kernels.symbols import values_given
from sciml.biology.kernels.system import System
from sciml.biology.network import Network, Parameter, nearest
from sciml.errors import DataError

__all__ = ["Starts", "Values", "with_meant_starts"]


def with_meant_starts(network: Network, ids: set[str]) -> Network:
    """The network with the starts of species among `ids` stated in the quantity that their ids mean in formulas, and equal otherwise."""
    dimensions = {c.id: c.dimensions for c in network.compartments}
    assigned = {id for id, _ in network.initial_assignments}
    species, more = [], []
    for s in network.species:
        meant = not s.substance_only
        if s.id not in ids or s.initial_is_concentration == meant:
            species.append(s)
            continue
        if s.id not in assigned and s.initial is not None:
            start, size = number(s.initial), number(1.0) if dimensions[s.compartment] == 0 else symbol(s.compartment)
            more.append((s.id, operation("divide" if meant else "times", start, size)))
        species.append(replace(s, initial_is_concentration=meant))
    return replace(network, species=tuple(species), initial_assignments=(*network.initial_assignments, *more))


class Values:
    """One row of numbers: first the parameters of the fit [K], then constants. Whatever a problem uses is an index into it."""

    def __init__(self, problem: Statement) -> None:
        self.problem = problem
        self.index = {p.id: k for k, p in enumerate(problem.parameters)}
        self.constants: list[float] = []

    def constant(self, value: float) -> int:
        """The index of a number."""
        self.constants.append(value)
        return len(self.index) + len(self.constants) - 1

    def source(self, value: Value, where: str) -> int:
        """The index of a number, of a parameter of the fit, or of the value that the model gives a parameter."""
        if not isinstance(value, str):
            return self.constant(float(value))
        if value in self.index:
            return self.index[value]
        element = self.problem.network.elements.get(value)
        if isinstance(element, Parameter) and element.constant and element.value is not None:
            return self.constant(element.value)
        known = [*self.index, *(p.id for p in self.problem.network.parameters)]
        raise DataError(f"{self.problem.name}: {where}: {value!r} is no parameter that has a value{nearest(value, known)}")

    def row(self, values: np.ndarray) -> np.ndarray:
        """[K + constants] from the values of the parameters [K]."""
        return np.concatenate([values, self.constants])


class Starts:
    """States [C, n] and parameters [C, m] of C conditions, and their derivatives with respect to the parameters of the fit."""

    def __init__(self, problem: Statement, system: System, values: Values, conditions: Sequence[str]) -> None:
        self.system, self.conditions = system, tuple(conditions)
        given, labels = values_given(system.network), list(system.inputs)
        fitted = {id: k for id, k in values.index.items() if id in given}
        for id in values.index:
            if id in system.network.elements and id not in given:
                raise DataError(f"{problem.name}: parameter {id!r} has the id of a reaction of the model; give it another one")
        self.sources = np.empty((len(self.conditions), len(labels)), dtype=np.int64)
        common = {label: values.constant(given.get(label, 0.0)) for label in labels}
        yes = values.constant(1.0)
        for c, condition in enumerate(self.conditions):
            named = self._named(problem, values, condition, fitted, given)
            for position, label in enumerate(labels):
                own = yes if label.startswith("?") and label[1:] in named else common[label]
                self.sources[c, position] = named.get(label, own)
            example = values.row(np.array([p.nominal if np.isfinite(p.nominal) else max(p.lower, 1.0) for p in problem.parameters]))
            system.begin({id: float(example[k]) for id, k in named.items()})  # refuses what cannot be given, and what has no value
        nodes = [*system.state_start, *system.parameter_start]
        self._start = native(system.start, nodes, len(labels))
        self._slopes(nodes, len(values.index))

    def _named(
        self, problem: Statement, values: Values, condition: str, fitted: Mapping[str, int], given: Mapping[str, float]
    ) -> dict[str, int]:
        """{id: index of its value} of what the fit and the condition put in the place of the model's numbers."""
        where = f"condition {condition!r}"
        named = dict(fitted)
        for id, value in problem.conditions[condition].items():
            source = values.source(value, f"{where}, {id}")
            if id in values.index:
                raise DataError(f"{problem.name}: {where}: {id!r} stands in the table of parameters too; only one can give its value")
            if id in given:
                named[id] = source
        return named

    def _slopes(self, nodes: Sequence[int], parameters: int) -> None:
        """Compile d start / d input for every input that the fit gives in some condition."""
        fitted = set(np.flatnonzero((self.sources < parameters).any(axis=0)).tolist())
        rows = partials(self.system.start, nodes, "param")
        self._entries = [(i, position) for i, row in enumerate(rows) for position in row if position in fitted]
        self._slope = native(self.system.start, [rows[i][position] for i, position in self._entries], len(self.system.inputs))
        self.moving = np.zeros((parameters, len(nodes)), dtype=bool)  # which entries of the derivatives [K, n + m] may differ from zero
        for i, position in self._entries:
            source = self.sources[:, position]
            self.moving[source[source < parameters], i] = True

    def states(self, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(y [C, n], p [C, m]) from a row of values."""
        found = at_rows(self._start, *self._inputs(row))
        y, p = found[:, : len(self.system.states)].copy(), found[:, len(self.system.states) :].copy()
        if self.system.fast or self.system.residuals:
            for c in range(len(y)):
                y[c] = self.system.settle(0.0, y[c], p[c])
        return y, p

    def slopes(self, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(dy [C, K, n], dp [C, K, m]) with respect to the values of the parameters of the fit."""
        n = len(self.system.states)
        found = np.zeros((len(self.sources), len(self.moving), n + len(self.system.parameters)))
        entries = at_rows(self._slope, *self._inputs(row))
        for column, (i, position) in enumerate(self._entries):
            source = self.sources[:, position]
            c = np.flatnonzero(source < len(self.moving))
            found[c, source[c], i] += entries[c, column]
        return found[:, :, :n], found[:, :, n:]

    def _inputs(self, row: np.ndarray) -> tuple[Any, Any, Any]:
        inputs = row[self.sources]
        return np.zeros(len(inputs)), np.zeros((len(inputs), 1)), inputs
