"""A network as a picture for the report: species as discs, reactions as squares, arrows from reactants through reactions to products.

The places are found by springs (Fruchterman and Reingold, Softw. Pract. Exper. 21 (1991) 1129) from a start in layers along the reactions,
without chance: the same network gives the same picture.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.biology.network import Network, Species
from sciml.biology.rates import equation, law_text
from sciml.report import Figure

__all__ = ["MOST_DRAWN", "Drawing", "draw", "network_figure"]

MOST_DRAWN = 250
"""Species and reactions together; more than these are not drawn."""

_STEPS = 250
_CROWDED = 40  # parts; more are spread evenly over the picture
_WIDTH, _HIGHEST = 1000, 900  # of the picture, in pixels
_LETTER, _LINE, _DISC = 6.5, 13.0, 9.0  # width and height of a label's letter, half a disc
_GREY, _RULED, _FIXED = "#8a919c", "#b58900", "#c0504d"


@dataclass(frozen=True)
class Drawing:
    """`ids` of species, then reactions; `places` [N, 2] in units of an arrow's length, of many parts spread evenly;
    `arrows` (from, to, kind).

    Kinds: "in" (reactant to reaction), "out" (reaction to product), "modifies" (a species in the law that is no reactant).
    """

    ids: tuple[str, ...]
    species: int
    places: np.ndarray
    arrows: tuple[tuple[int, int, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able data."""
        return {"ids": list(self.ids), "species": self.species, "places": self.places.tolist(), "arrows": [list(a) for a in self.arrows]}


def draw(network: Network) -> Drawing:
    """Places of all species that take part in something, and of all reactions."""
    arrows = _arrows(network)
    taking_part = {end for a in arrows for end in a[:2]}
    shown = [s.id for s in network.species if ("s", s.id) in taking_part]
    keys = [("s", id) for id in shown] + [("r", r.id) for r in network.reactions]
    number = {key: i for i, key in enumerate(keys)}
    numbered = tuple((number[a], number[b], kind) for a, b, kind in arrows)
    return Drawing(tuple(id for _, id in keys), len(shown), _places(len(keys), numbered), numbered)


def network_figure(network: Network, name: str = "network") -> Figure | None:
    """The picture with ids as labels, laws where the pointer rests; None for a network of nothing or of more than `MOST_DRAWN` parts."""
    if len(network.species) + len(network.reactions) > MOST_DRAWN:
        return None
    drawing = draw(network)
    if not drawing.ids:
        return None
    x, y = drawing.places.T
    split = drawing.species
    about = [_about_species(network.elements[id]) for id in drawing.ids[:split]] + [
        f"{r.id}: {equation(r)}, rate {law_text(r)}" for r in network.reactions
    ]
    colours = [_colour(network, id) for id in drawing.ids[:split]]
    shared = {"type": "scatter", "hoverinfo": "text"}
    disc = {"size": 14, "color": colours, "line": {"width": 1, "color": _GREY}}
    species = {"name": "species", "x": x[:split], "y": y[:split], "hovertext": about[:split], "marker": disc}
    crowded = len(drawing.ids) > _CROWDED
    height = int(np.clip(120 + _WIDTH * np.ptp(y) / max(float(np.ptp(x)), 1e-9), 260, _HIGHEST))
    height = max(height, min(_HIGHEST, 6 * len(drawing.ids))) if crowded else height
    sides = _label_sides(drawing, height)
    labels = {"mode": "markers+text", "text": [id if side else "" for id, side in zip(drawing.ids, sides, strict=False)],
              "textposition": [side or "top center" for side in sides]}  # fmt: skip
    square = {"size": 7, "symbol": "square", "color": _GREY}
    reactions = {"name": "reactions", "x": x[split:], "y": y[split:], "hovertext": about[split:], "marker": square, "mode": "markers"}
    traces = [shared | species | labels, shared | reactions]
    axis = {"visible": False, "zeroline": False, "showgrid": False}
    layout = {
        "xaxis": axis,
        "yaxis": axis | ({} if crowded else {"scaleanchor": "x"}),
        "showlegend": False,
        "hovermode": "closest",
        "height": height,
        "annotations": [_arrow(drawing.places[a], drawing.places[b], kind) for a, b, kind in drawing.arrows],
    }
    caption = (
        "Discs are species (red: fixed from outside, yellow: by a rule), squares reactions; light lines: who takes part in a law only."
    )
    if not all(sides):
        caption += f" {sides.count('')} labels have no room: the pointer shows them."
    whole = {"id": list(drawing.ids), "kind": ["species"] * split + ["reaction"] * (len(drawing.ids) - split), "about": about,
             "x": x.tolist(), "y": y.tolist()}  # fmt: skip
    return Figure(name, traces, layout, caption, wide=True, whole=whole)


def _label_sides(drawing: Drawing, height: int) -> list[str]:
    """Where the label of each species has room beside all discs and the labels before it; "" where it has none."""
    span = np.maximum(np.ptp(drawing.places, axis=0), 1e-9)
    at = (drawing.places - drawing.places.min(axis=0)) / span * np.array([_WIDTH - 100, height - 120]) * np.array([1, -1])
    taken = [(x - _DISC, x + _DISC, y - _DISC, y + _DISC) for x, y in at[: drawing.species]]
    found = []
    for i, id in enumerate(drawing.ids[: drawing.species]):
        x, y, wide = at[i, 0], at[i, 1], _LETTER * len(id)
        boxes = {
            "top center": (x - wide / 2, x + wide / 2, y - _DISC - _LINE, y - _DISC),
            "bottom center": (x - wide / 2, x + wide / 2, y + _DISC, y + _DISC + _LINE),
            "middle right": (x + _DISC, x + _DISC + wide, y - _LINE / 2, y + _LINE / 2),
            "middle left": (x - _DISC - wide, x - _DISC, y - _LINE / 2, y + _LINE / 2),
        }
        side = next((side for side, box in boxes.items() if not any(_overlap(box, other) for other in taken)), "")
        taken += [boxes[side]] if side else []
        found.append(side)
    return found


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]


