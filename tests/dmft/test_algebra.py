"""The compiled rows of a panel, against the same over all nodes at once."""

import numpy as np
import pytest

from dlnflow.dmft.averages import AveragedKernels
from dlnflow.dmft.front import start
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.panel import PanelMap
from dlnflow.dmft.residuals import ResidualKernels
from dlnflow.dmft.sampling import draw
from dlnflow.model import GaussianTarget, Problem
from dlnflow.native import dmft as native

M, DELTA, NOISE = 4, 0.7, 0.09


def kernels(nodes: int):
    """R_w, block lower triangular, and C_e, as of a causal process on so many nodes."""
    rng = np.random.default_rng(nodes)
    panel = np.arange(nodes) // M
    response = np.where(panel[:, None] >= panel, rng.normal(size=(nodes, nodes)) * 0.2, 0.0)
    root = rng.normal(size=(nodes, nodes))
    return response, root @ root.T


@pytest.mark.parametrize("before", [0, 1, 3])
def test_rows_are_those_of_the_inverse_over_all_nodes(before):
    n, size = M * before, M * (before + 1)
    response, correlation = kernels(size)
    inverse = np.linalg.inv(np.eye(size) - response / DELTA)
    residual = inverse @ (correlation + NOISE) @ inverse.T
    known = np.concatenate([inverse[:n, :n], residual[:n, :n]], axis=1)
    found = native.implied(response=response[n:], correlation=correlation[n:], known=known, aspect_ratio=DELTA, noise=NOISE)
    np.testing.assert_allclose(found[0], inverse[n:], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found[1], residual[n:], rtol=1e-10, atol=1e-10 * np.abs(residual).max())


def test_what_steins_identity_adds_on_a_panel_is_what_it_adds_on_all_nodes():
    """New modes are not known to earlier nodes but by E[z eᵀ]; L and Λ are zero there."""
    rng, n, rank, new = np.random.default_rng(3), 2 * M, 5, 3
    response, _ = kernels(n + M)
    factor = rng.normal(size=(n + M, rank + new))
    factor[:n, rank:] = 0
    regression = rng.normal(size=(n + M, rank + new))
    expected = response @ factor
    excess = expected - regression
    added = expected @ excess.T + excess @ expected.T
    found = native.stein(
        response=np.ascontiguousarray(response[n:]),
        regression=np.ascontiguousarray(regression[n:]),
        earlier=np.ascontiguousarray(regression[:n, rank:].T),
        rows=np.ascontiguousarray(factor[n:]),
        factor=np.ascontiguousarray(factor[:n, :rank]),
        past_expected=np.ascontiguousarray(expected[:n, :rank]),
        past_excess=np.ascontiguousarray(excess[:n, :rank]),
    )
    for one, wanted in zip(found, (expected[n:], excess[n:], added[n:]), strict=True):
        np.testing.assert_allclose(one, wanted, rtol=1e-12, atol=1e-12)


def test_factors_of_panels_make_the_correlation_and_read_their_modes():
    """With as many modes as nodes nothing is left out: C_ζ = L Lᵀ and L⁻ᵀ is what reads modes off; a block that is wanted comes back."""
    size, roots = 3 * M, np.sqrt([0.3, 0.2, 0.3, 0.2])
    _, correlation = kernels(size)
    factor, readout = np.zeros((2, size, size))
    for n in range(0, size, M):
        here = slice(n, n + M)
        known = readout[:n, :n].copy()
        given = {"correlation": correlation[here, : n + M], "readout": known, "start": correlation[0, 0], "roots": roots}
        rows, modes, above = native.factor(**given, wanted=None)
        assert above == M
        again, *_ = native.factor(**given, wanted=rows[:, n:].copy())
        np.testing.assert_allclose(again, rows, rtol=1e-7, atol=1e-9)
        factor[here, : n + M], readout[here, here] = rows, modes
        readout[:n, here] = -known @ (rows[:, :n].T @ modes)
    np.testing.assert_allclose(factor @ factor.T, correlation, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(correlation @ readout, factor, rtol=1e-7, atol=1e-8)


def test_changes_count_by_their_norms():
    response, correlation = kernels(2 * M)
    rows, other = ResidualKernels(response[M:], correlation[M:]), ResidualKernels(1.1 * response[M:], correlation[M:] + 0.5)
    scale = np.sqrt(np.diag(correlation)[:M])
    across = np.concatenate([scale, np.sqrt(np.diag(other.correlation[:, M:]))])
    norm = across[M:, None] * across
    row = np.sqrt((response[M:] ** 2).sum(axis=1)).max()
    found, scales, largest = change(rows, other, scale)
    np.testing.assert_allclose(found, np.concatenate([0.1 * response[M:], 0.5 / norm]), rtol=1e-10)
    np.testing.assert_allclose(scales, norm)
    assert largest == pytest.approx(max((0.5 / norm).max(), 0.1 * row / (1.1 * row)))
    other.correlation[0, 0] = np.nan
    assert change(rows, other, scale)[2] == np.inf


def change(rows, other, scale):
    new = {"new_response": other.response, "new_correlation": other.correlation}
    return native.change(response=rows.response, correlation=rows.correlation, **new, scale=scale, least=0.0)


@pytest.mark.parametrize("response", [DELTA * np.eye(M), np.full((M, M), np.nan)])
def test_a_response_without_an_inverse_fails_the_panel(response):
    problem = Problem(aspect_ratio=DELTA, target=GaussianTarget(), initial_scale=0.3)
    panel = PanelMap(start(problem, draw(problem, 256, 8, np.random.SeedSequence(0)), M, 2), 0.1)
    assert isinstance(panel.implied(AveragedKernels(response, np.eye(M))), Unsettled)
