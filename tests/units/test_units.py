"""The converter of units: descents of one network written down in both conventions, and the numbers there and back."""

import doctest
import itertools
import json
import pickle

import numpy as np
import pytest

import dlnflow
from dlnflow import units
from dlnflow.cli import main
from dlnflow.units import BadField, Convention, from_paper, to_paper

D, N, BATCH, STEPS = 40, 20, 5, 60
LOSSES = {"half_mean": 1 / N, "mean": 2 / N, "quarter_mean": 1 / (2 * N), "half_sum": 1.0, "sum": 2.0}  # of x̃·r in the gradient


def theirs(convention, features, y, batches, alpha, step_size, weight_decay):
    """β (steps, d) of a descent as papers write it, with features of deviation s; a batch's gradient is divided by its share."""
    product, L, path = convention.parametrisation == "product", convention.depth, []
    u, v = np.full(D, alpha), np.full(D, 0.0 if product else alpha)
    for batch in batches:
        beta = u * v if product else u**L - v**L
        gradient = LOSSES[convention.loss] * features.T @ (batch * (features @ beta - y)) * N / BATCH
        of_u, of_v = (v, u) if product else (L * u ** (L - 1), -L * v ** (L - 1))
        u, v = u - step_size * (gradient * of_u + weight_decay * u), v - step_size * (gradient * of_v + weight_decay * v)
        path.append(u * v if product else u**L - v**L)
    return np.array(path)


def ours(depth, X, y, batches, initial_scale, step_size, weight_decay, batch_fraction, **_):
    """w (steps, d) of the same descent in this project's units."""
    u, v, path = np.full(D, initial_scale), np.full(D, initial_scale), []
    for batch in batches:
        h = X.T @ (batch * (X @ ((u**depth - v**depth) / depth) - y)) / batch_fraction / (N / D)
        u, v = u - step_size * (u ** (depth - 1) * h + weight_decay * u), v + step_size * (v ** (depth - 1) * h - weight_decay * v)
        path.append((u**depth - v**depth) / depth)
    return np.array(path)


CONVENTIONS = [Convention("product", loss=loss, feature_std=s) for loss, s in itertools.product(LOSSES, (1.0, 0.3))]
CONVENTIONS += [Convention("difference", depth, loss) for depth, loss in itertools.product((1.0, 2.0, 3.0), LOSSES)]


@pytest.mark.parametrize("convention", CONVENTIONS, ids=str)
def test_both_conventions_are_one_network(convention):
    """Batches, weight decay and noise among it; equal to rounding."""
    rng = np.random.default_rng(0)
    features = convention.feature_std * rng.normal(size=(N, D))
    X = features / (convention.feature_std * np.sqrt(D))
    beta = rng.normal(size=D) * (rng.random(D) < 0.3) / np.sqrt(D)
    y = features @ beta + 0.1 * rng.normal(size=N)
    batches = np.array([rng.permutation(N) < BATCH for _ in range(STEPS)])
    asked = {"alpha": 0.4, "step_size": 0.02 / (LOSSES[convention.loss] * N), "weight_decay": 0.1 * LOSSES[convention.loss] * N}
    found = from_paper(convention, dimension=D, samples=N, **asked, batch_size=BATCH, steps=STEPS)
    path, w = theirs(convention, features, y, batches, **asked), ours(convention.depth, X, y, batches, **found)
    size = from_paper(convention, dimension=D, samples=N, weight=1.0)["weight"]
    np.testing.assert_allclose(w, size * path, rtol=1e-8, atol=1e-12)
    assert np.abs(w[-1] - w[0]).max() > 1e-3
    error = from_paper(convention, dimension=D, samples=N, squared_error=np.sum((path[-1] - beta) ** 2))["parameter_error"]
    assert error == pytest.approx(np.mean((w[-1] - size * beta) ** 2))
    assert found["horizon"] == pytest.approx(STEPS * found["step_size"])


@pytest.mark.parametrize("convention", CONVENTIONS[::4], ids=str)
def test_there_and_back(convention):
    asked = {"alpha": 0.3, "step_size": 0.02, "time": 3.0, "weight_decay": 0.1, "batch_size": 5.0, "weight": 2.0, "squared_error": 0.4}
    asked |= {"steps": 70.0}
    there = from_paper(convention, dimension=D, samples=N, **asked)
    assert to_paper(convention, dimension=D, samples=N, **there) == pytest.approx(asked)


def test_the_two_usual_conventions():
    """a = d^(1/4) α/√2, η = γ/√d; a = √2 d^(1/4) α, η = 2γ/√d."""
    product = from_paper(Convention("product"), dimension=10_000, samples=1, alpha=1, step_size=1)
    assert product == pytest.approx({"initial_scale": 10 / 2**0.5, "step_size": 0.01})
    difference = dlnflow.from_paper(Convention("difference"), dimension=10_000, samples=1, alpha=1, step_size=1)
    assert difference == pytest.approx({"initial_scale": 10 * 2**0.5, "step_size": 0.02})


def test_the_example_of_the_module():
    assert doctest.testmod(units).failed == 0


def test_the_command_line(capsys):
    there = ["units", "--json", "--parametrisation", "difference", "--depth", "3", "--dimension", "1000", "--samples", "500"]
    assert main([*there, "alpha=0.1", "step_size=0.5"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == from_paper(Convention("difference", 3.0), dimension=1000, samples=500, alpha=0.1, step_size=0.5)
    assert main([*there, "--back", *(f"{name}={value}" for name, value in found.items())]) == 0
    assert json.loads(capsys.readouterr().out) == pytest.approx({"alpha": 0.1, "step_size": 0.5})
    for wrong, message in (("alpha=big", "NAME=NUMBER"), ("a=1", "a: there is no such quantity")):
        assert main([*there, wrong]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("make", "field", "message"),
    [
        (lambda: Convention("sum"), "parametrisation", "sum is none of product, difference"),
        (lambda: Convention("product", loss="huber"), "loss", "huber"),
        (lambda: Convention("product", 3.0), "depth", "take difference"),
        (lambda: Convention("difference", 1.5), "depth", "at least 2"),
        (lambda: Convention("difference", feature_std=0.0), "feature_std", "positive"),
        (lambda: from_paper(Convention("product"), dimension=0, samples=1, alpha=1), "dimension", "positive"),
        (lambda: to_paper(Convention("product"), dimension=1, samples=0, time=1), "samples", "positive"),
        (lambda: from_paper(Convention("product"), dimension=9, samples=1, a=1), "a", "there is no such quantity; give alpha"),
        (lambda: from_paper(Convention("product"), dimension=9, samples=1, steps=10), "steps", "give step_size too"),
        (
            lambda: to_paper(Convention("product"), dimension=9, samples=1, alpha=1),
            "alpha",
            "there is no such quantity; give initial_scale",
        ),
    ],
)
def test_bad_input_names_the_field(make, field, message):
    with pytest.raises(BadField, match=f"^{field}: .*{message}") as caught:
        make()
    assert caught.value.field == field
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # as from another process
