"""Loads the solvers and compiles their kernels, so that no job waits for it."""

from dlnflow import dmft, simulation, theory
from dlnflow.problem import GaussianTarget, Problem


def warm() -> None:
    """Solve a tiny problem each way; the compiled code is kept on disk, in NUMBA_CACHE_DIR or beside the sources, for the next start."""
    problem = Problem(aspect_ratio=1, target=GaussianTarget(), initial_scale=1)
    dmft.solve(problem, 0.1, accuracy=0.1)
    dmft.descent.solve(problem, 0.1, 0.1, accuracy=0.1)
    theory.predict(problem)
    simulation.simulate(problem, 0.1, dimension=20, replicas=2)
