"""Loads the solvers and compiles their kernels, so that no job waits for it."""

import numpy as np

from dlnflow import dmft, simulation, theory
from dlnflow.model import GaussianTarget, Problem
from dlnflow.simulation.draw import draw_network
from dlnflow.simulation.flow import Flow, follow


def warm() -> None:
    """Solve tiny problems each way; the compiled code is kept on disk, in NUMBA_CACHE_DIR or beside the sources, for the next start."""
    problem = Problem(aspect_ratio=1, target=GaussianTarget(), initial_scale=1)
    dmft.solve(problem, 0.1, accuracy=0.1)
    dmft.descent.solve(problem, 0.1, 0.1, accuracy=0.1)
    theory.predict(problem)
    simulation.simulate(problem, 0.1, dimension=20, replicas=2)
    _large_and_stiff()


def _large_and_stiff() -> None:
    """Follow a network to where it needs its whole spectrum, step by step as one whose products take long."""
    network = draw_network(Problem(aspect_ratio=1, target=GaussianTarget(), initial_scale=100), 300, np.random.default_rng(0))
    network.design.short = False
    for _ in follow(Flow(network, 1e3), np.array([1e3])):
        pass
