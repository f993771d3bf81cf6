"""The end of a run: the potential saved, its errors measured, the folder complete."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import torch
from ase import Atoms

from sciml import files
from sciml.materials.model_file import save_potential
from sciml.materials.potential import EnergyModel, Potential
from sciml.materials.run_report import write_run_report
from sciml.materials.training.data import atoms_of
from sciml.materials.training.evaluation import TestResult, evaluate
from sciml.materials.training.preparation import Job, without_validation
from sciml.materials.training.run_folder import CONFIG, RunFolder
from sciml.materials.training.sets import Sets, Source, pieces

logger = logging.getLogger("sciml.materials.training")
REPORTED = 1000


def finish(
    job: Job, members: Sequence[EnergyModel], folder: RunFolder, device: torch.device, sources: Mapping[str, Source | None]
) -> Potential:
    """Save the potential of the trained members, measure it on the test set, save metrics (in the model too), parity data and manifest.

    sources: what was given as train, valid and test, which the manifest names.
    """
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
    metrics: dict[str, Any] = {
        "validation": validation_of(folder.curve(), len(members)),
        "test": None if result is None else result.metrics,
        "pulay_eV_per_atom": job.pulay_eV_per_atom,
        "labels": None if job.examined is None else job.examined.to_dict(),
        "without_validation": without_validation(sets) or None,
    }
    potential.metadata["metrics"] = metrics
    if folder.writes:
        folder.write_json("metrics.json", metrics)
        written = ["config.json", "census.json", "budget.json", "learning_curve.jsonl", "metrics.json", *_write_parity(result, folder)]
        save_potential(potential, folder.model)
        facts = {"config": _as_run(job, files.read_json(folder.path / CONFIG)), "data": data_of(sets, sources), "metrics": metrics}
        files.write_manifest(folder.path, kind="training", files=tuple(written), seed=job.options.seed, **facts)
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


def data_of(sets: Sets, sources: Mapping[str, Source | None]) -> dict[str, Any]:
    """Where the structures of each set came from, how many were used, and their digest; None for a set that there was not."""
    train, valid, digests = sources["train"], sources["valid"], _digests(sets)
    found: dict[str, Any] = {"train": {"source": _origin(train), "structures": len(sets.train_rows), "digest": digests["train_digest"]}}
    found |= {"valid": None, "test": None if sets.test is None else {"source": _origin(sets.test)}}
    if len(sets.valid_rows):
        origin = f"a part of {_origin(train)}" if valid is None else _origin(valid)
        found["valid"] = {"source": origin, "structures": len(sets.valid_rows), "digest": digests["valid_digest"]}
    return found


def _origin(source: Source | None) -> str:
    """A path, several, or the number of structures that were given in memory."""
    if source is None or isinstance(source, str | Path):
        return str(source)
    paths = [str(item) for item in source if isinstance(item, str | Path)]
    others = len(source) - len(paths)
    return ", ".join([*paths, f"{others} structures in memory"] if others or not paths else paths)


def _digests(sets: Sets) -> dict[str, str | None]:
    """Digests of the structures that were trained on and validated on."""
    valid = sets.valid.facts.digest_of(sets.valid_rows) if len(sets.valid_rows) else None
    return {"train_digest": sets.train.facts.digest_of(sets.train_rows), "valid_digest": valid}


def _as_run(job: Job, config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with what came of it: steps, warm-up, and digests of the structures that were used (config.json: of all read)."""
    return {**config, **_digests(job.sets), "recipe": _recipe(job)}


def _recipe(job: Job) -> dict[str, Any]:
    return job.options.recipe.as_run(job.objective.steps) | {"batch_structures": job.batch}


def _training(job: Job) -> dict[str, Any]:
    """What a model file says of its training."""
    sets, options = job.sets, job.options
    return {
        **_digests(sets),
        "train_structures": len(sets.train_rows),
        "valid_structures": len(sets.valid_rows),
        "census": sets.census,
        "targets": list(job.objective.targets),
        "spread": job.objective.spread.to_dict(),
        "pulay_eV_per_atom": job.pulay_eV_per_atom,
        "recipe": _recipe(job),
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
