"""Averages over networks against exact results, and what does and does not change them."""

import json
import time

import numpy as np
import pytest

from dlnflow.model import BernoulliGaussTarget, DiscreteTarget, GaussianScale, GaussianTarget, PairScale, Problem
from dlnflow.simulation import simulate
from dlnflow.simulation.draw import draw_network
from dlnflow.simulation.ensemble import Ensemble
from dlnflow.simulation.observables import coordinates_kept
from dlnflow.simulation.replicas import largest_error, load
from dlnflow.solution import CURVES, ORDER_PARAMETERS, QUANTILES, Cancelled, ignore_progress
from tests.journal import Kept

R1 = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.1), noise_std=0.1, initial_scale=0.3)


def equal(one, two) -> bool:
    same = all(np.array_equal(one.values[name], two.values[name]) for name in one.values)
    same &= all(np.array_equal(one.stderr[name], two.stderr[name]) for name in one.stderr)
    return same and all(
        np.array_equal(a.mean, b.mean) and np.array_equal(a.quantiles, b.quantiles)
        for a, b in zip(one.conditional, two.conditional, strict=True)
    )


def test_the_start_is_exact_given_the_teacher():
    solution = simulate(R1, 1.0, times=np.array([0.0, 1.0]), dimension=50, replicas=4)
    start = {name: values[0] for name, values in solution.values.items()}
    assert start["overlap"] == start["norm"] == start["l1_norm"] == 0
    assert start["u_norm"] == pytest.approx(0.09, rel=1e-14)
    assert start["v_norm"] == pytest.approx(0.09, rel=1e-14)
    assert all(not c.quantiles[:, 0].any() for c in solution.conditional)


@pytest.mark.parametrize("aspect_ratio", [0.3, 2.5])
def test_the_start_has_the_moments_of_the_problem(aspect_ratio):
    """Exact at t = 0. For δ > 1 this also checks what is kept of the samples outside the column space."""
    problem = R1.model_copy(update={"aspect_ratio": aspect_ratio, "noise_std": 0.7})
    solution = simulate(problem, 1.0, times=np.array([0.0]), dimension=300, replicas=40)
    for name, exact in (("parameter_error", 0.1), ("train_loss", (0.1 + 0.49) / 2), ("test_loss", (0.1 + 0.49) / 2)):
        assert abs(solution.values[name][0] - exact) < 4 * solution.stderr[name][0]


@pytest.mark.parametrize("n", [10, 20, 40])
def test_the_triangular_factor_has_the_law_of_the_full_design(n):
    """The mean of the powers 1 to 3 of the eigenvalues of XᵀX and of two entries, from the factor and from X itself, 400 draws each."""
    d, draws = 20, 400
    problem = Problem(aspect_ratio=n / d, target=GaussianTarget(), noise_std=0.1, initial_scale=1.0)
    rng = np.random.default_rng(0)

    def moments(X):
        gram = X.T @ X
        values = np.linalg.eigvalsh(gram)
        return [np.mean(values**p) for p in (1, 2, 3)] + [gram[0, 0] ** 2, gram[-1, -1] ** 2, gram[0, -1] ** 2]

    factor = np.array([moments(draw_network(problem, d, rng).design.X) for _ in range(draws)])
    full = np.array([moments(rng.standard_normal((n, d)) / np.sqrt(d)) for _ in range(draws)])
    spread = np.sqrt((factor.var(axis=0) + full.var(axis=0)) / draws)
    assert (np.abs(factor.mean(axis=0) - full.mean(axis=0)) < 4 * spread).all()


@pytest.mark.parametrize("aspect_ratio", [0.5, 2.0])
def test_the_lazy_limit_follows_the_marchenko_pastur_law(aspect_ratio):
    """The lazy limit, κ = 2a². At a = 10 and d = 400 nonlinearity and finite d are far below the standard error."""
    a, sigma = 10.0, 0.5
    problem = Problem(aspect_ratio=aspect_ratio, target=GaussianTarget(), noise_std=sigma, initial_scale=a)
    times = np.array([1e-3, 3e-3, 1e-2, 3e-2])
    solution = simulate(problem, 1.0, times=times, dimension=400, replicas=16)
    exact = marchenko_pastur_error(aspect_ratio, 2 * a**2, sigma, times)
    assert (np.abs(solution.values["parameter_error"] - exact) < 4 * solution.stderr["parameter_error"]).all()


def marchenko_pastur_error(delta: float, kappa: float, sigma: float, times: np.ndarray) -> np.ndarray:
    """∫ρ(x)[e^(−2κxt) + σ²(1−e^(−κxt))²/(δx)] dx, with x = centre + half·cos φ and the midpoint rule in φ."""
    low, high = (1 - delta**-0.5) ** 2, (1 + delta**-0.5) ** 2
    phi = (np.arange(4000) + 0.5) * np.pi / 4000
    x = (low + high) / 2 + (high - low) / 2 * np.cos(phi)
    density = delta * ((high - low) / 2 * np.sin(phi)) ** 2 / (2 * np.pi * x) * np.pi / 4000
    decay = np.exp(-kappa * np.outer(times, x))
    bulk = (decay**2 + sigma**2 * (1 - decay) ** 2 / (delta * x)) @ density
    return bulk + max(0.0, 1 - delta)


