"""The time scales on which gradient flow learns, and the regime they put it in (arXiv 2510.01930, learning time scales).

Written with W = sqrt(E[w*² | w* ≠ 0]), the size of a weight to be learned, in whose units the paper's formulas take weights of order 1. A
common rescaling of weights, a² and time leaves the dynamics as they are, and so these formulas.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dlnflow.model import Problem
from dlnflow.theory.final import FinalState

PAPER = "arXiv 2510.01930, learning time scales"
FLOW = "exact for gradient flow, d(log uv)/dt = −2λ (arXiv 2510.01930, gradient flow of u and v)"
FORCED = "u and v under a constant force at depth L: algebraic in a (the search of arXiv 2510.01930, learning time scales, at depth 2)"
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

    `weight` is W; `product` c = |u(0) v(0)| (its scale a² where random) and `tangent` k(0)/2 = (u(0)^(2L−2) + v(0)^(2L−2))/2, of groups on
    average, the latter times the variance of the data; `force` the root mean square of h(0) over the coordinates to be learned; `distance`
    the largest of W and of the root mean square distances from w(0) to w* and, where w(0) = 0, to w(∞).
    """

    depth: float
    weight: float
    product: float
    tangent: float
    force: float
    distance: float

    @property
    def laziness(self) -> float:
        """The ratio to `distance` of the weight at which k changes: large where it hardly does on the way.

        At small weights k/k(0) − 1 = (L−1)(3L−4)/4 (w/a^L)², with (k(0)/2)^(L/(2L−2)) for a^L; depth 1 never changes; `tangent` at depth 2.
        """
        if self.depth == 1:
            return math.inf
        depth = self.depth
        return float(self.tangent ** (depth / (2 * depth - 2)) * (2 / ((depth - 1) * (3 * depth - 4))) ** 0.5 / self.distance)

    @property
    def lazy_time(self) -> float:
        """1/k(0)."""
        return 1 / (2 * self.tangent)

    @property
    def small_weight(self) -> float:
        """(u(0) v(0))^(L/2), a^L where they are equal."""
        return float(self.product ** (self.depth / 2))


def sizes(problem: Problem, final: FinalState | None) -> Sizes:
    """`final` is None where the flow has no limit."""
    noise = np.sqrt((problem.target_second_moment + problem.noise_std**2) / problem.aspect_ratio)
    weight = problem.typical_weight or float(noise)
    laws = [group.initial for group in problem.population]
    moved = np.sqrt(final.norm) if final and all(law.is_constant and law.is_symmetric for law in laws) else 0.0
    return Sizes(
        depth=problem.depth,
        weight=weight,
        product=sum(group.weight * group.initial.product for group in problem.population),
        tangent=problem.initial_second_moment,
        force=float(np.hypot(problem.typical_weight, noise)),
        distance=float(max(weight, np.sqrt(problem.initial_parameter_error), moved)),
    )


def regime(problem: Problem, size: Sizes) -> tuple[Regime, str]:
    """The regime, and the numbers that decided it."""
    if problem.depth == 1:
        return "lazy", "Depth 1 is linear regression: k = 2 at all times."
    start = _by_depth(problem, "(u(0)² + v(0)²)/2", "(u(0)^(2L−2) + v(0)^(2L−2))/2")
    numbers = f"{start} = {size.tangent:.3g}, largest distance to travel {size.distance:.3g}, ratio {size.laziness:.3g}"
    slope = _by_depth(problem, "k = u² + v²", "k = u^(2L−2) + v^(2L−2)")
    if size.laziness <= 1 / FAR:
        return "rich", f"{numbers}: at most {1 / FAR:g}, so that {slope} is made by learning."
    if size.laziness < FAR:
        return "intermediate", f"{numbers}: between {1 / FAR:g} and {FAR:g}."
    if problem.weight_decay == 0:
        return "lazy", f"{numbers}: at least {FAR:g}, so that {slope} hardly changes."
    onset, lazy = _onset(problem, size), size.lazy_time
    times = f"{numbers}; lazy time {lazy:.3g}, rich onset {onset:.3g}"
    shrunk = _by_depth(problem, "u v", "(u v)^(L/2)")
    if onset > lazy:
        return "lazy_then_rich", f"{times}: lazy until weight decay has shrunk {shrunk} to the size of the weights."
    return "intermediate", f"{times}: weight decay shrinks {shrunk} before the lazy phase could end."


