"""How wide panels are: eqs. (15) to (17)."""

import numpy as np

from dlnflow.dmft import radau
from dlnflow.dmft.constants import (
    EARLIEST,
    FIRST_WIDTH,
    FLOOR,
    LEAST_NORM,
    LEAST_ROUGHNESS,
    NARROWEST,
    NARROWEST_FACTOR,
    ORDER,
    REPEATED_ABOVE,
    REPEATED_BELOW,
    SAFETY,
    STRETCH,
    WIDEST_FACTOR,
)
from dlnflow.dmft.front import Front, Panel
from dlnflow.model import Problem


def first_width(problem: Problem, horizon: float) -> float:
    """Eq. (15): a share of the fastest linear rate, 2a²(1 + 1/√δ)² + 2λ at depth two, or of the search."""
    rate = 2 * problem.initial_second_moment * (1 + problem.aspect_ratio**-0.5) ** 2 + problem.depth * problem.weight_decay
    return float(min(horizon, FIRST_WIDTH / (rate + _search(problem))))


def _search(problem: Problem) -> float:
    """The rate (L − 1) a^(L−2) |h| at which k grows; a linear network has no search."""
    if problem.depth == 1:
        return 0.0
    drive = np.sqrt((problem.initial_error + problem.noise_std**2) / problem.aspect_ratio + problem.initial_error)
    scale = problem.initial_second_moment ** ((problem.depth - 2) / (2 * problem.depth - 2))
    return float((problem.depth - 1) * scale * drive)


def right_edge(left: float, width: float, horizon: float) -> float:
    """That of a panel so wide, or the horizon where that is hardly farther."""
    return horizon if left + STRETCH * width >= horizon else left + width


def is_too_narrow(left: float, width: float) -> bool:
    """Whether a panel after the time `left` is too narrow to be tried."""
    return width < NARROWEST * max(EARLIEST, left)


def roughness(front: Front, panel: Panel) -> float:
    """Eq. (16): what the highest Legendre coefficient of a panel has of the residual, and of the smaller of w and w − w*."""
    n, top, problem, sample = front.nodes, radau.top_coefficient(front.order), front.problem, front.paths.sample
    last = n + front.order
    error = front.paths.error[:, max(n - 1, 0) : last].swapaxes(0, 1).reshape(-1, len(sample.target))
    highest = top @ (error if n else np.concatenate([sample.initial_error[None], error]))
    unresolved = float(sample.weights @ highest**2)
    norm = float(sample.weights @ (front.paths.error[:, last - 1].ravel() + sample.root * sample.target) ** 2)
    square = unresolved / max(min(panel.averages.correlation[-1, -1], norm), LEAST_NORM * problem.initial_error)
    if n:
        rows = panel.factor.rows
        residual = np.concatenate([front.factor[n - 1 : n, : rows.shape[1]], rows])
        start = (problem.initial_error + problem.noise_std**2) / problem.aspect_ratio
        square = max(square, np.sum((top @ residual) ** 2) / max(np.sum(residual[-1] ** 2), FLOOR * start))
    return float(np.sqrt(square))


def next_factor(roughness: float, bound: float) -> float:
    """Eq. (17): the next panel's width over that of one so rough, for a `bound` of the roughness."""
    return float(np.clip(SAFETY * (bound / max(roughness, LEAST_ROUGHNESS)) ** (1 / ORDER), NARROWEST_FACTOR, WIDEST_FACTOR))


def is_to_be_repeated(roughness: float, bound: float) -> bool:
    """Whether a panel so rough is made again, narrower."""
    return roughness > REPEATED_ABOVE * bound and next_factor(roughness, bound) < REPEATED_BELOW
