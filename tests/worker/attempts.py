"""A small job, a solver that makes nothing of it, and one attempt at it."""

import numpy as np

from dlnflow.solution import CURVES, ORDER_PARAMETERS, Solution
from dlnflow.wire.requests import job_id, request_adapter
from worker.notes import Notes
from worker.pace import Pace
from worker.run import Post, run_job

REQUEST = request_adapter.validate_python(
    {"kind": "simulation", "problem": {"aspect_ratio": 1, "target": {"kind": "gaussian"}, "initial_scale": 1}, "horizon": 1, "seed": 9}
)
ID = job_id(REQUEST)
NAMES = CURVES + ORDER_PARAMETERS
ZEROS = {name: np.zeros(2) for name in NAMES}


def solution(request, observe, data=None, journal=None) -> Solution:
    return Solution(np.array([0.0, 1.0]), ZEROS, ZEROS, (), {"outcome": "converged"})


def run(store, monkeypatch, solve, limit: float = 60, pace: Pace | None = None):
    monkeypatch.setattr("dlnflow.solving.solve", solve)
    run_job(store, Post("w", lambda kind: limit, Notes(), lambda: None, pace or Pace(lambda: 1.0)))
    return store.get(ID)
