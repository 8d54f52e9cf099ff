"""What problems cost that users would ask for, and the corners among them: `python -m benchmarks.typical [SEED [NUMBER [SECONDS]]]`.

Draws NUMBER problems (40) by the SEED (1) from δ 0.1 to 3, a 1e-3 to 5, densities 0.03 to 0.5, σ to 1, λ to 0.1 and t to 2,000 at
accuracy 0.02, after the corners: the interpolation threshold, small initial scales with noise, weight decay that ends at interpolation,
grokking. For each it prints seconds of the processors and of the wall, the outcome, nodes, rank and paths, the reported error, the
largest difference from a solve of a third of the accuracy and another seed over the sum of both errors, and forecast over true seconds;
at the end the median, the 90 % and the largest. Solves end after SECONDS (60) of the processors, and so do those that they are held to.
A SEED of 0 takes the corners alone.
"""

import sys
import time
from typing import NamedTuple

import numpy as np

from benchmarks.coverage import ratios
from dlnflow import forecast
from dlnflow.dmft import solve
from dlnflow.model import BernoulliGaussTarget, Problem
from dlnflow.solution import Solution, SolveError
from dlnflow.wire.requests import DmftRequest

ACCURACY = 0.02
FINER = 3.0


class Asked(NamedTuple):
    """A problem, its horizon and the accuracy."""

    problem: Problem
    horizon: float
    accuracy: float


class TooLong(Exception):
    """The solve takes more seconds than are given."""


def asked(
    ratio: float, noise: float, scale: float, horizon: float, accuracy: float = ACCURACY, decay: float = 0.0, density: float = 0.1
) -> Asked:
    """A problem in short."""
    target = BernoulliGaussTarget(density=density)
    return Asked(Problem(aspect_ratio=ratio, target=target, noise_std=noise, initial_scale=scale, weight_decay=decay), horizon, accuracy)


CORNERS = (
    asked(1.0, 0.5, 1.0, 1000.0, 0.01),
    asked(1.2, 0.4, 6e-4, 340.0, 0.05),
    asked(0.722, 0.3, 1.05e-3, 286.0),
    asked(0.13, 0.1, 5e-3, 1e4, 0.05, decay=0.09),
    asked(0.5, 0.1, 3e-3, 660.0, density=0.02),
    asked(2.3, 0.05, 1.7e-3, 1800.0, density=0.3),
    asked(0.5, 0.05, 5.0, 1e5, 0.01, decay=1e-3, density=0.05),
)


def draw(rng: np.random.Generator) -> Asked:
    """A problem as users would ask for."""

    def log_uniform(low: float, high: float) -> float:
        return float(f"{np.exp(rng.uniform(np.log(low), np.log(high))):.3g}")

    ratio, scale, density, horizon = log_uniform(0.1, 3), log_uniform(1e-3, 5), log_uniform(0.03, 0.5), log_uniform(5, 2000)
    noise = log_uniform(0.03, 1) if rng.random() < 0.8 else 0.0
    decay = log_uniform(1e-3, 0.1) if rng.random() < 0.4 else 0.0
    return asked(ratio, noise, scale, horizon, decay=decay, density=density)


class Run(NamedTuple):
    """A solution, if there is one, how it ended, and the seconds of the processors and of the wall."""

    solution: Solution | None
    outcome: str
    processor: float
    wall: float


def attempt(one: Asked, accuracy: float, seed: int, seconds: float) -> Run:
    """A solve of at most so many seconds."""
    began, wall = time.process_time(), time.monotonic()

    def observe(progress: float, message: str) -> None:
        if time.process_time() - began > seconds:
            raise TooLong

    solution, outcome = None, "too long"
    try:
        solution = solve(one.problem, one.horizon, accuracy=accuracy, seed=seed, observe=observe)
        outcome = solution.diagnostics["outcome"]
    except SolveError as error:
        outcome = error.code
    except TooLong:
        pass
    return Run(solution, outcome, time.process_time() - began, time.monotonic() - wall)


def report(one: Asked, run: Run, fine: Run | None) -> str:
    """A line of the table."""
    p = one.problem
    law = f"{p.aspect_ratio:6.3g} {p.noise_std:6.3g} {p.initial_scale:8.3g} {p.weight_decay:7.3g} {p.target.density:6.3g}"  # type: ignore[union-attr]
    request = DmftRequest(kind="dmft", problem=p, horizon=one.horizon, accuracy=one.accuracy)
    line = f"{law} {one.horizon:8.3g} {one.accuracy:5.2g} | {run.processor:6.2f} {run.wall:6.1f} {run.outcome:13s}"
    ratio = forecast.seconds(request) / run.processor
    if run.solution is None:
        return f"{line} {'':41s} {ratio:8.2f}"
    facts = run.solution.diagnostics
    held = f"{ratios(run.solution, fine.solution)[0].max():6.2f}" if fine and fine.solution else f"{'-':>6s}"
    size = f"{facts['nodes']:5d} {facts['rank']:4d} {facts['paths']:7d} {run.solution.time[-1]:8.3g}"
    return f"{line} {size} {facts['error']['total']:7.3f} {held} {ratio:8.2f}"


def main() -> None:
    """Print the table."""
    seed, number, seconds = (float(sys.argv[k]) if len(sys.argv) > k else default for k, default in ((1, 1), (2, 40), (3, 60)))
    rng = np.random.default_rng(int(seed))
    drawn = [draw(rng) for _ in range(int(number) if seed else 0)]
    problem, result = "     δ      σ        a       λ density        t     ε", "seconds, wall  outcome       nodes rank   paths    until"
    print(f"{problem} | {result}   error  ratio forecast")
    took, converged = [], 0
    for one in (*CORNERS, *drawn):
        run = attempt(one, one.accuracy, 0, seconds)
        fine = attempt(one, one.accuracy / FINER, 1, seconds) if run.solution else None
        print(report(one, run, fine), flush=True)
        if one in drawn:
            took.append(run.processor)
            converged += run.outcome == "converged"
    if took:
        middle, most = np.quantile(took, (0.5, 0.9))
        print(f"{len(took)} drawn, {converged} converged: {middle:.2f} s at the median, {most:.2f} s at 90 %, {max(took):.2f} s at most")


if __name__ == "__main__":
    main()
