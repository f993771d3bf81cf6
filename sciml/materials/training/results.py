"""The end of a run: the potential saved, its errors measured, the folder complete."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import chain, islice
from typing import Any

import torch
from ase import Atoms

from sciml import files
from sciml.materials.model_file import save_potential
from sciml.materials.potential import EnergyModel, Potential
from sciml.materials.run_report import write_run_report
from sciml.materials.training.data import atoms_of
from sciml.materials.training.evaluation import TestResult, evaluate
from sciml.materials.training.preparation import Job
from sciml.materials.training.run_folder import RunFolder
from sciml.materials.training.sets import Sets, pieces

logger = logging.getLogger("sciml.materials.training")
REPORTED = 1000


def finish(job: Job, members: Sequence[EnergyModel], folder: RunFolder, device: torch.device) -> Potential:
    """Save the potential of the trained members, measure it on the test set, save metrics (in the model too), parity data and manifest."""
    sets = job.sets
    seen = set(sets.train.facts.shortest_A) | (job.options.start.pairs_seen or set() if job.options.start is not None else set())
    potential = Potential(members, job.references, pairs_seen=seen)
    potential.metadata["training"] = _training(job)
    if folder.writes:
        save_potential(potential, folder.model)  # first, so that nothing in the test set can lose it
    result = None
    if sets.test is not None and folder.writes:
        chosen: dict[str, Any] = {
            "excluded": sets.equivalent,
            "pulay_eV_per_atom": job.pulay_eV_per_atom,
            "seed": job.options.seed,
            "device": str(device),
        }
        result = evaluate(potential, pieces(sets.test, sets.read), **chosen)
    metrics = {"validation": validation_of(folder.curve(), len(members)), "test": None if result is None else result.metrics}
    metrics["pulay_eV_per_atom"] = job.pulay_eV_per_atom
    metrics["labels"] = None if job.examined is None else job.examined.to_dict()
    potential.metadata["metrics"] = metrics
    if folder.writes:
        folder.write_json("metrics.json", metrics)
        written = ["config.json", "census.json", "budget.json", "learning_curve.jsonl", "metrics.json", *_write_parity(result, folder)]
        save_potential(potential, folder.model)
        config = files.read_json(folder.path / "config.json")
        files.write_manifest(folder.path, kind="training", files=tuple(written), seed=job.options.seed, config=config, metrics=metrics)
        logger.info("the potential lies in %s", folder.model)
        if job.options.report:
            write_run_report(folder.path, potential, _reported(sets), seed=job.options.seed, device=str(device))
    return potential


def _reported(sets: Sets) -> list[Atoms]:
    """Structures that the report shows: the test set (the first 1,000 of a large one), else one of the training set."""
    if sets.test is not None:
        return list(islice(chain.from_iterable(pieces(sets.test, sets.read)), REPORTED))
    return [atoms_of(graph) for graph in sets.train.load([int(sets.train_rows[0])])]


def validation_of(curve: Sequence[dict[str, Any]], members: int) -> list[dict[str, Any] | None]:
    """For each member the validation errors of the step whose weights were kept; None without a validation set."""
    found: list[dict[str, Any] | None] = []
    for member in range(members):
        own = [line for line in curve if line["member"] == member]
        best = own[-1]["best_step"] if own else 0
        found.append(next((line["valid"] | {"step": best} for line in own if line["step"] == best and "valid" in line), None))
    return found


def _training(job: Job) -> dict[str, Any]:
    """What a model file says of its training."""
    sets, options = job.sets, job.options
    return {
        "train_digest": sets.train.facts.digest,
        "train_structures": len(sets.train_rows),
        "valid_structures": len(sets.valid_rows),
        "census": sets.census,
        "targets": list(job.objective.targets),
        "spread": job.objective.spread.to_dict(),
        "pulay_eV_per_atom": job.pulay_eV_per_atom,
        "recipe": options.recipe.model_dump() | {"batch_structures": job.batch},
        "steps": job.objective.steps,
        "seed": options.seed,
        "fine_tuned": options.start is not None,
    }


def _write_parity(result: TestResult | None, folder: RunFolder) -> list[str]:
    names = []
    for target, columns in ({} if result is None else result.parity).items():
        if result is not None and len(columns["label"]):
            name = f"parity-{target}.parquet"
            files.write_bytes(folder.path / name, result.parquet(target))
            names.append(name)
    return names
