"""libRoadRunner's answers for the BioModels in tests/data: 101 times to a stated end, amounts of floating species.

Relative tolerance 1e-12, absolute 1e-12 times each species' largest amount (at 1e-10 its answer for BIOMD220 is off by 5e-5). BIOMD122 is
left out: whether libRoadRunner sees its pulses depends on the output times.

Run in an environment with libroadrunner and numpy: python benchmarks/biology/biomodels_reference.py tests/data/biomodels
"""

import contextlib
import gzip
import pathlib
import sys

import numpy as np
import roadrunner

ENDS = {
    3: 100, 8: 100, 10: 9000, 19: 3600, 27: 3000, 39: 100, 55: 100, 59: 1000, 86: 100, 115: 10, 140: 600, 151: 3600, 156: 30,
    220: 20000, 270: 60, 427: 60, 430: 3000, 448: 60, 501: 7200, 543: 120,
}  # fmt: skip


def answer(text: str, end: float) -> tuple[list[str], np.ndarray]:
    """(ids, amounts [101, species]); a first run says how large each species gets."""
    model = roadrunner.RoadRunner(text)
    names = list(model.model.getFloatingSpeciesIds())
    model.timeCourseSelections = ["time", *names]
    integrator = model.integrator
    integrator.setValue("relative_tolerance", 1e-12)
    integrator.setValue("maximum_num_steps", 1_000_000)
    integrator.setValue("absolute_tolerance", 1e-14)
    largest = np.abs(np.array(model.simulate(0, end, 101))[:, 1:]).max(axis=0)
    largest[largest == 0] = largest[largest > 0].min()
    model.reset()
    for name, size in zip(names, largest, strict=True):
        with contextlib.suppress(RuntimeError):  # what a rule determines has no tolerance
            integrator.setIndividualTolerance(name, 1e-12 * size)
    return names, np.array(model.simulate(0, end, 101))[:, 1:]


def main(folder: pathlib.Path) -> None:
    found = {}
    for number, end in ENDS.items():
        path = folder / f"BIOMD{number:010d}.xml.gz"
        names, amounts = answer(gzip.open(path).read().decode(), end)
        found |= {f"{number}.names": np.array(names), f"{number}.amounts": amounts, f"{number}.end": np.array(float(end))}
        print(number, end, len(names), "species")
    np.savez_compressed(folder / "reference.npz", version=np.array(roadrunner.__version__), **found)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
