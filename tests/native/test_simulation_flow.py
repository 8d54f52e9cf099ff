"""The compiled flow against integrators that know nothing of it, its steps against NumPy's, and how it is stopped."""

import sys
import threading
import time

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dlnflow.model import BernoulliGaussTarget, Problem
from dlnflow.native import simulation as native
from dlnflow.simulation.draw import draw_network
from dlnflow.simulation.flow import Flow, follow
from dlnflow.simulation.network import Network
from dlnflow.simulation.spectrum import spectrum
from dlnflow.solution import SolveError
from tests.native.networks import SCALES, small_network

TIMES = np.array([0.0, 0.2, 1.0, 3.0, 8.0])
ERROR = 1e-4  # of w, from a local one of 1e-6; the kinks of the clipping make it coarser
R1 = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.1), noise_std=0.1, initial_scale=0.3)


def ignore(t: float) -> None:
    pass


def everything(network, tolerance):
    parts = list(follow(Flow(network, TIMES[-1], tolerance), TIMES))
    return [np.concatenate([getattr(part, name) for part in parts]) for name in ("u2", "v2", "r")]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("decay", [0.0, 0.2])
@pytest.mark.parametrize("truncation", [np.inf, 0.7])
def test_the_flow_is_that_of_an_integrator_in_u_and_v(scale, decay, truncation):
    network = small_network(SCALES[scale], decay, truncation)
    X, d = network.design.X, 40

    def field(t, uv):
        u, v = np.clip(uv[:d], -truncation, truncation), np.clip(uv[d:], -truncation, truncation)
        h = X.T @ (X @ (u * u - v * v) / 2 - network.y) * d / network.samples
        return np.concatenate([-u * (h + decay), -v * (decay - h)])

    start = np.concatenate([network.u0, network.v0])
    uv = solve_ivp(field, (0, TIMES[-1]), start, "RK45", TIMES, rtol=1e-9, atol=1e-12, max_step=0.02).y.T
    squares = np.clip(uv, -truncation, truncation) ** 2
    u2, v2, r = everything(network, 1e-6)
    np.testing.assert_allclose(u2, squares[:, :d], atol=ERROR)
    np.testing.assert_allclose(v2, squares[:, d:], atol=ERROR)
    np.testing.assert_allclose(r, (squares[:, :d] - squares[:, d:]) / 2 @ X.T - network.y, atol=ERROR)


def rms(x):
    return np.sqrt(np.mean(x**2))


def flow_of_numpy(network, end, tolerance):
    """t, H and what is exact after every step: how accurate steps are and how long they become, in NumPy."""
    point = base = network.compiled.at(0.0, network.compiled.start)
    labels, radius, h = rms(network.y), point.k.max(), 0.2 / np.abs(point.force).max()

    def acceptable(point, stiffness):
        residual = np.sqrt((point.r @ point.r + network.fixed_residual) / network.samples)
        scale = max(min(residual, rms(point.w - network.teacher)), 1e-3 * labels)
        return max(tolerance * scale, 1e-15 * (100 + stiffness) * labels)

    while point.t < end:
        h = min(h, end - point.t)
        share, allowed = 1 / max(h * radius, 1.0), acceptable(point, h * radius)
        rounding, functions = share * tolerance, min(max(100 * share, 0.3), 5.0) * allowed
        step = native.Step(network.compiled, point, base, h, (100 * rounding, rounding, 0.3 * share * allowed, functions))
        error = rms((1 + np.maximum(point.k, step.end.k)) * step.error) / acceptable(step.end, h * radius)
        if error <= 1:
            point, base, radius = step.end, step.end if step.exact else base, step.radius
            yield point.t, point.H, step.exact
        h *= min(max(0.85 * max(error, 1e-10) ** (-1 / 3), 0.1), 8.0)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("tolerance", [3e-3, 1e-5])
def test_the_lengths_of_steps_are_those_of_numpy(scale, decay, tolerance):
    """Norms and cube roots are rounded otherwise, and products in single precision make 1e-7 of a last bit."""
    problem = R1.model_copy(update={"initial_scale": SCALES[scale], "weight_decay": decay})
    network, steps = draw_network(problem, 150, np.random.default_rng(0)), []
    flow = Flow(network, 5.0, tolerance)
    while flow.point.t < 5.0:
        flow.advance(np.nextafter(flow.point.t, np.inf))
        steps.append((flow.point.t, flow.point.H, flow.exact))
    expected = list(flow_of_numpy(network, 5.0, tolerance))
    assert len(steps) == len(expected) == flow.steps > 8
    for (t, H, exact), (t_expected, H_expected, exact_expected) in zip(steps, expected, strict=True):
        assert t == pytest.approx(t_expected, rel=1e-6)
        np.testing.assert_allclose(H, H_expected, rtol=1e-6, atol=1e-6)
        assert exact == exact_expected
    assert steps[-1][0] == 5.0


def test_a_flow_that_is_at_rest_stays_there():
    network = small_network()
    still = Network(network.design, np.zeros_like(network.y), 0 * network.teacher, network.u0, network.v0, 0.0, network.samples)
    u2, v2, r = everything(still, 3e-3)
    np.testing.assert_allclose(u2, 0.09, rtol=1e-15)
    np.testing.assert_allclose(v2, 0.09, rtol=1e-15)
    assert not r.any()


