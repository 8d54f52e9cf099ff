"""Jobs in a Redis-compatible server. Each state change is one method, atomic in the store.

A running job belongs to the worker that holds its token; every write of a worker is refused once the token is
no longer the job's. The token is lost when the job is cancelled, given back, or its lease ends.

A message to the workers carries no job: it says that there is one, and the worker claims whatever is next (see `scripts`).
"""

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from dlnflow.wire.job import PARTS, STATUSES, Job, Place, from_record
from dlnflow.wire.requests import Request
from dlnflow.wire.requests import job_id as content_id
from store import choice, keys, scripts
from store.datasets import Datasets
from store.lanes import is_slow, lane_of

if TYPE_CHECKING:
    import redis

LEASE_SECONDS = 15.0
MAX_ATTEMPTS = 3
PAGE = 100
FULL = 0.9  # of the server's memory, above which no job is accepted: those that wait should be able to run
OVERFULL = 0.95  # above which none begins: what runs must be able to end, and messages need room too
RESERVE = 1_000_000  # bytes that count as used, since a twentieth of a small store is less than what runs may add
LOOK_SECONDS = 1.0  # between two looks at the server's memory
WORKER_SILENCE_SECONDS = 3600.0  # after which a worker is forgotten
_MICRO = 1_000_000

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


@dataclass(frozen=True)
class Event:
    """Something that happened to a job. `id` increases; `type` is progress, preview, curve or done; `data` is a JSON object.

    progress: status, progress, message, attempts, seconds_left. curve: `time` and curves with their standard errors, as far as final.
    preview: the same as far as it is known so far, errors where they are known; only the latest is kept.
    done: status, message and, where it failed, `error`, the code. It is the last event of a run.
    """

    id: str
    type: str
    data: str


@dataclass(frozen=True)
class Page:
    """Some jobs, newest first, and where the next page starts (None on the last)."""

    jobs: list[Job]
    cursor: int | None


