"""Stochastic gradient flow: least squares in closed form, what u v forgets, its end, its limits, and finite networks."""

import numpy as np
import pytest

from dlnflow.dmft import radau, solve
from dlnflow.dmft.white import brownian
from dlnflow.model import BernoulliGaussTarget, GaussianScale, Group, PairScale, Problem, StochasticGradientFlow
from dlnflow.simulation import simulate
from dlnflow.solution import CURVES, SolveError
from dlnflow.theory import end_of_descent, predict

SPARSE = BernoulliGaussTarget(density=0.1)
PROBLEM = Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.1, initial_scale=0.3)


def at(temperature):
    return StochasticGradientFlow(kind="stochastic_gradient_flow", temperature=temperature)


def spectrum(aspect_ratio, points=2000):
    """Eigenvalues of XᵀX/δ above zero, shape (points,), and what they have of the Marchenko–Pastur law."""
    low, high = ((1 + side * aspect_ratio**-0.5) ** 2 for side in (-1, 1))
    angle = (np.arange(points) + 0.5) / points * np.pi
    x = (low + high) / 2 - (high - low) / 2 * np.cos(angle)
    density = np.sqrt((high - x) * (x - low)) * aspect_ratio / (2 * np.pi * x)
    return x, density * (high - low) / 2 * np.sin(angle) * np.pi / points


def least_squares(problem, temperature, horizon, steps=4000):
    """t, D = 2 train_loss and parameter_error of L = 1, (steps + 1,) each: Volterra equations over the spectrum of the data.

    With k = 2 a mode x of the weights decays as e^(−2xt) and has noise of variance 4τ x D(t) dt, of which the residual has x.
    """
    delta, second, noise = problem.aspect_ratio, problem.target_second_moment, problem.noise_std**2
    x, weight = spectrum(delta)
    t, h = np.linspace(0, horizon, steps + 1), horizon / steps
    decay = np.exp(-4 * np.outer(t, x))
    left = 1 - weight.sum()  # of the weights, that no sample sees
    free = second * (decay @ (weight * x)) + noise * (decay @ weight / delta + max(0, 1 - 1 / delta))
    kernel, seen = 4 * temperature * (decay @ (weight * x**2)), 4 * temperature * (decay @ (weight * x))
    loss, error = np.empty(steps + 1), second * (decay @ weight + left) + noise / delta * ((1 - decay**0.5) ** 2 @ (weight / x))
    loss[0] = free[0]
    for i in range(1, steps + 1):
        past = h * (kernel[i] * loss[0] / 2 + kernel[i - 1 : 0 : -1] @ loss[1:i])
        loss[i] = (free[i] + past) / (1 - h * kernel[0] / 2)
    for i in range(1, steps + 1):
        error[i] += h * (seen[i] * loss[0] / 2 + seen[i - 1 : 0 : -1] @ loss[1:i] + seen[0] * loss[i] / 2)
    return t, loss, error


def assert_within(found, name, expected):
    """All values are within the total error that the solve tells."""
    difference = np.abs(found.values[name] / expected - 1)
    assert difference.max() < found.diagnostics["error"]["total"], (name, difference)


@pytest.mark.parametrize("aspect_ratio, temperature, noise", [(0.5, 0.2, 0.1), (2.0, 0.2, 0.3), (0.5, 0.05, 0.0)])
def test_least_squares(aspect_ratio, temperature, noise):
    problem = Problem(aspect_ratio=aspect_ratio, target=SPARSE, noise_std=noise, initial_scale=0.6, depth=1)
    t, loss, error = least_squares(problem, temperature, 2.0)
    times = t[500::500]
    found = solve(problem, 2.0, times=times, accuracy=0.02, dynamics=at(temperature))
    assert found.diagnostics["outcome"] == "converged"
    assert_within(found, "train_loss", loss[500::500] / 2)
    assert_within(found, "parameter_error", error[500::500])
    whole = least_squares(problem, 1e-12, 2.0)[1]
    assert (loss / whole)[-1] > 1.05  # the noise shows


@pytest.mark.parametrize("aspect_ratio, scale, weight_decay", [(0.5, 0.3, 0.0), (0.8, 0.6, 0.02), (1.5, 0.4, 0.0)])
def test_u_v_forgets_the_initial_scale(aspect_ratio, scale, weight_decay):
    problem = Problem(aspect_ratio=aspect_ratio, target=SPARSE, noise_std=0.1, initial_scale=scale, weight_decay=weight_decay)
    times = np.linspace(0, 4, 400)
    found = solve(problem, 4.0, times=times, accuracy=0.02, dynamics=at(0.5))
    lost = np.append(0.0, np.cumsum(np.diff(times) * (found.values["train_loss"][1:] + found.values["train_loss"][:-1]) / 2))
    expected = 2 * np.log(scale) - 2 * weight_decay * times - 2 * 0.5 * lost
    np.testing.assert_allclose(found.values["log_product"], expected, atol=2e-4 + 0.02 * lost[-1])
    assert lost[-1] > 0.02


