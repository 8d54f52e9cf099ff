"""How much faster than SciPy's RK45 finite networks are simulated, at equal error: ratios measured in one run.

Both sides get the same networks, and their time includes the curves. RK45 integrates the flow as it stands, u̇ = −u(h + λ) and
v̇ = −v(−h + λ), in double precision, replica after replica with as many BLAS threads as there are processors; it is given the loosest
relative tolerance of a list whose error is not larger than ours, or the best there is. The error is the largest of train loss and
parameter error over all times and replicas, relative to the curve or to 1e-3 of its largest value, against DOP853 at 1e-9.

    python -m benchmarks.simulation [dimension [replicas]]

Other work on the machine slows RK45 down more, whose BLAS threads wait for each other: run it on an idle one.
"""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.integrate import solve_ivp
from threadpoolctl import ThreadpoolController

from dlnflow.grids import default_times
from dlnflow.model import BernoulliGaussTarget, GaussianTarget, Problem
from dlnflow.simulation.draw import draw_network
from dlnflow.simulation.flow import Flow, follow
from dlnflow.simulation.memory import processors
from dlnflow.simulation.network import Network
from dlnflow.simulation.observables import measure
from dlnflow.solution import Array

SPARSE = BernoulliGaussTarget(density=0.1)
PROBLEMS = {
    "R1": (Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.1, initial_scale=0.3), 32.0),
    "small a": (Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.1, initial_scale=0.01), 100.0),
    "weight decay": (Problem(aspect_ratio=0.8, target=SPARSE, noise_std=0.2, initial_scale=0.5, weight_decay=0.05), 50.0),
    "δ > 1": (Problem(aspect_ratio=1.5, target=GaussianTarget(), noise_std=0.3, initial_scale=0.4), 32.0),
    "late drop": (Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.1, initial_scale=1.0, weight_decay=0.05), 50.0),
    "lazy": (Problem(aspect_ratio=0.5, target=GaussianTarget(), noise_std=0.1, initial_scale=10.0), 0.1),
}
BLAS = ThreadpoolController()
TOLERANCES = (1e-3, 5e-4, 2e-4, 1e-4, 3e-5)
FLOOR = 1e-3


def library(problem: Problem, networks: list[Network], times: Array) -> list[Array]:
    """Train loss and parameter error of every network, each of shape (2, T)."""

    def run(network: Network) -> Array:
        parts = [measure(network, problem, at) for at in follow(Flow(network, times[-1]), times)]
        return np.array([np.concatenate([part[name] for part in parts]) for name in ("train_loss", "parameter_error")])

    with BLAS.limit(limits=1, user_api="blas"), ThreadPoolExecutor(processors()) as pool:
        return list(pool.map(run, networks))


def scipy(networks: list[Network], matrices: list[Array], times: Array, method: str, rtol: float) -> list[Array]:
    """As `library`, from `solve_ivp` in (u, v) with the `matrices` of the networks in double precision."""
    return [_integrate(network, X, times, method, rtol) for network, X in zip(networks, matrices, strict=True)]


def _integrate(network: Network, X: Array, times: Array, method: str, rtol: float) -> Array:
    d, decay = network.teacher.size, network.weight_decay

    def field(t: float, uv: Array) -> Array:
        u, v = uv[:d], uv[d:]
        h = ((X @ ((u * u - v * v) / 2) - network.y) @ X) * (d / network.samples)
        return np.concatenate([-u * (h + decay), -v * (decay - h)])

    start = np.concatenate([network.u0, network.v0])
    uv = solve_ivp(field, (0, times[-1]), start, method, times, rtol=rtol, atol=0.1 * rtol * start.max()).y.T
    w = (uv[:, :d] ** 2 - uv[:, d:] ** 2) / 2
    r = w @ X.T - network.y
    loss = (np.sum(r * r, axis=1) + network.fixed_residual) / (2 * network.samples)
    return np.array([loss, np.mean((w - network.teacher) ** 2, axis=1)])


def error(curves: list[Array], reference: list[Array]) -> float:
    """The largest relative error of any curve."""
    floors = [np.maximum(curve, FLOOR * curve.max(axis=1, keepdims=True)) for curve in reference]
    return max(float(np.max(np.abs(a - b) / floor)) for a, b, floor in zip(curves, reference, floors, strict=True))


def timed(run: Callable[[], list[Array]]) -> tuple[float, list[Array]]:
    """Seconds, the least of five runs, and the result."""
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        curves = run()
        seconds.append(time.perf_counter() - start)
    return min(seconds), curves


def compare(name: str, dimension: int, replicas: int) -> str:
    """One line of the table."""
    problem, horizon = PROBLEMS[name]
    times = default_times(horizon)
    networks = [draw_network(problem, dimension, np.random.default_rng(seed)) for seed in range(replicas)]
    matrices = [network.design.X.astype(np.float64) for network in networks]
    reference = scipy(networks, matrices, times, "DOP853", 1e-9)
    library(problem, networks[:1], times)
    seconds, curves = timed(lambda: library(problem, networks, times))
    own = error(curves, reference)
    for rtol in TOLERANCES:
        baseline, curves = timed(lambda rtol=rtol: scipy(networks, matrices, times, "RK45", rtol))
        other = error(curves, reference)
        if other <= own:
            break
    return f"{name:13} {seconds:8.3f} {own:9.1e} {baseline:8.3f} {other:9.1e} {rtol:7.0e} {baseline / seconds:6.1f}"


def main() -> None:
    """Print the table."""
    dimension, replicas = [int(x) for x in sys.argv[1:3]] + [2000, 4][len(sys.argv) - 1 :]
    print(f"d = {dimension}, {replicas} replicas, {processors()} processors, load {os.getloadavg()[0]:.1f}")
    print(f"{'problem':13} {'seconds':>8} {'error':>9} {'RK45':>8} {'error':>9} {'rtol':>7} {'ratio':>6}")
    for name in PROBLEMS:
        print(compare(name, dimension, replicas), flush=True)


if __name__ == "__main__":
    main()
