import numpy as np

from dlnflow.dmft import sampling
from dlnflow.dmft.observables import Grid, residual_variance
from dlnflow.dmft.passes import adaptive_pass
from dlnflow.model import BernoulliGaussTarget, Problem


def test_between_nodes_the_residual_is_that_of_its_correlation_although_modes_are_left_out():
    problem = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.1), noise_std=0.1, initial_scale=0.3)
    sample = sampling.draw(problem, 512, 100, np.random.SeedSequence(1))
    state = adaptive_pass(problem, sample, 5.0, 0.02, 1e-6, 8, lambda state: None)
    times = np.linspace(state.edges[1], 5.0, 200)
    grid = Grid(state, times)
    framed = np.zeros((state.nodes + 1, state.nodes + 1))
    framed[1:, 1:] = state.residual_correlation
    left_out = np.diag(state.residual_correlation) / (np.sum(state.factor**2, axis=1) * problem.aspect_ratio) - 1

    assert left_out.max() > 1e-5
    np.testing.assert_allclose(residual_variance(state, grid), grid.quadratic(framed), rtol=left_out.max())
    np.testing.assert_allclose(residual_variance(state, Grid(state, state.time)), np.diag(state.residual_correlation), rtol=1e-12)
