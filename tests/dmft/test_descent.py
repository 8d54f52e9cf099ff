"""Gradient descent in mean-field theory: closed forms of the first steps, finite networks, the limit of short steps, its own short cuts."""

import itertools

import numpy as np
import pytest
from scipy.stats import norm, t

from dlnflow.dmft import descent, sampling, solve
from dlnflow.dmft.constants import FLOOR
from dlnflow.dmft.descent.constants import LOOSER
from dlnflow.dmft.descent.march import Marcher
from dlnflow.model import BernoulliGaussTarget, DiscreteTarget, GaussianScale, GaussianTarget, GradientDescent, PairScale, Problem
from dlnflow.provenance import peak
from dlnflow.simulation import simulate
from dlnflow.solution import CURVES, ORDER_PARAMETERS, Cancelled, Solution, SolveError
from tests.model.laws import LAWS

SPARSE = BernoulliGaussTarget(density=0.1)
REFERENCE = Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.1, initial_scale=0.3)
REPLICAS = 24
PROBLEMS = {
    "reference": (REFERENCE, 0.1, 10.0),
    "weight decay": (
        Problem(aspect_ratio=0.8, target=BernoulliGaussTarget(density=0.2), noise_std=0.2, initial_scale=0.5, weight_decay=0.05),
        0.2,
        10.0,
    ),
    "long steps": (
        Problem(
            aspect_ratio=0.6,
            target=DiscreteTarget(atoms=(-1.0, 0.0, 1.5), probabilities=(0.1, 0.8, 0.1)),
            noise_std=0.1,
            initial_scale=PairScale(u=0.4, v=0.3),
        ),
        0.25,
        10.0,
    ),
    "near the edge of stability": (Problem(aspect_ratio=0.667, target=GaussianTarget(), initial_scale=0.468), 0.18, 36.0),
    "Laplace target": (Problem(aspect_ratio=0.6, target=LAWS["laplace"].target, noise_std=0.1, initial_scale=0.3), 0.1, 8.0),
    "uniform target": (
        Problem(aspect_ratio=1.2, target=LAWS["uniform"].target, noise_std=0.2, initial_scale=PairScale(u=0.4, v=0.3)),
        0.2,
        6.0,
    ),
    "values": (Problem(aspect_ratio=0.7, target=LAWS["values"].target, noise_std=0.1, initial_scale=0.3), 0.1, 6.0),
    "more samples than parameters": (
        Problem(aspect_ratio=1.5, target=GaussianTarget(), noise_std=0.3, initial_scale=GaussianScale(kind="gaussian", std=0.5)),
        0.1,
        6.0,
    ),
}

MARCHED = 150  # steps that a march here has at most


def steps(step_size: float) -> GradientDescent:
    return GradientDescent(kind="gradient_descent", step_size=step_size)


def assert_agreement(theory: Solution, network: Solution):
    """Differences in standard errors, which the networks' replicas tell by Student's t, as a normal variable has them."""
    for curve in (*CURVES, *ORDER_PARAMETERS):
        gap, spread = np.abs(theory.values[curve] - network.values[curve]), np.hypot(theory.stderr[curve], network.stderr[curve])
        quotient = np.divide(gap, spread, out=np.zeros_like(gap), where=(spread > 0) | (gap > 0))  # a support may be everything
        z = norm.isf(t.sf(quotient, REPLICAS - 1))
        assert z.max() < 4, (curve, z)


