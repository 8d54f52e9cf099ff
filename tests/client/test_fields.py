"""Keywords with types: the same fields and defaults as the models, and what a type checker says of their use."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import dlnflow
from dlnflow.client import AsyncClient, Client
from dlnflow.client.fields import JobFields
from dlnflow.model import members
from dlnflow.wire.requests import DmftRequest, Request, SimulationRequest

OF_DATA = {"data", "header", "index", "bar"}


def test_jobs_have_the_fields_of_their_models():
    assert JobFields.__annotations__.keys() == {name for model in members(Request).values() for name in model.model_fields}


@pytest.mark.parametrize(("function", "model"), [(dlnflow.solve, DmftRequest), (dlnflow.simulate, SimulationRequest)])
def test_functions_have_the_fields_and_defaults_of_their_models(function, model):
    found = inspect.signature(function).parameters
    assert found.keys() - OF_DATA == model.model_fields.keys() - {"kind"}
    for name, parameter in found.items():
        if name in model.model_fields and parameter.default not in (inspect.Parameter.empty, None):
            assert parameter.default == model.model_fields[name].default, name
        assert name in ("bar", *OF_DATA, "seed") or f"`{name}`" in function.__doc__, name


def test_both_clients_have_the_same_signatures():
    for name in ("submit", "sweep", "estimate", "job", "jobs"):
        one, other = (list(inspect.signature(getattr(kind, name)).parameters.items()) for kind in (Client, AsyncClient))
        assert [(n, p.annotation) for n, p in one] == [(n, p.annotation) for n, p in other], name


GOOD = """
import numpy as np
from dlnflow import Client, Problem, simulate, solve
problem = {"aspect_ratio": 0.5, "target": {"kind": "gaussian"}, "initial_scale": 0.3}
curve = solve(problem, 8.0, accuracy=0.05, times=np.geomspace(0.1, 8, 5)).curves.test_loss
simulate(problem, 8.0, dimension=100, design="rademacher").plot(names=("overlap",))
with Client() as client:
    job = client.submit(kind="dmft", problem=problem, horizon=8, accuracy=0.05)
    sweep = client.sweep({"kind": "theory", "problem": problem}, {"problem.noise_std": [0.1, 0.2]})
    print(job.id, sweep.rows[0], sweep.to_xarray())
"""
BAD = """
from dlnflow import Client, solve
solve({}, 8.0, acuracy=0.05)
solve({}, "long")
Client().submit(kind="dmtf")
Client().submit(colour="red")
"""


@pytest.mark.slow
def test_a_strict_type_checker_knows_what_is_right_and_what_is_wrong(tmp_path: Path):
    for name, text, lines in (("good", GOOD, []), ("bad", BAD, [3, 4, 5, 6])):
        script = tmp_path / f"{name}.py"
        script.write_text(text)
        command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", f"--cache-dir={tmp_path}/cache", str(script)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        found = sorted(
            {
                int(line.split(":")[1])
                for line in done.stdout.splitlines()
                if ": error:" in line and line.split(":")[0].endswith(script.name)
            }
        )
        assert found == lines, done.stdout
