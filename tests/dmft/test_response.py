"""The response is the derivative of the mean of w by the field, also where weights do not move for a long time."""

from dataclasses import replace

import numpy as np
import pytest

from dlnflow.dmft import sampling
from dlnflow.dmft.passes import adaptive_pass
from dlnflow.model import BernoulliGaussTarget, GaussianScale, Problem
from dlnflow.native import dmft as native

PROBLEM = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.1), noise_std=0.1, initial_scale=1e-3)
SHIFT = 1e-4  # of H


def mean_weight(state, sample, node, push):
    """E[w] on the nodes, and each path's k (N, P), with `push` added to the field at one node."""
    column = np.zeros((state.nodes, 1))
    column[node] = push
    pushed = replace(state, factor=np.hstack([state.factor, column]), ranks=[*state.ranks[:-1], state.rank + 1])
    modes = np.vstack([sample.modes[: state.rank], np.ones(len(sample.target))])
    height = np.empty((state.nodes, len(sample.target)))
    pushed.open_loop(replace(sample, modes=modes), height, tangents=False)
    exponent = sample.scale - 2 * state.problem.weight_decay * state.time[:, None]
    rising, falling = np.exp(exponent + 2 * height), np.exp(exponent - 2 * height)
    return (falling - rising) / 2 @ sample.weights, falling + rising


@pytest.mark.parametrize("changes", [{}, {"weight_decay": 0.01}, {"initial_scale": GaussianScale(kind="gaussian", std=1e-2)}])
def test_response_is_the_derivative_of_the_mean_weight(changes):
    problem = PROBLEM.model_copy(update=changes)
    first = sampling.draw(problem, 512, 100, np.random.SeedSequence(1))
    state = adaptive_pass(problem, first, 60.0, 0.1, 1e-5, 8, lambda state: None)
    sample = sampling.draw(problem, 2048, state.rank, np.random.SeedSequence(2))
    response = state.open_loop(sample).response
    weight = state.integrals[:, -1].ravel()
    _, slope = mean_weight(state, sample, 0, 0.0)
    begun = np.cumsum(weight[:, None] * slope, axis=0) > native.QUIET
    for node in (1, state.nodes // 4, state.nodes // 2, 3 * state.nodes // 4):
        push = SHIFT / weight[node]
        (up, _), (down, _) = (mean_weight(state, sample, node, sign * push) for sign in (1, -1))
        derivative = (up - down) / (2 * push)
        assert np.abs(derivative).max() > 0
        np.testing.assert_allclose(response[:, node], derivative, rtol=1e-3, atol=1e-3 * np.abs(derivative).max())
    assert begun[state.nodes // 4].mean() < 0.75
    assert begun[-1].mean() > 0.8


def test_panels_give_the_response_of_the_paths_that_they_end_with(monkeypatch):
    """Also of most blocks, whose early perturbations are followed only as multiples of one."""
    advance, early = native.advance, []

    def watched(*arguments, **named):
        early[:] = named["early"]
        return advance(*arguments, **named)

    monkeypatch.setattr(native, "advance", watched)
    first = sampling.draw(PROBLEM, 512, 100, np.random.SeedSequence(1))
    state = adaptive_pass(PROBLEM, first, 60.0, 0.1, 1e-5, 8, lambda state: None)
    assert np.mean(np.array(early) > 0) > 0.5
    open_response = state.open_loop(first).response
    np.testing.assert_allclose(state.response, open_response, rtol=1e-3, atol=1e-3 * np.abs(open_response).max())
