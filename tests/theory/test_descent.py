"""What batches, momentum and large steps do: against descents of finite networks, written out here."""

import numpy as np
import pytest

from dlnflow.model import DiscreteTarget, GaussianScale, GradientDescent, Group, PairScale, Problem
from dlnflow.theory import NoTheory, effective_start, end_of_descent, final_state, predict, temperature
from dlnflow.wire.requests import job_id, request_adapter
from tests.theory import finite
from tests.theory.test_final import ATOMS, SPARSE, of


def steps(eta, b=1.0, **fields):
    return GradientDescent(kind="gradient_descent", step_size=eta, batch_fraction=b, **fields)


def test_reference_end():
    """From a separate solution: at τ = 1.9 the train loss integrates to log(.6/.5215)/1.9."""
    problem, dynamics = of(0.5, scale=0.6), steps(0.05, 0.05)
    assert temperature(dynamics, 0.5) == pytest.approx(1.9)
    integral = np.log(0.6 / 0.5215) / 1.9
    assert effective_start(problem, dynamics, integral).initial_scale.a == pytest.approx(0.5215)
    assert end_of_descent(problem, dynamics, integral).parameter_error == pytest.approx(0.0428, abs=5e-5)
    assert final_state(problem).parameter_error == pytest.approx(0.0461, abs=5e-5)


def end_of_batches(X, y, u, v, rng):
    """u, v and ∫train_loss dt after 2,500 steps of 0.02, each on a twentieth of the samples, at δ = 0.5."""
    integral = 0.0
    for _ in range(2500):
        r = X @ ((u**2 - v**2) / 2) - y
        integral += 0.02 * np.mean(r**2) / 2
        h = X.T @ (r * (rng.random(len(y)) < 0.05)) / (0.05 * 0.5)
        u, v = u * (1 - 0.02 * h), v * (1 + 0.02 * h)
    return u, v, integral


@pytest.mark.parametrize("scale", [0.6, PairScale(u=0.7, v=0.5)])
def test_batches_forget_the_initial_scale(scale):
    """u v falls by e^(−2τ ∫train_loss dt), and descent ends where the flow from the smaller scale does, up to b/(1 − b)."""
    problem, dynamics, d = of(0.5, ATOMS, scale=scale), steps(0.02, 0.05), 300
    tau, rng, draws, logarithms, integrals = temperature(dynamics, 0.5), np.random.default_rng(1), [], [], []
    for _ in range(10):
        X, teacher, y = finite.draw(problem, d, rng)
        u, v = finite.initial_values(scale, d, rng)
        start = np.mean(np.log(u * v))
        u, v, integral = end_of_batches(X, y, u, v, rng)
        draws.append(finite.summary((u**2 - v**2) / 2, teacher))
        logarithms.append(np.mean(np.log(abs(u * v))) - start)
        integrals.append(integral)
    difference = np.array(logarithms) + 2 * tau * np.array(integrals)
    assert abs(difference.mean()) < 3.5 * difference.std(ddof=1) / np.sqrt(10) + 0.05 * 2 * tau * np.mean(integrals)
    assert abs(difference.mean()) < 0.1 * abs(np.mean(logarithms))
    finite.assert_agrees(end_of_descent(problem, dynamics, np.mean(integrals)), draws, 0.02)


