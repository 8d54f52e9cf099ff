"""The solvers without any service: the same requests, checks and results as over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from dlnflow.client.errors import InvalidRequest
from dlnflow.client.fields import DesignLike, DynamicsLike, Numbers, ProblemLike
from dlnflow.client.results import Result
from dlnflow.client.words import read_data, read_request
from dlnflow.left import TimeLeft
from dlnflow.solution import Array, Journal, Observer, ignore_progress
from dlnflow.wire import matrix
from dlnflow.wire.requests import DmftRequest, SimulationRequest

DMFT: TypeAdapter[DmftRequest] = TypeAdapter(DmftRequest)
SIMULATION: TypeAdapter[SimulationRequest] = TypeAdapter(SimulationRequest)


def solve(
    problem: ProblemLike,
    horizon: float,
    *,
    accuracy: float = 0.01,
    times: Numbers | None = None,
    dynamics: DynamicsLike | None = None,
    truncation: float | None = None,
    seed: int = 0,
    bar: bool = False,
) -> Result:
    """Solve the mean-field theory of `problem`, for n, d → ∞, up to the dimensionless time `horizon`, 0.01 to 1e5.

    `accuracy`, 1e-4 to 0.2, is the largest error of any curve, relative to it or to 1e-3 of its peak; `times` are increasing, up to the
    horizon, and chosen where left out; `dynamics` is gradient flow where left out, or `{"kind": "gradient_descent", "step_size": 0.1}`;
    `truncation` clips u and v of gradient descent to [−M, M]; `bar` shows a progress bar. Raises InvalidRequest, which names the field, and
    SolveError, whose code is that of a failed job. What comes back has `curves`, `order_parameters`, `kernels` and `diagnostics`.
    """
    fields = {"accuracy": accuracy, "times": times, "truncation": truncation, "seed": seed} | _given(dynamics=dynamics)
    request = read_request(DMFT, {"kind": "dmft", "problem": problem, "horizon": horizon}, fields)[1]
    return _run(request, bar)


def simulate(
    problem: ProblemLike,
    horizon: float,
    *,
    dimension: int | None = None,
    replicas: int = 8,
    times: Numbers | None = None,
    dynamics: DynamicsLike | None = None,
    design: DesignLike | None = None,
    truncation: float | None = None,
    standard_error: float | None = None,
    seed: int = 0,
    data: matrix.Data | None = None,
    header: bool | None = None,
    index: bool | None = None,
    bar: bool = False,
) -> Result:
    """Simulate `replicas` finite networks, 2 to 1000, of `dimension` parameters, 10 to 20,000, for `problem` up to the time `horizon`.

    `dimension` is 1000, or the columns of `data`, where left out; `design` is the law of the entries of X, "gaussian" where left out;
    `standard_error` ends with fewer replicas, 4 or more, when every curve's relative standard error is down to it; `times`, `dynamics`,
    `truncation` and `bar` are as in `solve`. With `data`, a matrix, a frame or the path of a file whose rows are samples, every replica
    draws its rows from it. It is read, checked and standardised as the service does; see `Client.upload` for `header` and `index`. Raises
    InvalidRequest and SolveError. What comes back is as of `solve`, without kernels.
    """
    fields = {"replicas": replicas, "times": times, "truncation": truncation, "standard_error": standard_error, "seed": seed}
    fields |= _given(dimension=dimension, dynamics=dynamics, design=design)
    values = None if data is None else read_data(data, header, index).values
    request = _simulation({"kind": "simulation", "problem": problem, "horizon": horizon}, fields, values)
    return _run(request, bar, None if values is None else matrix.standardise(values))


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


def _given(**fields: Any) -> dict[str, Any]:
    """The fields that were not left out."""
    return {name: value for name, value in fields.items() if value is not None}


def _run(request: DmftRequest | SimulationRequest, bar: bool, data: NDArray[np.float32] | None = None) -> Result:
    from dlnflow import solving

    with _watching(request.kind, bar) as (observe, journal):
        parts = solving.produce(request, observe, data, journal)
    return Result.from_documents(request.model_dump(mode="json"), parts)


class _Expecting(Journal):
    """Keeps nothing but how long the solve still takes."""

    def __init__(self) -> None:
        self.left = TimeLeft()

    def expect(self, seconds: float) -> None:
        """Count down from here."""
        self.left.expect(seconds)


@contextmanager
def _watching(label: str, bar: bool) -> Iterator[tuple[Observer, Journal | None]]:
    """What the solver calls as it goes on: a progress bar where one is wanted."""
    if not bar:
        yield ignore_progress, None
        return
    from dlnflow.client.progress import progress_bar
    from dlnflow.client.state import JobState

    journal = _Expecting()
    with progress_bar(label) as show:
        yield (
            lambda progress, message: show(JobState({"progress": progress, "message": message, "seconds_left": journal.left.seconds})),
            journal,
        )
