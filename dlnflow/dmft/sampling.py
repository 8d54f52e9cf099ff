"""Quasi-random samples of what is random in the effective process: the teacher weight w*, u(0), v(0) and the modes of ζ.

Scrambled Sobol points through the normal quantile (A. B. Owen, Ann. Statist. 25, 1997), one stratum for each kind of
teacher weight, with second moments matched exactly. A problem may be symmetric under (w*, ζ, w) → −(w*, ζ, w): a stratum then
stands for its mirror image too, and only even averages are taken over it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from dlnflow.dmft.paths import LANES
from dlnflow.problem import BernoulliGaussTarget, DiscreteTarget, GaussianScale, GaussianTarget, PairScale, Problem
from dlnflow.solution import Array

BINS = 32
MOST_CROWDED = 3.0


@dataclass(frozen=True)
class Sample:
    """P weighted draws in blocks of LANES, each block from one stratum.

    `weights` (P,) sum to 1, `target` (P,) is w*, `modes` (D, P) are standard normal, `scale` (P,) is log(u(0) v(0)), `origin` (P,) is
    H(0) = log(v(0)/u(0))/2; `strata` (P / LANES,) numbers the stratum of each block, in the order of `strata(problem)`.
    """

    weights: Array
    target: Array
    modes: Array
    scale: Array
    origin: Array
    strata: NDArray[np.int64]

    @property
    def initial(self) -> Array:
        """w(0), shape (P,)."""
        return -np.exp(self.scale) * np.sinh(2 * self.origin)

    def stratum(self, k: int) -> NDArray[np.int64]:
        """The indices of the paths of stratum k."""
        return np.flatnonzero(np.repeat(self.strata == k, LANES))


@dataclass(frozen=True)
class Stratum:
    """Teacher weights `center` + `std` z, of total `probability`; with `side` = ±1 only those of that sign."""

    probability: float
    center: float
    std: float
    side: int = 0

    @property
    def is_normal(self) -> bool:
        """Whether z is a standard normal coordinate like the modes."""
        return self.std > 0 and not self.side


@dataclass(frozen=True)
class Aim:
    """How the points of one stratum are spent where they matter.

    `axes` (D, D) is orthogonal: its first column is the direction in the space of (modes, z) along which paths differ most, and gets the
    most even coordinate of the Sobol points. `crowding` (BINS,) is the relative density of points in equally likely bins along it.
    """

    axes: Array
    crowding: Array


def strata(problem: Problem) -> list[Stratum]:
    """The kinds of teacher weight of a problem."""
    match problem.target:
        case GaussianTarget(std=std):
            return _gaussian(problem, 1.0, std)
        case BernoulliGaussTarget(density=density, std=std):
            zero = [Stratum(1 - density, 0.0, 0.0)] if density < 1 else []
            return [*zero, *_gaussian(problem, density, std)]
        case DiscreteTarget(atoms=atoms, probabilities=probabilities):
            return [Stratum(p, atom, 0.0) for p, atom in zip(probabilities, atoms, strict=True)]


def _gaussian(problem: Problem, probability: float, std: float) -> list[Stratum]:
    if problem.is_symmetric:
        return [Stratum(probability, 0.0, std)]
    return [Stratum(probability / 2, 0.0, std, side) for side in (-1, 1)]


def draw(problem: Problem, paths: int, modes: int, seed: np.random.SeedSequence, aims: list[Aim] | None = None) -> Sample:
    """About `paths` draws of `modes` modes from an independent scramble; every stratum gets the same power of two of them."""
    kinds = strata(problem)
    share = 2 ** max(int(np.log2(LANES)), round(np.log2(paths / len(kinds))))
    parts = [
        _draw_stratum(problem, kind, share, modes, child, aims[k] if aims else None)
        for k, (kind, child) in enumerate(zip(kinds, seed.spawn(len(kinds)), strict=True))
    ]
    weights, target, normal, scale, origin = (np.concatenate([part[i] for part in parts], axis=-1) for i in range(5))
    return Sample(weights, target, normal, scale, origin, np.repeat(np.arange(len(kinds)), share // LANES))


def _draw_stratum(
    problem: Problem, kind: Stratum, count: int, modes: int, seed: np.random.SeedSequence, aim: Aim | None
) -> tuple[Array, ...]:
    size = modes + kind.is_normal
    extra = bool(kind.side) + 2 * isinstance(problem.initial_scale, GaussianScale)
    sobol = qmc.Sobol(size + extra, scramble=True, rng=np.random.default_rng(seed))
    uniform = np.clip(sobol.random(count).T, 1e-15, 1 - 1e-15, order="C")
    weights = np.full(count, 1.0 / count)
    if aim:
        uniform[0], weights = _crowd(uniform[0], aim.crowding)
    axes = aim.axes if aim else np.roll(np.eye(size), -int(kind.is_normal), axis=0)
    normal = _match_moments(ndtri(uniform[:size], out=uniform[:size]), weights, axes)
    others = uniform[size:]
    z = np.zeros(count)
    if kind.is_normal:
        z = normal[-1]
    elif kind.side:
        z = ndtri((others[0] + (kind.side > 0)) / 2)
        z /= np.sqrt(weights @ z**2)
    log_u, log_v = _initial(problem, others[bool(kind.side) :], weights)
    return kind.probability * weights, kind.center + kind.std * z, normal[:modes], log_u + log_v, (log_v - log_u) / 2


def _crowd(uniform: Array, crowding: Array) -> tuple[Array, Array]:
    """Points of density `crowding` in place of `uniform` (P,) ones, and the weights that make up for it."""
    share = np.cumsum(np.append(0.0, crowding)) / crowding.sum()
    moved = np.interp(uniform, share, np.linspace(0, 1, len(share)))
    weights = 1 / crowding[np.minimum((moved * BINS).astype(int), BINS - 1)]
    return np.clip(moved, 1e-15, 1 - 1e-15), weights / weights.sum()


def _initial(problem: Problem, uniform: Array, weights: Array) -> tuple[Array, Array]:
    """log |u(0)| and log |v(0)|, each (P,)."""
    count = len(weights)
    match problem.initial_scale:
        case GaussianScale(std=std):
            normal = ndtri(uniform)
            log_u, log_v = np.log(std * np.abs(normal / np.sqrt(normal**2 @ weights)[:, None]))
            return log_u, log_v
        case PairScale(u=u, v=v):
            return np.full(count, np.log(u)), np.full(count, np.log(v))
        case a:
            return np.full(count, np.log(a)), np.full(count, np.log(a))


def _match_moments(normal: Array, weights: Array, axes: Array) -> Array:
    """`axes` (D, D) times draws (D, P) that are rescaled so that as many leading rows as the sample can carry have exact moments."""
    rows = min(len(normal), normal.shape[1] // 4)
    head = normal[:rows]
    mean = head @ weights
    factor = np.linalg.cholesky((head * weights) @ head.T - np.outer(mean, mean))
    scale, turned = np.linalg.inv(factor), axes.copy()
    turned[:, :rows] = axes[:, :rows] @ scale
    found = turned @ normal
    found -= (turned[:, :rows] @ mean)[:, None]
    return found


def aim_at(problem: Problem, sample: Sample, rank: int, error: Array, residual: Array) -> list[Aim]:
    """Where points matter: from e (N, P) and the memory R_r e (N, P) of `sample`, whose first `rank` modes are used.

    Axes are the right singular vectors of the regression of e on the normal coordinates, each time weighted alike; the crowding
    makes every bin contribute alike to the variance of e² and (R_r e)².
    """
    aims = []
    for k, kind in enumerate(strata(problem)):
        here = sample.stratum(k)
        weights = sample.weights[here] / sample.weights[here].sum()
        normal = sample.modes[:rank, here]
        if kind.is_normal:
            normal = np.concatenate([normal, (sample.target[None, here] - kind.center) / kind.std])
        scaled = [_unit(rows[:, here], weights) for rows in (error, residual)]
        axes = np.linalg.svd((scaled[0] * weights) @ normal.T, full_matrices=True)[2].T
        aims.append(Aim(axes, _crowding(ndtr(axes[:, 0] @ normal), weights, scaled, problem.is_symmetric)))
    return aims


def _unit(rows: Array, weights: Array) -> Array:
    """Rows (N, P) with second moment one."""
    moment = np.sqrt(rows**2 @ weights)[:, None]
    return np.divide(rows, moment, out=np.zeros_like(rows), where=moment > 0)


def _crowding(place: Array, weights: Array, scaled: list[Array], symmetric: bool) -> Array:
    bins = np.minimum((place * BINS).astype(int), BINS - 1)
    fourth = weights * sum(np.mean(rows**4, axis=0) for rows in scaled)
    found = np.sqrt(np.bincount(bins, fourth, BINS) / np.maximum(np.bincount(bins, weights, BINS), 1e-12))
    if symmetric:
        found = (found + found[::-1]) / 2
    found = np.clip(found / found.mean(), 1 / MOST_CROWDED, MOST_CROWDED)
    return found / found.mean()
