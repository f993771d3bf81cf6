"""What surrounds the steps of a run: checkpoints in time, signals, the progress bar."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl

from sciml.materials.training.module import TrainingModule

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class RunControl(pl.Callback):
    """Saves a checkpoint every `checkpoint_seconds`; at SIGINT or SIGTERM ends after the step in hand, with a checkpoint.

    `stopped_by` is then the signal. Where several processes train together they agree on stopping; only the first one saves.
    """

    def __init__(self, save: Callable[[TrainingModule], None], checkpoint_seconds: float) -> None:
        self.save, self.checkpoint_seconds = save, checkpoint_seconds
        self.stopped_by: signal.Signals | None = None
        self._saved = time.monotonic()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take over the signals (only possible in the main thread)."""
        self._saved = time.monotonic()
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                signal.signal(number, self._note)

    def _note(self, number: int, _: object) -> None:
        if self.stopped_by is not None and number == signal.SIGINT:
            raise KeyboardInterrupt  # the second time at once
        self.stopped_by = signal.Signals(number)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        """Save where it is time; stop where a signal came."""
        stop = self.stopped_by is not None
        if trainer.world_size > 1:
            stop = trainer.strategy.reduce_boolean_decision(stop, all=False)
        if stop:
            self.stopped_by = self.stopped_by or signal.SIGTERM
            trainer.should_stop = True
        if stop or time.monotonic() - self._saved >= self.checkpoint_seconds:
            if trainer.is_global_zero and isinstance(pl_module, TrainingModule):
                self.save(pl_module)
            self._saved = time.monotonic()

    def raise_if_stopped(self) -> None:
        """KeyboardInterrupt after SIGINT, SystemExit(143) after SIGTERM."""
        if self.stopped_by == signal.SIGINT:
            raise KeyboardInterrupt
        if self.stopped_by is not None:
            raise SystemExit(128 + int(self.stopped_by))


class Progress(pl.Callback):
    """A line on the terminal: steps, time left, the last errors. Nothing where stderr is no terminal."""

    def __init__(self, steps: int, title: str) -> None:
        self.steps, self.title = steps, title
        self.bar: Any = None

    @staticmethod
    def wanted(verbose: bool) -> bool:
        """Whether there is a terminal to draw on."""
        return verbose and sys.stderr.isatty()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw the bar."""
        from rich import progress
        from rich.console import Console

        count, left = progress.MofNCompleteColumn(), progress.TimeRemainingColumn()
        columns = ("{task.description}", progress.BarColumn(), count, left, "{task.fields[note]}")
        self.bar = progress.Progress(*columns, console=Console(stderr=True), refresh_per_second=2)
        self.task = self.bar.add_task(self.title, total=self.steps, note="")
        self.bar.start()

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        """Move the bar."""
        if isinstance(pl_module, TrainingModule):
            self.bar.update(self.task, completed=pl_module.step, note=_note(pl_module.last_line))

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Leave the bar as it stands."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None


def _note(line: dict[str, Any]) -> str:
    """The last line of the learning curve in a few words."""
    valid = line.get("valid") or {}
    energy, forces = valid.get("energy_rmse_meV_per_atom"), valid.get("forces_rmse_eV_per_A")
    parts = [f"loss {line['loss']:.3g}"] if "loss" in line else []
    parts += [f"E {energy:.2f} meV/atom"] if energy is not None else []
    parts += [f"F {forces:.4f} eV/A"] if forces is not None else []
    return ", ".join(parts)
