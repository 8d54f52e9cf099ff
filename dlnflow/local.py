"""The solvers without any service: the same requests, checks and results as over HTTP."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from dlnflow.client.errors import InvalidRequest
from dlnflow.client.results import Result
from dlnflow.client.words import read_data, read_request
from dlnflow.jobs import matrix, results
from dlnflow.jobs.requests import DmftRequest, SimulationRequest
from dlnflow.model import Problem
from dlnflow.solution import Array, Observer, Solution, ignore_progress

DMFT: TypeAdapter[DmftRequest] = TypeAdapter(DmftRequest)
SIMULATION: TypeAdapter[SimulationRequest] = TypeAdapter(SimulationRequest)


def solve(problem: Problem | Mapping[str, Any], horizon: float, *, bar: bool = False, **fields: Any) -> Result:
    """Solve the mean-field theory of `problem` up to `horizon`; `fields` are those of a dmft job (accuracy, dynamics, times, seed)."""
    from dlnflow import dmft

    request = read_request(DMFT, {"kind": "dmft", "problem": problem, "horizon": horizon}, fields)[1]
    own = {name: getattr(request, name) for name in ("accuracy", "dynamics", "truncation")}
    return _run(request, bar, lambda options: dmft.solve(**options, **own))


def simulate(
    problem: Problem | Mapping[str, Any],
    horizon: float,
    *,
    data: matrix.Data | None = None,
    header: bool | None = None,
    index: bool | None = None,
    bar: bool = False,
    **fields: Any,
) -> Result:
    """Simulate finite networks; `fields` are those of a simulation job (dimension, replicas, design, dynamics, times, seed).

    With `data`, a matrix, a frame or the path of a file whose rows are samples, every replica draws its rows from it. It is read, checked
    and standardised as the service does; see `Client.upload` for `header` and `index`.
    """
    from dlnflow import simulation

    values = None if data is None else read_data(data, header, index).values
    request = _simulation({"kind": "simulation", "problem": problem, "horizon": horizon}, fields, values)
    own = {name: getattr(request, name) for name in ("dimension", "replicas", "design", "dynamics", "truncation", "standard_error")}
    own["data"] = None if values is None else matrix.standardise(values)
    return _run(request, bar, lambda options: simulation.simulate(**options, **own))


def _simulation(base: dict[str, Any], fields: dict[str, Any], values: Array | None) -> SimulationRequest:
    """The request, held to the data that it uses; raises InvalidRequest."""
    if values is None:
        request = read_request(SIMULATION, base, fields)[1]
        if request.design.dataset is not None:
            raise InvalidRequest(["design"], "design: data sets are the service's; give the matrix itself as data, or submit to a service")
        return request
    if "design" in fields:
        raise InvalidRequest(["design"], "design: with data, the rows are those of the data; leave design out")
    base |= {"design": {"kind": "dataset", "id": matrix.matrix_id(values)}, "dimension": values.shape[1]}
    request = read_request(SIMULATION, base, fields)[1]
    if wrong := matrix.misfit(request, *values.shape):
        raise InvalidRequest([wrong.field], f"{wrong.field}: {wrong.reason}. {wrong.hint}")
    return request


def _run(request: DmftRequest | SimulationRequest, bar: bool, solver: Callable[[dict[str, Any]], Solution]) -> Result:
    options: dict[str, Any] = {name: getattr(request, name) for name in ("problem", "horizon", "seed")}
    options["times"] = None if request.times is None else np.array(request.times)
    with _observer(request.kind, bar) as observe:
        solution = solver(options | {"observe": observe})
    return Result.from_parts(request.model_dump(mode="json"), results.encode(results.documents(solution)))


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
