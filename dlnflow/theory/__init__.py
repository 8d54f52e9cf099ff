"""What is known in closed form: long-time limits, convergence rates, time scales and exactly solvable limits (arXiv 2510.01930).

`predict(problem)` gathers it all; `final_state(problem)` is the limit t → ∞ alone; `lazy.curves` and `population.curves` are
whole curves in the limits a → ∞ (or depth 1) and δ → ∞. `end_of_descent` is where batches end, from the integral of a solve's train loss.
"""

from dlnflow.theory import lazy, population
from dlnflow.theory.curves import LimitCurves
from dlnflow.theory.descent import Descent, effective_start, end_of_descent, temperature
from dlnflow.theory.final import FinalState, final_state
from dlnflow.theory.fixed_point import NoTheory
from dlnflow.theory.prediction import Theory, predict
from dlnflow.theory.scales import TimeScale
from dlnflow.theory.sources import Note

__all__ = [
    "Descent",
    "FinalState",
    "LimitCurves",
    "NoTheory",
    "Note",
    "Theory",
    "TimeScale",
    "effective_start",
    "end_of_descent",
    "final_state",
    "lazy",
    "population",
    "predict",
    "temperature",
]
