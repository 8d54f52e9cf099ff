"""Depth L: ends, rates, time scales and limits, against finite networks and against other solutions."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dlnflow.model import DiscreteTarget, GaussianTarget, Group, PairScale, Problem
from dlnflow.model.initial import Starts
from dlnflow.theory import NoTheory, final_state, lazy, population, predict
from dlnflow.theory.maps import Exponential, Power
from tests.theory import finite
from tests.theory.test_final import ATOMS, LAPLACE, REMAINDER, SPARSE, UNIFORM
from tests.theory.test_limits import regression


def of(depth, delta=0.5, target=SPARSE, noise=0.1, scale=0.3, decay=0.0):
    return Problem(aspect_ratio=delta, target=target, noise_std=noise, initial_scale=scale, weight_decay=decay, depth=depth)


def interpolate(X, y, u0, v0, depth):
    """Where gradient flow ends: u^(2−L) = u0^(2−L) − (L−2)x, v^(2−L) = v0^(2−L) + (L−2)x, x = Xᵀν, Xw = y; Newton steps inside."""
    e, nu = depth - 2, np.zeros(len(y))
    for _ in range(500):
        x = X.T @ nu
        u, v = ((u0**-e - e * x) ** (-1 / e), (v0**-e + e * x) ** (-1 / e))
        slack = y - X @ ((u**depth - v**depth) / depth)
        if np.linalg.norm(slack) < 1e-9 * np.linalg.norm(y):
            return u, v
        step = np.linalg.solve((X * (u ** (2 * depth - 2) + v ** (2 * depth - 2))) @ X.T, slack)
        moved = e * (X.T @ step)
        nearest = max((moved * u**e).max(), (-moved * v**e).max())  # how far to the ends of x, relatively
        nu = nu + min(1.0, 0.3 / nearest) * step
    raise AssertionError("the dual did not converge")


def draw(problem, d, rng):
    X, teacher, y = finite.draw(problem, d, rng)
    return X, teacher, *interpolate(X, y, *finite.initial_values(problem.initial_scale, d, rng), problem.depth)


@pytest.mark.parametrize(("depth", "a", "error", "rate"), [(3, 0.5, 0.0261, 0.0413), (4, 0.5, 0.0224, 0.0187), (3, 0.2, 0.0226, 0.0050)])
def test_reference_ends(depth, a, error, rate):
    """From a separate solution of the fixed point's equations, good to a percent."""
    found = predict(of(depth, scale=a))
    assert found.final_parameter_error == pytest.approx(error, rel=0.01)
    assert found.convergence_rate == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize(
    "problem",
    [
        of(3, scale=0.5),
        of(3, scale=0.2),
        of(4, scale=0.5),
        of(3, 0.7, ATOMS, scale=0.4),
        of(2.5, 0.4, GaussianTarget(), noise=0.5),
        of(3, 0.5, ATOMS, scale=PairScale(u=0.8, v=0.5)),
        of(6, 0.5, LAPLACE, scale=0.9),
    ],
    ids=str,
)
def test_interpolation(problem):
    rng, draws, d = np.random.default_rng(2), [], 400
    for _ in range(8):
        _, teacher, u, v = draw(problem, d, rng)
        w = (u**problem.depth - v**problem.depth) / problem.depth
        draws.append(finite.summary(w, teacher) | {"u_norm": np.mean(u**2), "v_norm": np.mean(v**2)})
    finite.assert_agrees(final_state(problem), draws, REMAINDER)


def test_the_least_steps_of_a_network_end_there():
    """Gradient flow of u and v themselves, one network of depth 3: the end is the one that the dual gives."""
    problem = of(3, scale=0.6)
    X, _, u, v = draw(problem, 60, np.random.default_rng(4))
    y = X @ (u**3 - v**3) / 3

    def flow(t, state):
        a, b = state.reshape(2, -1)
        h = X.T @ (X @ ((a**3 - b**3) / 3) - y) / 0.5
        return np.concatenate([-(a**2) * h, b**2 * h])

    end = solve_ivp(flow, (0, 3000), np.full(120, 0.6), "LSODA", rtol=1e-9, atol=1e-11).y[:, -1]
    np.testing.assert_allclose(end, np.concatenate([u, v]), atol=2e-4)


