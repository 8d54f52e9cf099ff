"""Jobs in a Redis-compatible server. Each state change is one method, atomic in the store.

A running job belongs to the worker that holds its token; every write of a worker is refused once the token is
no longer the job's. The token is lost when the job is cancelled, given back, or its lease ends.
"""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from dlnflow.jobs import keys, scripts
from dlnflow.jobs.job import Job, from_record
from dlnflow.jobs.requests import Request
from dlnflow.jobs.requests import job_id as content_id

if TYPE_CHECKING:
    import redis

LEASE_SECONDS = 15.0
MAX_ATTEMPTS = 3
RESEND_SECONDS = 5.0
PAGE = 100
_MICRO = 1_000_000

Submission = Literal["miss", "joined", "hit", "full"]


@dataclass(frozen=True)
class Attempt:
    """One worker's right to a running job, for as long as it renews it."""

    job: Job
    token: str


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
        time_limit: float = 3600,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._redis: Any = client
        self._max_queued = max_queued
        self._lease = round(lease_seconds * _MICRO)
        self._time_limit = round(time_limit * _MICRO)
        self._scripts: dict[str, Any] = {}

    # --- what the service does ---

    def submit(self, request: Request) -> Submission:
        """Write the job before any message is sent; it is queued anew if it had failed or been cancelled."""
        cache: bytes = self._run(scripts.SUBMIT, content_id(request), request.kind, request.model_dump_json(), self._max_queued)
        return cast(Submission, cache.decode())

    def get(self, job_id: str) -> Job | None:
        """The job as it stands now."""
        return _decode(self._redis.hgetall(keys.job(job_id)))

    def part(self, job_id: str, name: str) -> bytes | None:
        """One encoded part of a result."""
        part: bytes | None = self._redis.hget(keys.result(job_id), name)
        return part

    def cancel(self, job_id: str) -> bool:
        """Cancel a queued or running job; False where it is neither."""
        return bool(self._run(scripts.CANCEL, job_id))

    def page(self, *, status: str | None, kind: str | None, limit: int, cursor: int | None) -> Page:
        """The newest `limit` jobs created before `cursor`, of one status and kind where given."""
        jobs: list[Job] = []
        last: int | None = None
        for created, job in self._newest_first(cursor):
            if status in (None, job.status) and kind in (None, job.kind):
                if len(jobs) == limit:
                    return Page(jobs, last)
                jobs.append(job)
                last = created
        return Page(jobs, None)

    def queued(self) -> int:
        """How many jobs wait for a worker."""
        return int(self._redis.zcard(keys.QUEUED))

    def workers(self, seen_within: float) -> int:
        """How many workers were heard of in the last `seen_within` seconds."""
        return int(self._redis.zcount(keys.WORKERS, self._now() - seen_within * _MICRO, "+inf"))

    # --- what a worker does ---

    def claim(self, job_id: str, worker: str) -> Attempt | None:
        """Take a queued job; None where it is not queued (any more)."""
        token = secrets.token_hex(8)
        if not self._run(scripts.CLAIM, job_id, token, worker, self._lease):
            return None
        job = self.get(job_id)
        return Attempt(job, token) if job else None

    def renew(self, attempt: Attempt, progress: float, message: str) -> bool:
        """Say how far the job has come and hold it longer; False where it is no longer ours."""
        return bool(self._run(scripts.RENEW, attempt.job.id, attempt.token, self._lease, repr(progress), message))

    def succeed(self, attempt: Attempt, parts: dict[str, bytes]) -> bool:
        """Store the result and the new state at once; False where the job is no longer ours."""
        flat = [item for pair in parts.items() for item in pair]
        return bool(self._run(scripts.SUCCEED, attempt.job.id, attempt.token, *flat))

    def fail(self, attempt: Attempt, code: str, message: str) -> bool:
        """Store why there is no result; False where the job is no longer ours."""
        return bool(self._run(scripts.FAIL, attempt.job.id, attempt.token, code, message))

    # --- what keeps jobs from being lost ---

    def greet(self, worker: str) -> None:
        """Let a worker be known as alive."""
        self._run(scripts.GREET, worker, 3600 * _MICRO)

    def release(self, worker: str) -> None:
        """Give back every job of a worker that stops in order."""
        for job_id in self._ids(self._redis.zrange(keys.LEASES, 0, -1)):
            self._run(scripts.RELEASE, job_id, worker)

    def expire_leases(self) -> None:
        """Queue the jobs whose worker was lost again, or fail them after `MAX_ATTEMPTS` or past the time limit."""
        for job_id in self._ids(self._redis.zrangebyscore(keys.LEASES, "-inf", self._now())):
            self._run(scripts.EXPIRE, job_id, MAX_ATTEMPTS, self._time_limit + self._lease)

    def end_all_leases(self) -> None:
        """Treat every running job as lost. For the owner of a store that was just started: no worker is alive."""
        running = self._redis.zrange(keys.LEASES, 0, -1)
        if running:
            self._redis.zadd(keys.LEASES, dict.fromkeys(running, 0), xx=True)

    def running(self, worker: str) -> int:
        """How many jobs a worker runs."""
        owners = [self._redis.hget(keys.job(job_id), "worker") for job_id in self._ids(self._redis.zrange(keys.LEASES, 0, -1))]
        return owners.count(worker.encode())

    def next_message(self) -> bytes | None:
        """The message that has waited longest."""
        message: bytes | None = self._redis.lindex(keys.QUEUE, -1)
        return message

    def take_unsent(self) -> list[str]:
        """The queued jobs that have no message in the queue; the caller must send one for each."""
        before = self._now() - round(RESEND_SECONDS * _MICRO)
        silent = self._ids(self._redis.zrangebyscore(keys.QUEUED, "-inf", before))
        sent = self._waiting_messages() if silent else set()
        return [i for i in silent if i not in sent and self._run(scripts.RESEND, i, round(RESEND_SECONDS * _MICRO))]

    # --- inside ---

    def _run(self, body: str, job_id: str, *args: object) -> Any:
        script = self._scripts.get(body)
        if script is None:
            script = self._scripts[body] = self._redis.register_script(scripts.source(body))
        names = [keys.job(job_id), keys.result(job_id), keys.INDEX, keys.QUEUED, keys.LEASES, keys.WORKERS]
        return script(keys=names, args=[job_id, *args])

    def _now(self) -> int:
        seconds, micro = self._redis.time()
        return int(seconds) * _MICRO + int(micro)

    def _ids(self, members: list[bytes]) -> list[str]:
        return [member.decode() for member in members]

    def _waiting_messages(self) -> set[str]:
        """Ids in the broker's list: a task's id is its job's."""
        return {json.loads(message)["headers"]["id"] for message in self._redis.lrange(keys.QUEUE, 0, -1)}

    def _newest_first(self, cursor: int | None) -> Iterator[tuple[int, Job]]:
        upper: int | str = "+inf" if cursor is None else f"({cursor}"
        while members := self._redis.zrevrangebyscore(keys.INDEX, upper, "-inf", start=0, num=PAGE, withscores=True):
            pipeline = self._redis.pipeline(transaction=False)
            for member, _ in members:
                pipeline.hgetall(keys.job(member.decode()))
            for (_, score), record in zip(members, pipeline.execute(), strict=True):
                if job := _decode(record):
                    yield int(score), job
            upper = f"({int(members[-1][1])}"


def _decode(record: dict[bytes, bytes]) -> Job | None:
    return from_record({name.decode(): value.decode() for name, value in record.items()}) if record else None
