"""The loop stands on its own, so that its machine code is kept; what it does is tested through `lane_driver`."""

from __future__ import annotations

import re

from sciml.biology.simulation.lane_loop import build


def test_it_calls_nothing_but_programs():
    text = build()._library.get_llvm_str()
    declared = set(re.findall(r"^declare [^@]*@\"?([\w.$]+)", text, re.M))
    assert {d for d in declared if not d.startswith("llvm.")} <= {"memset", "memcpy", "memmove"}
