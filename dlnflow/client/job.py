"""A job as the synchronous client holds it: its state, its end, and its results once it has them."""

import asyncio
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from dlnflow.client.arrays import Curves, Kernels, OrderParameters
from dlnflow.client.documents import Object, Record, read_json
from dlnflow.client.errors import JobFailed, ServiceUnavailable
from dlnflow.client.events import TOLD, NoEvents, Update, partial_curves
from dlnflow.client.operations import P, job_path
from dlnflow.client.progress import progress_bar
from dlnflow.client.results import AnyResult
from dlnflow.client.state import JobState

if TYPE_CHECKING:
    from dlnflow.client.http import Client


class Job(JobState):
    """One job of a service. Also a future (`done`, `result`, `exception`, `add_done_callback`), and `await job` gives its result."""

    def __init__(self, client: "Client", record: dict[str, Any]) -> None:
        super().__init__(record)
        self._client = client

    def refresh(self, wait: int = 0, timeout: float | None = None) -> "Job":
        """Look at the job again; with `wait`, answer at its end or after so many seconds. Raises WaitTimeout after `timeout` seconds."""
        self.record = self._client.run(self._client.operations.record(self.id, wait, timeout))
        return self

    def wait(self, timeout: float | None = None, on_progress: "Callable[[Job], None] | None" = None, *, bar: bool = False) -> "Job":
        """Return when the job has succeeded; raises JobFailed, or WaitTimeout after `timeout` seconds. `bar` shows a progress bar."""
        with progress_bar(self.kind) if bar else nullcontext(on_progress) as watch:
            self._client.run(self._client.operations.wait(self, timeout, watch))
        return self

    def cancel(self) -> "Job":
        """Stop the job; raises ApiError (409) where it has finished."""
        self.record = self._client.run(self._client.operations.document(Record, "DELETE", job_path(self.id)))
        return self

    def done(self) -> bool:
        """Whether the job has come to an end, good or bad; asks the service where that is not known yet."""
        return self.finished or self.refresh().finished

    def result(self, timeout: float | None = None, *, bar: bool = False) -> AnyResult:
        """Wait for the job and fetch everything that it found."""
        self.wait(timeout, bar=bar)
        return self._client.run(self._client.operations.result(self))

    def exception(self, timeout: float | None = None) -> JobFailed | None:
        """Wait for the job; why it has no result, or None."""
        try:
            self.wait(timeout)
        except JobFailed as failure:
            return failure
        return None

    def add_done_callback(self, function: "Callable[[Job], object]") -> None:
        """Call `function` with the job when it has finished, from a thread of its own."""

        def call() -> None:
            self.exception()
            function(self)

        threading.Thread(target=call, daemon=True).start()

    def __await__(self) -> Generator[Any, None, AnyResult]:
        return asyncio.to_thread(self.result).__await__()

    def stream(self) -> Iterator[Update]:
        """Updates as they come, the last one with the whole curves; looks at the job every second where events do not get through."""
        last_id, events = None, True
        while not self.finished:
            try:
                for event in self._client.events(self.id, last_id) if events else ():
                    last_id = event.id or last_id
                    if event.name == "progress":
                        self.record |= {name: event.data[name] for name in TOLD if name in event.data}
                    if event.name != "done":
                        yield self._update(partial_curves(event), event.name == "curve")
            except NoEvents:
                events = False
            except ServiceUnavailable:
                pass
            if not self.refresh(wait=1).finished:
                yield self._update()
        self.require_success()
        yield self._update(self.curves() if "curves" in self.parts else None, final=True)

    def _update(self, curves: Curves | None = None, final: bool = False) -> Update:
        return Update(self.status, self.progress, self.note, curves, final)

    def curves(self) -> Curves:
        """Loss curves with standard errors; raises ApiError (409) before the job has succeeded."""
        return self._part(Curves.from_npz, "curves")

    def order_parameters(self) -> OrderParameters:
        """Overlap, norms and conditional statistics."""
        return self._part(OrderParameters.from_npz, "order-parameters")

    def kernels(self) -> Kernels:
        """The two-time functions of a mean-field solve."""
        return self._part(Kernels.from_npz, "kernels")

    def diagnostics(self) -> dict[str, Any]:
        """Outcome, error split, cost and versions."""
        return self._part(partial(read_json, Object), "diagnostics", "json")

    def _part(self, parse: Callable[[bytes], P], name: str, format: str = "npz") -> P:
        return self._client.run(self._client.operations.part(parse, self.id, name, format))
