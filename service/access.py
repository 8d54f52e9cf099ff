"""Who may call: with keys, those who hold one; and how often, counted in the store for all processes together."""

from typing import Any

from redis.asyncio import Redis

from dlnflow.jobs import keys as names
from dlnflow.jobs.settings import Settings
from service import keys
from service.errors import Problem

LOOPBACK = ("127.0.0.1", "::1", "localhost")
BURST_SECONDS = 10  # of the rate that may be used at once

# bucket, rate per second, size -> seconds to wait, as text; 0 where a token was taken
TAKE = """#!lua flags=allow-oom
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local rate, size = tonumber(ARGV[1]), tonumber(ARGV[2])
local tokens, last = unpack(redis.call('HMGET', KEYS[1], 'tokens', 'last'))
tokens = math.min(size, (tonumber(tokens) or size) + (now - (tonumber(last) or now)) * rate)
local wait = 0
if tokens >= 1 then tokens = tokens - 1 else wait = (1 - tokens) / rate end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'last', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], math.ceil(size / rate) + 1)
return tostring(wait)
"""


class Gate:
    """Lets requests in, by key and by rate."""

    def __init__(self, client: Redis, settings: Settings) -> None:
        self._redis: Any = client
        self._take = self._redis.register_script(TAKE)
        self._settings = settings

    async def admit(self, key: str | None, address: str) -> str | None:
        """Who calls, None where that makes no difference; raises 401 or 429."""
        if not self._settings.auth:
            return None
        who = f"key:{await self._identify(key)}" if self._settings.auth == "keys" else f"address:{address}"
        await self._limit(who)
        return who

    async def _identify(self, key: str | None) -> str:
        """The id of a key that is known."""
        if not key:
            raise _unknown("a key is needed here")
        key_id, secret = keys.split(key)
        record = await self._redis.hget(names.API_KEYS, key_id)
        if record is None or not keys.matches(keys.parse(key_id, record), secret):
            raise _unknown("this key is not known here")
        return key_id

    async def _limit(self, who: str) -> None:
        per_minute = self._settings.max_requests_per_minute
        rate = per_minute / 60
        wait = float(await self._take(keys=[names.bucket(who)], args=[rate, max(1.0, rate * BURST_SECONDS)]))
        if wait > 0:
            raise Problem(
                f"more than {per_minute} requests per minute",
                status=429,
                code="too_many_requests",
                hint="Slow down; wait for a job with Prefer: wait=30 or follow its events instead of asking again.",
                headers={"Retry-After": str(int(wait) + 1)},
            )


def require_choice(settings: Settings) -> Settings:
    """The settings; refuses to guess whether keys are needed where others than this machine can call."""
    if settings.auth or settings.host in LOOPBACK:
        return settings
    raise SystemExit(
        f"DLNFLOW_HOST={settings.host} lets other machines call. Set DLNFLOW_AUTH=keys and make keys with `python -m service keys create`, "
        "or set DLNFLOW_AUTH=open where only those can reach the address who may use it."
    )


def _unknown(detail: str) -> Problem:
    return Problem(
        detail,
        status=401,
        code="unauthorized",
        hint="Send the header Authorization: Bearer KEY. An operator makes keys with `python -m service keys create`.",
        headers={"WWW-Authenticate": 'Bearer realm="dlnflow"'},
    )
