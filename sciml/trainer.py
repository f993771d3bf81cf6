"""Lightning's Trainer as we use it: without logger, checkpoints, bars and tips, and with the interpreter left as it was."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import lightning.pytorch as pl
    import torch

__all__ = ["kept_signals", "plain_trainer", "quiet_lightning"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOGGERS = ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero")


def plain_trainer(device: torch.device, **options: Any) -> pl.Trainer:
    """A Trainer of one pass over the batches on `device`, which keeps, logs and draws nothing; one process, unless `options` has `devices`.

    `options` are Lightning's own. A single process asks no scheduler around it who it is.
    """
    import lightning.pytorch as pl
    from lightning.fabric.plugins.environments import LightningEnvironment

    if "devices" not in options:
        options |= {"devices": 1 if device.index is None else [device.index], "plugins": [LightningEnvironment()]}
    return pl.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        **options,
    )


@contextlib.contextmanager
def quiet_lightning() -> Iterator[None]:
    """Within the block Lightning gives no tips and no warnings about its loops; Ctrl-C is a KeyboardInterrupt, not its SystemExit(1)."""
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning\..*")
        warnings.filterwarnings("ignore", message=r".*LeafSpec.*")
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        except SystemExit as ended:
            if isinstance(ended.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            raise
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


@contextlib.contextmanager
def kept_signals() -> Iterator[None]:
    """After the block SIGINT and SIGTERM are handled as before it."""
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler)
