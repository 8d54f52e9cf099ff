"""Server-sent events: lines in, events and partial curves out."""

import json
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import httpx2
import numpy as np

from dlnflow.client.arrays import Curves
from dlnflow.client.errors import DlnflowError
from dlnflow.solution import CURVES

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class NoEvents(DlnflowError):
    """There is no event stream for this job that can be read."""


@dataclass(frozen=True)
class Event:
    """One event of a stream."""

    name: str
    data: dict[str, Any]
    id: str | None


class EventParser:
    """Puts lines together to events (HTML standard, section 9.2)."""

    def __init__(self) -> None:
        self._name, self._data, self._id = "message", list[str](), ""

    def feed(self, line: str) -> Event | None:
        """The event that this line completes."""
        if not line:
            return self._take()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "event":
                self._name = value
            case "data":
                self._data.append(value)
            case "id":
                self._id = value
        return None

    def _take(self) -> Event | None:
        name, data = self._name, "\n".join(self._data)
        self._name, self._data = "message", []
        return Event(name, _read(data), self._id or None) if data else None


def require_stream(answer: httpx2.Response) -> None:
    """Raise NoEvents where this is no stream of events."""
    if answer.status_code != 200 or not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
        raise NoEvents("there are no events")


def _read(data: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        raise NoEvents("an event is no JSON") from None
    if not isinstance(found, dict):
        raise NoEvents("an event is no JSON object")
    return found


TOLD = "status", "progress", "message", "seconds_left"  # by a progress event, of the job's record


@dataclass(frozen=True, repr=False)
class Update:
    """How far a job has come; `message` says where it is, and how long it still takes where that is known.

    `curves` are its curves as they are known so far, where there is news of them. They stand as in the result where they are `final`; an
    error that is not known yet is NaN.
    """

    status: str
    progress: float
    message: str
    curves: Curves | None = None
    final: bool = False

    def plot(self, ax: "Axes | None" = None, name: str = "test_loss", **style: Any) -> "Axes":
        """Draw one of the curves as they are known so far; needs matplotlib. Raises ValueError where there are none."""
        if self.curves is None:
            raise ValueError("this update has no curves")
        return self.curves.plot(ax, name, **style)

    def __repr__(self) -> str:
        return f"<Update {self.status} {self.progress:.0%} {self.message}>"

    def _repr_html_(self) -> str:
        bar = f'<progress max="1" value="{self.progress:.3f}"></progress> {escape(self.status)} {escape(self.message)}'
        return f"<div>{bar}{self.curves._repr_html_() if self.curves is not None else ''}</div>"


def partial_curves(event: Event) -> Curves | None:
    """The curves of a `preview` or `curve` event; what is not known yet is NaN."""
    if event.name not in {"preview", "curve"} or "time" not in event.data:
        return None
    data = event.data
    names = [name for curve in CURVES for name in (curve, f"{curve}_stderr")]
    try:
        time = np.array(data["time"], dtype=float)
        return Curves(time=time, **{name: np.array(data.get(name, np.full(len(time), np.nan)), dtype=float) for name in names})
    except (TypeError, ValueError):
        return None
