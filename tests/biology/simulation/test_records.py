"""What is kept of a run, seen with a run whose trajectories are known numbers: all, moments, and what is left after Ctrl-C."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.simulation import records
from sciml.biology.simulation.molecules import in_molecules
from sciml.biology.simulation.records import recorded
from sciml.biology.simulation.trajectories import Ensemble, Moments
from tests.biology.simulation.small_networks import birth_death


class Ramp:
    """Trajectory k is k at the first time and k^2 at the second. From `stop` on the user interrupts."""

    device, kernel, seed, notes, largest = "cpu", "ramp", 0, ("said",), 1 << 14

    def __init__(self, stop: int = 10**9) -> None:
        self.molecules, self.asked, self.stop = in_molecules(birth_death(), 1, 0), np.array([1.0, 2.0]), stop

    def room(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros((n, 2, 1)), np.zeros(n, dtype=np.uint8)

    def block(self, first: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray) -> None:
        for k in range(first, min(first + len(out), self.stop)):
            out[k - first, :, 0] = k, k**2
            done[k - first] = 1
            signals[1] += 1

    def answered(self, states: np.ndarray) -> np.ndarray:
        return states

    def ensemble(self, states: np.ndarray, chosen: slice | np.ndarray = slice(None), notes: tuple[str, ...] = ()) -> Ensemble:
        return Ensemble(self.molecules.jumps.system, self.asked, states, self.molecules.raw, notes=self.notes + notes)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_all_trajectories_or_their_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = recorded(Ramp(), 300, "grid", None, None)
    assert isinstance(whole, Ensemble)
    np.testing.assert_array_equal(whole.amounts[:, :, 0], np.stack([np.arange(300), np.arange(300) ** 2], axis=1))
    monkeypatch.setattr(records, "_BLOCK_BYTES", 1)  # five blocks of 64
    for threads in (1, 2):
        moments = recorded(Ramp(), 300, "moments", threads, None)
        assert isinstance(moments, Moments)
        np.testing.assert_allclose(moments.mean[:, 0], whole.amounts[:, :, 0].mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(moments.std[:, 0], whole.amounts[:, :, 0].std(axis=0, ddof=1), rtol=1e-12)
        assert (moments.n, moments.species, moments.notes) == (300, ("X",), ("said",))
        assert whole.complete and moments.complete and whole.asked == moments.asked == 300


def test_what_was_done_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_BLOCK_BYTES", 1)
    some = recorded(Ramp(stop=100), 300, "grid", 1, _interrupt)
    assert isinstance(some, Ensemble)
    np.testing.assert_array_equal(some.amounts[:, 0, 0], np.arange(len(some.amounts)))
    assert 0 < len(some.amounts) <= 100
    assert some.notes == ("said", f"stopped by the user after {len(some.amounts)} of 300 trajectories")
    few = recorded(Ramp(stop=100), 300, "moments", 1, _interrupt)
    assert isinstance(few, Moments)
    assert few.n == 100
    assert some.asked == few.asked == 300 and not some.complete and not few.complete
    assert few.mean[0, 0] == 49.5
    with pytest.raises(KeyboardInterrupt):  # all was done: what is left to stop is whoever called
        recorded(Ramp(), 64, "grid", 1, _interrupt)
    for record in ("grid", "moments"):
        with pytest.raises(KeyboardInterrupt):
            recorded(Ramp(stop=0), 300, record, 1, _interrupt)  # type: ignore[arg-type]
