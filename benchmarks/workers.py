"""How the throughput of a sweep grows with the number of worker containers: jobs a second, with one worker and with more, in one run.

    python -m benchmarks.workers [share [points [workers…]]]

Starts the compose file as it is, each worker with one job at a time and the given share of a processor (default 1). With a share of 1 it
needs as many idle processors as workers. With a small share (0.1) the ratio tells what queue and store cost also on a machine that does
other things, since no worker asks for more than it gets. Needs a Docker engine and the image that `make compose-test` builds.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.compose.containers import Compose
from tests.e2e.stack import PROBLEM

JOB = {"kind": "simulation", "problem": PROBLEM, "horizon": 4.0, "times": [1, 4], "dimension": 400, "replicas": 20}


def seconds(compose: Compose, points: int, first_seed: int) -> float:
    """The time of a sweep whose points nobody has computed."""
    sweep = {"kind": "sweep", "base": JOB, "axes": {"seed": list(range(first_seed, first_seed + points))}}
    start = time.perf_counter()
    job = compose.client.post("/v1/jobs", json=sweep).json()
    while job["status"] not in ("succeeded", "failed"):
        time.sleep(0.1)
        job = compose.client.get(f"/v1/jobs/{job['id']}").json()
    assert job["status"] == "succeeded", job
    return time.perf_counter() - start


def main(share: str = "1", points: str = "60", *workers: str) -> None:
    """Print the throughput and its ratio to the first."""
    with tempfile.TemporaryDirectory() as folder:
        compose = Compose(Path(folder), DLNFLOW_WORKERS="1", DLNFLOW_WORKER_CPUS=share)
        try:
            rates: list[float] = []
            for index, count in enumerate(workers or ("1", "2")):
                compose.up("--scale", f"worker={count}")
                seconds(compose, 4, 10**6 + 100 * index)
                rates.append(int(points) / seconds(compose, int(points), index * int(points)))
                print(f"{count} workers: {rates[-1]:.2f} jobs/s, {rates[-1] / rates[0]:.2f} times the first", flush=True)
        finally:
            compose.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
