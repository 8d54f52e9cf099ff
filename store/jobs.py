"""Jobs in a Redis-compatible server. Each state change is one method, atomic in the store.

A running job belongs to the worker that holds its token; every write of a worker is refused once the token is
no longer the job's. The token is lost when the job is cancelled, given back, or its lease ends.

A message to the workers carries no job: it says that there is one, and the worker claims whatever is next (see `store.lua`).
"""

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from dlnflow.wire.job import Job
from dlnflow.wire.requests import Request
from dlnflow.wire.requests import job_id as content_id
from store import keys
from store.connection import MICRO, Connection, decoded
from store.datasets import Datasets
from store.lanes import is_slow, lane_of
from store.lua import asking, choice, running, upkeep
from store.records import PAGE, Records

if TYPE_CHECKING:
    import redis

LEASE_SECONDS = 15.0
MAX_ATTEMPTS = 3
OVERFULL = 0.95  # of the server's memory, above which no job begins: what runs must be able to end, and messages need room too

Submission = Literal["miss", "joined", "hit", "full"]
Cancellation = Literal["cancelled", "left", "foreign", "finished"]
Deletion = Literal["deleted", "left", "foreign", "unfinished", "unknown"]


class StoreFull(Exception):
    """The server is out of memory; it accepts jobs again when results have expired or it was given more."""


@dataclass(frozen=True)
class Right:
    """One worker's right to the running job `id`, for as long as it holds it."""

    id: str
    token: str


@dataclass(frozen=True)
class Attempt(Right):
    """The right to a job, and the job as it was claimed."""

    job: Job


