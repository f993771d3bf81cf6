"""The bottleneck at one beta, solved as a mixture: how much weight each posterior about the relevant variable carries.

With T's posteriors q_t = p(y|t) and weights pi_t, the encoder is p(t|x) = pi_t exp(-beta KL(w_x || q_t)) / z_x, and the bottleneck is

    max [beta I(T;Y) - I(T;X)] = beta I(X;Y) - min_mu G(mu),   G = -sum_x p_x log z_x,   z_x = int mu(dq) exp(-beta KL(w_x || q)),

convex in the measure mu over posteriors (rate-distortion theory; Csiszar 1974; Tishby, Pereira and Bialek 1999 for the self-consistent
equations, which are the EM step of this mixture). So a solution is best exactly where the gain
C(q) = sum_x p_x exp(-beta KL(w_x || q)) / z_x is nowhere above 1 (Lindsay 1983 for mixtures), a q with C(q) > 1 is the cluster that is
missing, and log max C bounds what is still to be won.
Everything here is in nats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Law", "Mixture", "Starts", "climb", "levelled", "log_gain", "log_sum_exp", "solve"]

_FLOOR = 1e-300
_NEVER = -700.0  # logarithm of what counts as nothing
_RIDGE = 1e-11  # of the scaled least squares of an extrapolation
_DROPPED = 1e-11  # weight below which a cluster is left out
_EQUAL, _ALIKE = 1e-6, 0.1  # beta times the squared Hellinger distance of clusters that are joined, and where joining is tried
_HEAVIEST = 6  # clusters that are climbed from too
_ROUNDS, _MEMORY, _STEPS, _STAGNANT = 25, 8, 80, 6


@dataclass(frozen=True)
class Law:
    """A joint law without empty rows or columns: `p` [X] = p(x), `w` [X, Y] = p(y|x), `entropy` [X] = H(Y|x)."""

    p: np.ndarray
    w: np.ndarray
    entropy: np.ndarray

    @classmethod
    def of(cls, p: np.ndarray, w: np.ndarray) -> Law:
        """The law of p(x) [X] and p(y|x) [X, Y]."""
        return cls(p, w, -np.sum(w * np.log(np.maximum(w, _FLOOR)), axis=1))

    @property
    def p_y(self) -> np.ndarray:
        """p(y) [Y]."""
        return np.asarray(self.p @ self.w)

    def divergence(self, posteriors: np.ndarray) -> np.ndarray:
        """KL(w_x || q_t) [X, T] for posteriors [T, Y]."""
        found: np.ndarray = -(self.w @ np.log(np.maximum(posteriors, _FLOOR)).T + self.entropy[:, None])
        return np.maximum(found, 0.0, out=found)


@dataclass(frozen=True)
class Mixture:
    """Clusters at one beta: `weights` [T], `posteriors` [T, Y]; `log_z` [X] and the objective G that go with them."""

    beta: float
    weights: np.ndarray
    posteriors: np.ndarray
    log_z: np.ndarray
    objective: float

    @classmethod
    def of(cls, law: Law, beta: float, weights: np.ndarray, posteriors: np.ndarray) -> Mixture:
        """The mixture of given clusters."""
        kernel, shift = _kernel(law, beta, posteriors)
        log_z = np.log(np.maximum(kernel @ weights, _FLOOR)) + shift
        return cls(beta, weights, posteriors, log_z, -float(law.p @ log_z))

    def encoder(self, law: Law) -> np.ndarray:
        """p(t|x) [X, T]."""
        joint = _kernel(law, self.beta, self.posteriors)[0] * self.weights
        return np.asarray(joint / joint.sum(axis=1, keepdims=True))

    def log_shares(self, law: Law) -> np.ndarray:
        """log(p_x / z_x) [X]: the coefficients of the gain C(q) = sum_x exp(log_shares_x - beta KL(w_x || q))."""
        return np.asarray(np.log(law.p) - self.log_z)


def log_gain(beta: float, log_shares: np.ndarray, divergence: np.ndarray) -> np.ndarray:
    """log C [T] of clusters whose KL(w_x || q_t) [X, T] is given."""
    return log_sum_exp(log_shares[:, None] - beta * divergence)


def log_sum_exp(terms: np.ndarray) -> np.ndarray:
    """log of the sum over rows of exp(terms) [X, T], which are used up."""
    top = terms.max(axis=0)
    terms -= top
    return np.asarray(np.log(_exp(terms).sum(axis=0)) + top)


def _exp(values: np.ndarray) -> np.ndarray:
    """exp of values <= 0, in their place; below 1e-304 it stays there: numpy is six times as slow where results underflow."""
    np.maximum(values, _NEVER, out=values)
    return np.asarray(np.exp(values, out=values))


def climb(law: Law, beta: float, log_shares: np.ndarray, posteriors: np.ndarray, cycles: int) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors [T, Y] moved uphill on the gain, and log C [T] there.

    A step q <- E[w_x], x weighted by its term of C, never loses; two steps and an extrapolated third make a cycle (Varadhan and
    Roland 2008).
    """

    def uphill(q: np.ndarray) -> np.ndarray:
        terms = log_shares[:, None] - beta * law.divergence(q)
        terms = _exp(terms - terms.max(axis=0))
        return np.asarray((terms.T @ law.w) / terms.sum(axis=0)[:, None])

    for _ in range(cycles):
        one = uphill(posteriors)
        two = uphill(one)
        start, first, second = (np.log(np.maximum(q, _FLOOR)) for q in (posteriors, one, two))
        change, bend = first - start, second - 2.0 * first + start
        size, bent = np.sqrt((one * change**2).sum(axis=1)), np.sqrt((one * bend**2).sum(axis=1))
        length = np.clip(size / np.maximum(bent, 1e-12), 1.0, 30.0)[:, None]
        moved = start + 2.0 * length * change + length**2 * bend
        moved = np.exp(moved - moved.max(axis=1, keepdims=True))
        posteriors = uphill(moved / moved.sum(axis=1, keepdims=True))
    return posteriors, log_gain(beta, log_shares, law.divergence(posteriors))