def test_batches_shrink_u_v_of_every_group_by_its_variance():
    """Of networks whose columns have variances 0.25 and 1.75; the end is that of the flow from starts scaled apart."""
    groups = tuple(Group(weight=0.5, variance=c, target=ATOMS, initial_scale=0.6) for c in (0.25, 1.75))
    problem, dynamics, d = Problem(aspect_ratio=0.5, groups=groups, noise_std=0.1), steps(0.02, 0.05), 300
    tau, rng, draws, falls = temperature(dynamics, 0.5), np.random.default_rng(2), [], []
    c, integrals = np.repeat([0.25, 1.75], d // 2), []
    for _ in range(10):
        teacher = finite.draw_teacher(ATOMS, d, rng)
        X = rng.normal(size=(d // 2, d)) * np.sqrt(c / d)
        y = X @ teacher + 0.1 * rng.normal(size=len(X))
        u, v, integral = end_of_batches(X, y, np.full(d, 0.6), np.full(d, 0.6), rng)
        draws.append(finite.summary((u**2 - v**2) / 2, teacher))
        starts = [group.initial.a for group in effective_start(problem, dynamics, integral).groups]
        falls.append(np.log(np.abs(u * v)).reshape(2, -1).mean(axis=1) / 2 - np.log(starts))
        integrals.append(integral)
    mean, error = np.mean(falls, axis=0), np.std(falls, axis=0, ddof=1) / np.sqrt(10)
    whole = tau * np.array([0.25, 1.75]) * np.mean(integrals)
    assert np.all(np.abs(mean) < 3.5 * error + 0.1 * whole) and np.all(error < 0.05 * whole)
    finite.assert_agrees(end_of_descent(problem, dynamics, np.mean(integrals)), draws, 0.02)


def test_every_kind_of_start_is_scaled():
    dynamics, factor = steps(0.05, 0.05), np.exp(-1.9 * 0.1)
    groups = (Group(weight=1.0, target=SPARSE, initial_scale=0.3),)
    assert effective_start(of(0.5, scale=PairScale(u=0.5, v=0.1)), dynamics, 0.1).initial_scale.u == pytest.approx(0.5 * factor)
    random = of(0.5, scale=GaussianScale(kind="gaussian", std=0.5))
    assert effective_start(random, dynamics, 0.1).initial_scale.std == pytest.approx(0.5 * factor)
    population = Problem(aspect_ratio=0.5, groups=groups, noise_std=0.1)
    assert effective_start(population, dynamics, 0.1).groups[0].initial_scale.a == pytest.approx(0.3 * factor)
    assert end_of_descent(of(0.5, scale=1e-4), dynamics, 5.0).l1_norm < final_state(of(0.5, scale=1e-4)).l1_norm


def at_the_end(problem, d, seed):
    """A = X K Xᵀ/δ of one network at the end of its flow."""
    rng = np.random.default_rng(seed)
    X, _, y = finite.draw(problem, d, rng)
    u0, v0 = finite.initial_values(problem.initial_scale, d, rng)
    w = finite.interpolate(X, y, u0, v0) if problem.aspect_ratio < 1 else np.linalg.lstsq(X, y)[0]
    half = X * np.sqrt(2 * np.hypot(w, u0 * v0))
    return half @ half.T / problem.aspect_ratio


@pytest.mark.parametrize("problem", [of(0.5, scale=1.0), of(0.5, scale=0.3), of(2, ATOMS, noise=0.3), of(0.3, ATOMS, scale=3.0)], ids=str)
def test_largest_step_of_whole_batches(problem):
    """2/largest eigenvalue at d = 1000, the mean of draws that vary with their largest weight."""
    largest = [np.linalg.eigvalsh(at_the_end(problem, 1000, seed))[-1] for seed in range(4 if problem.aspect_ratio < 1 else 2)]
    step = 2 / np.array(largest)
    allowed = 3.5 * step.std(ddof=1) / np.sqrt(len(step)) + 0.05 * step.mean()
    assert abs(predict(problem, steps(0.01)).descent.largest_stable_step - step.mean()) < allowed


def test_the_right_edge_of_marchenko_pastur():
    descent = predict(of(0.5, scale=30.0), steps(1e-5)).descent
    assert descent.largest_stable_step == pytest.approx(2 / (2 * 900 * (1 + 2**0.5) ** 2), rel=1e-3)
    assert descent.temperature == descent.noise_gain == 0


def growth(A, eta, b, beta, rng, count):
    """log of the factor by which ‖r‖ changes over `count` steps r ← r − η A B r/b + β (r − r before)."""
    r = rng.normal(size=len(A))
    before, start = r, np.linalg.norm(r)
    for _ in range(count):
        r, before = r - eta * A @ (r * (rng.random(len(r)) < b)) / b + beta * (r - before), r
    return np.log(np.linalg.norm(r) / start)


@pytest.mark.parametrize(("b", "beta"), [(0.05, 0.0), (0.5, 0.0), (0.1, 0.8), (1.0, 0.9)])
def test_edge_of_stability(b, beta):
    """The linearised descent of one network of d = 1000 decays 12 % below the largest stable step and grows 15 % above it."""
    problem = of(0.5, scale=1.0)
    dynamics = steps(0.01, b, momentum=beta)
    descent, A, rng = predict(problem, dynamics).descent, at_the_end(problem, 1000, 3), np.random.default_rng(0)
    assert growth(A, 0.88 * descent.largest_stable_step, b, beta, rng, 300) < 0
    assert growth(A, 1.15 * descent.largest_stable_step, b, beta, rng, 300) > 0


def test_gain_is_one_at_the_edge_and_the_temperature_says_so_for_small_steps():
    problem, b = of(0.5, scale=1.0), 0.05
    edge = predict(problem, steps(0.01, b)).descent.largest_stable_step
    assert predict(problem, steps(edge, b)).descent.noise_gain == pytest.approx(1, rel=1e-6)
    small = predict(problem, steps(1e-3, 1e-3)).descent
    assert small.noise_gain == pytest.approx(small.temperature / small.critical_temperature, rel=0.01)
    end = final_state(problem)
    assert small.critical_temperature == pytest.approx(2 / (end.u_norm + end.v_norm), rel=1e-9)
    above = predict(problem, steps(1.0, 0.9)).descent
    assert above.noise_gain is None
    assert "deterministic" in above.notes["noise_gain"].why


def test_recovery_temperature():
    """1/E|w*|: of a half-normal law with mean √(2/π), and of atoms; at depth 3 with (3|w*|)^(4/3)/2 in its place."""
    dynamics = steps(0.01, 0.01)
    assert predict(of(0.5, noise=0.0), dynamics).descent.recovery_temperature == pytest.approx(10 * np.sqrt(np.pi / 2), rel=1e-12)
    atoms = DiscreteTarget(atoms=(-1.0, 0.0, 2.0), probabilities=(0.1, 0.8, 0.1))
    assert predict(of(0.5, atoms, noise=0.0), dynamics).descent.recovery_temperature == pytest.approx(1 / 0.3, rel=1e-12)
    deep = Problem(aspect_ratio=0.5, target=atoms, initial_scale=0.3, depth=3)
    expected = 2 / (0.1 * 3 ** (4 / 3) + 0.1 * 6 ** (4 / 3))
    assert predict(deep, dynamics).descent.recovery_temperature == pytest.approx(expected, rel=1e-12)
    assert predict(of(0.5), dynamics).descent.recovery_temperature is None
    tall = predict(of(2.0, noise=0.0, scale=1e-4), dynamics).descent
    assert tall.critical_temperature == pytest.approx(tall.recovery_temperature, rel=1e-3)


def test_momentum_is_a_larger_step():
    descent = predict(of(0.5), steps(0.01, momentum=0.9)).descent
    assert descent.intrinsic_step == pytest.approx(1.0)
    assert descent.largest_stable_step == pytest.approx(1.9 * predict(of(0.5), steps(0.01)).descent.largest_stable_step)


def test_the_last_step_of_a_schedule_counts():
    schedule = {"kind": "linear", "start": 0.1, "end": 0.02, "steps": 50}
    assert temperature(steps(schedule, 0.5), 0.5) == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("problem", "dynamics", "why"),
    [
        (of(0.5), steps(0.1, 0.5), "end_of_descent"),
        (of(0.5), steps(0.1, label_noise_std=0.1), "label noise"),
        (of(0.5, decay=0.1), steps(0.1, 0.5), "weight decay"),
        (of(2.0), steps(0.1, 0.5), "aspect_ratio"),
        (of(0.5), steps(0.1, 0.5, momentum=0.5), "momentum"),
        (Problem(aspect_ratio=0.5, target=SPARSE, initial_scale=0.3, depth=3), steps(0.1, 0.5), "depth 2"),
    ],
    ids=str,
)
def test_no_end_is_explained(problem, dynamics, why):
    found = predict(problem, dynamics)
    assert found.final_parameter_error is found.convergence_rate is None
    assert why in found.notes["final_parameter_error"].why
    assert found.descent.temperature == temperature(dynamics, problem.aspect_ratio)
    if why != "end_of_descent":
        with pytest.raises(NoTheory, match=why):
            end_of_descent(problem, dynamics, 0.1)


def test_ends_that_batches_do_not_change():
    recovered = predict(of(2.0, noise=0.0), steps(0.1, 0.5))
    assert recovered.final_parameter_error == pytest.approx(0, abs=1e-12)
    linear = Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.1, initial_scale=0.3, depth=1)
    assert predict(linear, steps(0.1, 0.5)).final_parameter_error == predict(linear).final_parameter_error


def test_gradient_flow_is_the_default_and_keeps_its_id():
    request = {"kind": "theory", "problem": of(0.5).model_dump(mode="json")}
    plain, flow = (request_adapter.validate_python(request | more) for more in ({}, {"dynamics": {"kind": "gradient_flow"}}))
    assert job_id(plain) == job_id(flow)
    assert "dynamics" not in plain.model_dump(mode="json")
    assert "descent" not in predict(of(0.5)).to_dict()
    steps = request_adapter.validate_python(request | {"dynamics": {"kind": "gradient_descent", "step_size": 0.1}})
    assert job_id(steps) != job_id(plain)
    assert predict(steps.problem, steps.dynamics).to_dict()["descent"]["temperature"] == 0
    assert predict(steps.problem, steps.dynamics).final_parameter_error == predict(of(0.5)).final_parameter_error
