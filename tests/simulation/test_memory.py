"""Forecasts of memory against what a process really takes."""

import subprocess
import sys

import pytest
from pydantic import TypeAdapter

from dlnflow.model import Dynamics, GaussianTarget, Problem, RademacherDesign, StudentDesign
from dlnflow.simulation import forecast
from dlnflow.simulation.memory import concurrency

FLOW = {"kind": "gradient_flow"}
BATCHES = {"kind": "gradient_descent", "step_size": 0.1, "batch_fraction": 0.2}
RUN = """
import numpy as np
from pydantic import TypeAdapter
from dlnflow.model import Design, Dynamics
from dlnflow.model import GaussianTarget, Problem
from dlnflow.simulation import simulate
problem = Problem(aspect_ratio={ratio}, target=GaussianTarget(), noise_std=0.1, initial_scale=0.3)
design = TypeAdapter(Design).validate_python({design})
dynamics = TypeAdapter(Dynamics).validate_python({dynamics})
simulate(problem, 2.0, times=np.linspace(0, 2, 50), dimension={d}, replicas=2, threads=2, design=design, dynamics=dynamics)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(1024 * int(status["VmHWM"].split()[0]))
"""  # VmHWM, since the peak that getrusage tells begins with that of the process that started this one


@pytest.mark.parametrize(
    ("ratio", "dimension", "design", "dynamics"),
    [
        (0.5, 5000, {"kind": "gaussian"}, FLOW),
        (1.5, 4000, {"kind": "gaussian"}, FLOW),
        (0.5, 4000, {"kind": "student_t", "degrees_of_freedom": 4}, FLOW),
        (3.0, 2500, {"kind": "rademacher"}, FLOW),
        (3.0, 2500, {"kind": "gaussian"}, BATCHES),
    ],
)
def test_the_forecast_is_an_upper_estimate_and_not_a_wild_one(ratio, dimension, design, dynamics):
    code = RUN.format(ratio=ratio, d=dimension, design=design, dynamics=dynamics)
    used = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    problem = Problem(aspect_ratio=ratio, target=GaussianTarget(), noise_std=0.1, initial_scale=0.3)
    kinds = {"gaussian": None, "rademacher": RademacherDesign(kind="rademacher")}
    kind = kinds[design["kind"]] if design["kind"] in kinds else StudentDesign.model_validate(design)
    expected = forecast(
        problem, dimension, 2, threads=2, horizon=2.0, times=50, design=kind, dynamics=TypeAdapter(Dynamics).validate_python(dynamics)
    )
    assert used <= expected <= 2.5 * used


def test_fewer_replicas_run_where_memory_is_short():
    assert concurrency(10, replicas=8, threads=4, memory=100) == 4
    assert concurrency(40, replicas=8, threads=4, memory=100) == 2
    assert concurrency(400, replicas=8, threads=4, memory=100) == 1
    assert concurrency(10, replicas=2, threads=4, memory=100) == 2


def test_the_largest_networks_fit_into_the_memory_of_a_laptop():
    problem = Problem(aspect_ratio=1.0, target=GaussianTarget(), initial_scale=0.3)
    assert forecast(problem, 20_000, 8, threads=2) < 4e9
