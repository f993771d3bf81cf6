"""When a loss or gradient is not finite: which structure, which quantity, and all that is needed to see it again."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ase.io
import torch
from ase import Atoms
from safetensors.torch import save

from sciml import files
from sciml.errors import DataError
from sciml.materials.graph import CrystalGraph
from sciml.materials.potential import EnergyModel
from sciml.materials.training.data import Batch, atoms_of
from sciml.materials.training.loss import Objective


@dataclass(frozen=True)
class Failure:
    """A step that gave NaN or infinity: `records` are those structures of the batch that do so alone, `quantities` what is not finite."""

    step: int
    what: str
    records: list[int]
    batch_records: list[int]
    quantities: list[str]
    structures: list[Atoms] = field(repr=False)
    weights: dict[str, torch.Tensor] = field(repr=False)

    def error(self, name: str = "training set", dump: Path | None = None) -> DataError:
        """The error to raise."""
        named = self.records or self.batch_records
        which = f"record{'s' if len(named) > 1 else ''} {', '.join(map(str, named))}"
        where = f"; structures and weights lie in {dump}" if dump else ""
        return DataError(
            f"{name}, {which}: {self.what} is NaN or infinite at step {self.step} (not finite: {', '.join(self.quantities)}); "
            f"the weights before this step are kept{where}. Check the labels of this structure, or lower peak_lr in the recipe"
        )

    def dump(self, folder: Path) -> None:
        """Write the structures with their labels (extxyz), the weights before the step (safetensors) and a JSON with step and records."""
        text = io.StringIO()
        ase.io.write(text, self.structures, format="extxyz")
        with files.write_folder(folder) as place:
            (place / "structures.extxyz").write_text(text.getvalue())
            (place / "weights.safetensors").write_bytes(save(self.weights))
            details = {"step": self.step, "what": self.what, "records": self.records, "quantities": self.quantities}
            files.write_json(place / "failure.json", details | {"batch": self.batch_records})


def find_failure(energy_model: EnergyModel, objective: Objective, batch: Batch, step: int, what: str) -> Failure:
    """Evaluate the structures of a batch one by one and name what is not finite."""
    culprits, quantities = [], []
    for number, record in enumerate(batch.records):
        single = select_graph(batch.graph, number)
        names = _not_finite(energy_model, objective, Batch(single, step, [record], batch.labels))
        if names:
            culprits.append(record)
            quantities += [name for name in names if name not in quantities]
    structures = [_labelled_atoms(select_graph(batch.graph, number)) for number in range(len(batch.records))]
    weights = {name: value.detach().cpu().clone().contiguous() for name, value in energy_model.state_dict().items()}
    return Failure(step, what, culprits, batch.records, quantities or [f"the {what} of the whole batch"], structures, weights)


def _not_finite(energy_model: EnergyModel, objective: Objective, batch: Batch) -> list[str]:
    graph, names = batch.graph, []
    for field_name in ("pos", "cell", "energy", "forces", "stress"):
        if not torch.isfinite(getattr(graph, field_name)).all():
            names.append(f"label or field {field_name}")
    found = objective.predict(energy_model, batch, create_graph=True)
    for quantity in ("energy", "forces", "stress"):
        value = getattr(found, quantity)
        if value is not None and not torch.isfinite(value).all():
            names.append(f"predicted {quantity}")
    loss = objective(found, batch, batch.step).total
    gradients = torch.autograd.grad(loss, list(energy_model.parameters()), allow_unused=True) if loss.requires_grad else ()
    for (name, _), gradient in zip(energy_model.named_parameters(), gradients, strict=False):
        if gradient is not None and not torch.isfinite(gradient).all():
            names.append(f"gradient of {name}")
    return names


def select_graph(graph: CrystalGraph, number: int) -> CrystalGraph:
    """Structure `number` of a batch as a graph of its own, labels included."""
    low, high = int(graph.ptr[number]), int(graph.ptr[number + 1])
    edges = (graph.batch[graph.edge_index[1]] == number).nonzero().flatten()
    first = int(edges[0]) if len(edges) else 0
    fields: dict[str, Any] = {name: getattr(graph, name)[low:high] for name in ("z", "pos", "forces")}
    one = slice(number, number + 1)
    fields |= {n: getattr(graph, n)[one] for n in ("cell", "pbc", "energy", "stress", "energy_mask", "forces_mask", "stress_mask")}
    fields |= {"edge_index": graph.edge_index[:, edges] - low, "edge_shift": graph.edge_shift[edges]}
    fields["edge_reverse"] = graph.edge_reverse[edges] - first
    fields |= {"batch": torch.zeros_like(graph.batch[low:high]), "ptr": graph.ptr.new_tensor([0, high - low])}
    return CrystalGraph(**fields)


def _labelled_atoms(graph: CrystalGraph) -> Atoms:
    """The structure of a graph; known labels as `interaction_energy` (reference energies taken off), `label_forces`, `label_stress`."""
    atoms = atoms_of(graph)
    if bool(graph.energy_mask):
        atoms.info["interaction_energy"] = float(graph.energy)
    if bool(graph.forces_mask):
        atoms.arrays["label_forces"] = graph.forces.cpu().numpy()
    if bool(graph.stress_mask):
        atoms.info["label_stress"] = graph.stress[0].cpu().numpy()
    return atoms
