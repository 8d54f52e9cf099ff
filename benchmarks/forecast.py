"""Holds the forecast of a job's cost to what random jobs of moderate size take: `python benchmarks/forecast.py measure FILE 30`.

`measure FILE NUMBER [SEED]` appends one line per job (its request, its CPU seconds, the pace of the machine and the peak of memory) and
prints the ratios at the end; `fit FILE` prints new coefficients for dlnflow/forecast_fit.py, in seconds at a pace of 1. They stay
near those that are there where the jobs say little, so that a hundred jobs tell what another version of a solver has changed. CPU time is
measured, since it does not depend on what else the machine does.
"""

import gc
import json
import math
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import least_squares, nnls

from dlnflow import dmft, forecast, forecast_fit, simulation
from dlnflow.dmft import descent
from dlnflow.model import GradientDescent
from dlnflow.solution import Array, SolveError
from dlnflow.wire.requests import DmftRequest, SimulationRequest, request_adapter
from worker.memory import forget_peak, give_back, peak
from worker.pace import Pace

LONGEST_SECONDS = 60.0
FACTOR = 2.0
LONGER = 1.05  # horizons, or smaller accuracies, that are not to be cheaper
MOST_ERROR = 0.2  # of a round of gradient descent: how far beyond reach a job is does not matter
OUTLYING, REWEIGHTED = 0.5, 10  # distance beyond which errors count by it and not by its square (P. J. Huber, 1964), and fits to that end
RIDGE = {"DMFT": 3.0, "DESCENT_ERROR": 10.0, "DESCENT_STEP": 1.0}


class Recorded(descent.solver.Descent):
    """Notes the paths of every round, the CPU seconds of its scrambles one by one and together, and its error before they are."""

    rounds: ClassVar[list[list[float]]] = []

    def _separately(self, paths: int) -> Any:
        start = time.process_time()
        found = super()._separately(paths)
        self.rounds.append([paths, time.process_time() - start, 0.0, found[2].largest()["total"]])
        return found

    def _together(self, *arguments: Any) -> Any:
        start = time.process_time()
        found = super()._together(*arguments)
        self.rounds[-1][2] = time.process_time() - start
        return found


class TooLong(Exception):
    """A job that is not worth waiting for."""


def log_uniform(rng: random.Random, low: float, high: float) -> float:
    """A number whose logarithm is uniform."""
    return float(f"{math.exp(rng.uniform(math.log(low), math.log(high))):.3g}")


def draw(rng: random.Random, kind: str) -> dict[str, Any]:
    """A request of moderate size."""
    target: dict[str, Any] = rng.choice([{"kind": "gaussian"}, {"kind": "bernoulli_gauss", "density": log_uniform(rng, 0.05, 0.5)}])
    problem = {
        "aspect_ratio": log_uniform(rng, 0.2, 5),
        "target": target,
        "noise_std": rng.choice([0.0, log_uniform(rng, 0.03, 0.5)]),
        "initial_scale": log_uniform(rng, 0.05, 1),
        "weight_decay": rng.choice([0.0, 0.0, log_uniform(rng, 0.01, 0.1)]),
    }
    common = {"kind": kind, "problem": problem, "horizon": log_uniform(rng, 2, 200)}
    if kind == "dmft":
        return common | {"accuracy": log_uniform(rng, 0.005, 0.05)}
    if kind == "descent":
        step_size, steps = log_uniform(rng, 0.02, 0.2), log_uniform(rng, 20, 1500)
        dynamics = {"kind": "gradient_descent", "step_size": step_size}
        return common | {"kind": "dmft", "horizon": steps * step_size, "accuracy": log_uniform(rng, 0.005, 0.05), "dynamics": dynamics}
    descent = {"kind": "gradient_descent", "step_size": log_uniform(rng, 0.02, 0.2)}
    dynamics = rng.choice([{"kind": "gradient_flow"}] * 3 + [descent])
    design = rng.choice([{"kind": "gaussian"}] * 2 + [{"kind": "rademacher"}, {"kind": "student_t", "degrees_of_freedom": 5}])
    size = {"dimension": round(log_uniform(rng, 100, 5000)), "replicas": rng.randint(2, 12)}
    return common | size | {"dynamics": dynamics, "design": design}


