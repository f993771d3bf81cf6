"""Checks of an estimator of information: what holds for information itself must hold for its estimates, up to their spread."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np

from sciml.biology.audit.subject import LawKind, Sample, Subject
from sciml.biology.information.known_law import KnownLaw
from sciml.biology.information.known_laws import known_law
from sciml.biology.information.result import Estimate
from sciml.report.verdicts import Row
from sciml.seeding import derive, numpy_generator

__all__ = ["checks", "rows"]

_Z = 4.5  # allowed for the worst of some dozens of figures
_SETS = 8
_COVERAGE_SETS = 20
_MOST_MISSED = 0.3  # of 20 intervals: chance is 0.2 % where they cover 90 %
_LAWS = {
    "continuous": ("gauss-1", "student-1", "bimodal-1", "roll-1", "gauss-5"),
    "doses": ("log-normal-7", "bimodal-7", "two-columns-7", "zeros-4"),
    "discrete": ("binary-0.1", "hill-20"),
}
_TYPICAL: dict[LawKind, str] = {"continuous": "gauss-2", "doses": "two-columns-7", "discrete": "hill-20"}
_Change = Callable[[Sample], Sample]


def rows(subject: Subject, n: int, seed: int) -> Iterator[Row]:
    """One row a check, on `n` pairs of laws whose information is known; a check that breaks is a failed row with its message."""
    refused = {kind: subject.refuses(known_law(name), n) for kind, name in _TYPICAL.items()}
    taken = [kind for kind, why in refused.items() if not why]
    if not taken:
        yield Row.failed("takes samples", "; ".join(f"{kind}: {why}" for kind, why in refused.items()))
    for name, check in checks(subject, taken, n, seed).items():
        yield _guarded(name, check)


def checks(subject: Subject, kinds: list[LawKind], n: int, seed: int) -> dict[str, Callable[[], Row]]:
    """The checks by the names of their rows, for laws of these kinds."""
    typical = [known_law(_TYPICAL[kind]) for kind in kinds]
    if not typical:
        return {}
    whole = {
        "same seed, same bits": _same_bits,
        "independent sides": _independent,
        "data processing": _processing,
        "entropy bound": _entropy,
    }
    found: dict[str, Callable[[], Row]] = {name: partial(check, subject, typical, n, seed) for name, check in whole.items()}
    found |= {name: partial(_invariant, name, change, subject, typical, n, seed) for name, change in _CHANGES.items()}
    found |= {f"known law {name}": partial(_truth, subject, known_law(name), n, seed) for kind in kinds for name in _LAWS[kind]}
    for kind in kinds:
        law = known_law(_LAWS[kind][0])
        estimates = cache(partial(_estimates, subject, law, n, seed))
        found |= {f"coverage, {law.name}": partial(_coverage, law, estimates), f"width, {law.name}": partial(_width, law, estimates)}
    return found


def _guarded(name: str, check: Callable[[], Row]) -> Row:
    try:
        return check()
    except Exception as error:  # whatever a foreign estimator raises
        return Row.failed(name, f"{type(error).__name__}: {error}")


def _sample(law: KnownLaw, n: int, seed: int) -> Sample:
    return Sample(*law.sample(n, derive(seed, "audit")), law.kind)


def _worst(name: str, found: list[tuple[float, float, str]], unit: str = "bit") -> Row:
    """The row of the figure that comes nearest to its limit or exceeds it most."""
    figure, limit, words = max(found, key=lambda row: row[0] / row[1] if math.isfinite(row[0]) else math.inf)
    return Row.judged(name, figure, limit, words, unit)


def _same_bits(subject: Subject, typical: list[KnownLaw], n: int, seed: int) -> Row:
    differ = 0
    for law in typical:
        first, second = (subject.bits(_sample(law, n, seed), seed) for _ in range(2))
        differ += first != second
    return Row.judged("same seed, same bits", differ, 0, "two calls on the same samples", "numbers")


def _independent(subject: Subject, typical: list[KnownLaw], n: int, seed: int) -> Row:
    """x of one row beside y of another: the mean estimate is 0 within its error and 0.005 bit."""
    found = []
    for law in typical:
        values = []
        for k in range(_SETS):
            x, y, kind = _sample(law, n, seed + k)
            values.append(subject.bits(Sample(numpy_generator(seed, "independent", k).permutation(x), y, kind), seed + k))
        z = abs(np.mean(values)) / math.hypot(np.std(values, ddof=1) / math.sqrt(_SETS), 0.005)
        found.append((float(z), _Z, f"{law.name} with rows of x shuffled: {np.mean(values):+.4f} bit in the mean of {_SETS}"))
    return _worst("independent sides", found, "z")


def _processing(subject: Subject, typical: list[KnownLaw], n: int, seed: int) -> Row:
    """What noise or merging leaves of y tells no more of x: the mean gain is at most its error and 0.01 bit."""
    found = []
    for law in typical:
        gains = []
        for k in range(_SETS):
            sample = _sample(law, n, seed + k)
            gains.append(subject.bits(_poorer(sample, numpy_generator(seed, "noise", k)), seed + k) - subject.bits(sample, seed + k))
        z = np.mean(gains) / (np.std(gains, ddof=1) / math.sqrt(_SETS) + 0.01)
        words = "merged with its neighbour" if law.kind == "discrete" else "with noise of its own spread"
        found.append((float(z), _Z, f"{law.name}, y {words}: {np.mean(gains):+.3f} bit"))
    return _worst("data processing", found, "z")


def _poorer(sample: Sample, generator: np.random.Generator) -> Sample:
    if sample.kind == "discrete":
        return sample._replace(y=sample.y // 2)
    return sample._replace(y=sample.y + sample.y.std(axis=0) * generator.normal(size=sample.y.shape))


def _entropy(subject: Subject, typical: list[KnownLaw], n: int, seed: int) -> Row:
    """Four classes that y tells apart without doubt: 2 bits, and not more than 0.05 above."""
    found = []
    for law in typical:
        if law.kind == "continuous":
            continue
        generator = numpy_generator(seed, "entropy")
        x = generator.permutation(np.arange(n) % 4)
        y = x if law.kind == "discrete" else 10.0 * x[:, None] + generator.normal(size=(n, 1))
        bits = subject.bits(Sample(x, y, law.kind), seed)
        found.append((bits - 2.0, 0.05, f"four {law.kind} that never overlap: {bits:.3f} of 2 bits"))
    return _worst("entropy bound", found) if found else Row.absent("entropy bound", "sides without classes are not bounded by an entropy")


def _stretched(sample: Sample) -> Sample:
    """Each column of y through a steep rising map; classes by other numbers in the same order."""
    if sample.kind == "discrete":
        return sample._replace(y=sample.y**2 + 3)
    centred = (sample.y - np.median(sample.y, axis=0)) / sample.y.std(axis=0)
    return sample._replace(y=np.sinh(2 * centred))


def _moved(sample: Sample) -> Sample:
    if sample.kind == "discrete":
        return sample._replace(x=sample.x + 7, y=sample.y + 7)  # 1e9 might be a table of as many columns
    return sample._replace(y=1e9 + sample.y * np.logspace(0, 3, sample.y.shape[1]))


def _other_columns(sample: Sample) -> Sample:
    return sample if sample.y.ndim == 1 else sample._replace(y=sample.y[:, ::-1])


def _other_rows(sample: Sample) -> Sample:
    order = numpy_generator(0, "rows").permutation(len(sample.x))
    return sample._replace(x=sample.x[order], y=sample.y[order])


def _swapped(sample: Sample) -> Sample:
    return Sample(sample.y, sample.x, sample.kind)


_CHANGES: dict[str, _Change] = {
    "monotone maps of y": _stretched,
    "offset of 1e9": _moved,
    "order of columns": _other_columns,
    "order of rows": _other_rows,
    "x and y swapped": _swapped,
}


def _invariant(name: str, change: _Change, subject: Subject, typical: list[KnownLaw], n: int, seed: int) -> Row:
    """Information does not change: the mean change is at most 0.02 bit, 3 times what another seed changes, and a quarter of the spread."""
    found = []
    for law in typical:
        if name == "x and y swapped" and law.kind == "doses":
            continue  # sides of different kinds have no other order
        moves, chance, values = [], [], []
        for k in range(_SETS // 2):
            sample = _sample(law, n, seed + k)
            bits = subject.bits(sample, seed)
            moves.append(subject.bits(change(sample), seed) - bits)
            chance.append(subject.bits(sample, seed + 1) - bits)
            values.append(bits)
        moved, by_seed = float(np.mean(np.abs(moves))), float(np.mean(np.abs(chance)))
        limit = 0.02 + 3 * by_seed + 0.25 * float(np.std(values, ddof=1))
        found.append((moved, limit, f"{law.name}: {moved:.4f} bit; another seed alone {by_seed:.4f}"))
    return _worst(name, found) if found else Row.absent(name, "the sides are of different kinds")


def _truth(subject: Subject, law: KnownLaw, n: int, seed: int) -> Row:
    """Mean error over samples: at most 4.5 standard errors, 0.02 bit and 5 % of the truth; one-sided estimates may be low."""
    name = f"known law {law.name}"
    if why := subject.refuses(law, n):
        return Row.absent(name, why)
    bits, one_sided = [], False
    for k in range(_SETS):
        sample = _sample(law, n, seed + k)
        bits.append(subject.bits(sample, seed + k))
        if k == 0 and (found := subject.estimate(sample, seed)) is not None:
            one_sided = math.isinf(found.high)
    error, spread = float(np.mean(bits)) - law.bits, float(np.std(bits, ddof=1)) / math.sqrt(_SETS)
    figure = max(error, 0.0) if one_sided else abs(error)
    words = f"{law.words}: {np.mean(bits):.3f} of {law.bits:.3f} bit{', a lower bound' if one_sided else ''}"
    return Row.judged(name, figure, _Z * spread + 0.02 + 0.05 * law.bits, words, "bit")


def _estimates(subject: Subject, law: KnownLaw, n: int, seed: int) -> list[Estimate | None]:
    return [subject.estimate(_sample(law, n, seed + k), seed + k) for k in range(_COVERAGE_SETS)]


def _coverage(law: KnownLaw, estimates: Callable[[], list[Estimate | None]]) -> Row:
    """Of 20 intervals at most 6 miss the truth."""
    name, found = f"coverage, {law.name}", [one for one in estimates() if one is not None]
    if not found:
        return Row.absent(name, "a function gives no interval")
    missed = float(np.mean([not one.low <= law.bits <= one.high for one in found]))
    return Row.judged(name, missed, _MOST_MISSED, f"share of {len(found)} intervals that miss {law.bits:.3f} bit", "share")


def _width(law: KnownLaw, estimates: Callable[[], list[Estimate | None]]) -> Row:
    """Intervals are no wider than 5 sd of the estimates and the bias; one-sided ones reach no lower than 2.5 sd."""
    name, found = f"width, {law.name}", [one for one in estimates() if one is not None]
    if not found:
        return Row.absent(name, "a function gives no interval")
    bits = np.array([one.bits for one in found])
    one_sided = any(math.isinf(one.high) for one in found)
    widths = [one.bits - one.low if one_sided else one.high - one.low for one in found]
    width = float(np.mean(widths)) - abs(float(bits.mean()) - law.bits)
    limit = (2.5 if one_sided else 5.0) * (1 + 3 / math.sqrt(2 * (len(found) - 1)))  # sd of 20 numbers is itself uncertain
    return Row.judged(name, width / max(float(bits.std(ddof=1)), 1e-12), limit, "mean width less the bias, in sd of the estimates", "sd")
