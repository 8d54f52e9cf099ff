"""The embedded stack as users start it, and what tests need to know about its processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2

from tests.ports import free_port

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.2}, "noise_std": 0.1, "initial_scale": 0.5}
QUICK = {"kind": "simulation", "problem": PROBLEM, "horizon": 1.0, "times": [0, 0.5, 1], "dimension": 60, "replicas": 2, "seed": 0}
LONG = QUICK | {"horizon": 100.0, "times": [100.0], "dimension": 1500, "replicas": 1000}
ENDS = ("succeeded", "failed", "cancelled")
SETTLE_SECONDS = 120  # for a job that takes less than ten on an idle machine
START_SECONDS = 60  # three on a machine at rest


class Stack:
    """`python -m service` on a data folder."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data, self.port = data, free_port()
        self.environment = os.environ | {"DLNFLOW_DATA": str(data), "DLNFLOW_PORT": str(self.port), "DLNFLOW_REDIS_URL": ""} | environment
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)
        self.log = data.parent / f"{data.name}.log"

    def spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", "service"], env=self.environment, stdout=log, stderr=log)

    def start(self) -> "Stack":
        self.process = self.spawn()
        try:
            wait_until(self.ready, START_SECONDS, "the stack to be ready")
        except BaseException:
            self.close()
            raise
        return self

    def ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(40) == 0

    def close(self) -> None:
        if self.process.poll() is None:
            self.stop()
        self.client.close()

    def processes(self, word: str = "") -> list[int]:
        """Every process that was started, directly or not, on this data folder, by a word of its command."""
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _is(pid, self.data, word.encode())]

    # --- jobs ---

    def submit(self, request: dict[str, Any], wait: int = 30) -> httpx2.Response:
        return self.client.post("/v1/jobs", json=request, headers={"Prefer": f"wait={wait}"} if wait else {})

    def done(self, request: dict[str, Any]) -> str:
        """The id of a job that has succeeded."""
        job_id = self.submit(request).json()["id"]
        wait_until(lambda: self.job(job_id)["status"] in ENDS, SETTLE_SECONDS, f"{job_id} to end")
        job = self.job(job_id)
        assert job["status"] == "succeeded", job
        return job_id

    def job(self, job_id: str) -> dict[str, Any]:
        return self.client.get(f"/v1/jobs/{job_id}").json()

    def await_status(self, job_id: str, status: str, seconds: float = 30) -> dict[str, Any]:
        wait_until(lambda: self.job(job_id)["status"] == status, seconds, f"{job_id} to be {status}")
        return self.job(job_id)


def _is(pid: int, data: Path, word: bytes) -> bool:
    process = Path(f"/proc/{pid}")
    try:
        # The store writes its title over its environment, but its working directory is the data folder.
        ours = f"DLNFLOW_DATA={data}\0".encode() in (process / "environ").read_bytes() or (process / "cwd").readlink() == data
        return ours and word in (process / "cmdline").read_bytes()
    except OSError:
        return False


def wait_until(holds: Any, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.1)
