"""Uses an installed dlnflow: every level of its core that should be there is, it solves, it simulates, and nothing else came with it."""

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import files
from importlib.util import find_spec

import numpy as np

import dlnflow

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "gaussian"}, "noise_std": 0.1, "initial_scale": 0.3}
ACCURACY = 0.1
LEVELS = ("base", "v3", "v4") if platform.machine() == "x86_64" else ("base",)
NEEDED = {"dlnflow/py.typed", "dlnflow/native/dmft.pyi", "dlnflow/native/simulation.pyi"}


def curves() -> list[float]:
    """The results of two short jobs."""
    theory = dlnflow.solve(PROBLEM, horizon=1, accuracy=ACCURACY).curves.test_loss
    network = dlnflow.simulate(PROBLEM, horizon=1, dimension=50, replicas=2).curves.test_loss
    return [*theory.tolist(), *network.tolist()]


def main() -> None:
    """Raises AssertionError where something is missing, or where levels differ."""
    there = {str(file) for file in files("dlnflow") or ()}
    assert there >= NEEDED, NEEDED - there
    assert not any(name.startswith(("store/", "service/", "worker/", "tests/", "native/")) for name in there)
    assert all(find_spec(f"dlnflow.native._{level}") for level in LEVELS)
    from dlnflow import native

    script = [sys.executable, __file__, "curves"]
    found = {
        level: json.loads(subprocess.check_output(script, env=os.environ | {"DLNFLOW_NATIVE_LEVEL": level})) for level in native.available()
    }
    for level, values in found.items():
        np.testing.assert_allclose(values, found["base"], rtol=ACCURACY / 1000, err_msg=level)  # a level's rounding is far below errors
    print(f"dlnflow {dlnflow.__version__} of {dlnflow.__file__} solves and simulates with {', '.join(found)}")


if __name__ == "__main__":
    if sys.argv[1:] == ["curves"]:
        print(json.dumps(curves()))
    else:
        main()