def _by_depth(problem: Problem, two: str, general: str) -> str:
    """What is written in simpler symbols at depth 2."""
    return two if problem.depth == 2 else general


def time_scales(problem: Problem, size: Sizes, rate: float | None) -> dict[str, TimeScale]:
    """Every time scale by name; `rate` is the convergence rate γ, None where unknown."""
    return {
        "lazy": _lazy(problem, size),
        "lazy_slowest": _lazy_slowest(problem, size),
        "rich_onset": _rich_onset(problem, size),
        "search": _search(problem, size),
        "descent": _descent(problem, size),
        "forgetting": _forgetting(problem),
        "convergence": _convergence(rate),
    }


def _lazy(problem: Problem, size: Sizes) -> TimeScale:
    applies = size.laziness >= FAR
    note = "the mode of XᵀX/δ with the mean eigenvalue 1" if applies else _not_lazy(size)
    formula = _by_depth(
        problem,
        "1/(u(0)² + v(0)²), which is 1/(2a²) for u(0) = v(0) = a",
        "1/(u(0)^(2L−2) + v(0)^(2L−2)), which is 1/(2a^(2L−2)) for u(0) = v(0) = a",
    )
    return TimeScale(size.lazy_time if applies else None, formula, PAPER, f"laziness ratio ≥ {FAR:g}", note)


def _lazy_slowest(problem: Problem, size: Sizes) -> TimeScale:
    edge = (1 - problem.aspect_ratio**-0.5) ** 2
    valid = f"laziness ratio ≥ {FAR:g}, δ ≠ 1"
    formula = _by_depth(
        problem,
        "1/((u(0)² + v(0)²)(1 − 1/√δ)²), 1/(2a²(1 − 1/√δ)²) for u(0) = v(0) = a",
        "1/((u(0)^(2L−2) + v(0)^(2L−2))(1 − 1/√δ)²), 1/(2a^(2L−2)(1 − 1/√δ)²) for u(0) = v(0) = a",
    )
    if size.laziness < FAR or edge == 0:
        return TimeScale(None, formula, LINEAR, valid, _not_lazy(size) if edge else "At δ = 1 the modes have no slowest one.")
    return TimeScale(1 / (2 * size.tangent * edge), formula, LINEAR, valid, "the mode at the left edge of the Marchenko–Pastur law")


def _rich_onset(problem: Problem, size: Sizes) -> TimeScale:
    formula, start = (
        _by_depth(
            problem,
            "log(u(0) v(0)/W)/(2λ), which is log(a)/λ for u(0) = v(0) = a and W = 1",
            "log((u(0) v(0))^(L/2)/W)/(Lλ), which is log(a)/λ for u(0) = v(0) = a and W = 1",
        ),
        _by_depth(problem, "u(0) v(0)", "(u(0) v(0))^(L/2)"),
    )
    valid = f"λ > 0, laziness ratio ≥ {FAR:g}, {start} > W"
    if problem.weight_decay == 0 or problem.depth == 1:
        why = "Without weight decay a lazy network stays lazy." if problem.depth > 1 else "Depth 1 is linear and stays lazy."
        return TimeScale(None, formula, PAPER, valid, why)
    if size.laziness < FAR or size.small_weight <= size.weight:
        return TimeScale(None, formula, PAPER, valid, _not_lazy(size))
    shrunk = _by_depth(problem, "u v", "(u v)^(L/2)")
    note = f"when {shrunk} has shrunk to W = {size.weight:.3g}; a late drop of the test loss"
    return TimeScale(_onset(problem, size), formula, PAPER, valid, note)


