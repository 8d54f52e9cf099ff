"""What a simulation will need of memory, before it starts."""

import os

from dlnflow.model import DesignKind, Dynamics, GaussianDesign, GradientFlow, Problem
from dlnflow.native import simulation as native
from dlnflow.simulation import spectrum
from dlnflow.simulation.draw import CHUNK
from dlnflow.simulation.flow import BATCH
from dlnflow.simulation.observables import MAX_POOLED

BUDGET = 2_000_000_000  # bytes that replicas may take together
BASE = 100_000_000  # the interpreter with NumPy and SciPy
WORDS = 8  # bytes in a number of double precision
LARGEST_WEIGHT = 5  # of the weights, in their root mean square
STIFF = 3000  # h · radius, well below what fills a Krylov space
POOLED_COPIES = 4  # of the weights for quantiles while they are sorted


def processors() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_stiff(problem: Problem, horizon: float) -> bool:
    """Whether steps may need the spectrum of the Jacobian, whose radius is about (1 + δ^(−1/2))² times the largest slope.

    Of weights |w| that are learned the slope is k = (L |w|)^(2 − 2/L), at depth two 2 |w|.
    """
    learned = (problem.depth * LARGEST_WEIGHT * problem.typical_rate) ** (2 - 2 / problem.depth)
    slope = 2 * problem.initial_second_moment + learned
    return bool((1 + problem.aspect_ratio**-0.5) ** 2 * slope * horizon > STIFF)


def replica_bytes(problem: Problem, dimension: int, design: DesignKind, horizon: float, dynamics: Dynamics) -> int:
    """The most that one replica needs at a time: its matrix while it is drawn, then with a 16-bit copy, steps and snapshots."""
    samples = round(problem.aspect_ratio * dimension)
    keep_rows = dynamics.is_stochastic
    rows = design.rows_kept(samples, dimension, keep_rows)
    matrix = 4 * rows * dimension
    drawing = matrix if design.isotropic else 2 * matrix
    if design.reduces(samples, dimension) and not keep_rows:
        drawing = 4 * matrix + 3 * WORDS * CHUNK * dimension
    dense = 4 * WORDS * rows**2 if rows <= spectrum.LARGEST and is_stiff(problem, horizon) else 0
    solving = 1.5 * matrix + dense + WORDS * dimension * 2 * native.MAX_VECTORS + WORDS * 2 * BATCH * (7 * dimension + 3 * rows)
    return int(max(drawing, solving))


def concurrency(replica: int, replicas: int, threads: int, memory: int) -> int:
    """How many replicas run at a time so that they stay within `memory` bytes, one where even one does not."""
    return max(1, min(threads, replicas, memory // replica))


def forecast(
    problem: Problem,
    dimension: int,
    replicas: int,
    threads: int | None = None,
    *,
    horizon: float = 1e5,
    times: int = 100,
    design: DesignKind | None = None,
    dynamics: Dynamics | None = None,
    memory: int = BUDGET,
) -> int:
    """Bytes that `simulate` will need for `times` times up to `horizon`, an upper estimate; the other arguments as there."""
    replica = replica_bytes(problem, dimension, design or GaussianDesign(), horizon, dynamics or GradientFlow())
    together = concurrency(replica, replicas, threads or processors(), memory)
    return BASE + together * replica + POOLED_COPIES * WORDS * min(MAX_POOLED, dimension * times * replicas)
