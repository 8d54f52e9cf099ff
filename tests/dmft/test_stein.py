"""What Stein's identity adds to E[e eᵀ]: nothing on the mean, and much less noise in C_r."""

import numpy as np
import pytest

from dlnflow.dmft import sampling
from dlnflow.dmft.passes import adaptive_pass, causal_pass
from dlnflow.model import BernoulliGaussTarget, Problem

PROBLEM = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.1), noise_std=0.1, initial_scale=0.3)


@pytest.fixture(scope="module")
def state():
    return adaptive_pass(PROBLEM, sampling.draw(PROBLEM, 1024, 60, np.random.SeedSequence(0)), 30.0, 0.05, 1e-7, 8, lambda state: None)


def drawn(state, paths: int, seed: int):
    return sampling.draw(PROBLEM, paths, state.rank, np.random.SeedSequence(seed))


def test_it_is_the_square_of_what_tangents_say_and_of_the_rest(state):
    sample = drawn(state, 2048, 1)
    height = np.empty((state.nodes, len(sample.target)))
    found = state.open_loop(sample, height)
    error = sample.weigh(state.decay, height)[0] - sample.target
    linear, z = found.response @ state.factor, sample.modes[: state.rank]
    np.testing.assert_allclose((z * sample.weights) @ z.T, np.eye(state.rank), atol=1e-12)
    rest = error - linear @ z
    wanted = linear @ linear.T + (rest * sample.weights) @ rest.T
    np.testing.assert_allclose(found.kernels(state.factor).correlation, wanted, atol=1e-12)
    np.testing.assert_allclose(found.rest, (rest * sample.weights) @ rest.T, atol=1e-12)
    np.testing.assert_allclose(found.errors, (error * sample.weights) @ error.T, atol=1e-12)


def test_panels_add_what_all_nodes_together_add(state):
    """A pass goes panel by panel, with modes that come one after the other; an open loop has all of them at once."""
    again = causal_pass(state, state.sample, state.order, 1e-7, lambda time: None)
    found = again.open_loop(again.sample)
    added = found.kernels(again.factor).correlation - found.errors
    np.testing.assert_allclose(again.correlation - again.errors, added, atol=1e-4 * np.abs(added).max())
    assert np.abs(added).max() > 1e-5


def test_the_mean_of_it_is_zero_and_the_train_loss_has_less_noise(state):
    """Over scrambles: within four standard errors of zero, and C_r late with a third of the noise at most."""
    scrambles = [state.open_loop(drawn(state, 512, seed)) for seed in range(2, 34)]
    correlations = [one.kernels(state.factor).correlation for one in scrambles]
    added = np.array([correlation - one.errors for correlation, one in zip(correlations, scrambles, strict=True)])
    error = added.std(axis=0, ddof=1) / np.sqrt(len(added))
    late = slice(state.nodes // 2, None)
    score = (added.mean(axis=0) / error)[late, late]
    assert np.sqrt(np.mean(score**2)) < 2
    assert np.abs(score).max() < 4

    def residual(one, errors):
        response = np.linalg.inv(np.eye(state.nodes) - one.response / PROBLEM.aspect_ratio)
        return np.diag(response @ (errors + PROBLEM.noise_std**2) @ response.T)

    plain = np.array([residual(one, one.errors) for one in scrambles]).std(axis=0)
    less = np.array([residual(one, correlation) for one, correlation in zip(scrambles, correlations, strict=True)]).std(axis=0)
    assert less[-1] < plain[-1] / 3
    assert np.median((less / plain)[late]) < 1 / 2


def test_a_correction_is_that_of_the_response_and_of_the_rest(state):
    """A pass with another sample's averages as its correction has the C_e that these make with its own modes, and its E[e eᵀ] apart."""
    other = state.open_loop(drawn(state, 4096, 1))
    found = causal_pass(state, state.sample, state.order, 1e-8, lambda time: None, other - state.small_averages)
    whole = found.open_loop(found.sample) + found.correction
    wanted = whole.kernels(found.factor)
    np.testing.assert_allclose(found.response, wanted.response, atol=1e-5 * np.abs(wanted.response).max())
    np.testing.assert_allclose(found.correlation, wanted.correlation, atol=1e-5 * np.abs(wanted.correlation).max())
    np.testing.assert_allclose(found.errors, whole.errors, atol=1e-5 * np.abs(whole.errors).max())
    assert np.abs(found.correlation - state.correlation).max() > 1e-3 * np.abs(state.correlation).max()
