"""All that is known in closed form about one problem, with the formula, source and range of every number."""

from dataclasses import asdict, dataclass
from typing import Any

from dlnflow.model import Dynamics, GradientFlow, Problem
from dlnflow.model.curves import FINAL
from dlnflow.theory.descent import Descent, Noisy, stability, why_elsewhere
from dlnflow.theory.final import FinalState, fixed_point, summarise
from dlnflow.theory.fixed_point import NoTheory, SolutionKind, solution_kind
from dlnflow.theory.phases import Phase, phases
from dlnflow.theory.rates import convergence_rate
from dlnflow.theory.scales import FAR, Regime, TimeScale, regime, sizes, time_scales
from dlnflow.theory.sources import Note, rate_note, state_notes


@dataclass(frozen=True)
class Theory:
    """Limits t → ∞ (None where there is none), the convergence rate γ, time scales and the regime.

    `phases` are the time scales as intervals in their order, `notes` has for each number its formula, source and range of validity, and in
    `why` the reason for a None; `regime_why` has the numbers that decided the regime.
    """

    solution: SolutionKind | None
    final_parameter_error: float | None
    final_test_loss: float | None
    final_train_loss: float | None
    final_norm: float | None
    final_l1_norm: float | None
    final_overlap: float | None
    final_u_norm: float | None
    final_v_norm: float | None
    final_excess_l1_norm: float | None
    final_missed_support: float | None
    final_false_support: float | None
    convergence_rate: float | None
    time_scales: dict[str, TimeScale]
    regime: Regime
    regime_why: str
    phases: tuple[Phase, ...]
    notes: dict[str, Note]
    descent: Descent | None = None
    """Of gradient descent and stochastic gradient flow only."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `descent` where there is one."""
        found = asdict(self)
        found["phases"] = list(found["phases"])
        return found if self.descent else {name: value for name, value in found.items() if name != "descent"}


def predict(problem: Problem, dynamics: Dynamics | None = None) -> Theory:
    """Everything that theory says about `problem`; about 0.03 s, longer for random initial values.

    Limits are those of gradient flow, the default of `dynamics`, and up to terms of the step size those of gradient descent; what batches
    change, and how large steps may be, is in `descent`.
    """
    final, rate, notes, descent = _limits(problem, None if isinstance(dynamics, GradientFlow) else dynamics)
    size = sizes(problem, final)
    name, why = regime(problem, size)
    scales = time_scales(problem, size, rate)
    return Theory(
        solution=solution_kind(problem),
        **{f"final_{name}": getattr(final, name, None) for name in FINAL},
        convergence_rate=rate,
        time_scales=scales,
        regime=name,
        regime_why=f"{why} A ratio of {FAR:g} counts as large (a convention).",
        phases=phases(scales),
        notes=notes,
        descent=descent,
    )


Limits = tuple[FinalState | None, float | None, dict[str, Note], Descent | None]


def _limits(problem: Problem, dynamics: Noisy | None) -> Limits:
    """The final state, γ, the notes of both, and what there is to say of descent."""
    try:
        point = fixed_point(problem)
    except NoTheory as reason:
        return None, None, _notes(problem, str(reason), str(reason)), stability(problem, dynamics, None) if dynamics else None
    descent = stability(problem, dynamics, point) if dynamics else None
    if dynamics and (why := why_elsewhere(problem, dynamics)):
        return None, None, _notes(problem, why, why), descent
    try:
        rate = convergence_rate(problem, point)
    except NoTheory as reason:
        return summarise(problem, point), None, _notes(problem, "", str(reason)), descent
    unbounded = "" if rate else "The spectrum reaches 0: the approach is slower than any exponential, a power of t."
    return summarise(problem, point), rate, _notes(problem, "", unbounded), descent


def _notes(problem: Problem, why_final: str, why_rate: str) -> dict[str, Note]:
    kind, depth = solution_kind(problem), problem.depth
    final = {f"final_{name}": state_notes(kind, depth).of(name, why_final) for name in FINAL}
    return final | {"convergence_rate": rate_note(kind, depth).because(why_rate)}
