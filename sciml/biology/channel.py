"""What a cell is told and what is read of it: doses and responses from a table, from a law p(y|x), or simulated from a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sciml.arguments import checked, shown
from sciml.biology.cell_tables import CellSamples, read_table, samples_of
from sciml.biology.dose_simulation import DoseSimulation
from sciml.biology.measurement import Measurement
from sciml.biology.network import Network, nearest
from sciml.biology.probabilities import checked_law
from sciml.biology.shipped_cells import load_cells
from sciml.biology.simulation.forecast import Forecast
from sciml.biology.simulation.requests import Count, Laws, Seed
from sciml.biology.simulation.trajectories import checked_times
from sciml.errors import ConfigError, DataError
from sciml.seeding import numpy_generator

if TYPE_CHECKING:
    from sciml.report import Section

__all__ = ["Channel"]

_FEW_DOSES = 1000
Names = str | Sequence[str]


@dataclass(frozen=True, repr=False, eq=False)
class Channel:
    """Doses and responses, and what was read: made by `from_table`, `from_matrix`, `from_network` or `from_dataset`.

    `readout`: "snapshot" (one time of each cell), "trajectory" (several times of the same cell) or "matrix". `doses`: the different ones,
    rising: [k], [k, dx] or texts; `dose` is their name. `names`: of what is read; `times` of it, where they are known. `samples` are
    (x, y): x [n] or [n, dx], y [n, dy] with one column for each name and time, those of a name together. `p_y_given_x` [k, m] of a matrix.
    `units` {name: unit}. `notes`: what the reader must know, such as rows that were dropped. `published_bits`: a capacity that the source
    of the data states.
    """

    readout: Literal["snapshot", "trajectory", "matrix"]
    doses: np.ndarray
    names: tuple[str, ...]
    times: np.ndarray | None = None
    dose: str = "dose"
    units: Mapping[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    p_y_given_x: np.ndarray | None = None
    cells: CellSamples | None = None
    simulation: DoseSimulation | None = None
    published_bits: float | None = None

    @classmethod
    @checked
    def from_matrix(cls, p_y_given_x: Any, doses: Any = None) -> Channel:
        """The channel of a law: row i of `p_y_given_x` [k, m] is p(y | dose i), `doses` [k] are numbers, None for 0, 1, 2, ...

        Rows may miss 1 by 1e-6, by rounding, and are divided by their sum. Raises DataError with row and column for what is no law, and for
        doses that are not finite, not different or not one for each row.
        """
        law = checked_law(p_y_given_x, "from_matrix: p_y_given_x", ("k", "m"))
        known = np.arange(len(law), dtype=float) if doses is None else _distinct(doses)
        if len(known) != len(law):
            raise DataError(f"from_matrix: doses: found {len(known)}, expected {len(law)}, one for each row of p_y_given_x")
        return cls("matrix", known, ("y",), p_y_given_x=law)

    @classmethod
    @checked
    def from_table(
        cls,
        source: Any,
        dose: Names = "dose",
        readout: Names = "response",
        groups: Names | None = None,
        *,
        times: Any = None,
        categories: bool = False,
        missing: Literal["refuse", "drop"] = "refuse",
        layer: str | None = None,
        doses: Mapping[Any, Any] | None = None,
        separator: str | None = None,
        decimal: Literal[".", ","] | None = None,
        encoding: str | None = None,
    ) -> Channel:
        """The channel of measured single cells, one row a cell.

        `source`: a pandas DataFrame, or the path of a table as text (any separator, decimal points or commas, packed by gzip or not),
        parquet, h5ad or FCS; the content says which, not the name. `dose`, `readout`, `groups` name columns, several of them as a list; of
        an h5ad columns of obs or genes (of X, or of `layer`), of FCS channels. FCS files are a folder, a list or {file: dose}; their doses
        stand in `doses` {file: dose} or are the one number that differs between their names, and `groups="file"` makes each file a group.
        `times`: one for each read-out, where these are the same quantity of the same cell at several times: a trajectory. Doses such as
        "10 ng/ml" are numbers with a unit; `categories` takes them as names. `missing`: a row with an empty field is refused, or dropped
        and counted in `notes`. `separator`, `decimal` and `encoding` settle what a text leaves open.

        Raises DataError with file, line and column for what cannot be read in one way only, ConfigError for arguments.
        """
        inputs, outputs, together = _listed("dose", dose), _listed("readout", readout), _listed("groups", groups or ())
        asked = _read_times(times, outputs)
        names = list(dict.fromkeys([*inputs, *outputs, *together]))
        table = read_table(source, names, dose=inputs, layer=layer, doses=doses, separator=separator, encoding=encoding)
        cells = samples_of(table, inputs, outputs, together, categories=categories, drop_missing=missing == "drop", decimal=decimal)
        kind: Any = "trajectory" if asked is not None and len(asked) > 1 else "snapshot"
        levels = np.unique(cells.x, axis=0)
        label = " / ".join(inputs)
        return cls(kind, levels, outputs, asked, label, cells.units, (*cells.notes, *_too_near(levels)), cells=cells)

    @classmethod
    @checked
    def from_network(
        cls,
        net: Network,
        dose: str,
        readout: Names,
        doses: Any,
        times: Any,
        *,
        n: Count = 1000,
        seed: Seed = 0,
        method: str = "ssa",
        hold: bool = False,
        extrinsic: Laws | None = None,
        measurement: Measurement | Mapping[str, Measurement] | None = None,
        **options: Any,
    ) -> Channel:
        """The channel of a model: `n` cells at each dose, simulated when something is read and kept.

        `dose`: a parameter, or a species whose start it is, in the quantity that the model states; with `hold` no reaction changes that
        species. `readout`: species or other symbols; `times` [T]: one is a snapshot, several are a trajectory. `with_readout` gives another
        symbol of the same cells. `method`: "ssa", "tau", "hybrid", "langevin", or "ode" where only cells and instruments differ.
        `extrinsic` {id: law} and `options` (`start`, `before`, `parameters`, `initial`, `budget`, ...) are those of the simulator;
        `measurement` of all read-outs, or {name: Measurement}. Raises ConfigError for ids that the network does not have, DataError for
        doses that are no rising numbers.
        """
        names = _listed("readout", readout)
        given = _distinct(doses)
        if (falls := np.flatnonzero(np.diff(given) < 0)).size:
            raise DataError(f"doses: found {given[falls[0] + 1]:g} after {given[falls[0]]:g}, expected rising numbers")
        run = DoseSimulation(net, dose, given, checked_times(times), n, seed, method, hold, extrinsic, measurement, options)
        for name in names:
            run.require(name)
        element: Any = net.elements.get(dose)
        units = {dose: element.units} if getattr(element, "units", None) else {}
        return cls("trajectory" if len(run.times) > 1 else "snapshot", given, names, run.times, dose, units, simulation=run)

    @classmethod
    @checked
    def from_dataset(cls, name: str, strain: str | None = None) -> Channel:
        """The channel of cells that come with the package: "lac-cells", nine strains such as "O2-RBS1027" under twelve doses of IPTG.

        The background is taken off, `published_bits` is the capacity of the source's theory; `datasets/<name>/card.md` says more. Raises
        ConfigError for an unknown name or strain.
        """
        found = load_cells(name, strain)
        cells = found.cells
        doses, bits = np.unique(cells.x), found.published_bits
        return cls("snapshot", doses, (found.readout,), None, found.dose, cells.units, cells.notes, cells=cells, published_bits=bits)

    @cached_property
    def samples(self) -> tuple[np.ndarray, np.ndarray] | None:
        """(x [n] or [n, dx], y [n, dy]); None of a matrix, from which `sample` draws. A model is simulated at the first use."""
        if self.simulation is not None and self.times is not None:
            places = [self.simulation.times.tolist().index(time) for time in self.times]
            return self.simulation.x, np.concatenate([self.simulation.read(name)[:, places] for name in self.names], axis=1)
        return None if self.cells is None else (self.cells.x, self.cells.y)

    @property
    def groups(self) -> np.ndarray | None:
        """[n] the name of what each cell belongs to (replicate, day, donor), None where nothing was said."""
        return None if self.cells is None else self.cells.groups

    @property
    def held(self) -> bool | None:
        """Whether the dose stays as it is in each cell; None where a table does not say."""
        return self.simulation.held if self.simulation is not None else True if self.p_y_given_x is not None else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader must know; of a model also what the run said, once there was one."""
        run = self.simulation
        return tuple(dict.fromkeys([*self.said, *(note for name in self.names for note in (run.notes(name) if run is not None else ()))]))

    def forecast(self) -> Forecast:
        """Reactions, seconds and bytes that the simulation will take, before it runs. ConfigError where nothing is simulated exactly."""
        if self.simulation is None:
            kind = "matrix" if self.p_y_given_x is not None else "table"
            raise ConfigError(f"forecast: this channel is a {kind}, which is not simulated")
        return self.simulation.forecast()

    @checked
    def sample(self, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """(x [k n], y [k n, 1]): `n` draws from each row of a matrix; y counts columns from 0. ConfigError of another channel."""
        if self.p_y_given_x is None:
            raise ConfigError(f"sample: this channel is a {self.readout}, whose cells are in .samples")
        if n < 1:
            raise ConfigError(f"sample: n: found {n}, expected a whole number >= 1")
        edges = np.cumsum(self.p_y_given_x, axis=1)
        u = numpy_generator(seed, "channel").random((len(edges), n))
        y = np.stack([np.searchsorted(row / row[-1], draws, side="right") for row, draws in zip(edges, u, strict=True)])
        return np.repeat(self.doses, n), y.reshape(-1, 1).astype(float)

    @checked
    def with_readout(self, readout: Names) -> Channel:
        """The same cells read otherwise: another symbol of a model, fewer columns of a table. ConfigError for what is not there."""
        asked = _listed("readout", readout)
        if self.simulation is not None:
            for name in asked:
                self.simulation.require(name)
            return replace(self, names=asked)
        for name in asked:
            if name not in self.names:
                raise ConfigError(f"with_readout: {name!r} was not read{nearest(name, self.names)}; there are {', '.join(self.names)}")
        return self if self.cells is None else self._columns([self.names.index(name) for name in asked])

    @checked
    def at(self, times: Any) -> Channel:
        """The same cells at some of the times: one of them is a snapshot. ConfigError for a time at which nothing was read."""
        known = [] if self.times is None else self.times.tolist()
        asked = np.unique(checked_times(times))
        if gone := [time for time in asked.tolist() if time not in known]:
            raise ConfigError(f"at: nothing was read at {gone[0]:g}; times are {', '.join(f'{t:g}' for t in known) or 'not known'}")
        if self.simulation is not None:
            return replace(self, readout="trajectory" if len(asked) > 1 else "snapshot", times=asked)
        return self._columns([known.index(time) for time in asked.tolist()])

    def _columns(self, places: Sequence[int]) -> Channel:
        """Of a table: some of its read-outs."""
        names, times = tuple(self.names[k] for k in places), None if self.times is None else self.times[list(places)]
        kind: Any = "trajectory" if self.readout == "trajectory" and len(places) > 1 else "snapshot"
        cells = None if self.cells is None else replace(self.cells, y=self.cells.y[:, list(places)])
        return replace(self, readout=kind, names=names, times=times, cells=cells)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: what was read, at which doses, from how many cells."""
        said: dict[str, Any] = {"readout": self.readout, "dose": self.dose, "doses": self.doses.tolist(), "names": list(self.names)}
        said |= {"times": None if self.times is None else self.times.tolist(), "units": dict(self.units), "notes": list(self.notes)}
        said |= {} if self.published_bits is None else {"published_bits": self.published_bits}
        if self.p_y_given_x is not None:
            return said | {"p_y_given_x": self.p_y_given_x.tolist()}
        said |= {"simulation": self.simulation.to_dict()} if self.simulation is not None else {}
        said |= {"source": self.cells.source} if self.cells is not None else {}
        return said | {"cells": self._counts.tolist()}

    def to_sections(self) -> list[Section]:
        """How the responses are distributed at each dose, for a report; a model is simulated for it."""
        from sciml.biology.response_figures import law_section, response_section

        doses = [" / ".join(str(v) if isinstance(v, str) else f"{v:g}" for v in np.atleast_1d(row).tolist()) for row in self.doses]
        if self.p_y_given_x is not None or self.samples is None:
            return [law_section(doses, np.zeros((0, 0)) if self.p_y_given_x is None else self.p_y_given_x)]
        (x, y), names, times = self.samples, self.names, self.times
        which = np.unique(x, axis=0, return_inverse=True)[1].ravel()
        if self.cells is not None and self.readout == "trajectory":  # one quantity in several columns
            names = (" ".join(self.names),)
        width = y.shape[1] // len(names)
        parts = [y[:, k * width : (k + 1) * width] for k in range(len(names))]
        unit = self.units.get(self.dose)
        label = f"{self.dose} ({unit})" if unit and not self.dose.endswith((")", "]")) else self.dose
        return [response_section(doses, which, names, parts, dose=label, times=times if width > 1 else None, notes=self.notes)]

    @property
    def _counts(self) -> np.ndarray:
        """[k] cells at each dose."""
        if self.simulation is not None:
            return np.full(len(self.doses), self.simulation.n)
        return np.zeros(len(self.doses), int) if self.cells is None else np.unique(self.cells.x, axis=0, return_counts=True)[1]

    def __repr__(self) -> str:
        cells = "" if self.p_y_given_x is not None else f", {int(self._counts.sum()):,} cells"
        return f"<Channel: {self.readout} of {', '.join(self.names)} at {len(self.doses)} doses{cells}>"


def _listed(what: str, names: Names) -> tuple[str, ...]:
    found = (names,) if isinstance(names, str) else tuple(names)
    if not found and what != "groups":
        raise ConfigError(f"{what}: found no name, expected the name of a column or a list of names")
    if twice := next((name for name in found if found.count(name) > 1), None):
        raise ConfigError(f"{what}: {twice!r} is named twice")
    return found


def _distinct(given: Any) -> np.ndarray:
    """Doses [k], finite and different."""
    try:
        doses = np.atleast_1d(np.asarray(given, dtype=float))
    except (TypeError, ValueError):
        raise DataError(f"doses: found {shown(given)}, expected numbers") from None
    if doses.ndim != 1 or not doses.size or not np.isfinite(doses).all():
        raise DataError(f"doses: found {shown(doses)}, expected finite numbers [k]")
    if len(np.unique(doses)) < len(doses):
        value, count = next((v, c) for v, c in zip(*np.unique(doses, return_counts=True), strict=True) if c > 1)
        raise DataError(f"doses: found {value:g} {count} times, expected different doses")
    return doses


def _too_near(doses: np.ndarray) -> tuple[str, ...]:
    """A remark on doses of which two differ in their last digits alone; nothing where a dose is a continuum."""
    if doses.dtype.kind != "f" or doses.ndim != 1 or not 1 < len(doses) <= _FEW_DOSES:
        return ()
    k = int(np.argmin(np.diff(doses)))
    low, high = float(doses[k]), float(doses[k + 1])
    near = high - low <= 1e-9 * max(abs(low), abs(high))
    return (f"doses {low!r} and {high!r} differ by rounding alone and count as two",) if near else ()


def _read_times(times: Any, readout: tuple[str, ...]) -> np.ndarray | None:
    """One time for each read-out column."""
    if times is None:
        return None
    try:
        found = np.atleast_1d(np.asarray(times, dtype=float))
    except (TypeError, ValueError):
        raise ConfigError(f"times: found {shown(times)}, expected numbers") from None
    if found.shape != (len(readout),) or not np.isfinite(found).all():
        raise ConfigError(f"times: found {shown(times)}, expected {len(readout)} finite numbers, one for each read-out")
    return found
