"""The pathways that come with the package: `datasets/pathways/<name>.ant`, Antimony text, with one card for all."""

from __future__ import annotations

from pathlib import Path

from sciml import resources
from sciml.arguments import checked
from sciml.biology.antimony import load_antimony
from sciml.biology.network import Network, nearest
from sciml.errors import ConfigError

__all__ = ["list_pathways", "load_pathway"]

_SUFFIX = ".ant"


def list_pathways() -> list[str]:
    """Names of the shipped pathways, sorted: `signalling`, `mapk`, `nfkb`, ... Raises DataError where the installed package lacks them."""
    return sorted(path.stem for path in _folder().glob(f"*{_SUFFIX}"))


@checked
def load_pathway(name: str) -> Network:
    """A shipped pathway by name. Amounts are molecules; sources and units stand in `datasets/pathways/card.md`.

    Raises ConfigError for an unknown name.
    """
    if name not in list_pathways():
        raise ConfigError(f"pathway {name!r} is not known{nearest(name, list_pathways())}; there are {', '.join(list_pathways())}")
    return load_antimony(_folder() / f"{name}{_SUFFIX}")


def _folder() -> Path:
    return resources.find("datasets") / "pathways"
