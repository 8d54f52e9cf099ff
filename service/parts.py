"""The parts of a result as the description of the interface shows them, made of the lists of names that results are made of."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, create_model

from dlnflow.solution import CURVES, KERNELS, ORDER_PARAMETERS
from dlnflow.wire.summary import THEORY_FINAL, THEORY_SCALES

Numbers = list[float]
Matrix = list[list[float]]
Verdict: Any = Literal["agree", "deviate", "inconclusive"]


class Part(BaseModel):
    """What is described is all that there is."""

    model_config = ConfigDict(extra="forbid")


class Conditional(Part):
    """Statistics of w given one atom, or the sign, of w*: `mean` at each time, `quantiles` one row a level; null without such a weight."""

    given: str
    probability: float
    mean: list[float | None]
    quantiles: list[list[float | None]]
    activation_time: float | None


class Difference(Part):
    """One curve of a comparison: both values, simulation − dmft, its standard error, and the one over the other."""

    dmft: Numbers
    simulation: Numbers
    difference: Numbers
    stderr: Numbers
    z_score: Numbers


class Criterion(Part):
    """When curves agree."""

    rule: str
    critical_z: float
    allowance: float
    level: float
    replicas: int


class Worst(Part):
    """Where curves are farthest apart."""

    curve: str
    time: float
    of_allowed: float
    z_score: float
    relative_difference: float


class Compared(Part):
    """One of the two jobs of a comparison."""

    id: str
    links: dict[str, str]


class Note(Part):
    """Where a number comes from: its formula, source and range of validity, and why there is none where it is null."""

    formula: str
    source: str
    valid: str
    why: str


class Phase(Part):
    """A time scale as an interval of time."""

    name: str
    start: float
    end: float


class TimeScale(Part):
    """A time, null where it does not apply; `note` says why, or what else there is to know."""

    value: float | None
    formula: str
    source: str
    valid: str
    note: str


class Diagnostics(BaseModel):
    """How a solve went. What stands here is in every kind of job; solvers add their own, such as `error` by cause, `nodes` or `samples`."""

    model_config = ConfigDict(extra="allow")

    outcome: str
    advice: str | None = None
    seed: int | None = None
    versions: dict[str, str]
    wall_time: float
    peak_memory_bytes: int


class Table(Part):
    """The table of a sweep: the names of its columns in order, and its rows, each with all of them."""

    columns: list[str]
    rows: list[dict[str, Any]]


def _fields(names: Iterable[str], of: Any) -> dict[str, Any]:
    """Fields of one type."""
    return {name: (of, ...) for name in names}


def _with_errors(names: tuple[str, ...]) -> dict[str, Any]:
    """Fields for time, and for each name with its standard error."""
    return _fields(("time", *(part for name in names for part in (name, f"{name}_stderr"))), Numbers)


Curves = create_model("Curves", __base__=Part, __doc__="Losses over time, with standard errors.", **_with_errors(CURVES))
OrderParameters = create_model(
    "OrderParameters",
    __base__=Part,
    __doc__="Overlap and norms over time with standard errors, and statistics of w given w*.",
    **_with_errors(ORDER_PARAMETERS),
    quantile_levels=(Numbers, ...),
    conditional=(list[Conditional], ...),
)
Kernels = create_model(
    "Kernels",
    __base__=Part,
    __doc__="Two-time correlations and responses, indexed [t, s].",
    time=(Numbers, ...),
    **_fields(KERNELS, Matrix),
)
TimeScales = create_model(
    "TimeScales",
    __base__=Part,
    __doc__="The time scales of a problem.",
    **_fields(THEORY_SCALES, TimeScale),
)
Descent = create_model(
    "Descent",
    __base__=Part,
    __doc__="What batches, momentum and the size of steps change, and how large steps and temperatures may be.",
    temperature=(float, ...),
    **_fields(("intrinsic_step", "largest_stable_step", "noise_gain", "critical_temperature", "recovery_temperature"), float | None),
    notes=(dict[str, Note], ...),
)
PerhapsDescent: Any = Descent | None
Theory = create_model(
    "Theory",
    __base__=Part,
    __doc__="Where a problem ends, how fast, and on which time scales. A number is null where there is none; `notes` says why.",
    solution=(str | None, ...),
    regime=(str, ...),
    **_fields((name for name in THEORY_FINAL if name not in ("solution", "regime")), float | None),
    time_scales=(TimeScales, ...),
    regime_why=(str, ...),
    phases=(list[Phase], ...),
    notes=(dict[str, Note], ...),
    descent=(PerhapsDescent, None),
)
Comparison = create_model(
    "Comparison",
    __base__=Part,
    __doc__="The differences between a simulation and the mean-field theory, and a verdict.",
    time=(Numbers, ...),
    **_fields(CURVES, Difference),
    verdict=(Verdict, ...),
    explanation=(str, ...),
    resolution=(float, ...),
    replicas_needed=(int | None, ...),
    criterion=(Criterion, ...),
    worst=(Worst, ...),
    jobs=(dict[str, Compared], ...),
)