def two_steps(problem: Problem, eta: float, target: np.ndarray, probability: np.ndarray):
    """E[e²] and E[x²] + σ²g² after 0, 1 and 2 steps from u = v = a, by Gauss–Hermite quadrature over (w*, ζ(0), ζ(1)), λ = 0.

    w(1) = −2a²ηh(0) is linear, w(2) a polynomial of degree 4, so that ten nodes leave no error. `target` and `probability` are atoms.
    """
    delta, sigma, a = problem.aspect_ratio, problem.noise_std, problem.initial_scale
    z, weight = np.polynomial.hermite_e.hermegauss(10)
    weight = weight / weight.sum()
    first = -2 * a**2 * eta  # R_w(1, 0)
    second, spread = probability @ target**2, 0.0
    start = second + sigma**2
    zeta0 = np.sqrt(start / delta)
    grid = np.array([(w, x, y) for w, x, y in itertools.product(target, z, z)]).T
    mass = np.array([p * q * r for p, q, r in itertools.product(probability, weight, weight)])
    w, h0 = grid[0], zeta0 * grid[1] - grid[0]
    e1 = first * h0 - w
    x1, g1 = e1 - first / delta * w, 1 + first / delta
    cross, variance = mass @ (x1 * -w) + sigma**2 * g1, mass @ x1**2 + sigma**2 * g1**2
    along = cross / start
    spread = np.sqrt((variance - along**2 * start) / delta)
    h1 = along * zeta0 * grid[1] + spread * grid[2] + x1
    u1, v1 = a * (1 - eta * h0), a * (1 + eta * h0)
    u2, v2 = u1 * (1 - eta * h1), v1 * (1 + eta * h1)
    w2 = (u2**2 - v2**2) / 2
    to_one = mass @ (-eta * (u2 * u1 + v2 * v1))
    du2 = -eta * a * (1 - eta * h1) - eta * u1 * first  # ∂h(1)/∂ζ(0) = ∂w(1)/∂ζ(0) = R_w(1, 0)
    dv2 = eta * a * (1 + eta * h1) + eta * v1 * first
    to_zero = mass @ (u2 * du2 - v2 * dv2)
    x2 = w2 - w + (to_zero * -w + to_one * x1) / delta
    g2 = 1 + (to_zero + to_one * g1) / delta
    errors = [second, mass @ e1**2, mass @ (w2 - w) ** 2]
    return np.array(errors), np.array([start, variance, mass @ x2**2 + sigma**2 * g2**2]) / 2


def test_two_steps_are_polynomials_of_gaussians():
    target, probability = np.array([-1.0, 0.0, 2.0]), np.array([0.2, 0.5, 0.3])
    problem = Problem(
        aspect_ratio=0.6, target=DiscreteTarget(atoms=tuple(target), probabilities=tuple(probability)), noise_std=0.3, initial_scale=0.5
    )
    error, loss = two_steps(problem, 0.4, target, probability)
    solution = descent.solve(problem, 0.8, steps(0.4), times=np.array([0.0, 0.4, 0.8]), accuracy=4e-3)
    for name, expected in (("parameter_error", error), ("train_loss", loss)):
        value, stderr = solution.values[name], solution.stderr[name]
        np.testing.assert_allclose(value[:2], expected[:2], rtol=1e-12, err_msg=name)  # moments of the sample are exact to order 2
        assert abs(value[2] - expected[2]) < 3 * stderr[2] + 1e-9
        assert stderr[2] < 2e-3 * value[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEMS)
def test_descent_agrees_with_finite_networks(name):
    """As for gradient flow: |z| < 4 covers some 150 correlated comparisons and the 1/d bias of networks with d = 2000."""
    problem, eta, horizon = PROBLEMS[name]
    times = np.array([eta, 5 * eta, 0.2 * horizon, horizon])
    theory = descent.solve(problem, horizon, steps(eta), times=times, accuracy=0.03)
    dynamics = GradientDescent(kind="gradient_descent", step_size=eta)
    network = simulate(problem, horizon, times=times, dimension=2000, replicas=REPLICAS, seed=1, dynamics=dynamics)
    assert theory.diagnostics["outcome"] == "converged"
    assert_agreement(theory, network)
    for one, other in zip(theory.conditional, network.conditional, strict=True):
        assert one.given == other.given
        np.testing.assert_allclose(one.mean, other.mean, atol=0.05)  # five standard errors of 2400 weights in the smallest group
        np.testing.assert_allclose(one.quantiles, other.quantiles, atol=0.2)  # and of their 95 % quantile


