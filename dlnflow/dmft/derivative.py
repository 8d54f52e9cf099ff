"""The derivative of a panel's map as a few of its paths tell it, and Newton's correction of its rows by that, eqs. (13a) and (13b).

With W = δw/δζ of a path, where slopes are taken as they are,

    δR_w = E[W δR_r W],   δC_e = E[W δC_ζ Wᵀ] + E[W δR_r e eᵀ] + (its transpose),   δC_ζ = δC_r/δ,

and R_r, C_r follow from these by eqs. (3) and (4). On a panel W has few shapes, W[P,P] = B_0 + Σ_a φ_a B_a with numbers φ_a of the path, so
that all averages are sums of B_a X E[φ_a W] and B_a X E[φ_a e eᵀ]. B_0 and its averages are those of all paths, the others those of a few.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dlnflow.dmft.averages import Rows
from dlnflow.dmft.constants import FOLLOWED_TILES, SHAPES
from dlnflow.dmft.noise import Factor
from dlnflow.dmft.paths import Array32, Paths
from dlnflow.dmft.sampling import BLOCK
from dlnflow.native import dmft as native
from dlnflow.solution import Array


@dataclass
class Followed:
    """G paths, those of some `tiles` of `paths`, with the `weights` (G,), and their tangents by panel, (G, m (n + m)) each."""

    paths: Paths
    tiles: NDArray[np.intp]
    weights: Array
    panels: list[Array32] = field(default_factory=list)

    def past(self) -> list[Array32]:
        """Their tangents on all panels of the past."""
        self.panels += [self.of(tangents) for tangents in self.paths.tangents[len(self.panels) :]]
        return self.panels

    def of(self, tangents: Array32) -> Array32:
        """Theirs of the `tangents` of all paths on one panel, (G, m (n + m)); those that are not followed are zero."""
        chosen = tangents[self.tiles].transpose(0, 3, 2, 1)  # tiles, lanes, nodes, sources
        early = self.paths.early[self.tiles * native.SINGLE_LANES // BLOCK]
        is_followed = np.arange(chosen.shape[-1]) >= early[:, None, None, None]
        return np.where(is_followed, chosen, np.float32(0)).reshape(len(self.weights), -1)

    def errors(self, nodes: int) -> Array:
        """Their E on the first `nodes`, (nodes, G)."""
        halves = native.SINGLE_LANES // native.LANES
        tiles = (self.tiles[:, None] * halves + np.arange(halves)).ravel()
        return self.paths.error[tiles, :nodes].transpose(1, 0, 2).reshape(nodes, -1)


def followed(paths: Paths) -> Followed:
    """Some of the paths, evenly spaced, so that every stratum has its weight."""
    weights = paths.sample.weights.reshape(len(paths.edge), -1)
    strata = np.repeat(paths.sample.strata, BLOCK // native.SINGLE_LANES)
    tiles = np.unique(np.linspace(0, len(strata) - 1, min(FOLLOWED_TILES, len(strata))).round().astype(int))
    chosen = weights[tiles]
    for kind in np.unique(strata[tiles]):
        chosen[strata[tiles] == kind] *= weights[strata == kind].sum() / chosen[strata[tiles] == kind].sum()
    return Followed(paths, tiles, chosen.ravel())


@dataclass(frozen=True)
class Mean:
    """The kernels on all nodes so far, n + m of them, the panel's rows included: R_r, R_w and C_e."""

    residual_response: Array
    response: Array
    correlation: Array