def _about_species(s: Species) -> str:
    return f"{s.id}{f' ({s.name})' if s.name else ''} in {s.compartment}"


def _colour(network: Network, id: str) -> str:
    s = network.elements[id]
    if any(rule.variable == id for rule in network.rules):
        return _RULED
    return _FIXED if s.boundary or s.constant else "#4477aa"


def _arrow(start: np.ndarray, stop: np.ndarray, kind: str) -> dict[str, Any]:
    headed = kind == "out"
    return {
        "x": float(stop[0]), "y": float(stop[1]), "ax": float(start[0]), "ay": float(start[1]), "xref": "x", "yref": "y", "axref": "x",
        "ayref": "y", "text": "", "showarrow": True, "arrowhead": 2 if headed else 0, "arrowwidth": 1.2 if kind != "modifies" else 0.8,
        "arrowcolor": _GREY if kind != "modifies" else "#b4bac2", "standoff": 8 if headed else 0, "opacity": 0.9,
    }  # fmt: skip


def _arrows(network: Network) -> list[tuple[tuple[str, str], tuple[str, str], str]]:
    found = []
    for r in network.reactions:
        here = ("r", r.id)
        sides = {p.species for p in r.reactants}
        found += [(("s", id), here, "in") for id in dict.fromkeys(p.species for p in r.reactants)]
        found += [(here, ("s", id), "out") for id in dict.fromkeys(p.species for p in r.products)]
        named = _behind(network, (r.law.symbols() if r.law is not None else set()) | set(r.modifiers))
        helping = [s.id for s in network.species if s.id in named - sides - {p.id for p in r.local}]
        found += [(("s", id), here, "modifies") for id in helping]
    return found


def _behind(network: Network, named: set[str]) -> set[str]:
    """Ids and what assignment rules make of them."""
    rules = {rule.variable: rule.math for rule in network.rules if rule.kind == "assignment"}
    found, waiting = set(named), [id for id in named if id in rules]
    while waiting:
        new = rules[waiting.pop()].symbols() - found
        found |= new
        waiting += [id for id in new if id in rules]
    return found


def _places(count: int, arrows: Sequence[tuple[int, int, str]]) -> np.ndarray:
    """[count, 2]: layers by distance from the sources, then springs along arrows against a push between all."""
    if not count:
        return np.zeros((0, 2))
    layer = _layers(count, arrows)
    places = np.zeros((count, 2))
    for depth in range(int(layer.max()) + 1):
        members = np.flatnonzero(layer == depth)
        places[members, 0] = depth
        places[members, 1] = np.arange(len(members)) - (len(members) - 1) / 2 + 0.37 * (depth % 2)
    ends = np.array([(a, b) for a, b, _ in arrows], dtype=np.int64).reshape(-1, 2)
    pull = np.array([0.3 if kind == "modifies" else 1.0 for _, _, kind in arrows])[:, None]
    for step in range(_STEPS):
        apart = places[:, None, :] - places[None, :, :]
        square = np.maximum((apart**2).sum(axis=2), 1e-4)
        force = (apart / square[..., None]).sum(axis=1)
        along = places[ends[:, 1]] - places[ends[:, 0]]
        spring = pull * along * np.sqrt((along**2).sum(axis=1, keepdims=True))
        np.add.at(force, ends[:, 0], spring)
        np.add.at(force, ends[:, 1], -spring)
        force -= 0.02 * places  # parts that hang together by nothing stay near
        size = np.sqrt((force**2).sum(axis=1, keepdims=True))
        places += force / np.maximum(size, 1e-9) * np.minimum(size, 0.5 * (1 - step / _STEPS))
    turned = _turned(places - places.mean(axis=0), layer)
    return turned if count <= _CROWDED else np.column_stack([_evened(axis) for axis in turned.T])


def _evened(axis: np.ndarray) -> np.ndarray:
    """Half way from where the parts are to equal distances in the same order: dense parts get room."""
    rank = np.argsort(np.argsort(axis, kind="stable"), kind="stable") / (len(axis) - 1)
    return np.asarray(np.round(0.3 * axis + 0.7 * (axis.min() + np.ptp(axis) * rank), 4))


def _turned(places: np.ndarray, layer: np.ndarray) -> np.ndarray:
    """With the long side level, what comes first on the left."""
    axes = np.linalg.svd(places, full_matrices=False)[2] if len(places) > 1 else np.eye(2)
    turned = places @ axes.T
    if turned[layer == 0, 0].mean() > 0:
        turned[:, 0] = -turned[:, 0]
    if turned[0, 1] < 0:
        turned[:, 1] = -turned[:, 1]
    return np.asarray(np.round(turned, 4))


def _layers(count: int, arrows: Sequence[tuple[int, int, str]]) -> np.ndarray:
    """How many arrows each part lies behind the nearest one that nothing leads to."""
    ahead: list[list[int]] = [[] for _ in range(count)]
    behind = np.zeros(count, dtype=np.int64)
    for a, b, kind in arrows:
        if kind != "modifies":
            ahead[a].append(b)
            behind[b] += 1
    layer = np.full(count, -1)
    for first in [*np.flatnonzero(behind == 0), *range(count)]:
        queue = deque([int(first)] if layer[first] < 0 else [])
        layer[first] = max(layer[first], 0)
        while queue:
            here = queue.popleft()
            for there in ahead[here]:
                if layer[there] < 0:
                    layer[there] = layer[here] + 1
                    queue.append(there)
    return layer
