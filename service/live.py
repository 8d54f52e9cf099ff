"""What happens to jobs, told as it happens: one asynchronous reader of the store for all who wait in this process.

A waiter reads a job's events from where it stands, and sleeps until the reader sees a newer one. So nobody misses or repeats an event,
nobody holds a thread or a connection, and what a stream keeps in memory does not grow.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import redis
from redis.asyncio import Redis

from store import keys, trouble
from store.records import Event, outcome

FIRST_SECONDS, LONGEST_SECONDS, GROWTH = 0.004, 0.02, 1.5  # of a look, which ends with the first news; who comes meanwhile is in the next
AWAY_SECONDS = 1.0
READERS = 4  # connections that waiters use together
BATCH = 100


class _Waiter(NamedTuple):
    after: str
    news: asyncio.Future[None]


class Live:
    """The events of jobs in the server behind `client`."""

    def __init__(self, client: Redis) -> None:
        self._redis: Any = client
        self._waiters: dict[str, set[_Waiter]] = defaultdict(set)
        self._reader: asyncio.Task[None] | None = None
        self._patience = LONGEST_SECONDS
        self._room = asyncio.Semaphore(READERS)
        self._stopping = False

    async def follow(self, job_id: str, after: str) -> AsyncIterator[Event]:
        """The events after the one called `after`, as they happen; ends with `done`, where they are no longer kept, or after `stop`."""
        self._patience = FIRST_SECONDS
        while not self._stopping:
            try:
                for event in await self._read(job_id, after):
                    yield event
                    after = event.id
                    if event.type == "done":
                        return
                if await self._ended(job_id, after):
                    return
                await self._news(job_id, after)
            except redis.RedisError as error:
                await _wait_out(error)

    async def finished(self, job_id: str, seconds: float) -> None:
        """Return when the job has finished, after `seconds` at the latest."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for _ in self.follow(job_id, "0"):
                    pass

    def stop(self) -> None:
        """Let everybody go who waits, for the server is to end; who follows a job may go on elsewhere from the last event."""
        self._stopping = True
        for waiters in self._waiters.values():
            _wake(waiters)

    async def close(self) -> None:
        """Let go of everything."""
        if self._reader:
            self._reader.cancel()
            await asyncio.wait([self._reader])
        await self._redis.aclose()

    async def _read(self, job_id: str, after: str) -> list[Event]:
        async with self._room:
            entries = await self._redis.xrange(keys.events(job_id), f"({after}", "+", count=BATCH)
        return [Event(event_id.decode(), fields[b"type"].decode(), fields[b"data"].decode()) for event_id, fields in entries]

    async def _ended(self, job_id: str, after: str) -> bool:
        """Whether there is nothing to wait for: the job has finished, and no event is newer than `after`."""
        async with self._room:
            unfinished = (await outcome(self._redis, job_id)).unfinished
        return not unfinished and not await self._read(job_id, after)

    async def _news(self, job_id: str, after: str) -> None:
        """Sleep until there is an event after `after`."""
        waiter = _Waiter(after, asyncio.get_running_loop().create_future())
        self._waiters[keys.events(job_id)].add(waiter)
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._watch())
        try:
            await waiter.news
        finally:
            self._drop(keys.events(job_id), waiter)

    def _drop(self, stream: str, waiter: _Waiter) -> None:
        self._waiters[stream].discard(waiter)
        if not self._waiters[stream]:
            del self._waiters[stream]

    async def _watch(self) -> None:
        """Wake those whose streams have news, for as long as anybody waits."""
        while self._waiters:
            try:
                await self._look()
                self._patience = min(GROWTH * self._patience, LONGEST_SECONDS)
            except redis.RedisError as error:
                await _wait_out(error)

    async def _look(self) -> None:
        waiting = {stream: min((waiter.after for waiter in waiters), key=_order) for stream, waiters in self._waiters.items()}
        found = await self._redis.xread(waiting, count=1, block=round(1000 * self._patience))
        for name in found if isinstance(found, dict) else (entry[0] for entry in found):
            _wake(self._waiters.get(name.decode(), set()))


def _wake(waiters: set[_Waiter]) -> None:
    for waiter in waiters:
        if not waiter.news.done():
            waiter.news.set_result(None)


async def _wait_out(error: redis.RedisError) -> None:
    """Wait where the state of the server explains the error; it may have passed then."""
    if trouble.meaning(error) is None:
        raise error
    await asyncio.sleep(AWAY_SECONDS)


def _order(event_id: str) -> tuple[int, int]:
    """Events' ids in the order of time."""
    time, _, number = event_id.partition("-")
    return int(time), int(number or 0)