@dataclass(frozen=True)
class Derivative:
    """On a panel of m nodes after n: what turns rows X of R_r and C_r into those that the map moves by.

    δR_r = Σ_a L_a X F_a and δC_r = Σ_a L_a X̃ G_aᵀ with `left` L_a = R_r[P,P] B_a/δ (A, m, m), `response` F_a = E[φ_a W] R_r and
    `correlation` G_a = R_r E[φ_a W], (A, n + m, n + m). X̃ is what modes of ζ carry of X: on earlier nodes that is in G_a, `old`
    (n, m) makes of rows there what old modes have on the panel, and `new` (m, m) projects on the new ones. How C_r follows R_r tell
    `errors` E[φ_a e eᵀ] R_rᵀ and `residual` (C_e + σ²) R_rᵀ.
    """

    left: Array
    response: Array
    correlation: Array
    old: Array
    new: Array
    errors: Array
    residual: Array
    aspect_ratio: float

    def correction(self, missing: Rows) -> Rows:
        """What rows of R_r and C_r have to move by, where the map moves them by `missing`: Newton's step."""
        m = len(missing.response)
        response = self._response(missing.response)
        moved = response - missing.response
        follows = moved @ self.residual + self.aspect_ratio * _sum(self.left, response @ self.errors)
        follows[:, -m:] += follows[:, -m:].T.copy()
        return Rows(response, self._correlation(missing.correlation + follows))

    def _response(self, rows: Array) -> Array:
        """X with X − Σ L_a X F_a = rows: F_a is block-lower-triangular, so that late columns come first."""
        found = np.zeros_like(rows)
        for here, _ in reversed(list(_panels(rows))):
            after = slice(here.stop, None)
            right = rows[:, here] + _sum(self.left, found[:, after] @ self.response[:, after, here])
            found[:, here] = _solved(self.left, self.response[:, here, here], right)
        return found

    def _correlation(self, rows: Array) -> Array:
        """X with X − Σ L_a X̃ G_aᵀ = rows, early columns first; on the panel itself C_r is symmetric."""
        found, across = np.zeros_like(rows), self.correlation.transpose(0, 2, 1)
        *past, (here, before) = _panels(rows)
        for column, earlier in past:
            right = rows[:, column] + _sum(self.left, found[:, earlier] @ across[:, earlier, column])
            found[:, column] = _solved(self.left, across[:, column, column], right)
        cross = _sum(self.left, found[:, before] @ across[:, before, here])
        known = found[:, before] @ self.old
        known += known.T.copy()
        own, left, right = across[:, here, here], self.left @ self.new, self.new.T @ across[:, here, here]
        missing = rows[:, here] + cross + cross.T + _sum(self.left, known @ own) - _sum(left, known @ right)
        found[:, here] = _solved(left, right, missing)
        return found


def _panels(rows: Array) -> Iterator[tuple[slice, slice]]:
    """The columns (m,) of each panel of `rows` (m, n + m), and all before."""
    m = len(rows)
    return ((slice(s, s + m), slice(0, s)) for s in range(0, rows.shape[1], m))


def _sum(left: Array, right: Array) -> Array:
    """Σ_a left[a] right[a]."""
    return np.asarray(np.einsum("aij,ajk->ik", left, right))


def _solved(left: Array, right: Array, rows: Array) -> Array:
    """X (m, m) with X − Σ_a left[a] X right[a] = rows; the rows as they are where that is singular."""
    m = len(rows)
    matrix = np.eye(m * m) - np.einsum("aij,akl->iljk", left, right).reshape(m * m, m * m)
    try:
        return np.linalg.solve(matrix, rows.ravel()).reshape(m, m)
    except np.linalg.LinAlgError:
        return rows


def derivative(
    some: Followed, tangents: Array32, mean: Mean, modes: tuple[Array, Array, Factor], aspect_ratio: float, noise: float
) -> Derivative | None:
    """At a point of the iteration with these `tangents` of all paths on the panel; None where they overflow, far from any fixed point.

    `modes` are L and what reads it off (n, D) on earlier nodes, and the panel's rows of it; `noise` is σ².
    """
    last, size = some.of(tangents), len(mean.response)
    if not np.isfinite(last).all():
        return None
    m = last.shape[1] // size
    n = size - m
    shapes, numbers = _shapes(last.reshape(-1, m, size)[:, :, n:], some.weights)
    weighted = numbers.astype(np.float32)
    responses = np.zeros((1 + len(shapes), size, size))
    responses[0] = mean.response
    for p, panel in enumerate([*some.past(), last]):
        responses[1:, p * m : (p + 1) * m, : (p + 1) * m] = (weighted @ panel).reshape(len(shapes), m, -1)
    E = some.errors(size)
    errors = np.stack([mean.correlation, *((E * number) @ E.T for number in numbers)])
    R, (factor, readout, rows) = mean.residual_response, modes
    correlation, known = R @ responses, readout.shape[1]
    correlation[:, :, :n] = correlation[:, :, :n] @ (factor @ readout.T)
    return Derivative(
        left=R[n:, n:] @ np.concatenate([mean.response[None, n:, n:], shapes]) / aspect_ratio,
        response=responses @ R,
        correlation=correlation,
        old=readout @ rows.rows[:, :known].T,
        new=rows.columns(known) @ rows.modes.T,
        errors=errors @ R.T,
        residual=(mean.correlation + noise) @ R.T,
        aspect_ratio=aspect_ratio,
    )


def _shapes(tangents: Array32, weights: Array) -> tuple[Array, Array]:
    """B_a (A, m, m) and the numbers φ_a of each path times its weight, (A, G), from tangents on one panel (G, m, m): what varies most."""
    flat = tangents.reshape(len(tangents), -1).astype(float)
    flat -= weights @ flat / weights.sum()
    root = np.sqrt(weights)[:, None]
    numbers, sizes, shapes = np.linalg.svd(root * flat, full_matrices=False)
    kept = slice(SHAPES)
    return shapes[kept].reshape(-1, *tangents.shape[1:]), (root * numbers[:, kept] * sizes[kept]).T
