"""Populations of groups: one that is plain, weights and conditions, draws."""

import json

import numpy as np
import pytest

from dlnflow.model import Problem
from tests.model.groups import MIXED, SPARSE, TWO_VARIANCES, problem

PLAIN = {"aspect_ratio": 0.5, "target": SPARSE, "noise_std": 0.1, "initial_scale": 0.3}


def test_a_plain_problem_is_one_group_and_says_nothing_of_it():
    plain = Problem.model_validate(PLAIN)
    assert list(json.loads(plain.model_dump_json())) == ["aspect_ratio", "target", "noise_std", "initial_scale", "weight_decay"]
    (group,) = plain.population
    assert (group.weight, group.variance, group.target, group.initial_scale) == (1, 1, plain.target, 0.3)
    assert [name for name, _ in plain.conditions] == ["w*<0", "w*=0", "w*>0"]


def test_groups_stand_in_place_of_target_and_scale():
    grouped = problem(TWO_VARIANCES)
    assert list(json.loads(grouped.model_dump_json())) == ["aspect_ratio", "noise_std", "weight_decay", "groups"]
    assert Problem.model_validate_json(grouped.model_dump_json()) == grouped
    assert [name for name, _ in grouped.conditions][2:4] == ["w*>0, group 1", "w*<0, group 2"]


def test_moments_are_those_of_the_mixture():
    mixed = problem(MIXED)
    second = [1.0, 0.2, 0.25]
    assert mixed.target_second_moment == pytest.approx(np.dot([0.2, 0.5, 0.3], second))
    assert mixed.target_mean == pytest.approx(0.5 * 0.2)
    w0 = (0.36 - 0.04) / 2
    assert mixed.initial_parameter_error == pytest.approx(np.dot([0.2, 0.5, 0.3], np.add(second, [0, 0, w0**2])))
    assert mixed.initial_error == pytest.approx(np.dot([0.4, 0.25, 0.3], np.add(second, [0, 0, w0**2])))
    assert mixed.initial_second_moment == pytest.approx(0.4 * 0.25 + 0.25 * 0.04 + 0.3 * 0.2)
    assert sum(stratum.probability for _, stratum in mixed.parts) == pytest.approx(1)
    assert sum(p for _, p in mixed.conditions) == pytest.approx(1)
    assert not mixed.is_symmetric and problem(TWO_VARIANCES).is_symmetric


def test_draws_belong_to_their_groups():
    mixed, d = problem(MIXED), 40_000
    rng = np.random.default_rng(0)
    members = mixed.members(d, rng)
    np.testing.assert_allclose(np.bincount(members) / d, [0.2, 0.5, 0.3], atol=4 * 0.5 / d**0.5)
    teacher, (u0, v0) = mixed.teacher(members, rng), mixed.start(members, rng)
    assert set(teacher[members == 1]) == {0.0, 1.0}
    assert teacher[members == 2].std() == pytest.approx(0.5, rel=0.05)
    np.testing.assert_array_equal(u0, np.array([0.5, 0.2, 0.6])[members])
    np.testing.assert_array_equal(v0, np.array([0.5, 0.2, 0.2])[members])
    np.testing.assert_array_equal(mixed.variances(members), np.array([2.0, 0.5, 1.0])[members])
    met = np.bincount(mixed.classify(members, teacher), minlength=len(mixed.conditions)) / d
    np.testing.assert_allclose(met, [p for _, p in mixed.conditions], atol=4 * 0.5 / d**0.5)


def test_one_group_draws_what_a_plain_problem_draws():
    plain, grouped = Problem.model_validate(PLAIN), problem([{"weight": 1, "target": SPARSE, "initial_scale": 0.3}])
    for asked in (plain, grouped):
        rng = np.random.default_rng(1)
        np.testing.assert_array_equal(asked.teacher(asked.members(100, rng), rng), plain.target.draw(100, np.random.default_rng(1)))