def test_it_ends_where_a_flow_from_a_smaller_scale_does():
    problem, dynamics = PROBLEM.model_copy(update={"initial_scale": 0.6}), at(0.5)
    found = solve(problem, 60.0, accuracy=0.05, dynamics=dynamics)
    end = end_of_descent(problem, dynamics, np.trapezoid(found.values["train_loss"], found.time))
    flow = predict(problem).final_parameter_error
    error = found.diagnostics["error"]["total"] * end.parameter_error
    assert abs(found.values["parameter_error"][-1] - end.parameter_error) < error
    assert abs(flow - end.parameter_error) > 0.005 * flow


def test_without_temperature_it_is_gradient_flow():
    times = np.array([0.5, 1, 2, 4])
    still, moved = (solve(PROBLEM, 4.0, times=times, accuracy=0.01, dynamics=dynamics) for dynamics in (None, at(1e-7)))
    for name in (*CURVES, "norm", "l1_norm", "log_product"):
        bars = np.hypot(still.stderr[name], moved.stderr[name])
        assert np.all(np.abs(still.values[name] - moved.values[name]) < 3 * bars), name


AGREE = {
    "sparse": (PROBLEM, 0.4),
    "weight decay, u and v apart": (
        PROBLEM.model_copy(update={"aspect_ratio": 0.8, "weight_decay": 0.05, "initial_scale": PairScale(u=0.8, v=0.3)}),
        0.5,
    ),
    "random initial values, more samples than parameters": (
        PROBLEM.model_copy(update={"aspect_ratio": 1.5, "noise_std": 0.3, "initial_scale": GaussianScale(kind="gaussian", std=0.6)}),
        0.2,
    ),
    "a known support": (
        Problem(
            aspect_ratio=0.5,
            groups=(
                Group(weight=0.9, target=SPARSE.model_copy(update={"density": 0.02}), initial_scale=0.2),
                Group(weight=0.1, target=SPARSE.model_copy(update={"density": 0.8}), initial_scale=0.6),
            ),
            noise_std=0.1,
        ),
        0.4,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", AGREE)
def test_it_agrees_with_finite_networks(name):
    problem, temperature = AGREE[name]
    times = np.array([0.25, 0.5, 1, 2, 4])
    theory = solve(problem, 4.0, times=times, accuracy=0.02, dynamics=at(temperature))
    network = simulate(problem, 4.0, times=times, dimension=1000, replicas=60, seed=1, dynamics=at(temperature))
    for curve in (*CURVES, "overlap", "norm", "l1_norm", "u_norm", "v_norm", "log_product", "averaged_parameter_error"):
        z = np.abs(theory.values[curve] - network.values[curve]) / np.hypot(theory.stderr[curve], network.stderr[curve])
        assert z.max() < 4, (curve, z)
    whole = solve(problem, 4.0, times=times, accuracy=0.01)
    shift = np.abs(whole.values["log_product"] - theory.values["log_product"])[-1]
    assert shift > 5 * np.hypot(theory.stderr["log_product"], network.stderr["log_product"])[-1]  # the noise shows


def test_kernels_are_those_of_the_whole_residual():
    found = solve(PROBLEM, 2.0, accuracy=0.02, dynamics=at(0.4))
    loss = np.interp(found.kernel_time, found.time, found.values["train_loss"])
    np.testing.assert_allclose(np.diag(found.kernels["residual_correlation"]) / 2, loss, rtol=0.02)


@pytest.mark.parametrize("m", [3, 4, 5])
@pytest.mark.parametrize("clock", [lambda t: 0.3 * t, lambda t: 1 - np.exp(-2 * t)])
def test_brownian_motion_on_the_nodes(m, clock):
    """Of the panel's integrals: the exact ones have the covariance of a Brownian motion, projected ones miss variance, but at the edge."""
    integral, variance = 0.7 * radau.integration(m), clock(radau.nodes(m))
    noise = brownian(variance, integral)
    exact, projected = integral @ noise.exact, integral @ noise.projected
    np.testing.assert_allclose(exact @ exact.T, np.minimum.outer(variance, variance), rtol=1e-10)
    np.testing.assert_allclose(np.sum(projected**2, axis=1) + noise.missing, variance, rtol=1e-10)
    assert np.all(noise.missing[:-1] > 0) and noise.missing[-1] < 1e-12
    assert not noise.projected[:, m:].any()


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"depth": 3}, "depth 1 or 2"),
        ({"target": None, "initial_scale": None, "groups": (Group(weight=1, variance=2, target=SPARSE, initial_scale=0.3),)}, "variances"),
    ],
)
def test_what_has_no_mean_field(changed, said):
    with pytest.raises(ValueError, match=said):
        solve(Problem.model_validate(PROBLEM.model_dump() | changed), 1.0, dynamics=at(0.1))


def test_noise_that_feeds_itself_is_told():
    """At L = 1 it does from τ = 1 on, and the loss grows without bound."""
    problem = Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.1, initial_scale=0.6, depth=1)
    assert predict(problem, at(1.0)).descent.critical_temperature == pytest.approx(1.0)
    with pytest.raises(SolveError, match="temperature") as error:
        solve(problem, 20.0, accuracy=0.05, dynamics=at(2.0))
    assert error.value.code == "diverged"