def seconds_of(request: DmftRequest | SimulationRequest) -> float:
    """The CPU time of a job."""
    gc.collect()  # what a job that was ended left
    give_back()
    forget_peak()
    start = time.process_time()

    def observe(_: float, __: str) -> None:
        if time.process_time() - start > LONGEST_SECONDS:
            raise TooLong

    if isinstance(request, DmftRequest) and isinstance(request.dynamics, GradientDescent):
        descent.solve(request.problem, request.horizon, request.dynamics, accuracy=request.accuracy, observe=observe)
    elif isinstance(request, DmftRequest):
        dmft.solve(request.problem, request.horizon, accuracy=request.accuracy, observe=observe)
    else:
        simulation.simulate(
            request.problem,
            request.horizon,
            dimension=request.dimension,
            replicas=request.replicas,
            dynamics=request.dynamics,
            design=request.design,
            observe=observe,
        )
    return time.process_time() - start


def measure(path: str, number: int, seed: int) -> None:
    """Run jobs and compare."""
    rng, pace = random.Random(seed), Pace()
    descent.solver.Descent = Recorded
    for kind in ("dmft", "descent", "simulation"):
        seconds_of(request_adapter.validate_python(draw(random.Random(0), kind) | {"horizon": 1.0}))  # compiles
        ratios, shares = [], []
        for _ in range(number):
            fields = draw(rng, kind)
            request = request_adapter.validate_python(fields)
            pace.refresh(time.monotonic())
            Recorded.rounds.clear()
            try:
                taken = seconds_of(request)
            except (TooLong, SolveError):
                continue
            with open(path, "a") as file:
                row = {"request": fields, "seconds": taken, "pace": pace.value, "memory": peak(), "rounds": Recorded.rounds}
                file.write(json.dumps(row) + "\n")
            ratios.append(pace.value * forecast.seconds(request) / taken)
            shares.append(peak() / forecast.memory_bytes(request))
        within = sum(1 / FACTOR <= ratio <= FACTOR for ratio in ratios)
        print(f"{kind}: {within} of {len(ratios)} within a factor {FACTOR:g}; ratios from {min(ratios):.2f} to {max(ratios):.2f}")
        within = sum(1 / FACTOR <= share <= FACTOR for share in shares)
        print(f"{kind}: {min(shares):.2f} to {max(shares):.2f} of the predicted memory, {within} within a factor {FACTOR:g}")


def fit(path: str) -> None:
    """Regression of the logarithm for the mean-field solvers, positive terms for simulations; whatever there are jobs of."""
    rows = [json.loads(line) for line in Path(path).read_text().splitlines() if line.endswith("}")]
    jobs = [(request_adapter.validate_python(row["request"]), row["seconds"] / row["pace"]) for row in rows]
    flows = [pair for pair in jobs if isinstance(pair[0], DmftRequest) and not isinstance(pair[0].dynamics, GradientDescent)]
    runs = [pair for pair in jobs if pair[0].kind == "simulation"]
    if flows:
        X = np.array([forecast.dmft_features(request) for request, _ in flows])
        changes = _changes([request for request, _ in flows], forecast.dmft_features)
        print(f"DMFT = {_rounded(_monotone(X, np.log([taken for _, taken in flows]), 'DMFT', changes))}")
    _fit_descents(rows)
    if runs:
        terms = np.array([forecast.simulation_features(request) for request, _ in runs])
        print(f"SIMULATION = {_rounded(_positive(terms, np.array([taken for _, taken in runs])))}")


def _positive(terms: Array, taken: Array) -> Array:
    """Positive coefficients of `terms`, (jobs, C), whose sum has about the logarithm of `taken`, (jobs,); outliers count less."""
    relative = terms / taken[:, None]
    relative /= (scale := relative.max(axis=0))
    start = np.log(np.maximum(nnls(relative, np.ones(len(taken)))[0], 1e-3))
    found = least_squares(lambda x: np.log(relative @ np.exp(x)), start, bounds=(-20, 10), loss="soft_l1", f_scale=0.5)
    coefficients: Array = np.exp(found.x) / scale
    return coefficients


