"""All that is known in closed form about one problem, with the formula, source and range of every number."""

from dataclasses import asdict, dataclass
from typing import Any

from dlnflow.model import Problem
from dlnflow.model.curves import FINAL
from dlnflow.theory.final import FinalState, fixed_point, summarise
from dlnflow.theory.fixed_point import NoTheory, SolutionKind, solution_kind
from dlnflow.theory.rates import convergence_rate
from dlnflow.theory.scales import FAR, Regime, TimeScale, regime, sizes, time_scales
from dlnflow.theory.sources import Note, rate_note, state_notes


@dataclass(frozen=True)
class Theory:
    """Limits t → ∞ (None where there is none), the convergence rate γ, time scales and the regime.

    `notes` has for each number its formula, source and range of validity, and in `why` the reason for a None; `regime_why` has the numbers
    that decided the regime.
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
    convergence_rate: float | None
    time_scales: dict[str, TimeScale]
    regime: Regime
    regime_why: str
    notes: dict[str, Note]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def predict(problem: Problem) -> Theory:
    """Everything that theory says about `problem`; about 0.03 s, longer for random initial values."""
    final, rate, notes = _limits(problem)
    size = sizes(problem, final)
    name, why = regime(problem, size)
    return Theory(
        solution=solution_kind(problem),
        **{f"final_{name}": getattr(final, name, None) for name in FINAL},
        convergence_rate=rate,
        time_scales=time_scales(problem, size, rate),
        regime=name,
        regime_why=f"{why} A ratio of {FAR:g} counts as large (a convention).",
        notes=notes,
    )


def _limits(problem: Problem) -> tuple[FinalState | None, float | None, dict[str, Note]]:
    """The final state, γ and the notes of both."""
    try:
        point = fixed_point(problem)
    except NoTheory as reason:
        return None, None, _notes(problem, str(reason), str(reason))
    try:
        rate = convergence_rate(problem, point)
    except NoTheory as reason:
        return summarise(problem, point), None, _notes(problem, "", str(reason))
    unbounded = "" if rate else "The spectrum reaches 0: the approach is slower than any exponential, a power of t."
    return summarise(problem, point), rate, _notes(problem, "", unbounded)


def _notes(problem: Problem, why_final: str, why_rate: str) -> dict[str, Note]:
    kind, depth = solution_kind(problem), problem.depth
    final = {f"final_{name}": state_notes(kind, depth).of(name, why_final) for name in FINAL}
    return final | {"convergence_rate": rate_note(kind, depth).because(why_rate)}
