"""What to change in a request that is too expensive: the field, and the value with which it fits."""

import math
from collections.abc import Callable
from typing import NamedTuple

from pydantic import ValidationError

from dlnflow.forecast import Cost, cost
from dlnflow.wire.requests import Request, SweepRequest

SMALLEST_FACTOR = 1e-4  # no parameter is reduced further in search of a remedy
HALVINGS = 16
REDUCIBLE = {
    "dmft": {"accuracy": 0.2, "horizon": 0.01},
    "simulation": {"replicas": 2, "dimension": 10, "horizon": 0.01},
    "comparison": {"accuracy": 0.2, "replicas": 2, "dimension": 10, "horizon": 0.01},
}  # by kind: what makes a job cheaper, and the end of its range


class Remedy(NamedTuple):
    """The field whose change makes a request cheap enough with the least loss, and the value that does."""

    field: str
    value: float


def remedy(request: Request, fits: Callable[[Cost], bool]) -> Remedy | None:
    """What to reduce, by the smallest factor of all parameters, so that the cost fits; None where no parameter alone does it."""
    if isinstance(request, SweepRequest):
        return _remedy_of_sweep(request, fits)
    found = [(factor, field) for field in REDUCIBLE.get(request.kind, ()) if (factor := _largest_factor(request, field, fits)) > 0]
    if not found:
        return None
    factor, field = max(found)
    return Remedy(field, _tidy(_reduced(request, field, factor), field, request))


def _remedy_of_sweep(sweep: SweepRequest, fits: Callable[[Cost], bool]) -> Remedy | None:
    """Fewer points, or what makes the dearest point cheaper where that is too much alone."""
    costs = [cost(sweep.child(index)) for index in range(sweep.size)]
    dearest = max(range(sweep.size), key=lambda index: (not fits(costs[index]), costs[index].seconds))
    if fits(costs[dearest]):
        return Remedy("axes", _points(sweep, fits))
    found = remedy(sweep.child(dearest), fits)
    return found and found._replace(field=f"{'axes' if found.field in sweep.axes else 'base'}.{found.field}")


def _tidy(value: float, field: str, request: Request) -> float:
    """The value with two digits, rounded to the cheap side and within its range."""
    end = REDUCIBLE[request.kind][field]
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    if field == "accuracy":
        return min(math.ceil(value / unit) * unit, end)
    reduced = max(math.floor(value / unit) * unit, end)
    return int(reduced) if isinstance(value, int) else reduced


def _points(sweep: SweepRequest, fits: Callable[[Cost], bool]) -> int:
    """How many points of a sweep fit, were all as dear as they are on average."""
    whole = cost(sweep)
    low, high = 0, sweep.size
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(whole._replace(seconds=whole.seconds * middle / sweep.size)) else (low, middle)
    return low


def _largest_factor(request: Request, field: str, fits: Callable[[Cost], bool]) -> float:
    """The largest factor on one parameter with which the cost fits; 0 where none does."""

    def enough(factor: float) -> bool:
        changed = {field: _reduced(request, field, factor)} | ({"times": None} if field == "horizon" else {})
        try:
            return fits(cost(request.model_copy(update=changed)))
        except ValidationError:  # of a child, which could not be solved with this value
            return False

    if not enough(SMALLEST_FACTOR):
        return 0.0
    low, high = SMALLEST_FACTOR, 1.0
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if enough(middle) else (low, middle)
    return low


def _reduced(request: Request, field: str, factor: float) -> float:
    """The value of a parameter that is cheaper by `factor`, within its range; a larger accuracy is cheaper."""
    value, end = getattr(request, field), REDUCIBLE[request.kind][field]
    if field == "accuracy":
        return min(float(value) / factor, end)
    reduced = max(value * factor, end)
    return int(reduced) if isinstance(value, int) else reduced
