"""Checks of the simulators on any network (conservation, master equation, deterministic limit) and of estimators of information."""

from __future__ import annotations

from sciml.biology.audit.network import Audit, audit
from sciml.report.verdicts import Row

__all__ = ["Audit", "Row", "audit"]
