"""Gradient descent with batches, momentum, label noise, schedules, depth and groups: networks, closed forms, limits, tabled values."""

import numpy as np
import pytest
from scipy.stats import norm, t

from dlnflow.dmft import sampling, solve
from dlnflow.dmft.descent import solver
from dlnflow.dmft.descent.march import Marcher, stability_edge
from dlnflow.model import BernoulliGaussTarget, GradientDescent, Problem
from dlnflow.simulation import simulate
from dlnflow.solution import SolveError

REPLICAS = 64
SPARSE = {"kind": "bernoulli_gauss", "density": 0.1}
GROUPS = [{"weight": 0.5, "variance": c, "target": SPARSE, "initial_scale": 0.5} for c in (0.25, 1.75)]
WARM_UP = {"kind": "warmup_decay", "peak": 0.2, "end": 0.02, "warmup_steps": 5, "steps": 40}


def problem(**changes) -> Problem:
    alike = {} if "groups" in changes else {"target": SPARSE, "initial_scale": 0.3}
    return Problem.model_validate({"aspect_ratio": 0.5, "noise_std": 0.1} | alike | changes)


def descent(**fields) -> GradientDescent:
    return GradientDescent.model_validate({"kind": "gradient_descent"} | fields)


ROUGH = (
    problem(aspect_ratio=1.2, initial_scale=0.4, weight_decay=0.02),
    descent(step_size=0.06, batch_fraction=0.4, label_noise_std=0.3),
    9.0,
)
FAMILY = {
    "batches at depth 3": (problem(initial_scale=0.5, depth=3), descent(step_size=0.03, batch_fraction=0.2), 3.0),
    "momentum of groups": (problem(groups=GROUPS), descent(step_size=0.03, momentum=0.8), 1.5),
    "a schedule of batches": (problem(), descent(step_size=WARM_UP, batch_fraction=0.3, label_noise_std=0.2), 4.0),
    "a linear network": (
        problem(initial_scale={"u": 1.0, "v": 0.6}, depth=1, weight_decay=0.1),
        descent(step_size=0.03, batch_fraction=0.3, momentum=0.5),
        1.5,
    ),
    "noisy labels at depth 2.5": (
        problem(groups=GROUPS, depth=2.5, aspect_ratio=0.8, weight_decay=0.02),
        descent(step_size=0.05, label_noise_std=0.3),
        2.0,
    ),
    "rough histories, of which not all is kept": ROUGH,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILY)
def test_descent_agrees_with_finite_networks(name):
    """|z| < 4 covers some thirty correlated comparisons and the 1/d bias of networks with d = 2000."""
    asked, dynamics, horizon = FAMILY[name]
    times = np.array([0.25, 0.5, 1.0]) * horizon
    theory = solve(asked, horizon, dynamics=dynamics, times=times, accuracy=0.02)
    network = simulate(asked, horizon, dynamics=dynamics, times=times, dimension=2000, replicas=REPLICAS, seed=1)
    assert theory.diagnostics["outcome"] == "converged"
    for curve, values in theory.values.items():
        difference, spread = np.abs(values - network.values[curve]), np.hypot(theory.stderr[curve], network.stderr[curve])
        quotient = np.divide(difference, spread, out=np.zeros_like(spread), where=(spread > 0) | (difference > 0))
        z = norm.isf(t.sf(quotient, REPLICAS - 1))
        assert z.max() < 4, (curve, z)


