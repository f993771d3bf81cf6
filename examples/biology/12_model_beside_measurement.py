"""NF-kB 21 minutes after TNF, in a published model of its pathway and in measured cells: the same plot, the same capacity.

python 12_model_beside_measurement.py [data_nfkb.csv.gz]

The model (Hoffmann et al. 2002, BioModels 140) begins at the kinase IKK and knows no TNF: that half of IKK is active at 0.3 ng/ml, and how
much cells differ, are assumptions made here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from sciml import biology as bio
from sciml.biology import information as info
from sciml.report import Section, curve, write_report

DATA = Path(__file__).resolve().parents[2] / "tests/data"
table = sys.argv[1] if len(sys.argv) > 1 else DATA / "lgpl/nfkb/cells.csv"
measured = bio.Channel.from_table(table, dose="signal", readout="response_21", missing="drop")
doses = measured.doses

net = bio.load(DATA / "biomodels/BIOMD0000000140.xml.gz")  # at rest for 2000 minutes, then its event sets IKK
tnf = [bio.Parameter("TNF", 0.0), bio.Parameter("half", 0.3)]
step = bio.Event(net.events[0].id, "time >= 2000", {"IKK": "0.1*TNF/(TNF + half)"})
cells = {"NFkB": bio.LogNormal(cv=0.4), "tr2": bio.LogNormal(cv=0.3)}  # NF-kB and the transcription of its inhibitor differ
light = bio.Measurement(background=bio.Normal(sd=0.0015, mean=0.006), gain_cv=0.3)
network = net.with_(parameters=tnf, events=[step])
model = bio.Channel.from_network(network, "TNF", "NFkB_nuc", doses, [2021], n=60, method="ode", extrinsic=cells, measurement=light, seed=1)

lines, bands = {}, {}
for name, channel in (("measured cells", measured), ("model", model)):
    x, y = channel.samples
    low, middle, high = np.array([np.quantile(y[x == dose, 0], [0.25, 0.5, 0.75]) for dose in doses]).T
    bottom, span = middle[0], middle[-1] - middle[0]  # no dose is 0, the highest dose 1: units differ
    lines[name], bands[name] = (middle - bottom) / span, ((low - bottom) / span, (high - bottom) / span)
    print(f"{name:15s}", " ".join(f"{value:5.2f}" for value in lines[name]), "of the response to the highest dose")
    print(" " * 15, info.capacity_from_data(x, y).sentence())

spots = [f"{dose:g}" for dose in doses]
drawn = curve("nuclear NF-kB", np.arange(len(doses)), lines, x_label=f"dose: {', '.join(spots)} ng/ml", y_label="response", bands=bands,
              markers=True, caption="Medians, bands hold half of the cells.")  # fmt: skip
sections = [Section("Model and measurement", [drawn]), *measured.to_sections(), *model.to_sections()]
write_report(sections, "model.html", title="NF-kB: model and measurement")
