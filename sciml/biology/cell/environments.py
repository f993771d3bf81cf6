"""Where a cell lives: how likely each environment is, and which ligand amounts it brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.arguments import shown
from sciml.biology.probabilities import checked_law
from sciml.errors import DataError

__all__ = ["Environments", "checked_environments"]


@dataclass(frozen=True)
class Environments:
    """p(E) [nE] and p(L|E) [nE, nL], both normalised; `notes` say what was interpolated."""

    p_e: np.ndarray
    p_l_given_e: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def joint(self) -> np.ndarray:
        """p(L, E) [nL, nE]."""
        found: np.ndarray = (self.p_e[:, None] * self.p_l_given_e).T
        return found

    @property
    def p_l(self) -> np.ndarray:
        """p(L) [nL]: what the cell meets over all environments."""
        found: np.ndarray = self.p_e @ self.p_l_given_e
        return found

    @property
    def p_e_given_l(self) -> np.ndarray:
        """p(E|L) [nL, nE]; rows of ligand amounts that never occur are 0."""
        joint = self.joint
        total = joint.sum(axis=1, keepdims=True)
        return np.divide(joint, total, out=np.zeros_like(joint), where=total > 0)


def checked_environments(p_environment: Any, p_ligand_given_environment: Any, channel_doses: Any = None, doses: Any = None) -> Environments:
    """Both laws as arrays, rows that sum to 1 within 1e-6 brought to 1.

    The columns of p(L|E) are the doses of the channel, `channel_doses` [nL]. `doses` [m]: the ligand amounts that the columns stand for,
    where they are others; p(L|E) is then interpolated linearly in the dose, set to 0 outside `doses`, and normalised, which a note says;
    another says what lies outside the doses of the channel.

    Raises DataError for what is no probability (naming row and column), sums away from 1, another number of columns, and doses that do not
    rise or overlap none of the channel's.
    """
    p_e = checked_law(p_environment, "p_environment", ("nE",))
    given = checked_law(p_ligand_given_environment, "p_ligand_given_environment", ("nE", "nL"))
    if len(given) != len(p_e):
        raise DataError(f"p_ligand_given_environment: found {len(given)} rows, expected one for each of the {len(p_e)} environments")
    if doses is not None:
        return _interpolated(p_e, given, channel_doses, doses)
    if channel_doses is not None and given.shape[1] != len(channel_doses):
        raise DataError(
            f"p_ligand_given_environment: found {given.shape[1]} columns, expected {len(channel_doses)}, one a dose of the channel; "
            "give doses= with the ligand amounts of the columns to have them interpolated"
        )
    return Environments(p_e, given)


def _interpolated(p_e: np.ndarray, given: np.ndarray, channel_doses: Any, doses: Any) -> Environments:
    try:
        at = np.asarray(doses, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"doses: found {shown(doses)}, expected rising numbers") from None
    if at.shape != (given.shape[1],) or not (np.isfinite(at).all() and (np.diff(at) > 0).all()):
        raise DataError(f"doses: found {shown(at)}, expected {given.shape[1]} rising numbers, one a column of p_ligand_given_environment")
    try:
        wanted = np.asarray(channel_doses, dtype=float)
    except (TypeError, ValueError):
        raise DataError("doses: the channel's doses are names, between which nothing can be interpolated") from None
    density = given / np.gradient(at) if len(at) > 1 else given
    width = np.gradient(wanted) if len(wanted) > 1 else np.ones(1)
    found = np.array([np.interp(wanted, at, row, left=0.0, right=0.0) for row in density]) * width
    empty = np.flatnonzero(found.sum(axis=1) <= 0)
    if len(empty):
        span = f"{wanted.min():g} to {wanted.max():g}"
        raise DataError(f"doses: {at[0]:g} to {at[-1]:g}: environment {empty[0]} brings none of the channel's doses, {span}")
    note = f"p(L|E) interpolated from {len(at)} ligand amounts to the {len(wanted)} doses of the channel"
    beyond = float(p_e @ given[:, (at < wanted.min()) | (at > wanted.max())].sum(axis=1))
    left = (f"warning: {beyond:.1%} of what the cell meets lies outside the doses of the channel and was left out",) if beyond > 0 else ()
    return Environments(p_e, found / found.sum(axis=1, keepdims=True), (note, *left))