def marchenko_pastur(delta: float, nodes: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of X Xᵀ/δ, n ≤ d, and their weights: the law of Marchenko & Pastur by Chebyshev's rule of the second kind."""
    angle = np.pi * np.arange(1, nodes + 1) / (nodes + 1)
    x = 1 + delta + 2 * np.sqrt(delta) * np.cos(angle)
    return x / delta, 2 / (nodes + 1) * np.sin(angle) ** 2 / x


@pytest.mark.parametrize("dynamics", [{}, {"batch_fraction": 0.2}, {"batch_fraction": 0.5, "label_noise_std": 0.4}], ids=str)
def test_stochastic_least_squares_obey_a_volterra_equation(dynamics):
    """At depth 1 noise of variance N_j = q D_j + σ_l²/b moves residuals by 2η X Xᵀ/δ, and later steps damp it by 1 − 2η X Xᵀ/δ."""
    delta, sigma, eta, steps = 0.5, 0.1, 0.05, 40
    asked = problem(aspect_ratio=delta, noise_std=sigma, depth=1, initial_scale=1.0)
    b, labels = dynamics.get("batch_fraction", 1.0), dynamics.get("label_noise_std", 0.0)
    a, weight = marchenko_pastur(delta)
    damped = (1 - 2 * eta * a) ** np.arange(steps + 1)[:, None]
    twice_loss = damped**2 @ (weight * (0.1 * delta * a + sigma**2))
    kernel = damped**2 @ (weight * (2 * eta * a) ** 2)
    for k in range(1, steps + 1):
        noise = (1 - b) / b * twice_loss[:k] + labels**2 / b
        twice_loss[k] += kernel[k - 1 :: -1] @ noise
    times = eta * np.arange(0, steps + 1, 8)
    theory = solve(asked, eta * steps, dynamics=descent(step_size=eta, **dynamics), times=times, accuracy=0.02)
    gap = np.abs(2 * theory.values["train_loss"] - twice_loss[::8])
    assert np.all(gap <= 2 * 2 * theory.stderr["train_loss"] + 1e-4 * twice_loss[::8])  # modes of ζ leave out 1e-6 of its variance


def test_the_linear_model_with_momentum_until_its_loss_is_a_millionth():
    """Least squares by heavy ball: an eigenvalue `a` of X Xᵀ/δ has y(k+1) = (1 + β − 2ηa) y(k) − β y(k−1)."""
    delta, sigma, eta, beta, steps = 0.7, 0.2, 0.03, 0.85, 200
    a, weight = marchenko_pastur(delta)
    past, now = np.ones_like(a), 1 - 2 * eta * a
    twice_loss = [weight @ (0.1 * delta * a + sigma**2), weight @ ((0.1 * delta * a + sigma**2) * now**2)]
    for _ in range(steps - 1):
        past, now = now, (1 + beta - 2 * eta * a) * now - beta * past
        twice_loss.append(weight @ ((0.1 * delta * a + sigma**2) * now**2))
    asked = problem(aspect_ratio=delta, noise_std=sigma, depth=1, initial_scale=1.0)
    times = eta * np.arange(0, steps + 1, 10)
    theory = solve(asked, eta * steps, dynamics=descent(step_size=eta, momentum=beta), times=times, accuracy=0.02)
    assert twice_loss[-1] < 1e-5 * twice_loss[0]
    np.testing.assert_allclose(2 * theory.values["train_loss"], twice_loss[::10], rtol=3e-3, atol=3e-7 * twice_loss[0])


def test_what_a_memory_of_few_functions_leaves_out_is_told_by_one_of_half():
    """Against a basis that holds every step: four functions do not hold what the share would keep."""
    asked, dynamics, horizon = ROUGH
    sizes = dynamics.sizes(horizon)
    sample = sampling.draw(asked, 256, len(sizes) + 1, np.random.SeedSequence(3))
    memories = ({"panel": len(sizes) + 1}, {"most": 4}, {"most": 2})
    exact, few, fewer = (
        Marcher(asked, [sample], dynamics, sizes, negligible=1e-12, **memory).run(len(sizes), range(len(sizes) + 1), lambda k: None)
        for memory in memories
    )
    assert (few.rank, fewer.rank) == (4, 2)
    size = np.array(exact.variance)
    error, told = (np.abs(np.array(one.variance) - few.variance) / size for one in (exact, fewer))
    assert error.max() <= told.max() < 0.05


def test_where_the_memory_neglects_too_much_the_first_round_is_the_last_and_says_so(monkeypatch):
    asked, dynamics, horizon = ROUGH
    monkeypatch.setattr(solver, "NEGLIGIBLE_OF_NOISE", 0.2)
    monkeypatch.setattr(solver, "LEAST_NEGLIGIBLE", 1.0)
    found = solve(asked, horizon, dynamics=dynamics, accuracy=0.01).diagnostics
    assert (found["outcome"], found["paths"]) == ("not_converged", 1024)  # one round: 8 / 0.01 paths, as a power of two
    assert found["error"]["fixed_point"] > 0.01


def test_batches_of_nearly_everything_no_momentum_and_depth_two_are_limits():
    times = np.array([0.5, 1.0, 2.0])
    plain = solve(problem(), 2.0, dynamics=descent(step_size=0.1), times=times, accuracy=0.01)
    for change, dynamics in (
        ({}, {"batch_fraction": 1 - 1e-7}),
        ({}, {"momentum": 1e-7}),
        ({}, {"label_noise_std": 1e-5}),
        ({"depth": 2 + 1e-5}, {}),
        ({}, {"step_size": {"kind": "list", "values": [0.1] * 20}}),
    ):
        one = descent(**{"step_size": 0.1} | dynamics)
        near = solve(problem(**change), 2.0, dynamics=one, times=times, accuracy=0.01)
        assert near.diagnostics["paths"] == plain.diagnostics["paths"]  # so that they have the same sampling error
        for name, values in plain.values.items():
            errors = np.hypot(near.stderr[name], plain.stderr[name])
            atol = 3 * errors.max() if name.endswith("_support") else 1e-9  # shares jump where a point crosses the threshold
            np.testing.assert_allclose(near.values[name], values, rtol=3e-3, atol=atol, err_msg=f"{dynamics} {name}")


@pytest.mark.parametrize(
    ("changes", "dynamics", "times", "wanted"),
    [
        (
            {},
            {"step_size": 0.1, "batch_fraction": 0.2},
            [1, 2, 4, 6],
            {"parameter_error": [0.0589, 0.0390, 0.0307, 0.0291], "train_loss": [0.0146, 0.00501, 0.00163, 0.000805]},
        ),
        (
            {},
            {"step_size": 0.05, "batch_fraction": 0.02},
            [0.5, 1],
            {"parameter_error": [0.0890, 0.0759], "train_loss": [0.0412, 0.0318]},
        ),
        ({}, {"step_size": 0.01, "momentum": 0.9}, [0.1, 0.2, 0.4, 0.8], {"parameter_error": [0.0858, 0.0536, 0.0419, 0.0371]}),
        ({"depth": 3, "initial_scale": 0.5}, {"step_size": 0.1}, [0.5, 1, 2], {"parameter_error": [0.0822, 0.0457, 0.0274]}),
        ({"depth": 3, "initial_scale": 0.7, "weight_decay": 0.02}, {"step_size": 0.1}, [1, 8], {"parameter_error": [0.0398, 0.0276]}),
    ],
    ids=str,
)
def test_values_of_a_dense_solution(changes, dynamics, times, wanted):
    """Those of the discrete equations with dense matrices and few samples, good to about 1 %; two are allowed."""
    theory = solve(problem(**changes), times[-1], dynamics=descent(**dynamics), times=np.array(times), accuracy=0.02)
    for name, values in wanted.items():
        np.testing.assert_allclose(theory.values[name], values, rtol=0.02)


def test_long_steps_run_away_with_the_edge_named():
    with pytest.raises(SolveError, match="they are stable below about") as raised:
        solve(Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.1), initial_scale=0.3), 40.0, dynamics=descent(step_size=4.0))
    assert raised.value.code == "diverged"