class Starts:
    """Posteriors from which a missing cluster is looked for: p(y), rows of p(y|x), and 100 random mixtures of rows."""

    def __init__(self, law: Law, generator: np.random.Generator, most: int = 200) -> None:
        n = len(law.p)
        rows = law.w if n <= most else law.w[np.sort(generator.choice(n, most, replace=False, p=law.p))]
        mixed = generator.dirichlet(np.full(min(n, 200), 0.1), 100) @ law.w[generator.permutation(n)[:200]]
        self.posteriors = np.concatenate([law.p_y[None], rows, mixed])
        self._divergence = law.divergence(self.posteriors)
        self._roots = np.sqrt(self.posteriors)

    def best(self, law: Law, found: Mixture, climbed: int = 12, cycles: int = 2) -> tuple[np.ndarray, float]:
        """The missing clusters [k, Y], and the largest log C: of all starts, the best `climbed` that lie apart go uphill for some
        `cycles`, and so do the heaviest clusters found."""
        beta, log_shares = found.beta, found.log_shares(law)
        gain = log_gain(beta, log_shares, self._divergence)
        chosen: list[int] = []
        apart = min(0.5 / beta, 0.02)
        for i in np.argsort(-gain, kind="stable")[: 20 * climbed]:
            if not chosen or ((self._roots[chosen] - self._roots[i]) ** 2).sum(axis=1).min() > apart:
                chosen.append(int(i))
                if len(chosen) == climbed:
                    break
        posteriors, gain = climb(law, beta, log_shares, np.concatenate([self.posteriors[chosen], found.posteriors[:_HEAVIEST]]), cycles)
        return posteriors[gain > 1e-3 * gain.max()], float(gain.max())

    def excess(self, law: Law, beta: float, log_shares: np.ndarray) -> np.ndarray:
        """[X] how far log z_x must rise: the log gain of the starts, less half of beta KL(w_x || q); 0 where there is none."""
        terms = -0.5 * beta * self._divergence
        terms += log_gain(beta, log_shares, self._divergence)
        return np.maximum(terms.max(axis=1), 0.0)


