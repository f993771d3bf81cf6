"""Reports: blocks of plots, tables, structures and text, and one self-contained HTML page made of them.

This package knows no science and no kind of step: results turn themselves into sections (`to_sections()`), `write_report`
writes them, `report_from_folder` makes the page again from the data files of a run folder.
"""

from __future__ import annotations

from sciml.report.blocks import Block, Download, Figure, KeyFigure, KeyFigures, Section, Structure3D, Table, Text
from sciml.report.figures import bars, curve, error_against_uncertainty, histogram, parity
from sciml.report.html import report_from_folder, write_report
from sciml.report.storage import Report, load_report, save_report

__all__ = [
    "Block",
    "Download",
    "Figure",
    "KeyFigure",
    "KeyFigures",
    "Report",
    "Section",
    "Structure3D",
    "Table",
    "Text",
    "bars",
    "curve",
    "error_against_uncertainty",
    "histogram",
    "load_report",
    "parity",
    "report_from_folder",
    "save_report",
    "write_report",
]
