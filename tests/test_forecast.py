"""What a job is predicted to cost: more never costs less, and the range is wide where a solve may turn out to be hard."""

import itertools
import random

import pytest

from dlnflow import forecast
from dlnflow.forecast_fit import DESCENT_ERROR, DESCENT_STEP, FLOW, FLOW_SPREAD, PACE_SECONDS
from dlnflow.wire.requests import request_adapter
from worker import pace

PLAIN = {"aspect_ratio": 0.4, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 0.3}


def dmft(problem: dict = PLAIN, horizon: float = 50, accuracy: float = 0.02, **fields):
    return request_adapter.validate_python({"kind": "dmft", "problem": problem, "horizon": horizon, "accuracy": accuracy, **fields})


def problems(number: int) -> list[dict]:
    rng = random.Random(0)
    return [
        PLAIN
        | {
            "aspect_ratio": 0.1 * 30 ** rng.random(),
            "noise_std": rng.choice([0, rng.random()]),
            "initial_scale": 1e-3 * 5e3 ** rng.random(),
            "weight_decay": rng.choice([0, 0.1 * rng.random()]),
        }
        for _ in range(number)
    ]


@pytest.mark.parametrize("dynamics", [{"kind": "gradient_flow"}, {"kind": "gradient_descent", "step_size": 0.05}])
def test_longer_and_more_accurate_solves_are_never_predicted_to_be_cheaper(dynamics):
    for problem in problems(50):
        horizons = [forecast.cost(dmft(problem, horizon, dynamics=dynamics)).seconds for horizon in (1, 2, 8, 30, 90)]
        accuracies = [forecast.cost(dmft(problem, 20, accuracy, dynamics=dynamics)).seconds for accuracy in (0.1, 0.05, 0.02, 0.005, 0.001)]
        for costs in (horizons, accuracies):
            assert all(less <= more * (1 + 1e-9) for less, more in itertools.pairwise(costs)), problem


def test_the_range_lies_about_the_seconds_and_is_wide_where_a_solve_may_be_hard():
    plain, hard = forecast.cost(dmft()), forecast.cost(dmft(PLAIN | {"aspect_ratio": 1, "noise_std": 0.5, "initial_scale": 2e-3}, 1000))
    for cost in (plain, hard):
        assert cost.low < cost.seconds < cost.high
    assert hard.high / hard.low > 1.5 * plain.high / plain.low > 1.5
    twice = plain.at(2)
    assert (twice.low, twice.high, twice.memory_bytes) == (2 * plain.low, 2 * plain.high, plain.memory_bytes)


def test_the_range_of_several_jobs_is_that_of_all_of_them():
    one = forecast.cost(dmft())
    sweep = request_adapter.validate_python({"kind": "sweep", "base": dmft().model_dump(), "axes": {"seed": [1, 2, 3]}})
    assert forecast.cost(sweep)[-2:] == pytest.approx((3 * one.low, 3 * one.high))


def test_the_solve_that_measures_a_machine_takes_what_it_is_predicted_to():
    predicted = forecast.cost(dmft(pace.PROBLEM.model_dump(), 32, 0.01)).seconds
    assert PACE_SECONDS / 2 < predicted < 2 * PACE_SECONDS


def test_there_are_few_coefficients():
    assert len(FLOW) <= 20
    assert len(FLOW + FLOW_SPREAD + DESCENT_ERROR + DESCENT_STEP) < 50
