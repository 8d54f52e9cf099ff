"""What is known in closed form: long-time limits, convergence rates, time scales and exactly solvable limits (arXiv 2510.01930).

`predict(problem)` gathers it all; `final_state(problem)` is the limit t → ∞ alone; `lazy.curves` and `population.curves` are
whole curves in the limits a → ∞ and δ → ∞.
"""

from dlnflow.theory import lazy, population
from dlnflow.theory.curves import LimitCurves
from dlnflow.theory.final import FinalState, final_state
from dlnflow.theory.fixed_point import NoTheory
from dlnflow.theory.prediction import Theory, predict
from dlnflow.theory.scales import TimeScale
from dlnflow.theory.sources import Note

__all__ = ["FinalState", "LimitCurves", "NoTheory", "Note", "Theory", "TimeScale", "final_state", "lazy", "population", "predict"]
