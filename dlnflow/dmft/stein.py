"""What Stein's identity adds to the correlation of the errors, so that C_r has less noise, eq. (7a).

As ζ = L z with independent standard normals z, E[e zᵀ] = R_w L =: A. Over a sample both sides have noise, that of tangents being five to
thirty times less. With E[z zᵀ] = 1 over the sample,

    A Aᵀ + E[(e − A z)(e − A z)ᵀ] = E[e eᵀ] + A Dᵀ + D Aᵀ,   D = A − E[e zᵀ],

has the same mean as E[e eᵀ], without the noise of E[e zᵀ]. Late in training C_r = R_r (C_e + σ²) R_rᵀ is a small difference: what of e
follows ζ cancels but for that noise, and this was most of the error of a train loss. The test loss is better off without it: there the
noise of A would count in full.
"""

from dataclasses import dataclass

import numpy as np

from dlnflow.solution import Array


def added(response: Array, regression: Array, factor: Array) -> Array:
    """What is added to E[e eᵀ] (N, N), from R_w (N, N), E[e zᵀ] and L (N, D), averages over a sample with E[z zᵀ] = 1."""
    linear = response @ factor
    cross = linear @ (linear - regression).T
    return np.asarray(cross + cross.T)


@dataclass(frozen=True)
class Linear:
    """On n nodes: A = R_w L, `known` (n, D), and by how much it exceeds E[e zᵀ] over the sample, `excess` (n, D)."""

    known: Array
    excess: Array


@dataclass(frozen=True)
class Part:
    """Of a panel of m nodes after n: `linear` (m, D), and the `excess` of earlier nodes (n, new) in the panel's own modes."""

    linear: Linear
    excess: Array

    def added(self, past: Linear) -> Array:
        """The panel's rows (m, n + m) of what is added to E[e eᵀ]; `past` is what earlier nodes have in their modes."""
        (n, old), here = past.known.shape, self.linear
        cross = here.known @ here.excess.T
        rows = np.empty((len(cross), n + len(cross)))
        rows[:, :n] = here.known[:, :old] @ past.excess.T + here.known[:, old:] @ self.excess.T + here.excess[:, :old] @ past.known.T
        rows[:, n:] = cross + cross.T
        return rows


def part(response: Array, regression: Array, earlier: Array, factor: Array, rows: Array) -> Part:
    """That of a panel, from its rows of R_w (m, n + m), E[e zᵀ] (m, D), and E[z eᵀ] of its own modes with earlier nodes (m, n).

    `factor` (n, old) is L on earlier nodes, `rows` (m, D) on the panel.
    """
    n, old = factor.shape
    known = response[:, n:] @ rows
    known[:, :old] += response[:, :n] @ factor
    return Part(Linear(known, known - regression), -earlier[: rows.shape[1] - old].T)
