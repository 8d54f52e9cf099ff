"""Holds the forecast of a job's cost to what random jobs take: `python benchmarks/forecast.py measure FILE 30`.

`measure FILE NUMBER [SEED] [KIND …]` appends one line per job (its request, its CPU seconds, whether it was cut off there, those of the
solve in worker/pace.py about then, the peak of memory) and prints the ratios. Each job has a process of its own. Kinds are flow, family,
descent and simulation. `fit FILE` prints new coefficients for dlnflow/forecast_fit.py, and ratios where each tenth of the jobs is
predicted from the others. A job that was cut off counts as at least so dear. CPU time is measured, since it depends less on what else the
machine does.
"""

import json
import math
import random
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import least_squares, minimize, nnls

from dlnflow import dmft, forecast, forecast_fit, simulation
from dlnflow.dmft import descent
from dlnflow.model import GradientDescent
from dlnflow.provenance import forget_peak, peak
from dlnflow.solution import Array, SolveError
from dlnflow.wire.requests import DmftRequest, SimulationRequest, request_adapter
from worker import pace

LONGEST_SECONDS = 60.0
PERIOD_SECONDS = 120.0  # between two measurements of the machine
FACTOR = 2.0
RANGE = 0.8  # of the jobs are to be in their range
MOST_ERROR = 0.2  # of a round of gradient descent: how far beyond reach a job is does not matter
OUTLYING = 0.5  # distance of a logarithm beyond which errors count by it and not by its square
RIDGE = 1.0  # on coefficients, so that what the jobs say little of stays small
FREE = {"FLOW": (0, 12, 13, 14, 15, 16, 17), "DESCENT_ERROR": (0, 1, 3, 4, 5, 6, 10), "DESCENT_STEP": (0, 1, 2, 3, 4, 5, 6, 10, 11)}
"""Coefficients that may be negative. The others belong to what grows with the horizon and the inverse accuracy: more is never cheaper."""
PARTS = 10  # of the jobs, each predicted from the others


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
    """A request as users would ask."""
    problem, horizon = _problem(rng), log_uniform(rng, 2, 2000)
    if kind == "simulation":
        return {"problem": problem} | _simulation(rng)
    common = {"kind": "dmft", "problem": problem, "horizon": horizon, "accuracy": rng.choice([0.02, 0.02, log_uniform(rng, 0.005, 0.1)])}
    return common | {"flow": lambda: {}, "family": lambda: _family(rng, common), "descent": lambda: _descent(rng, problem)}[kind]()


def _problem(rng: random.Random) -> dict[str, Any]:
    return {
        "aspect_ratio": log_uniform(rng, 0.1, 3),
        "target": _target(rng),
        "noise_std": rng.choice([0.0, log_uniform(rng, 0.03, 1), log_uniform(rng, 0.03, 1)]),
        "initial_scale": log_uniform(rng, 1e-3, 5),
        "weight_decay": rng.choice([0.0, 0.0, log_uniform(rng, 1e-3, 0.1)]),
    }


def _target(rng: random.Random) -> dict[str, Any]:
    return rng.choice([{"kind": "gaussian"}, *2 * [{"kind": "bernoulli_gauss", "density": log_uniform(rng, 0.02, 1)}]])


def _family(rng: random.Random, common: dict[str, Any]) -> dict[str, Any]:
    """Another depth, as far as it is followed, or ten groups."""
    problem, horizon = common["problem"], common["horizon"]
    if (depth := rng.choice([1, 3, None])) is None:
        groups = [
            {"weight": 0.1, "variance": log_uniform(rng, 0.1, 3), "target": _target(rng), "initial_scale": log_uniform(rng, 0.01, 2)}
            for _ in range(10)
        ]
        return {"problem": {name: problem[name] for name in ("aspect_ratio", "noise_std", "weight_decay")} | {"groups": groups}}
    changed = problem | {"depth": depth, "initial_scale": log_uniform(rng, 0.05, 2)}
    rate = changed["weight_decay"]
    return {"problem": changed, "horizon": min(horizon, 0.99 * (80 if depth == 1 else 10) / rate) if rate else horizon}


