"""Networks of any depth, batches, momentum, label noise and schedules, against loops in NumPy, closed forms and published numbers."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from dlnflow.model import BernoulliGaussTarget, CosineSchedule, GradientDescent, ListSchedule, PairScale, Problem, RademacherDesign
from dlnflow.simulation import gradient_descent, gradient_flow, simulate
from dlnflow.simulation.batches import draw_batch
from dlnflow.simulation.descent import Descent, descend
from dlnflow.simulation.draw import draw_network
from dlnflow.simulation.flow import Flow, follow
from dlnflow.simulation.stability import largest_eigenvalue, mean_slope
from dlnflow.solution import NAMES, SolveError

PROBLEM = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.3), noise_std=0.1, initial_scale=0.4, weight_decay=0.03)
SIGNS = RademacherDesign(kind="rademacher")
DEPTHS = [1.0, 2.0, 2.5, 3.0, 4.0]
ROUNDING = 1e-10  # of fifty steps


def changed(problem=PROBLEM, **fields):
    return Problem.model_validate(problem.model_dump() | fields)


def steps(step_size=0.05, **fields):
    return GradientDescent(kind="gradient_descent", step_size=step_size, **fields)


def given(samples, dimension, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((samples, dimension)) / np.sqrt(dimension)
    teacher = rng.standard_normal(dimension) * (rng.random(dimension) < 0.3)
    return X, X @ teacher + 0.1 * rng.standard_normal(samples), teacher


def power(x, p):
    """Of negative x an odd function where p is no integer."""
    return x**p if float(p).is_integer() else np.sign(x) * np.abs(x) ** p


def loop(network, dynamics, end, rng):
    """w after the steps up to the time `end`, one step after the other, as the notation page writes them."""
    X, y, L = network.design.X.astype(float), network.y, network.depth
    n, d = X.shape
    b, beta, time = dynamics.batch_fraction, dynamics.momentum, 0.0
    u, v = network.u0.copy(), network.v0.copy()
    u_before, v_before = u, v
    for eta in dynamics.sizes(end):
        if time + eta > end * (1 + 1e-9):
            break
        mask, noise = np.ones(n), np.zeros(n)
        if dynamics.is_stochastic:
            batch = draw_batch(dynamics, n, rng)
            mask = np.isin(np.arange(n), batch.samples).astype(float)
            noise[batch.samples] = batch.label_noise
        h = d / n * X.T @ (mask / b * (X @ (power(u, L) - power(v, L)) / L - y - noise))
        u_next = u - eta * (power(u, L - 1) * h + network.weight_decay * u) + beta * (u - u_before)
        v_next = v - eta * (-power(v, L - 1) * h + network.weight_decay * v) + beta * (v - v_before)
        u, v, u_before, v_before = u_next, v_next, u, v
        time += eta
    return (power(u, L) - power(v, L)) / L


FEATURES = {
    "plain": {},
    "batches": {"batch_fraction": 0.3},
    "momentum": {"momentum": 0.7},
    "label noise": {"label_noise_std": 0.5},
    "list": {"step_size": ListSchedule(kind="list", values=(0.1, 0.02, 0.06) * 20)},
    "all": {
        "step_size": CosineSchedule(kind="cosine", start=0.08, end=0.01, steps=60),
        "batch_fraction": 0.4,
        "momentum": 0.5,
        "label_noise_std": 0.2,
    },
}


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("scale", [0.4, PairScale(u=0.6, v=0.3)])
def test_steps_are_those_of_a_loop_on_the_same_data(feature, depth, scale):
    problem, dynamics = changed(depth=depth, initial_scale=scale), steps(**FEATURES[feature])
    network = draw_network(problem, 24, np.random.default_rng(1), keep_rows=dynamics.is_stochastic)
    (at,) = descend(Descent(network, dynamics, 2.0, np.random.default_rng(7)), np.array([2.0]))
    expected = loop(network, dynamics, 2.0, np.random.default_rng(7))
    np.testing.assert_allclose(at.w[0], expected, rtol=ROUNDING, atol=ROUNDING)
    np.testing.assert_allclose(at.r[0], network.design.X.astype(float) @ expected - network.y, atol=ROUNDING)


def test_batches_have_their_law():
    """Sizes and pairs of 4000 batches within five standard errors, and the noise's variance."""
    dynamics, rng, n, draws = steps(batch_fraction=0.2, label_noise_std=0.7), np.random.default_rng(0), 30, 4000
    masks, noise = np.zeros((draws, n)), []
    for mask in masks:
        batch = draw_batch(dynamics, n, rng)
        mask[batch.samples] = 1
        noise.append(batch.label_noise)
    rate, error = masks.mean(axis=0), np.sqrt(0.16 / draws)
    assert np.abs(rate - 0.2).max() < 5 * error
    together = masks.T @ masks / draws
    assert np.abs(together[~np.eye(n, dtype=bool)] - 0.04).max() < 5 * np.sqrt(0.04 / draws)
    assert np.concatenate(noise).var() == pytest.approx(0.49, rel=5 * np.sqrt(2 / (0.2 * n * draws)))


