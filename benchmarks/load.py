"""`python -m benchmarks.load [minutes]`: how long a trivial job takes, then 10 minutes of mixed requests at twice what two workers can do.

Prints every status that was answered, and the resident memory of every process after a tenth of the time and at the end. Results are
kept for a minute, so that the store has as much to hold at the end as in the beginning.
"""

import itertools
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np

from tests.e2e.stack import PROBLEM, QUICK, Stack, wait_until

ROUNDS, CALIBRATION_SECONDS, THREADS, KEPT_DAYS = 100, 20.0, 4, 60 / 86400
SEEDS = itertools.count(1)


def trivial(stack: Stack, make: Callable[[int], dict[str, Any]]) -> str:
    """Milliseconds from submission to the finished job, median and 95 %."""
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        job = stack.submit(make(next(SEEDS))).json()
        took.append(1000 * (time.perf_counter() - start))
        assert (job["status"], job["cache"]) == ("succeeded", "miss"), job
    return f"{np.median(took):.0f} ms at the median, {np.quantile(took, 0.95):.0f} ms at 95 %"


def theory(seed: int) -> dict[str, Any]:
    """A prediction that nobody has asked for."""
    return {"kind": "theory", "problem": PROBLEM | {"initial_scale": 0.5 + 1e-6 * seed}}


def simulation(seed: int) -> dict[str, Any]:
    """A simulation that nobody has asked for."""
    return QUICK | {"seed": seed}


def mixed(chance: random.Random) -> dict[str, Any]:
    """A job of any kind, a few times as costly as a trivial one."""
    seed = next(SEEDS)
    dmft = {"kind": "dmft", "problem": PROBLEM, "horizon": 4.0, "accuracy": 0.05, "seed": seed}
    medium = QUICK | {"dimension": 400, "replicas": 8, "seed": seed}
    sweep = {"kind": "sweep", "base": simulation(seed), "axes": {"problem.initial_scale": [0.3, 0.5, 1.0]}}
    comparison = {"kind": "comparison", "problem": PROBLEM, "horizon": 1.0, "accuracy": 0.1, "dimension": 100, "replicas": 4, "seed": seed}
    return chance.choice([theory(seed), theory(seed), simulation(seed), medium, dmft, sweep, comparison])


def addresses(job: dict[str, Any]) -> list[str]:
    """Where one can look at a job, itself first."""
    links = [link for name, link in job["links"].items() if name != "events"]
    return links + [f"{links[0]}/plot.svg"] * ("curves" in job["links"])


class Visitors:
    """Threads of which each submits jobs and looks at what became of an earlier one: one visit each `pause` seconds."""

    def __init__(self, stack: Stack, pause: float, wait: bool) -> None:
        self.answers: Counter[str] = Counter()
        self._stack, self._pause, self._wait = stack, pause, wait
        self._lock, self._stop = threading.Lock(), threading.Event()

    def run(self, seconds: float) -> Iterator[float]:
        """Visit for `seconds`; yields the time that has passed, each second."""
        threads = [threading.Thread(target=self._visits, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        start = time.monotonic()
        while (passed := time.monotonic() - start) < seconds:
            time.sleep(1)
            yield passed
        self._stop.set()
        for thread in threads:
            thread.join()

    def _visits(self, number: int) -> None:
        chance, places = random.Random(number), ["/v1/jobs"]
        with httpx2.Client(base_url=self._stack.client.base_url, timeout=60) as http:
            due = time.monotonic()
            while not self._stop.is_set():
                places = self._visit(http, chance, places)
                due = max(due + self._pause, time.monotonic() - 1)
                self._stop.wait(max(0.0, due - time.monotonic()))

    def _visit(self, http: httpx2.Client, chance: random.Random, places: list[str]) -> list[str]:
        """Submit a job, look at one of `places` and perhaps cancel the first; returns the places of the new job."""
        answer = http.post("/v1/jobs", json=mixed(chance), headers={"Prefer": "wait=30"} if self._wait else {})
        self._note("submit", answer)
        if not self._wait:
            self._note("look", http.get(chance.choice(["/v1/jobs?limit=20&status=queued", *places])))
            if len(places) > 1 and chance.random() < 0.1:
                self._note("cancel", http.delete(places[0]))
        return addresses(answer.json()) if answer.is_success else places

    def _note(self, what: str, answer: httpx2.Response) -> None:
        with self._lock:
            self.answers[f"{what} {answer.status_code}"] += 1


def memory(stack: Stack) -> dict[str, float]:
    """Resident megabytes of every process."""
    found = {}
    for pid in stack.processes():
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        name = next((word for word in (b"worker", b"service", b"uvicorn") if word in command), b"store").decode()
        found[f"{name} {pid}"] = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6
    return found


def main(minutes: str = "10") -> None:
    """Everything, on one stack."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "data", DLNFLOW_RETENTION_DAYS=str(KEPT_DAYS)).start()
        try:
            print(f"theory: {trivial(stack, theory)}", flush=True)
            print(f"simulation: {trivial(stack, simulation)}", flush=True)
            alone = Visitors(stack, 0.0, wait=True)
            list(alone.run(CALIBRATION_SECONDS))
            rate = alone.answers.total() / CALIBRATION_SECONDS
            seconds, early = 60 * float(minutes), {}
            crowd = Visitors(stack, THREADS / (2 * rate), wait=False)
            for passed in crowd.run(seconds):
                if passed > seconds / 10 and not early:
                    early = memory(stack)
            late = memory(stack)
            print(f"{rate:.1f} jobs a second with waiting; at twice that: {dict(sorted(crowd.answers.items()))}", flush=True)
            for name in sorted(early | late):
                print(f"{name}: {early.get(name, 0):.0f} MB after a tenth of the time, {late.get(name, 0):.0f} MB at the end", flush=True)
            wait_until(lambda: stack.client.get("/readyz").json()["queued"] == 0, 600, "the queue to be empty")
        finally:
            stack.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
