"""Information theory: arrays in, numbers in bits out, each with an interval or a certificate. Knows no simulator.

Use it as `from sciml.biology import information as info`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciml.door import open_door

if TYPE_CHECKING:
    from sciml.biology.information.bottleneck import bottleneck_curve
    from sciml.biology.information.bottleneck_result import BottleneckCurve
    from sciml.biology.information.capacity import Capacity, capacity
    from sciml.biology.information.conditional import conditional_information
    from sciml.biology.information.deterministic_bottleneck import DeterministicBottleneck, deterministic_bottleneck
    from sciml.biology.information.distinction import Distinction, PairOfDoses, distinguish
    from sciml.biology.information.dose_capacity import DataCapacity, capacity_from_data
    from sciml.biology.information.estimators import Rule, estimator_rule
    from sciml.biology.information.gaussian_bottleneck import GaussianBottleneck, gaussian_bottleneck
    from sciml.biology.information.mutual import mutual_information
    from sciml.biology.information.next_dose import NextDose, next_dose
    from sciml.biology.information.result import MutualInformation
    from sciml.biology.information.series import (
        InformationSeries,
        directed_information,
        information_over_time,
        lagged_information,
    )
    from sciml.biology.information.variational_bottleneck import VariationalBottleneck
    from sciml.biology.information.variational_result import VariationalCurve

_MODULES = {
    "dose_capacity": ("capacity_from_data", "DataCapacity"),
    "distinction": ("distinguish", "Distinction", "PairOfDoses"),
    "next_dose": ("next_dose", "NextDose"),
    "capacity": ("capacity", "Capacity"),
    "mutual": ("mutual_information",),
    "estimators": ("estimator_rule", "Rule"),
    "result": ("MutualInformation",),
    "conditional": ("conditional_information",),
    "series": ("lagged_information", "directed_information", "information_over_time", "InformationSeries"),
    "bottleneck": ("bottleneck_curve",),
    "bottleneck_result": ("BottleneckCurve",),
    "deterministic_bottleneck": ("deterministic_bottleneck", "DeterministicBottleneck"),
    "gaussian_bottleneck": ("gaussian_bottleneck", "GaussianBottleneck"),
    "variational_bottleneck": ("VariationalBottleneck",),
    "variational_result": ("VariationalCurve",),
}
__all__ = [
    "capacity_from_data", "DataCapacity",
    "distinguish", "Distinction", "PairOfDoses",
    "next_dose", "NextDose",
    "capacity", "Capacity",
    "mutual_information", "MutualInformation",
    "conditional_information",
    "lagged_information", "directed_information", "information_over_time", "InformationSeries",
    "estimator_rule", "Rule",
    "bottleneck_curve", "BottleneckCurve",
    "deterministic_bottleneck", "DeterministicBottleneck",
    "gaussian_bottleneck", "GaussianBottleneck",
    "VariationalBottleneck", "VariationalCurve",
]  # fmt: skip

open_door(__name__, _MODULES)