@pytest.mark.parametrize("truncation", [0.7, 1.2])
def test_the_truncated_network_agrees_with_finite_networks(truncation):
    """Bound as above."""
    problem, eta, _ = PROBLEMS["weight decay"]
    times = np.array([1.0, 2.0, 6.0])
    theory = descent.solve(problem, 6.0, steps(eta), times=times, accuracy=0.03, truncation=truncation)
    dynamics = GradientDescent(kind="gradient_descent", step_size=eta)
    network = simulate(problem, 6.0, times=times, dimension=2000, replicas=REPLICAS, seed=1, dynamics=dynamics, truncation=truncation)
    assert_agreement(theory, network)


def test_heavy_tails_run_away_and_a_truncation_bounds_them():
    """One weight in a million is beyond 2/η; networks of d = 1000 rarely have one. Bound as above."""
    problem, eta = Problem(aspect_ratio=0.6, target=LAWS["student_t"].target, noise_std=0.1, initial_scale=0.3), 0.1
    with pytest.raises(SolveError, match=r"single coordinates run away.*truncation"):
        descent.solve(problem, 4.0, steps(eta), accuracy=0.05)
    times = np.array([0.5, 1.0, 4.0])
    theory = descent.solve(problem, 4.0, steps(eta), times=times, accuracy=0.03, truncation=4.0)
    dynamics = GradientDescent(kind="gradient_descent", step_size=eta)
    network = simulate(problem, 4.0, times=times, dimension=1000, replicas=REPLICAS, dynamics=dynamics, truncation=4.0)
    assert_agreement(theory, network)


@pytest.mark.parametrize(
    "target",
    [
        LAWS["student_t"].target,
        LAWS["laplace"].target,
        BernoulliGaussTarget(density=1e-3),
        DiscreteTarget(atoms=(0.0, 100.0), probabilities=(1 - 1e-7, 1e-7)),
    ],
    ids=lambda target: target.kind,
)
def test_rare_weights_of_a_teacher_are_kept(target):
    """Only normal ones beyond 4.89 deviations are cut: at the start the error is E[w*²]."""
    problem = Problem(aspect_ratio=0.6, target=target, noise_std=0.1, initial_scale=0.3)
    theory = descent.solve(problem, 2e-4, steps(1e-4), times=np.array([0.0, 2e-4]), accuracy=0.1)
    assert theory.values["parameter_error"][0] == pytest.approx(target.second_moment, rel=1e-4)


def test_a_far_truncation_changes_no_bit():
    none, far = (descent.solve(REFERENCE, 1.0, steps(0.1), accuracy=0.05, truncation=M).values for M in (None, 1e3))
    assert all(np.array_equal(none[name], far[name]) for name in CURVES)


def test_short_steps_approach_the_flow_in_proportion():
    """The gap to gradient flow halves with the step, up to its second order and to both solves' errors."""
    times = np.array([0.4, 0.8])
    flow = solve(REFERENCE, 0.8, times=times, accuracy=0.003)
    gaps = [descent.solve(REFERENCE, 0.8, steps(eta), times=times, accuracy=0.004).values for eta in (0.1, 0.05)]
    for name in ("parameter_error", "train_loss"):
        coarse, fine = (gap[name] / flow.values[name] - 1 for gap in gaps)
        np.testing.assert_allclose(coarse, 2 * fine, rtol=0.1, atol=0.006)
        assert np.all((np.abs(coarse) > 0.006) & (np.abs(fine) < 0.05))


