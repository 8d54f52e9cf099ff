"""What members of the family cost over the plain problem R1: `python -m benchmarks.cost [rounds [batches] [depth] [groups]]`.

In turns in one process; prints the median of the processor seconds of each, and its ratio to the first of its table.
"""

import statistics
import sys
import time

import numpy as np

from dlnflow.dmft import solve
from dlnflow.model import Dynamics, GradientDescent, GradientFlow, Problem
from dlnflow.solution import Array

SPARSE = {"kind": "bernoulli_gauss", "density": 0.1}
PLAIN = {"aspect_ratio": 0.5, "noise_std": 0.1}
STEP = 0.02

Asked = tuple[Problem, float, Dynamics, float]


def flow(**changes: object) -> Asked:
    """Gradient flow to t = 32 at 0.01."""
    return Problem.model_validate(PLAIN | {"target": SPARSE, "initial_scale": 0.3} | changes), 32.0, GradientFlow(), 0.01


def grouped(variances: Array) -> Asked:
    """The same in 100 groups."""
    groups = [{"weight": 0.01, "variance": float(c), "target": SPARSE, "initial_scale": 0.3} for c in variances]
    return flow(target=None, initial_scale=None, groups=groups)


def steps(**fields: float) -> Asked:
    """500 steps at 0.02."""
    problem, *_ = flow()
    return problem, 500 * STEP, GradientDescent.model_validate({"kind": "gradient_descent", "step_size": STEP} | fields), 0.02


TABLES: dict[str, dict[str, Asked]] = {
    "batches": {"whole gradients": steps(), "batches of a fifth": steps(batch_fraction=0.2)},
    "depth": {"depth 2": flow(), "depth 3": flow(depth=3), "depth 3, a = 0.5": flow(depth=3, initial_scale=0.5)},
    "groups": {
        "one group": flow(),
        "100 equal groups": grouped(np.ones(100)),
        "100 groups of variances from 0.5 to 1.5": grouped(np.linspace(0.5, 1.5, 100)),
    },
}


def main() -> None:
    """Print the tables."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for table in sys.argv[2:] or TABLES:
        seconds: dict[str, list[float]] = {name: [] for name in TABLES[table]}
        for _ in range(rounds):
            for name, (problem, horizon, dynamics, accuracy) in TABLES[table].items():
                began = time.process_time()
                solve(problem, horizon, dynamics=dynamics, accuracy=accuracy)
                seconds[name].append(time.process_time() - began)
        plain, *_ = map(statistics.median, seconds.values())
        for name, taken in seconds.items():
            print(f"{table}: {name}: {statistics.median(taken):.2f} s, {statistics.median(taken) / plain:.2f}", flush=True)


if __name__ == "__main__":
    main()
