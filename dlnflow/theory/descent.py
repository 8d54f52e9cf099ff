"""What descent adds to gradient flow: the noise of batches, also of short steps, where it ends, and how large a step may be.

Every step uses each of the n samples with probability b; q = (1 − b)/b. For small steps at fixed temperature τ = ηq/δ the noise of the
batches adds τ c D dt, D = 2 train_loss, to the variance of ∫h dt of a coordinate of variance c, and log(u v) falls by
2τ c ∫train_loss dt at depth 2: gradient descent ends where gradient flow from a∞ = a e^(−τ c ∫train_loss dt) does (Pesme et al.,
arXiv 2106.09524).

Near an interpolating end the residual obeys r ← r − ηAr with A = X K Xᵀ/δ, and with heavy-ball momentum β a mode of A at x keeps, under
noise of variance η²q x² D, the mean square η q x D (1 + β)/((1 − β)(2(1 + β) − ηx)). So the steps are stable while

    ηx < 2(1 + β) for all x,      and      q (1 + β)/(1 − β) · (1/n) Σ ηx/(2(1 + β) − ηx) < 1,

the second being τ E[k] < 2(1 − β) where steps are small. With z = 2(1 + β)/η = (1 + f)/m, f(m) = (1/δ) E[km/(1 − km)], the average is f
(Silverstein & Choi 1995), and the right edge of the spectrum is where f₂ = (1/δ) E[(km/(1 − km))²] = 1.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import gamma, hyp1f1

from dlnflow.model import GradientDescent, Problem, StochasticGradientFlow
from dlnflow.model.initial import InitialLaw
from dlnflow.theory.final import FinalState, final_state
from dlnflow.theory.fixed_point import NEAREST_TO_ONE, FixedPoint, NoTheory
from dlnflow.theory.sources import Note

Noisy = GradientDescent | StochasticGradientFlow

DIMENSION = 1000  # of the network whose largest weight bounds the step; the default of simulations
STABILITY = "linear stability of the end of gradient flow: Silverstein & Choi 1995 for the spectrum, stationary variance of every mode"
UNKNOWN = "The end of gradient flow is not known here, or has weight decay."
INTEGRAL = "needs ∫train_loss dt, which only a solve gives: see `dlnflow.theory.end_of_descent`"


@dataclass(frozen=True)
class Descent:
    """What theory says about gradient descent, or of the temperatures of stochastic gradient flow, which has no steps.

    None where it says nothing, for the reason `why` of the note of that name.

    `temperature` τ = η(1 − b)/(bδ); `intrinsic_step` η/(1 − β)², on which alone the path of small steps depends; `largest_stable_step` at
    the end, in a network of d = 1000; `noise_gain`, the factor by which the noise of batches feeds itself there, below 1 where steps are
    stable, None above the deterministic edge; `critical_temperature`, at which small steps become unstable there; `recovery_temperature`,
    the same at w = w*, u v = 0. A schedule counts by its last step.
    """

    temperature: float
    intrinsic_step: float | None
    largest_stable_step: float | None
    noise_gain: float | None
    critical_temperature: float | None
    recovery_temperature: float | None
    notes: dict[str, Note]


def temperature(dynamics: Noisy, aspect_ratio: float) -> float:
    """τ = η(1 − b)/(bδ), with the last step of a schedule."""
    if isinstance(dynamics, StochasticGradientFlow):
        return dynamics.temperature
    return _last_step(dynamics) * _noise(dynamics) / aspect_ratio


def effective_start(problem: Problem, dynamics: Noisy, loss_integral: float) -> Problem:
    """`problem` with u(0) and v(0) times e^(−τ c ∫train_loss dt), from whose start gradient flow ends where small steps of batches do.

    `loss_integral` is ∫train_loss dt over all times, as from `numpy.trapezoid` of a solve's curve from time 0. Raises `NoTheory` where the
    train loss does not vanish (noise with δ ≥ 1, label noise, weight decay), for momentum and for schedules, and for batches above depth 2.
    """
    if why := _no_end(problem, dynamics):
        raise NoTheory(why)
    fall = temperature(dynamics, problem.aspect_ratio) * loss_integral
    starts = [_scaled(group.initial, float(np.exp(-group.variance * fall))) for group in problem.population]
    if problem.groups:
        groups = tuple(group.model_copy(update={"initial_scale": start}) for group, start in zip(problem.groups, starts, strict=True))
        return problem.model_copy(update={"groups": groups})
    return problem.model_copy(update={"initial_scale": starts[0]})


def end_of_descent(problem: Problem, dynamics: Noisy, loss_integral: float) -> FinalState:
    """Where small steps of batches end, given ∫train_loss dt; raises as `effective_start` does."""
    return final_state(effective_start(problem, dynamics, loss_integral))


def why_elsewhere(problem: Problem, dynamics: Noisy) -> str:
    """Why gradient descent does not end where small steps of gradient flow do, or "" where it does."""
    if not dynamics.is_stochastic:
        return ""
    if why := _no_end(problem, dynamics):
        return why
    determined = problem.depth == 1 or (problem.aspect_ratio > 1 - NEAREST_TO_ONE and problem.noise_std == 0)
    return "" if determined else f"Where batches end depends on their noise on the way; this {INTEGRAL}."


def _no_end(problem: Problem, dynamics: Noisy) -> str:
    steps = dynamics if isinstance(dynamics, GradientDescent) else None
    if steps and steps.label_noise_std > 0:
        return "Fresh label noise never stops: steps have no end, only a stationary law that is not known here."
    if problem.weight_decay > 0 and dynamics.is_stochastic:
        return "With weight decay neither the train loss nor the noise of batches vanishes. Set weight_decay to 0 or use all samples."
    if problem.noise_std > 0 and problem.aspect_ratio > 1 - NEAREST_TO_ONE and dynamics.is_stochastic:
        return "With noise and aspect_ratio ≥ 1 the train loss does not vanish, nor does the noise of batches: steps have no end."
    if steps and steps.is_stochastic and (steps.momentum or not isinstance(steps.step_size, float)):
        return "The effective initial scale is known for equal steps without momentum only."
    if dynamics.is_stochastic and problem.depth > 2:
        return "Above depth 2 the noise of batches changes more than a scale; solve (kind dmft)."
    return ""


def _scaled(law: InitialLaw, factor: float) -> InitialLaw:
    """The same law of `factor` times u(0) and v(0), which may be smaller than requests allow."""
    return law.model_copy(update={name: factor * value for name, value in law if isinstance(value, float)})


def stability(problem: Problem, dynamics: Noisy, point: FixedPoint | None) -> Descent:
    """τ and the edges of stability at `point`, where gradient flow ends; None where it has no end."""
    known = point is not None and problem.weight_decay == 0 and point.solution in ("interpolation", "least_squares")
    edges = _Edges(problem, point) if known and point else None
    if isinstance(dynamics, StochasticGradientFlow):
        return _of_noise(problem, dynamics.temperature, edges)
    step, momentum = _last_step(dynamics), dynamics.momentum
    noise = _noise(dynamics) * (1 + momentum) / (1 - momentum)
    gain = edges.noise_gain(step / (1 + momentum), noise) if edges else None
    recovers = problem.noise_std == 0 and problem.weight_decay == 0
    found = Descent(
        temperature=temperature(dynamics, problem.aspect_ratio),
        intrinsic_step=step / (1 - momentum) ** 2,
        largest_stable_step=(1 + momentum) * edges.largest_step(noise) if edges else None,
        noise_gain=gain,
        critical_temperature=2 * (1 - momentum) / edges.mean if edges else None,
        recovery_temperature=(1 - momentum) / _half_slope(problem) if recovers else None,
        notes={},
    )
    return replace(found, notes=_notes("" if edges else UNKNOWN, gain is None and edges is not None, recovers))


def _of_noise(problem: Problem, temperature: float, edges: "_Edges | None") -> Descent:
    """The limit of short steps: no step is too long, and the noise feeds itself by τ E[k]/2."""
    recovers = problem.noise_std == 0 and problem.weight_decay == 0
    notes = _notes("" if edges else UNKNOWN, False, recovers)
    without = {name: notes[name].because("Stochastic gradient flow has no steps.") for name in ("intrinsic_step", "largest_stable_step")}
    return Descent(
        temperature=temperature,
        intrinsic_step=None,
        largest_stable_step=None,
        noise_gain=temperature * edges.mean / 2 if edges else None,
        critical_temperature=2 / edges.mean if edges else None,
        recovery_temperature=1 / _half_slope(problem) if recovers else None,
        notes=notes | without,
    )


class _Edges:
    """The spectrum of X K Xᵀ/δ to the right, with weights up to the largest that d = 1000 of them are likely to have."""

    def __init__(self, problem: Problem, point: FixedPoint) -> None:
        k, weight = point.nodes.variance * point.nodes.tangent, point.nodes.weight
        self.delta, self.mean = problem.aspect_ratio, float(weight @ k)
        order = np.argsort(k)[::-1]
        beyond = int(np.searchsorted(np.cumsum(weight[order]), 1 / DIMENSION))
        kept = order[min(beyond, len(order) - 1) :]
        self.k, self.weight, self.top = k[kept], weight[kept], float(k[kept].max())

    def _f(self, log_m: float, power: int) -> float:
        """(1/δ) E[(km/(1 − km))^power] at m = x/max k, log x = `log_m`."""
        m = np.exp(log_m) / self.top
        return float(self.weight @ (self.k * m / (1 - self.k * m)) ** power) / self.delta

    def _root(self, f: Callable[[float], float]) -> float:
        """log(m max k) where the increasing f is zero."""
        return float(brentq(f, -60.0, -1e-12, xtol=1e-13))

    @property
    def edge(self) -> float:
        """log(m max k) of the right edge."""
        return self._root(lambda log_m: self._f(log_m, 2) - 1)

    def _step(self, log_m: float) -> float:
        """2/z."""
        return float(2 * np.exp(log_m) / self.top / (1 + self._f(log_m, 1)))

    def largest_step(self, noise: float) -> float:
        """The step, without momentum, at which an eigenvalue or the `noise` makes modes grow."""
        edge = self.edge
        if noise * self._f(edge, 1) > 1:
            edge = self._root(lambda log_m: noise * self._f(log_m, 1) - 1)
        return self._step(edge)

    def noise_gain(self, step: float, noise: float) -> float | None:
        """The gain of the `noise` at this `step`; None above the edge."""
        edge = self.edge
        if step >= self._step(edge):
            return None
        return noise * self._f(float(brentq(lambda log_m: self._step(log_m) - step, edge - 120, edge, xtol=1e-13)), 1)


def _half_slope(problem: Problem) -> float:
    """E[c k]/2 at u v = 0 and w = w*, where k = (L|w*|)^(2−2/L)."""
    power, total = 2 - 2 / problem.depth, 0.0
    for group in problem.population:
        moments = [kind.probability * _absolute_moment(kind.mean, kind.variance, power) for kind in group.target.mixture()]
        total += group.weight * group.variance * sum(moments)
    return float(problem.depth**power * total / 2)


def _absolute_moment(mean: float, variance: float, power: float) -> float:
    """E|g|^power of a normal variate."""
    if variance == 0:
        return float(abs(mean) ** power)
    spread = (2 * variance) ** (power / 2) * gamma((1 + power) / 2) / np.pi**0.5
    return float(spread * hyp1f1(-power / 2, 0.5, -(mean**2) / (2 * variance)))


def _notes(missing: str, unstable: bool, recovers: bool) -> dict[str, Note]:
    end = "λ = 0; at the end of gradient flow from the initial values as they are, which the noise of batches makes smaller"
    beyond = "The step is above the deterministic edge of stability." if unstable else missing
    formulas = {
        "temperature": Note("τ = η(1 − b)/(bδ)", "stochastic gradient flow, arXiv 2602.06320", "small steps; the last of a schedule"),
        "intrinsic_step": Note("η/(1 − β)²", "Papazov et al., arXiv 2403.05293", "small steps"),
        "largest_stable_step": Note(
            "2(1 + β)/z, the smaller of those where (1/δ) E[(km/(1 − km))²] = 1 and q(1 + β)/(1 − β)(1/δ) E[km/(1 − km)] = 1, "
            "z = (1 + (1/δ) E[km/(1 − km)])/m",
            STABILITY,
            f"{end}; k up to the largest of {DIMENSION} coordinates",
            missing,
        ),
        "noise_gain": Note("q(1 + β)/(1 − β)(1/n) Σ ηx/(2(1 + β) − ηx) over the spectrum", STABILITY, end, beyond),
        "critical_temperature": Note("2(1 − β)/E[k]", STABILITY, f"{end}; small steps", missing),
        "recovery_temperature": Note(
            "2(1 − β)/E[(L|w*|)^(2−2/L)], which is 1/E|w*| at depth 2",
            STABILITY,
            "recovery of w* without noise or weight decay; small steps and initial values",
            "" if recovers else "With noise or weight decay w* is not recovered exactly.",
        ),
    }
    return formulas


def _last_step(dynamics: GradientDescent) -> float:
    """η of the last step."""
    return dynamics.step_size if isinstance(dynamics.step_size, float) else float(dynamics.step_size.sizes[-1])


def _noise(dynamics: GradientDescent) -> float:
    """q = (1 − b)/b."""
    return (1 - dynamics.batch_fraction) / dynamics.batch_fraction