def test_the_order_parameters_are_consistent():
    solution = simulate(R1, 8.0, dimension=200, replicas=4)
    v = solution.values
    target_norm = v["parameter_error"][0]
    np.testing.assert_allclose(v["parameter_error"], v["norm"] - 2 * v["overlap"] + target_norm, rtol=1e-10)
    np.testing.assert_allclose(v["test_loss"], (v["parameter_error"] + 0.01) / 2, rtol=1e-12)
    assert (v["l1_norm"] <= (v["u_norm"] + v["v_norm"]) / 2).all()
    assert (v["l1_norm"] ** 2 <= v["norm"]).all()
    zero, other = (solution.conditional[k] for k in (1, 2))
    assert (zero.given, other.given) == ("w*=0", "w*>0")
    wide = R1.model_copy(update={"support_threshold": float(zero.quantiles[4, -1])})
    again = simulate(wide, 8.0, dimension=200, replicas=4).values
    beyond = 2 * (1 - QUANTILES[4]) * zero.probability  # on both sides
    assert again["false_support"][-1] == pytest.approx(beyond, abs=4 * (beyond / 800) ** 0.5)
    missed = np.mean(again["missed_support"][0])
    assert missed == pytest.approx(0.1, abs=4 * (0.09 / 800) ** 0.5) and not again["false_support"][0]
    assert v["excess_l1_norm"][0] < 0
    np.testing.assert_allclose(v["l1_norm"] - v["excess_l1_norm"], -v["excess_l1_norm"][0], rtol=1e-12)
    means = sum(c.probability * c.mean for c in solution.conditional)
    assert np.abs(means).max() < 0.1
    assert all((np.diff(c.quantiles, axis=0) >= 0).all() for c in solution.conditional)


def test_weight_decay_conserves_the_product_of_u_and_v():
    """u v = a² e^(−2λt), so that by Cauchy and Schwarz E[u²] E[v²] ≥ a⁴ e^(−4λt)."""
    problem = R1.model_copy(update={"weight_decay": 0.05})
    solution = simulate(problem, 8.0, dimension=100, replicas=2)
    bound = 0.3**4 * np.exp(-0.2 * solution.time)
    assert (solution.values["u_norm"] * solution.values["v_norm"] >= bound * (1 - 1e-12)).all()


def test_conditions_name_atoms_or_signs():
    discrete = R1.model_copy(update={"target": DiscreteTarget(atoms=(-1, 0, 1.5), probabilities=(0.2, 0.5, 0.3))})
    solution = simulate(discrete, 4.0, dimension=100, replicas=2)
    assert [(c.given, c.probability) for c in solution.conditional] == [("w*=-1", 0.2), ("w*=0", 0.5), ("w*=1.5", 0.3)]
    assert solution.conditional[0].mean[-1] < solution.conditional[1].mean[-1] < solution.conditional[2].mean[-1]
    gaussian = R1.model_copy(update={"target": GaussianTarget()})
    assert [c.given for c in simulate(gaussian, 1.0, dimension=50, replicas=2).conditional] == ["w*<0", "w*>0"]


def test_the_shapes_are_those_of_a_solution():
    solution = simulate(R1, 1.0, dimension=40, replicas=2)
    assert set(solution.values) == set(solution.stderr) == {*CURVES, *ORDER_PARAMETERS}
    assert all(x.shape == solution.time.shape for x in [*solution.values.values(), *solution.stderr.values()])
    assert all(c.quantiles.shape == (5, len(solution.time)) for c in solution.conditional)
    diagnostics = json.loads(json.dumps(solution.diagnostics))
    assert (diagnostics["outcome"], diagnostics["samples"]) == ("converged", 20)


def test_the_bits_do_not_depend_on_the_number_of_threads():
    one, two = (simulate(R1, 4.0, dimension=300, replicas=4, threads=threads) for threads in (1, 2))
    assert equal(one, two)


def test_seeds_make_replicas():
    assert equal(simulate(R1, 2.0, dimension=50, replicas=3, seed=7), simulate(R1, 2.0, dimension=50, replicas=3, seed=7))
    assert not equal(simulate(R1, 2.0, dimension=50, replicas=3, seed=7), simulate(R1, 2.0, dimension=50, replicas=3, seed=8))


def test_a_replica_is_the_same_however_many_there_are():
    ensembles = [Ensemble(R1, np.array([1.0]), dimension=50, replicas=k, seed=5).run(1, ignore_progress) for k in (2, 4)]
    for few, many in zip(*ensembles, strict=False):
        assert np.array_equal(few.values, many.values)


