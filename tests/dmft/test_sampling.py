"""Draws that are aimed are still draws of the effective process: averages over them are those of independent standard normals."""

import numpy as np
import pytest
from scipy.stats import kstest, ortho_group

from dlnflow.dmft import sampling
from dlnflow.model import BernoulliGaussTarget, Problem

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


def test_many_points_stand_in_rows_that_are_spread_and_weighted_as_others():
    aims = [ortho_group.rvs(size, random_state=np.random.default_rng(size)) for size in (MODES, MODES + 1)]
    sample = sampling.draw(PROBLEM, 2**15, MODES, np.random.SeedSequence(3), aims, many=True)
    here = sample.stratum(0)
    z, weights = aims[0].T @ sample.modes[:, here], sample.weights[here] / 0.8
    np.testing.assert_allclose((z * weights) @ z.T, np.eye(MODES), atol=1e-12)
    np.testing.assert_allclose(z**4 @ weights, 3, rtol=0.02)
    rows = z.reshape(MODES, -1, sampling.LINE)
    within, across = rows.var(axis=2).mean(axis=1), rows.mean(axis=2).var(axis=1)
    assert (within[1:] < 1e-3 * across[1:]).all()
    assert across[0] < 1e-2 * within[0]
    teacher, weights = sample.target[sample.stratum(1)] / 2, sample.weights[sample.stratum(1)] / 0.2
    assert len(np.unique(teacher)) == len(teacher)
    np.testing.assert_allclose([teacher**4 @ weights, np.exp(teacher) @ weights], [3, np.exp(0.5)], rtol=0.02)


def test_axes_turn_the_modes_in_use_and_leave_the_others_for_last():
    """The first one is that along which w differs: a combination of a mode in use and the teacher weight."""
    sample = sampling.draw(PROBLEM, 2**12, MODES, np.random.SeedSequence(4))
    w = (0.6 * sample.modes[:1] + 0.4 * sample.target) ** 3
    zero, gaussian = sampling.aim_at(PROBLEM, sample, 2, w - sample.target)
    for axes in (zero, gaussian):
        np.testing.assert_allclose(axes @ axes.T, np.eye(len(axes)), atol=1e-12)
        unused = MODES - 2
        np.testing.assert_array_equal(axes[2:MODES, -unused:], np.eye(unused))
    np.testing.assert_allclose(np.abs(zero[:, 0]), [1, 0, 0, 0, 0], atol=0.05)
    assert abs(0.6 * gaussian[0, 0] + 0.8 * gaussian[-1, 0]) > 0.9


def test_later_modes_are_normal_and_opposite_for_neighbours():
    later = slice(sampling.EVEN, sampling.EVEN + 64)
    sample = sampling.draw(PROBLEM, 2**13, later.stop, np.random.SeedSequence(4))
    here = sample.stratum(1)
    modes, z = sample.modes[later, here], sample.target[here] / 2
    assert kstest(modes.ravel(), "norm").pvalue > 0.01
    curved = np.stack([np.cos(2 * z) - np.exp(-2), np.sin(2 * z) - 2 * np.exp(-2) * z])  # orthogonal to what moments make exact
    plain = np.random.default_rng(5).standard_normal(modes.shape)
    assert np.all((curved @ modes.T).std(axis=1) < (curved @ plain.T).std(axis=1) / 4)
