"""Nothing is left to compile after `warm`, and a process that compiles the kernels gives the bits of a later one that loads them."""

import os
import subprocess
import sys

SOLVES = """
import hashlib
import os
from pathlib import Path

from dlnflow import dmft, simulation
from dlnflow.model import RademacherDesign
from dlnflow.model import BernoulliGaussTarget, GaussianScale, GradientDescent, Problem
from worker.warm import warm

compiled = lambda: len(list(Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nbc")))
warm()
print(compiled() > 0)
before = compiled()
problem = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.2), noise_std=0.1, initial_scale=0.01)
stiff = problem.model_copy(update={"aspect_ratio": 1.0, "initial_scale": 100.0})
decaying = problem.model_copy(update={"weight_decay": 0.1, "initial_scale": GaussianScale(kind="gaussian", std=0.5)})
descent = GradientDescent(kind="gradient_descent", step_size=0.1)
solutions = {
    "flow": dmft.solve(problem, 10.0, accuracy=0.05),
    "descent": dmft.descent.solve(problem, 2.0, 0.1, accuracy=0.1),
    "simulation": simulation.simulate(problem, 2.0, dimension=50, replicas=2),
    "large": simulation.simulate(decaying, 0.5, dimension=3500, replicas=2),
    "two halves": simulation.simulate(problem, 0.1, dimension=8000, replicas=2),
    "stiff": simulation.simulate(stiff, 1e3, dimension=300, replicas=2),
    "signs": simulation.simulate(problem, 1.0, dimension=50, replicas=2, design=RademacherDesign(kind="rademacher")),
    "discrete": simulation.simulate(problem, 1.0, dimension=50, replicas=2, dynamics=descent),
    "truncated": simulation.simulate(problem, 1.0, dimension=50, replicas=2, truncation=2.0),
}
print(compiled() - before)
for name, solution in solutions.items():
    print(name, hashlib.sha256(b"".join(solution.values[curve].tobytes() for curve in sorted(solution.values))).hexdigest())
"""


def test_nothing_is_left_to_compile_and_bits_stay(tmp_path):
    def run():
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
        return subprocess.run([sys.executable, "-c", SOLVES], env=environment, check=True, capture_output=True, text=True).stdout

    compiled = run()
    assert compiled.splitlines()[:2] == ["True", "0"]
    assert len(compiled.splitlines()) == 11
    assert run() == compiled
