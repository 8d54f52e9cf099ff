"""The residual on a panel: its rows of R_r and C_r from those of R_w and C_e, and what an iteration changes in them."""

from dataclasses import dataclass

from dlnflow.dmft.averages import AveragedKernels
from dlnflow.dmft.outcome import Unsettled
from dlnflow.model import Problem
from dlnflow.native import dmft as native
from dlnflow.solution import Array


@dataclass(frozen=True)
class ResidualKernels:
    """What drives paths: `response` R_r and `correlation` C_r of the residual, a panel's rows (m, N + m) of each."""

    response: Array
    correlation: Array


@dataclass(frozen=True)
class Change:
    """Between iterates: `rows` (2 m, N + m), those of R_r over those of C_r relative to `norm` (m, N + m), and the `largest`."""

    rows: Array
    norm: Array
    largest: float


def implied(problem: Problem, averages: AveragedKernels, known: Array) -> ResidualKernels | Unsettled:
    """Eqs. (3) and (4) by blocks, eq. (11), from R_w and C_e; `known` (N, 2 N) are earlier rows of R_r and C_r side by side."""
    rows = native.implied(
        response=averages.response,
        correlation=averages.correlation,
        known=known,
        aspect_ratio=problem.aspect_ratio,
        noise=problem.noise_std**2,
    )
    return ResidualKernels(*rows) if rows else Unsettled("the response of the residual is infinite")


def change(before: ResidualKernels, after: ResidualKernels, scale: Array, least: float) -> Change:
    """Of R_r and C_r; `scale` (N,) are the roots of C_r(s, s) on earlier nodes, `least` is the least that counts as C_r(t, t)."""
    return Change(
        *native.change(
            response=before.response,
            correlation=before.correlation,
            new_response=after.response,
            new_correlation=after.correlation,
            scale=scale,
            least=least,
        )
    )
