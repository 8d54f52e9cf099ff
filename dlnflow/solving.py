"""The one way from a request to its result, with its provenance: for workers and for the library."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlnflow.provenance import Parts, signed
from dlnflow.solution import Journal, Observer, Solution
from dlnflow.wire.requests import DmftRequest, SimulationRequest, TheoryRequest
from dlnflow.wire.results import documents

Data = NDArray[np.float32]  # shape (N, d): the standardised rows of a data set


def produce(
    request: DmftRequest | SimulationRequest | TheoryRequest, observe: Observer, data: Data | None = None, journal: Journal | None = None
) -> Parts:
    """The parts of the result; `data` is the matrix of a design of kind dataset. Raises SolveError, and what `observe` raises."""
    began = time.perf_counter()
    if isinstance(request, TheoryRequest):
        from dlnflow import theory

        parts: Parts = {"theory": theory.predict(request.problem, request.dynamics).to_dict(), "diagnostics": {"outcome": "converged"}}
    else:
        parts = documents(solve(request, observe, data, journal))
    return signed(parts, request, began)


def solve(
    request: DmftRequest | SimulationRequest, observe: Observer, data: Data | None = None, journal: Journal | None = None
) -> Solution:
    """Hand a request for curves to its solver, which takes every field by its name; only that solver is loaded."""
    options: dict[str, Any] = {name: getattr(request, name) for name in type(request).model_fields if name != "kind"}
    options["times"] = None if request.times is None else np.array(request.times)
    if isinstance(request, DmftRequest):
        from dlnflow import dmft

        return dmft.solve(**options, observe=observe, journal=journal)
    from dlnflow import simulation

    return simulation.simulate(**options, observe=observe, journal=journal, data=data)
