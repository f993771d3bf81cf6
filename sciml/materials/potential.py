"""From a model to a potential: energies of atoms to energy, forces, stress; reference energies; what training saw."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations_with_replacement, pairwise
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols
from torch import Tensor, nn

from sciml.devices import out_of_memory, resolve_device, resolve_dtype
from sciml.errors import ConfigError, DataError, SciMLError
from sciml.materials.calculator import PotentialCalculator
from sciml.materials.graph import CrystalGraph, build_graphs, edge_vectors
from sciml.materials.kernels import CONVENTION
from sciml.materials.models import AtomFeatures, AtomModel, EnergyHead, ModelConfig, build_model
from sciml.materials.models.pair import CROWDED, bond_length, crowding_of, faded, inside, saturate, shortest_distances, trust, zbl
from sciml.materials.references import References
from sciml.materials.structure import as_atoms, one_or_many

_LOG = logging.getLogger("sciml.materials.potential")
VOIGT = ((0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1))  # xx yy zz yz xz xy
BATCH_EDGES, MAX_HIDDEN = 60_000, 512
ROUNDED = 1 - 1e-5  # what training saw is kept in float32


@dataclass(frozen=True)
class Differentiated:
    """Energy of the interaction and its derivatives, of a batch of G structures with N atoms."""

    energies: Tensor  # [N] eV
    energy: Tensor  # [G] eV, float64
    forces: Tensor | None  # [N, 3] eV/A
    stress: Tensor | None  # [G, 3, 3] eV/A^3, tension positive; only meaningful where all three directions are periodic


@dataclass(frozen=True)
class Prediction:
    """What a potential says of one structure of N atoms."""

    energy: float
    """Total energy in eV, reference energies included."""
    energies: np.ndarray
    """Energies of the atoms in eV, [N]; they add up to `energy`."""
    forces: np.ndarray
    """Forces in eV/A, [N, 3]."""
    stress: np.ndarray | None
    """Stress (1/V) dE/d eps in eV/A^3, [3, 3], tension positive; None unless all three directions are periodic."""
    energy_std: float | None = None
    """Spread of `energy` over the members of an ensemble (ddof = 1) in eV; None for a single model."""
    forces_std: np.ndarray | None = None
    """Spread of `forces` over the members (ddof = 1) in eV/A, [N, 3]."""
    in_domain: bool | None = None
    """False where a pair of elements lies within the cut-off that training never saw, or where atoms are nearer to each other than any that
    it saw, or more crowded than 1.25 times the most; None where this was not recorded."""

    @property
    def stress_voigt(self) -> np.ndarray | None:
        """Stress as [6] in the order xx yy zz yz xz xy, or None."""
        return None if self.stress is None else self.stress[VOIGT]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain lists and numbers."""
        return {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in asdict(self).items()}


