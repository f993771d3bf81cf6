"""Problems that the tests of fits share: small networks with closed forms, and PEtab tables written to a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sciml.biology import Network, Reaction
from sciml.biology.fitting.measured_network import measured_network
from sciml.biology.fitting.problem import Problem

PETAB = Path(__file__).parents[2] / "data" / "petab"
TIMES = np.array([0.5, 1.0, 2.0, 3.0, 5.0, 8.0])


def chain(**numbers: float) -> Network:
    """A -> B -> nothing."""
    values = {"k": 0.5, "d": 0.2} | numbers
    reactions = [Reaction.parse("r", "A -> B", rate="k"), Reaction.parse("s", "B -> 0", rate="d")]
    return Network("chain", species={"A": 10.0, "B": 0.0}, parameters=values, reactions=reactions)


def chain_exact(t: np.ndarray, k: float = 0.5, d: float = 0.2, a: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """A and B of the chain in closed form."""
    return a * np.exp(-k * t), a * k / (d - k) * (np.exp(-k * t) - np.exp(-d * t))


def chain_data(seed: int = 0, sd: float = 0.2) -> dict[str, tuple]:
    """Noisy A and B of the chain."""
    rng = np.random.default_rng(seed)
    return {name: (TIMES, y + rng.normal(0, sd, len(TIMES)), sd) for name, y in zip("AB", chain_exact(TIMES), strict=True)}


def chain_problem(seed: int = 0) -> Problem:
    """k, d and the start of A fitted to noisy A and B."""
    return measured_network(chain(), chain_data(seed), {"k": (1e-3, 1e2), "d": (1e-3, 1e2), "A": (0.1, 1e3)}, "normal")


def write_petab(folder: Path, net: Network | None = None, **changes: str | None) -> Path:
    """Tables of a problem on the chain; `changes` replaces a table by another text (None: the file is not there)."""
    texts = {
        "problem": "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n- sbml_files: [model.xml]\n  condition_files: "
        "[conditions.tsv]\n  observable_files: [observables.tsv]\n  measurement_files: [measurements.tsv]\n",
        "conditions": "conditionId\tk\nslow\t0.5\nfast\tk_fast\n",
        "observables": "observableId\tobservableFormula\tnoiseFormula\nob\tscale * B\tsigma\noa\tA\t0.5\n",
        "measurements": "observableId\tsimulationConditionId\ttime\tmeasurement\nob\tslow\t1\t3.0\nob\tfast\t2\t4.0\noa\tfast\t0\t9.5\n",
        "parameters": "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\n"
        "k_fast\tlog10\t0.01\t100\t2\t1\nd\tlog\t0.001\t10\t0.2\t1\nscale\tlin\t0\t10\t1.5\t1\nsigma\tlog10\t0.01\t10\t0.4\t1\n",
    } | changes
    for name, text in texts.items():
        if text is not None:
            (folder / (name + (".yaml" if name == "problem" else ".tsv"))).write_text(text)
    (net or chain()).to_sbml(folder / "model.xml")
    return folder / "problem.yaml"


def slopes_by_differences(function, x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Central differences of a function of x [K], last axis K."""
    moves = step * np.maximum(1.0, np.abs(x)) * np.eye(len(x))
    return np.stack([(function(x + m) - function(x - m)) / (2 * m.sum()) for m in moves], axis=-1)
