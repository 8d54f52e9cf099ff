"""The verdict of a comparison, on curves whose relation is known."""

import numpy as np
import pytest

from dlnflow.solution import CURVES
from dlnflow.wire.comparison import compare, critical_z

TIME = np.geomspace(0.1, 10, 40)
VALUE = np.exp(-TIME)


def curves(values, stderr) -> dict:
    return {"time": TIME} | {name: values for name in CURVES} | {f"{name}_stderr": stderr for name in CURVES}


def verdict(shift: float, *, replicas: int = 16, noise: float = 0.01, dimension: int = 10_000, advice: str | None = None) -> dict:
    draws = np.random.default_rng(5).normal(size=len(TIME)) * noise * VALUE
    simulation = curves(VALUE * (1 + shift) + draws, noise * VALUE)
    outcome = "not_converged" if advice else "converged"
    diagnostics = {"outcome": outcome, "advice": advice}, {"replicas": replicas, "dimension": dimension}
    return compare(curves(VALUE, 0 * VALUE), simulation, *diagnostics)


def test_differences_are_in_standard_errors_of_the_difference():
    both = compare(
        curves(VALUE, 0.03 * VALUE), curves(1.1 * VALUE, 0.04 * VALUE), {"outcome": "converged"}, {"replicas": 8, "dimension": 100}
    )
    np.testing.assert_allclose(both["train_loss"]["z_score"], 0.1 / 0.05, rtol=1e-6)
    np.testing.assert_allclose(both["test_loss"]["difference"], 0.1 * VALUE, rtol=1e-9)


@pytest.mark.parametrize(("shift", "word"), [(0.0, "agree"), (0.03, "agree"), (-0.1, "deviate"), (0.1, "deviate")])
def test_the_verdict_sees_a_shift_beyond_chance_and_finite_size(shift, word):
    found = verdict(shift)
    assert found["verdict"] == word
    assert (found["worst"]["of_allowed"] > 1) == (word == "deviate")
    assert f"t = {found['worst']['time']:.3g}" in found["explanation"]


def test_a_smaller_network_may_deviate_more():
    assert verdict(0.1, dimension=50)["verdict"] == "agree"


def test_few_replicas_are_inconclusive_and_advice_of_the_solve_is_passed_on():
    assert verdict(0.0, replicas=3)["verdict"] == "inconclusive"
    for replicas in (3, 16):
        assert "The error is 0.1." in verdict(0.0, replicas=replicas, advice="The error is 0.1.")["explanation"]


def test_curves_are_compared_as_far_as_the_mean_field_solve_came():
    times = len(TIME) // 2
    simulation = curves(np.where(np.arange(len(TIME)) < times, VALUE, 2 * VALUE), 0.01 * VALUE)
    dmft = {name: values[:times] for name, values in curves(VALUE, 0 * VALUE).items()}
    found = compare(dmft, simulation, {"outcome": "not_converged", "advice": ""}, {"replicas": 16, "dimension": 10_000})
    assert found["verdict"] == "agree"
    assert len(found["time"]) == len(found["train_loss"]["z_score"]) == times


def test_agreeing_curves_are_rarely_said_to_deviate():
    """The level is 1 % for a whole comparison; 400 of them with independent times give 4 ± 2 at most."""
    rng, deviating = np.random.default_rng(11), 0
    for _ in range(400):
        draws = rng.normal(size=(8, 2, len(TIME)))
        z = draws.mean(axis=0) / (draws.std(axis=0, ddof=1) / np.sqrt(8))
        deviating += bool((np.abs(z) > critical_z(8, 2 * len(TIME))).any())
    assert deviating <= 12


def test_a_comparison_that_sees_too_little_is_inconclusive_and_says_what_it_could_have_seen():
    found = verdict(0.0, replicas=4, noise=0.02)
    seen = found["resolution"]
    assert found["verdict"] == "inconclusive" and seen > 0.2
    assert found["explanation"].startswith(f"could only have seen ±{seen:.0%}, use {found['replicas_needed']} replicas")
    assert verdict(0.5 * seen, replicas=4, noise=0.02)["verdict"] == "inconclusive"
    assert verdict(1.2 * seen, replicas=4, noise=0.02)["verdict"] == "deviate"


def test_the_replicas_that_are_asked_for_would_do_and_fewer_would_not():
    needed = verdict(0.0, replicas=4, noise=0.1)["replicas_needed"]
    for replicas, word in ((needed, "agree"), (needed - 1, "inconclusive")):
        assert verdict(0.0, replicas=replicas, noise=0.1 * (4 / replicas) ** 0.5)["verdict"] == word


def test_where_no_number_of_replicas_would_do_another_remedy_is_named():
    found = verdict(0.0, dimension=20)
    assert (found["verdict"], found["replicas_needed"]) == ("inconclusive", None)
    assert "larger dimension" in found["explanation"]
