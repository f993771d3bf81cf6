from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest

from sciml import resources
from sciml.biology.shipped_cells import load_cells
from sciml.errors import ConfigError

IPTG = [0, 0.1, 5, 10, 25, 50, 75, 100, 250, 500, 1000, 5000]
# Cells of the published tables, and the capacities (bits) of the published theory for their operator and repressors a cell.
STRAINS = {
    "O1-HG104": (6128, 1.494), "O1-RBS1027": (7230, 1.688), "O1-RBS1L": (6865, 1.525),
    "O2-HG104": (8259, 1.391), "O2-RBS1027": (6591, 1.807), "O2-RBS1L": (11929, 1.760),
    "O3-HG104": (7827, 0.031), "O3-RBS1027": (8651, 0.788), "O3-RBS1L": (9149, 1.509),
}  # fmt: skip


@pytest.mark.parametrize("strain", STRAINS)
def test_each_strain_has_its_cells_doses_and_theory(strain):
    found = load_cells("lac-cells", strain)
    cells, bits = STRAINS[strain]
    assert found.cells.y.shape == (cells, 1) and np.unique(found.cells.x).tolist() == IPTG
    assert found.published_bits == pytest.approx(bits, abs=6e-4)


def test_the_background_is_taken_off():
    """Against a reading of the file by hand."""
    with gzip.open(resources.find("datasets") / "lac-cells" / "O2-RBS1027.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    auto = np.mean([float(row["mean_intensity"]) for row in rows if row["strain"] == "auto"])
    own = [float(row["mean_intensity"]) - auto for row in rows if row["strain"] == "RBS1027"]
    found = load_cells("lac-cells", "O2-RBS1027").cells
    assert found.y[:, 0] == pytest.approx(own, abs=1e-9) and "the mean of 1223 cells" in found.notes[1] and "20181004" in found.notes[0]


def test_expression_rises_with_the_dose():
    found = load_cells("lac-cells", "O2-RBS1027").cells
    means = [found.y[found.x == dose].mean() for dose in IPTG]
    assert means[-1] > 10 * means[0] and np.corrcoef(np.arange(12), means)[0, 1] > 0.9


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="data set 'lac' of single cells is not known.*lac-cells"):
        load_cells("lac", "O2-RBS1027")
    with pytest.raises(ConfigError, match=r"strain: found 'O2-RBS1027L'; did you mean .*lac-cells has O1-HG104"):
        load_cells("lac-cells", "O2-RBS1027L")
    with pytest.raises(ConfigError, match="strain: found None"):
        load_cells("lac-cells")
