"""One network under many doses: all its cells in one run, from which any read-out of the same cells is taken, as an instrument would."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from sciml.arguments import shown
from sciml.biology.kernels.compiled import system_of
from sciml.biology.kernels.symbols import values_given
from sciml.biology.measurement import Measurement
from sciml.biology.network import Network, Participant, Species, nearest
from sciml.biology.simulation.forecast import Forecast, forecast
from sciml.biology.simulation.methods import METHODS
from sciml.biology.simulation.requests import Laws
from sciml.errors import ConfigError
from sciml.seeding import derive

__all__ = ["DoseSimulation"]

_COUNTING = ("initial", "substance", "split_reversible", "discrete_mass_action")
_OWN = {"net", "times", "n", "seed", "extrinsic", "record", "counting"}  # arguments that are not the caller's
_METHODS = ("ssa", "tau", "hybrid", "langevin", "ode")


@dataclass(frozen=True, repr=False, eq=False)
class DoseSimulation:
    """`n` cells of `network` at each of `doses` [k], read at `times` [T]; nothing runs before something is read.

    Cell i of dose j is trajectory j n + i of one run of `method` with `seed`. `extrinsic` laws and `options` are those of the simulator;
    `measurement` holds for all read-outs or, by name, for some. `hold`: a species that is the dose stays as it is set, whatever binds it.
    """

    network: Network
    dose: str
    doses: np.ndarray
    times: np.ndarray
    n: int
    seed: int = 0
    method: str = "ssa"
    hold: bool = False
    extrinsic: Laws | None = None
    measurement: Measurement | Mapping[str, Measurement] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = values_given(self.network)
        if self.dose not in known:
            raise ConfigError(
                f"dose: {self.dose!r} is no parameter, species or compartment of {self.network.id!r}{nearest(self.dose, known)}"
            )
        if self.method not in _METHODS:
            raise ConfigError(f"method: found {self.method!r}, expected {', '.join(map(repr, _METHODS))}")
        if len(np.unique(self.times)) < len(self.times):
            raise ConfigError("times: found the same time twice, expected different ones")
        if self.doses.min() < 0 and isinstance(self.network.elements.get(self.dose), Species):
            raise ConfigError(f"doses: found {self.doses.min():g}, expected numbers >= 0: {self.dose!r} is a species")
        call = METHODS[self.method].call
        known_options = set(inspect.signature(call).parameters) - _OWN | (set() if self.method == "ode" else set(_COUNTING))
        if unknown := sorted(self.options.keys() - known_options):
            raise ConfigError(f"{unknown[0]}: is no option of {call.__name__}{nearest(unknown[0], known_options)}")
        for place, given in (("parameters", self.options.get("parameters")), ("extrinsic", self.extrinsic)):
            if self.dose in (given or {}):
                raise ConfigError(f"{place}: {self.dose!r} is the dose, whose values are in doses")
        for name in self.measurement if isinstance(self.measurement, Mapping) else ():
            self.require(name)

    @property
    def x(self) -> np.ndarray:
        """[k n] the dose of each cell."""
        return np.repeat(self.doses, self.n)

    @cached_property
    def held(self) -> bool:
        """Whether the dose is the same at all times: a parameter or a species that no reaction, rule or event changes."""
        moved = {rule.variable for rule in self.network.rules} | {id for event in self.network.events for id, _ in event.assignments}
        element = self.network.elements[self.dose]
        if self.dose in moved:
            return False
        if not isinstance(element, Species) or self.hold or element.boundary or element.constant:
            return True
        return not any(_changes(reaction.reactants, reaction.products, self.dose) for reaction in self.network.reactions)

    @cached_property
    def run(self) -> Any:
        """All k n cells. Raises what the simulator does, and KeyboardInterrupt where the user stops it."""
        given = {**(self.options.get("parameters") or {}), self.dose: self.x}
        options = {**self.options, "parameters": given, "extrinsic": self.extrinsic, "n": len(self.x), "seed": self.seed}
        found = METHODS[self.method].call(self.simulated, self.times, **options)
        if not getattr(found, "complete", True):
            raise KeyboardInterrupt  # the last doses would have fewer cells than the others
        return found

    def require(self, name: str) -> None:
        """ConfigError for a name that is no symbol of the network."""
        known = system_of(self.simulated).values
        if name not in known:
            raise ConfigError(f"readout: {name!r} is no symbol of {self.network.id!r}{nearest(name, known)}")

    def read(self, name: str) -> np.ndarray:
        """[k n, T] a species or any other symbol of each cell, as measured."""
        values = np.asarray(self.run.select(name), dtype=float)
        how = self.instrument(name)
        return values if how is None else how.apply(values, derive(self.seed, "measurement", name))

    def notes(self, name: str) -> tuple[str, ...]:
        """What the run and the instrument have to say; nothing before there was a run."""
        if "run" not in self.__dict__:
            return ()
        how = self.instrument(name)
        return (*self.run.notes, *(f"{name}: {said}" for said in (how.censored(self.read(name)) if how is not None else ())))

    def forecast(self) -> Forecast:
        """What the run will take, all doses together; `events` of a cell in the mean. ConfigError unless it is exact."""
        if self.method != "ssa":
            raise ConfigError(f"forecast: found method {self.method!r}; the cost of 'ssa' alone is forecast")
        counting = {name: self.options[name] for name in _COUNTING if name in self.options}
        others = {id: float(np.mean(value)) for id, value in (self.options.get("parameters") or {}).items()}
        each = [forecast(self.simulated, self.times, self.n, parameters={**others, self.dose: d}, **counting) for d in self.doses]
        events = float(np.mean([f.events for f in each]))
        return Forecast(events, sum(f.seconds for f in each), sum(f.bytes for f in each), len(self.x), each[0].kernel)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: the request, so that it can be made again."""
        how = self.measurement
        said = None if how is None else how.to_dict() if isinstance(how, Measurement) else {name: m.to_dict() for name, m in how.items()}
        laws = {id: law.to_dict() for id, law in (self.extrinsic or {}).items()}
        request = {"network": self.network.id, "digest": self.network.digest, "dose": self.dose, "n": self.n, "seed": self.seed}
        options = {
            name: value if isinstance(value, str | int | float | bool | None) else shown(value) for name, value in self.options.items()
        }
        return request | {"method": self.method, "held": self.held, "extrinsic": laws, "measurement": said, "options": options}

    @cached_property
    def simulated(self) -> Network:
        """The network that runs: with `hold` the dose is a species that no reaction changes."""
        element = self.network.elements[self.dose]
        return self.network.with_(species=[replace(element, boundary=True)]) if self.hold and isinstance(element, Species) else self.network

    def instrument(self, name: str) -> Measurement | None:
        """What measures a read-out; None where its true values are read."""
        return self.measurement.get(name) if isinstance(self.measurement, Mapping) else self.measurement


def _changes(reactants: tuple[Participant, ...], products: tuple[Participant, ...], id: str) -> bool:
    """Whether a reaction takes or makes a species on balance; yes where a stoichiometry is no number."""
    sides = [[p.stoichiometry for p in side if p.species == id] for side in (products, reactants)]
    if not all(isinstance(m, int | float) for side in sides for m in side):
        return True
    return sum(sides[0]) != sum(sides[1])  # type: ignore[arg-type]
