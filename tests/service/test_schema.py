"""The OpenAPI document against the real service: whatever it allows is answered as it says, and what it does not allow is refused."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.serving import serving

CONFIG = Path(__file__).parent / "schemathesis.toml"
SECONDS = int(os.environ.get("SCHEMATHESIS_SECONDS", "40"))


@pytest.fixture
def url(store, redis_url) -> Iterator[str]:
    stop = threading.Event()

    def worker() -> None:
        while not stop.wait(1):
            store.workers.greet("w", 1)

    store.workers.greet("w", 1)
    thread = threading.Thread(target=worker)
    thread.start()
    with serving(redis_url=redis_url, max_queued=100_000, max_datasets=100_000) as address:
        yield address
    stop.set()
    thread.join()


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 300)
def test_the_document_holds_for_whatever_is_sent(url, tmp_path):
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", f"{url}/openapi.json"]
    # all checks but those that the file turns off; to name them here would turn them on again
    command += ["--max-time", str(SECONDS), "--request-timeout", "60", "--continue-on-failure", "--no-color"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS + 300)
    print(run.stdout[-20000:])
    assert run.returncode == 0, run.stdout[-20000:] + run.stderr[-2000:]
    assert "Stateful" in run.stdout  # every phase took part
