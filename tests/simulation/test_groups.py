"""Finite networks whose coordinates belong to groups: the variance of their data, what is measured, the same bits of one group."""

import numpy as np
import pytest

from dlnflow.model import GaussianDesign, Problem, RademacherDesign, StudentDesign
from dlnflow.simulation import simulate
from dlnflow.simulation.draw import draw_network
from tests.model.groups import MIXED, SPARSE, problem

DESIGNS = [GaussianDesign(), RademacherDesign(kind="rademacher"), StudentDesign(kind="student_t", degrees_of_freedom=5.0)]


@pytest.mark.parametrize("aspect_ratio", [0.5, 1.5, 3.0])
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.kind)
def test_columns_have_the_variance_of_their_group(design, aspect_ratio):
    """The mean square of a group's columns, tr XᵀX/(n m), to 2 % where the fourth moments are finite and of order one, else to 4 %."""
    asked, d = problem(MIXED, aspect_ratio), 600
    network = draw_network(asked, d, np.random.default_rng(0), design)
    squares = np.sum(network.design.X.astype(float) ** 2, axis=0) * d / round(aspect_ratio * d)
    for number, group in enumerate(asked.groups):
        here = network.members == number
        assert squares[here].mean() == pytest.approx(group.variance, rel=0.04 if design.kind == "student_t" else 0.02)


def test_data_are_scaled_too():
    rows = np.random.default_rng(1).standard_normal((200, 50)).astype(np.float32)
    asked = problem(MIXED)
    network = draw_network(asked, 50, np.random.default_rng(2), data=rows)
    scale = np.sqrt(asked.variances(network.members)).astype(np.float32)
    assert all(any(np.allclose(row, scale * one, rtol=1e-6) for one in rows) for row in network.design.X[:5])


def test_the_test_loss_is_that_of_new_data():
    """At t = 0 it is (E[c (w(0) − w*)²] + σ²)/2; over 40 networks within 4 standard errors."""
    asked = problem(MIXED, 0.6, 0.3)
    solution = simulate(asked, 0.1, times=np.array([0.0, 0.1]), dimension=500, replicas=40)
    for name, expected in (("test_loss", (asked.initial_error + 0.09) / 2), ("parameter_error", asked.initial_parameter_error)):
        assert abs(solution.values[name][0] - expected) < 4 * solution.stderr[name][0]
    assert [one.given for one in solution.conditional] == [name for name, p in asked.conditions if p]


def test_one_group_is_the_plain_network_bit_by_bit():
    plain = Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.1, initial_scale=0.3)
    single = problem([{"weight": 1, "target": SPARSE, "initial_scale": 0.3}])
    one, other = (simulate(asked, 1.0, dimension=80, replicas=2) for asked in (plain, single))
    assert all(np.array_equal(one.values[name], other.values[name]) for name in one.values)