def test_the_mean_of_a_linear_network_with_batches_is_that_of_whole_gradients():
    """At L = 1 the mean of w over batches and label noise follows the loss itself; 300 runs within four standard errors."""
    X, y, _ = given(12, 20)
    dynamics, times = steps(0.08, batch_fraction=0.3, label_noise_std=0.3, momentum=0.4), np.array([0.8, 2.4])
    kept = {"initial_scale": PairScale(u=0.5, v=0.2), "weight_decay": 0.1, "depth": 1.0}
    runs = np.array([gradient_descent(X, y, times, dynamics=dynamics, seed=seed, **kept) for seed in range(300)])
    whole = gradient_descent(X, y, times, dynamics=steps(0.08, momentum=0.4), **kept)
    error = runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
    assert error.min() > 1e-4
    z = (runs.mean(axis=0) - whole) / error
    assert np.abs(z).max() < 4.5
    assert 0.5 < z.std() < 1.5


def test_the_linear_flow_is_a_matrix_exponential_and_ends_at_ridge_regression():
    X, y, teacher = given(30, 40)
    times, decay, A = np.array([0.1, 1.0, 4.0, 300.0]), 0.1, 40 / 30 * X.T @ X
    w = gradient_flow(X, y, teacher, times, initial_scale=PairScale(u=0.9, v=0.4), weight_decay=decay, depth=1.0, tolerance=2e-5)
    M = 2 * A + decay * np.eye(40)
    ridge = np.linalg.solve(M, 2 * 40 / 30 * X.T @ y)
    exact = np.array([ridge + expm(-M * t) @ (0.5 - ridge) for t in times])
    np.testing.assert_allclose(w, exact, atol=2e-5)


def test_linear_steps_are_powers_of_a_matrix():
    X, y, _ = given(30, 40)
    M = 2 * 40 / 30 * X.T @ X + 0.1 * np.eye(40)
    ridge = np.linalg.solve(M, 2 * 40 / 30 * X.T @ y)
    w = gradient_descent(X, y, np.array([3.0]), dynamics=steps(0.05), initial_scale=PairScale(u=0.9, v=0.4), weight_decay=0.1, depth=1.0)
    exact = ridge + np.linalg.matrix_power(np.eye(40) - 0.05 * M, 60) @ (0.5 - ridge)
    np.testing.assert_allclose(w[0], exact, atol=1e-12)


