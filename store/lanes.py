"""Three lanes: short work never waits behind long work, and a prediction waits behind nothing but others.

Predictions are instant: every worker has one process more than slots, which is theirs (see `choice`). A sweep's children go into the long
lane, whatever they cost, and so behind all short work. Those that are short by themselves may take every slot, since each is soon given
back; jobs that are slow leave one to short work.
"""

from typing import Literal

from dlnflow.wire.requests import DmftFields, ParentRequest, Request, SimulationFields, TheoryRequest

Lane = Literal["instant", "short", "long"]

SHORT_SECONDS = 20.0
PRODUCTS = 300  # of a simulation's matrix with a vector, roughly
PRODUCTS_PER_SECOND = 5e8  # times the entries of the matrix
DMFT_SECONDS = 0.1  # times 1 / accuracy


def lane_of(request: Request, seconds: float | None = None) -> Lane:
    """Where a job waits, by its predicted seconds; a rough guess where they are not given."""
    if isinstance(request, TheoryRequest):
        return "instant"
    return "long" if (_guess(request) if seconds is None else seconds) > SHORT_SECONDS else "short"


def is_slow(request: Request, seconds: float | None = None) -> bool:
    """Whether a job would keep its slot from short work for long. A parent's own turns are short."""
    return not isinstance(request, ParentRequest) and lane_of(request, seconds) == "long"


def _guess(request: Request) -> float:
    if isinstance(request, ParentRequest):
        return 0.0  # its own turns are short
    if isinstance(request, SimulationFields):
        entries = request.problem.aspect_ratio * request.dimension**2
        return request.replicas * entries * PRODUCTS / PRODUCTS_PER_SECOND
    return DMFT_SECONDS / request.accuracy if isinstance(request, DmftFields) else 0.0
