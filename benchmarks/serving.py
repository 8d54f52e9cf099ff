"""Requests per second of reading a cached result, beside a bare FastAPI route that returns the same bytes: `python benchmarks/serving.py`.

Both are served by one uvicorn process each, in turns, to the same client; the ratio is what counts. Needs no worker: the result is put
into a store of its own. With jobs in the store (`python benchmarks/serving.py 10000`), also what they cost a listing and a submission.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np
import uvicorn
from fastapi import FastAPI, Response

from dlnflow.solution import CURVES
from dlnflow.wire import results
from dlnflow.wire.requests import job_id, request_adapter
from service.app import connect, create_app, listen
from service.context import Context
from service.embedded import await_server, server_command, socket_path
from store.jobs import JobStore
from store.settings import Settings

SECONDS, ROUNDS, CONNECTIONS = 2.0, 3, 8
PROBLEM = {"aspect_ratio": 1, "target": {"kind": "gaussian"}, "initial_scale": 1}
REQUEST = {"kind": "simulation", "problem": PROBLEM, "horizon": 1, "dimension": 60, "replicas": 2}


def fill(store: JobStore) -> str:
    """Put one finished job into the store; returns its id."""
    request = request_adapter.validate_python(REQUEST)
    store.submit(request)
    time_points = np.geomspace(0.01, 1, 100)
    curves = {"time": time_points} | {name: np.exp(-time_points) for key in CURVES for name in (key, f"{key}_stderr")}
    attempt = store.claim("benchmark")
    assert attempt is not None
    store.succeed(attempt, results.encode({"curves": curves}))
    return job_id(request)


def bare(body: bytes) -> FastAPI:
    """What there is to compare with."""
    app = FastAPI()

    @app.get("/{path:path}")
    async def answer(path: str) -> Response:
        return Response(body, media_type="application/json")

    return app


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The application on a port of its own, in a process of its own where the system can fork."""
    import multiprocessing
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(app, port=port, log_level="warning", access_log=False)
    process = multiprocessing.get_context("fork").Process(target=uvicorn.Server(config).run, daemon=True)
    process.start()
    url = f"http://127.0.0.1:{port}"
    while True:
        try:
            httpx2.get(f"{url}/openapi.json")
            break
        except httpx2.TransportError:
            time.sleep(0.05)
    yield url
    process.terminate()
    process.join()


async def rate(url: str) -> float:
    """Requests per second over a few connections."""
    end, done = time.perf_counter() + SECONDS, 0
    async with httpx2.AsyncClient() as http:

        async def ask() -> None:
            nonlocal done
            while time.perf_counter() < end:
                answer = await http.get(url)
                assert answer.status_code == 200
                done += 1

        await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
    return done / SECONDS


def serve_cached(folder: Path) -> None:
    """Print the two rates and their ratio."""
    socket = socket_path(folder)
    with subprocess.Popen(server_command(folder, socket)) as server:
        await_server(f"unix://{socket}")
        settings = Settings(redis_url=f"unix://{socket}", max_queued=100_000)
        store = connect(settings)
        address = f"/v1/jobs/{fill(store)}/curves"
        app = create_app(Context(settings, store, [].append, listen(settings), store.workers.answer_ping))
        with serving(app) as ours:
            body = httpx2.get(ours + address).content
            with serving(bare(body)) as theirs:
                pairs = [(asyncio.run(rate(ours + address)), asyncio.run(rate(theirs + address))) for _ in range(ROUNDS)]
            mine, other = (float(np.median(column)) for column in zip(*pairs, strict=True))
            print(f"cached result: {mine:.0f} a second; bare route: {other:.0f}; ratio {mine / other:.2f} ({len(body)} bytes)")
            if len(sys.argv) > 1:
                crowd(store, ours, int(sys.argv[1]))
        server.terminate()


def crowd(store: JobStore, url: str, number: int) -> None:
    """How much slower a listing and a submission are with `number` jobs in the store."""

    def timings() -> list[float]:
        list_time = [_timed(lambda: http.get("/v1/jobs?limit=20&status=queued")) for _ in range(200)]
        submit_time = [_timed(lambda: http.post("/v1/jobs", json=REQUEST | {"seed": next(seeds)})) for _ in range(200)]
        return [float(np.median(list_time)), float(np.median(submit_time))]

    seeds = iter(range(10**6, 2 * 10**6))
    with httpx2.Client(base_url=url) as http:
        timings()
        before = timings()
        for seed in range(1, number):
            store.submit(request_adapter.validate_python(REQUEST | {"seed": seed}))
        after = timings()
    for name, few, many in zip(("listing", "submission"), before, after, strict=True):
        print(f"{name}: {1000 * few:.1f} ms with few jobs, {1000 * many:.1f} ms with {number}; ratio {many / few:.2f}")


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        serve_cached(Path(name))
