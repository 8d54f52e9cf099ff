"""The solvers without any service: the same requests, checks and results as over HTTP."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlnflow.client.results import Result
from dlnflow.client.words import refusing
from dlnflow.jobs import matrix, results
from dlnflow.jobs.requests import DmftRequest, SimulationRequest
from dlnflow.model import Problem
from dlnflow.solution import Observer, Solution, ignore_progress


def solve(problem: Problem | Mapping[str, Any], horizon: float, *, bar: bool = False, **fields: Any) -> Result:
    """Solve the mean-field theory of `problem` up to `horizon`; `fields` are those of a dmft job (accuracy, dynamics, times, seed)."""
    from dlnflow import dmft

    with refusing():
        request = DmftRequest.model_validate({"kind": "dmft", "problem": _plain(problem), "horizon": horizon} | fields)
    own = {name: getattr(request, name) for name in ("accuracy", "dynamics", "truncation")}
    return _run(request, bar, lambda options: dmft.solve(**options, **own))


def simulate(
    problem: Problem | Mapping[str, Any], horizon: float, *, data: ArrayLike | None = None, bar: bool = False, **fields: Any
) -> Result:
    """Simulate finite networks; `fields` are those of a simulation job (dimension, replicas, design, dynamics, times, seed).

    With `data`, a matrix whose rows are samples, every replica draws its rows from it, standardised as the service does.
    """
    from dlnflow import simulation

    rows = None if data is None else np.asarray(data, dtype=float)
    if rows is not None:
        fields |= {"design": {"kind": "dataset", "id": matrix.matrix_id(rows)}, "dimension": rows.shape[1]}
    with refusing():
        request = SimulationRequest.model_validate({"kind": "simulation", "problem": _plain(problem), "horizon": horizon} | fields)
    own = {name: getattr(request, name) for name in ("dimension", "replicas", "design", "dynamics", "truncation", "standard_error")}
    own["data"] = None if rows is None else matrix.standardise(rows)
    return _run(request, bar, lambda options: simulation.simulate(**options, **own))


def _run(request: DmftRequest | SimulationRequest, bar: bool, solver: Callable[[dict[str, Any]], Solution]) -> Result:
    options: dict[str, Any] = {name: getattr(request, name) for name in ("problem", "horizon", "seed")}
    options["times"] = None if request.times is None else np.array(request.times)
    with _observer(request.kind, bar) as observe:
        solution = solver(options | {"observe": observe})
    return Result.from_parts(request.model_dump(mode="json"), results.encode(results.documents(solution)))


def _plain(problem: Problem | Mapping[str, Any]) -> Any:
    return problem.model_dump() if isinstance(problem, Problem) else problem


@contextmanager
def _observer(label: str, bar: bool) -> Iterator[Observer]:
    """What the solver calls as it goes on: a progress bar where one is wanted."""
    if not bar:
        yield ignore_progress
        return
    from dlnflow.client.progress import progress_bar
    from dlnflow.client.state import JobState

    with progress_bar(label) as show:
        yield lambda progress, message: show(JobState({"progress": progress, "message": message}))
