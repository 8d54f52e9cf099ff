"""What Stein's identity adds to the correlation of the errors, so that C_r has less noise, eq. (7a).

As ζ = L z with independent standard normals z, E[e zᵀ] = R_w L =: Λ. Over a sample both sides have noise, that of tangents
being five to thirty times less. With E[z zᵀ] = 1 over the sample,

    Λ Λᵀ + E[(e − Λ z)(e − Λ z)ᵀ] = E[e eᵀ] + Λ Δᵀ + Δ Λᵀ,   Δ = Λ − E[e zᵀ],

has the same mean as E[e eᵀ], without the noise of E[e zᵀ]. Late in training C_r = R_r (C_e + σ²) R_rᵀ is a small difference:
what of e follows ζ cancels but for that noise, and this was most of the error of a train loss. The test loss is better off
without it: there the noise of Λ would count in full.
"""

from dataclasses import dataclass

import numpy as np

from dlnflow.native import dmft as native
from dlnflow.solution import Array


def evened(regression: Array, expected: Array, uneven: Array) -> Array:
    """E[e zᵀ] (N, D) as the identity wants it where E[z zᵀ] is not 1 but has what is `uneven` (D, D) besides; `expected` is Λ.

    Then E[(e − Λ z)(e − Λ z)ᵀ] is what it is over the sample.
    """
    return np.asarray(regression - expected @ uneven / 2)


def rest(errors: Array, expected: Array, regression: Array) -> Array:
    """E[(e − Λ z)(e − Λ z)ᵀ], from E[e eᵀ] (N, N), Λ and E[e zᵀ], (N, D) each, averages over a sample with E[z zᵀ] = 1."""
    cross = expected @ (expected / 2 - regression).T
    return np.asarray(errors + cross + cross.T)


@dataclass(frozen=True)
class Linear:
    """On n nodes: Λ = R_w L, what E[e zᵀ] is `expected` to be (n, D), and Δ, by how much that is in `excess` over the sample (n, D)."""

    expected: Array
    excess: Array


@dataclass(frozen=True)
class Part:
    """Of a panel of m nodes after n: what is `linear` (m, D), and the `excess` of earlier nodes (n, new) in its own modes.

    Its rows (m, n + m) are `added` to E[e eᵀ].
    """

    linear: Linear
    excess: Array
    added: Array


def part(response: Array, regression: Array, earlier: Array, rows: Array, factor: Array, past: Linear) -> Part:
    """That of a panel, from its rows of R_w (m, n + m), E[e zᵀ] (m, D), E[z eᵀ] of its own modes with earlier nodes (≥ new, n), and L.

    `factor` (n, old) is L on earlier nodes, `past` is what these have in their modes.
    """
    expected, excess, added = native.stein(
        response=response,
        regression=regression,
        earlier=earlier,
        rows=rows,
        factor=factor,
        past_expected=past.expected,
        past_excess=past.excess,
    )
    return Part(Linear(expected, excess), -earlier[: rows.shape[1] - factor.shape[1]].T, added)