def _search(problem: Problem, size: Sizes) -> TimeScale:
    formula, valid = (
        _by_depth(
            problem,
            "log(W/(u(0) v(0)))/(2(|h| − λ)), which is log(1/a²)/(2|h|) for u(0) = v(0) = a, W = 1, λ = 0",
            "log((|h| − λW^(2/L−1))/(|h| − λa^(2−L)))/((L−2)λ), (a^(2−L) − W^(2/L−1))/((L−2)|h|) for λ = 0; a² = u(0) v(0)",
        ),
        _by_depth(
            problem,
            f"laziness ratio ≤ 1/{FAR:g}, u(0) v(0) < W, |h| > λ",
            f"laziness ratio ≤ 1/{FAR:g}, (u(0) v(0))^(L/2) < W, |h| > λ(u(0) v(0))^(1−L/2)",
        ),
    )
    if size.laziness > 1 / FAR or size.small_weight >= size.weight:
        return TimeScale(None, formula, PAPER, valid, f"The initial values are not small: laziness ratio {size.laziness:.3g}.")
    resistance = problem.weight_decay * size.product ** (1 - problem.depth / 2)  # a force below this one never moves a weight
    if size.force <= resistance:
        named = _by_depth(
            problem, f"Weight decay {problem.weight_decay:g}", f"Weight decay times (u(0) v(0))^(1−L/2), {resistance:.3g}, at the start"
        )
        note = f"{named} exceeds the typical force {size.force:.3g}: typical weights never leave zero."
        return TimeScale(None, formula, PAPER, valid, note)
    typical = "|h| = sqrt(E[w*² | w* ≠ 0] + (E[w*²] + σ²)/δ), the root mean square of h(0) over coordinates with w* ≠ 0"
    note = f"{typical}, {size.force:.3g}; larger weights are found earlier"
    source = PAPER if problem.depth == 2 else FORCED
    return TimeScale(_search_time(problem, size), formula, source, valid, note)


def _search_time(problem: Problem, size: Sizes) -> float:
    """When a weight under the constant force |h| is W: at depth L > 2 from u^(2−L) = e^((L−2)λt) (a^(2−L) − (L−2) ∫e^(−(L−2)λs) |h| ds)."""
    decay, excess = problem.weight_decay, problem.depth - 2
    if excess == 0:
        return float(np.log(size.weight / size.product)) / (2 * (size.force - decay))
    start, end = size.product ** (-excess / 2), size.weight ** (2 / problem.depth - 1)
    if decay == 0:
        return float(start - end) / (excess * size.force)
    return float(np.log1p(decay * (start - end) / (size.force - decay * start))) / (excess * decay)


def _descent(problem: Problem, size: Sizes) -> TimeScale:
    formula, valid = _by_depth(problem, "1/(2W)", "1/(LW)^(2−2/L)"), f"laziness ratio ≤ 1/{FAR:g}; an order of magnitude"
    source = _by_depth(
        problem,
        f"{PAPER}: of order 1; the factor is that of ẇ = 2|w|(w* − w), logistic, for δ → ∞",
        f"{PAPER}: of order 1; the factor is that of ẇ = (L|w|)^(2−2/L)(w* − w), for δ → ∞",
    )
    if size.laziness > 1 / FAR:
        return TimeScale(None, formula, source, valid, f"The initial values are not small: laziness ratio {size.laziness:.3g}.")
    note = f"how long one weight of the size W = {size.weight:.3g} takes once it has left zero"
    return TimeScale(1 / (problem.depth * size.weight) ** (2 - 2 / problem.depth), formula, source, valid, note)


def _forgetting(problem: Problem) -> TimeScale:
    formula, valid = "1/(2λ)", "λ > 0"
    source = _by_depth(problem, FLOW, "exact for gradient flow: u^(2−L) + v^(2−L) grows as e^((L−2)λt)")
    if problem.weight_decay == 0:
        kept = _by_depth(problem, "u v", "u^(2−L) + v^(2−L)")
        note = f"Without weight decay {kept} is conserved and the initial values are never forgotten."
        return TimeScale(None, formula, source, valid, note)
    note = _by_depth(
        problem,
        "the decay time of u v = u(0) v(0) e^(−2λt), through which initial values act",
        "the decay time of (u^(2−L) + v^(2−L))^(2/(2−L)), through which initial values act as u v does at depth 2",
    )
    return TimeScale(1 / (2 * problem.weight_decay), formula, source, valid, note)


def _convergence(rate: float | None) -> TimeScale:
    formula, valid = "1/(2γ)", "λ = 0, δ ≠ 1; late times"
    note = (
        "the last e-folding time of train_loss − its limit, γ the convergence rate"
        if rate
        else "There is no exponential rate; see convergence_rate."
    )
    return TimeScale(1 / (2 * rate) if rate else None, formula, "the convergence rate's source", valid, note)


def _onset(problem: Problem, size: Sizes) -> float:
    return float(np.log(size.small_weight / size.weight)) / (problem.depth * problem.weight_decay)


def _not_lazy(size: Sizes) -> str:
    return f"The initial values are not large: laziness ratio {size.laziness:.3g}."
