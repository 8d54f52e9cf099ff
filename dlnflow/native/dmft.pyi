"""Loops over sampled paths, and the algebra of a panel's rows."""

from collections.abc import Sequence
from typing import Annotated

import numpy
from numpy.typing import NDArray


BLOCK: int = 64

LANES: int = 8

SINGLE_LANES: int = 16

ALIGNMENT: int = 64

OBSERVED: int = 12

QUIET: float = 0.001

class Paths:
    """
    Sampled paths, the depth of their network, and the threshold of the support.
    """

    def __init__(self, *, modes: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], target: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], scale: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], root: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], origin: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], strata: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], folded: bool, depth: float, threshold: float) -> None:
        """
        `modes` (≥ rank, P) are z, `target` (P,) w*, `scale` (P,) that of the map, `root` (P,) √c, `origin` (P,) H(0), `weights` (P,)
        sum to 1, `strata` (P / BLOCK,) numbers the stratum of each block. Where `folded`, a path stands for its mirror image too.
        Weights with |w| > `threshold` count as the support that is found.
        """

    @property
    def size(self) -> int:
        """P."""

def propagate(paths: Paths, *, factor: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], memory: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], integrals: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], quadratures: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], ahead: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], decay: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], tangents: bool, heights: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu')] | None, kinds: int) -> tuple[Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None, None))]] | None:
    """
    R_w, E[E E] (N, N), E[E z] (N, rank), and what is averaged by stratum (kinds, OBSERVED, N), over all paths with given kernels.

    `factor` (N, rank) is L, `memory` (N, N) R_r, `integrals` (K, m, m) B, `quadratures` (K, m, m + 1) the
    integral over time from the left edge and the nodes, `ahead` (N, 3) weights of the last three nodes in a first
    guess, `decay` (N,) −2λt. E[E E] is filled up to the panel of each row. Without `tangents` R_w is zero; `heights` (N, P) is
    filled with H. None where a path does not settle.
    """

def advance(paths: Paths, blocks: tuple[int, int], *, known: int, factor: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], memory: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], integral: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], quadrature: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], decay: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], shift: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], height: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu')], error: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu')], running: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu')], slope: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu')], tangents: Sequence[Annotated[NDArray[numpy.float32], dict(shape=(None, None, None, None), order='C', device='cpu')]], edge: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu')], reached: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu')], early: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], kinds: int) -> tuple[Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None, None))]] | None:
    """
    One panel for the paths of the `blocks` [first, last) after n nodes: their rows of R_w and E[E E] (m, n + m) and of E[E z]
    (m, rank), E[z E] of the modes from `known` on with earlier nodes (≥ new, n), and by stratum what is averaged
    (kinds, OBSERVED, m).
    None where a path does not settle.

    `factor` (m, rank) are rows of L, `memory` (m, n + m) of R_r, `integral` (m, m) B, `quadrature` (m, m + 1) the integral over time from
    the left edge and the nodes, `decay` (m,) −2λt, `shift` (n + m,) the weights of
    the nodes in the integral over time. `height` (P / LANES, N, LANES) holds H: of the past and a first guess on the panel, the
    solution on return; `error` of the same shape E, `running` the integral of w − w* over time, `slope` (P / LANES, m, LANES) κ on the
    panel. `tangents`, one (P / SINGLE_LANES,
    nodes so far, m, SINGLE_LANES) a panel, `edge` and `reached` (P / SINGLE_LANES, N, SINGLE_LANES) are δw and δH at the panel's edges
    for perturbations from node `early` (P / BLOCK,) on; those before are multiples of one.
    """

def extrapolate(paths: Paths, nodes: int, *, ahead: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], decay: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], height: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu')]) -> None:
    """
    Fill `height` (P / LANES, N, LANES) with a first guess of H on the panel after so many nodes: the parabola on, but |w| not beyond
    that at the edge. `ahead` (m, 3) are its weights, `decay` (1 + m,) is −2λt at the edge and on the panel.
    """

def weigh(paths: Paths, *, decay: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], heights: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))]]:
    """
    w and k = −dw/dH, (N, P) each, at `heights` (N, P), the values of H; `decay` (N,) is −2λt.
    """

def layers(paths: Paths, *, decay: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], heights: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))]]:
    """
    u² + v², u² − v² and log |u v|, (N, P) each, at `heights` (N, P), the values of H; `decay` (N,) is −2λt.
    """

MODE_SHARE: float = 1e-05

