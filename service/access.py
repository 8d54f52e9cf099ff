"""Who may call: with keys, those who hold one; and how often, counted in the store for all processes together."""

import ipaddress
from typing import Any, NamedTuple

import redis
from redis.asyncio import Redis

from service import keys
from service.errors import Problem
from store import keys as names
from store import trouble
from store.settings import Settings

BURST_SECONDS = 10  # of the rate that may be used at once

# bucket, rate per second, size -> seconds to wait, as text; 0 where a token was taken
TAKE = """#!lua flags=allow-oom
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local rate, size = tonumber(ARGV[1]), tonumber(ARGV[2])
local tokens, last = unpack(redis.call('HMGET', KEYS[1], 'tokens', 'last'))
local passed = math.max(0, now - (tonumber(last) or now)) -- a clock that was set back counts as one that stood still
tokens = math.min(size, (tonumber(tokens) or size) + passed * rate)
local wait = 0
if tokens >= 1 then tokens = tokens - 1 else wait = (1 - tokens) / rate end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'last', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], math.ceil(size / rate) + 1)
return tostring(wait)
"""


class Caller(NamedTuple):
    """Who calls: `key:ID`, or `address:IP` without a key; an operator may also change what belongs to others."""

    who: str
    operator: bool = False

    @property
    def owner(self) -> str | None:
        """In whose name something is changed, None for everybody's."""
        return None if self.operator else self.who


def said(caller: Caller | None) -> str:
    """A caller, as a log names it."""
    return caller.who if caller else "somebody; no keys are asked for"


class Gate:
    """Lets requests in, by key and by rate."""

    def __init__(self, client: Redis, settings: Settings) -> None:
        self._redis: Any = client
        self._take = self._redis.register_script(TAKE)
        self._settings = settings

    async def admit(self, key: str | None, address: str) -> "Caller | None":
        """Who calls, None where that makes no difference; raises 401 or 429."""
        if not self._settings.auth:
            return None
        record = await self._record(key or "")
        if record is None and self._settings.auth == "keys":
            raise _unknown("this key is not known here" if key else "a key is needed here")
        caller = Caller(f"key:{record.id}", record.operator) if record else Caller(f"address:{address}")
        await self._limit(caller.who)
        return caller

    async def _record(self, key: str) -> keys.KeyRecord | None:
        """What is known of a key, None where it is not known."""
        key_id, secret = keys.split(key.strip())
        found = await self._redis.hget(names.API_KEYS, key_id) if key_id else None
        record = keys.parse(key_id, found) if found else None
        return record if record and keys.matches(record, secret) else None

    async def _limit(self, who: str) -> None:
        per_minute = self._settings.max_requests_per_minute
        rate = per_minute / 60
        try:
            wait = float(await self._take(keys=[names.bucket(who)], args=[rate, max(1.0, rate * BURST_SECONDS)]))
        except redis.ResponseError as error:
            if trouble.meaning(error) is None:
                raise
            return  # a store that takes no changes counts nothing; what is there can be read
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
    if settings.auth or _is_loopback(settings.host):
        return settings
    raise SystemExit(
        f"DLNFLOW_HOST={settings.host} lets other machines call. Set DLNFLOW_AUTH=keys and make keys with `python -m service keys create`, "
        "or set DLNFLOW_AUTH=open where only those can reach the address who may use it."
    )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # another name
        return False


def _unknown(detail: str) -> Problem:
    return Problem(
        detail,
        status=401,
        code="unauthorized",
        hint="Send the header Authorization: Bearer KEY. An operator makes keys with `python -m service keys create`.",
        headers={"WWW-Authenticate": 'Bearer realm="dlnflow"'},
    )
