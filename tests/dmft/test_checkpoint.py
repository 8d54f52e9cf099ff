"""A solve that is interrupted between its rounds and taken up again gives the same bits; on the way it shows its curves."""

import numpy as np
import pytest

from dlnflow.dmft import descent, progress, solve, task
from dlnflow.model import BernoulliGaussTarget, GradientDescent, Problem, StochasticGradientFlow
from dlnflow.solution import CURVES, Cancelled
from tests.journal import Kept

PROBLEM = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.2), noise_std=0.1, initial_scale=0.5)
SMALL = PROBLEM.model_copy(update={"initial_scale": 0.01})  # whose paths are sorted by when they begin to move
DYNAMICS = {
    "flow": None,
    "descent": GradientDescent(kind="gradient_descent", step_size=0.1),
    "stochastic flow": StochasticGradientFlow(kind="stochastic_gradient_flow", temperature=0.1),
}


@pytest.fixture
def few_paths(monkeypatch):
    """Rounds that begin with too few paths, so that there are several, but with enough for a spread."""
    monkeypatch.setattr(task, "FIRST_ROUND_PATHS", (256, 256))
    monkeypatch.setattr(descent.solver, "PATHS_AT_ONE", 0.1)
    monkeypatch.setattr(descent.solver, "FIRST_PATHS", 64)


def run(kind: str, journal: Kept, problem: Problem = PROBLEM, horizon: float = 4.0):
    return solve(problem, horizon, accuracy=0.002, seed=2, dynamics=DYNAMICS[kind], journal=journal)


@pytest.mark.parametrize(
    "kind, problem, horizon",
    [("flow", PROBLEM, 4.0), ("flow", SMALL, 4.0), ("descent", PROBLEM, 4.0), ("stochastic flow", PROBLEM, 1.0)],
)
def test_same_bits_from_every_checkpoint(few_paths, kind, problem, horizon):
    undisturbed = Kept()
    expected = run(kind, undisturbed, problem, horizon)
    assert len(undisturbed.checkpoints) >= 2
    for number in range(1, len(undisturbed.checkpoints) + 1):
        interrupted = Kept(last=number)
        with pytest.raises(Cancelled):
            run(kind, interrupted, problem, horizon)
        resumed = Kept(interrupted.checkpoints[-1])
        found = run(kind, resumed, problem, horizon)
        assert len(resumed.checkpoints) == len(undisturbed.checkpoints) - number + 1
        for name in expected.values:
            np.testing.assert_array_equal(found.values[name], expected.values[name])
            np.testing.assert_array_equal(found.stderr[name], expected.stderr[name])
        for name in expected.kernels:
            np.testing.assert_array_equal(found.kernels[name], expected.kernels[name])
        for one, other in zip(found.conditional, expected.conditional, strict=True):
            np.testing.assert_array_equal(one.quantiles, other.quantiles)


@pytest.mark.parametrize("kind", DYNAMICS)
def test_the_checkpoint_of_a_shorter_horizon_leaves_the_bits_of_a_longer_one(kind):
    def to(horizon, journal):
        return solve(PROBLEM, horizon, accuracy=0.05, seed=2, dynamics=DYNAMICS[kind], journal=journal)

    shorter = Kept()
    to(2.0, shorter)
    expected, found = to(4.0, Kept()), to(4.0, Kept(shorter.checkpoints[-1]))
    for name in expected.values:
        np.testing.assert_array_equal(found.values[name], expected.values[name])


def test_previews_grow_with_the_pilot(few_paths, monkeypatch):
    monkeypatch.setattr(progress, "PREVIEW_SECONDS", 0.0)
    journal = Kept()
    run("flow", journal)
    pilot = [time for time, _, stderr in journal.previews if stderr is None]
    assert len(pilot) > 5
    assert len(pilot[0]) < len(pilot[len(pilot) // 2])


@pytest.mark.parametrize("kind", DYNAMICS)
def test_previews_have_error_bars_after_a_round(few_paths, kind):
    journal = Kept()
    final = run(kind, journal)
    rounds = [(values, stderr) for _, values, stderr in journal.previews if stderr]
    assert rounds
    for values, stderr in rounds:
        for name in CURVES:  # each round's error bars hold the result of the last
            assert np.all(np.abs(values[name] - final.values[name]) <= 4 * np.hypot(stderr[name], final.stderr[name]))
