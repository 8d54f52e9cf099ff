"""A job's record as it was last seen, and what can be read from it without asking again."""

import html
from typing import Any

from dlnflow.client.errors import JobFailed
from dlnflow.left import say
from dlnflow.wire.job import ALL_PARTS, ENDS, Cache


class JobState:
    """One job of a service; `record` is its document as it was last seen."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record

    @property
    def id(self) -> str:
        """The content address of the job."""
        return str(self.record["id"])

    @property
    def kind(self) -> str:
        """dmft, simulation, theory, comparison or sweep."""
        return str(self.record["kind"])

    @property
    def request(self) -> dict[str, Any]:
        """What was asked for, defaults filled in."""
        return dict(self.record["request"])

    @property
    def status(self) -> str:
        """queued, running, succeeded, failed or cancelled."""
        return str(self.record["status"])

    @property
    def progress(self) -> float:
        """The fraction of the work that is done, in [0, 1]."""
        return float(self.record["progress"])

    @property
    def message(self) -> str:
        """Where the solver is."""
        return str(self.record.get("message") or "")

    @property
    def seconds_left(self) -> float | None:
        """While it runs, about how long it still takes, with one digit; None where that is not known."""
        left = self.record.get("seconds_left")
        return None if left is None else float(left)

    @property
    def note(self) -> str:
        """Where the solver is, and about how long it still takes."""
        return ", ".join(filter(None, [self.message, say(self.seconds_left)]))

    @property
    def cache(self) -> Cache | None:
        """Right after a submission: whether the job was there already."""
        return self.record.get("cache")

    @property
    def finished(self) -> bool:
        """Whether the job will not change any more."""
        return self.status in ENDS

    @property
    def failure(self) -> JobFailed | None:
        """Why a finished job has no result."""
        if not self.finished or self.status == "succeeded":
            return None
        error = self.record.get("error") or {"code": self.status, "message": "the job was cancelled"}
        return JobFailed(self.id, error["code"], error["message"])

    def require_success(self) -> None:
        """Raise the failure, if there is one."""
        if self.failure:
            raise self.failure

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that the result has."""
        return tuple(name for name in ALL_PARTS if name in self.record["links"])

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.kind} {self.status} {self.progress:.0%}>"

    def _repr_html_(self) -> str:
        note = self.failure or self.note
        return (
            f"<div><code>{html.escape(self.id)}</code> {html.escape(self.kind)} <b>{html.escape(self.status)}</b> "
            f'<progress max="1" value="{self.progress:.3f}"></progress> {html.escape(str(note))}</div>'
        )
