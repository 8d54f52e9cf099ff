"""Networks of any depth: depth one in closed form, others against finite networks that are followed here, and depth two as a limit."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.stats import norm

from dlnflow.dmft import solve
from dlnflow.model import BernoulliGaussTarget, DiscreteTarget, GaussianScale, Group, PairScale, Problem
from dlnflow.solution import CURVES, NAMES
from tests.dmft.exact import marchenko_pastur

SPARSE = BernoulliGaussTarget(density=0.1)
TIMES = np.array([0.0, 0.3, 1.0, 3.0, 8.0])


# Depth one: w' = −2 h − λ w. With A = XᵀX/δ of eigenvalues x, e = −(1 − 2 x g) w* + 2 g Xᵀξ/δ + e^(−rt) w(0) where r = 2 x + λ and
# g = (1 − e^(−rt))/r; the mean of e over time has the means of g and of e^(−rt) for these.


def now(x, t, decay):
    """g and e^(−rt)."""
    rate = 2 * x + max(decay, 1e-12)
    return -np.expm1(-rate * t) / rate, np.exp(-rate * t)


def averaged(x, t, decay):
    """Their means over time."""
    rate = 2 * x + max(decay, 1e-12)
    mean = -np.expm1(-rate * t) / (rate * t)
    return (1 - mean) / rate, mean


def linear_error(factors, t, problem):
    """E[e²]."""
    delta, noise, second, mean = problem.aspect_ratio, problem.noise_std, problem.target_second_moment, problem.target_mean
    start = problem.population[0].initial.mean_weight(1)

    def square(x):
        g, kept = factors(x, t, problem.weight_decay)
        teacher = 1 - 2 * x * g
        return second * teacher**2 - 2 * mean * start * teacher * kept + (start * kept) ** 2 + 4 * g**2 * noise**2 * x / delta

    return marchenko_pastur(square, delta) + max(0.0, 1 - delta) * square(0.0)


def linear_loss(t, problem):
    """‖r‖²/(2n): r = √(δx) e − ξ of every eigenvalue."""
    delta, noise, second, mean = problem.aspect_ratio, problem.noise_std, problem.target_second_moment, problem.target_mean
    start = problem.population[0].initial.mean_weight(1)

    def square(x):
        g, kept = now(x, t, problem.weight_decay)
        teacher = 1 - 2 * x * g
        signal = second * teacher**2 - 2 * mean * start * teacher * kept + (start * kept) ** 2
        return signal * x + teacher**2 * noise**2 / delta

    return (marchenko_pastur(square, delta) + max(0.0, 1 - 1 / delta) * noise**2) / 2


LINEAR = [
    Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.1, initial_scale=0.5, depth=1),
    Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.1, initial_scale=0.5, depth=1, weight_decay=0.3),
    Problem(
        aspect_ratio=1.6,
        target=DiscreteTarget(atoms=(0.0, 1.0), probabilities=(0.8, 0.2)),
        noise_std=0.3,
        initial_scale=PairScale(u=0.5, v=0.2),
        depth=1,
        weight_decay=0.1,
    ),
]


@pytest.fixture(scope="module", params=LINEAR, ids=["plain", "ridge", "pair"])
def linear(request):
    return request.param, solve(request.param, TIMES[-1], times=TIMES, accuracy=5e-3)


def test_linear_network_learns_as_linear_regression(linear):
    problem, solution = linear
    for i, t in enumerate(TIMES):
        expected = {"parameter_error": linear_error(now, t, problem), "train_loss": linear_loss(t, problem)}
        if t:
            expected["averaged_parameter_error"] = linear_error(averaged, t, problem)
        for name, value in expected.items():
            found, stderr = solution.values[name][i], solution.stderr[name][i]
            assert found == pytest.approx(value, abs=4 * stderr, rel=1e-6), (name, t)
            assert stderr < 4e-3 * max(value, 1e-3 * solution.values[name][0])


def test_layers_of_a_linear_network_are_known_from_w(linear):
    """u + v decays, and u − v = w."""
    problem, solution = linear
    total = 2 * np.sqrt(problem.population[0].initial.product) if problem.is_symmetric else 0.7
    total = total * np.exp(-problem.weight_decay * TIMES)
    mean = 0 if problem.is_symmetric else sum(one.probability * one.mean for one in solution.conditional)
    for name, sign in (("u_norm", 1), ("v_norm", -1)):
        expected = (total**2 + 2 * sign * total * mean + solution.values["norm"]) / 4
        np.testing.assert_allclose(solution.values[name], expected, rtol=2e-3)


def test_support_and_excess_of_a_linear_network(linear):
    """Given w*, w is normal: with A = XᵀX/δ its mean is E[2 x g] w* + E[e^(−rt)] w(0), and E[e²] says how wide it is."""
    problem, solution = linear
    law, theta, start = problem.target, problem.support_threshold, problem.population[0].initial.mean_weight(1)
    magnitude = 0.1 * np.sqrt(2 / np.pi) if law.kind == "bernoulli_gauss" else 0.2  # E|w*|
    for i, t in enumerate(TIMES):
        gain, kept = (linear_mean(lambda x, f=f, t=t: f(x, *now(x, t, problem.weight_decay)), problem.aspect_ratio) for f in (_gain, _kept))
        loss = law.second_moment * (gain - 1) ** 2 + 2 * (gain - 1) * kept * start * law.mean + (kept * start) ** 2
        spread = max(linear_error(now, t, problem) - loss, 0.0)
        missed = false = l1_norm = 0.0
        for kind in law.mixture():
            mean, std = gain * kind.mean + kept * start, max(np.sqrt(spread + gain**2 * kind.variance), 1e-12)
            inside = norm.cdf((theta - mean) / std) - norm.cdf((-theta - mean) / std)
            is_zero = kind.mean == kind.variance == 0
            missed, false = missed + kind.probability * inside * (not is_zero), false + kind.probability * (1 - inside) * is_zero
            l1_norm += kind.probability * (2 * std * norm.pdf(mean / std) + mean * (1 - 2 * norm.cdf(-mean / std)))
        expected = {"missed_support": missed, "false_support": false, "excess_l1_norm": l1_norm - magnitude}
        for name, value in expected.items():
            found, stderr = solution.values[name][i], solution.stderr[name][i]
            assert found == pytest.approx(value, abs=4 * stderr + 1e-9), (name, t)
            assert stderr < 0.02, (name, t)  # a share that rises within one panel has the largest


def _gain(x, g, kept):
    return 2 * x * g


def _kept(x, g, kept):
    return kept


def linear_mean(f, delta):
    """E over the coordinates of what is f(x) in the eigenspaces of A."""
    return marchenko_pastur(f, delta) + max(0.0, 1 - delta) * f(0.0)


def test_slopes_of_a_linear_network_are_constant(linear):
    """R_w(t, t) = −E[c k], also where integrals over time have weights."""
    np.testing.assert_allclose(np.diag(linear[1].kernels["response"]), -2, rtol=1e-12)


def test_the_mean_of_what_stands_still_goes_on():
    """Panels after the end of all movement are left out; there the mean of w goes on towards w."""
    problem = LINEAR[1].model_copy(update={"weight_decay": 1.0})
    times = np.array([1.0, 10.0, 40.0, 78.0])
    solution = solve(problem, times[-1], times=times)
    for i, t in enumerate(times):
        value, found = linear_error(averaged, t, problem), solution.values["averaged_parameter_error"][i]
        assert found == pytest.approx(value, abs=4 * solution.stderr["averaged_parameter_error"][i])
        assert found == pytest.approx(value, rel=2e-3)


def test_the_product_of_layers_is_known_at_depth_two():
    """log |u v| = log |u(0) v(0)| − 2λt for every coordinate; E[log |g|] of a normal variate g by its own integral."""
    random = Problem(aspect_ratio=0.5, target=SPARSE, initial_scale=GaussianScale(kind="gaussian", std=0.4), weight_decay=0.1)
    solution = solve(random, 1.0, times=TIMES[:3], accuracy=0.1)
    logarithm = quad(lambda g: 2 * np.log(g) * np.exp(-(g**2) / 2) / np.sqrt(2 * np.pi), 0, np.inf)[0]
    np.testing.assert_allclose(solution.values["log_product"], 2 * (np.log(0.4) + logarithm) - 0.2 * TIMES[:3], rtol=1e-7)


# Finite networks, all of one teacher, so that the noise is that of the data


def network(problem, dimension, seed):
    """Every curve of one network by an independent integrator, (len(TIMES),) each."""
    rng, depth, decay = np.random.default_rng(seed), problem.depth, problem.weight_decay
    parts = [coordinates(group, round(group.weight * dimension)) for group in problem.population]
    teacher, root, u0, v0 = (np.concatenate(each) for each in zip(*parts, strict=True))
    d, n = len(teacher), round(problem.aspect_ratio * len(teacher))
    X = rng.standard_normal((n, d)) / d**0.5 * root
    y = X @ teacher + problem.noise_std * rng.standard_normal(n)

    def flow(t, state):
        u, v, _ = state.reshape(3, d)
        w = (u**depth - v**depth) / depth
        h = X.T @ (X @ w - y) * (d / n)
        return np.concatenate([-(u ** (depth - 1)) * h - decay * u, v ** (depth - 1) * h - decay * v, w - teacher])

    start = np.concatenate([u0, v0, np.zeros(d)])
    path = solve_ivp(flow, (0, TIMES[-1]), start, t_eval=TIMES, rtol=1e-6, atol=1e-9)
    u, v, integral = path.y.T.reshape(len(TIMES), 3, d).swapaxes(0, 1)
    w = (u**depth - v**depth) / depth
    error = w - teacher
    averaged = np.where(TIMES[:, None] > 0, integral / np.maximum(TIMES, 1e-300)[:, None], error)
    return {
        "train_loss": np.mean((w @ X.T - y) ** 2, axis=1) / 2,
        "test_loss": (np.mean((root * error) ** 2, axis=1) + problem.noise_std**2) / 2,
        "parameter_error": np.mean(error**2, axis=1),
        "overlap": np.mean(w * teacher, axis=1),
        "norm": np.mean(w**2, axis=1),
        "l1_norm": np.mean(np.abs(w), axis=1),
        "u_norm": np.mean(u**2, axis=1),
        "v_norm": np.mean(v**2, axis=1),
        "log_product": np.mean(np.log(np.abs(u * v)), axis=1),
        "averaged_parameter_error": np.mean(averaged**2, axis=1),
        "excess_l1_norm": np.mean(np.abs(w), axis=1) - np.mean(np.abs(teacher)),
        "missed_support": np.mean((np.abs(w) <= problem.support_threshold) & (teacher != 0), axis=1),
        "false_support": np.mean((np.abs(w) > problem.support_threshold) & (teacher == 0), axis=1),
    }


def coordinates(group, size):
    """w*, √c, u(0) and v(0) of so many coordinates of a group."""
    counts = np.round(np.array(group.target.probabilities) * size).astype(int)
    teacher = np.repeat(group.target.atoms, counts)
    assert len(teacher) == size
    u, v = (group.initial_scale.u, group.initial_scale.v) if isinstance(group.initial_scale, PairScale) else (group.initial_scale,) * 2
    return teacher, np.full(size, group.variance**0.5), np.full(size, u), np.full(size, v)


SIGNS = DiscreteTarget(atoms=(-1.0, 0.0, 1.0), probabilities=(0.05, 0.9, 0.05))


def groups(*variances):
    target = DiscreteTarget(atoms=(0.0, 1.5), probabilities=(0.8, 0.2))
    return tuple(Group(weight=1 / len(variances), variance=c, target=target, initial_scale=0.6) for c in variances)


DEEP = {
    "3": Problem(aspect_ratio=0.5, target=SIGNS, noise_std=0.1, initial_scale=0.5, depth=3),
    "3, decay": Problem(aspect_ratio=0.5, target=SIGNS, noise_std=0.1, initial_scale=0.7, depth=3, weight_decay=0.03),
    "3, groups": Problem(aspect_ratio=0.8, groups=groups(0.25, 1.75), noise_std=0.1, depth=3, weight_decay=0.01),
    "4, pair": Problem(aspect_ratio=0.6, target=SIGNS, noise_std=0.1, initial_scale=PairScale(u=0.8, v=0.6), depth=4),
    "2.5": Problem(aspect_ratio=0.6, target=SIGNS, noise_std=0.1, initial_scale=0.4, depth=2.5, weight_decay=0.02),
    "1, groups": Problem(aspect_ratio=0.8, groups=groups(0.25, 1.75), noise_std=0.1, depth=1, weight_decay=0.1),
}


MAY_VANISH = ("excess_l1_norm", "missed_support", "false_support")


@pytest.mark.parametrize("name", DEEP)
def test_deep_networks(name):
    """Of a few hundred coordinates: the mean field is within five standard errors, and near to typical ones."""
    problem, replicas = DEEP[name], 20
    solution = solve(problem, TIMES[-1], times=TIMES, accuracy=0.01)
    assert solution.diagnostics["outcome"] == "converged"
    runs = [network(problem, 400, seed) for seed in range(replicas)]
    z = {}
    for curve in NAMES:
        if curve == "log_product" and problem.depth == 1:
            continue  # u and v change their signs there
        each = np.array([run[curve] for run in runs])[:, 1:]
        mean, spread = each.mean(axis=0), each.std(axis=0, ddof=1) / replicas**0.5
        found, stderr = solution.values[curve][1:], solution.stderr[curve][1:]
        deviation = np.hypot(spread, stderr)
        z[curve] = np.divide(found - mean, deviation, out=np.zeros(len(mean)), where=(deviation > 0) | (found != mean))
        largest = np.maximum(0.08 * np.abs(mean), 0.025 if curve in MAY_VANISH else 0.0)
        assert np.all(deviation < largest), curve
    print({curve: np.round(value, 1).tolist() for curve, value in z.items()})
    values = np.concatenate(list(z.values()))
    assert np.max(np.abs(values)) < 5
    assert np.mean(values**2) < 3


def test_depth_two_is_the_limit():
    """The next depth moves curves by about the difference of the depths."""
    two, near = (
        solve(
            Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.1, initial_scale=0.3, weight_decay=0.01, depth=depth), 4.0, times=TIMES[:4]
        )
        for depth in (2, 2.0001)
    )
    for name in NAMES:
        np.testing.assert_allclose(near.values[name], two.values[name], rtol=1e-3, atol=1e-3 * np.abs(two.values[name]).max())
    assert any(np.any(near.values[name] != two.values[name]) for name in CURVES)


def test_depth_two_need_not_be_said():
    arguments = {"aspect_ratio": 0.5, "target": SPARSE, "noise_std": 0.1, "initial_scale": 0.3}
    one, other = (solve(Problem(**arguments, **depth), 0.5, times=TIMES[:2]) for depth in ({}, {"depth": 2.0}))
    for name in NAMES:
        np.testing.assert_array_equal(one.values[name], other.values[name])
        np.testing.assert_array_equal(one.stderr[name], other.stderr[name])
