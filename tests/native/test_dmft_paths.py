"""The compiled loops over paths give what one path at a time gives in plain NumPy.

Averages are in double precision, those of tangents in single: paths' Newton iterations end within 1e-8 of their solution, and sums of
some hundred products of single precision are good to some 1e-6 of the largest.
"""

import numpy as np
import pytest

from dlnflow.dmft import radau, sampling
from dlnflow.dmft.averages import observed
from dlnflow.dmft.passes import adaptive_pass
from dlnflow.dmft.paths import lanes
from dlnflow.model import BernoulliGaussTarget
from dlnflow.model import Problem as Physics
from dlnflow.native import dmft as native
from tests.native import twin
from tests.native.twin import Problem

SINGLE = 3e-6
DOUBLE = 3e-8  # the last step of a path is below 1e-4, and the error after it about its square
OWN = 1  # modes that belong to a panel
DEPTHS = [1.0, 2.0, 3.0, 4.0, 5.0, 2.5]


def close(found, wanted, share):
    np.testing.assert_allclose(found, wanted, rtol=0, atol=share * np.abs(wanted).max())


@pytest.mark.parametrize("depth", DEPTHS)
def test_maps_are_those_of_their_networks(depth):
    """Also far out, where paths are clamped: of what is finite in both."""
    problem = Problem(depth=depth, initial=0.7)
    reach = {1.0: 5.0, 2.0: 8.0}.get(depth) or 0.95 * problem.scale.min() / (depth - 2)
    heights = np.linspace(-reach, reach, problem.size)[:, None] + np.zeros(problem.paths)
    w, k = native.weigh(problem.native, decay=problem.decay, heights=heights)
    for i in range(problem.size):
        wanted = twin.weights(depth, problem.scale, problem.decay[i], heights[i])
        np.testing.assert_allclose(w[i], wanted[0], rtol=1e-11, atol=1e-11 * np.abs(wanted[1]).max())
        np.testing.assert_allclose(k[i], wanted[1], rtol=1e-11)


@pytest.mark.parametrize("depth", DEPTHS)
def test_layers_are_those_of_their_networks(depth):
    problem = Problem(depth=depth, initial=0.7)
    reach = {1.0: 5.0, 2.0: 8.0}.get(depth) or 0.95 * problem.scale.min() / (depth - 2)
    heights = np.linspace(-reach, reach, problem.size)[:, None] + np.zeros(problem.paths)
    found = native.layers(problem.native, decay=problem.decay, heights=heights)
    for i in range(problem.size):
        u, v = twin.layers(depth, problem.scale, problem.decay[i], heights[i])
        close(found[0][i], u**2 + v**2, 1e-11)
        close(found[1][i], u**2 - v**2, 1e-11)
        np.testing.assert_allclose(found[2][i], np.log(np.abs(u * v)), atol=1e-10)


@pytest.mark.parametrize("depth", DEPTHS)
def test_k_is_the_slope_of_w(depth):
    problem = Problem(depth=depth)
    H, d = np.tile(0.1 * problem.target, (problem.size, 1)), 1e-5
    up, down = (native.weigh(problem.native, decay=problem.decay, heights=H + s)[0] for s in (d, -d))
    np.testing.assert_allclose((down - up) / (2 * d), native.weigh(problem.native, decay=problem.decay, heights=H)[1], rtol=1e-7)