def solve(law: Law, beta: float, clusters: tuple[np.ndarray, np.ndarray], starts: Starts, tolerance: float) -> tuple[Mixture, float]:
    """(the best mixture found, its largest log gain) from `clusters` (weights [T], posteriors [T, Y]).

    New clusters come in from `starts` while one promises a gain above `tolerance` and the last ones won something.
    """
    (weights, posteriors), before = clusters, np.inf
    for _ in range(_ROUNDS):
        weights = _weighted(law, beta, weights, posteriors, before)
        found = _accelerated(law, beta, *_joined(beta, weights, posteriors, _EQUAL), tolerance)
        missing, gain = starts.best(law, found)
        if gain <= tolerance or before - found.objective < 0.05 * tolerance:
            break
        before = found.objective
        weights = np.append(0.9 * found.weights, np.full(len(missing), 0.1 / len(missing)))
        posteriors = np.concatenate([found.posteriors, missing])
    fewer = _joined(beta, found.weights, found.posteriors, _ALIKE)
    if len(fewer[0]) < 0.8 * len(found.weights):
        trial = _accelerated(law, beta, *fewer, tolerance)
        if trial.objective < found.objective + 0.05 * tolerance and (left := starts.best(law, trial)[1]) < max(gain, tolerance):
            return trial, left
    return found, gain


def levelled(law: Law, found: Mixture, starts: Starts, cycles: int = 8) -> Mixture:
    """`found` with larger z where a start has a gain: for the dual only, which holds for any z and pays sum_x p_x log z_x.

    A rare x far from every cluster hardly moves G and yet leaves a large gain near it; raising z there costs as little.
    """
    log_z = found.log_z
    for _ in range(cycles):
        raised = starts.excess(law, found.beta, np.log(law.p) - log_z)
        if not raised.any():
            break
        log_z = log_z + raised
    return Mixture(found.beta, found.weights, found.posteriors, log_z, -float(law.p @ log_z))


def _weighted(law: Law, beta: float, weights: np.ndarray, posteriors: np.ndarray, aim: float) -> np.ndarray:
    """Weights after EM steps with the clusters held: at least 10, and on until G falls below `aim`: then moving them cannot fall back."""
    kernel, shift = _kernel(law, beta, posteriors)
    for step in range(300):
        z = np.maximum(kernel @ weights, _FLOOR)
        if step >= 10 and -float(law.p @ (np.log(z) + shift)) < aim:
            break
        weights = weights * ((law.p / z) @ kernel)
    return weights


def _joined(beta: float, weights: np.ndarray, posteriors: np.ndarray, alike: float) -> tuple[np.ndarray, np.ndarray]:
    """Clusters with beta (squared Hellinger distance) below `alike` as one, those without weight left out; heaviest first."""
    roots = np.sqrt(posteriors)
    near = 2.0 - 2.0 * (roots @ roots.T) < alike / beta
    into, heaviest = np.arange(len(weights)), np.argsort(-weights, kind="stable")
    free = weights >= _DROPPED
    for i in heaviest[: int(free.sum())].tolist():
        if free[i]:
            mine = near[i] & free
            into[mine] = i
            free[mine] = False
            free[i], into[i] = False, i
    kept = [i for i in heaviest.tolist() if into[i] == i and weights[i] >= _DROPPED]
    owner = (into[:, None] == kept) * np.where(weights >= _DROPPED, weights, 0.0)[:, None]
    mass = owner.sum(axis=0)
    return mass / mass.sum(), (owner.T @ posteriors) / mass[:, None]


