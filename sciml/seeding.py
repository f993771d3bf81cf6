"""One whole number in, independent random generators out: one for each name, worker and trajectory."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sciml.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    import torch

__all__ = ["derive", "numpy_generator", "torch_generator"]


def derive(seed: int, *names: str | int) -> int:
    """A 64-bit seed for the stream that `names` name, e.g. `derive(0, "shuffle", epoch)`.

    The first 8 bytes of SHA-256 over seed and names, each with its type and length, so that ("ab", "c") and ("a", "bc"), 1 and "1" are
    different streams. Raises ConfigError unless the seed is a whole number >= 0 and every name a text or a whole number.
    """
    if not _whole(seed) or int(seed) < 0:
        raise ConfigError(f"seed: found {seed!r}, expected a whole number >= 0")
    state = hashlib.sha256(_token(int(seed)))
    for name in names:
        state.update(_token(name if isinstance(name, str) else int(name) if _whole(name) else _refuse(name)))
    return int.from_bytes(state.digest()[:8], "little")


def numpy_generator(seed: int, *names: str | int) -> np.random.Generator:
    """A numpy generator (PCG64) of the stream `derive(seed, *names)`."""
    import numpy as np

    return np.random.Generator(np.random.PCG64(derive(seed, *names)))


def torch_generator(seed: int, *names: str | int) -> torch.Generator:
    """A torch generator on the CPU of the stream `derive(seed, *names)`; torch's global generator is not touched."""
    import torch

    return torch.Generator().manual_seed(derive(seed, *names))


def _whole(value: object) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)


def _token(name: str | int) -> bytes:
    text = str(name).encode("utf-8", "surrogatepass")
    return b"%s%d:%s" % (b"s" if isinstance(name, str) else b"i", len(text), text)


def _refuse(name: object) -> int:
    raise ConfigError(f"name of a random stream: found {name!r}, expected a text or a whole number")
