"""Ends and rates of populations of groups: against finite problems, other solutions, and one group."""

import numpy as np
import pytest

from dlnflow.model import Problem
from dlnflow.theory import NoTheory, final_state, lazy, population, predict
from tests.model.groups import MIXED, SPARSE, TWO_VARIANCES, problem
from tests.theory import finite
from tests.theory.test_final import REMAINDER


def draw(asked, d, rng):
    """X (n, d), teacher, y, |u(0)| and |v(0)|, with the group of every coordinate drawn at random; and its variance."""
    groups = asked.groups
    member = np.searchsorted(np.cumsum([group.weight for group in groups][:-1]), rng.random(d), side="right")
    variance = np.array([group.variance for group in groups])[member]
    teacher, u0, v0 = np.empty((3, d))
    for number, group in enumerate(groups):
        here = member == number
        teacher[here] = finite.draw_teacher(group.target, here.sum(), rng)
        u0[here], v0[here] = finite.initial_values(group.initial_scale, here.sum(), rng)
    X = rng.normal(size=(round(asked.aspect_ratio * d), d)) * np.sqrt(variance / d)
    return X, teacher, X @ teacher + asked.noise_std * rng.normal(size=len(X)), u0, v0, variance


def summary(asked, w, teacher, variance):
    return finite.summary(w, teacher) | {"test_loss": (np.mean(variance * (w - teacher) ** 2) + asked.noise_std**2) / 2}


@pytest.mark.parametrize(
    "asked", [problem(TWO_VARIANCES), problem(MIXED), problem(MIXED, 0.8, 0.4)], ids=["two variances", "mixed", "noisy"]
)
def test_interpolation(asked):
    rng = np.random.default_rng(2)
    draws = []
    for _ in range(12):
        X, teacher, y, u0, v0, variance = draw(asked, 600, rng)
        draws.append(summary(asked, finite.interpolate(X, y, u0, v0), teacher, variance))
    finite.assert_agrees(final_state(asked), draws, REMAINDER)


@pytest.mark.parametrize("asked", [problem(TWO_VARIANCES, 2.0, 0.5), problem(MIXED, 1.5, 0.5)], ids=["two variances", "mixed"])
def test_least_squares(asked):
    rng = np.random.default_rng(3)
    draws = []
    for _ in range(20):
        X, teacher, y, *_, variance = draw(asked, 400, rng)
        draws.append(summary(asked, np.linalg.solve(X.T @ X, X.T @ y), teacher, variance))
    finite.assert_agrees(final_state(asked), draws, REMAINDER)


@pytest.mark.parametrize("asked", [problem(TWO_VARIANCES, 0.8, 0.2, 0.05), problem(MIXED, 1.5, 0.3, 0.1)], ids=["two variances", "mixed"])
def test_lasso(asked):
    rng = np.random.default_rng(4)
    draws = []
    for _ in range(12):
        X, teacher, y, *_, variance = draw(asked, 500, rng)
        w = finite.lasso(X, y, asked.weight_decay * asked.aspect_ratio)
        found = summary(asked, w, teacher, variance) | {"train_loss": np.mean((y - X @ w) ** 2) / 2}
        draws.append(found)
    finite.assert_agrees(final_state(asked), draws, REMAINDER)


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked", [problem(TWO_VARIANCES), problem(MIXED), problem(MIXED, 2.0, 0.3)], ids=["two variances", "mixed", "tall"]
)
def test_left_edge(asked):
    """As for one group: the line through the smallest eigenvalues of X K Xᵀ/δ meets the edge; 12 % is the spread between seeds."""
    d, seen = 1500 if asked.aspect_ratio < 1 else 700, []
    for seed in range(3):
        X, _, y, u0, v0, _ = draw(asked, d, np.random.default_rng(seed))
        w = finite.interpolate(X, y, u0, v0) if asked.aspect_ratio < 1 else np.linalg.lstsq(X, y)[0]
        half = X * np.sqrt(2 * np.hypot(w, u0 * v0))
        square = half @ half.T if asked.aspect_ratio < 1 else half.T @ half
        seen.append(np.linalg.eigvalsh(square / asked.aspect_ratio)[:8])
    slope, edge = np.polyfit((np.arange(8) + 0.75) ** (2 / 3), np.mean(seen, axis=0), 1)
    assert slope > 0
    assert predict(asked).convergence_rate == pytest.approx(edge, rel=0.12)


def test_the_end_of_two_variances():
    """From a separate solution of the fixed point's equations, to the four digits that are known of it."""
    end = final_state(problem(TWO_VARIANCES))
    assert end.parameter_error == pytest.approx(0.0471, abs=5e-5)
    assert 2 * end.test_loss - 0.01 == pytest.approx(0.0326, abs=5e-5)


@pytest.mark.parametrize("delta", [0.5, 2.0])
@pytest.mark.parametrize("decay", [0.0, 0.05])
def test_groups_that_are_alike_are_one(delta, decay):
    plain = Problem(aspect_ratio=delta, target=SPARSE, noise_std=0.2, initial_scale=0.3, weight_decay=decay)
    alike = problem([{"weight": weight, "target": SPARSE, "initial_scale": 0.3} for weight in (0.3, 0.7)], delta, 0.2, decay)
    one, other = predict(plain), predict(alike)
    for name in ("final_parameter_error", "final_test_loss", "final_train_loss", "final_l1_norm", "final_u_norm", "convergence_rate"):
        assert getattr(other, name) == (None if getattr(one, name) is None else pytest.approx(getattr(one, name), rel=1e-9)), name
    for name, scale in one.time_scales.items():
        assert other.time_scales[name].value == (None if scale.value is None else pytest.approx(scale.value, rel=1e-9)), name


def test_a_variance_is_a_change_of_units():
    """(c, w*, u, t) and (1, √c w*, c^(1/4) u, √c t): the error of √c w, and rates in units of √c."""
    c = 3.0
    scaled = problem([{"weight": 1, "variance": c, "target": {"kind": "gaussian", "std": 1.0}, "initial_scale": 0.4}])
    plain = Problem(aspect_ratio=0.5, target={"kind": "gaussian", "std": c**0.5}, noise_std=0.1, initial_scale=0.4 * c**0.25)
    one, other = predict(scaled), predict(plain)
    assert one.final_test_loss == pytest.approx(other.final_test_loss, rel=1e-9)
    assert one.final_parameter_error * c == pytest.approx(other.final_parameter_error, rel=1e-9)
    assert one.convergence_rate == pytest.approx(other.convergence_rate * c**0.5, rel=1e-9)
    time = np.array([0.3, 1.0, 3.0])
    mine, theirs = population.curves(scaled, time), population.curves(plain, time * c**0.5)
    np.testing.assert_allclose(mine.test_loss, theirs.test_loss, rtol=1e-5)
    np.testing.assert_allclose(mine.parameter_error * c, theirs.parameter_error, rtol=1e-5)


def test_the_lazy_limit_is_for_coordinates_that_are_alike():
    with pytest.raises(NoTheory, match="variance"):
        lazy.curves(problem(TWO_VARIANCES), np.ones(1))
    groups = [{"weight": 0.5, "target": {"kind": "gaussian", "std": std}, "initial_scale": 30.0} for std in (0.5, 1.0)]
    plain = Problem(aspect_ratio=0.5, target={"kind": "gaussian", "std": 0.625**0.5}, noise_std=0.1, initial_scale=30.0)
    time = np.array([1e-4, 1e-3])
    np.testing.assert_allclose(lazy.curves(problem(groups), time).test_loss, lazy.curves(plain, time).test_loss, rtol=1e-12)