def implied(*, response: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], correlation: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], known: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], aspect_ratio: float, noise: float) -> tuple[Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))]] | None:
    """
    R_r = (1 − R_w/δ)⁻¹ and C_r = R_r (C_e + σ²) R_rᵀ on a panel's rows, (m, n + m) each, from those of R_w and C_e.

    `known` (n, 2 n) are R_r and C_r on earlier nodes side by side, `noise` is σ². None where a matrix is singular or not finite.
    """

def factor(*, correlation: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], readout: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], start: float, roots: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], wanted: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None) -> tuple[Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))], int] | None:
    """
    Rows of L on a panel (m, rank + new), the weights (m, new) that read its new modes off it, and how many are above the cut.

    From rows of C_ζ (m, n + m): `readout` (n, rank) reads earlier modes off, `roots` (m,) are the square roots of the quadrature
    weights, `start` is C_ζ(0, 0). A block of L, `wanted` (m, new), fixes how many new modes there are, and what they are turned
    towards. None where a matrix is not finite.
    """

def stein(*, response: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], regression: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], earlier: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], rows: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], factor: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], past_expected: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], past_excess: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))]]:
    """
    Λ = R_w L, Δ = Λ − E[e zᵀ] on a panel, (m, rank + new) each, and the rows (m, n + m) of Λ Δᵀ + Δ Λᵀ.

    From its rows of R_w (m, n + m), of E[e zᵀ], `regression`, and of L, (m, rank + new) each, E[z eᵀ] of its new modes with
    earlier nodes (≥ new, n), and L, Λ and Δ on earlier nodes, (n, rank) each.
    """

def change(*, response: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], correlation: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], new_response: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], new_correlation: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], scale: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], least: float) -> tuple[Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))], float]:
    """
    What an iteration changes in R_r and, relative to their norms, in C_r, (2 m, n + m), these norms (m, n + m), and the largest.

    `scale` (n,) are the roots of C_r(s, s) on earlier nodes, `least` is the least that counts as C_r(t, t). The changes of R_r count
    together, over those of a row relative to the largest row. The largest is infinite where anything is not finite.
    """

def mixed(moves: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], changes: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], point: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], residual: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.float64], dict(shape=(None,))]:
    """
    `point` + `residual` (X,) with the combination of `moves` and `changes` (K, X) that cancels the residual best.
    """

def slopes(lanes: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], weights: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], du: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu')], dv: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu')], count: int) -> Annotated[NDArray[numpy.float64], dict(shape=(None,))]:
    """
    E[δw] (count,) in the first `count` directions of gradient descent.

    `lanes` (2, B, BLOCK) is what δu and δv (B, directions, BLOCK) are multiplied by in δw, `weights` (B, BLOCK) those of the paths.
    """

def descend(paths: Paths, *, step_size: float, weight_decay: float, momentum: float, truncation: float, noise: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], residual: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], outer: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu')], inner: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu')], moving: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu')], last: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu')] | None, memory: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)], du: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu')], dv: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu')], last_change: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None, None), order='C', device='cpu')] | None, past: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None, None), order='C', device='cpu')], nodes: int, kept: int, node: int | None) -> float:
    """
    One step of gradient descent for all paths and their directions; returns the largest |η h|.

    h = ζ + `residual` (P,), ζ = `noise` (modes,) · z. `outer` (2, P) are u and v, `inner` their values in [−M, M], M = `truncation`,
    where they act, `moving` is 1 where these are the same. δu and δv, `du` and `dv` (B, directions, BLOCK), with δh = δw + Σ
    memory[r] past[r], which enters `past` (B, directions, > R, BLOCK) at row R = len(memory): of `nodes` directions, then of R basis
    functions, `kept` of them as they were reduced last, the others unit perturbations of the steps since. That of this step becomes
    direction nodes + R and, unless it is None, `node`. With `momentum` β, `last` (2, P) and `last_change` (2, B, directions, BLOCK) are
    the last changes of u and v and of δu and δv; else they may be None.
    """

def differentiate(paths: Paths, blocks: tuple[int, int], *, factor: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], memory: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], response: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], integral: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], decay: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], shift: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], height: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], error: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], slope: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], tangents: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None, None), order='C', device='cpu', writable=False)], early: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))]]:
    """
    What rows of a panel change by to first order where its rows of L and R_r do, over the paths of the `blocks`
    [first, last): those of R_w by slopes (m, n + m), of E[δE E] (m, n + m) and of E[δE z] (m, rank).

    `factor` (m, rank) are the changes of L, `memory` (m, n + m) those of R_r, whose rows are `response`; the others are what
    `advance` was given and left, `tangents` (P / SINGLE_LANES, n + m, m, SINGLE_LANES) those of the panel.
    """