@pytest.mark.parametrize("shape", [(20, 40), (60, 40)])
@pytest.mark.parametrize("depth", [1.0, 2.1, 3.0, 5.0])
@pytest.mark.parametrize(("decay", "scale"), [(0.0, (0.5, 0.5)), (0.02, (0.9, 0.4)), (0.3, (0.7, 0.7))])
def test_the_flow_agrees_with_scipy_at_other_depths(shape, depth, decay, scale):
    X, y, teacher = given(*shape)
    d, times, scales = shape[1], np.array([0.0, 0.1, 0.7, 2.0, 5.0, 12.0]), np.repeat(scale, shape[1])

    def field(_, uv):
        u, v = uv[:d], uv[d:]
        h = X.T @ (X @ ((u**depth - v**depth) / depth) - y) * d / len(y)
        return np.append(-(u ** (depth - 1)) * h - decay * u, v ** (depth - 1) * h - decay * v)

    uv = solve_ivp(field, (0, 12), scales, "DOP853", times, rtol=1e-11, atol=1e-12).y.T
    reference = curves(X, y, teacher, (uv[:, :d] ** depth - uv[:, d:] ** depth) / depth)
    for tolerance, error in ((2e-5, 2e-5), (3e-3, 3e-3)):
        w = gradient_flow(
            X, y, teacher, times, initial_scale=PairScale(u=scale[0], v=scale[1]), weight_decay=decay, depth=depth, tolerance=tolerance
        )
        floor = np.maximum(reference, 1e-3 * reference.max(axis=1, keepdims=True))
        assert np.max(np.abs(curves(X, y, teacher, w) - reference) / floor) < error


def curves(X, y, teacher, w):
    return np.array([np.mean((w @ X.T - y) ** 2, axis=1), np.mean((w - teacher) ** 2, axis=1)])


@pytest.mark.parametrize(("depth", "a"), [(1.0, 1e-4), (1.0, 3.0), (3.0, 1e-4), (3.0, 0.5), (3.0, 3.0), (10.0, 1e-4), (10.0, 0.5)])
@pytest.mark.parametrize("decay", [0.0, 10.0])
def test_the_ends_of_the_ranges_stay_finite_and_the_loss_does_not_grow(depth, a, decay):
    problem = changed(depth=depth, initial_scale=a, weight_decay=decay)
    network, times = draw_network(problem, 20, np.random.default_rng(0)), np.array([0.0, 1e-3, 1.0, 1e3, 1e5])
    parts = list(follow(Flow(network, times[-1]), times))
    w, u2, v2 = (np.concatenate([getattr(part, name) for part in parts]) for name in ("w", "u2", "v2"))
    loss = np.sum((w @ network.design.X.astype(float).T - network.y) ** 2, axis=1)
    penalty = decay * np.sum(u2 + v2, axis=1) * network.samples / 20
    assert np.isfinite([w, u2, v2]).all()
    assert np.all(np.diff(loss + penalty) <= 1e-6 * (loss + penalty)[0])
    np.testing.assert_allclose(w, (u2 ** (depth / 2) - v2 ** (depth / 2)) / depth if depth > 1 else w, atol=1e-12)


DYNAMICS = {"flow": None, "steps": steps(0.1)}
TIMES = np.array([0.5, 2.0, 6.0])


def values(problem, dynamics, **options):
    return simulate(problem, 6.0, times=TIMES, dimension=80, replicas=2, design=SIGNS, dynamics=dynamics, **options).values


def largest_difference(one, other):
    return max(float(np.max(np.abs(one[name] - other[name]) / (1e-3 + np.abs(other[name])))) for name in NAMES)


@pytest.mark.parametrize(("kind", "tolerance"), [("flow", 2e-3), ("steps", 1e-4)])
def test_depths_next_to_two_are_those_of_two(kind, tolerance):
    """The flow's two ways of stepping differ by its own tolerance of 3e-3 where signs of errors differ."""
    near = largest_difference(values(changed(depth=2 + 1e-6), DYNAMICS[kind]), values(PROBLEM, DYNAMICS[kind]))
    far = largest_difference(values(changed(depth=2.2), DYNAMICS[kind]), values(PROBLEM, DYNAMICS[kind]))
    assert near < tolerance < far