def _fit_descents(rows: list[dict[str, Any]]) -> None:
    """Every round tells the error of ERROR_PATHS paths, by the solver's own power of the paths, and the seconds of a step of a path."""
    rounds = [
        (request_adapter.validate_python(row["request"]), paths, (separately + (together or separately)) / row["pace"], error)
        for row in rows
        for paths, separately, together, error in row["rounds"]
    ]
    if not rounds:
        return
    requests = [request for request, *_ in rounds]
    X = np.array([forecast.descent_error_features(request, request.dynamics) for request in requests])
    y = np.array(
        [math.log(min(error, MOST_ERROR)) + descent.solver.GAIN * math.log(paths / forecast.ERROR_PATHS) for _, paths, _, error in rounds]
    )
    changes = _changes(requests, lambda request: forecast.descent_error_features(request, request.dynamics))
    half = math.log(LONGER) / 2  # of what more steps take is left to each
    counts = np.ones(len(y))
    for _ in range(REWEIGHTED):
        found = _monotone(X * counts[:, None], y * counts, "DESCENT_ERROR", changes, -half * descent.solver.GAIN)
        counts = np.sqrt(np.minimum(1, OUTLYING / np.maximum(np.abs(y - X @ found), 1e-9)))
    print(f"DESCENT_ERROR = {_rounded(found)}")
    X = np.array([forecast.descent_step_features(request, request.dynamics, paths) for request, paths, *_ in rounds])
    y = np.array([math.log(taken * request.dynamics.step_size / (request.horizon * paths)) for request, paths, taken, _ in rounds])
    changes = _changes(requests, lambda request: forecast.descent_step_features(request, request.dynamics, forecast.ERROR_PATHS))
    print(f"DESCENT_STEP = {_rounded(_monotone(X, y, 'DESCENT_STEP', changes, -half))}")


def _rounded(coefficients: Array) -> tuple[float, ...]:
    return tuple(float(f"{x:.3g}") for x in coefficients)


def _monotone(X: Array, y: Array, name: str, changes: Array, least: float = 0.0) -> Array:
    """Coefficients c with X c ≈ y, all but the first held near those of that name by its ridge, and `changes` c at least `least`.

    By the dual of the least distance problem, see C. L. Lawson and R. J. Hanson, Solving Least Squares Problems, chapter 23.
    """
    hold = RIDGE[name] * np.diag([0.0] + [1.0] * (X.shape[1] - 1))
    factor = np.linalg.cholesky(X.T @ X + hold)
    start = np.linalg.solve(factor, X.T @ y + hold @ np.array(getattr(forecast_fit, name)))
    normals = np.linalg.solve(factor, changes.T)
    system, end = np.vstack([normals, least - start @ normals]), np.append(np.zeros(len(start)), 1.0)
    residual = system @ nnls(system, end)[0] - end
    found: Array = np.linalg.solve(factor.T, start - residual[:-1] / residual[-1])
    return found


def _changes(requests: list[DmftRequest], features: Callable[[DmftRequest], list[float]]) -> Array:
    """What the features of jobs at random accuracies and horizons change by where these ask for a twentieth more."""
    rng, found = random.Random(0), []
    for request in requests:
        for name, factor in (("accuracy", 1 / LONGER), ("horizon", LONGER)):
            at = {"accuracy": log_uniform(rng, 2e-3, 0.1), "horizon": request.horizon * log_uniform(rng, 0.3, 3)}
            less = request.model_copy(update=at)
            more = request.model_copy(update=at | {name: at[name] * factor})
            found.append(np.array(features(more)) - features(less))
    return np.array(found)


if __name__ == "__main__":
    command, file, *rest = sys.argv[1:]
    if command == "fit":
        fit(file)
    else:
        measure(file, int(rest[0]), int(rest[1]) if len(rest) > 1 else 1)
