"""Where a result comes from and what it cost: what stands in the diagnostics of every job, whoever ran it."""

import platform
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from dlnflow import __version__
from dlnflow.wire.requests import Request

Parts = dict[str, dict[str, Any]]


def signed(parts: Parts, request: Request, began: float) -> Parts:
    """The parts of the result of `request`, whose work began at `began` of `time.perf_counter`, with their provenance."""
    provenance = request.model_dump(include={"seed"}) | {
        "versions": {"dlnflow": __version__, "numpy": np.__version__, "python": platform.python_version()},
        "wall_time": time.perf_counter() - began,
        "peak_memory_bytes": peak(),
    }
    return parts | {"diagnostics": provenance | parts["diagnostics"]}


def forget_peak() -> None:
    """Begin to measure anew, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """The largest resident size since `forget_peak`, or of the process's life, in bytes."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else 1024 * largest
