"""The time scales as intervals of time, in the order in which a network goes through them: a duration begins where what it follows ends."""

from dataclasses import dataclass

from dlnflow.theory.scales import TimeScale


@dataclass(frozen=True)
class Phase:
    """From `start` to `end`, dimensionless times; `name` is that of the time scale."""

    name: str
    start: float
    end: float


def phases(scales: dict[str, TimeScale]) -> tuple[Phase, ...]:
    """Those of the time scales that have a value.

    `lazy`, `search` and `forgetting` begin at 0; `lazy_slowest` and `rich_onset` are times, up to which the slowest modes are learned and
    the network stays lazy once `lazy` has passed; `descent` follows `search`, and `convergence` what comes before the end.
    """
    value = {name: scale.value for name, scale in scales.items() if scale.value is not None}
    lazy, search = value.get("lazy", 0.0), value.get("search", 0.0)
    learned = max(value.get("lazy_slowest", lazy), value.get("rich_onset", 0.0), search + value.get("descent", 0.0))
    intervals = {
        "lazy": (0.0, lazy),
        "search": (0.0, search),
        "forgetting": (0.0, value.get("forgetting", 0.0)),
        "lazy_slowest": (lazy, value.get("lazy_slowest", lazy)),
        "rich_onset": (lazy, value.get("rich_onset", lazy)),
        "descent": (search, search + value.get("descent", 0.0)),
        "convergence": (learned, learned + value.get("convergence", 0.0)),
    }
    return tuple(Phase(name, *interval) for name, interval in intervals.items() if name in value)