@pytest.mark.parametrize(
    ("momentum", "depth", "tolerance"), [(0.0, 2, 2e-6), (0.0, 3, 3e-5), (0.8, 2, 3e-6), (0.8, 1, 2e-5), (0.5, 3, 3e-5)]
)
def test_the_reduced_memory_is_the_full_one(momentum, depth, tolerance):
    """Against a basis that holds every step: what is cut off is 1e-11 of the square of what is reached and seen, 3e-6 of both.

    With momentum what is seen of a step is how fast it moves a weight, too. At depth three weights amplify what is left.
    """
    problem = REFERENCE.model_copy(update={"depth": depth})
    sample = sampling.draw(problem, 256, 32, np.random.SeedSequence(3))
    dynamics = GradientDescent(kind="gradient_descent", step_size=0.1 * (1 - momentum), momentum=momentum)
    sizes = dynamics.sizes(MARCHED * dynamics.step_size)
    full, reduced = (
        Marcher(problem, [sample], dynamics, sizes, panel=panel).run(150, range(0, 151, 10), lambda k: None) for panel in (151, 16)
    )
    assert full.rank == 0 and 5 < reduced.rank < 30
    np.testing.assert_allclose(reduced.variance, full.variance, rtol=10 * tolerance, atol=1e-9 * full.variance[0])
    np.testing.assert_allclose(reduced.sums, full.sums, rtol=tolerance, atol=1e-9)


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_the_memory_neglects_is_told_by_one_that_neglects_more(name):
    """As the solver tells it, against a basis that holds every step. The histories of tangents are in single precision, 2e-6 in the end."""
    problem, eta, _ = PROBLEMS[name]
    sample = sampling.draw(problem, 256, 101, np.random.SeedSequence(3))
    memories = ({"panel": 101}, {"negligible": 1e-9}, {"negligible": LOOSER * 1e-9})
    exact, less, least = (
        Marcher(problem, [sample], steps(eta), np.full(MARCHED, eta), **memory).run(100, range(101), lambda k: None) for memory in memories
    )
    assert less.rank < 60
    for of in (lambda march: np.array(march.sums), lambda march: np.array(march.variance)):
        size = np.maximum(np.abs(of(exact)), FLOOR * np.abs(of(exact)).max(axis=0))
        size[size == 0] = 1.0  # of what is zero at all times
        error, told = ((np.abs(one - of(less)) / size).max() for one in (of(exact), of(least)))
        assert error <= told + 2e-6, (error, told)


def test_kernels_are_those_of_the_equations():
    """R_r = (1 − R_w/δ)⁻¹ on all steps of a short solve, C_r = R_r (C_e + σ²) R_rᵀ, and the curves on the diagonals.

    On the sample of one march the second holds with what Stein's identity, eq. (7a), adds to C_e, in which Λ = R_w L has the products
    R_w C_r R_wᵀ/δ. A solve has responses of one scramble and correlations of all, and its C_e has nothing added.
    """
    solution = descent.solve(REFERENCE, 2.0, steps(0.1), accuracy=0.05)
    np.testing.assert_allclose(solution.kernel_time, np.arange(21) * 0.1, atol=1e-12)
    sample = sampling.draw(REFERENCE, 512, 21, np.random.SeedSequence(3))
    marcher = Marcher(REFERENCE, [sample], steps(0.1), np.full(MARCHED, 0.1), range(21), responses=True)
    kernels = marcher.run(20, [], lambda k: None).kernels
    R_r, R_w, C_r = np.eye(21) + kernels["residual_response"], kernels["response"], kernels["residual_correlation"]
    expected = np.linalg.solve(R_r, np.array(marcher.node_expected))
    np.testing.assert_allclose(expected @ expected.T, R_w @ C_r @ R_w.T / 0.5, rtol=1e-4, atol=1e-6)
    regression = np.array([errors for errors, _ in marcher.groups[0].kept]) * sample.weights @ sample.modes.T
    added = expected @ (expected - regression).T
    for found, C_e, tolerance in (
        (kernels, kernels["correlation"] + added + added.T, 1e-4),
        (solution.kernels, solution.kernels["correlation"], 5e-3),
    ):
        R_r = np.eye(21) + found["residual_response"]
        np.testing.assert_allclose(R_r @ (np.eye(21) - found["response"] / 0.5), np.eye(21), atol=1e-5)
        np.testing.assert_allclose(found["residual_correlation"], R_r @ (C_e + 0.01) @ R_r.T, rtol=tolerance, atol=1e-6)
    kernels = solution.kernels
    assert solution.values["train_loss"][-1] == pytest.approx(kernels["residual_correlation"][-1, -1] / 2, rel=1e-9)
    assert solution.values["parameter_error"][-1] == pytest.approx(kernels["correlation"][-1, -1], rel=1e-9)