@pytest.mark.parametrize(
    ("little", "more"),
    [
        ({"batch_fraction": 1 - 1e-12}, {"batch_fraction": 0.9}),
        ({"momentum": 1e-12}, {"momentum": 0.1}),
        ({"label_noise_std": 1e-12}, {"label_noise_std": 0.1}),
        ({"step_size": ListSchedule(kind="list", values=(0.1,) * 60)}, {"step_size": ListSchedule(kind="list", values=(0.05,) * 120)}),
    ],
)
def test_little_of_a_feature_is_as_good_as_none(little, more):
    plain = values(PROBLEM, steps(0.1))
    assert largest_difference(values(PROBLEM, steps(0.1).model_copy(update=little)), plain) < 1e-9
    assert largest_difference(values(PROBLEM, steps(0.1).model_copy(update=more)), plain) > 1e-3


@pytest.mark.parametrize("depth", [1.0, 2.0, 3.0])
def test_batches_and_flows_have_the_same_bits_for_one_and_two_threads_and_other_ones_for_another_seed(depth):
    for dynamics in (steps(0.1, batch_fraction=0.3, label_noise_std=0.1, momentum=0.5), None):
        one, two, other = (values(changed(depth=depth), dynamics, **o) for o in ({"threads": 1}, {"threads": 2}, {"seed": 1}))
        assert all(np.array_equal(one[name], two[name]) for name in NAMES)
        assert not np.array_equal(one["train_loss"], other["train_loss"])


@pytest.mark.parametrize("ratio", [0.5, 3.0])
def test_rows_that_are_kept_are_those_of_the_design(ratio):
    """Gaussian rows in place of their triangular factor: with whole gradients the curves agree within five standard errors."""
    problem, fields = changed(aspect_ratio=ratio), {"times": TIMES, "dimension": 60, "replicas": 60}
    factor = simulate(problem, 6.0, **fields, dynamics=steps(0.1))
    rows = simulate(problem, 6.0, **fields, dynamics=steps(0.1, label_noise_std=1e-12), seed=5)
    assert draw_network(problem, 60, np.random.default_rng(0), keep_rows=True).design.rows == round(60 * ratio)
    for name in ("train_loss", "parameter_error"):
        error = np.hypot(factor.stderr[name], rows.stderr[name])
        assert np.all(np.abs(factor.values[name] - rows.values[name]) < 5 * error)


def test_published_networks_come_out_to_ten_digits():
    """Test losses after 10,001 steps that Andriushchenko and Flammarion (2022) print in a notebook, β = u∘v, u₀ = α, v₀ = 0.

    In this project's units a = d^(1/4) α/√2, η = γ/√d and w = √d β.
    """
    rng, n, d = np.random.RandomState(0), 20, 30
    X, X_test, teacher = rng.standard_normal((n, d)), rng.standard_normal((1000, d)), rng.standard_normal(d)
    teacher[3:] = 0
    teacher = np.abs(teacher) / np.linalg.norm(teacher)
    published = {(1 / 6, 0.1): 0.015056044189449159, (1 / 6, 0.02): 0.0006337885714222886, (1 / 3, 0.1): 0.015747762611708224}
    for (gamma, alpha), loss in published.items():
        eta, scale = gamma / np.sqrt(d), d**0.25 * alpha / np.sqrt(2)
        w = gradient_descent(X / np.sqrt(d), X @ teacher, np.array([10_001 * eta]), dynamics=steps(eta), initial_scale=scale)[0]
        assert np.sum((X_test @ (w / np.sqrt(d) - teacher)) ** 2) / 2000 == pytest.approx(loss, rel=1e-10)


