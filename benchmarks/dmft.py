"""What a mean-field solve of the reference problem to t = 32 costs: against finite simulations, and against matrix multiplication.

Simulations of d = 2000 are averaged to the standard error of the solve: their standard error of one replica over the solve's accuracy,
squared, is how many are needed, and a few are timed. The solve's floating-point work is that of its paths, counted at every call: N² per
path to N nodes in double precision and for its tangents N³/6 in single, and of a panel that is iterated what is in these of it; it is
compared with matrix products of 1500 × 1500 in both. Seconds are those of the processors, of all threads, so that other work on the
machine hardly disturbs the ratios.

    python -m benchmarks.dmft [least accuracy]
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from dlnflow.dmft import solve
from dlnflow.model import BernoulliGaussTarget, Problem
from dlnflow.native import dmft as native
from dlnflow.simulation import simulate
from dlnflow.solution import CURVES, Solution

PROBLEM = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.1), noise_std=0.1, initial_scale=0.3)
HORIZON = 32.0
TIMES = np.array([0.5, 1, 2, 4, 8, 16, 32])
REPLICAS = 16
SOLVES = 3
FLOOR = 1e-3


def timed(run: Callable[[], Solution], repeats: int) -> tuple[float, Solution]:
    """Seconds, the least of the repeats, and the result."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        solution = run()
        seconds.append(time.process_time() - start)
    return min(seconds), solution


def multiplication_speed(precision: type) -> float:
    """Multiplications a second of one processor in a matrix product."""
    A = np.random.default_rng(0).standard_normal((1500, 1500)).astype(precision)
    best = np.inf
    threadpool_limits(1, user_api="blas")
    for _ in range(5):
        start = time.process_time()
        A @ A
        best = min(best, time.process_time() - start)
    return 1500**3 / best


class Work:
    """Counts the multiplications that the paths of solves take, N² in double precision and N³/6 in single for a path to N nodes."""

    def __init__(self) -> None:
        self.counts: list[tuple[float, float]] = []
        advance, propagate = native.advance, native.propagate

        def counted_advance(sample: native.Paths, blocks: tuple[int, int], **arguments: Any) -> Any:
            order, nodes = arguments["memory"].shape
            self._count(native.BLOCK * (blocks[1] - blocks[0]), nodes - order, nodes)
            return advance(sample, blocks, **arguments)

        def counted_propagate(sample: native.Paths, **arguments: Any) -> Any:
            self._count(sample.size, 0, len(arguments["factor"]), tangents=arguments["tangents"])
            return propagate(sample, **arguments)

        native.advance, native.propagate = counted_advance, counted_propagate

    def _count(self, number: int, known: int, nodes: int, tangents: bool = True) -> None:
        self.counts.append((number * (nodes**2 - known**2), tangents * number * (nodes**3 - known**3) / 6))

    def seconds(self, double: float, single: float) -> float:
        """Seconds that what was counted takes at these speeds of matrix products; begins anew."""
        total = sum(a / double + b / single for a, b in self.counts)
        self.counts = []
        return total


def replicas_needed(ensemble: Solution, accuracy: float) -> float:
    """Replicas whose standard error is half of `accuracy` of every curve, or of 1e-3 of its largest value."""
    spread = 0.0
    for name in CURVES:
        scale = np.maximum(ensemble.values[name], FLOOR * ensemble.values[name].max())
        spread = max(spread, float(np.max(ensemble.stderr[name] / scale)) * REPLICAS**0.5)
    return (spread / (accuracy / 2)) ** 2


def main() -> None:
    """Print the table."""
    least = float(sys.argv[1]) if len(sys.argv) > 1 else 1e-3
    print(f"load {os.getloadavg()[0]:.1f}")
    simulation = lambda: simulate(PROBLEM, HORIZON, times=TIMES, dimension=2000, replicas=REPLICAS)  # noqa: E731
    simulation()
    seconds, ensemble = timed(simulation, 1)
    each, double, single = seconds / REPLICAS, multiplication_speed(np.float64), multiplication_speed(np.float32)
    print(f"one network of d = 2000: {each:.3f} s; matrix products: {double:.2g} and {single:.2g} multiplications a second")
    print(f"{'accuracy':>8} {'seconds':>8} {'error':>9} {'outcome':>13} {'nodes':>6} {'paths':>8} {'simulations':>12} {'work':>6}")
    solve(PROBLEM, HORIZON, times=TIMES, accuracy=0.05)
    work = Work()
    for accuracy in (0.01, 0.003, 0.001):
        if accuracy < least:
            break
        own, solution = timed(lambda accuracy=accuracy: solve(PROBLEM, HORIZON, times=TIMES, accuracy=accuracy), SOLVES)
        ratio = replicas_needed(ensemble, accuracy) * each / own
        found = solution.diagnostics
        print(
            f"{accuracy:8} {own:8.2f} {found['error']['total']:9.1e} {found['outcome']:>13} {found['nodes']:6} {found['paths']:8}"
            f" {ratio:10.0f} × {SOLVES * own / work.seconds(double, single):4.0f} ×",
            flush=True,
        )


if __name__ == "__main__":
    main()
