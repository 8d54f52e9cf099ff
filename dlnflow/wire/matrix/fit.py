"""Whether a simulation fits the data that it uses."""

from typing import NamedTuple

from dlnflow.wire.requests import SimulationFields


class Misfit(NamedTuple):
    """Which field does not fit, why, and what to do."""

    field: str
    reason: str
    hint: str


def misfit(request: SimulationFields, rows: int, columns: int) -> Misfit | None:
    """Why the request cannot use a data set of this size, if it cannot."""
    if request.dimension != columns:
        reason = f"the data set has {columns} columns, not {request.dimension}"
        return Misfit("dimension", reason, "Leave dimension out, or give the number of columns.")
    wanted = round(request.problem.aspect_ratio * columns)
    if wanted > rows:
        reason = f"{wanted} samples are asked for and the data set has {rows} rows"
        return Misfit("problem.aspect_ratio", reason, f"The aspect ratio may be at most {rows / columns:.3g} with these data.")
    return None
