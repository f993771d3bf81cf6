"""NF-kB in the nuclei of single cells after TNF: bits about the dose at each time, and how many more the trace of the same cells tells.

python 10_nfkb_after_tnf.py [data_nfkb.csv.gz]

Without a file: the first 25 cells of each dose (tests/data/lgpl, from the R package SLEMI, whose table has all 15,632 of them).
"""

from __future__ import annotations

import sys
from math import hypot
from pathlib import Path

from sciml import biology as bio
from sciml.biology import information as info
from sciml.report import write_report

EXCERPT = Path(__file__).resolve().parents[2] / "tests/data/lgpl/nfkb/cells.csv"
minutes = [0, 3, 21, 90, 120]

cells = bio.Channel.from_table(
    sys.argv[1] if len(sys.argv) > 1 else EXCERPT,
    dose="signal",  # "10ng" is a number with a unit
    readout=[f"response_{minute}" for minute in minutes],
    times=minutes,  # the same quantity of the same cell: a trace
    missing="drop",  # cells that were lost on the way; how many stands in the notes
)
print(cells, *cells.notes, sep="\n  ")

print("minute   at capacity [95 %]      at equal doses [95 %]")
found = {minute: info.capacity_from_data(*cells.at(minute).samples) for minute in minutes}
for minute, told in found.items():
    equal = f"{told.bits_equal:.2f} [{told.equal_low:.2f}, {told.equal_high:.2f}]"
    print(f"{minute:6d}   {told.bits:.2f} [{told.low:.2f}, {told.high:.2f}]       {equal}")
print("what minute 0 tells was there before the dose: wells and days that differ")

trace = info.capacity_from_data(*cells.at(minutes[1:]).samples)
print(f"trace    {trace.bits:.2f} [{trace.low:.2f}, {trace.high:.2f}]       {trace.bits_equal:.2f}, the four times after the dose")

best = found[21]
gain, error = trace.bits - best.bits, hypot(trace.standard_error, best.standard_error)  # as if of other cells: too wide
print(f"the trace tells {gain:.2f} +- {1.96 * error:.2f} bit more than the snapshot at 21 minutes")
print(f"{best.distinguishable:.1f} doses can be told apart at 21 minutes; used are mostly", end=" ")
print(", ".join(f"{dose:g} ng/ml" for dose, share in zip(best.doses, best.p_x, strict=True) if share > 0.1))

write_report([*cells.to_sections(), *best.to_sections()], "nfkb.html", title="NF-kB after TNF")
