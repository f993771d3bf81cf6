"""A report with one block of each kind and texts that try to break out, for several tests."""

import math

import numpy as np

from sciml.report import (
    Download,
    Figure,
    KeyFigure,
    KeyFigures,
    Section,
    Structure3D,
    Table,
    Text,
    bars,
    curve,
    error_against_uncertainty,
    histogram,
    parity,
)

EVIL = '<script>document.title="broken"</script><img src=x onerror="document.title=1">\'"&</script><!--'
RUN = {"command": "train", "seed": 0, EVIL: EVIL, "versions": {"python": "3.11"}, "configuration": {"weights": {"energy": 10}}}
ROCK_SALT = (
    np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5], [0.5, 0.5, 0.5]]) * 5.64
)


def sections() -> list[Section]:
    generator = np.random.default_rng(0)
    truth = generator.normal(size=300)
    guess = truth + generator.normal(0, 0.1, 300)
    groups = ["a" if value > 0 else EVIL for value in truth]
    columns = {"row": np.arange(300), EVIL: [math.nan, math.inf, None] + [0.5] * 297, "verdict": ["pass", "fail", EVIL] * 100}
    return [
        Section(
            "",
            [KeyFigures([KeyFigure("Force RMSE", 0.08, "eV/Å", tone="good"), KeyFigure(EVIL, EVIL, EVIL, EVIL)]), Text(EVIL, tone="warn")],
        ),
        Section(
            "Accuracy",
            [
                curve(
                    "Curve",
                    np.arange(50),
                    {"train": np.exp(-np.arange(50) / 9), EVIL: [math.nan] * 50},
                    x_label="step",
                    y_label=EVIL,
                    log_y=True,
                ),
                parity("Parity", "eV/Å", truth, guess, groups),
                histogram("Histogram", guess - truth, label="error", unit="eV"),
                bars(EVIL, ["a", EVIL], [1.0, 2.0], label="error", errors=[0.1, 0.2]),
                error_against_uncertainty("Uncertainty", "eV", guess - truth, np.full(300, 0.1) + 0.01 * np.abs(truth)),
                Figure("Heat", [{"type": "heatmap", "x": [0, 1], "y": [0, 1, 2], "z": [[1, 2], [3, None], [5, 6]]}], wide=True),
            ],
            lead=EVIL,
        ),
        Section(
            EVIL,
            [
                Structure3D.from_arrays("Rock salt", ["Na"] * 4 + ["Cl"] * 4, ROCK_SALT, np.eye(3) * 5.64, caption=EVIL),
                Table("Table", columns, units={"row": EVIL}, caption=EVIL, tones={"pass": "good", "fail": "bad"}),
                Download("Card", "card.md", EVIL, EVIL),
                Text(EVIL, code=True),
            ],
        ),
    ]
