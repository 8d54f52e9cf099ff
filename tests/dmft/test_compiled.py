"""A process that compiles the kernels gives the bits of a later one that loads them."""

import os
import subprocess
import sys

SOLVES = """
import hashlib
from dlnflow import dmft, simulation
from dlnflow.problem import BernoulliGaussTarget, Problem

problem = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.2), noise_std=0.1, initial_scale=0.01)
solutions = {
    "flow": dmft.solve(problem, 10.0, accuracy=0.05),
    "descent": dmft.descent.solve(problem, 2.0, 0.1, accuracy=0.1),
    "simulation": simulation.simulate(problem, 2.0, dimension=50, replicas=2),
}
for name, solution in solutions.items():
    print(name, hashlib.sha256(b"".join(solution.values[curve].tobytes() for curve in sorted(solution.values))).hexdigest())
"""


def test_same_bits_compiled_and_loaded(tmp_path):
    def run():
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
        return subprocess.run([sys.executable, "-c", SOLVES], env=environment, check=True, capture_output=True, text=True).stdout

    compiled = run()
    assert any(tmp_path.rglob("*.nbc"))
    assert len(compiled.splitlines()) == 3
    assert run() == compiled