class EnergyModel(nn.Module):
    """Interaction energies of atoms, [N] eV: scale times head(model), plus a short-range nuclear repulsion.

    shortest_A and crowding_eV (`pair.crowding_of`) say what training saw, by pair of atomic numbers and by atomic number: where atoms are
    nearer than that, or more crowded than 1.25 times that, the repulsion decides, if there is one.
    """

    def __init__(
        self,
        model: AtomModel,
        *,
        head_hidden: int = 32,
        scale_eV: float = 1.0,
        repulsion: bool = True,
        shortest_A: Mapping[tuple[int, int], float] | None = None,
        crowding_eV: Mapping[int, float] | None = None,
    ) -> None:
        super().__init__()
        self.model, self.head, self.repulsion = model, EnergyHead(model.feature_channels, head_hidden), repulsion
        self.scale: Tensor
        self.shortest_A: Tensor
        self.crowding_eV: Tensor
        self.register_buffer("scale", torch.tensor(float(scale_eV), dtype=torch.float32))
        self.register_buffer("shortest_A", shortest_distances(model.species, shortest_A or {}, model.cutoff_A))
        most = crowding_eV or {}
        self.register_buffer("crowding_eV", torch.tensor([most.get(z, 0.0) for z in model.species], dtype=torch.float32))

    def forward(self, graph: CrystalGraph, vectors: Tensor) -> Tensor:
        """Energies [N] in eV, exactly zero for an atom without neighbours, for edge vectors [E, 3] in angstrom."""
        energies: Tensor = self.head(self.features(graph, vectors)) * self.scale
        if not self.repulsion or not len(vectors):
            return energies
        (a, b), r = graph.z[graph.edge_index], vectors.square().sum(1).sqrt()
        bare = zbl(r, a, b)
        reach = torch.maximum(bond_length(a, b, r), self._shortest(graph)).clamp(max=self.model.cutoff_A)
        energies = energies.index_add(0, graph.edge_index[1], faded(bare, r, reach) / 2)
        crowding, most = self._crowding(graph, bare, r)
        where = (crowding > CROWDED * most).nonzero().squeeze(1)
        if not len(where):  # nearly always
            return energies
        share = trust(crowding[where], most[where])
        return energies.index_copy(0, where, share * energies[where] + (1 - share) * crowding[where])

    def features(self, graph: CrystalGraph, vectors: Tensor) -> AtomFeatures:
        """What the model makes of the atoms; beside a repulsion, edges shorter than those of the training data are lengthened."""
        features: AtomFeatures = self.model(graph, saturate(vectors, self._shortest(graph)) if self.repulsion else vectors)
        return features

    @torch.no_grad()
    def unknown(self, graph: CrystalGraph) -> Tensor:
        """Atoms [N] bool that are nearer to another one, or more crowded, than what training saw allows a network to judge."""
        (a, b), r = graph.z[graph.edge_index], edge_vectors(graph).to(self.scale.dtype).square().sum(1).sqrt()
        crowding, most = self._crowding(graph, zbl(r, a, b), r)
        near = torch.zeros_like(crowding).index_add_(0, graph.edge_index[1], (r < ROUNDED * self._shortest(graph)).to(crowding.dtype))
        return (near > 0) | (crowding > CROWDED * most)

    @torch.no_grad()
    def extend(
        self, shortest_A: Mapping[tuple[int, int], float], crowding_eV: Mapping[int, float], known: Iterable[tuple[int, int]]
    ) -> None:
        """Enter what more training data saw, in angstrom by pair of atomic numbers and in eV by atomic number.

        known: pairs that training saw before; the distances of the others were guesses, and are replaced.
        """
        place, seen = {z: row for row, z in enumerate(self.model.species)}, {(min(pair), max(pair)) for pair in known}
        for (a, b), distance in shortest_A.items():
            for row, column in ((place[a], place[b]), (place[b], place[a])):
                before = float(self.shortest_A[row, column]) if (min(a, b), max(a, b)) in seen else 0.0
                self.shortest_A[row, column] = min(distance, before or distance)
        for z, most in crowding_eV.items():
            self.crowding_eV[place[z]].clamp_(min=most)

    def _shortest(self, graph: CrystalGraph) -> Tensor:
        source, target = self.model.atom_species(graph)[graph.edge_index]
        return self.shortest_A[source, target]

    def _crowding(self, graph: CrystalGraph, bare: Tensor, r: Tensor) -> tuple[Tensor, Tensor]:
        """Crowding of the atoms [N] in eV from the repulsions [E], and the largest that training saw (infinite where nothing is known)."""
        seen = self.crowding_eV[self.model.atom_species(graph)]
        most = torch.where(seen > 0, seen, torch.inf)
        return crowding_of(bare * inside(r, self.model.cutoff_A), graph.edge_index[1], len(graph.z)), most

    def settings(self) -> dict[str, Any]:
        """All that is needed to build the same module again."""
        model: ModelConfig = self.model.config
        return {"model": model.model_dump(), "head_hidden": self.head.first.shape[1], "repulsion": self.repulsion}

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], species: Sequence[int]) -> EnergyModel:
        """A module with random weights for `settings()`, torch's generator left as it was; ConfigError for wrong sizes."""
        if not 1 <= int(settings["head_hidden"]) <= MAX_HIDDEN:
            raise ConfigError(f"head_hidden: found {settings['head_hidden']}; right would be 1 to {MAX_HIDDEN}")
        with torch.random.fork_rng(devices=[]):
            model = build_model(settings["model"], species)
            return cls(model, head_hidden=int(settings["head_hidden"]), repulsion=bool(settings["repulsion"]))


