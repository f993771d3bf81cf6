"""Ready-made figures for any science: curves, parity plots, histograms, bars, errors against uncertainties.

Each call takes arrays and returns a `Figure`: plotly's JSON as plain dicts (plotly itself is not imported), with a
caption that says what is drawn, in which unit. Colours of the theme are set by the page, only greys are named here.
A plot of more than 20,000 points shows an even random part of them (seed fixed) and always the farthest outliers;
a note says so, every figure in the caption is of all points, and `Figure.whole` keeps all of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sciml.errors import DataError
from sciml.report.blocks import Figure
from sciml.report.numbers import shown
from sciml.report.summary import Array, binned, edges, mae, rmse, span, spearman, thinned, vector

__all__ = ["bars", "curve", "error_against_uncertainty", "histogram", "parity", "points_and_lines"]

GREY = "#8a919c"


def curve(
    name: str,
    x: ArrayLike,
    y: ArrayLike | Mapping[str, ArrayLike],
    *,
    x_label: str,
    y_label: str,
    x_unit: str = "",
    y_unit: str = "",
    log_x: bool = False,
    log_y: bool = False,
    bands: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    markers: bool = False,
    caption: str = "",
    wide: bool = False,
) -> Figure:
    """Lines over a common `x` [n]: `y` [n], or several by name; `bands` (name of a line -> low [n], high [n]) are shaded.

    `markers` shows the points too. `caption` comes before the sentence on the units. Raises `DataError` where lengths differ.
    """
    lines = dict(y) if isinstance(y, Mapping) else {y_label: y}
    xs = vector(name, "x", x)
    traces: list[dict[str, Any]] = []
    for number, (label, values) in enumerate(lines.items()):
        if bands and label in bands:
            traces.append(_band(name, number, label, xs, bands[label]))
        ys = vector(name, label, values, len(xs))
        mode = "lines+markers" if markers else "lines"
        hover = f"{_template(x_label)} %{{x}}<br>%{{y:.4~g}} {_template(y_unit)}"
        traces.append({"type": "scatter", "mode": mode, "name": label, "x": xs, "y": ys, "hovertemplate": hover})
    layout = _axes(x_label, x_unit, y_label, y_unit, log_x, log_y) | {"showlegend": len(lines) > 1}
    said = _sentences(caption, _units((x_label, x_unit), (y_label, y_unit)))
    return Figure(name, traces, layout, said, _dropped_by_log(traces, log_x, log_y), wide)


def points_and_lines(
    name: str,
    x: ArrayLike,
    points: ArrayLike,
    lines: ArrayLike,
    groups: Sequence[str],
    *,
    x_label: str,
    y_label: str,
    x_unit: str = "",
    y_unit: str = "",
    caption: str = "",
) -> Figure:
    """`points` [n] over `x` [n], and through `lines` [n], in order of x, one line for each of `groups` [n], in the colour of its points.

    Raises `DataError` where lengths differ.
    """
    xs = vector(name, "x", x)
    ys, fitted = vector(name, "points", points, len(xs)), vector(name, "lines", lines, len(xs))
    if len(groups) != len(xs):
        raise DataError(f"figure {name!r}: {len(xs)} points, but {len(groups)} groups; one for each point would be right")
    hover = f"{_template(x_label)} %{{x}}<br>%{{y:.4~g}} {_template(y_unit)}"
    traces: list[dict[str, Any]] = []
    for number, label in enumerate(dict.fromkeys(groups)):
        rows = np.flatnonzero([group == label for group in groups])
        order = rows[np.argsort(xs[rows], kind="stable")]
        line = {"type": "scatter", "mode": "lines", "x": xs[order], "y": fitted[order], "hovertemplate": hover, "showlegend": False}
        traces.append(line | {"name": label, "meta": {"colour": number}})
        traces.append(_points(label, xs[rows], ys[rows], len(xs), hover) | {"meta": {"colour": number}})
    layout = _axes(x_label, x_unit, y_label, y_unit) | {"showlegend": len(set(groups)) > 1}
    return Figure(name, traces, layout, _sentences(caption, _units((x_label, x_unit), (y_label, y_unit))))


def parity(
    name: str,
    unit: str,
    reference: ArrayLike,
    predicted: ArrayLike,
    groups: Sequence[str] | None = None,
    *,
    caption: str = "",
    reference_label: str = "reference",
    predicted_label: str = "predicted",
) -> Figure:
    """`predicted` against `reference` (any equal shapes, flattened to [n]), the line of equality, MAE and RMSE.

    `groups` [n] names the group of each point (a colour and a legend entry each). MAE = mean |d|, RMSE = sqrt(mean d^2),
    d = predicted - reference, over the pairs that are finite. Raises `DataError` where lengths differ.
    """
    truth = vector(name, "reference", reference)
    guess = vector(name, "predicted", predicted, len(truth))
    labels = [str(group) for group in groups] if groups is not None else [predicted_label] * len(truth)
    if len(labels) != len(truth):
        raise DataError(f"figure {name!r}: {len(truth)} points, but {len(labels)} groups; one for each point would be right")
    error = guess - truth
    kept, notes, whole = thinned(error, {"group": labels, "reference": truth, "predicted": guess})
    ends = span(truth, guess)
    hover = f"{_template(reference_label)} %{{x:.5~g}}<br>{_template(predicted_label)} %{{y:.5~g}} {_template(unit)}"
    traces: list[dict[str, Any]] = [_guide("equality", ends, ends) | {"showlegend": False}]
    for label in dict.fromkeys(labels):
        rows = [row for row in kept if labels[row] == label]
        traces.append(_points(label, truth[rows], guess[rows], len(kept), hover))
    layout = _axes(reference_label, unit, predicted_label, unit) | {"showlegend": groups is not None}
    layout["xaxis"] |= {"range": ends, "constrain": "domain"}
    layout["yaxis"] |= {"range": ends, "scaleanchor": "x", "constrain": "domain"}
    layout["annotations"] = [_corner(f"MAE {shown(mae(error))} {unit}\nRMSE {shown(rmse(error))} {unit}")]
    said = f"MAE {shown(mae(error))}, RMSE {shown(rmse(error))} {unit} over {len(truth):,} values; the dashed line is equality."
    return Figure(name, traces, layout, _sentences(caption, said), notes, whole=whole)


def histogram(
    name: str,
    values: ArrayLike | Mapping[str, ArrayLike],
    *,
    label: str,
    unit: str = "",
    bins: int | None = None,
    log_y: bool = False,
    caption: str = "",
) -> Figure:
    """Counts in equal bins of `values` [n], or of several sets by name in the same bins.

    `bins`: None takes Freedman and Diaconis' width 2 IQR n^(-1/3), between 5 and 60 bins.
    Values not finite are left out and counted in a note.
    """
    sets = dict(values) if isinstance(values, Mapping) else {label: values}
    finite = {key: (v := vector(name, key, item))[np.isfinite(v)] for key, item in sets.items()}
    lost = sum(np.size(item) for item in sets.values()) - sum(map(len, finite.values()))
    everything = np.concatenate(list(finite.values())) if finite else np.empty(0)
    cuts = edges(everything, bins)
    middles, width = (cuts[1:] + cuts[:-1]) / 2, float(cuts[1] - cuts[0])
    hover = f"{_template(label)} %{{x:.4~g}} {_template(unit)}<br>%{{y}}"
    traces = [
        {"type": "bar", "name": key, "x": middles, "y": np.histogram(item, cuts)[0], "width": width, "hovertemplate": hover}
        for key, item in finite.items()
    ]
    layout = _axes(label, unit, "count", "", False, log_y) | {"barmode": "overlay", "bargap": 0.04, "showlegend": len(sets) > 1}
    for trace in traces if len(sets) > 1 else []:
        trace["opacity"] = 0.65
    notes = [f"{lost} value{'s' if lost != 1 else ''} not finite, left out."] if lost else []
    said = f"{len(everything):,} values in {len(middles)} bins. {_units((label, unit))}"
    return Figure(name, traces, layout, _sentences(caption, said), notes)


def bars(
    name: str,
    labels: Sequence[str],
    values: ArrayLike | Mapping[str, ArrayLike],
    *,
    label: str,
    unit: str = "",
    errors: ArrayLike | None = None,
    caption: str = "",
    wide: bool = False,
) -> Figure:
    """One bar for each of `labels` [n]: `values` [n], or several series by name side by side.

    `errors` [n] are half-widths of the first series' intervals. Raises `DataError` where lengths differ.
    """
    series = dict(values) if isinstance(values, Mapping) else {label: values}
    texts, traces = [str(text) for text in labels], []
    for key, item in series.items():
        heights = vector(name, key, item, len(texts))
        hover = f"%{{x}}<br>{_template(key)} %{{y:.4~g}} {_template(unit)}<extra></extra>"
        traces.append({"type": "bar", "name": key, "x": texts, "y": heights, "hovertemplate": hover})
    if errors is not None:
        traces[0]["error_y"] = {"type": "data", "array": vector(name, "errors", errors, len(texts)), "color": GREY}
    layout = _axes("", "", label, unit) | {"barmode": "group", "showlegend": len(series) > 1}
    layout["xaxis"] |= {"type": "category", "showgrid": False}
    return Figure(name, traces, layout, _sentences(caption, _units((label, unit))), wide=wide)


def error_against_uncertainty(name: str, unit: str, error: ArrayLike, predicted_std: ArrayLike, *, caption: str = "") -> Figure:
    """|`error`| [n] against `predicted_std` [n] on logarithmic axes, with the rms error in ten equally filled bins.

    For honest Gaussian uncertainties the bins lie on the line rms error = uncertainty, and 68 % and 95 % of the errors lie
    within one and two of them; the caption gives both shares and Spearman's rank correlation of |error| and uncertainty.
    Pairs that are not finite or not positive cannot be drawn; they are counted in a note. Raises `DataError` where lengths differ.
    """
    size = np.abs(vector(name, "error", error))
    spread = vector(name, "predicted_std", predicted_std, len(size))
    drawable = np.isfinite(size) & np.isfinite(spread) & (size > 0) & (spread > 0)
    lost = int(len(size) - drawable.sum())
    finite = np.isfinite(size) & np.isfinite(spread)
    within = [float(np.mean(size[finite] <= k * spread[finite])) if finite.any() else math.nan for k in (1, 2)]
    rank = spearman(size[finite], spread[finite])
    size, spread = size[drawable], spread[drawable]
    kept, notes, whole = thinned(size, {"uncertainty": spread, "error": size})
    ends = span(spread, spread, logarithmic=True)
    middles, rms = binned(spread, size)
    hover = f"uncertainty %{{x:.3~g}}<br>error %{{y:.3~g}} {_template(unit)}"
    traces = [
        _points("values", spread[kept], size[kept], len(kept), hover),
        _guide("error = uncertainty", ends, ends),
        _guide("error = 2 × uncertainty", ends, [2 * end for end in ends], "dot"),
        {"type": "scatter", "mode": "lines+markers", "name": "rms error in bins", "x": middles, "y": rms, "hovertemplate": hover},
    ]
    layout = _axes("predicted uncertainty", unit, "absolute error", unit, True, True) | {"showlegend": True}
    said = f"{within[0]:.0%} of the errors lie within one, {within[1]:.0%} within two predicted standard deviations "
    said += f"(honest Gaussian ones: 68%, 95%); rank correlation {rank:.2f}. {_units(('both axes', unit))}"
    notes += [f"{lost} pair{'s' if lost != 1 else ''} zero, negative or not finite, not drawn."] if lost else []
    return Figure(name, traces, layout, _sentences(caption, said), notes, whole=whole)


def _template(text: str) -> str:
    """Text inside plotly's hover template: no markup, no `%{...}`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("%{", "% {")


