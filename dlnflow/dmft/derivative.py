"""The derivative of a panel's map along a direction, eqs. (13a) and (13b), as the paths tell it where they stand.

With W = δw/δζ of a path,

    δR_w = E[W δR_r W] + E[δ_κ W],   δC_e = E[δe eᵀ] + E[e δeᵀ],   δe = W (δL z + δR_r e),

where δ_κ W is by the change of slopes. On a panel W has few shapes, W[P,P] = B_0 + Σ_a φ_a B_a with numbers φ_a of the path,
so that the first average is a sum of B_a δR_r E[φ_a W]. B_0 and its average are those of all paths, the others those of a few.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dlnflow.dmft.constants import FOLLOWED_TILES, SHAPES
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

    def past(self, shift: Array) -> list[Array32]:
        """Their tangents on all panels of the past, where nodes have the weights `shift` in the integral that gives H."""
        self.panels += [self.of(tangents, shift) for tangents in self.paths.tangents[len(self.panels) :]]
        return self.panels

    def of(self, tangents: Array32, shift: Array) -> Array32:
        """Theirs of the `tangents` of all paths on one panel, (G, m (n + m)); those to early sources are multiples of one."""
        chosen = tangents[self.tiles].transpose(0, 3, 2, 1).astype(np.float32)  # tiles, lanes, nodes, sources
        early = self.paths.early[self.tiles * native.SINGLE_LANES // BLOCK]
        last = np.minimum(early, chosen.shape[3] - chosen.shape[2]) + chosen.shape[2] - 1
        alike = np.take_along_axis(chosen, last[:, None, None, None], axis=3) / shift[last][:, None, None, None]
        source = np.arange(chosen.shape[3])
        is_early = source + chosen.shape[2] <= last[:, None, None, None]
        return np.where(is_early, alike * shift[source], chosen).astype(np.float32).reshape(len(self.weights), -1)


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
class Products:
    """E[W X W] = Σ_a B_a X E[φ_a W] for rows X of R_r on a panel.

    `shapes` are B_a (A, m, m), `tangents` E[φ_a W] (A, n + m, n + m).
    """

    shapes: Array
    tangents: Array

    def of(self, rows: Array) -> Array:
        """The rows (m, n + m) for X (m, n + m)."""
        return np.asarray(np.einsum("aij,ajk->ik", self.shapes, rows @ self.tangents))


def products(some: Followed, tangents: Array32, mean: Array, shift: Array) -> Products | None:
    """At a point of the iteration with these `tangents` of all paths on the panel; None where they overflow, far from any fixed point.

    `mean` is R_w on all nodes so far, those of the panel included, which have the weights `shift` in the integral that gives H.
    """
    last, size = some.of(tangents, shift), len(mean)
    if not np.isfinite(last).all():
        return None
    m = last.shape[1] // size
    shapes, numbers = _shapes(last.reshape(-1, m, size)[:, :, size - m :], some.weights)
    weighted = numbers.astype(np.float32)
    averages = np.zeros((1 + len(shapes), size, size))
    averages[0] = mean
    for p, panel in enumerate([*some.past(shift), last]):
        averages[1:, p * m : (p + 1) * m, : (p + 1) * m] = (weighted @ panel).reshape(len(shapes), m, -1)
    return Products(np.concatenate([mean[None, -m:, -m:], shapes]), averages)


def _shapes(tangents: Array32, weights: Array) -> tuple[Array, Array]:
    """B_a (A, m, m) and the numbers φ_a of each path times its weight, (A, G), from tangents on one panel (G, m, m): what varies most."""
    flat = tangents.reshape(len(tangents), -1).astype(float)
    flat -= weights @ flat / weights.sum()
    root = np.sqrt(weights)[:, None]
    numbers, sizes, shapes = np.linalg.svd(root * flat, full_matrices=False)
    kept = slice(SHAPES)
    return shapes[kept].reshape(-1, *tangents.shape[1:]), (root * numbers[:, kept] * sizes[kept]).T
