"""`sciml cite`: what to cite for a run or a model: the software, the data it was trained on, the methods it uses."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from sciml import __version__
from sciml.cli.terminal import Json, Quiet, Verbose, command, emit

__all__ = ["REFERENCES", "Reference", "cite", "cited"]


@dataclass(frozen=True)
class Reference:
    """A work to cite: what for, who, title, where and when, DOI or arXiv number (empty where it has none)."""

    key: str
    subject: str
    authors: str
    title: str
    where: str
    year: int
    doi: str = ""

    def text(self) -> str:
        """One line."""
        link = f" https://doi.org/{self.doi}" if self.doi else ""
        return f"{self.subject}: {self.authors}, {self.title}, {self.where} ({self.year}).{link}"

    def bibtex(self) -> str:
        """The same as an entry for BibTeX."""
        fields = {
            "author": self.authors,
            "title": "{" + self.title + "}",
            "howpublished": self.where,
            "year": str(self.year),
            "doi": self.doi,
        }
        rows = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
        return f"@misc{{{self.key},\n" + ",\n".join(rows) + "\n}"


REFERENCES = (
    Reference("sciml", "this software", "The sciml developers", f"sciml {__version__}", "software, MIT licence", 2026),
    Reference(
        "mlearn",
        "data sets mlearn-si and mlearn-cu",
        "Y. Zuo and others",
        "Performance and Cost Assessment of Machine Learning Interatomic Potentials",
        "J. Phys. Chem. A 124, 731-745",
        2020,
        "10.1021/acs.jpca.9b08723",
    ),
    Reference(
        "ace",
        "equivariant model: products of atomic densities",
        "R. Drautz",
        "Atomic cluster expansion for accurate and transferable interatomic potentials",
        "Phys. Rev. B 99, 014104",
        2019,
        "10.1103/PhysRevB.99.014104",
    ),
    Reference(
        "mace",
        "equivariant model: products in message passing",
        "I. Batatia and others",
        "MACE: Higher Order Equivariant Message Passing Neural Networks for Fast and Accurate Force Fields",
        "Advances in Neural Information Processing Systems 35",
        2022,
    ),
    Reference(
        "nequip",
        "tensor-product model",
        "S. Batzner and others",
        "E(3)-equivariant graph neural networks for data-efficient and accurate interatomic potentials",
        "Nat. Commun. 13, 2453",
        2022,
        "10.1038/s41467-022-29939-5",
    ),
    Reference(
        "e3nn", "tensor-product model: its products", "M. Geiger and T. Smidt", "e3nn: Euclidean Neural Networks", "arXiv:2207.09453", 2022
    ),
    Reference(
        "dimenet",
        "invariant model: distances and angles",
        "J. Gasteiger, J. Gross and S. Guennemann",
        "Directional Message Passing for Molecular Graphs",
        "International Conference on Learning Representations, arXiv:2003.03123",
        2020,
    ),
    Reference(
        "zbl",
        "repulsion at short range",
        "J. F. Ziegler, J. P. Biersack and U. Littmark",
        "The Stopping and Range of Ions in Solids",
        "Pergamon, New York",
        1985,
    ),
    Reference(
        "ase",
        "structures, relaxation, dynamics",
        "A. H. Larsen and others",
        "The atomic simulation environment: a Python library for working with atoms",
        "J. Phys.: Condens. Matter 29, 273002",
        2017,
        "10.1088/1361-648X/aa680e",
    ),
    Reference(
        "pytorch",
        "training",
        "A. Paszke and others",
        "PyTorch: An Imperative Style, High-Performance Deep Learning Library",
        "Advances in Neural Information Processing Systems 32",
        2019,
    ),
    Reference(
        "threedmol",
        "structures in reports",
        "N. Rego and D. Koes",
        "3Dmol.js: molecular visualization with WebGL",
        "Bioinformatics 31, 1322-1324",
        2015,
        "10.1093/bioinformatics/btu829",
    ),
)
_ALWAYS = ("sciml", "ase", "pytorch", "threedmol")
_OF_MODEL = {"equivariant": ("ace", "mace"), "invariant": ("dimenet",), "tensor-product": ("nequip", "e3nn")}
_SHIPPED = ("si", "cu", "si-cu", "si-ensemble", "cu-ensemble")


def cited(model: str | None = None) -> list[Reference]:
    """What to cite: all of it, or what one model or run uses. Raises ModelFileError where that cannot be read."""
    if model is None:
        return list(REFERENCES)
    from sciml.materials.model_file import read_metadata

    content = read_metadata(model)
    keys: set[str] = {*_ALWAYS, *_OF_MODEL.get(content["network"]["model"]["kind"], ())}
    keys |= {"zbl"} if content["network"].get("repulsion") else set()
    keys |= {"mlearn"} if model in _SHIPPED or "mlearn" in str(content.get("origin", "")) else set()
    return [reference for reference in REFERENCES if reference.key in keys]


@command
def cite(
    model: Annotated[
        str | None, typer.Argument(help="A run, a model or the name of a shipped one; default: everything.", metavar="[MODEL]")
    ] = None,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="As entries for BibTeX.")] = False,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """What to cite: the software, data sets and methods, of everything or of one run or model."""
    found = cited(model)
    text = "\n".join(reference.bibtex() if bibtex else reference.text() for reference in found)
    if model is not None and not bibtex and "mlearn" not in {reference.key for reference in found}:
        text += "\nand the data that this model was trained on."
    emit({"references": [asdict(reference) for reference in found]}, text, as_json=json, quiet=quiet)