def _descent(rng: random.Random, problem: dict[str, Any]) -> dict[str, Any]:
    step_size, steps = log_uniform(rng, 0.02, 0.2), log_uniform(rng, 20, 1500)
    batches = {"batch_fraction": log_uniform(rng, 0.05, 0.8)} if rng.random() < 0.5 else {}
    dynamics = {"kind": "gradient_descent", "step_size": step_size} | batches
    return {"problem": problem | {"initial_scale": log_uniform(rng, 0.01, 1)}, "horizon": steps * step_size, "dynamics": dynamics}


def _simulation(rng: random.Random) -> dict[str, Any]:
    descent = {"kind": "gradient_descent", "step_size": log_uniform(rng, 0.02, 0.2)}
    return {
        "kind": "simulation",
        "horizon": log_uniform(rng, 2, 200),
        "dimension": round(log_uniform(rng, 100, 5000)),
        "replicas": rng.randint(2, 12),
        "dynamics": rng.choice([{"kind": "gradient_flow"}] * 3 + [descent]),
        "design": rng.choice([{"kind": "gaussian"}] * 2 + [{"kind": "rademacher"}, {"kind": "student_t", "degrees_of_freedom": 5}]),
    }


def row_of(fields: dict[str, Any]) -> dict[str, Any]:
    """What the job of a request took, in a process that has solved something before: its CPU time, and whether it was cut off there."""
    request = request_adapter.validate_python(fields)
    pace.measure()
    forget_peak()
    descent.solver.Descent = Recorded
    start = time.process_time()

    def observe(_: float, __: str) -> None:
        if time.process_time() - start > LONGEST_SECONDS:
            raise TooLong

    is_cut = False
    try:
        _solve(request, observe)
    except TooLong:
        is_cut = True
    except SolveError:  # which has taken its time too
        pass
    seconds = time.process_time() - start
    return {"request": fields, "seconds": seconds, "cut": is_cut, "memory": peak(), "rounds": Recorded.rounds}


def _solve(request: DmftRequest | SimulationRequest, observe: Callable[[float, str], None]) -> None:
    common: dict[str, Any] = {"problem": request.problem, "horizon": request.horizon, "observe": observe}
    if isinstance(request, SimulationRequest):
        fields = {name: getattr(request, name) for name in ("dimension", "replicas", "dynamics", "design")}
        simulation.simulate(**common, **fields)
    elif isinstance(request.dynamics, GradientDescent):
        descent.solve(**common, dynamics=request.dynamics, accuracy=request.accuracy)
    else:
        dmft.solve(**common, accuracy=request.accuracy)


