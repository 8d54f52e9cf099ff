"""A job as the asynchronous client holds it: the methods of `Job`, to be awaited."""

from collections.abc import AsyncIterator, Callable, Generator
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
    from dlnflow.client.async_http import AsyncClient


class AsyncJob(JobState):
    """One job of a service; `await job` gives its result."""

    def __init__(self, client: "AsyncClient", record: dict[str, Any]) -> None:
        super().__init__(record)
        self._client = client

    async def refresh(self, wait: int = 0, timeout: float | None = None) -> "AsyncJob":
        """Look at the job again; with `wait`, answer at its end or after so many seconds. Raises WaitTimeout after `timeout` seconds."""
        self.record = await self._client.run(self._client.operations.record(self.id, wait, timeout))
        return self

    async def wait(
        self, timeout: float | None = None, on_progress: "Callable[[AsyncJob], None] | None" = None, *, bar: bool = False
    ) -> "AsyncJob":
        """Return when the job has succeeded; raises JobFailed, or WaitTimeout after `timeout` seconds. `bar` shows a progress bar."""
        with progress_bar(self.kind) if bar else nullcontext(on_progress) as watch:
            await self._client.run(self._client.operations.wait(self, timeout, watch))
        return self

    async def cancel(self) -> "AsyncJob":
        """Stop the job; raises ApiError (409) where it has finished."""
        self.record = await self._client.run(self._client.operations.document(Record, "DELETE", job_path(self.id)))
        return self

    async def done(self) -> bool:
        """Whether the job has come to an end, good or bad; asks the service where that is not known yet."""
        return self.finished or (await self.refresh()).finished

    async def result(self, timeout: float | None = None, *, bar: bool = False) -> AnyResult:
        """Wait for the job and fetch everything that it found."""
        await self.wait(timeout, bar=bar)
        return await self._client.run(self._client.operations.result(self))

    async def exception(self, timeout: float | None = None) -> JobFailed | None:
        """Wait for the job; why it has no result, or None."""
        try:
            await self.wait(timeout)
        except JobFailed as failure:
            return failure
        return None

    def __await__(self) -> Generator[Any, None, AnyResult]:
        return self.result().__await__()

    async def stream(self) -> AsyncIterator[Update]:
        """Updates as they come, the last one with the whole curves; looks at the job every second where events do not get through."""
        last_id, events = None, True
        while not self.finished:
            try:
                if not events:
                    raise NoEvents
                async for event in self._client.events(self.id, last_id):
                    last_id = event.id or last_id
                    if event.name == "progress":
                        self.record |= {name: event.data[name] for name in TOLD if name in event.data}
                    if event.name != "done":
                        yield self._update(partial_curves(event), event.name == "curve")
            except NoEvents:
                events = False
            except ServiceUnavailable:
                pass
            if not (await self.refresh(wait=1)).finished:
                yield self._update()
        self.require_success()
        yield self._update(await self.curves() if "curves" in self.parts else None, final=True)

    def _update(self, curves: Curves | None = None, final: bool = False) -> Update:
        return Update(self.status, self.progress, self.note, curves, final)

    async def curves(self) -> Curves:
        """Loss curves with standard errors; raises ApiError (409) before the job has succeeded."""
        return await self._part(Curves.from_npz, "curves")

    async def order_parameters(self) -> OrderParameters:
        """Overlap, norms and conditional statistics."""
        return await self._part(OrderParameters.from_npz, "order-parameters")

    async def kernels(self) -> Kernels:
        """The two-time functions of a mean-field solve."""
        return await self._part(Kernels.from_npz, "kernels")

    async def diagnostics(self) -> dict[str, Any]:
        """Outcome, error split, cost and versions."""
        return await self._part(partial(read_json, Object), "diagnostics", "json")

    async def _part(self, parse: Callable[[bytes], P], name: str, format: str = "npz") -> P:
        return await self._client.run(self._client.operations.part(parse, self.id, name, format))
