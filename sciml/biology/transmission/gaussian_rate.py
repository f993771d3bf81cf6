"""The information rate of two traces in linear noise: by Kalman filters that see reactions, or from spectra of the counts.

Reactions: dz = J z dt + sum_r v_r sqrt(a_r) dW_r, and whoever watches a species sees dY_g = H_g z dt + sqrt(A_g) dW_g for each kind g of
change of it. With P the covariance of z given the past of Y (Riccati), the log-likelihoods of the traces grow such that
rate = (1/2) [tr H P_x H^T / A + tr H P_s H^T / A - tr H P_sx H^T / A], each over its own kinds (Duncan, SIAM J. Appl. Math. 19 (1970) 215):
the same three terms as in path weights, ln p(s, x) - ln p(s) - ln p(x), so hidden species and feedback are counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad_vec
from scipy.linalg import expm, null_space, orth, solve_continuous_are

from sciml.biology.simulation.linear_noise import StationaryNoise
from sciml.biology.transmission.linear_rates import LinearRates
from sciml.biology.transmission.observation import Observation, observe
from sciml.errors import ConvergenceError

__all__ = ["LinearFilter", "reaction_information", "relaxation_time", "signal_to_noise", "spectral_rate"]

_BEYOND = 1e5  # frequencies, beyond the fastest and below the slowest relaxation
_EQUAL = 1e-9


@dataclass(frozen=True)
class LinearFilter:
    """d P / dt = A P + P A^T + Q - P S P for the covariance P [d, d] of what an observation leaves unknown, from P = 0.

    `open_loop` [d, d] is the relaxation of the unknown itself. Where d = 0 what is seen determines everything.
    """

    drift: np.ndarray
    noise: np.ndarray
    gain: np.ndarray
    open_loop: np.ndarray

    @classmethod
    def of(cls, noise: StationaryNoise, observation: Observation) -> LinearFilter:
        """The filter at the steady state of a network; kinds of changes that do not happen there are left out."""
        rates, slopes = LinearRates(noise.model).at(noise.state_mean[0])
        matter, inside = list(observation.channels), [*observation.watched, *observation.hidden]
        changes = np.zeros((len(matter), slopes.shape[1]))
        changes[:, inside] = noise.model.changes[matter][:, inside]
        basis = orth(changes.T)
        unknown = basis @ null_space(basis[list(observation.watched)])
        if observation.certain:
            unknown = unknown[:, :0]
        groups = [list(members) for members in observation.members if rates[list(members)].sum() > 0]
        along = noise.model.changes @ unknown  # [R, d]
        seen = np.array([slopes[g].sum(axis=0) @ unknown for g in groups]).reshape(len(groups), unknown.shape[1])
        strength = np.array([rates[g].sum() for g in groups])
        shared = np.array([rates[g] @ along[g] for g in groups]).reshape(seen.shape) / strength[:, None]
        jacobian = along[matter].T @ slopes[matter] @ unknown
        diffusion = (along[matter].T * rates[matter]) @ along[matter]
        return cls(
            drift=jacobian - shared.T @ seen,
            noise=diffusion - (shared.T * strength) @ shared,
            gain=(seen.T / strength) @ seen,
            open_loop=jacobian,
        )

    def rate(self) -> float:
        """(1/2) tr S P at rest, in nats per time. Raises ConvergenceError where P comes to no rest."""
        if not self.gain.any():
            return 0.0
        try:
            root = _root(self.gain)
            p = solve_continuous_are(self.drift.T, root, self.noise, np.eye(root.shape[1]))
        except np.linalg.LinAlgError as error:
            raise ConvergenceError(f"the Kalman filter of the trace comes to no rest: {error}") from error
        return 0.5 * float(np.sum(self.gain * p))

    def course(self, times: np.ndarray) -> np.ndarray:
        """[K]: int_0^t (1/2) tr S P in nats at ascending times: (X, Y) flows linearly, P = Y / X and d ln det X / dt = tr (S P - A)."""
        size = len(self.drift)
        found = np.zeros(len(times))
        if not size:
            return found
        flow = np.block([[-self.drift.T, self.gain], [self.noise, self.drift]])
        p: np.ndarray = np.zeros((size, size))
        now, sum_, step, lasting = 0.0, 0.0, np.eye(2 * size), 0.0
        for k, t in enumerate(times):
            if t - now != lasting:
                lasting = t - now
                step = expm(flow * lasting)
            x, y = step[:size, :size] + step[:size, size:] @ p, step[size:, :size] + step[size:, size:] @ p
            sum_ += 0.5 * (float(np.linalg.slogdet(x)[1]) + lasting * float(np.trace(self.drift)))
            p = np.linalg.solve(x.T, y.T).T
            p, now = 0.5 * (p + p.T), t
            found[k] = sum_
        return found


def reaction_information(noise: StationaryNoise, states: tuple[int, int], times: np.ndarray) -> tuple[float, np.ndarray]:
    """(rate in nats per time, information [K] in nats of traces up to the times, given the whole state at 0) of dose and read-out."""
    joint, *parts = (LinearFilter.of(noise, observe(noise.model, watched)) for watched in (states, states[:1], states[1:]))
    rate = sum(part.rate() for part in parts) - joint.rate()
    course = sum((part.course(times) for part in parts), np.zeros(len(times))) - joint.course(times)
    return rate, course


def spectral_rate(noise: StationaryNoise, states: tuple[int, int]) -> float:
    """-(1 / 4 pi) int ln(1 - |S_sx|^2 / (S_ss S_xx)) dw in nats per time, S the spectra of the counts of dose and read-out.

    Source: Tostevin and ten Wolde, Phys. Rev. Lett. 102 (2009) 218101. Raises ConvergenceError where one count determines the other.
    """
    basis = orth(noise.model.changes.T.astype(float))
    jacobian, diffusion = basis.T @ noise.jacobian @ basis, basis.T @ noise.diffusion @ basis
    rows = basis[list(states)]
    speeds = np.abs(np.linalg.eigvals(jacobian))

    def density(log: float) -> float:
        w = float(np.exp(log))
        gain = rows @ np.linalg.inv(1j * w * np.eye(len(jacobian)) - jacobian)
        spectra = gain @ diffusion @ gain.conj().T
        dose, readout = float(spectra[0, 0].real), float(spectra[1, 1].real)
        if dose <= 0 or readout <= 0:
            return 0.0
        coherence = abs(spectra[0, 1]) ** 2 / (dose * readout)
        if coherence > 1 - _EQUAL:
            raise ConvergenceError(f"{noise.model.name}: in linear noise one count determines the other, which has no bound in bits")
        return -float(np.log1p(-coherence)) * w

    low, high = np.log(speeds.min() / _BEYOND), np.log(speeds.max() * _BEYOND)
    inner = quad_vec(density, low, high, epsrel=1e-9, epsabs=1e-12 * speeds.max(), points=np.log(speeds), limit=10_000)[0]
    return (inner + density(low) + density(high)) / (2 * np.pi)  # the ends: constant below, falling as w^-2 above


def relaxation_time(noise: StationaryNoise, states: tuple[int, int]) -> float:
    """The slowest time at which what a trace of the read-out leaves unknown relaxes by itself; inf where nothing is unknown."""
    open_loop = LinearFilter.of(noise, observe(noise.model, states[1:])).open_loop
    speeds = -np.linalg.eigvals(open_loop).real
    return float(1.0 / speeds[speeds > _EQUAL * np.abs(speeds).max()].min(initial=np.inf)) if len(speeds) else float("inf")


def signal_to_noise(noise: StationaryNoise, states: tuple[int, int]) -> float:
    """sum_g Var(a_g) / A_g of the changes of the read-out: how fast, per time, its trace tells what is not seen apart."""
    observation = observe(noise.model, states[1:])
    rates, slopes = LinearRates(noise.model).at(noise.state_mean[0])
    inside = list(observation.hidden)
    covariance = noise.state_covariance[0][np.ix_(inside, inside)]
    found = 0.0
    for members in observation.members:
        slope, strength = slopes[list(members)].sum(axis=0)[inside], rates[list(members)].sum()
        found += float(slope @ covariance @ slope / strength) if strength > 0 else 0.0
    return found


def _root(matrix: np.ndarray) -> np.ndarray:
    """B [d, k] with B B^T = a matrix that is positive semi-definite."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > values.max() * 1e-14
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))