@pytest.mark.parametrize(("depth", "scale"), [(2, 1.0), (3, 0.5), (5, 0.7)])
def test_steps_run_away_beyond_twice_the_edge_and_not_below_half_of_it(depth, scale):
    """Deep networks follow large weights at rates (L w)^(2 − 2/L), and one in ten thousand is enough."""
    one = problem(depth=depth, initial_scale=scale)
    edge = stability_edge(one, descent(step_size=1.0))
    solve(one, 60 * edge / 2, dynamics=descent(step_size=edge / 2), accuracy=0.3)
    with pytest.raises(SolveError, match="ran away"):
        solve(one, 120 * edge, dynamics=descent(step_size=2 * edge), accuracy=0.3)


def test_small_batches_run_away_with_their_own_edge_named():
    """τ E[c k] = 2 with E[c k] = 2 E|w*| = 0.2 at the teacher, so that η = 2bδ/((1 − b) 0.2); the whole gradient would allow 0.54."""
    signs = {"kind": "discrete", "atoms": [-1.0, 0.0, 1.0], "probabilities": [0.05, 0.9, 0.05]}
    with pytest.raises(SolveError, match=r"stable below about 0\.025\.") as raised:
        solve(problem(target=signs), 12.0, dynamics=descent(step_size=0.3, batch_fraction=0.005), accuracy=0.1)
    assert raised.value.code == "diverged"


def test_tiny_batches_tend_to_one_another():
    """201 modes on 1024 points of a stratum: with all their moments made exact the finer solve was half a per cent off."""
    problem = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.1), noise_std=0.1, initial_scale=0.3)
    dynamics = GradientDescent(kind="gradient_descent", step_size=0.01, batch_fraction=1 / 21)
    rough, fine = (solve(problem, 2.0, times=np.array([2.0]), accuracy=accuracy, dynamics=dynamics) for accuracy in (0.01, 0.005))
    for name in ("train_loss", "parameter_error"):
        assert abs(fine.values[name][0] - rough.values[name][0]) < 4 * np.hypot(fine.stderr[name], rough.stderr[name])[0], name
