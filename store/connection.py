"""The connection to the store's server: scripts that run there, its clock, and how full it is."""

import time
from typing import TYPE_CHECKING, Any

from store.lua.frame import source

if TYPE_CHECKING:
    import redis

MICRO = 1_000_000  # microseconds in a second: the unit of the store's times
FULL = 0.9  # of the server's memory, above which no job is accepted: those that wait should be able to run
RESERVE = 1_000_000  # bytes that count as used, since a twentieth of a small store is less than what runs may add
LOOK_SECONDS = 1.0  # between two looks at the server's memory


class Connection:
    """`redis` is the client library's, and does not decode responses."""

    def __init__(self, client: "redis.Redis") -> None:
        self.redis: Any = client
        self._scripts: dict[str, Any] = {}
        self._looked, self._full = -LOOK_SECONDS, False

    def run(self, body: str, first: str, *args: object) -> Any:
        """Run a script of `store.lua` with its arguments, of which the `first` is mostly a job's id."""
        script = self._scripts.get(body)
        if script is None:
            script = self._scripts[body] = self.redis.register_script(source(body))
        return script(args=[first, *args])

    def now(self) -> int:
        """The server's time in microseconds."""
        seconds, micro = self.redis.time()
        return int(seconds) * MICRO + int(micro)

    def is_full(self) -> bool:
        """Whether the server has no memory for more jobs, as of a second ago at most."""
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._full = self.memory_used() > FULL
            self._looked = time.monotonic()
        return self._full

    def memory_used(self) -> float:
        """The used share of the server's memory with the reserve, 0 where it has no limit."""
        memory = self.redis.info("memory")
        return float((memory["used_memory"] + RESERVE) / memory["maxmemory"]) if memory["maxmemory"] else 0.0


def decoded(members: list[bytes]) -> list[str]:
    """Ids and names as texts."""
    return [member.decode() for member in members]