def measure(path: str, number: int, seed: int, kinds: list[str]) -> None:
    """Run jobs and compare."""
    for kind in kinds:
        rng, measured, reference, rows = random.Random(f"{kind}{seed}"), -PERIOD_SECONDS, 0.0, []
        for _ in range(number):
            fields = draw(rng, kind)
            if time.monotonic() - measured >= PERIOD_SECONDS:
                reference, measured = pace.PACE_SECONDS * pace.measure(), time.monotonic()
            with ProcessPoolExecutor(1, get_context("spawn")) as alone:
                rows.append(alone.submit(row_of, fields).result() | {"pace_seconds": reference})
            with open(path, "a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
        requests = [request_adapter.validate_python(row["request"]) for row in rows]
        _show(kind, np.log([forecast.seconds(request) for request in requests]), *_logarithms(rows, forecast_fit.PACE_SECONDS))
        shares = [row["memory"] / forecast.memory_bytes(request) for row, request in zip(rows, requests, strict=True)]
        print(f"  {min(shares):.2f} to {max(shares):.2f} of the predicted memory")


def _logarithms(rows: list[dict[str, Any]], reference: float) -> tuple[Array, Array]:
    """Of the seconds of jobs on a machine that takes `reference` seconds for the solve in worker/pace.py; and which were cut off."""
    return np.log([row["seconds"] / row["pace_seconds"] * reference for row in rows]), np.array([row["cut"] for row in rows])


def _show(name: str, predicted: Array, y: Array, cut: Array) -> None:
    """How far predictions are from logarithms of seconds `y`; one of a job that was cut off is wrong only where it is below."""
    off = _missed(predicted, y, cut)
    within = np.abs(off) <= math.log(FACTOR)
    line = f"{name}: {within.sum()} of {len(y)} within a factor {FACTOR:g} ({within.mean():.0%}), {cut.sum()} cut off"
    print(f"{line}; forecast over seconds {math.exp(off.min()):.2f} to {math.exp(off.max()):.2f}")


def _missed(predicted: Array, y: Array, cut: Array) -> Array:
    return np.where(cut, np.minimum(predicted - y, 0.0), predicted - y)


def fit(path: str) -> None:
    """Regressions of logarithms for the mean-field solvers, positive terms for simulations; whatever there are jobs of."""
    rows = [json.loads(line) for line in Path(path).read_text().splitlines() if line.endswith("}")]
    reference = float(np.median([row["pace_seconds"] for row in rows]))
    print(f"PACE_SECONDS = {reference:.3g}")
    jobs = [(request_adapter.validate_python(row["request"]), row) for row in rows]
    flows = [pair for pair in jobs if isinstance(pair[0], DmftRequest) and not isinstance(pair[0].dynamics, GradientDescent)]
    runs = [pair for pair in jobs if isinstance(pair[0], SimulationRequest)]
    if flows:
        _fit_flows(flows, reference)
    descents = [pair for pair in jobs if isinstance(pair[0], DmftRequest) and isinstance(pair[0].dynamics, GradientDescent)]
    _fit_descents([pair for pair in descents if pair[1]["rounds"] or pair[1]["cut"]], reference)  # without those that run away
    if runs:
        _fit_runs(runs, reference)


def _fit_flows(jobs: list[tuple[Any, dict[str, Any]]], reference: float) -> None:
    y, cut = _logarithms([row for _, row in jobs], reference)
    X = np.array([forecast.flow_features(request) for request, _ in jobs])
    doubts = np.array([forecast.flow_doubts(request) for request, _ in jobs])
    rest = np.log(np.maximum(np.exp(y) - forecast.LEAST_FLOW_SECONDS, 1e-3))

    def predicted(coefficients: Array, features: Array) -> Array:
        logarithm: Array = np.log(forecast.LEAST_FLOW_SECONDS + np.exp(features @ coefficients))
        return logarithm

    crossed, ranges = np.empty(len(y)), np.empty(len(y))
    for held, known in _parts(len(y)):
        crossed[held] = predicted(_robust(X[known], rest[known], cut[known], "FLOW"), X[held])
    missed = np.abs(_missed(crossed, y, cut))
    for held, known in _parts(len(y)):
        ranges[held] = doubts[held] @ _spread(doubts[known], missed[known])
    print(f"FLOW = {_rounded(_robust(X, rest, cut, 'FLOW'))}")
    print(f"FLOW_SPREAD = {_rounded(_spread(doubts, missed))}")
    plain = np.array([len(request.problem.population) == 1 and request.problem.depth == 2 for request, _ in jobs])
    for name, some in (("flow, crossed", plain), ("family, crossed", ~plain)):
        if some.any():
            _show(name, crossed[some], y[some], cut[some])
            inside = missed[some] <= ranges[some]
            widths = np.exp(np.quantile(ranges[some], [0, 0.5, 1]))
            print(f"  {inside.mean():.0%} within their range, a factor of {widths[0]:.2f}, {widths[1]:.2f} and {widths[2]:.2f}")


def _parts(number: int) -> list[tuple[Array, Array]]:
    """The jobs that are left out, and the others."""
    order = np.random.default_rng(0).permutation(number)
    return [(order[start::PARTS], np.delete(order, np.s_[start::PARTS])) for start in range(min(PARTS, number))]


def _robust(X: Array, y: Array, cut: Array, name: str) -> Array:
    """Coefficients c with X c ≈ y, or at least y where a job was cut off; those that may not be negative are not."""
    scale = np.maximum(X.std(axis=0), 1e-9)
    low = np.array([-np.inf if i in FREE[name] else 0.0 for i in range(X.shape[1])])
    hold = RIDGE * np.append(0.0, np.ones(X.shape[1] - 1))

    def distances(c: Array) -> Array:
        ratio = _missed(X @ c, y, cut) / OUTLYING
        huber = np.sign(ratio) * np.sqrt(2 * (np.sqrt(1 + ratio**2) - 1))
        return np.append(huber, hold * scale * c)

    start = np.append(y.mean(), np.full(X.shape[1] - 1, 1e-3))
    found: Array = least_squares(distances, start, bounds=(low - 1e-12, np.inf)).x
    return np.where(np.abs(found) < 1e-6, 0.0, found)


def _spread(doubts: Array, missed: Array) -> Array:
    """Coefficients, none of them negative, of the distance that a share RANGE of the jobs keeps (quantile regression)."""

    def loss(c: Array) -> float:
        off = missed - doubts @ c
        return float(np.where(off > 0, RANGE * off, (RANGE - 1) * off).sum())

    start = np.append(np.quantile(missed, RANGE), np.full(doubts.shape[1] - 1, 0.1))
    bounds = [(0.2, None)] + [(0.0, None)] * (doubts.shape[1] - 1)
    found: Array = minimize(loss, start, method="Powell", bounds=[(low, 5.0) for low, _ in bounds]).x
    return found


def _fit_descents(jobs: list[tuple[Any, dict[str, Any]]], reference: float) -> None:
    """The coefficients, and how far forecasts are off where each part of the jobs is left out of the fit."""
    if not jobs:
        return
    crossed = np.empty(len(jobs))
    for held, known in _parts(len(jobs)):
        forecast.DESCENT_ERROR, forecast.DESCENT_STEP = _of_rounds([jobs[i] for i in known], reference)
        crossed[held] = np.log([forecast.seconds(jobs[i][0]) for i in held])
    error, step = _of_rounds(jobs, reference)
    print(f"DESCENT_ERROR = {error}\nDESCENT_STEP = {step}")
    y, cut = _logarithms([row for _, row in jobs], reference)
    _show("descent, crossed", crossed, y, cut)
    print(f"DESCENT_SPREAD = {math.exp(np.quantile(np.abs(_missed(crossed, y, cut)), RANGE)):.3g}")


def _of_rounds(jobs: list[tuple[Any, dict[str, Any]]], reference: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Every round tells the error of ERROR_PATHS paths, by the solver's own power of the paths, and the seconds of a step of a path."""
    rounds = [
        (request, paths, (separately + (together or separately)) / row["pace_seconds"] * reference, error)
        for request, row in jobs
        for paths, separately, together, error in row["rounds"]
    ]
    none = np.zeros(len(rounds), dtype=bool)
    X = np.array([forecast.descent_error_features(request, request.dynamics) for request, *_ in rounds])
    y = [math.log(min(error, MOST_ERROR)) + descent.solver.GAIN * math.log(paths / forecast.ERROR_PATHS) for _, paths, _, error in rounds]
    error_of_paths = _robust(X, np.array(y), none, "DESCENT_ERROR")
    X = np.array([forecast.descent_step_features(request, request.dynamics, paths) for request, paths, *_ in rounds])
    y = [math.log(taken / (request.dynamics.steps(request.horizon) * paths)) for request, paths, taken, _ in rounds]
    return _rounded(error_of_paths), _rounded(_robust(X, np.array(y), none, "DESCENT_STEP"))


def _fit_runs(jobs: list[tuple[SimulationRequest, dict[str, Any]]], reference: float) -> None:
    terms = np.array([forecast.simulation_features(request) for request, _ in jobs])
    y, cut = _logarithms([row for _, row in jobs], reference)
    found = _positive(terms, np.exp(y))
    print(f"SIMULATION = {_rounded(found)}")
    _show("simulation", np.log(terms @ found), y, cut)
    print(f"SIMULATION_SPREAD = {math.exp(np.quantile(np.abs(np.log(terms @ found) - y), RANGE)):.3g}")


def _positive(terms: Array, taken: Array) -> Array:
    """Positive coefficients of `terms`, (jobs, C), whose sum has about the logarithm of `taken`, (jobs,); outliers count less."""
    relative = terms / taken[:, None]
    largest = relative.max(axis=0)
    relative /= (scale := np.where(largest > 0, largest, np.inf))  # what no job has says nothing
    start = np.log(np.maximum(nnls(relative, np.ones(len(taken)))[0], 1e-3))
    found = least_squares(lambda x: np.log(relative @ np.exp(x)), start, bounds=(-20, 10), loss="soft_l1", f_scale=0.5)
    coefficients: Array = np.exp(found.x) / scale
    return coefficients


def _rounded(coefficients: Array) -> tuple[float, ...]:
    return tuple(float(f"{x:.3g}") for x in coefficients)


if __name__ == "__main__":
    command, file, *rest = sys.argv[1:]
    if command == "fit":
        fit(file)
    else:
        every = ["flow", "family", "descent", "simulation"]
        measure(file, int(rest[0]), int(rest[1]) if len(rest) > 1 else 1, rest[2:] or every)
