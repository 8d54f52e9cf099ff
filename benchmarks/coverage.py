"""Whether the error bars of mean-field solves hold: random problems, each against a solve of five times the accuracy with another seed.

    python -m benchmarks.coverage [problems [seconds a solve]]

Problems are drawn over the ranges that requests may have, log-uniformly. For each it prints the outcome, the time, the share of values
of all curves that lie within the total error reported by both, the largest ratio, and the largest difference in standard errors; at the
end the same over all values of the problems that have an answer at both accuracies.
"""

import sys
import time
from typing import Any

import numpy as np

from dlnflow.dmft import solve
from dlnflow.dmft.errors import FLOOR
from dlnflow.model import BernoulliGaussTarget, Problem
from dlnflow.solution import CURVES, Array, Solution, SolveError

ACCURACY, FINER = 0.05, 0.01
EXACT = 1e-9  # relative error that arithmetic makes where nothing moves


class TooLong(Exception):
    """The solve takes more seconds than are given."""


def draw(rng: np.random.Generator) -> tuple[Problem, float]:
    """A problem and a horizon."""

    def log_uniform(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    density, noise, decay = log_uniform(1e-3, 1), log_uniform(1e-2, 10), log_uniform(1e-4, 10)
    problem = Problem(
        aspect_ratio=log_uniform(0.05, 100),
        target=BernoulliGaussTarget(density=density),
        noise_std=noise * (rng.random() < 0.8),
        initial_scale=log_uniform(1e-4, 100),
        weight_decay=decay * (rng.random() < 0.5),
    )
    return problem, log_uniform(1e-2, 1e5)


def attempt(problem: Problem, horizon: float, accuracy: float, seed: int, seconds: float) -> tuple[Solution | None, str, float]:
    """The solution, if there is one in time, how it ended, and the seconds that it took."""
    began = time.monotonic()

    def observe(progress: float, message: str) -> None:
        if time.monotonic() - began > seconds:
            raise TooLong

    try:
        solution = solve(problem, horizon, accuracy=accuracy, seed=seed, observe=observe)
        return solution, solution.diagnostics["outcome"], time.monotonic() - began
    except SolveError as error:
        return None, error.code, time.monotonic() - began
    except TooLong:
        return None, "too long", time.monotonic() - began


def ratios(rough: Solution, fine: Solution) -> Array:
    """|difference| over the reported total errors, and over the standard errors of both, of all values of all curves, (2, values).

    Where one ends before the other, it is compared as far as it goes.
    """
    found: list[Any] = []
    known = min(len(rough.time), len(fine.time))
    for name in CURVES:
        one, other = rough.values[name][:known], fine.values[name][:known]
        scale = np.maximum(np.abs(other), FLOOR * np.abs(other).max())
        total = scale * (rough.diagnostics["error"]["total"] + fine.diagnostics["error"]["total"])
        stderr = np.hypot(rough.stderr[name][:known], fine.stderr[name][:known])
        found.append(np.abs(one - other) / np.maximum([total, stderr], EXACT * scale + (scale == 0)))
    return np.concatenate(found, axis=1)


def main() -> None:
    """Print the table."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    rng, everything = np.random.default_rng(0), []
    print("aspect ratio, density, noise, initial scale, decay, horizon: outcomes, seconds, share within, largest ratio, in standard errors")
    for _ in range(number):
        problem, horizon = draw(rng)
        rough, outcome, took = attempt(problem, horizon, ACCURACY, 0, seconds)
        line = (
            f"{problem.aspect_ratio:.3g} {problem.target.density:.2g} {problem.noise_std:.2g} {problem.initial_scale:.2g}"  # type: ignore[union-attr]
            f" {problem.weight_decay:.2g} {horizon:.2g}: {outcome} {took:.1f}"
        )
        if rough:
            fine, outcome, took = attempt(problem, horizon, FINER, 1, seconds)
            line += f", {outcome} {took:.1f}"
            if fine:
                ratio = ratios(rough, fine)
                everything.append(ratio)
                line += f": {np.mean(ratio[0] <= 1):.1%}, {ratio[0].max():.2f}, {ratio[1].max():.2f}"
        print(line, flush=True)
    totals, stderrs = np.concatenate(everything, axis=1)
    print(
        f"{len(everything)} of {number} problems, {len(totals)} values: {np.mean(totals <= 1):.2%} within the reported total,"
        f" {np.mean(totals <= 2):.2%} within twice it; {np.mean(stderrs > 2):.2%} beyond two standard errors,"
        f" the largest {stderrs.max():.1f}"
    )


if __name__ == "__main__":
    main()
