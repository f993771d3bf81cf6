"""The card of a model: what is in `model.json`, for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import combinations_with_replacement
from typing import Any

_TARGETS = (("energy", "meV/atom"), ("forces", "eV/A"), ("stress", "GPa"))


def model_card(content: Mapping[str, Any]) -> str:
    """Markdown of the content of a `model.json`; the first line says which pairs of elements the model knows nothing of."""
    species, training = content["species"], content.get("training", {})
    members = len(content["members"])
    lines = [_domain(species, content.get("pairs_seen")), "", f"# Potential for {', '.join(species)}", ""]
    lines += [
        f"- network: {content['network']['model']['kind']}, cut-off {content['cutoff_A']} angstrom, {members} member{'s' * (members > 1)}",
        f"- units: {', '.join(f'{k} {v}' for k, v in content['units'].items())}",
        f"- written by sciml {content['sciml']}, format {content['format']}, convention {content['convention']}",
    ]
    if training:
        lines.append(
            f"- trained on {training.get('train_structures', '?')} structures ({training.get('valid_structures', 0)} for validation)"
        )
        if pulay := training.get("pulay_eV_per_atom"):
            shares = ", ".join(f"{symbol} {value:+.3f}" for symbol, value in pulay.items())
            lines.append(
                f"- a Pulay stress was taken off the stress labels, which contradict the energies (eV an atom over volume: {shares})"
            )
        lines.append(f"- seed {training.get('seed')}, {training.get('steps')} steps, data digest `{training.get('train_digest')}`")
    lines += ["", "## Reference energies", "", *_references(content["references"])]
    if content.get("origin"):
        lines += ["", "## Data", "", str(content["origin"])]
    if content.get("metrics"):
        lines += ["", "## Errors", "", "```json", json.dumps(content["metrics"], indent=1, sort_keys=True), "```"]
    return "\n".join(lines) + "\n"


def _domain(species: Iterable[str], pairs: Iterable[Iterable[str]] | None) -> str:
    if pairs is None:
        return "Which pairs of elements this model saw in training was not recorded."
    seen = {frozenset(pair) for pair in pairs}
    unseen = [f"{a} beside {b}" for a, b in combinations_with_replacement(species, 2) if frozenset((a, b)) not in seen]
    if not unseen:
        return "All pairs of its elements occurred within the cut-off in training."
    return f"This model knows nothing of {', '.join(unseen)}: such pairs never occurred within the cut-off in training."


def _references(references: Mapping[str, Any]) -> list[str]:
    rows = references["elements"]
    lines = ["| element | eV | origin |", "| --- | --- | --- |"]
    lines += [f"| {symbol} | {row['energy']:.6f} | {row['origin']} |" for symbol, row in rows.items()]
    if references.get("fitted"):
        lines += [
            "",
            f"Fitted, rank {references['rank']} of {references['fitted']}. "
            "Energy differences to lone atoms (atomisation, cohesion) mean nothing where the reference is "
            "fitted: the data hold no isolated atom.",
        ]
    return lines