def test_responses_leave_a_loss_that_has_died_where_it_is():
    """To follow perturbations at some steps and not at others made what rounding leaves of the loss grow, until the march ran away."""
    problem, length = Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.5, initial_scale=1.0), 500
    sample = sampling.draw(problem, 256, 101, np.random.SeedSequence(7))
    nodes = np.unique(np.rint(np.linspace(0, length**0.5, 24) ** 2).astype(int)).tolist()
    marches = [
        Marcher(problem, [sample], steps(0.05), np.full(length, 0.05), nodes, responses=responses, panel=8, negligible=1e-14)
        for responses in (False, True)
    ]
    plain, followed = (np.array(march.run(length, [], lambda k: None).variance) for march in marches)
    assert plain[-1] < 1e-10 * plain[0]
    np.testing.assert_allclose(followed, plain, rtol=0.01, atol=1e-11 * plain[0])


def test_one_entrance_leads_to_both_dynamics():
    options = {"times": np.array([1.0]), "accuracy": 0.05}
    entered = solve(REFERENCE, 1.0, dynamics=GradientDescent(kind="gradient_descent", step_size=0.1), truncation=0.5, **options)
    assert np.array_equal(entered.values["norm"], descent.solve(REFERENCE, 1.0, steps(0.1), truncation=0.5, **options).values["norm"])
    with pytest.raises(ValueError, match="gradient descent only"):
        solve(REFERENCE, 1.0, truncation=0.5, **options)


def test_the_same_request_gives_the_same_bits():
    one, other = (descent.solve(REFERENCE, 1.0, steps(0.1), accuracy=0.05, seed=5) for _ in range(2))
    for name in CURVES:
        assert np.array_equal(one.values[name], other.values[name]) and np.array_equal(one.stderr[name], other.stderr[name])


def test_what_is_not_reached_is_said(monkeypatch):
    monkeypatch.setattr("dlnflow.dmft.descent.solver.MOST_PATHS", 512)
    diagnostics = descent.solve(REFERENCE, 8.0, steps(0.1), accuracy=1e-4).diagnostics
    assert diagnostics["outcome"] == "not_converged"
    assert "larger accuracy" in diagnostics["advice"] and diagnostics["error"]["total"] > 1e-4


def test_long_steps_diverge_and_say_so():
    with pytest.raises(SolveError, match="smaller step_size") as caught:
        descent.solve(REFERENCE, 100.0, steps(5.0))
    assert caught.value.code == "diverged"


def test_progress_rises_and_the_observer_can_stop_it():
    seen = []

    def observe(progress, message):
        seen.append(progress)
        if progress > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        descent.solve(REFERENCE, 4.0, steps(0.1), observe=observe, accuracy=0.05)
    assert seen == sorted(seen) and len(seen) > 20


@pytest.mark.slow
def test_two_thousand_steps():
    """Against gradient flow, from which a step of 0.005 differs by less than 1 %; in 4 GB."""
    times = np.array([0.5, 2.0, 10.0])
    solution = descent.solve(REFERENCE, 10.0, steps(0.005), times=times, accuracy=0.2)
    diagnostics = solution.diagnostics
    assert diagnostics["outcome"] == "converged" and diagnostics["steps"] == 2000 and peak() < 4e9
    flow = solve(REFERENCE, 10.0, times=times, accuracy=0.02)
    for name in ("parameter_error", "train_loss"):
        gap = np.abs(solution.values[name] - flow.values[name])
        assert np.all(gap < 3 * np.hypot(solution.stderr[name], flow.stderr[name]) + 0.01 * flow.values[name]), name
