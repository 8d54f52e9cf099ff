"""Whether the error bars of mean-field solves hold: random problems, each against a solve of five times the accuracy with another seed.

    python -m benchmarks.coverage [problems [seconds a solve [family | stochastic]]]

Seconds are those of the processors. Problems are drawn over the ranges that requests may have, log-uniformly; with `family` members of
the whole family, near to what papers ask for: depths, groups, batches, momentum, noisy labels and schedules; with `stochastic` those
of stochastic gradient flow, up to half of the critical temperature. For each it prints the
outcome, the time, the share of values of all curves that lie within the total error reported by both, the largest ratio, and the largest
difference in standard errors; at the end the same over all values of the problems that have an answer at both accuracies.
"""

import sys
import time
from typing import Any

import numpy as np

from dlnflow.dmft import solve
from dlnflow.dmft.constants import FLOOR
from dlnflow.model import BernoulliGaussTarget, Dynamics, GradientDescent, GradientFlow, Problem, StochasticGradientFlow
from dlnflow.solution import CURVES, Array, Solution, SolveError
from dlnflow.theory import predict

ACCURACY, FINER = 0.05, 0.01
EXACT = 1e-9  # relative error that arithmetic makes where nothing moves


class TooLong(Exception):
    """The solve takes more seconds than are given."""


Asked = tuple[Problem, float, Dynamics]


def draw(rng: np.random.Generator) -> Asked:
    """A problem and a horizon, for gradient flow."""

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
    return problem, log_uniform(1e-2, 1e5), GradientFlow()


def draw_family(rng: np.random.Generator) -> Asked:
    """A member of the family."""
    depth = float(rng.choice([1, 2, 2, 2.5, 3, 4]))
    laws = [
        {"kind": "bernoulli_gauss", "density": float(rng.uniform(0.05, 0.5)), "std": 0.8},
        {"kind": "discrete", "atoms": [0.0, 1.0], "probabilities": [0.8, 0.2]},
        {"kind": "uniform", "low": -1.0, "high": 1.0},
    ]

    def group(weight: float, variance: float) -> dict[str, Any]:
        apart = {"u": float(rng.uniform(0.3, 0.8)), "v": float(rng.uniform(0.3, 0.8))}
        scale = apart if rng.random() < 0.3 else float(rng.uniform(0.3, 0.8))
        return {"weight": weight, "variance": variance, "target": laws[rng.integers(3)], "initial_scale": scale}

    groups = [group(1.0, 1.0)] if rng.random() < 0.5 else [group(0.3, float(rng.uniform(1, 2))), group(0.7, float(rng.uniform(0.3, 1)))]
    problem = Problem.model_validate(
        {
            "aspect_ratio": float(rng.uniform(0.3, 2)),
            "noise_std": float(rng.uniform(0, 0.3)),
            "weight_decay": float(rng.choice([0, 0.02])),
            "depth": depth,
            "groups": groups,
        }
    )
    if rng.random() < 0.3:
        return problem, float(rng.uniform(4, 30)), GradientFlow()
    steps, size = int(rng.integers(20, 120)), float(rng.uniform(0.01, 0.05))
    schedules = [size, {"kind": "cosine", "start": size, "end": size / 10, "steps": steps}]
    dynamics = {
        "kind": "gradient_descent",
        "step_size": schedules[rng.integers(2)],
        "batch_fraction": float(rng.choice([1, 0.5, 0.2])),
        "momentum": float(rng.choice([0, 0.5, 0.8])),
        "label_noise_std": float(rng.choice([0, 0.2])),
    }
    descent = GradientDescent.model_validate(dynamics)
    return problem, min(steps * size, descent.ends_at), descent


def draw_stochastic(rng: np.random.Generator) -> Asked:
    """A problem of stochastic gradient flow."""
    problem = Problem(
        aspect_ratio=float(rng.uniform(0.3, 2)),
        target=BernoulliGaussTarget(density=float(rng.uniform(0.05, 0.5)), std=0.8),
        noise_std=float(rng.uniform(0, 0.3)),
        initial_scale=float(rng.uniform(0.1, 0.8)),
        weight_decay=float(rng.choice([0, 0.02])),
        depth=float(rng.choice([1, 2, 2, 2])),
    )
    critical = critical_temperature(problem.model_copy(update={"weight_decay": 0.0}))
    dynamics = StochasticGradientFlow(kind="stochastic_gradient_flow", temperature=float(rng.uniform(0.05, 0.5)) * critical)
    return problem, float(rng.uniform(1, 12)), dynamics


def critical_temperature(problem: Problem) -> float:
    """The critical temperature at the end of gradient flow."""
    found = predict(problem, StochasticGradientFlow(kind="stochastic_gradient_flow", temperature=1.0)).descent
    assert found and found.critical_temperature
    return found.critical_temperature


def attempt(asked: Asked, accuracy: float, seed: int, seconds: float) -> tuple[Solution | None, str, float]:
    """The solution, if there is one in time, how it ended, and the seconds that it took."""
    began, (problem, horizon, dynamics) = time.process_time(), asked

    def observe(progress: float, message: str) -> None:
        if time.process_time() - began > seconds:
            raise TooLong

    try:
        solution = solve(problem, horizon, dynamics=dynamics, accuracy=accuracy, seed=seed, observe=observe)
        return solution, solution.diagnostics["outcome"], time.process_time() - began
    except SolveError as error:
        return None, error.code, time.process_time() - began
    except TooLong:
        return None, "too long", time.process_time() - began


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
    drawn = {"family": draw_family, "stochastic": draw_stochastic}.get("".join(sys.argv[3:]), draw)
    print("the problem, its horizon and dynamics: outcomes, seconds, share within, largest ratio, in standard errors")
    for _ in range(number):
        asked = drawn(rng)
        rough, outcome, took = attempt(asked, ACCURACY, 0, seconds)
        problem, horizon, dynamics = asked
        line = f"{problem.model_dump_json()} {horizon:.3g} {dynamics.model_dump_json()}: {outcome} {took:.1f}"
        if rough:
            fine, outcome, took = attempt(asked, FINER, 1, seconds)
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
