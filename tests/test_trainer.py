"""Lightning's Trainer says nothing, changes nothing that stays, and lets Ctrl-C through."""

from __future__ import annotations

import logging
import signal
import warnings

import lightning.pytorch as pl
import pytest
import torch
from torch.utils.data import DataLoader

from sciml.trainer import kept_signals, plain_trainer, quiet_lightning


class Counting(pl.LightningModule):
    """Counts its batches; raises what it is given at the second."""

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen, self.error = 0, error

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD([self.weight], lr=0.1)

    def training_step(self, batch: torch.Tensor, _: int) -> None:
        self.seen += 1
        if self.error is not None and self.seen == 2:
            raise self.error


def test_one_silent_pass_in_an_empty_folder(tmp_path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)], list(warnings.filters)
    level = logging.getLogger("lightning.pytorch").level
    module = Counting()
    capfd.readouterr()
    with quiet_lightning(), kept_signals():
        plain_trainer(torch.device("cpu")).fit(module, DataLoader(torch.arange(5.0), batch_size=None))
    assert module.seen == 5
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
    assert ([signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)], list(warnings.filters)) == before
    assert logging.getLogger("lightning.pytorch").level == level


@pytest.mark.parametrize(
    ("raised", "seen"), [(KeyboardInterrupt(), KeyboardInterrupt), (SystemExit(3), SystemExit), (ValueError("x"), ValueError)]
)
def test_what_is_raised_in_a_step_comes_out(raised: BaseException, seen: type[BaseException]) -> None:
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(seen), quiet_lightning(), kept_signals():
        plain_trainer(torch.device("cpu")).fit(Counting(raised), DataLoader(torch.arange(5.0), batch_size=None))
    assert signal.getsignal(signal.SIGINT) is handler
