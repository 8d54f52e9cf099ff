"""What `predict` says over the whole range: finite or a reason, consistent under rescaling, JSON, fast."""

import json
import time

import numpy as np
import pytest

from dlnflow.model import (
    BernoulliGaussTarget,
    DiscreteTarget,
    GaussianScale,
    GaussianTarget,
    LaplaceTarget,
    PairScale,
    Problem,
    StudentTarget,
    UniformTarget,
    ValuesTarget,
)
from dlnflow.theory import population, predict
from tests.theory.test_final import SPARSE, of


def random_problem(rng):
    """Log-uniform over the ranges that are promised."""

    def between(low, high):
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    atoms = np.unique(np.append(0.0, between(0.01, 30) * np.clip(rng.normal(size=rng.integers(1, 8)), -3, 3)))
    targets = [
        GaussianTarget(std=between(0.01, 100)),
        BernoulliGaussTarget(density=between(0.001, 1), std=between(0.01, 100)),
        DiscreteTarget(atoms=tuple(atoms), probabilities=tuple(rng.dirichlet(np.full(len(atoms), 5.0)))),
        LaplaceTarget(std=between(0.01, 100)),
        StudentTarget(degrees_of_freedom=between(3, 1000), std=between(0.01, 100)),
        UniformTarget(low=-between(0.01, 100), high=between(0.01, 100)),
        ValuesTarget(values=tuple(between(0.01, 10) * rng.normal(size=rng.integers(1, 300)))),
    ]
    a = between(1e-4, 100)
    scales = [a, a, PairScale(u=a, v=between(1e-4, 100)), GaussianScale(kind="gaussian", std=a)]
    return Problem(
        aspect_ratio=rng.choice([between(0.05, 100), between(0.05, 1), 1 + rng.choice([-1, 1]) * between(1e-6, 0.1)], p=[0.5, 0.3, 0.2]),
        target=targets[rng.integers(len(targets))],
        noise_std=rng.choice([0.0, between(1e-3, 10)]),
        initial_scale=scales[rng.integers(4)],
        weight_decay=rng.choice([0.0, between(1e-6, 10)]),
    )


@pytest.mark.parametrize("seed", range(8))
def test_everything_is_finite_or_explained_and_fast(seed):
    rng, seconds = np.random.default_rng(seed), []
    for _ in range(25):
        problem = random_problem(rng)
        start = time.process_time()
        theory = predict(problem)
        seconds.append(time.process_time() - start)
        json.dumps(theory.to_dict(), allow_nan=False)
        for name, note in theory.notes.items():
            assert getattr(theory, name) is not None or note.why, name
            assert note.source or note.why, name
        for name, scale in theory.time_scales.items():
            assert scale.note and scale.formula and scale.source and scale.valid, name
            assert scale.value is None or scale.value > 0, (name, scale)
        assert theory.final_parameter_error >= 0
        assert theory.final_overlap**2 <= theory.final_norm * problem.target_second_moment * (1 + 1e-6)
        error = theory.final_norm - 2 * theory.final_overlap + problem.target_second_moment
        assert theory.final_parameter_error == pytest.approx(error, rel=1e-3, abs=1e-6 * (theory.final_norm + problem.target_second_moment))
    assert np.median(seconds) < 0.2


@pytest.mark.parametrize("decay", [0.0, 0.2])
@pytest.mark.parametrize("delta", [0.5, 2.0])
@pytest.mark.parametrize("scale", [0.2, 5.0])
def test_rescaling(delta, scale, decay):
    """w → g w, a² → g a², t → t/g is a symmetry of the dynamics, so of every statement about it."""
    g = 7.0
    one = predict(of(delta, noise=0.3, scale=scale, decay=decay))
    other = predict(of(delta, BernoulliGaussTarget(density=0.1, std=g), noise=0.3 * g, scale=scale * g**0.5, decay=decay * g))
    assert one.regime == other.regime
    for name, power in (("final_parameter_error", 2), ("final_train_loss", 2), ("final_l1_norm", 1), ("convergence_rate", 1)):
        mine, theirs = getattr(one, name), getattr(other, name)
        assert theirs == (None if mine is None else pytest.approx(mine * g**power, rel=1e-6))
    for name, mine in one.time_scales.items():
        theirs = other.time_scales[name].value
        assert theirs == (None if mine.value is None else pytest.approx(mine.value / g, rel=1e-6)), name


@pytest.mark.parametrize(
    ("problem", "regime"),
    [
        (of(0.5, scale=10.0), "lazy"),
        (of(0.5, scale=0.01), "rich"),
        (of(0.5, scale=1.0), "intermediate"),
        (of(0.5, scale=10.0, decay=0.01), "lazy_then_rich"),
        (of(0.5, scale=0.01, decay=0.01), "rich"),
        (of(0.5, scale=PairScale(u=100.0, v=1e-4)), "intermediate"),
    ],
    ids=str,
)
def test_regimes(problem, regime):
    theory = predict(problem)
    assert theory.regime == regime
    assert "ratio" in theory.regime_why


def test_time_scales_are_the_papers_where_weights_are_of_order_one():
    large = predict(of(0.5, scale=10.0, decay=0.01)).time_scales
    assert large["lazy"].value == pytest.approx(1 / 200)
    assert large["rich_onset"].value == pytest.approx(np.log(10) / 0.01)
    assert large["forgetting"].value == pytest.approx(50)
    assert large["search"].value is None
    small = predict(of(0.5, scale=0.01)).time_scales
    assert small["search"].value == pytest.approx(np.log(1e4) / (2 * np.sqrt(1 + 0.11 / 0.5)))
    assert small["lazy"].value is small["rich_onset"].value is small["forgetting"].value is None


def test_search_ends_when_a_coordinate_leaves_zero():
    """In the population limit a coordinate of size 1 stays near zero before the search time and arrives a few descents after it."""
    problem = of(100.0, DiscreteTarget(atoms=(1.0,), probabilities=(1.0,)), noise=0.0, scale=1e-3)
    scales = predict(problem).time_scales
    search, descent = scales["search"].value, scales["descent"].value
    before, after = population.curves(problem, np.array([search - 4 * descent, search + 5 * descent])).parameter_error
    assert before > 0.9
    assert after < 0.01


def test_no_limit_is_said_and_not_computed():
    theory = predict(of(1.0))
    assert theory.final_parameter_error is theory.final_l1_norm is None
    assert "infinite" in theory.notes["final_parameter_error"].why
    assert theory.regime == "rich"


def test_random_initial_values_are_constant_ones_in_the_mean():
    """u, v drawn from {±a} would be balanced; Gaussian ones end between the pair's limits and are finite."""
    theory = predict(Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.1, initial_scale=GaussianScale(kind="gaussian", std=1e-4)))
    assert theory.final_parameter_error == pytest.approx(predict(of(0.5, scale=1e-4)).final_parameter_error, rel=0.05)
