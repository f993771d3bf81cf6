"""The one list of exceptions to "nothing is ever unpickled": who may look up a class named in a pickle, and why.

No file that a user, a run, a model or a data set brings is among them. Lightning's checkpoints need no line here: they are read with
`weights_only=True`, whose reader looks up nothing.
"""

from __future__ import annotations

PICKLE_CALLERS = {
    "multiprocessing": "the wire between our own processes (workers that load data, DDP ranks)",
    "distributed": "the wire of Dask between our own processes, inside its TLS",
    "numba": "compiled kernels and their cache in our own cache folder (mode 0700, owner checked)",
    "torch._inductor": "compiled kernels in our own cache folder (mode 0700, owner checked)",
}
"""Top of the module that unpickles -> the reason."""

UNSAFE_SOURCE: dict[str, str] = {}
"""File under sciml/ -> why it may hold a call that `test_unsafe_calls` refuses. There is none."""