def _kernel(law: Law, beta: float, posteriors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """exp(-beta KL - shift) [X, T] and shift [X], by which the largest entry of a row is 1."""
    exponent: np.ndarray = law.w @ (beta * np.log(np.maximum(posteriors, _FLOOR))).T
    largest = exponent.max(axis=1)
    exponent -= largest[:, None]
    return _exp(exponent), np.minimum(largest + beta * law.entropy, 0.0)


def _accelerated(law: Law, beta: float, weights: np.ndarray, posteriors: np.ndarray, tolerance: float) -> Mixture:
    """The EM fixed point from here by Anderson's extrapolation of log weights and log posteriors, which falls back where G would rise."""
    history = _History(weights.size + posteriors.size)
    plain: tuple[np.ndarray, np.ndarray] | None = None
    best, since = Mixture(beta, weights, posteriors, law.p, np.inf), 0
    for _ in range(_STEPS):
        kernel, shift = _kernel(law, beta, posteriors)
        z = np.maximum(kernel @ weights, _FLOOR)
        log_z = np.log(z) + shift
        objective = -float(law.p @ log_z)
        if plain is not None and not objective <= best.objective + 1e-14:
            (weights, posteriors), plain = plain, None
            history.forget()
            continue
        since = since + 1 if best.objective - objective < 1e-3 * tolerance else 0
        best = Mixture(beta, weights, posteriors, log_z, objective)
        share = law.p / z
        raised = kernel.T @ share  # by which each weight grows
        mass = np.maximum(weights * raised, _FLOOR)
        plain = (mass, (kernel.T @ (share[:, None] * law.w)) / np.maximum(raised, _FLOOR)[:, None])
        moved = mass[:, None] * plain[1]
        metric = np.concatenate([mass, moved.ravel()])
        point, change = _packed(weights, posteriors), _packed(*plain)
        change -= point
        if since >= _STAGNANT or metric @ change**2 < 1e-17:
            break
        following = history.extrapolated(point, change, metric)
        weights, posteriors = plain if following is None else _unpacked(following, posteriors.shape)
    return best


class _History:
    """The last points and their changes under a fixed-point map, for Anderson's extrapolation."""

    def __init__(self, size: int) -> None:
        self._bends, self._steps = np.empty((_MEMORY, size)), np.empty((_MEMORY, size))
        self.forget()

    def forget(self) -> None:
        self._count = 0
        self._last: tuple[np.ndarray, np.ndarray] | None = None

    def extrapolated(self, point: np.ndarray, change: np.ndarray, metric: np.ndarray) -> np.ndarray | None:
        """Where the changes of the last points combine to least, in squares weighted by `metric`; None for a first point."""
        last, self._last = self._last, (point, change)
        if last is None:
            return None
        row = self._count % _MEMORY
        np.subtract(change, last[1], out=self._bends[row])
        np.subtract(point, last[0], out=self._steps[row])
        self._steps[row] += self._bends[row]
        self._count += 1
        bends, steps = self._bends[: self._count], self._steps[: self._count]
        weighted = bends * metric
        gram = weighted @ bends.T
        scale = 1.0 / np.sqrt(np.maximum(gram.diagonal(), _FLOOR))
        gram *= scale * scale[:, None]
        gram.flat[:: len(gram) + 1] += _RIDGE
        theta = scale * np.linalg.solve(gram, scale * (weighted @ change))
        return np.asarray(point + change - theta @ steps)


def _packed(weights: np.ndarray, posteriors: np.ndarray) -> np.ndarray:
    packed = np.concatenate([weights, posteriors.ravel()])
    np.maximum(packed, 1e-30, out=packed)
    return np.asarray(np.log(packed, out=packed))


def _unpacked(packed: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    values = np.exp(np.minimum(packed, 300.0))
    weights, posteriors = values[: shape[0]], values[shape[0] :].reshape(shape)
    return weights / weights.sum(), posteriors / np.maximum(posteriors.sum(axis=1, keepdims=True), _FLOOR)
