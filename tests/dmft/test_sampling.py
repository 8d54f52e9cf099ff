"""Draws that are aimed are still draws of the effective process: averages over them are those of independent standard normals."""

import numpy as np
import pytest
from scipy.stats import ortho_group

from dlnflow.dmft import sampling
from dlnflow.problem import BernoulliGaussTarget, Problem

MODES = 5
PROBLEM = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.2, std=2.0), noise_std=0.1, initial_scale=0.3)


@pytest.fixture(scope="module")
def normal():
    """The standard normals (D, P) of the stratum of Gaussian teachers along random axes, and their weights."""
    aims = [ortho_group.rvs(size, random_state=np.random.default_rng(size)) for size in (MODES, MODES + 1)]
    sample = sampling.draw(PROBLEM, 2**15, MODES, np.random.SeedSequence(3), aims)
    here = sample.stratum(1)
    assert sample.weights[here].sum() == pytest.approx(0.2)
    return np.concatenate([sample.modes[:, here], sample.target[None, here] / 2]), sample.weights[here] / 0.2


def test_second_moments_are_exact(normal):
    z, weights = normal
    np.testing.assert_allclose(z @ weights, 0, atol=1e-12)
    np.testing.assert_allclose((z * weights) @ z.T, np.eye(MODES + 1), atol=1e-12)


def test_weights_make_up_for_the_spread(normal):
    z, weights = normal
    np.testing.assert_allclose(z**4 @ weights, 3, rtol=0.02)
    np.testing.assert_allclose(np.exp(z) @ weights, np.exp(0.5), rtol=0.01)
    np.testing.assert_allclose((np.abs(z) > 2) @ weights, 0.0455, rtol=0.06)
    np.testing.assert_allclose((z[0] ** 2 * z[1:] ** 2) @ weights, 1, rtol=0.02)
    assert (weights * len(weights)).std() > 0.2  # they are not all alike: the points are spread