def differentiate(
    energy_model: EnergyModel, graph: CrystalGraph, *, forces: bool = True, stress: bool = True, create_graph: bool = False
) -> Differentiated:
    """Energies with forces and stress from one gradient with respect to the edge vectors v.

    F_i = sum over edges at i of dE/dv minus that of the reversed edges; sigma = sum of v (x) dE/dv / V, symmetrised. `create_graph` keeps
    the derivatives differentiable (training). The network works in its own dtype, and so do forces and stress; edge vectors are taken and
    energies of structures summed in float64.
    """
    exact = edge_vectors(graph)  # [E, 3] float64
    wanted = forces or stress
    vectors = exact.to(energy_model.scale.dtype).requires_grad_(wanted)
    with torch.set_grad_enabled(wanted or torch.is_grad_enabled()):
        energies = energy_model(graph, vectors)
        energy = torch.zeros(graph.num_graphs, dtype=torch.float64, device=energies.device).index_add(0, graph.batch, energies.double())
        if not wanted:
            return Differentiated(energies, energy, None, None)
        pull = torch.zeros_like(vectors)
        if len(vectors):
            (pull,) = torch.autograd.grad(energies.sum(), vectors, create_graph=create_graph, retain_graph=create_graph)
        target = graph.edge_index[1]
        force = vectors.new_zeros(len(graph.z), 3).index_add(0, target, pull - pull[graph.edge_reverse]) if forces else None
        sigma = _stress(graph, vectors.detach(), pull) if stress else None
    return Differentiated(energies, energy, force, sigma)


def _stress(graph: CrystalGraph, vectors: Tensor, pull: Tensor) -> Tensor:
    outer = (vectors.unsqueeze(2) * pull.unsqueeze(1)).flatten(1)  # [E, 9]
    total = vectors.new_zeros(graph.num_graphs, 9).index_add(0, graph.batch[graph.edge_index[1]], outer).view(-1, 3, 3)
    volume = torch.linalg.det(graph.cell).abs().clamp(min=1e-12).to(vectors.dtype)
    return (total + total.transpose(1, 2)) / 2 / volume.view(-1, 1, 1)


def element_pairs(graph: CrystalGraph) -> set[tuple[int, int]]:
    """Unordered pairs of atomic numbers that occur within the cut-off."""
    pairs = torch.unique(graph.z[graph.edge_index].sort(0).values, dim=1).T.tolist()
    return {(a, b) for a, b in pairs}


