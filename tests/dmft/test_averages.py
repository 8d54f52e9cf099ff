"""The compiled averages have the names that Python calls them by; averages on one kind of panels are those on another."""

from itertools import pairwise

import numpy as np
import pytest

from dlnflow.dmft import radau, sampling
from dlnflow.dmft.averages import OBSERVED, Averages, Observed
from dlnflow.dmft.passes import adaptive_pass
from dlnflow.model import BernoulliGaussTarget, DiscreteTarget, Problem
from dlnflow.native import dmft as native

SYMMETRIC = Problem(aspect_ratio=0.7, target=BernoulliGaussTarget(density=0.3), noise_std=0.1, initial_scale=0.4, weight_decay=0.02)
ATOMS = SYMMETRIC.model_copy(update={"target": DiscreteTarget(atoms=(-1.0, 0.0, 2.0), probabilities=(0.2, 0.5, 0.3))})


@pytest.mark.parametrize("problem", [SYMMETRIC, ATOMS])
def test_names_are_those_of_the_compiled_averages(problem):
    """Every row against the weighted mean over the paths that u and v of each give; rounding apart."""
    state = adaptive_pass(problem, sampling.draw(problem, 512, 40, np.random.SeedSequence(0)), 2.0, 0.3, 1e-6, 8, lambda state: None)
    sample = state.sample
    height = np.empty((state.nodes, len(sample.target)))
    observed = state.open_loop(sample, height).observed
    decay = np.exp(-2 * problem.weight_decay * state.time)[:, None] * problem.initial_scale**2
    u, v = np.sqrt(decay * np.exp(-2 * height)), np.sqrt(decay * np.exp(2 * height))
    w = (u**2 - v**2) / 2
    mirrored = np.where(sample.target < 0, -w, w) if problem.is_symmetric else w
    error = w - sample.target
    by_panel = error.reshape(state.panels, state.order, -1)
    framed = np.concatenate([np.concatenate([-sample.target[None], by_panel[:-1, -1]])[:, None], by_panel], axis=1)
    within = np.diff(state.edges)[:, None, None] * (radau.integration_from_edge(state.order) @ framed)
    before = np.cumsum(within[:, -1:], axis=0) - within[:, -1:]
    mean = (before + within).reshape(error.shape) / state.time[:, None]
    expected = {
        "overlap": w * sample.target,
        "magnitude": np.abs(w),
        "slope": u**2 + v**2,
        "mean": mirrored,
        "error": error**2,
        "squares": u**2 + v**2,
        "difference": 2 * mirrored,
        "log_product": np.log(u * v),
        "averaged": mean**2,
        "drift": mean * error,
        "missed": (np.abs(w) <= problem.support_threshold) & (sample.target != 0),
        "false": (np.abs(w) > problem.support_threshold) & (sample.target == 0),
    }
    assert set(expected) == set(OBSERVED) and len(OBSERVED) == native.OBSERVED
    for name, values in expected.items():
        for k in range(len(problem.parts)):
            here = sample.stratum(k)
            np.testing.assert_allclose(getattr(observed, name)[k], values[:, here] @ sample.weights[here], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(getattr(observed.whole(), name), values @ sample.weights, rtol=1e-9, atol=1e-12)


def test_interpolation_to_more_nodes_is_exact_for_polynomials():
    """Of degree three on panels of four nodes; and what goes to five nodes and back is what it was."""
    edges, order = np.array([0.0, 0.5, 2.0]), 4

    def nodes(m):
        return np.concatenate([left + (right - left) * radau.nodes(m) for left, right in pairwise(edges)])

    def averages(t):
        kernel = np.outer(1 + t**3, 1 + t**3)
        return Averages(np.zeros((len(t), len(t))), kernel, 2 * kernel, Observed(np.stack([t**k for k in range(4)])[None]))

    finer = averages(nodes(order)).interpolated(order, order + 1)
    expected = averages(nodes(order + 1))
    np.testing.assert_allclose(finer.rest, expected.rest, rtol=1e-12)
    np.testing.assert_allclose(finer.errors, expected.errors, rtol=1e-12)
    np.testing.assert_allclose(finer.observed.rows, expected.observed.rows, rtol=1e-12)
    rng = np.random.default_rng(0)
    response = rng.normal(size=(8, 8))
    again = Averages(response, response, response, Observed(np.zeros((1, 4, 8)))).interpolated(4, 5).interpolated(5, 4)
    np.testing.assert_allclose(again.response, response, atol=1e-12)
