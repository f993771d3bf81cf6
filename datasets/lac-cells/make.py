"""Makes <operator>-<strain>.csv.gz and theory.csv from the published tables.

python make.py DATE_OPERATOR_STRAIN.csv.gz ... theory_chann_cap_multi_prom_protein.csv.gz

Kept are all cells with date, strain, dose, area and mean intensity, in the published order; left out are eccentricity and solidity, the
user's name, and the integrated intensity, which equals area times mean intensity. The mean intensity is rounded to 0.001.
"""

from __future__ import annotations

import gzip
import io
import pathlib
import sys

import numpy as np
import pandas as pd

from sciml import files

KEPT = ["date", "strain", "IPTG_uM", "area_um2", "mean_intensity"]


def strain_of(path: pathlib.Path, folder: pathlib.Path) -> str:
    """Writes the cells of one published table; returns a line about them."""
    table = pd.read_csv(path, comment="#").rename(columns={"rbs": "strain", "area": "area_um2"})
    if not np.allclose(table.area_um2 * table.mean_intensity, table.intensity, rtol=1e-12):
        raise SystemExit(f"{path}: intensity is not area times mean intensity")
    (operator,) = table.operator.unique()
    (strain,) = set(table.strain) - {"auto", "delta"}
    text = io.StringIO()
    table = table.assign(area_um2=table.area_um2.round(4), mean_intensity=table.mean_intensity.round(3))[KEPT]
    table.to_csv(text, index=False, lineterminator="\n")
    files.write_bytes(folder / f"{operator}-{strain}.csv.gz", gzip.compress(text.getvalue().encode(), 9, mtime=0))
    return f"{operator}-{strain}: {table.strain.value_counts().to_dict()}"


def main(*paths: str) -> None:
    """Writes everything beside this file."""
    folder = pathlib.Path(__file__).parent
    for path in map(pathlib.Path, paths):
        if not path.name.startswith("theory"):
            print(strain_of(path, folder))
            continue
        theory = pd.read_csv(path).rename(
            columns={"binding_energy": "binding_energy_kT", "repressor": "repressors", "channcap": "capacity_bits"}
        )
        columns = ["operator", "binding_energy_kT", "repressors", "capacity_bits"]
        theory = theory.astype({"repressors": int})[columns].drop_duplicates()
        files.write_text(folder / "theory.csv", theory.to_csv(index=False, lineterminator="\n", float_format="%.6g"))


if __name__ == "__main__":
    main(*sys.argv[1:])
