"""Signals are given back after a run; the bar is silent without a terminal; two Ctrl-C stop at once."""

from __future__ import annotations

import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from sciml.materials.training import train_potential
from sciml.materials.training.control import Progress, RunControl, _note


def test_handlers_are_as_before_after_a_run_and_nothing_is_printed(copper, tiny, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    capfd.readouterr()
    train_potential(copper(3), steps=2, model_options=tiny, out=tmp_path / "run")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert capfd.readouterr() == ("", "")


def test_stop_saves_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    control = RunControl(lambda module: None, 1e9)
    trainer = SimpleNamespace(world_size=1, should_stop=False, is_global_zero=True)
    control.on_train_batch_end(trainer, None)  # type: ignore[arg-type]
    assert not trainer.should_stop
    control.raise_if_stopped()
    control._note(signal.SIGTERM, None)
    control.on_train_batch_end(trainer, None)  # type: ignore[arg-type]
    assert trainer.should_stop
    with pytest.raises(SystemExit) as caught:
        control.raise_if_stopped()
    assert caught.value.code == 143


def test_second_interrupt_stops_at_once() -> None:
    control = RunControl(lambda module: None, 1e9)
    control._note(signal.SIGINT, None)
    with pytest.raises(KeyboardInterrupt):
        control._note(signal.SIGINT, None)


def test_bar_wants_a_terminal_and_says_the_last_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", SimpleNamespace(isatty=lambda: True))
    assert Progress.wanted(True) and not Progress.wanted(False)
    monkeypatch.setattr("sys.stderr", SimpleNamespace(isatty=lambda: False))
    assert not Progress.wanted(True)
    line = {"loss": 0.123456, "valid": {"energy_rmse_meV_per_atom": 3.21, "forces_rmse_eV_per_A": 0.08765}}
    assert _note(line) == "loss 0.123, E 3.21 meV/atom, F 0.0877 eV/A"
    assert _note({}) == ""