@pytest.mark.parametrize("delta", [0.5, 2.0])
def test_depth_two_is_the_limit(delta):
    """The end, the rate and every time scale vary smoothly through L = 2, whose formulas are others."""
    for scale in (0.3, PairScale(u=0.5, v=0.1), 5.0):
        near, two = predict(of(2 + 1e-6, delta, scale=scale)).to_dict(), predict(of(2, delta, scale=scale)).to_dict()
        for name in ("final_parameter_error", "final_l1_norm", "final_u_norm", "final_v_norm", "convergence_rate"):
            assert near[name] == pytest.approx(two[name], rel=1e-4), name
        for name, value in two["time_scales"].items():
            assert near["time_scales"][name]["value"] == (value["value"] and pytest.approx(value["value"], rel=1e-4)), name


def test_groups_have_their_variance_and_depth():
    """Against finite networks with two variances at depth 3."""
    groups = tuple(Group(weight=0.5, variance=c, target=SPARSE, initial_scale=0.5) for c in (0.25, 1.75))
    problem, rng, draws, d = Problem(aspect_ratio=0.5, noise_std=0.1, groups=groups, depth=3), np.random.default_rng(3), [], 400
    for _ in range(8):
        c = rng.permutation(np.repeat([0.25, 1.75], d // 2))
        teacher = finite.draw_teacher(SPARSE, d, rng)
        X = rng.normal(size=(d // 2, d)) * np.sqrt(c / d)
        u, v = interpolate(X, X @ teacher + 0.1 * rng.normal(size=d // 2), *np.full((2, d), 0.5), 3)
        w = (u**3 - v**3) / 3
        draws.append(finite.summary(w, teacher) | {"test_loss": (np.mean(c * (w - teacher) ** 2) + 0.01) / 2})
    finite.assert_agrees(final_state(problem), draws, REMAINDER)


@pytest.mark.slow
@pytest.mark.parametrize(
    "problem",
    [of(3, scale=0.5), of(4, scale=0.5), of(3, 2.0, noise=0.3, scale=0.5), of(4, 2.0, LAPLACE, noise=0.3, scale=0.7)],
    ids=str,
)
def test_left_edge(problem):
    """As at depth 2: the line through the smallest eigenvalues meets the edge."""
    d, seen, depth = 1200 if problem.aspect_ratio < 1 else 600, [], problem.depth
    for seed in range(2):
        rng = np.random.default_rng(seed)
        if problem.aspect_ratio < 1:
            X, _, u, v = draw(problem, d, rng)
        else:
            X, _, y = finite.draw(problem, d, rng)
            u, v = arms(np.linalg.lstsq(X, y)[0], problem.initial_scale, depth)
        half = X * np.sqrt(u ** (2 * depth - 2) + v ** (2 * depth - 2))
        square = half @ half.T if problem.aspect_ratio < 1 else half.T @ half
        seen.append(np.linalg.eigvalsh(square / problem.aspect_ratio)[:8])
    slope, edge = np.polyfit((np.arange(8) + 0.75) ** (2 / 3), np.mean(seen, axis=0), 1)
    assert slope > 0
    assert predict(problem).convergence_rate == pytest.approx(edge, rel=0.12)


def arms(w, a, depth):
    """u and v of weights w that started at u = v = a, by bisection of u^(2−L) + v^(2−L) = 2a^(2−L)."""
    low, high = np.zeros_like(w), np.full_like(w, a ** (2 - depth))
    for _ in range(100):
        x = (low + high) / 2
        u, v = (a ** (2 - depth) - x) ** (-1 / (depth - 2)), (a ** (2 - depth) + x) ** (-1 / (depth - 2))
        above = (u**depth - v**depth) / depth > abs(w)
        low, high = np.where(above, low, x), np.where(above, x, high)
    return np.where(w > 0, u, v), np.where(w > 0, v, u)


@pytest.mark.parametrize("depth", [2.5, 3, 7])
@pytest.mark.parametrize("rest", [1e-9, 1e-3, 0.5, 0.99])
def test_pole(depth, rest):
    """1/(k − p) − R/(w² + b²) is smooth through w = 0: the two diverge as 1/rest, their difference does not."""
    scalar = Power(depth, np.log([[0.04]]), np.zeros((1, 1)))
    point = scalar.at(np.array([[0.0, 1e-3, 0.02, 0.5]]))
    beside = scalar.beside_the_pole(point.w, point.slope, 1 - rest, rest) * scalar.lowest
    assert np.all(np.abs(beside[0, 1:]) < 3)
    strength, b = scalar.pole(1 - rest, rest)
    assert strength / b**2 == pytest.approx(1 / (rest * scalar.lowest), rel=0.7, abs=3 / scalar.lowest)


def test_map_of_almost_two_is_that_of_two():
    starts = Starts(np.ones(1), np.array([0.06]), np.array([0.7]))
    q = np.linspace(-9, 9, 50)
    near, two = Power(2 + 1e-9, np.log([[0.06]]), np.array([[0.7]])).at(q[None]), Exponential(starts).at(q[None])
    for name in ("w", "x", "slope", "rate", "total", "difference"):
        np.testing.assert_allclose(getattr(near, name), getattr(two, name), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("scale", [0.3, PairScale(u=1.0, v=0.1)])
@pytest.mark.parametrize("depth", [2.3, 3, 9])
@pytest.mark.parametrize("theta", [0.0, 1e-6, 0.1, 1e4])
def test_inverse_of_the_map(depth, scale, theta):
    law = Problem(aspect_ratio=1, target=SPARSE, noise_std=1, initial_scale=scale).population[0].initial.quadrature(mirrored=False)
    scalar = Power(depth, np.log(law.product)[:, None], law.offset[:, None])
    y = np.array([[-30.0, -1.0, -1e-7, 0.0, 1e-3, 1.0, 50.0]])
    point = scalar.at(scalar.coordinate(y, theta))
    np.testing.assert_allclose(point.w + theta * point.x, y, rtol=1e-9, atol=1e-12 * (1 + theta))


def test_weight_decay_above_depth_two_has_no_final_theory():
    found = predict(of(3, decay=0.1))
    assert found.solution is found.final_parameter_error is found.convergence_rate is None
    assert "not convex" in found.notes["final_parameter_error"].why
    assert "not convex" in found.notes["convergence_rate"].why
    assert found.time_scales["forgetting"].value == pytest.approx(5)
    with pytest.raises(NoTheory, match="start"):
        final_state(of(3, decay=0.1))


@pytest.mark.parametrize("depth", [1, 2.5, 3, 4])
def test_large_initialisation_is_lazy(depth):
    """Minimum ℓ2 norm and k = 2a^(2L−2) times the left edge of Marchenko–Pastur."""
    found = predict(of(depth, scale=20.0))
    assert found.final_parameter_error == pytest.approx(0.5 * 0.1 + 0.01, rel=1e-4)
    assert found.convergence_rate == pytest.approx(2 * 20.0 ** (2 * depth - 2) * (1 - 2**0.5) ** 2, rel=1e-3)
    assert found.regime == "lazy"


@pytest.mark.parametrize("delta", [0.5, 0.8, 2.0])
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_depth_one_is_ridge_regression(delta, decay):
    """The end against (XᵀX/n + λ/(2d))⁻¹Xᵀy/n, which is (2XᵀX/δ + λ)w = 2Xᵀy/δ, or its limit λ → 0."""
    problem, rng, draws = of(1, delta, ATOMS, noise=0.5, decay=decay), np.random.default_rng(6), []
    for _ in range(20):
        X, teacher, y = finite.draw(problem, 300, rng)
        ridge = decay * np.eye(300)
        w = np.linalg.solve(2 * X.T @ X / delta + ridge, 2 * X.T @ y / delta) if decay else np.linalg.lstsq(X, y)[0]
        u = (w if decay else 0.6 + w) / 2
        loss = np.mean((y - X @ w) ** 2) / 2 if decay or delta > 1 else 0.0
        draws.append(finite.summary(w, teacher) | {"train_loss": loss, "u_norm": np.mean(u**2)})
    finite.assert_agrees(final_state(problem), draws, REMAINDER)


@pytest.mark.parametrize("scale", [0.3, PairScale(u=1.0, v=0.2)])
@pytest.mark.parametrize("delta", [0.5, 2.0])
def test_curves_of_depth_one(scale, delta):
    """u and v of a finite network with weight decay, step by step; the end is that of the curves."""
    problem, time, rng = of(1, delta, ATOMS, noise=0.5, scale=scale, decay=0.4), np.array([0.1, 0.5, 2.0]), np.random.default_rng(8)
    curves, seen = lazy.curves(problem, time), []
    for _ in range(16):
        X, teacher, y = finite.draw(problem, 200, rng)
        state = np.concatenate(finite.initial_values(scale, 200, rng))

        def flow(t, state, X=X, y=y):
            u, v = state.reshape(2, -1)
            h = X.T @ (X @ (u - v) - y) / delta
            return np.concatenate([-h - 0.4 * u, h - 0.4 * v])

        ws = [u - v for u, v in solve_ivp(flow, (0, 2), state, t_eval=time, rtol=1e-6, atol=1e-8).y.T.reshape(3, 2, -1)]
        seen.append([[np.mean((w - teacher) ** 2) for w in ws], [np.mean((y - X @ w) ** 2) / 2 for w in ws]])
    mean, stderr = np.mean(seen, axis=0), np.std(seen, axis=0, ddof=1) / 4
    for number, expected in enumerate((curves.parameter_error, curves.train_loss)):
        assert np.all(np.abs(mean[number] - expected) <= 3.5 * stderr[number] + REMAINDER * expected)
    end, late = final_state(problem), lazy.curves(problem, np.array([60.0]))
    assert late.parameter_error[0] == pytest.approx(end.parameter_error, rel=1e-8)
    assert late.train_loss[0] == pytest.approx(end.train_loss, rel=1e-8)


def test_lazy_curves_at_depth_three_are_a_finite_regression():
    problem, rng, time = of(3, 0.5, GaussianTarget(), noise=0.5, scale=2.0), np.random.default_rng(5), np.array([0.005, 0.02, 0.1])
    curves = lazy.curves(problem, time)
    rescaled = of(2, 0.5, GaussianTarget(), noise=0.5, scale=4.0)  # a² here is a⁴ there: the same κ = 32
    errors = np.array([regression(rescaled, time, rng)[0] for _ in range(20)])
    stderr = errors.std(axis=0, ddof=1) / np.sqrt(20)
    assert np.all(np.abs(errors.mean(axis=0) - curves.parameter_error) <= 3.5 * stderr + 0.005 * curves.parameter_error)


@pytest.mark.parametrize("depth", [1, 2.5, 3, 5])
@pytest.mark.parametrize(("scale", "decay"), [(0.3, 0.0), (0.3, 0.05), (PairScale(u=0.9, v=0.4), 0.05)])
def test_population_curves(depth, scale, decay):
    """u and v themselves, integrated as they are."""
    time, atoms = np.array([0.5, 2.0, 10.0]), np.array([-1.0, 0.5, 2.0])
    u0, v0 = finite.initial_values(scale, 3, None)

    def flow(t, state):
        u, v = state.reshape(2, -1)
        h = (u**depth - v**depth) / depth - atoms
        return np.concatenate([-(u ** (depth - 1)) * h - decay * u, v ** (depth - 1) * h - decay * v])

    path = solve_ivp(flow, (0, 10), np.concatenate([u0, v0]), t_eval=time, rtol=1e-10, atol=1e-12)
    u, v = path.y.T.reshape(3, 2, 3).swapaxes(0, 1)
    error = np.mean(((u**depth - v**depth) / depth - atoms) ** 2, axis=1)
    target = DiscreteTarget(atoms=tuple(atoms), probabilities=(1 / 3,) * 3)
    found = population.curves(of(depth, 1.0, target, scale=scale, decay=decay), time).parameter_error
    np.testing.assert_allclose(found, error, rtol=2e-5, atol=1e-10)


@pytest.mark.parametrize("decay", [0.0, 0.02])
def test_search_is_algebraic(decay):
    """In the population limit a coordinate is near zero before the search time a^(2−L)/((L−2)|h|) and arrives a few descents later."""
    problem = of(3, 100.0, DiscreteTarget(atoms=(1.0,), probabilities=(1.0,)), noise=0.0, scale=0.03, decay=decay)
    scales = predict(problem).time_scales
    search, descent = scales["search"].value, scales["descent"].value
    before, after = population.curves(problem, np.array([search - 6 * descent, search + 8 * descent])).parameter_error
    assert before > 0.8
    assert after < 0.05
    if not decay:
        assert search == pytest.approx((1 / 0.03 - 1) / np.hypot(1, 0.1), rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_everything_is_finite_or_explained(seed):
    rng = np.random.default_rng(seed)
    for _ in range(15):
        a, delta = float(np.exp(rng.uniform(np.log(1e-3), np.log(30)))), float(np.exp(rng.uniform(np.log(0.05), np.log(20))))
        target = [SPARSE, ATOMS, LAPLACE, UNIFORM][rng.integers(4)]
        scale = rng.choice([a, PairScale(u=a, v=float(min(100, a * rng.uniform(0.1, 10))))])
        if rng.random() < 0.3:
            scale = PairScale(u=1.0, v=1e-3)
        problem = of(rng.choice([1.0, 2.5, 3.0, 5.0, 10.0]), delta, target, rng.choice([0.0, 0.3]), scale, rng.choice([0.0, 0.1]))
        found = predict(problem)
        for name, note in found.notes.items():
            value = getattr(found, name)
            assert np.isfinite(value) if value is not None else note.why, (name, problem)
        for name, time_scale in found.time_scales.items():
            assert time_scale.note, name
            assert time_scale.value is None or 0 < time_scale.value < np.inf, (name, problem)
        if found.final_norm is not None:
            error = found.final_norm - 2 * found.final_overlap + problem.target_second_moment
            assert found.final_parameter_error == pytest.approx(error, rel=1e-3, abs=1e-6)
