"""`sciml`: the tree of commands. Heavy packages are imported inside the commands."""

from __future__ import annotations

from typing import Annotated

import typer

from sciml import __version__
from sciml.cli import biology, materials, model
from sciml.cli.citation import cite
from sciml.cli.demo import demo
from sciml.cli.doctor import doctor

__all__ = ["app", "main"]

app = typer.Typer(
    name="sciml",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Interatomic potentials from DFT data, and the pathways of cells: checked data in, an audited result and a report out.",
    epilog="Exit codes: 0 done, 1 failed, 2 bad configuration, 3 bad data, 4 did not converge, 130 interrupted, 143 ended by SIGTERM.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sciml {__version__}")
        raise typer.Exit


@app.callback()
def start(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False) -> None:
    """Interatomic potentials from DFT data, and the pathways of cells: checked data in, an audited result and a report out."""


app.command()(demo)
app.command()(doctor)
app.command()(cite)
app.add_typer(materials.app, name="materials")
app.add_typer(biology.app, name="biology")
app.add_typer(model.app, name="model")


def main() -> None:
    """Run the command line with the arguments of the process."""
    app()


if __name__ == "__main__":
    main()