def _with_unit(label: str, unit: str) -> str:
    return f"{label} ({unit})" if unit else label


def _axes(x: str, x_unit: str, y: str, y_unit: str, log_x: bool = False, log_y: bool = False) -> dict[str, Any]:
    axes: dict[str, Any] = {"xaxis": {"title": {"text": _with_unit(x, x_unit)}}, "yaxis": {"title": {"text": _with_unit(y, y_unit)}}}
    for axis, logarithmic in (("xaxis", log_x), ("yaxis", log_y)):
        if logarithmic:
            axes[axis]["type"] = "log"
    return axes


def _units(*pairs: tuple[str, str]) -> str:
    """A sentence on the units of named quantities; empty where none has one."""
    said = [f"{label} in {unit}" for label, unit in pairs if unit]
    return (said[0][0].upper() + ", ".join(said)[1:] + ".") if said else ""


def _sentences(*parts: str) -> str:
    return " ".join(part.strip() for part in parts if part.strip())


def _guide(label: str, x: Sequence[float], y: Sequence[float], dash: str = "dash") -> dict[str, Any]:
    line = {"color": GREY, "width": 1.25, "dash": dash}
    return {"type": "scatter", "mode": "lines", "name": label, "x": list(x), "y": list(y), "line": line, "hoverinfo": "skip"}