class JobStore:
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
        self._redis: Any = client
        self._root = root
        self.datasets = Datasets(client, max_datasets, root)
        self._max_queued = max_queued
        self._lease = round(lease_seconds * _MICRO)
        self._scripts: dict[str, Any] = {}
        self._looked, self._full = -LOOK_SECONDS, False

    # --- what the service does ---

    def submit(self, request: Request, client: str = "", seconds: float | None = None) -> Submission:
        """Write the job before any message is sent; it is queued anew if it had failed or been cancelled.

        `client` is whoever asks, by any name: clients take turns. `seconds` is what the job is predicted to take, where that is known.
        Raises StoreFull.
        """
        return cast(Submission, self._submit(request, keys.CLIENT + client, seconds))

    def get(self, job_id: str) -> Job | None:
        """The job as it stands now, with its place where it waits."""
        record = self._redis.hgetall(keys.job(job_id))
        job = self._decode(record)
        if job and job.status == "queued":
            return job.model_copy(update={"queue": self._place(job_id, record[b"lane"].decode(), record[b"client"].decode())})
        return job

    def expired(self, job_id: str) -> bool:
        """Whether the job was there once, and was deleted or kept long enough."""
        return bool(self._redis.exists(keys.gone(job_id)))

    def statuses(self, job_ids: list[str]) -> list[str | None]:
        """The states of several jobs, None for each that is not there."""
        pipeline = self._redis.pipeline(transaction=False)
        for job_id in job_ids:
            pipeline.hget(keys.job(job_id), "status")
        return [status and status.decode() for status in pipeline.execute()]

    def parts(self, job_ids: list[str], name: str) -> Iterator[tuple[str, bytes]]:
        """One encoded part of several results, without those that are not there."""
        for start in range(0, len(job_ids), PAGE):
            some = job_ids[start : start + PAGE]
            pipeline = self._redis.pipeline(transaction=False)
            for job_id in some:
                pipeline.hget(keys.result(job_id), name)
            yield from ((job_id, part) for job_id, part in zip(some, pipeline.execute(), strict=True) if part is not None)

    def many(self, job_ids: list[str]) -> list[Job | None]:
        """Several jobs as they stand now, None for each that is not there."""
        pipeline = self._redis.pipeline(transaction=False)
        for job_id in job_ids:
            pipeline.hgetall(keys.job(job_id))
        return [self._decode(record) for record in pipeline.execute()]

    def part(self, job_id: str, name: str) -> bytes | None:
        """One encoded part of a result."""
        part: bytes | None = self._redis.hget(keys.result(job_id), name)
        return part

    def events(self, job_id: str, after: str = "0", *, block: float = 0, count: int = 100) -> list[Event]:
        """What happened to a job after the event `after`, oldest first; where that is nothing, wait for it up to `block` seconds.

        Empty in the end for a job that finished over an hour ago, whose events are no longer kept: its record says how it ended.
        A job that is submitted again after a failure begins its events anew, with greater ids.
        """
        found = self._redis.xread({keys.events(job_id): after}, count=count, block=max(1, round(1000 * block)) if block else None)
        entries = next(iter(found.values()))[0] if isinstance(found, dict) and found else found[0][1] if found else []
        return [Event(event_id.decode(), fields[b"type"].decode(), fields[b"data"].decode()) for event_id, fields in entries]

    def has_room(self, client: str, most: int) -> bool:
        """Whether a client asked for fewer than `most` jobs that have not finished."""
        own, unfinished = keys.mine(keys.CLIENT + client), (keys.index(status="queued"), keys.index(status="running"))
        return sum(int(self._redis.zintercard(2, [own, index])) for index in unfinished) < most

    def counts(self) -> dict[str, int]:
        """What has happened so far, by `name:label:…`; see scripts.py."""
        return {name.decode(): int(value) for name, value in self._redis.hgetall(keys.COUNTS).items()}

    def census(self) -> dict[tuple[str, str], int]:
        """How many jobs there are of each kind and status."""
        pairs = [(kind, status) for kind in PARTS for status in STATUSES]
        pipeline = self._redis.pipeline(transaction=False)
        for kind, status in pairs:
            pipeline.zcard(keys.index(kind, status))
        return dict(zip(pairs, pipeline.execute(), strict=True))

    def cancel(self, job_id: str, client: str | None = None) -> Cancellation:
        """Cancel a queued or running job, and those of its children that nobody else asked for.

        With `client`, a job that others asked for too goes on for them ('left'); one that this client did not ask for is 'foreign'.
        """
        answer: bytes = self._run(scripts.CANCEL, job_id, "" if client is None else keys.CLIENT + client)
        ended = cast(Cancellation, answer.decode())
        if ended == "cancelled":
            self._withdraw(job_id)
        return ended

    def delete(self, job_id: str, client: str | None = None) -> Deletion:
        """Forget a finished job with its result, and those of its children that nobody else asked for; see `expired`.

        With `client`, a job that others asked for too stays for them ('left'); one that this client did not ask for is 'foreign'.
        """
        return self._delete(job_id, "" if client is None else keys.CLIENT + client)

    def page(self, *, status: str | None, kind: str | None, limit: int, cursor: int | None, client: str | None = None) -> Page:
        """The newest `limit` jobs created before `cursor`, of one status and kind, and that `client` asked for, where given."""
        found = self._of_client(client, kind, status, limit + 1, cursor) if client else self._of_all(kind, status, limit + 1, cursor)
        jobs = self.many([job_id for job_id, _ in found[:limit]])
        return Page([job for job in jobs if job], found[limit - 1][1] if len(found) > limit else None)

    def count(self, kind: str | None = None, status: str | None = None) -> int:
        """How many jobs of a kind and status there are."""
        return int(self._redis.zcard(keys.index(kind, status)))

    def queued(self) -> int:
        """How many jobs wait for a worker."""
        return int(self._redis.zcard(keys.QUEUED))

    def workers(self, seen_within: float) -> int:
        """How many workers were heard of in the last `seen_within` seconds."""
        return len(self.worker_names(seen_within))

    def worker_names(self, seen_within: float) -> list[str]:
        """The names of those workers."""
        return self._ids(self._alive(seen_within))

    def slots(self) -> int:
        """How many jobs the workers can run at a time, but for instant ones."""
        return sum(int(slots) for slots in self._of_workers(keys.SLOTS))

    def pace(self) -> float:
        """Processor seconds that the workers take for each that is forecast, in the mean; 1 where there is none."""
        paces = [float(pace) for pace in self._of_workers(keys.PACES)]
        return sum(paces) / len(paces) if paces else 1.0

    def busy(self) -> int:
        """How many jobs run, without parents that wait for their children."""
        return int(self._redis.zcard(keys.LEASES))

    def require_writable(self) -> None:
        """Raise what a submission would: StoreFull, or the refusal of the server."""
        if self._is_full():
            raise StoreFull
        self._redis.set(keys.PROBE, 1, ex=60)

    def await_pong(self, token: str, seconds: float) -> bool:
        """Whether a worker answers, within `seconds`, the ping that was sent with `token` (task `keys.PING`). Busy workers do not."""
        return self._redis.blpop([keys.pong(token)], seconds) is not None

    # --- what a worker does ---

    def claim(self, worker: str) -> Attempt | None:
        """Take the job that is next; None where none waits, those that do must leave a slot to others, or there is no memory."""
        if self._memory_used() > OVERFULL:
            return None
        token = secrets.token_hex(8)
        claimed: bytes | None = self._run(choice.CLAIM, token, worker, self._lease)
        job = self.get(claimed.decode()) if claimed else None
        return Attempt(job.id, token, job) if job else None

    def hold(self, attempt: Right) -> bool:
        """Keep the job for another while; False where it is no longer ours."""
        return bool(self._run(scripts.HOLD, attempt.id, attempt.token, self._lease))

    def progress(self, attempt: Right, progress: float, message: str, seconds_left: float | None = None) -> bool:
        """Say how far the job has come, and how long it still takes where that is known; False where it is no longer ours."""
        left = "" if seconds_left is None else repr(seconds_left)
        return bool(self._run(scripts.PROGRESS, attempt.id, attempt.token, repr(progress), message, left))

    def save_checkpoint(self, attempt: Right, checkpoint: bytes) -> bool:
        """Keep how far the job has come for its next attempt; False where it is no longer ours. Gone when the job ends."""
        return bool(self._run(scripts.CHECKPOINT, attempt.id, attempt.token, checkpoint))

    def load_checkpoint(self, job_id: str) -> bytes | None:
        """What an earlier attempt left."""
        checkpoint: bytes | None = self._redis.get(keys.checkpoint(job_id))
        return checkpoint

    def answer_ping(self, token: str) -> None:
        """Say that a worker runs tasks."""
        self._redis.rpush(keys.pong(token), 1)
        self._redis.expire(keys.pong(token), 60)

    def add_curve(self, attempt: Right, part: bytes) -> bool:
        """Tell a part of the curves that is final, as JSON, to those who follow the job; False where it is no longer ours."""
        return bool(self._run(scripts.CURVE, attempt.id, attempt.token, part))

    def add_preview(self, attempt: Right, part: bytes) -> bool:
        """Tell the curves as they are known so far, as JSON, instead of those told before; False where the job is no longer ours."""
        return bool(self._run(scripts.PREVIEW, attempt.id, attempt.token, part))

    def succeed(self, attempt: Right, parts: dict[str, bytes]) -> bool:
        """Store the result and the new state at once; False where the job is no longer ours."""
        flat = [item for pair in parts.items() for item in pair]
        return bool(self._run(scripts.SUCCEED, attempt.id, attempt.token, *flat))

    def fail(self, attempt: Right, code: str, message: str) -> bool:
        """Store why there is no result; False where the job is no longer ours."""
        return bool(self._run(scripts.FAIL, attempt.id, attempt.token, code, message))

    # --- what a worker does for a parent, a job that is made of others ---

    def submitted(self, attempt: Right) -> int:
        """How many children of a parent were submitted in earlier turns."""
        return int(self._redis.hget(keys.job(attempt.id), "submitted") or 0)

    def unfinished(self, attempt: Right) -> int:
        """How many of its children wait or run."""
        return int(self._redis.scard(keys.open_children(attempt.id)))

    def submit_child(self, attempt: Right, request: Request) -> str:
        """As `submit`, for the parent; 'gone' where it was cancelled."""
        return self._submit(request, attempt.id)

    def keep(self, attempt: Right, name: str, part: bytes) -> bool:
        """Store one part of the result before the others; False where the job is no longer ours."""
        return bool(self._run(scripts.KEEP, attempt.id, attempt.token, name, part))

    def pause(self, attempt: Right, submitted: int, total: int) -> str:
        """Give the parent up until a child makes room: 'waiting', 'ready' where there is room already, or 'lost'."""
        answer: bytes = self._run(scripts.PAUSE, attempt.id, attempt.token, submitted, total)
        return answer.decode()

    # --- what keeps jobs from being lost ---

    def greet(self, worker: str, slots: int, pace: float = 1.0) -> int:
        """Let a worker be known as alive, with the jobs that it runs at a time and the processor seconds it takes for each forecast.

        Returns the store's time in microseconds.
        """
        return int(self._run(scripts.GREET, worker, slots, pace, round(WORKER_SILENCE_SECONDS * _MICRO)))

    def lose(self, attempt: Right) -> bool:
        """As if the lease had ended: the process that ran the job has. False where it is no longer ours."""
        return bool(self._run(scripts.LOSE, attempt.id, attempt.token, MAX_ATTEMPTS))

    def release(self, worker: str) -> None:
        """Give back every job of a worker that stops in order."""
        for job_id in self._ids(self._redis.zrange(keys.LEASES, 0, -1)):
            self._run(scripts.RELEASE, job_id, worker)

    def expire_leases(self, looked: int | None = None) -> None:
        """Queue the jobs whose worker was lost again, or fail them after `MAX_ATTEMPTS`; `looked` is the store's time, now by default.

        A lease that ends later than one can is of a lost worker too: the clock was set back, and nobody has renewed it since.
        """
        looked = self._now() if looked is None else looked
        spans = ("-inf", looked), (looked + self._lease, "+inf")
        ended = [job_id for span in spans for job_id in self._redis.zrangebyscore(keys.LEASES, *span)]
        for job_id in self._ids(ended):
            self._run(scripts.EXPIRE, job_id, MAX_ATTEMPTS, looked, self._lease)

    def end_all_leases(self) -> None:
        """Treat every running job as lost. For the owner of a store that was just started: no worker is alive."""
        running = self._redis.zrange(keys.LEASES, 0, -1)
        if running:
            self._redis.zadd(keys.LEASES, dict.fromkeys(running, 0), xx=True)
        self.expire_leases()

    def forget(self, older_than: float) -> None:
        """Drop jobs that finished over `older_than` seconds ago, some at a time; see `expired`."""
        age = round(older_than * _MICRO)
        for job_id in self._ids(self._redis.zrangebyscore(keys.FINISHED, "-inf", self._now() - age, start=0, num=PAGE)):
            self._run(scripts.FORGET, job_id, age)

    def running(self, worker: str) -> int:
        """How many jobs a worker runs."""
        owners = [self._redis.hget(keys.job(job_id), "worker") for job_id in self._ids(self._redis.zrange(keys.LEASES, 0, -1))]
        return owners.count(worker.encode())

    def next_message(self) -> bytes | None:
        """The message that has waited longest."""
        message: bytes | None = self._redis.lindex(keys.QUEUE, -1)
        return message

    def next_job(self, worker: str) -> str | None:
        """The id of the job that a worker could claim now."""
        job: bytes | None = None if self._memory_used() > OVERFULL else self._run(choice.NEXT, worker)
        return job.decode() if job else None

    def unannounced(self) -> bool:
        """Whether a worker could claim a job while no message waits: the caller should send one."""
        return self._memory_used() <= OVERFULL and bool(self._run(choice.UNANNOUNCED, ""))

    # --- inside ---

    def _submit(self, request: Request, asker: str, seconds: float | None = None) -> str:
        if asker.startswith(keys.CLIENT) and self._is_full():
            raise StoreFull
        lane, slow = lane_of(request, seconds), int(is_slow(request, seconds))
        arguments = (request.kind, request.model_dump_json(), self._max_queued, asker, lane, slow)
        try:
            cache: bytes = self._run(scripts.SUBMIT, content_id(request), *arguments)
        except Exception as error:
            if str(error).startswith("OOM") or type(error).__name__ == "OutOfMemoryError":
                raise StoreFull from error
            raise
        return cache.decode()

    def _is_full(self) -> bool:
        """Whether the server has no memory for more jobs, as of a second ago at most."""
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._full = self._memory_used() > FULL
            self._looked = time.monotonic()
        return self._full

    def _memory_used(self) -> float:
        """The used share of the server's memory with the reserve, 0 where it has no limit."""
        memory = self._redis.info("memory")
        return float((memory["used_memory"] + RESERVE) / memory["maxmemory"]) if memory["maxmemory"] else 0.0

    def _place(self, job_id: str, lane: str, client: str) -> Place:
        """Who is before it: the client's own earlier jobs, and as many of every other client whose turns come between."""
        own = self._redis.zrank(keys.line(lane, client), job_id) or 0
        turns = {member.decode(): turn for turn, (member, _) in enumerate(self._redis.zrange(keys.turns(lane), 0, PAGE, withscores=True))}
        pipeline = self._redis.pipeline(transaction=False)
        for other in turns:
            pipeline.zcard(keys.line(lane, other))
        mine = turns.get(client, 0)
        lines = zip(turns.items(), pipeline.execute(), strict=True)
        before = own + sum(min(waiting, own + (turn < mine)) for (other, turn), waiting in lines if other != client)
        slots, seconds = self.slots(), self._redis.hget(keys.SECONDS, lane)
        wait = before * float(seconds) / slots if slots and seconds else None
        return Place(position=before + 1, reason=self._reason(before, slots), expected_wait=wait)

    def _reason(self, before: int, slots: int) -> str:
        if not slots:
            return "no worker is running"
        if self._is_full():
            return "the store is almost full; it may have to wait until results expire"
        return f"{before} jobs are before it" if before else "the next worker that is free takes it"

    def _of_workers(self, name: str) -> list[bytes]:
        """What the hash `name` tells of the workers that are alive."""
        alive = self._alive(scripts.SILENT_SECONDS)
        return [found for found in self._redis.hmget(name, alive) if found is not None] if alive else []

    def _alive(self, seen_within: float) -> list[bytes]:
        """Workers that were heard of lately. One that was heard of later than now has been silent since the clock was set back."""
        now, span = self._now(), seen_within * _MICRO
        alive: list[bytes] = self._redis.zrangebyscore(keys.WORKERS, now - span, now + span)
        return alive

    def _of_all(self, kind: str | None, status: str | None, most: int, cursor: int | None) -> list[tuple[str, int]]:
        upper: int | str = "+inf" if cursor is None else f"({cursor}"
        found = self._redis.zrevrangebyscore(keys.index(kind, status), upper, "-inf", start=0, num=most, withscores=True)
        return [(job_id.decode(), int(created)) for job_id, created in found]

    def _of_client(self, client: str, kind: str | None, status: str | None, most: int, cursor: int | None) -> list[tuple[str, int]]:
        before = "" if cursor is None else cursor
        flat: list[bytes] = self._run(scripts.MINE, keys.CLIENT + client, keys.index(kind, status), before, most)
        return [(job_id.decode(), int(float(created))) for job_id, created in zip(flat[::2], flat[1::2], strict=True)]

    def _withdraw(self, parent: str) -> None:
        """Cancel the children that only `parent` asked for, and theirs."""
        for child in self._ids(self._redis.smembers(keys.open_children(parent))):
            if self._run(scripts.WITHDRAW, child, parent):
                self._withdraw(child)

    def _delete(self, job_id: str, asker: str) -> Deletion:
        children = self.part(job_id, "children")
        answer: bytes = self._run(scripts.DELETE, job_id, asker)
        ended = cast(Deletion, answer.decode())
        if children and ended == "deleted":
            for child in json.loads(children)["ids"]:
                self._delete(child, job_id)
        return ended

    def _run(self, body: str, job_id: str, *args: object) -> Any:
        script = self._scripts.get(body)
        if script is None:
            script = self._scripts[body] = self._redis.register_script(scripts.source(body))
        return script(args=[job_id, *args])

    def _now(self) -> int:
        seconds, micro = self._redis.time()
        return int(seconds) * _MICRO + int(micro)

    def _ids(self, members: list[bytes]) -> list[str]:
        return [member.decode() for member in members]

    def _decode(self, record: dict[bytes, bytes]) -> Job | None:
        return from_record({name.decode(): value.decode() for name, value in record.items()}, self._root) if record else None
