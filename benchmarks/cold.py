"""`python -m benchmarks.cold [rounds]`: the wall seconds that somebody waits who uses the service, or the library, for the first time.

Each round starts the embedded stack for a user without a home, and asks for R1 at accuracy 0.01 or for a simulation as soon as it says that
it serves; then a new process solves R1. What `make demo` takes in a fresh clone is for `time make demo` to say.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.e2e.stack import Stack, wait_until

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 0.3}
SOLVE = {"kind": "dmft", "problem": PROBLEM, "horizon": 32.0, "accuracy": 0.01}
SIMULATE = {"kind": "simulation", "problem": PROBLEM, "horizon": 32.0, "dimension": 1000, "replicas": 8}
ALONE = f"import dlnflow; dlnflow.solve({PROBLEM}, horizon=32, accuracy=0.01)"
ENVIRONMENT = {"HOME": "/nonexistent", "PATH": os.environ["PATH"]}


def first_job(request: dict[str, Any]) -> tuple[float, float]:
    """Seconds until a new stack serves, and from then until its first job has succeeded."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "data", HOME="/nonexistent")
        start = time.perf_counter()
        stack.process = stack.spawn()
        try:
            wait_until(lambda: stack.log.exists() and "serving on" in stack.log.read_text(), 60, "the stack to serve")
            serves = time.perf_counter()
            job = stack.submit(request, wait=60).json()
            assert job["status"] == "succeeded", job
            return serves - start, time.perf_counter() - serves
        finally:
            stack.close()


def main(rounds: int = 3) -> None:
    """Run what the module describes."""
    for _ in range(rounds):
        started, solved = first_job(SOLVE)
        _, simulated = first_job(SIMULATE)
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", ALONE], env=ENVIRONMENT, check=True)
        alone = time.perf_counter() - start
        print(f"serves after {started:.1f} s; then R1 in {solved:.1f} s, or 8 networks in {simulated:.1f} s; a process {alone:.1f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