def test_linear_networks_are_stable_up_to_the_edge_that_is_named():
    """At L = 1 steps diverge from η Λ = 2 (1 + β) on, also with momentum; repeated products know Λ to 2 %."""
    network = draw_network(changed(depth=1, weight_decay=0.0), 60, np.random.default_rng(0))
    for momentum in (0.0, 0.6):
        edge, X = steps(1.0, momentum=momentum).stable_step(largest_eigenvalue(network)), network.design.X.astype(float)
        exact = 2 * (1 + momentum) / (2 * np.linalg.eigvalsh(X.T @ X).max() * 60 / network.samples)
        assert exact <= edge < 1.02 * exact
        (at,) = descend(Descent(network, steps(0.98 * exact, momentum=momentum), 300.0), np.array([300.0]))
        assert np.sum(at.r**2) < np.sum(network.y**2)
        with pytest.raises(SolveError, match=rf"stable for steps up to about {edge:.3g}, not.*smaller step_size") as caught:
            list(descend(Descent(network, steps(1.1 * exact, momentum=momentum), 3000.0), np.array([3000.0])))
        assert caught.value.code == "diverged"


@pytest.mark.parametrize("depth", [1.0, 2.0, 3.0, 10.0])
def test_steps_that_are_far_too_long_diverge_at_every_depth(depth):
    with pytest.raises(SolveError, match="ran away") as caught:
        simulate(changed(depth=depth, initial_scale=2.0), 1000.0, dimension=50, replicas=2, dynamics=steps(5.0, momentum=0.9))
    assert caught.value.code == "diverged"


def test_batches_name_their_edge():
    """One sample in fifty: τ E[k] = 2 at k = 2 of the linear network, so η = b δ/(1 − b)."""
    network = draw_network(changed(depth=1, aspect_ratio=1.0), 200, np.random.default_rng(0), keep_rows=True)
    assert mean_slope(network) == pytest.approx(2, rel=0.02)
    edge = steps(1.0, batch_fraction=0.02).stable_batch_step(2, 1.0)
    assert edge == pytest.approx(0.02 / 0.98)
    with pytest.raises(SolveError, match=r"Batches of 0\.02 of the samples are stable where"):
        list(descend(Descent(network, steps(3 * edge, batch_fraction=0.02), 600.0), np.array([600.0])))


def test_momentum_brings_the_edge_of_batches_nearer():
    """τ E[k] = 2(1 − β): half of the edge without momentum is beyond that at β = 0.8, and stable without it."""
    network = draw_network(changed(depth=1, aspect_ratio=1.0), 200, np.random.default_rng(0), keep_rows=True)
    half = 0.5 * 0.02 / 0.98
    assert steps(half, batch_fraction=0.02, momentum=0.8).stable_batch_step(2, 1.0) == pytest.approx(0.4 * half)
    (at,) = descend(Descent(network, steps(half, batch_fraction=0.02), 100.0), np.array([100.0]))
    assert np.sum(at.r**2) < np.sum(network.y**2)
    with pytest.raises(SolveError, match=r"Batches of 0\.02 of the samples are stable where"):
        list(descend(Descent(network, steps(half, batch_fraction=0.02, momentum=0.8), 100.0), np.array([100.0])))


def test_bad_input_is_refused_by_name():
    X, y, teacher = given(10, 20)
    schedule = steps(ListSchedule(kind="list", values=(0.1, 0.2)))
    with pytest.raises(ValueError, match=r"step_size: its steps end at t = 0\.3, before 1"):
        gradient_descent(X, y, np.array([1.0]), dynamics=schedule, initial_scale=0.3)
    with pytest.raises(ValueError, match=r"step_size: its steps end at t = 0\.3, before 1"):
        simulate(PROBLEM, 1.0, dimension=20, replicas=2, dynamics=schedule)
    with pytest.raises(ValueError, match=r"truncation is for networks of depth 2, not 3"):
        simulate(changed(depth=3), 1.0, dimension=20, replicas=2, truncation=1.0)
    with pytest.raises(ValueError, match=r"depth has to be 1 or above 2"):
        gradient_flow(X, y, teacher, np.array([1.0]), initial_scale=0.3, depth=1.5)