CASES = [
    {},
    {"order": 3},
    {"order": 5},
    {"folded": True},
    {"variances": (0.3, 1.0, 2.5)},
    {"weight_decay": 0.0, "initial": 1.2},
    {"depth": 1.0},
    {"depth": 3.0, "variances": (0.5, 1.5)},
    {"depth": 4.0},
    {"depth": 2.5},
    {"paths": 1216, "rank": 1, "edges": np.array([0.0, 0.3, 0.7])},  # more than a chunk
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_propagate(case):
    problem = Problem(**case)
    response, correlation, regression, sums, heights = problem.averages()
    H = np.empty_like(heights)
    found = native.propagate(problem.native, **problem.arguments() | {"heights": H})
    panel = np.arange(problem.size) // problem.order
    close(found[0], response, SINGLE)
    close(found[1], np.where(panel[:, None] >= panel, correlation, 0.0), DOUBLE)
    close(found[2], regression, DOUBLE)
    close(found[3], sums, DOUBLE)
    close(H, heights, DOUBLE)
    without = native.propagate(problem.native, **problem.arguments() | {"tangents": False})
    assert not without[0].any()
    np.testing.assert_array_equal(without[1], found[1])


def advanced(problem: Problem, blocks):
    """The rows of all panels from `advance` on each in turn, twice, as an iteration would; the last mode is each panel's own."""
    return walked(problem, blocks)[0]


def walked(problem: Problem, blocks):
    """The same, and what `differentiate` is to know of the last panel but the moves."""
    m, capacity, P = problem.order, problem.size + problem.order, problem.paths
    height, error, running = (lanes((P // native.LANES, capacity, native.LANES)) for _ in range(3))
    edge, reached = (lanes((P // native.SINGLE_LANES, capacity, native.SINGLE_LANES), np.float32) for _ in range(2))
    tangents, rows = [], []
    paths = problem.native
    for n in range(0, problem.size, m):
        here, integral = slice(n, n + m), problem.integrals[n // m]
        decay = -2 * problem.weight_decay * np.append(problem.edges[n // m], problem.time[here])
        native.extrapolate(paths, n, ahead=problem.ahead[here], decay=decay, height=height)
        tangent = lanes((P // native.SINGLE_LANES, n + m, m, native.SINGLE_LANES), np.float32)
        slope = lanes((P // native.LANES, m, native.LANES))
        for _ in range(2):
            row = native.advance(
                paths, blocks, known=problem.rank - OWN, factor=problem.factor[here], memory=problem.memory[here, : n + m].copy(),
                integral=integral, quadrature=problem.quadratures[n // m], decay=problem.decay[here],
                shift=problem.integrals[: n // m + 1, -1].ravel(),
                height=height, error=error, running=running, slope=slope, tangents=[*tangents, tangent], edge=edge, reached=reached,
                early=np.zeros(P // native.BLOCK, np.int64), kinds=2,
            )  # fmt: skip
        tangents.append(tangent)
        edge, reached = reached, edge
        rows.append(row)
    left = {
        "response": problem.memory[here, : n + m].copy(), "integral": integral, "decay": problem.decay[here],
        "shift": problem.integrals[:, -1].ravel(), "height": height, "error": error, "slope": slope, "tangents": tangent,
        "early": np.zeros(P // native.BLOCK, np.int64),
    }  # fmt: skip
    return rows, left


@pytest.mark.parametrize("case", CASES[:-1], ids=str)
def test_advance(case):
    problem = Problem(**case)
    response, correlation, regression, sums, _ = problem.averages()
    starts = range(0, problem.size, problem.order)
    for n, (rows_w, rows_e, rows_z, earlier, rows_sums) in zip(starts, advanced(problem, (0, 3)), strict=True):
        here, upto = slice(n, n + problem.order), n + problem.order
        close(rows_w, response[here, :upto], SINGLE)
        close(rows_e, correlation[here, :upto], DOUBLE)
        close(rows_z, regression[here], DOUBLE)
        close(np.append(earlier[:OWN].T, rows_z[:, -OWN:], axis=0), regression[:upto, -OWN:], DOUBLE)
        assert not earlier[OWN:].any()
        close(rows_sums, sums[:, :, here], DOUBLE)


def test_parts_of_the_blocks_add_up_to_all():
    problem = Problem()
    for whole, first, second in zip(*(advanced(problem, blocks) for blocks in ((0, 3), (0, 1), (1, 3))), strict=True):
        for all_paths, one, other in zip(whole, first, second, strict=True):
            np.testing.assert_allclose(one + other, all_paths, rtol=1e-6, atol=1e-9)


def ends(problem: Problem, factor, memory, step=1e-5):
    """Half the difference of the averages with the last panel's rows moved to either side, over the step."""
    here, found = slice(problem.size - problem.order, problem.size), []
    for by in (step, -step):
        problem.factor[here] += by * factor
        problem.memory[here] += by * memory
        found.append(problem.averages())
        problem.factor[here] -= by * factor
        problem.memory[here] -= by * memory
    return [(up - down)[here] / (2 * step) for up, down in zip(found[0][:3], found[1][:3], strict=True)]


@pytest.mark.parametrize("case", [case for case in CASES[:-1] if "folded" not in case], ids=str)
def test_differentiate(case):
    """By differences of the twin. Through R_r tangents move too, which is left out: that part is E[W δR_r W]."""
    problem, rng = Problem(**case), np.random.default_rng(3)
    m, (_, left) = problem.order, walked(problem, (0, 3))
    factor, memory = rng.standard_normal((m, problem.rank)), rng.standard_normal((m, problem.size))
    own = slice(problem.size - m, problem.size)
    none = np.zeros_like(factor), np.zeros_like(memory)
    for moves in ((factor, none[1]), (none[0], memory)):
        response, correlation, regression = native.differentiate(problem.native, (0, 3), factor=moves[0], memory=moves[1], **left)
        correlation[:, own] += correlation[:, own].T.copy()
        wanted = ends(problem, *moves)
        close(correlation, wanted[1], 1e-5)
        close(regression, wanted[2], 1e-5)
        if moves[0].any():
            np.testing.assert_allclose(response, wanted[0], rtol=0, atol=1e-5 * max(np.abs(wanted[0]).max(), 0.1))
    one, other = (native.differentiate(problem.native, blocks, factor=factor, memory=memory, **left) for blocks in ((0, 1), (1, 3)))
    both = native.differentiate(problem.native, (0, 3), factor=factor, memory=memory, **left)
    for part, rest, whole in zip(one, other, both, strict=True):
        np.testing.assert_allclose(part + rest, whole, rtol=1e-6, atol=1e-9)


def test_differentiate_gives_early_perturbations_as_multiples_of_one():
    """Where k is as good as zero on the first panel: perturbations that are followed and those that are not agree to that."""
    problem = Problem(initial=2e-3, weight_decay=0.0, edges=np.array([0.0, 0.5, 1.0, 1.5]))
    problem.factor *= 0.2
    m, (_, left) = problem.order, walked(problem, (0, 3))
    moves = {"factor": np.ones((m, problem.rank)), "memory": np.zeros((m, problem.size))}
    every = native.differentiate(problem.native, (0, 3), **moves, **left)[0]
    left["early"][:] = m
    late = native.differentiate(problem.native, (0, 3), **moves, **left)[0]
    close(late, every, 2e-3)
    assert np.abs(late - every)[:, :m].max() > 0 and not np.abs(late - every)[:, m:].any()


@pytest.mark.parametrize("early", [0, 4])
def test_perturbations_before_a_path_moves_are_multiples_of_one(early):
    """Where k is as good as zero until then: both ways to follow them agree to that."""
    problem = Problem(initial=2e-3, weight_decay=0.0, edges=np.array([0.0, 0.5, 1.0, 1.5]))
    problem.factor *= 0.2
    response = problem.averages()[0]
    found = native.propagate(problem.native, **problem.arguments())[0]
    close(found, response, 2e-3)
    assert np.abs(found - response).max() > 0


def test_real_kernels():
    """Of a solve, on a sample of its own, all of whose paths are followed one at a time."""
    physics = Physics(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.3), noise_std=0.2, initial_scale=0.4, weight_decay=0.01)
    state = adaptive_pass(physics, sampling.draw(physics, 512, 60, np.random.SeedSequence(0)), 3.0, 0.1, 1e-6, 8, lambda state: None)
    sample = sampling.draw(physics, 128, state.rank, np.random.SeedSequence(1))
    found = state.open_loop(sample)
    problem = Problem(order=state.order, paths=len(sample.target), rank=state.rank, edges=np.array(state.edges), weight_decay=0.01)
    problem.memory, problem.factor, problem.folded = state.residual_response, state.factor, True
    problem.threshold = physics.support_threshold
    problem.modes, problem.target, problem.weights, problem.strata = sample.modes, sample.target, sample.weights, sample.strata
    problem.scale, problem.origin, problem.root = sample.scale, sample.origin, np.ones_like(sample.target)
    np.testing.assert_allclose(problem.integrals, state.integrals, rtol=1e-12)
    response, correlation, regression, sums, _ = problem.averages()
    close(found.response, response, SINGLE)
    linear = found.response @ problem.factor
    close(found.errors, correlation, DOUBLE)
    close(found.rest, correlation + linear @ linear.T - linear @ regression.T - regression @ linear.T, 1e-6)
    close(found.observed.rows, observed(sums, state.time).rows, DOUBLE)


def test_first_guess_is_the_parabola_within_the_weight_at_the_edge():
    problem = Problem(weight_decay=0.3)
    n = 8
    rng = np.random.default_rng(0)
    height = lanes((problem.paths // native.LANES, 12, native.LANES))
    height[:] = rng.standard_normal(height.shape)
    by_path = lambda: height.swapaxes(0, 1).reshape(12, -1).copy()  # noqa: E731
    before, decay = by_path(), -0.6 * np.append(problem.edges[2], problem.time[n:])
    native.extrapolate(problem.native, n, ahead=problem.ahead[n:], decay=decay, height=height)
    parabola, last = problem.ahead[n:] @ before[n - 3 : n], np.abs(before[n - 1])
    most = np.maximum(decay[0] + problem.scale + 2 * last, 0) - decay[1:, None] - problem.scale
    limit = np.maximum(most / 2, 0)
    np.testing.assert_allclose(by_path()[n:], np.clip(parabola, -limit, limit), rtol=1e-12)
    np.testing.assert_array_equal(by_path()[:n], before[:n])
    assert (np.abs(parabola) > limit).any()
    assert (np.abs(parabola) < limit).any()


def test_radau_integral_is_that_of_the_twin():
    """The twin's operator integrates cubics exactly."""
    problem = Problem()
    np.testing.assert_allclose(problem.Q @ problem.time**2, problem.time**3 / 3, rtol=1e-12)
    assert radau.nodes(problem.order)[-1] == 1


def walkers(problem: Problem, truncation: float):
    """u and v, as they act, and whether they move inside of the truncation, (2, P) each."""
    outer = np.exp(problem.scale / 2 + np.outer([-1, 1], problem.origin))
    return outer, np.clip(outer, -truncation, truncation), (np.abs(outer) < truncation).astype(float)


@pytest.mark.parametrize("momentum", [0.0, 0.7])
@pytest.mark.parametrize("truncation", [np.inf, 0.5])
def test_a_step_of_descent(truncation, momentum):
    """Unit perturbations of late steps are not seen by functions of earlier ones: their histories are zero there."""
    problem, rng = Problem(), np.random.default_rng(1)
    nodes, kept, rank, basis, step, decay = 2, 3, 5, 7, 0.1, 0.02
    B, P = problem.paths // native.BLOCK, problem.paths
    du, dv = rng.standard_normal((2, B, nodes + basis, native.BLOCK))
    past = rng.standard_normal((B, nodes + basis, basis, native.BLOCK)).astype(np.float32)
    for m in range(nodes + kept, nodes + rank):
        past[:, m, : m - nodes + 1] = 0
    noise, memory, residual = rng.standard_normal(problem.rank), rng.standard_normal(rank), rng.standard_normal(P)
    outer, inner, moving = walkers(problem, truncation)
    last, last_change = rng.standard_normal((2, P)), rng.standard_normal((2, *du.shape))
    before = [each.copy() for each in (outer, inner, moving, du, dv, past, last, last_change)]
    largest = native.descend(
        problem.native, step_size=step, weight_decay=decay, momentum=momentum, truncation=truncation, noise=noise, residual=residual,
        outer=outer, inner=inner, moving=moving, last=last, memory=memory.astype(np.float32), du=du, dv=dv, last_change=last_change,
        past=past, nodes=nodes, kept=kept, node=1,
    )  # fmt: skip
    h = noise @ problem.modes[: problem.rank] + residual
    (u, v), (acts_u, acts_v), (free_u, free_v) = before[:3]
    assert largest == pytest.approx(step * np.abs(h).max())
    wanted = np.stack([u - step * acts_u * (decay + h), v - step * acts_v * (decay - h)]) + momentum * before[6]
    np.testing.assert_allclose(outer, wanted, rtol=1e-12)
    np.testing.assert_allclose(inner, np.clip(wanted, -truncation, truncation), rtol=1e-12)
    np.testing.assert_array_equal(moving, np.abs(outer) < truncation)
    lanes_of = lambda x: x.reshape(B, 1, native.BLOCK)  # noqa: E731
    count = nodes + rank
    change = lanes_of(acts_u * free_u) * before[3] - lanes_of(acts_v * free_v) * before[4]
    change += np.einsum("r,bmrl->bml", memory, before[5][:, :, :rank].astype(float))
    wanted_u = before[3] * lanes_of(1 - step * free_u * (decay + h)) - step * lanes_of(acts_u) * change
    wanted_v = before[4] * lanes_of(1 - step * free_v * (decay - h)) + step * lanes_of(acts_v) * change
    wanted_u, wanted_v = wanted_u + momentum * before[7][0], wanted_v + momentum * before[7][1]
    wanted_u[:, [1, count]], wanted_v[:, [1, count]] = -step * lanes_of(acts_u), step * lanes_of(acts_v)
    change[:, [1, count]] = 0
    close(past[:, : count + 1, rank], change[:, : count + 1], SINGLE)
    close(du[:, : count + 1], wanted_u[:, : count + 1], SINGLE)
    close(dv[:, : count + 1], wanted_v[:, : count + 1], SINGLE)
    if momentum:
        old = np.stack(before[3:5])
        old[:, :, [1, count]] = 0
        np.testing.assert_allclose(last, outer - before[0], rtol=1e-12)
        np.testing.assert_allclose(last_change[:, :, : count + 1], (np.stack([du, dv]) - old)[:, :, : count + 1], atol=1e-12)
    assert not past[:, [1, count], : rank + 1].any()
    rest = [m for m in range(count) if m != 1]
    np.testing.assert_array_equal(past[:, rest, :rank], before[5][:, rest, :rank])
    np.testing.assert_array_equal(du[:, count + 1 :], before[3][:, count + 1 :])


def test_slopes_of_directions():
    rng = np.random.default_rng(1)
    du, dv = rng.standard_normal((2, 3, 7, native.BLOCK))
    factors, weights = rng.standard_normal((2, 3, native.BLOCK)), rng.random((3, native.BLOCK))
    wanted = np.einsum("bl,bml->m", weights, factors[0, :, None] * du - factors[1, :, None] * dv)
    np.testing.assert_allclose(native.slopes(factors, weights, du, dv, 5), wanted[:5], rtol=1e-12)


def test_numbers_below_the_normal_range_are_zero_inside_and_not_after():
    """Tangents decay to them, and processors take a hundred times as long over each."""
    problem = Problem(paths=64)
    outer, inner, moving = walkers(problem, np.inf)
    du, dv = np.zeros((2, 1, 2, native.BLOCK))
    past = np.full((1, 2, 2, native.BLOCK), 1e-30, np.float32)
    native.descend(
        problem.native, step_size=0.1, weight_decay=0.0, momentum=0.0, truncation=np.inf, noise=np.zeros(1), residual=np.zeros(64),
        outer=outer, inner=inner, moving=moving, last=None, memory=np.array([1e-10], np.float32), du=du, dv=dv, last_change=None,
        past=past, nodes=0, kept=1, node=None,
    )  # fmt: skip
    assert not past[0, 0, 1].any()
    assert np.float32(1e-30) * np.float32(1e-10) > 0
