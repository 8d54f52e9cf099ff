"""Uses an installed dlnflow: every level of its core that should be there is, it solves, it simulates, and nothing else came with it."""

import os
import platform
import subprocess
import sys
from importlib.metadata import files
from importlib.util import find_spec

import dlnflow

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "gaussian"}, "noise_std": 0.1, "initial_scale": 0.3}
LEVELS = ("base", "v3", "v4") if platform.machine() == "x86_64" else ("base",)
NEEDED = {"dlnflow/py.typed", "dlnflow/native/dmft.pyi", "dlnflow/native/simulation.pyi"}


def curves() -> str:
    """The bits of two short jobs."""
    theory = dlnflow.solve(PROBLEM, horizon=1, accuracy=0.1).curves.test_loss
    network = dlnflow.simulate(PROBLEM, horizon=1, dimension=50, replicas=2).curves.test_loss
    return theory.tobytes().hex() + network.tobytes().hex()


def main() -> None:
    """Raises AssertionError where something is missing, or where levels differ."""
    there = {str(file) for file in files("dlnflow") or ()}
    assert there >= NEEDED, NEEDED - there
    assert not any(name.startswith(("service/", "worker/", "tests/", "native/")) for name in there)
    assert all(find_spec(f"dlnflow.native._{level}") for level in LEVELS)
    from dlnflow import native

    script = [sys.executable, __file__, "curves"]
    found = {level: subprocess.check_output(script, env=os.environ | {"DLNFLOW_NATIVE_LEVEL": level}) for level in native.available()}
    assert len(set(found.values())) == 1, "levels differ"
    print(f"dlnflow {dlnflow.__version__} of {dlnflow.__file__} solves and simulates with {', '.join(found)}: the same bits")


if __name__ == "__main__":
    if sys.argv[1:] == ["curves"]:
        print(curves())
    else:
        main()
