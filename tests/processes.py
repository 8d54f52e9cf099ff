"""A process that ends with the test that started it, whether the test passes or not."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

STOP_SECONDS = 20


@contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Popen alone would wait for ever for a server whose test failed."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
