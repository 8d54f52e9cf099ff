"""Mean-field theory against finite networks of d = 1500 in problems of different kinds: z-scores at every time.

A standard error from 24 replicas makes the quotient follow Student's t; it is turned into the z-score of the same probability. The bound
of 4 covers some 300 correlated comparisons and the 1/d bias of the finite network.
"""

import numpy as np
import pytest
from scipy.stats import norm, t

from dlnflow.dmft import solve
from dlnflow.model import BernoulliGaussTarget, DiscreteTarget, GaussianScale, GaussianTarget, PairScale, Problem, StudentTarget
from dlnflow.simulation import simulate
from dlnflow.solution import CURVES
from tests.model.laws import LAWS

REPLICAS = 24
TIMES = np.array([0.25, 0.5, 1.0, 2.0, 4.0, 8.0])
PROBLEMS = {
    "weight decay": Problem(
        aspect_ratio=0.8, target=BernoulliGaussTarget(density=0.2), noise_std=0.2, initial_scale=0.5, weight_decay=0.05
    ),
    "no noise": Problem(aspect_ratio=0.7, target=BernoulliGaussTarget(density=0.1), noise_std=0.0, initial_scale=0.3),
    "more samples than parameters": Problem(aspect_ratio=1.5, target=GaussianTarget(), noise_std=0.3, initial_scale=0.4),
    "discrete target": Problem(
        aspect_ratio=0.6,
        target=DiscreteTarget(atoms=(-1.0, 0.0, 2.0), probabilities=(0.1, 0.8, 0.1)),
        noise_std=0.1,
        initial_scale=0.3,
    ),
    "unequal initial values": Problem(
        aspect_ratio=0.8,
        target=BernoulliGaussTarget(density=0.2),
        noise_std=0.1,
        initial_scale=PairScale(u=0.8, v=0.3),
        weight_decay=0.02,
    ),
    "random initial values": Problem(
        aspect_ratio=0.6, target=GaussianTarget(), noise_std=0.1, initial_scale=GaussianScale(kind="gaussian", std=0.6)
    ),
    "Laplace target": Problem(aspect_ratio=0.6, target=LAWS["laplace"].target, noise_std=0.1, initial_scale=0.3),
    "Student's target": Problem(
        aspect_ratio=1.2, target=StudentTarget(degrees_of_freedom=8.0), noise_std=0.2, initial_scale=PairScale(u=0.5, v=0.2)
    ),
    "uniform target": Problem(aspect_ratio=0.7, target=LAWS["uniform"].target, noise_std=0.1, initial_scale=0.4, weight_decay=0.05),
    "values": Problem(aspect_ratio=0.5, target=LAWS["values"].target, noise_std=0.1, initial_scale=GaussianScale(kind="gaussian", std=0.5)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEMS)
def test_dmft_agrees_with_simulation(name):
    theory = solve(PROBLEMS[name], 8.0, times=TIMES, accuracy=0.01)
    network = simulate(PROBLEMS[name], 8.0, times=TIMES, dimension=1500, replicas=REPLICAS, seed=1)
    for curve in (*CURVES, "overlap", "norm", "l1_norm", "u_norm", "v_norm", "excess_l1_norm", "missed_support", "false_support"):
        spread = np.hypot(theory.stderr[curve], network.stderr[curve])
        difference = np.abs(theory.values[curve] - network.values[curve])
        quotient = np.divide(difference, spread, out=np.zeros_like(spread), where=(spread > 0) | (difference > 0))
        z = norm.isf(t.sf(quotient, REPLICAS - 1))
        assert z.max() < 4, (curve, z)
    for one, other in zip(theory.conditional, network.conditional, strict=True):
        assert (one.given, one.probability) == (other.given, pytest.approx(other.probability))
        np.testing.assert_allclose(one.mean, other.mean, atol=0.05)  # five standard errors of 3600 weights in the smallest group
