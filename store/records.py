"""Jobs and their results as they stand in the store; nothing here changes any."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dlnflow.wire.job import ENDS, PARTS, STATUSES, Job, Place, links
from store import keys
from store.connection import MICRO, Connection, decoded
from store.lua import asking
from store.workers import Workers

if TYPE_CHECKING:
    from redis.asyncio import Redis

PAGE = 100


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


@dataclass(frozen=True)
class Outcome:
    """What has become of a job: its status, None where it is not there; and what tells its result from another of the same job.

    That is when it finished, in microseconds; None where it did not succeed, or its result is not kept.
    """

    status: str | None
    version: bytes | None

    @property
    def unfinished(self) -> bool:
        """Whether more will become of it."""
        return self.status is not None and self.status not in ENDS


async def outcome(client: "Redis", job_id: str) -> Outcome:
    """What has become of a job, in one round trip, for those who have no thread to wait in."""
    pipeline = client.pipeline(transaction=False)
    pipeline.hmget(keys.job(job_id), "status", "finished_at")
    pipeline.exists(keys.result(job_id))
    (status, finished), kept = await pipeline.execute()
    return Outcome(status and status.decode(), finished if status == b"succeeded" and kept else None)


class Records:
    """The jobs in the server behind a connection; links lead to the service below the path `root`."""

    def __init__(self, server: Connection, root: str = "") -> None:
        self._server, self._root = server, root
        self.workers = Workers(server)

    def get(self, job_id: str) -> Job | None:
        """The job as it stands now, with its place where it waits."""
        record = self._server.redis.hgetall(keys.job(job_id))
        job = self._decode(record)
        if job and job.status == "queued":
            return job.model_copy(update={"queue": self._place(job_id, record[b"lane"].decode(), record[b"client"].decode())})
        return job

    def many(self, job_ids: list[str]) -> list[Job | None]:
        """Several jobs as they stand now, None for each that is not there."""
        pipeline = self._server.redis.pipeline(transaction=False)
        for job_id in job_ids:
            pipeline.hgetall(keys.job(job_id))
        return [self._decode(record) for record in pipeline.execute()]

    def expired(self, job_id: str) -> bool:
        """Whether the job was there once, and was deleted or kept long enough."""
        return bool(self._server.redis.exists(keys.gone(job_id)))

    def statuses(self, job_ids: list[str]) -> list[str | None]:
        """The states of several jobs, None for each that is not there."""
        pipeline = self._server.redis.pipeline(transaction=False)
        for job_id in job_ids:
            pipeline.hget(keys.job(job_id), "status")
        return [status and status.decode() for status in pipeline.execute()]

    def page(self, *, status: str | None, kind: str | None, limit: int, cursor: int | None, client: str | None = None) -> Page:
        """The newest `limit` jobs created before `cursor`, of one status and kind, and that `client` asked for, where given."""
        found = self._of_client(client, kind, status, limit + 1, cursor) if client else self._of_all(kind, status, limit + 1, cursor)
        jobs = self.many([job_id for job_id, _ in found[:limit]])
        return Page([job for job in jobs if job], found[limit - 1][1] if len(found) > limit else None)

    def part(self, job_id: str, name: str) -> bytes | None:
        """One encoded part of a result."""
        part: bytes | None = self._server.redis.hget(keys.result(job_id), name)
        return part

    def parts(self, job_ids: list[str], name: str) -> Iterator[tuple[str, bytes]]:
        """One encoded part of several results, without those that are not there."""
        for start in range(0, len(job_ids), PAGE):
            some = job_ids[start : start + PAGE]
            pipeline = self._server.redis.pipeline(transaction=False)
            for job_id in some:
                pipeline.hget(keys.result(job_id), name)
            yield from ((job_id, part) for job_id, part in zip(some, pipeline.execute(), strict=True) if part is not None)

    def events(self, job_id: str, after: str = "0", *, block: float = 0, count: int = 100) -> list[Event]:
        """What happened to a job after the event `after`, oldest first; where that is nothing, wait for it up to `block` seconds.

        Empty in the end for a job that finished over an hour ago, whose events are no longer kept: its record says how it ended.
        A job that is submitted again after a failure begins its events anew, with greater ids.
        """
        found = self._server.redis.xread({keys.events(job_id): after}, count=count, block=max(1, round(1000 * block)) if block else None)
        entries = next(iter(found.values()))[0] if isinstance(found, dict) and found else found[0][1] if found else []
        return [Event(event_id.decode(), fields[b"type"].decode(), fields[b"data"].decode()) for event_id, fields in entries]

    def load_checkpoint(self, job_id: str) -> bytes | None:
        """What an earlier attempt left."""
        checkpoint: bytes | None = self._server.redis.get(keys.checkpoint(job_id))
        return checkpoint

    def has_room(self, client: str, most: int) -> bool:
        """Whether a client asked for fewer than `most` jobs that have not finished."""
        own, unfinished = keys.mine(keys.CLIENT + client), (keys.index(status="queued"), keys.index(status="running"))
        return sum(int(self._server.redis.zintercard(2, [own, index])) for index in unfinished) < most

    def count(self, kind: str | None = None, status: str | None = None) -> int:
        """How many jobs of a kind and status there are."""
        return int(self._server.redis.zcard(keys.index(kind, status)))

    def queued(self) -> int:
        """How many jobs wait for a worker."""
        return int(self._server.redis.zcard(keys.QUEUED))

    def busy(self) -> int:
        """How many jobs run, without parents that wait for their children."""
        return int(self._server.redis.zcard(keys.LEASES))

    def running(self, worker: str) -> int:
        """How many jobs a worker runs."""
        owners = [self._server.redis.hget(keys.job(job_id), "worker") for job_id in decoded(self._server.redis.zrange(keys.LEASES, 0, -1))]
        return owners.count(worker.encode())

    def counts(self) -> dict[str, int]:
        """What has happened so far, by `name:label:…`; see store/lua."""
        return {name.decode(): int(value) for name, value in self._server.redis.hgetall(keys.COUNTS).items()}

    def census(self) -> dict[tuple[str, str], int]:
        """How many jobs there are of each kind and status."""
        pairs = [(kind, status) for kind in PARTS for status in STATUSES]
        pipeline = self._server.redis.pipeline(transaction=False)
        for kind, status in pairs:
            pipeline.zcard(keys.index(kind, status))
        return dict(zip(pairs, pipeline.execute(), strict=True))

    def _place(self, job_id: str, lane: str, client: str) -> Place:
        """Who is before it: the client's own earlier jobs, and as many of every other client whose turns come between."""
        own = self._server.redis.zrank(keys.line(lane, client), job_id) or 0
        clients = decoded(self._server.redis.zrange(keys.turns(lane), 0, PAGE))
        turns = {other: turn for turn, other in enumerate(clients)}
        pipeline = self._server.redis.pipeline(transaction=False)
        for other in turns:
            pipeline.zcard(keys.line(lane, other))
        mine = turns.get(client, 0)
        lines = zip(turns.items(), pipeline.execute(), strict=True)
        before = own + sum(min(waiting, own + (turn < mine)) for (other, turn), waiting in lines if other != client)
        slots, seconds = self.workers.slots(), self._server.redis.hget(keys.SECONDS, lane)
        wait = before * float(seconds) / slots if slots and seconds else None
        return Place(position=before + 1, reason=self._reason(before, slots), expected_wait=wait)

    def _reason(self, before: int, slots: int) -> str:
        if not slots:
            return "no worker is running"
        if self._server.is_full():
            return "the store is almost full; it may have to wait until results expire"
        return f"{before} jobs are before it" if before else "the next worker that is free takes it"

    def _of_all(self, kind: str | None, status: str | None, most: int, cursor: int | None) -> list[tuple[str, int]]:
        upper: int | str = "+inf" if cursor is None else f"({cursor}"
        found = self._server.redis.zrevrangebyscore(keys.index(kind, status), upper, "-inf", start=0, num=most, withscores=True)
        return [(job_id.decode(), int(created)) for job_id, created in found]

    def _of_client(self, client: str, kind: str | None, status: str | None, most: int, cursor: int | None) -> list[tuple[str, int]]:
        before = "" if cursor is None else cursor
        flat: list[bytes] = self._server.run(asking.MINE, keys.CLIENT + client, keys.index(kind, status), before, most)
        return [(job_id.decode(), int(float(created))) for job_id, created in zip(flat[::2], flat[1::2], strict=True)]

    def _decode(self, record: dict[bytes, bytes]) -> Job | None:
        return _from_record({name.decode(): value.decode() for name, value in record.items()}, self._root) if record else None


def _from_record(record: dict[str, str], root: str = "") -> Job:
    """The public view of a record, whose times are microseconds since 1970; its links begin with the path `root`."""
    return Job.model_validate(
        {
            **{name: record[name] for name in ("id", "kind", "status", "progress", "message", "attempts")},
            **{name: _iso(record.get(name)) for name in ("created_at", "started_at", "finished_at")},
            "seconds_left": record.get("seconds_left") or None if record["status"] == "running" else None,
            "request": json.loads(record["request"]),
            "error": {"code": record["error_code"], "message": record["error_message"]} if "error_code" in record else None,
            "history": [
                attempt | {name: _iso(attempt[name]) for name in ("started_at", "ended_at")}
                for attempt in json.loads(record.get("history", "[]"))
            ],
            "links": links(record["id"], record["kind"], root),
        }
    )


def _iso(microseconds: str | None) -> str | None:
    if microseconds is None:
        return None
    return datetime.fromtimestamp(int(microseconds) / MICRO, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