def test_times_outside_of_the_last_step_are_refused():
    network = small_network()
    flow = native.Flow(network.compiled, tolerance=3e-3, end=8.0)
    assert flow.advance(2.0, stiffest=np.inf, spectrum=None, watch=ignore) == native.Outcome.REACHED
    assert flow.t >= 2.0
    for t in (0.0, 7.9, np.nan):
        with pytest.raises(ValueError, match="not within the last step"):
            flow.at(t)


def test_steps_that_are_too_stiff_ask_for_a_spectrum():
    network = small_network()
    flow = native.Flow(network.compiled, tolerance=3e-3, end=8.0)
    assert flow.advance(8.0, stiffest=0.0, spectrum=None, watch=ignore) == native.Outcome.STIFF
    assert flow.steps == 0
    wrong = native.Spectrum(np.ones(40), np.zeros(28), np.eye(28))
    assert flow.advance(8.0, stiffest=0.0, spectrum=wrong, watch=ignore) == native.Outcome.STIFF


@pytest.mark.parametrize("name", ["X", "y", "u0", "v0", "weight_decay", "teacher", "fixed_residual"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_ends_the_flow(name, bad):
    """The last two set the scale of errors only, and an infinite one is not the smaller of the two."""
    drawn = draw_network(R1, 60, np.random.default_rng(0))
    data = {each: np.copy(getattr(drawn, each)) for each in ("y", "teacher", "u0", "v0", "weight_decay", "fixed_residual")}
    if name == "X":
        drawn.design.X[3, 40] = bad
    else:
        data[name].flat[-1] = bad
    data["weight_decay"], data["fixed_residual"] = float(data["weight_decay"]), float(data["fixed_residual"])
    flow = Flow(Network(drawn.design, samples=drawn.samples, **data), 8.0)
    if name == "teacher" or (name == "fixed_residual" and bad == np.inf):
        flow.advance(8.0)
        assert np.isfinite(flow.point.H).all()
    else:
        with pytest.raises(SolveError, match="time step became too small"):
            flow.advance(8.0)


class Stop(Exception):
    pass


@pytest.mark.parametrize(("dimension", "end"), [(300, 1e3), (1500, 100.0)])
def test_an_exception_of_watch_stops_the_steps_and_the_flow_can_go_on(dimension, end):
    network = draw_network(R1, dimension, np.random.default_rng(0))
    seen = []

    def stop(t):
        seen.append(t)
        raise Stop(t)

    whole, flow = Flow(network, end, 1e-6), Flow(network, end, 1e-6, watch=stop)
    whole.advance(end)
    while flow.point.t < end:
        before = flow.point.t
        try:
            flow.advance(end)
        except Stop as stopped:
            assert before <= stopped.args[0] == seen[-1] == flow.point.t < end
            flow._watch = ignore if len(seen) == 3 else stop
    assert len(seen) == 3
    assert np.array_equal(flow.point.H, whole.point.H)


def test_a_flow_is_left_alone_while_it_advances():
    flow = native.Flow(draw_network(R1, 1500, np.random.default_rng(0)).compiled, tolerance=1e-6, end=100.0)
    refused = []

    def intrude(t):
        for use in (lambda: flow.advance(100.0, stiffest=np.inf, spectrum=None, watch=ignore), lambda: flow.at(t), lambda: flow.point):
            with pytest.raises(RuntimeError, match="the flow is advancing"):
                use()
        refused.append(t)

    flow.advance(100.0, stiffest=np.inf, spectrum=None, watch=intrude)
    assert refused
    assert flow.t == 100.0


def test_a_spectrum_lives_as_long_as_the_step_that_it_served():
    network = small_network(100.0)
    flow = native.Flow(network.compiled, tolerance=3e-3, end=1.0)
    flow.advance(1.0, stiffest=0.0, spectrum=spectrum(network, flow.point.k), watch=ignore)
    assert flow.steps
    before = flow.at(flow.t)
    junk = [np.full((28, 28), np.nan) for _ in range(100)]
    assert all(np.array_equal(*pair) for pair in zip(before, flow.at(flow.t), strict=True))
    del junk


def test_accuracy_that_cannot_be_had_ends_nevertheless():
    network = draw_network(R1.model_copy(update={"aspect_ratio": 1.0}), 400, np.random.default_rng(0))
    krylov = native.Krylov(network.design.compiled, per_sample=1.0, k=np.ones(400), b=np.ones(400), error=0.0)
    assert krylov.build(1, 1.0, 1e5, -1.0) < 1e-299
    for tolerance in (0.0, -1.0, np.nan):
        flow = native.Flow(network.compiled, tolerance=tolerance, end=1e-3)
        assert flow.advance(1e-3, stiffest=np.inf, spectrum=None, watch=ignore) in (native.Outcome.REACHED, native.Outcome.STUCK)


def test_other_threads_run_while_steps_are_made():
    network = draw_network(R1, 1000, np.random.default_rng(0))
    ran, interval = threading.Event(), sys.getswitchinterval()
    sys.setswitchinterval(60)  # so that the lock is not taken from those who hold it
    try:
        other = threading.Thread(target=lambda: (time.sleep(0.01), ran.set()))
        other.start()
        flow = native.Flow(network.compiled, tolerance=1e-7, end=400.0)
        flow.advance(400.0, stiffest=np.inf, spectrum=None, watch=ignore)
        assert ran.is_set()
    finally:
        sys.setswitchinterval(interval)
        other.join()