class Potential:
    """One model or an ensemble, with reference energies and a record of what it was trained on."""

    def __init__(
        self,
        members: Sequence[EnergyModel],
        references: References,
        *,
        pairs_seen: Iterable[tuple[int, int]] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.members, self.references = [m.eval() for m in members], references
        self.species, self.cutoff_A = references.species, self.members[0].model.cutoff_A
        self.pairs_seen = None if pairs_seen is None else frozenset((min(p), max(p)) for p in pairs_seen)
        self.metadata = dict(metadata or {})
        self._warned: set[str] = set()
        self._ready: dict[tuple[torch.dtype, torch.device], list[EnergyModel]] = {}

    def __repr__(self) -> str:
        symbols = "-".join(chemical_symbols[z] for z in self.species)
        return f"Potential({symbols}, {self.members[0].model.config.kind}, cut-off {self.cutoff_A} A, {len(self.members)} member(s))"

    def modules(self, dtype: torch.dtype, device: torch.device) -> list[EnergyModel]:
        """The members in a dtype and on a device, made once."""
        key = (dtype, device)
        if key not in self._ready:
            copies = []
            for member in self.members:
                copy = EnergyModel.from_settings(member.settings(), self.species)
                copy.load_state_dict(member.state_dict())
                copies.append(copy.to(dtype=dtype, device=device).eval().requires_grad_(False))
            self._ready[key] = copies
        return self._ready[key]

    def predict(self, structures: Any, dtype: str = "float32", device: str = "auto", batch_edges: int | None = None) -> list[Prediction]:
        """Energy, forces and stress of one structure or many (ASE or pymatgen), in their order; always a list.

        Structures are evaluated together up to `batch_edges` edges, fewer where memory ends; the result does not depend on it beyond
        rounding. One that does not fit even alone is named, with its number of atoms (SciMLError), as is one without finite energy and
        forces (DataError): atoms at the same place, positions that are not finite.
        """
        atoms = self._checked(structures)
        modules, where = self.modules(resolve_dtype(dtype), resolve_device(device)), resolve_device(device)
        predictions: list[Prediction] = []
        for chunk in _chunks(atoms, self.cutoff_A, batch_edges or BATCH_EDGES):
            predictions += self._predict_halving(chunk, len(predictions), modules, where)
        for record, prediction in enumerate(predictions):
            if not (np.isfinite(prediction.energy) and np.isfinite(prediction.forces).all()):
                raise DataError(f"structure {record}: energy or forces are not finite; its geometry is far from anything learned")
        return predictions

    def _predict_halving(self, chunk: list[Atoms], first: int, modules: Sequence[EnergyModel], where: torch.device) -> list[Prediction]:
        """Predictions of consecutive structures, `first` is the record of the first of them; in halves where memory ends."""
        try:
            graph = self._graphs(chunk, first)
            return self._predict_chunk(graph if where.type == "cpu" else graph.to(where), modules)
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            if len(chunk) == 1:
                what = f"{chunk[0].get_chemical_formula()} with {len(chunk[0])} atoms"
                raise SciMLError(f"{what} does not fit into the memory of {where}; take a machine with more, or fewer atoms") from error
        middle = len(chunk) // 2
        left = self._predict_halving(chunk[:middle], first, modules, where)
        return left + self._predict_halving(chunk[middle:], first + middle, modules, where)

    def _graphs(self, chunk: Sequence[Atoms], first: int = 0) -> CrystalGraph:
        """Graphs of structures; DataError where two atoms are at the same place, which has no direction."""
        graph = build_graphs(chunk, self.cutoff_A)
        same = (edge_vectors(graph) == 0).all(1).nonzero().squeeze(1)
        if len(same):
            i, j = graph.edge_index[:, same[0]].tolist()
            g = int(graph.batch[i])
            start = int(graph.ptr[g])
            raise DataError(f"structure {first + g}: atoms {j - start} and {i - start} are at the same place; move or remove one")
        return graph

    def _predict_chunk(self, graph: CrystalGraph, modules: Sequence[EnergyModel]) -> list[Prediction]:
        results = [differentiate(module, graph) for module in modules]
        base = np.zeros(119)
        base[list(self.species)] = self.references.energies
        energies = np.stack([r.energies.detach().double().cpu().numpy() for r in results]) + base[graph.z.cpu().numpy()]  # [K, N]
        forces = np.stack([r.forces.detach().double().cpu().numpy() for r in results])  # type: ignore[union-attr]
        stress = np.stack([r.stress.detach().double().cpu().numpy() for r in results]).mean(0)  # type: ignore[union-attr]
        periodic, ends = graph.pbc.all(1).tolist(), graph.ptr.tolist()
        known = self._in_domain(graph, modules[0])
        rows = []
        for g, (start, stop) in enumerate(pairwise(ends)):
            e, f = energies[:, start:stop], forces[:, start:stop]
            many = len(modules) > 1
            rows.append(
                Prediction(
                    energy=float(e.sum(1).mean()),
                    energies=e.mean(0),
                    forces=f.mean(0),
                    stress=stress[g] if periodic[g] else None,
                    energy_std=float(e.sum(1).std(ddof=1)) if many else None,
                    forces_std=f.std(0, ddof=1) if many else None,
                    in_domain=None if known is None else known[g],
                )
            )
        return rows

    def _checked(self, structures: Any) -> list[Atoms]:
        """One structure or many as ASE objects of known elements."""
        atoms = [as_atoms(structure) for structure in one_or_many(structures)]
        for record, a in enumerate(atoms):
            if not len(a):
                raise DataError(f"structure {record}: it has no atoms; expected at least one")
            if not (np.isfinite(a.positions).all() and np.isfinite(a.cell.array).all()):
                raise DataError(f"structure {record}, positions or cell: found NaN or infinite numbers, expected finite ones")
            unknown = sorted(set(a.numbers.tolist()) - set(self.species))
            if unknown:
                found, right = (", ".join(chemical_symbols[z] for z in x) for x in (unknown, self.species))
                raise DataError(f"structure {record}, species: found {found}; this potential knows {right}")
        return atoms

    def _in_domain(self, graph: CrystalGraph, module: EnergyModel) -> list[bool] | None:
        if self.pairs_seen is None:
            return None
        atoms = module.unknown(graph)
        if bool(atoms.any()):
            self._warn("near", "atoms are nearer to each other than any in training, or far more crowded: in_domain=False")
        unseen = self._unseen_pairs(graph)
        if unseen:
            names = ", ".join(f"{chemical_symbols[a]}-{chemical_symbols[b]}" for a, b in sorted(unseen))
            reach = f"within {self.cutoff_A:.3g} A of each other"
            self._warn(names, f"pair of elements {names} lies {reach}; training never saw it: in_domain=False")
            low, high = graph.z[graph.edge_index].sort(0).values
            for a, b in unseen:
                atoms[graph.edge_index[1][(low == a) & (high == b)]] = True
        outside = set(graph.batch[atoms].tolist())
        return [g not in outside for g in range(graph.num_graphs)]

    def _unseen_pairs(self, graph: CrystalGraph) -> set[tuple[int, int]]:
        seen = self.pairs_seen or frozenset()
        present = combinations_with_replacement(torch.unique(graph.z).tolist(), 2)
        return set() if all(pair in seen for pair in present) else element_pairs(graph) - seen

    def _warn(self, key: str, text: str) -> None:
        if key not in self._warned:  # once, also in a run of a million steps
            _LOG.warning("%s", text)
            self._warned.add(key)

    def calculator(self, dtype: str = "float64", device: str = "auto") -> PotentialCalculator:
        """An ASE calculator of this potential."""
        return PotentialCalculator(self, dtype=dtype, device=device)

    def descriptors(self, structures: Any, dtype: str = "float64", device: str = "auto") -> list[np.ndarray]:
        """Invariant features of the atoms (scalars of the first member's last layer), one array [N, C] for each structure."""
        atoms = self._checked(structures)
        module = self.modules(resolve_dtype(dtype), resolve_device(device))[0]
        rows: list[np.ndarray] = []
        for chunk in _chunks(atoms, self.cutoff_A, BATCH_EDGES):
            graph = self._graphs(chunk, len(rows)).to(resolve_device(device))
            with torch.no_grad():
                scalars = module.features(graph, edge_vectors(graph).to(module.scale.dtype)).scalars.cpu().numpy()
            rows += np.split(scalars, graph.ptr[1:-1].tolist())
        return rows

    def hessian(self, atoms: Any, device: str = "auto") -> np.ndarray:
        """Second derivatives of the energy with respect to positions in eV/A^2, [3 N, 3 N], float64; the mean over members."""
        structure = as_atoms(atoms)
        self._checked(structure)
        graph, rows = self._graphs([structure]).to(resolve_device(device)), []
        position = graph.pos.clone().requires_grad_(True)
        graph.pos = position
        for module in self.modules(torch.float64, resolve_device(device)):
            energy = module(graph, edge_vectors(graph)).sum()
            if not graph.edge_index.shape[1]:
                return np.zeros((3 * len(structure),) * 2)
            (gradient,) = torch.autograd.grad(energy, position, create_graph=True)
            lines = [torch.autograd.grad(g, position, retain_graph=True)[0].flatten() for g in gradient.flatten()]
            rows.append(torch.stack(lines).cpu().numpy())
        mean = np.mean(rows, 0)
        return np.asarray((mean + mean.T) / 2)

    def to_state(self) -> tuple[dict[str, Any], list[dict[str, Tensor]]]:
        """All of this potential as plain data and tensors, for a model file."""
        pairs = None if self.pairs_seen is None else sorted([chemical_symbols[a], chemical_symbols[b]] for a, b in self.pairs_seen)
        metadata = {
            **self.metadata,
            "convention": CONVENTION,
            "cutoff_A": self.cutoff_A,
            "network": self.members[0].settings(),
            "pairs_seen": pairs,
            "references": self.references.to_dict(),
            "species": [chemical_symbols[z] for z in self.species],
            "units": {"energy": "eV", "length": "angstrom", "forces": "eV/A", "stress": "eV/A^3, tension positive"},
        }
        return metadata, [{key: value.contiguous() for key, value in member.state_dict().items()} for member in self.members]

    @classmethod
    def expected_tensors(cls, metadata: Mapping[str, Any]) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
        """Name, shape and dtype of every tensor that a member with this metadata has."""
        module = EnergyModel.from_settings(metadata["network"], [atomic_numbers[s] for s in metadata["species"]])
        return {key: (tuple(value.shape), value.dtype) for key, value in module.state_dict().items()}

    @classmethod
    def from_state(cls, metadata: Mapping[str, Any], members: Sequence[Mapping[str, Tensor]]) -> Potential:
        """Inverse of `to_state`; DataError where the convention of the harmonics is another one."""
        if metadata.get("convention") != CONVENTION:
            raise DataError(f"convention: found {metadata.get('convention')!r}; this version of sciml reads {CONVENTION!r}")
        inner = metadata["network"]["model"].get("cutoff_A")
        if metadata["cutoff_A"] != inner:
            raise DataError(f"cutoff_A: found {metadata['cutoff_A']} beside {inner} in network.model; both must be the same")
        references = References.from_dict(metadata["references"])
        if [chemical_symbols[z] for z in references.species] != sorted(metadata["species"], key=atomic_numbers.__getitem__):
            raise DataError(
                f"references: found {sorted(metadata['references']['elements'])}, expected one for each of {metadata['species']}"
            )
        if not np.isfinite(references.energies).all():
            raise DataError(f"references: found {references.energies}, expected finite energies in eV")
        modules = []
        for tensors in members:
            module = EnergyModel.from_settings(metadata["network"], [atomic_numbers[s] for s in metadata["species"]])
            module.load_state_dict(dict(tensors))
            modules.append(module)
        pairs = metadata.get("pairs_seen")
        seen = None if pairs is None else [(atomic_numbers[a], atomic_numbers[b]) for a, b in pairs]
        return cls(modules, references, pairs_seen=seen, metadata=metadata)


def _chunks(atoms: Sequence[Atoms], cutoff: float, budget: int) -> Iterable[list[Atoms]]:
    """Consecutive structures up to about `budget` edges, estimated from density; at least one each."""
    chunk: list[Atoms] = []
    total = 0.0
    for a in atoms:
        volume = abs(a.cell.volume) if a.pbc.all() else 0.0
        near = len(a) / volume * 4.2 * cutoff**3 if volume > 1e-9 else len(a)
        edges = len(a) * max(near, 1.0)
        if chunk and total + edges > budget:
            yield chunk
            chunk, total = [], 0.0
        chunk.append(a)
        total += edges
    if chunk:
        yield chunk
