"""The time scales on which gradient flow learns, and the regime they put it in (arXiv 2510.01930, learning time scales).

Written with W = sqrt(E[w*² | w* ≠ 0]), the size of a weight to be learned, in whose units the paper's formulas take weights of order 1. A
common rescaling of weights, a² and time leaves the dynamics as they are, and so these formulas.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dlnflow.model import Problem
from dlnflow.theory.final import FinalState

PAPER = "arXiv 2510.01930, learning time scales"
FLOW = "exact for gradient flow, d(log uv)/dt = −2λ (arXiv 2510.01930, gradient flow of u and v)"
LINEAR = "linear regression at constant k = u² + v², Marchenko–Pastur law of XᵀX/δ; lazy phase of arXiv 2510.01930"
FAR = 10.0  # a ratio of scales that counts as large; 1/FAR counts as small

Regime = Literal["lazy", "rich", "lazy_then_rich", "intermediate"]


@dataclass(frozen=True)
class TimeScale:
    """A time (dimensionless), or None with the reason in `note`; `formula` in the symbols of the notation page, `valid` its range."""

    value: float | None
    formula: str
    source: str
    valid: str
    note: str


@dataclass(frozen=True)
class Sizes:
    """What the time scales are made of.

    `weight` is W; `product` c = |u(0) v(0)| (its scale a² where random) and `tangent` (u(0)² + v(0)²)/2, of groups on average, the latter
    times the variance of the data; `force` the root mean
    square of h(0) over the coordinates to be learned; `distance` the largest of W and of the root mean square distances from w(0) to w*
    and, where w(0) = 0, to w(∞).
    """

    weight: float
    product: float
    tangent: float
    force: float
    distance: float

    @property
    def laziness(self) -> float:
        """The ratio of `tangent` to `distance`: large where k hardly changes on the way."""
        return self.tangent / self.distance


def sizes(problem: Problem, final: FinalState | None) -> Sizes:
    """`final` is None where the flow has no limit."""
    noise = np.sqrt((problem.target_second_moment + problem.noise_std**2) / problem.aspect_ratio)
    weight = problem.typical_weight or float(noise)
    laws = [group.initial for group in problem.population]
    moved = np.sqrt(final.norm) if final and all(law.is_constant and law.is_symmetric for law in laws) else 0.0
    return Sizes(
        weight=weight,
        product=sum(group.weight * group.initial.product for group in problem.population),
        tangent=problem.initial_second_moment,
        force=float(np.hypot(problem.typical_weight, noise)),
        distance=float(max(weight, np.sqrt(problem.initial_parameter_error), moved)),
    )


def regime(problem: Problem, size: Sizes) -> tuple[Regime, str]:
    """The regime, and the numbers that decided it."""
    numbers = f"(u(0)² + v(0)²)/2 = {size.tangent:.3g}, largest distance to travel {size.distance:.3g}, ratio {size.laziness:.3g}"
    if size.laziness <= 1 / FAR:
        return "rich", f"{numbers}: at most {1 / FAR:g}, so that k = u² + v² is made by learning."
    if size.laziness < FAR:
        return "intermediate", f"{numbers}: between {1 / FAR:g} and {FAR:g}."
    if problem.weight_decay == 0:
        return "lazy", f"{numbers}: at least {FAR:g}, so that k = u² + v² hardly changes."
    onset, lazy = _onset(problem, size), 1 / (2 * size.tangent)
    times = f"{numbers}; lazy time {lazy:.3g}, rich onset {onset:.3g}"
    if onset > lazy:
        return "lazy_then_rich", f"{times}: lazy until weight decay has shrunk u v to the size of the weights."
    return "intermediate", f"{times}: weight decay shrinks u v before the lazy phase could end."


def time_scales(problem: Problem, size: Sizes, rate: float | None) -> dict[str, TimeScale]:
    """Every time scale by name; `rate` is the convergence rate γ, None where unknown."""
    return {
        "lazy": _lazy(size),
        "lazy_slowest": _lazy_slowest(problem, size),
        "rich_onset": _rich_onset(problem, size),
        "search": _search(problem, size),
        "descent": _descent(size),
        "forgetting": _forgetting(problem),
        "convergence": _convergence(rate),
    }


def _lazy(size: Sizes) -> TimeScale:
    applies = size.laziness >= FAR
    note = "the mode of XᵀX/δ with the mean eigenvalue 1" if applies else _not_lazy(size)
    formula = "1/(u(0)² + v(0)²), which is 1/(2a²) for u(0) = v(0) = a"
    return TimeScale(1 / (2 * size.tangent) if applies else None, formula, PAPER, f"laziness ratio ≥ {FAR:g}", note)


def _lazy_slowest(problem: Problem, size: Sizes) -> TimeScale:
    edge = (1 - problem.aspect_ratio**-0.5) ** 2
    formula, valid = "1/((u(0)² + v(0)²)(1 − 1/√δ)²), 1/(2a²(1 − 1/√δ)²) for u(0) = v(0) = a", f"laziness ratio ≥ {FAR:g}, δ ≠ 1"
    if size.laziness < FAR or edge == 0:
        return TimeScale(None, formula, LINEAR, valid, _not_lazy(size) if edge else "At δ = 1 the modes have no slowest one.")
    return TimeScale(1 / (2 * size.tangent * edge), formula, LINEAR, valid, "the mode at the left edge of the Marchenko–Pastur law")


def _rich_onset(problem: Problem, size: Sizes) -> TimeScale:
    formula, valid = (
        "log(u(0) v(0)/W)/(2λ), which is log(a)/λ for u(0) = v(0) = a and W = 1",
        f"λ > 0, laziness ratio ≥ {FAR:g}, u(0) v(0) > W",
    )
    if problem.weight_decay == 0:
        return TimeScale(None, formula, PAPER, valid, "Without weight decay a lazy network stays lazy.")
    if size.laziness < FAR or size.product <= size.weight:
        return TimeScale(None, formula, PAPER, valid, _not_lazy(size))
    return TimeScale(
        _onset(problem, size), formula, PAPER, valid, f"when u v has shrunk to W = {size.weight:.3g}; a late drop of the test loss"
    )


def _search(problem: Problem, size: Sizes) -> TimeScale:
    formula = "log(W/(u(0) v(0)))/(2(|h| − λ)), which is log(1/a²)/(2|h|) for u(0) = v(0) = a, W = 1, λ = 0"
    valid = f"laziness ratio ≤ 1/{FAR:g}, u(0) v(0) < W, |h| > λ"
    if size.laziness > 1 / FAR or size.product >= size.weight:
        return TimeScale(None, formula, PAPER, valid, f"The initial values are not small: laziness ratio {size.laziness:.3g}.")
    if size.force <= problem.weight_decay:
        note = f"Weight decay {problem.weight_decay:g} exceeds the typical force {size.force:.3g}: typical weights never leave zero."
        return TimeScale(None, formula, PAPER, valid, note)
    typical = "|h| = sqrt(E[w*² | w* ≠ 0] + (E[w*²] + σ²)/δ), the root mean square of h(0) over coordinates with w* ≠ 0"
    note = f"{typical}, {size.force:.3g}; larger weights are found earlier"
    return TimeScale(float(np.log(size.weight / size.product)) / (2 * (size.force - problem.weight_decay)), formula, PAPER, valid, note)


def _descent(size: Sizes) -> TimeScale:
    formula, valid = "1/(2W)", f"laziness ratio ≤ 1/{FAR:g}; an order of magnitude"
    source = f"{PAPER}: of order 1; the factor is that of ẇ = 2|w|(w* − w), logistic, for δ → ∞"
    if size.laziness > 1 / FAR:
        return TimeScale(None, formula, source, valid, f"The initial values are not small: laziness ratio {size.laziness:.3g}.")
    return TimeScale(
        1 / (2 * size.weight), formula, source, valid, f"how long one weight of the size W = {size.weight:.3g} takes once it has left zero"
    )


def _forgetting(problem: Problem) -> TimeScale:
    formula, valid = "1/(2λ)", "λ > 0"
    if problem.weight_decay == 0:
        return TimeScale(None, formula, FLOW, valid, "Without weight decay u v is conserved and the initial values are never forgotten.")
    return TimeScale(
        1 / (2 * problem.weight_decay), formula, FLOW, valid, "the decay time of u v = u(0) v(0) e^(−2λt), through which initial values act"
    )


def _convergence(rate: float | None) -> TimeScale:
    formula, valid = "1/(2γ)", "λ = 0, δ ≠ 1; late times"
    note = (
        "the last e-folding time of train_loss − its limit, γ the convergence rate"
        if rate
        else "There is no exponential rate; see convergence_rate."
    )
    return TimeScale(1 / (2 * rate) if rate else None, formula, "the convergence rate's source", valid, note)


def _onset(problem: Problem, size: Sizes) -> float:
    return float(np.log(size.product / size.weight)) / (2 * problem.weight_decay)


def _not_lazy(size: Sizes) -> str:
    return f"The initial values are not large: laziness ratio {size.laziness:.3g}."
