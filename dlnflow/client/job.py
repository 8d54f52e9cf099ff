"""A job as the client holds it: its state, and its results once it has them."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dlnflow.client.errors import JobFailed, WaitTimeout
from dlnflow.client.results import Curves, Kernels, OrderParameters

if TYPE_CHECKING:
    from dlnflow.client.http import Client

POLL_SECONDS = 1


class Job:
    """One job of a service; `record` is its document as it was last seen."""

    def __init__(self, client: "Client", record: dict[str, Any]) -> None:
        self._client, self.record = client, record

    @property
    def id(self) -> str:
        """The content address of the job."""
        return str(self.record["id"])

    @property
    def status(self) -> str:
        """queued, running, succeeded, failed or cancelled."""
        return str(self.record["status"])

    @property
    def progress(self) -> float:
        """The fraction of the work that is done, in [0, 1]."""
        return float(self.record["progress"])

    @property
    def finished(self) -> bool:
        """Whether the job will not change any more."""
        return self.status in {"succeeded", "failed", "cancelled"}

    def refresh(self, wait: int = 0) -> "Job":
        """Look at the job again; with `wait`, answer at its end or after so many seconds."""
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        self.record = self._client.send("GET", f"/v1/jobs/{self.id}", headers=headers).json()
        return self

    def wait(self, timeout: float | None = None, on_progress: Callable[["Job"], None] | None = None) -> "Job":
        """Return when the job has succeeded; raises JobFailed, or WaitTimeout after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.finished:
            if deadline is not None and time.monotonic() >= deadline:
                raise WaitTimeout(f"job {self.id} is still {self.status} ({self.progress:.0%}) after {timeout} s")
            if on_progress:
                on_progress(self)
            self.refresh(wait=POLL_SECONDS)
        if self.status != "succeeded":
            error = self.record.get("error") or {"code": self.status, "message": "the job was cancelled"}
            raise JobFailed(self.id, error["code"], error["message"])
        return self

    def cancel(self) -> "Job":
        """Stop the job; raises ApiError (409) where it has finished."""
        self.record = self._client.send("DELETE", f"/v1/jobs/{self.id}").json()
        return self

    def curves(self) -> Curves:
        """Loss curves with standard errors; raises ApiError (409) before the job has succeeded."""
        return Curves.from_npz(self._part("curves"))

    def order_parameters(self) -> OrderParameters:
        """Overlap, norms and conditional statistics."""
        return OrderParameters.from_npz(self._part("order-parameters"))

    def kernels(self) -> Kernels:
        """The two-time functions of a mean-field solve."""
        return Kernels.from_npz(self._part("kernels"))

    def diagnostics(self) -> dict[str, Any]:
        """Outcome, error split, cost and versions."""
        document: dict[str, Any] = self._client.send("GET", f"/v1/jobs/{self.id}/diagnostics").json()
        return document

    def _part(self, name: str) -> bytes:
        return self._client.send("GET", f"/v1/jobs/{self.id}/{name}", params={"format": "npz"}).content