class JobStore(Records):
    """The jobs in the server behind `client`, which must not decode responses."""

    def __init__(
        self,
        client: "redis.Redis",
        *,
        max_queued: int = 1000,
        max_datasets: int = 20,
        lease_seconds: float = LEASE_SECONDS,
        root: str = "",
    ) -> None:
        """`root` is the path below which links lead to the service."""
        super().__init__(Connection(client), root)
        self.datasets = Datasets(client, max_datasets, root)
        self._max_queued = max_queued
        self._lease = round(lease_seconds * MICRO)

    # --- what the service does ---

    def submit(self, request: Request, client: str = "", seconds: float | None = None) -> Submission:
        """Write the job before any message is sent; it is queued anew if it had failed or been cancelled.

        `client` is whoever asks, by any name: clients take turns. `seconds` is what the job is predicted to take, where that is known.
        Raises StoreFull.
        """
        return cast(Submission, self._submit(request, keys.CLIENT + client, seconds))

    def cancel(self, job_id: str, client: str | None = None) -> Cancellation:
        """Cancel a queued or running job, and those of its children that nobody else asked for.

        With `client`, a job that others asked for too goes on for them ('left'); one that this client did not ask for is 'foreign'.
        """
        answer: bytes = self._server.run(asking.CANCEL, job_id, "" if client is None else keys.CLIENT + client)
        ended = cast(Cancellation, answer.decode())
        if ended == "cancelled":
            self._withdraw(job_id)
        return ended

    def delete(self, job_id: str, client: str | None = None) -> Deletion:
        """Forget a finished job with its result, and those of its children that nobody else asked for; see `expired`.

        With `client`, a job that others asked for too stays for them ('left'); one that this client did not ask for is 'foreign'.
        """
        return self._delete(job_id, "" if client is None else keys.CLIENT + client)

    def require_writable(self) -> None:
        """Raise what a submission would: StoreFull, or the refusal of the server."""
        if self._server.is_full():
            raise StoreFull
        self._server.redis.set(keys.PROBE, 1, ex=60)

    # --- what a worker does ---

    def claim(self, worker: str) -> Attempt | None:
        """Take the job that is next; None where none waits, those that do must leave a slot to others, or there is no memory."""
        if self._server.memory_used() > OVERFULL:
            return None
        token = secrets.token_hex(8)
        claimed: bytes | None = self._server.run(choice.CLAIM, token, worker, self._lease)
        job = self.get(claimed.decode()) if claimed else None
        return Attempt(job.id, token, job) if job else None

    def hold(self, attempt: Right) -> bool:
        """Keep the job for another while; False where it is no longer ours."""
        return bool(self._server.run(running.HOLD, attempt.id, attempt.token, self._lease))

    def progress(self, attempt: Right, progress: float, message: str, seconds_left: float | None = None) -> bool:
        """Say how far the job has come, and how long it still takes where that is known; False where it is no longer ours."""
        left = "" if seconds_left is None else repr(seconds_left)
        return bool(self._server.run(running.PROGRESS, attempt.id, attempt.token, repr(progress), message, left))

    def save_checkpoint(self, attempt: Right, checkpoint: bytes) -> bool:
        """Keep how far the job has come for its next attempt; False where it is no longer ours. Gone when the job ends."""
        return bool(self._server.run(running.CHECKPOINT, attempt.id, attempt.token, checkpoint))

    def add_curve(self, attempt: Right, part: bytes) -> bool:
        """Tell a part of the curves that is final, as JSON, to those who follow the job; False where it is no longer ours."""
        return bool(self._server.run(running.CURVE, attempt.id, attempt.token, part))

    def add_preview(self, attempt: Right, part: bytes) -> bool:
        """Tell the curves as they are known so far, as JSON, instead of those told before; False where the job is no longer ours."""
        return bool(self._server.run(running.PREVIEW, attempt.id, attempt.token, part))

    def succeed(self, attempt: Right, parts: dict[str, bytes]) -> bool:
        """Store the result and the new state at once; False where the job is no longer ours."""
        flat = [item for pair in parts.items() for item in pair]
        return bool(self._server.run(running.SUCCEED, attempt.id, attempt.token, *flat))

    def fail(self, attempt: Right, code: str, message: str) -> bool:
        """Store why there is no result; False where the job is no longer ours."""
        return bool(self._server.run(running.FAIL, attempt.id, attempt.token, code, message))

    # --- what a worker does for a parent, a job that is made of others ---

    def submitted(self, attempt: Right) -> int:
        """How many children of a parent were submitted in earlier turns."""
        return int(self._server.redis.hget(keys.job(attempt.id), "submitted") or 0)

    def unfinished(self, attempt: Right) -> int:
        """How many of its children wait or run."""
        return int(self._server.redis.scard(keys.open_children(attempt.id)))

    def submit_child(self, attempt: Right, request: Request) -> str:
        """As `submit`, for the parent; 'gone' where it was cancelled."""
        return self._submit(request, attempt.id)

    def keep(self, attempt: Right, name: str, part: bytes) -> bool:
        """Store one part of the result before the others; False where the job is no longer ours."""
        return bool(self._server.run(running.KEEP, attempt.id, attempt.token, name, part))

    def pause(self, attempt: Right, submitted: int, total: int) -> str:
        """Give the parent up until a child makes room: 'waiting', 'ready' where there is room already, or 'lost'."""
        answer: bytes = self._server.run(running.PAUSE, attempt.id, attempt.token, submitted, total)
        return answer.decode()

    # --- what keeps jobs from being lost ---

    def lose(self, attempt: Right) -> bool:
        """As if the lease had ended: the process that ran the job has. False where it is no longer ours."""
        return bool(self._server.run(upkeep.LOSE, attempt.id, attempt.token, MAX_ATTEMPTS))

    def release(self, worker: str) -> None:
        """Give back every job of a worker that stops in order."""
        for job_id in decoded(self._server.redis.zrange(keys.LEASES, 0, -1)):
            self._server.run(upkeep.RELEASE, job_id, worker)

    def expire_leases(self, looked: int | None = None) -> None:
        """Queue the jobs whose worker was lost again, or fail them after `MAX_ATTEMPTS`; `looked` is the store's time, now by default.

        A lease that ends later than one can is of a lost worker too: the clock was set back, and nobody has renewed it since.
        """
        looked = self._server.now() if looked is None else looked
        spans = ("-inf", looked), (looked + self._lease, "+inf")
        ended = [job_id for span in spans for job_id in self._server.redis.zrangebyscore(keys.LEASES, *span)]
        for job_id in decoded(ended):
            self._server.run(upkeep.EXPIRE, job_id, MAX_ATTEMPTS, looked, self._lease)

    def end_all_leases(self) -> None:
        """Treat every running job as lost. For the owner of a store that was just started: no worker is alive."""
        running = self._server.redis.zrange(keys.LEASES, 0, -1)
        if running:
            self._server.redis.zadd(keys.LEASES, dict.fromkeys(running, 0), xx=True)
        self.expire_leases()

    def forget(self, older_than: float) -> None:
        """Drop jobs that finished over `older_than` seconds ago, some at a time; see `expired`."""
        age = round(older_than * MICRO)
        for job_id in decoded(self._server.redis.zrangebyscore(keys.FINISHED, "-inf", self._server.now() - age, start=0, num=PAGE)):
            self._server.run(upkeep.FORGET, job_id, age)

    def next_message(self) -> bytes | None:
        """The message that has waited longest."""
        message: bytes | None = self._server.redis.lindex(keys.QUEUE, -1)
        return message

    def next_job(self, worker: str) -> str | None:
        """The id of the job that a worker could claim now."""
        job: bytes | None = None if self._server.memory_used() > OVERFULL else self._server.run(choice.NEXT, worker)
        return job.decode() if job else None

    def unannounced(self) -> bool:
        """Whether a worker could claim a job while no message waits: the caller should send one."""
        return self._server.memory_used() <= OVERFULL and bool(self._server.run(choice.UNANNOUNCED, ""))

    # --- inside ---

    def _submit(self, request: Request, asker: str, seconds: float | None = None) -> str:
        if asker.startswith(keys.CLIENT) and self._server.is_full():
            raise StoreFull
        lane, slow = lane_of(request, seconds), int(is_slow(request, seconds))
        arguments = (request.kind, request.model_dump_json(), self._max_queued, asker, lane, slow)
        try:
            cache: bytes = self._server.run(asking.SUBMIT, content_id(request), *arguments)
        except Exception as error:
            if str(error).startswith("OOM") or type(error).__name__ == "OutOfMemoryError":
                raise StoreFull from error
            raise
        return cache.decode()

    def _withdraw(self, parent: str) -> None:
        """Cancel the children that only `parent` asked for, and theirs."""
        for child in decoded(self._server.redis.smembers(keys.open_children(parent))):
            if self._server.run(asking.WITHDRAW, child, parent):
                self._withdraw(child)

    def _delete(self, job_id: str, asker: str) -> Deletion:
        children = self.part(job_id, "children")
        answer: bytes = self._server.run(asking.DELETE, job_id, asker)
        ended = cast(Deletion, answer.decode())
        if children and ended == "deleted":
            for child in json.loads(children)["ids"]:
                self._delete(child, job_id)
        return ended
