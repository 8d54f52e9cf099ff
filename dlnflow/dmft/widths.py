"""How wide panels are: eqs. (15) to (17)."""

import numpy as np

from dlnflow.dmft import radau
from dlnflow.dmft.constants import (
    EARLIEST,
    FIRST_WIDTH,
    FLOOR,
    KERNEL_ROUGHNESS,
    LEAST_NORM,
    LEAST_ROUGHNESS,
    NARROWEST,
    NARROWEST_FACTOR,
    NOISY,
    ORDER,
    REPEATED_ABOVE,
    REPEATED_BELOW,
    SAFETY,
    STRETCH,
    WHITE_ROUGHNESS,
    WIDEST_FACTOR,
)
from dlnflow.dmft.front import Front, Panel
from dlnflow.dmft.white import White
from dlnflow.model import Problem
from dlnflow.solution import Array


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
    """Eq. (16): what the highest Legendre coefficient of a panel has of the residual, and of the smaller of w and w − w*.

    Of stochastic gradient flow, what a panel's own draws have of it is rough however narrow the panel is; averages are wrong by its square.
    """
    n, top, problem, sample = front.nodes, radau.top_coefficient(front.order), front.problem, front.paths.sample
    last, rows = n + front.order, panel.factor.rows
    known = front.rank if n and front.temperature else rows.shape[1] - front.white_columns
    error = front.paths.error[:, max(n - 1, 0) : last].swapaxes(0, 1).reshape(-1, len(sample.target))
    highest = top @ (error if n else np.concatenate([sample.initial_error[None], error]))
    norm = float(sample.weights @ (front.paths.error[:, last - 1].ravel() + sample.root * sample.target) ** 2)
    size = max(min(panel.averages.correlation[-1, -1], norm), LEAST_NORM * problem.initial_error)
    unresolved = float(sample.weights @ highest**2)
    noise = min(_noise(front, panel, rows[:, known:]), unresolved) / size if front.temperature else 0.0
    square = max(unresolved / size - NOISY * noise, WHITE_ROUGHNESS * noise * WHITE_ROUGHNESS * noise)
    if n:
        smooth = front.factor[n - 1 : n] - front.drive[n - 1 : n]
        highest = top @ np.concatenate([smooth[:, : rows.shape[1]], rows])
        start = (problem.initial_error + problem.noise_std**2) / problem.aspect_ratio
        size = max(np.sum(rows[-1, :known] ** 2), FLOOR * start)
        square = max(square, np.sum(highest[:known] ** 2) / size)
    if panel.factor.white:
        square = max(square, KERNEL_ROUGHNESS**2 * _kernel(front, panel, panel.factor.white))
    return float(np.sqrt(square))


def _noise(front: Front, panel: Panel, own: Array) -> float:
    """What the highest coefficient of e owes to the panel's own draws, its variance, where these have the columns `own` (m, new) of L."""
    slope = panel.room[0].transpose(1, 0, 2).reshape(front.order, -1)
    moved = panel.interval.integral @ own
    top = radau.top_coefficient(front.order)[1:]
    return float(top @ (((slope * front.paths.sample.weights) @ slope.T) * (moved @ moved.T)) @ top)


def _kernel(front: Front, panel: Panel, noise: White) -> float:
    """The square of what the panel's own noise has of the loss at its end, times how far R_r(t, s) − 1 varies on it."""
    m, weights = front.order, panel.interval.integral[-1]
    kernel = (panel.rows.response[-1, -m:] - np.eye(m)[-1]) / weights
    least = FLOOR * (front.problem.initial_error + front.problem.noise_std**2)
    own = front.problem.aspect_ratio * front.temperature * np.sum(weights * kernel**2 * noise.loss)
    share = own / max(noise.loss[-1], least)
    constant, slope = radau.legendre_values(radau.nodes(m), 1).T @ (weights * kernel)
    return float(share * min(3 * abs(slope / constant), 1.0))


def next_factor(roughness: float, bound: float) -> float:
    """Eq. (17): the next panel's width over that of one so rough, for a `bound` of the roughness."""
    return float(np.clip(SAFETY * (bound / max(roughness, LEAST_ROUGHNESS)) ** (1 / ORDER), NARROWEST_FACTOR, WIDEST_FACTOR))


def is_to_be_repeated(roughness: float, bound: float) -> bool:
    """Whether a panel so rough is made again, narrower."""
    return roughness > REPEATED_ABOVE * bound and next_factor(roughness, bound) < REPEATED_BELOW
