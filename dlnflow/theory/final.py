"""Where gradient flow ends: errors and order parameters at t → ∞."""

from dataclasses import dataclass

from dlnflow.model import Problem
from dlnflow.model.mixtures import mean_magnitude
from dlnflow.theory.channel import Nodes
from dlnflow.theory.fixed_point import NEAREST_TO_ONE, FixedPoint, NoTheory, SolutionKind, interpolation, least_squares, penalised
from dlnflow.theory.support import support


@dataclass(frozen=True)
class FinalState:
    """Averages over coordinates at t → ∞, d → ∞ taken first.

    `effective_noise` s and `threshold` θ describe one coordinate: w = prox(w* + s z), z ~ N(0, 1), with s/√c and θ/c in the place of s and
    θ in a group of variance c. With weight decay w is soft thresholding at θ at depth 2, and w + θw/2 = w* + s z at depth 1. Without, and
    for δ < 1, w + θ x(w) = w* + s z with x(w) of `dlnflow.theory.maps`, (q − q₀)/2 where w = c sinh q, c = u(0) v(0),
    q₀ = log(u(0)/v(0)) at depth 2; for δ ≥ 1 the identity (θ = 0).
    """

    solution: SolutionKind
    effective_noise: float
    threshold: float
    parameter_error: float
    test_loss: float
    train_loss: float
    norm: float
    l1_norm: float
    overlap: float
    u_norm: float
    v_norm: float
    excess_l1_norm: float
    missed_support: float
    false_support: float


def final_state(problem: Problem) -> FinalState:
    """The limit of gradient flow.

    Raises `NoTheory` at δ = 1 with noise and no weight decay, where it is infinite, and with weight decay at a depth above 2.
    """
    return summarise(problem, fixed_point(problem))


def fixed_point(problem: Problem) -> FixedPoint:
    """The scalar problem of the final weights. Raises `NoTheory` where there is none."""
    if problem.weight_decay > 0 and problem.depth > 2:
        raise NoTheory(
            "With weight decay at a depth L above 2 the penalty (λ/2)(L|w|)^(2/L) is not convex, and where the flow ends depends on the "
            "way that it takes from its start. Take depth 1 or 2, set weight_decay to 0, or solve (kind dmft)."
        )
    if problem.weight_decay > 0:
        return penalised(problem)
    if abs(problem.aspect_ratio - 1) > NEAREST_TO_ONE:
        return least_squares(problem) if problem.aspect_ratio > 1 else interpolation(problem)
    if problem.noise_std > 0:
        raise NoTheory(
            "At aspect_ratio 1 without weight decay the final error σ²/|1 − δ| is infinite: the flow fits the noise along directions "
            "that the data barely constrain, and never settles. Take another aspect_ratio, or a weight_decay above 0."
        )
    return least_squares(problem)


def summarise(problem: Problem, point: FixedPoint) -> FinalState:
    """The averages of a fixed point."""
    nodes, kind = point.nodes, point.solution
    averages = _unbiased(problem, point.noise) if kind == "least_squares" else _averages(nodes)
    risk, error, norm, l1_norm, overlap = averages
    half = nodes.mean(nodes.total) / 2
    missed, false = support(problem, point)
    apart = 0.0 if problem.is_symmetric else nodes.mean(nodes.difference) / 2  # the nodes of a symmetric problem may be one half of it
    return FinalState(
        solution=kind,
        effective_noise=point.noise,
        threshold=point.threshold,
        parameter_error=error,
        test_loss=(risk + problem.noise_std**2) / 2,
        train_loss=_train_loss(problem, point),
        norm=norm,
        l1_norm=l1_norm,
        overlap=overlap,
        u_norm=half + apart,
        v_norm=half - apart,
        excess_l1_norm=l1_norm - problem.target_l1_norm,
        missed_support=missed,
        false_support=false,
    )


def _averages(nodes: Nodes) -> tuple[float, float, float, float, float]:
    """E[c (w − w*)²], E[(w − w*)²], E[w²], E|w| and E[w w*]."""
    return nodes.risk, nodes.error, nodes.mean(nodes.w**2), nodes.mean(abs(nodes.w)), nodes.mean(nodes.w * nodes.guess)


def _unbiased(problem: Problem, s: float) -> tuple[float, float, float, float, float]:
    """The same for w = w* + (s/√c) z, exactly; E|w| is the mean of folded normals."""
    second, error, l1_norm = problem.target_second_moment, 0.0, 0.0
    for group in problem.population:
        error += group.weight * (s**2 / group.variance)
        l1_norm += group.weight * mean_magnitude(group.target.mixture(), s**2 / group.variance)
    return s**2, error, second + error, l1_norm, second


def _train_loss(problem: Problem, point: FixedPoint) -> float:
    """(ρ s)² δ/2, where ρ = 1 − E[prox']/δ is the static response of the residual."""
    delta = problem.aspect_ratio
    match point.solution:
        case "interpolation":
            return 0.0
        case "least_squares":
            return max(0.0, 1 - 1 / delta) * problem.noise_std**2 / 2
        case "lasso" | "ridge":
            return (problem.weight_decay / point.threshold * point.noise) ** 2 * delta / 2