@pytest.mark.parametrize("scale", [PairScale(u=0.8, v=0.3), GaussianScale(kind="gaussian", std=0.6)])
def test_general_initial_values_start_where_they_should(scale):
    problem = R1.model_copy(update={"initial_scale": scale})
    solution = simulate(problem, 1.0, times=np.array([0.0]), dimension=300, replicas=20)
    start = {name: (solution.values[name][0], 4 * solution.stderr[name][0] + 1e-12) for name in solution.values}
    for name, exact in (
        ("parameter_error", problem.initial_error),
        ("train_loss", (problem.initial_error + 0.01) / 2),
    ):
        assert abs(start[name][0] - exact) < start[name][1]
    u2v2 = (start["u_norm"][0] + start["v_norm"][0]) / 2
    assert abs(u2v2 - problem.initial_second_moment) < start["u_norm"][1] + start["v_norm"][1]


def test_replicas_end_when_the_standard_error_is_reached():
    few = simulate(R1, 4.0, dimension=100, replicas=64, standard_error=0.2, threads=2)
    ran = few.diagnostics["replicas"]
    assert ran in (4, 8, 16, 32)
    assert few.diagnostics["outcome"] == "converged"
    assert few.diagnostics["relative_standard_error"] <= 0.2
    assert equal(few, simulate(R1, 4.0, dimension=100, replicas=64, standard_error=0.2, threads=1))
    ensemble = Ensemble(R1, few.time, dimension=100, replicas=64, seed=0)
    assert ran == 4 or largest_error(ensemble.run(2, ignore_progress)[: ran // 2]) > 0.2


@pytest.mark.parametrize("replicas", [2, 6])
def test_too_few_replicas_are_said_to_be_too_few(replicas):
    solution = simulate(R1, 4.0, dimension=50, replicas=replicas, standard_error=1e-3)
    diagnostics = solution.diagnostics
    assert (diagnostics["outcome"], diagnostics["replicas"]) == ("not_converged", replicas)
    assert "Raise replicas to about" in diagnostics["advice"]


def test_two_threads_on_one_large_replica_change_no_bit(monkeypatch):
    monkeypatch.setattr("dlnflow.simulation.products.SPLIT", 1000)
    results = [simulate(R1, 4.0, dimension=200, replicas=2, threads=threads, memory=1) for threads in (1, 2)]
    assert equal(*results)


def test_memory_for_quantiles_is_bounded():
    assert coordinates_kept(2000, 50, 10) == 2000
    assert coordinates_kept(20_000, 1000, 1000) * 1000 * 1000 <= 20_000_000


def test_progress_goes_from_zero_to_one():
    seen: list[tuple[float, str]] = []
    simulate(R1, 16.0, dimension=800, replicas=4, observe=lambda progress, message: seen.append((progress, message)))
    progress = [p for p, _ in seen]
    assert progress == sorted(progress)
    assert all(0 <= p <= 1 for p in progress)
    assert all("of 4, t = " in message for _, message in seen)


def test_a_cancelled_simulation_stops_promptly():
    def cancel(progress: float, message: str) -> None:
        raise Cancelled

    start = time.monotonic()
    with pytest.raises(Cancelled):
        simulate(R1, 1e4, dimension=1500, replicas=100, observe=cancel)
    assert time.monotonic() - start < 5


@pytest.mark.slow
def test_the_reference_values_hold():
    """The reference problem at d = 2000, where 1/d is below the standard error; late rows carry 1 % and 3 % of their own."""
    times = np.array([0.5, 1, 2, 4, 8, 16, 32])
    solution = simulate(R1, 32.0, times=times, dimension=2000, replicas=20)
    error = np.array([0.079221, 0.054071, 0.035802, 0.029626, 0.02874, 0.030048, 0.03143])
    loss = np.array([0.029574, 0.011823, 0.003523, 0.0011539, 0.00032837, 6.1342e-05, 4.9569e-06])
    late = times >= 8
    for name, reference, uncertainty in (("parameter_error", error, 0.01), ("train_loss", loss, 0.03)):
        allowed = 3 * solution.stderr[name] + np.where(late, uncertainty, 0.001) * reference
        assert (np.abs(solution.values[name] - reference) < allowed).all()


def test_replicas_that_are_done_are_taken_up_again_with_the_same_bits(monkeypatch):
    monkeypatch.setattr("dlnflow.simulation.ensemble.REPORT_EVERY", 0.005)  # several checkpoints on a fast machine too
    size = {"times": np.array([0.5, 2.0]), "dimension": 800, "replicas": 40, "threads": 1}
    expected = simulate(R1, 2.0, **size)
    interrupted = Kept(last=3)
    with pytest.raises(Cancelled):
        simulate(R1, 2.0, journal=interrupted, **size)
    assert 0 < len(load(interrupted.checkpoints[-1])) < 40
    assert interrupted.previews
    assert equal(simulate(R1, 2.0, journal=Kept(interrupted.checkpoints[-1]), **size), expected)


@pytest.mark.parametrize("size", [{"dimension": 0, "replicas": 2}, {"dimension": 100, "replicas": 1}])
def test_too_few_coordinates_or_replicas_are_refused(size):
    with pytest.raises(ValueError, match="give at least 1 and 2"):
        simulate(Problem(aspect_ratio=1, target=GaussianTarget(), initial_scale=1), 1.0, **size)
