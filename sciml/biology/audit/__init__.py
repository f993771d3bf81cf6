"""Checks of the simulators on any network: conservation, the master equation, the deterministic limit, the same bits again."""

from __future__ import annotations

from sciml.biology.audit.network import Audit, audit
from sciml.report.verdicts import Row

__all__ = ["Audit", "Row", "audit"]
