"""Quasi-random samples of what is random in the effective process: the teacher weight w*, u(0), v(0) and the modes of ζ.

Scrambled Sobol points through the normal quantile (A. B. Owen, Ann. Statist. 25, 1997), one stratum for each kind of
teacher weight, with second moments matched exactly. A problem may be symmetric under (w*, ζ, w) → −(w*, ζ, w): a stratum then
stands for its mirror image too, and only even averages are taken over it.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import qmc

from dlnflow.dmft.averages import Observed
from dlnflow.model import Pool, Problem
from dlnflow.native import dmft as native
from dlnflow.solution import Array

CURVED = 0.25  # power of the unexplained share of a time's variance by which it counts in the choice of axes
SPREAD = (1.8, 1.5, 1.2)  # variances of the first coordinates where points are aimed: rare large weights matter most, and early
WIDE = (3.5, 1.5, 1.2)  # the same of many points whose teacher is one of these coordinates
LINE = 16  # of many points, in rows along the first axis
FEWEST_LINES = 256  # of a stratum
TOGETHER = 8  # coordinates of Sobol points are drawn in such numbers, so that modes that come or go leave the others as they are
MOST_KEPT = 1024  # points of a draw that is kept for the next solve: scrambles are a fifth of a quick one
EVEN = 64  # modes that are Sobol points; later ones are plain draws, opposite for neighbours


BLOCK: int = native.BLOCK  # paths side by side that belong to one stratum


@dataclass(frozen=True)
class Sample:
    """P weighted draws in blocks of BLOCK, each block from one stratum.

    `weights` (P,) sum to 1, `target` (P,) is w*, `modes` (D, P) are standard normal, `scale` (P,) is log(u(0) v(0)), `origin` (P,) is
    log(v(0)/u(0))/2, `root` (P,) is √c; `strata` (P / BLOCK,) numbers the stratum of each block, in the order of `problem.pools`, and
    `part` (P,) that of each path in `problem.parts`.
    Where `folded`, a path stands for its mirror image too. The network has the `depth` L; a weight counts as one of the support where it
    is beyond the `threshold`.
    """

    weights: Array
    target: Array
    modes: Array
    scale: Array
    origin: Array
    root: Array
    strata: NDArray[np.int64]
    part: NDArray[np.intp]
    folded: bool
    depth: float
    threshold: float

    @cached_property
    def start(self) -> tuple[Array, Array]:
        """The scale of each path's map and H(0), (P,) each."""
        if self.depth == 2:
            return self.scale, self.origin
        power = np.exp((2 - self.depth) * (self.scale / 2 + np.outer([-1, 1], self.origin)))  # u(0)^(2−L) and v(0)^(2−L)
        return power.mean(axis=0), (power[0] - power[1]) / (2 * (self.depth - 2))

    @cached_property
    def paths(self) -> native.Paths:
        """What the compiled loops read of the sample."""
        return native.Paths(
            modes=self.modes,
            target=self.target,
            scale=self.start[0],
            root=self.root,
            origin=self.start[1],
            weights=self.weights,
            strata=self.strata,
            folded=self.folded,
            depth=self.depth,
            threshold=self.threshold,
        )

    def weigh(self, decay: Array, heights: Array) -> tuple[Array, Array]:
        """w and the slope k, (N, P) each, of the paths with H = `heights` (N, P) where log(u v) has moved by the `decay` (N,)."""
        return native.weigh(self.paths, decay=decay, heights=np.ascontiguousarray(heights))

    @cached_property
    def uneven(self) -> Array:
        """E[z zᵀ] − 1, (D, D): where there are many modes, their moments are not exact."""
        return (self.modes * self.weights) @ self.modes.T - np.eye(len(self.modes))

    @cached_property
    def initial(self) -> tuple[Array, Array]:
        """w(0) and k(0), (P,) each."""
        w, slope = self.weigh(np.zeros(1), self.start[1][None])
        return w[0], slope[0]

    @cached_property
    def observed(self) -> Observed:
        """The averages at t = 0 by stratum, (S, 1) each."""
        w, slope = self.initial
        layers = native.layers(self.paths, decay=np.zeros(1), heights=self.start[1][None])  # u² + v², u² − v² and log |u v|
        is_found, is_wanted = np.abs(w) > self.threshold, self.target != 0
        support, nothing = [is_wanted & ~is_found, is_found & ~is_wanted], np.zeros_like(w)
        error, rate = w - self.target, self.root**2 * slope
        by_name = [w * self.target, np.abs(w), rate, w, error**2, *(row[0] for row in layers), nothing, nothing, *support]
        rows, kinds = np.stack(by_name), [self.stratum(k) for k in range(self.strata.max() + 1)]
        return Observed(np.stack([rows[:, kind] @ self.weights[kind] for kind in kinds])[:, :, None])

    @property
    def initial_error(self) -> Array:
        """√c (w(0) − w*), (P,)."""
        return self.root * (self.initial[0] - self.target)

    def stratum(self, k: int) -> NDArray[np.int64]:
        """The indices of the paths of stratum k."""
        return np.flatnonzero(np.repeat(self.strata == k, BLOCK))

    def chosen(self, blocks: NDArray[np.int64]) -> "Sample":
        """The paths with the indices `blocks` (blocks, BLOCK), each block from one stratum."""
        paths, strata = blocks.ravel(), self.strata[blocks[:, 0] // BLOCK]
        modes = np.take(self.modes, paths, axis=1)  # row after row
        names = ("weights", "target", "scale", "origin", "root", "part")
        return replace(self, modes=modes, strata=strata, **{name: getattr(self, name)[paths] for name in names})


def draw(
    problem: Problem,
    paths: int,
    modes: int,
    seed: np.random.SeedSequence,
    aims: list[Array] | None = None,
    many: bool = False,
    apart: bool = False,
) -> Sample:
    """About `paths` draws of `modes` modes from an independent scramble; every stratum gets the same power of two of them.

    `aims` are the axes (D, D) of each stratum, see `aim_at`. Where there are `many` draws for the accuracy that is wanted, since weights
    jump where a plane is crossed, points of strata with one teacher weight stand in evenly spaced rows along the first axis.
    A stratum is a pool of parts of the population, of which each gets points for what it weighs; `apart`, each gets the same ones.
    """
    pools = problem.pools
    count = len(problem.parts) if apart else len(pools)
    least = BLOCK if apart else max(BLOCK, *(2 * len(pool.parts) for pool in pools))
    share = 2 ** max(int(np.ceil(np.log2(least))), round(np.log2(paths / count)))
    drawn = [
        _draw_pool(pool, share, modes, child, aims[k] if aims else None, many, apart)
        for k, (pool, child) in enumerate(zip(pools, seed.spawn(len(pools)), strict=True))
    ]
    weights, target, normal, scale, origin, root, part = (np.concatenate(each, axis=-1) for each in zip(*drawn, strict=True))
    strata = np.repeat(np.arange(len(pools)), [len(each[0]) // BLOCK for each in drawn])
    folded, depth, threshold = problem.is_symmetric, problem.depth, problem.support_threshold
    return Sample(weights, target, normal, scale, origin, root, strata, part, folded, depth, threshold)


def _draw_pool(
    pool: Pool, count: int, modes: int, seed: np.random.SeedSequence, aim: Array | None, many: bool, apart: bool
) -> tuple[NDArray[Any], ...]:
    """Weights, w*, modes, scale, origin, √c and part of `count` points of a pool, or `apart` of so many of each of its parts."""
    kind, chosen = pool.kind, len(pool.parts) > 1 and not apart
    own, start, size = kind.coordinates, pool.initial.coordinates, modes + kind.is_normal
    even = min(size, EVEN)
    line = max(1, min(LINE, count // FEWEST_LINES)) if many and kind.is_constant else 1
    points = np.repeat(_sobol(even + own + start + chosen, count // line, seed), line, axis=0)
    member = np.repeat(_members(points[::line, -1], _shares(pool)), line) if chosen else np.zeros(count, np.intp)
    points[:, 0] = (points[:, 0] + np.arange(count) % line / line) % 1.0
    uniform = np.clip(points.T, 1e-15, 1 - 1e-15, order="C")
    told, weights = kind.place(uniform[even : even + own])
    normal = ndtri(uniform[:even], out=uniform[:even])
    if size > even:
        plain = _opposed(points[::line], size - even, np.random.default_rng(seed.spawn(1)[0]))
        normal = np.concatenate([normal, np.repeat(plain, line, axis=1)])
    axes = np.roll(np.eye(size), -int(kind.is_normal), axis=0)
    if aim is not None:
        axes, weights = aim, _spread(normal, WIDE if many and kind.is_normal else SPREAD) * weights
    weights /= weights.sum()
    lines = count // line
    if size > even:
        lines = max(lines // 2, min(lines, 4 * EVEN))  # of opposite draws, half tell of second moments
    normal = _match_moments(normal, weights, axes, lines)
    unit = kind.unit(normal[-1] if kind.is_normal else told, weights)
    log_start = np.stack(pool.initial.logarithms(uniform[even + own : even + own + start], weights))
    normal = normal[:modes]
    if chosen:
        weights *= (pool.probability / np.bincount(member))[member]
        weights *= _balance(weights, pool, member, pool.probability)
        square = pool.size**2
        unit *= np.sqrt(_balance(weights * square[member] * unit**2, pool, member, square * pool.probability))
    else:
        member = np.repeat(np.arange(len(pool.parts)), count)
        weights, unit, normal, log_start = (np.tile(x, len(pool.parts)) for x in (weights, unit, normal, log_start))
        weights = pool.probability[member] * weights
    log_u, log_v = log_start + (pool.log_sizes - pool.log_sizes[:, :1])[:, member]
    target, root = pool.size[member] * unit, np.sqrt(pool.variance)[member]
    return weights, target, normal, log_u + log_v, (log_v - log_u) / 2, root, pool.numbers[member]


def _sobol(coordinates: int, count: int, seed: np.random.SeedSequence) -> Array:
    """Scrambled Sobol points, (count, coordinates); a few are kept, since solves of like problems from one seed have the same ones."""
    width = -(-coordinates // TOGETHER) * TOGETHER
    made = _kept if count <= MOST_KEPT else _drawn
    return made(width, count, seed.entropy, seed.spawn_key)[:, :coordinates]


def _drawn(width: int, count: int, entropy: Any, key: tuple[int, ...]) -> Array:
    seed = np.random.SeedSequence(entropy, spawn_key=key)
    return np.asarray(qmc.Sobol(width, scramble=True, rng=np.random.default_rng(seed)).random(count))


_kept = lru_cache(maxsize=64)(_drawn)


def _opposed(points: Array, rows: int, rng: np.random.Generator) -> Array:
    """Normal draws (rows, P) that are opposite for two neighbours among `points` (P, D): what averages owe to them linearly cancels.

    Neighbours are near in the first two coordinates, which tell paths apart most. P is a power of two.
    """
    count = len(points)
    strips = 2 ** (int(np.log2(count)) // 2)
    strip = np.argsort(np.argsort(points[:, 0])) * strips // count
    pairs = np.lexsort((points[:, 1], strip))
    half = rng.standard_normal((rows, count // 2))
    drawn = np.empty((rows, count))
    drawn[:, pairs[::2]], drawn[:, pairs[1::2]] = half, -half
    return drawn


def _shares(pool: Pool) -> Array:
    """The share of the points that each part of a pool gets, (G,): half for its probability, half for what it has of C_e as well."""
    counts = pool.variance * (pool.size**2 + np.exp(pool.log_sizes.sum(axis=0)))
    shares = pool.probability / pool.probability.sum()
    return shares * (1 + counts / (shares @ counts)) / 2


def _members(x: Array, shares: Array) -> NDArray[np.intp]:
    """The parts of points, (P,), with `shares` (G,) of them and at least one each, in the order of their coordinate `x` (P,)."""
    count = len(x)
    ends = np.rint(np.cumsum(shares) * (count - len(shares))).astype(np.intp) + np.arange(1, len(shares) + 1)
    member = np.empty(count, np.intp)
    member[np.argsort(x)] = np.searchsorted(ends, np.arange(count), side="right")
    return member


def _balance(amounts: Array, pool: Pool, member: NDArray[np.intp], wanted: Array) -> Array:
    """Factors (P,) that give `amounts` (P,) of points the sums over the pool of `wanted` (G,), plain and with the weight c.

    They are linear in c, but not below zero.
    """
    powers = (pool.variance / pool.variance.max()) ** np.arange(3)[:, None]
    found = powers[:, member] @ amounts
    factors = np.linalg.lstsq(found[[[0, 1], [1, 2]]], powers[:2] @ wanted, rcond=1e-9)[0]
    return np.maximum(factors @ powers[:2, member], 0.0)


def _spread(normal: Array, variances: tuple[float, ...]) -> Array:
    """Give the first rows of `normal` (D, P) the `variances`, and return the weights (P,) up to a factor that make up for it."""
    exponent = np.zeros(normal.shape[1])
    for row, variance in zip(normal, variances, strict=False):
        row *= variance**0.5
        exponent += row**2 * (1 / variance - 1) / 2
    return np.exp(exponent)


def _match_moments(normal: Array, weights: Array, axes: Array, lines: int) -> Array:
    """`axes` (D, D) times draws (D, P) that are rescaled so that as many leading rows as so many `lines` can carry have exact moments."""
    rows = min(len(normal), lines // 4)
    head = normal[:rows]
    mean = head @ weights
    factor = np.linalg.cholesky((head * weights) @ head.T - np.outer(mean, mean))
    scale, turned = np.linalg.inv(factor), axes.copy()
    turned[:, :rows] = axes[:, :rows] @ scale
    found = turned @ normal
    found -= (turned[:, :rows] @ mean)[:, None]
    return found


def aim_at(problem: Problem, sample: Sample, rank: int, error: Array) -> list[Array]:
    """Where points matter, from √c e (N, P) of `sample`, whose first `rank` modes are used: orthogonal axes (D, D) for each stratum.

    Modes beyond these come last, as they are.
    The first column is the direction in the space of (modes, z) along which paths differ most, and gets the most even coordinate of the
    Sobol points. Axes are the right singular vectors of the regressions of w and of e on the normal coordinates. The times count by
    what such a regression leaves over, to the power CURVED: of what is linear, moments are exact wherever the points lie.
    """
    aims = []
    for k, pool in enumerate(problem.pools):
        here, kind = sample.stratum(k), pool.kind
        weights = sample.weights[here] / sample.weights[here].sum()
        target, member = sample.target[here], np.searchsorted(pool.numbers, sample.part[here])
        normal = np.concatenate([sample.modes[:rank, here], *([target[None] / pool.size[member]] if kind.is_normal else [])])
        e = error[:, here]
        slopes = [_slopes(rows, normal, weights) for rows in ([e + sample.root[here] * target, e] if kind.is_normal else [e])]
        size = len(sample.modes) + kind.is_normal
        used = np.r_[:rank, len(sample.modes) : size]
        axes = np.zeros((size, size))
        axes[np.ix_(used, range(len(used)))] = np.linalg.svd(np.concatenate(slopes), full_matrices=True)[2].T
        axes[rank : len(sample.modes), len(used) :] = np.eye(size - len(used))
        aims.append(axes)
    return aims


def _slopes(rows: Array, normal: Array, weights: Array) -> Array:
    """The regressions (N, D) of `rows` (N, P), scaled to variance one, on `normal` (D, P), times what they leave over to the CURVED."""
    rows = rows - (rows @ weights)[:, None]
    deviation = np.sqrt(rows**2 @ weights)[:, None]
    slopes = np.divide((rows * weights) @ normal.T, deviation, out=np.zeros((len(rows), len(normal))), where=deviation > 0)
    return slopes * np.maximum(1 - np.sum(slopes**2, axis=1, keepdims=True), 0) ** CURVED
