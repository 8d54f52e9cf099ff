"""How the store's server is reached: its address, TLS and Sentinel, for redis-py and as Celery spells them.

A Sentinel address names every sentinel and the credentials of the store behind them: `sentinel://user:password@a:26379;b:26379/0`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, unquote

import redis
import redis.asyncio.sentinel
from redis.sentinel import Sentinel

from store.settings import Settings

SENTINEL = "sentinel://"
SENTINEL_PORT = 26379
OLDEST = (7, 0)  # of Redis, and of what Valkey says that it can stand in for: the first whose scripts have flags


class Unsuitable(Exception):
    """A server that cannot hold jobs; the text says why, in one sentence."""


def require_suitable(client: redis.Redis) -> None:
    """Raise Unsuitable where the server behind `client` is too old or a cluster."""
    about = client.info("server")
    found = re.match(r"(\d+)\.(\d+)", str(about.get("redis_version", "")))
    if found and (int(found[1]), int(found[2])) < OLDEST:
        raise Unsuitable(
            f"the store is a Redis server of version {about['redis_version']}, and dlnflow needs Redis {OLDEST[0]}.{OLDEST[1]} or later, "
            "or Valkey; set DLNFLOW_REDIS_URL to such a server"
        )
    if "cluster" in (about.get("redis_mode"), about.get("server_mode")):
        raise Unsuitable("the store is a Redis Cluster, which dlnflow cannot use; set DLNFLOW_REDIS_URL to a single server or to sentinels")


def unix_url(socket: Path) -> str:
    """The address of a server that listens on `socket`, whatever characters its path has."""
    return f"unix://{quote(str(socket))}"


def connect(settings: Settings, **options: Any) -> redis.Redis:
    """A client of the store; with Sentinel, one that finds the new master by itself after a failover."""
    return cast(redis.Redis, _connect(redis.Redis, Sentinel, settings, options))


def connect_async(settings: Settings, **options: Any) -> redis.asyncio.Redis:
    """The same for asyncio."""
    return cast(redis.asyncio.Redis, _connect(redis.asyncio.Redis, redis.asyncio.sentinel.Sentinel, settings, options))


def _connect(plain: Any, sentinel: Any, settings: Settings, options: dict[str, Any]) -> Any:
    if not settings.redis_url.startswith(SENTINEL):
        return plain.from_url(settings.redis_url, **_tls(settings), **options)
    address = _parse(settings.redis_url)
    timeouts = {name: value for name, value in options.items() if name.startswith("socket_")}
    sentinels = sentinel(
        [(host.strip("[]"), int(port or SENTINEL_PORT)) for host, _, port in (node.rpartition(":") for node in address.nodes)],
        sentinel_kwargs=_sentinel_tls(settings) | timeouts,
    )
    return sentinels.master_for(
        settings.redis_master,
        username=address.username or None,
        password=address.password or None,
        db=int(address.database or 0),
        **_sentinel_tls(settings),
        **options,
    )


def broker(settings: Settings, **options: Any) -> dict[str, Any]:
    """Celery's settings for the same server; `options` are those of kombu's transport."""
    url = settings.redis_url.replace("unix://", "redis+socket://", 1)
    if url.startswith(SENTINEL):
        address = _parse(url)
        login, database = url.removeprefix(SENTINEL).rpartition("@")[0], f"/{address.database}" if address.database else ""
        url = ";".join(f"{SENTINEL}{login}{'@' if login else ''}{node}{database}" for node in address.nodes)
        options |= {"master_name": settings.redis_master, "sentinel_kwargs": _sentinel_tls(settings)}
    chosen = {"broker_url": url, "broker_transport_options": options}
    return chosen | ({"broker_use_ssl": _tls(settings)} if settings.redis_ca else {})


@dataclass(frozen=True)
class _Address:
    nodes: list[str]
    username: str
    password: str
    database: str


def _parse(url: str) -> _Address:
    login, _, rest = url.removeprefix(SENTINEL).rpartition("@")
    username, _, password = login.partition(":")
    nodes, _, database = rest.partition("/")
    whole = [node if re.search(r":\d+$", node) else f"{node}:{SENTINEL_PORT}" for node in nodes.split(";")]
    return _Address(whole, unquote(username), unquote(password), database)


def _tls(settings: Settings) -> dict[str, Any]:
    """The server's certificate must be signed by this authority, and name the host that was asked for."""
    if not settings.redis_ca:
        return {}
    return {"ssl_ca_certs": settings.redis_ca, "ssl_cert_reqs": "required", "ssl_check_hostname": True}


def _sentinel_tls(settings: Settings) -> dict[str, Any]:
    return _tls(settings) | ({"ssl": True} if settings.redis_ca else {})