def _points(label: str, x: Array, y: Array, total: int, hover: str) -> dict[str, Any]:
    """A cloud of points, fainter and smaller the more there are."""
    size, opacity = (7.0, 0.85) if total <= 300 else (5.0, 0.55) if total <= 3_000 else (3.5, 0.35)
    marker = {"size": size, "opacity": opacity}
    return {"type": "scatter", "mode": "markers", "name": label, "x": x, "y": y, "marker": marker, "hovertemplate": hover}


def _band(name: str, number: int, label: str, x: Array, limits: tuple[ArrayLike, ArrayLike]) -> dict[str, Any]:
    low, high = (vector(name, f"band of {label}", limit, len(x)) for limit in limits)
    outline = {"x": np.concatenate([x, x[::-1]]), "y": np.concatenate([high, low[::-1]])}
    shape = {"fill": "toself", "line": {"width": 0}, "mode": "lines", "hoverinfo": "skip", "showlegend": False, "opacity": 0.25}
    return {"type": "scatter", "name": f"band of {label}", **outline, **shape, "meta": {"colour": number}}


def _corner(text: str) -> dict[str, Any]:
    place = {"x": 0.03, "y": 0.97, "xref": "x domain", "yref": "y domain", "xanchor": "left", "yanchor": "top"}
    return {"text": text, "align": "left", "showarrow": False, **place}


def _dropped_by_log(traces: Sequence[Mapping[str, Any]], log_x: bool, log_y: bool) -> list[str]:
    lost = sum(int(np.sum(np.asarray(trace[axis]) <= 0)) for trace in traces for axis, on in (("x", log_x), ("y", log_y)) if on)
    return [f"{lost} value{'s' if lost != 1 else ''} zero or negative, not drawn on a logarithmic axis."] if lost else []
