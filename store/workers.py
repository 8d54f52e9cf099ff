"""The workers as the store knows them: who is alive, how many jobs each runs at a time, and how fast."""

from store import keys
from store.connection import MICRO, Connection, decoded
from store.lua import upkeep
from store.lua.frame import SILENT_SECONDS

FORGET_SECONDS = 3600.0  # of silence, after which a worker is forgotten


class Workers:
    """The workers of the server behind a connection."""

    def __init__(self, server: Connection) -> None:
        self._server = server

    def count(self, seen_within: float = SILENT_SECONDS) -> int:
        """How many workers were heard of in the last `seen_within` seconds; by default, how many are taken to be alive."""
        return len(self._alive(seen_within))

    def names(self, seen_within: float) -> list[str]:
        """Their names."""
        return decoded(self._alive(seen_within))

    def greet(self, worker: str, slots: int, pace: float = 1.0) -> int:
        """Let a worker be known as alive, with the jobs that it runs at a time and the processor seconds it takes for each forecast.

        Returns the store's time in microseconds.
        """
        return int(self._server.run(upkeep.GREET, worker, slots, pace, round(FORGET_SECONDS * MICRO)))

    def slots(self) -> int:
        """How many jobs the workers can run at a time, but for instant ones."""
        return sum(int(slots) for slots in self._of_each(keys.SLOTS))

    def pace(self) -> float:
        """Processor seconds that the workers take for each that is forecast, in the mean; 1 where there is none."""
        paces = [float(pace) for pace in self._of_each(keys.PACES)]
        return sum(paces) / len(paces) if paces else 1.0

    def await_pong(self, token: str, seconds: float) -> bool:
        """Whether a worker answers, within `seconds`, the ping that was sent with `token` (task `keys.PING`). Busy workers do not."""
        return self._server.redis.blpop([keys.pong(token)], seconds) is not None

    def answer_ping(self, token: str) -> None:
        """Say that a worker runs tasks."""
        self._server.redis.rpush(keys.pong(token), 1)
        self._server.redis.expire(keys.pong(token), 60)

    def _of_each(self, name: str) -> list[bytes]:
        """What the hash `name` tells of the workers that are alive."""
        alive = self._alive(SILENT_SECONDS)
        return [found for found in self._server.redis.hmget(name, alive) if found is not None] if alive else []

    def _alive(self, seen_within: float) -> list[bytes]:
        """Workers that were heard of lately. One that was heard of later than now has been silent since the clock was set back."""
        now, span = self._server.now(), seen_within * MICRO
        alive: list[bytes] = self._server.redis.zrangebyscore(keys.WORKERS, now - span, now + span)
        return alive
