"""Labels of structures: found, counted, their units and signs checked, copies and leakage found, splits drawn."""

from __future__ import annotations

from sciml.materials.labels.census import ElementCount, LabelCensus, Range, census
from sciml.materials.labels.checks import Examination, check, check_stress, examine
from sciml.materials.labels.copies import SetComparison, compare_sets, equivalent_groups, identical_groups
from sciml.materials.labels.finding import Labels, group_of, has_labels, labels_of
from sciml.materials.labels.findings import Finding, LabelReport
from sciml.materials.labels.pulay import PulayStress, pulay_pressure, pulay_stress
from sciml.materials.labels.splits import Split, group_split

__all__ = [
    "ElementCount",
    "Examination",
    "Finding",
    "LabelCensus",
    "LabelReport",
    "Labels",
    "Range",
    "PulayStress",
    "SetComparison",
    "Split",
    "census",
    "check",
    "check_stress",
    "compare_sets",
    "equivalent_groups",
    "examine",
    "group_of",
    "group_split",
    "has_labels",
    "identical_groups",
    "labels_of",
    "pulay_pressure",
    "pulay_stress",
]
