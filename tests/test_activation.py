"""Activation times of conditional means whose crossing is known."""

import numpy as np
import pytest

from dlnflow.activation import activation_time
from dlnflow.model import DiscreteTarget, Problem
from dlnflow.solution import Conditional
from dlnflow.theory import population

TIME = np.linspace(0, 10, 201)


def conditional(mean, spread: float = 0.1) -> Conditional:
    return Conditional("w*=1", 0.5, mean, np.array([mean + q * spread for q in (-2, -1, 0, 1, 2)]))


@pytest.mark.parametrize("sign", [1, -1])
def test_half_of_the_final_value_is_crossed(sign):
    mean = sign * np.where(TIME < 4, 0, np.minimum((TIME - 4) / 2, 1))
    assert activation_time(TIME, conditional(mean)) == pytest.approx(5, abs=1e-9)


def test_weights_that_stay_around_zero_have_no_activation():
    assert np.isnan(activation_time(TIME, conditional(0.01 * TIME, spread=0.2)))


def test_weights_that_start_at_their_end_have_no_activation():
    assert np.isnan(activation_time(TIME, conditional(np.ones_like(TIME))))


def test_a_logistic_rise_from_a_small_start():
    """For δ → ∞, ẇ = 2√(w² + a⁴)(1 − w) with w(0) = 0 crosses 1/2 near log(1/a²)/2 for small a."""
    problem = Problem(aspect_ratio=100, target=DiscreteTarget(atoms=(1.0,), probabilities=(1.0,)), initial_scale=1e-3)
    error = population.curves(problem, TIME).parameter_error
    assert activation_time(TIME, conditional(1 - np.sqrt(error))) == pytest.approx(np.log(1e3), abs=0.5)
