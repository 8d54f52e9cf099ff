"""The embedded stack: store, workers and API as one command."""

import errno
import fcntl
import os
import signal
import socket
import sys
import time
from pathlib import Path
from threading import Event
from types import FrameType

from service.access import require_choice
from service.child import Child
from service.embedded import (
    DAMAGING,
    Stopped,
    await_server,
    find_server,
    note_writer,
    require_readable,
    server_command,
    socket_path,
)
from store import settings as environment
from store import start
from store.server import unix_url
from store.settings import Settings

CHECK_SECONDS = 0.2
LOCK_SECONDS = 5.0


def serve(settings: Settings) -> None:
    """Run everything until Ctrl-C or SIGTERM, at any moment."""
    stopping = Event()

    def stop(_: int, __: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    require_choice(settings)
    _require_free(settings.host, settings.port)
    children: list[Child] = []
    try:
        redis_url = _given_store(settings) or _start_store(settings, children, stopping)
        if not stopping.is_set():
            _start_programs(settings, redis_url, children)
        said = False
        while not stopping.wait(CHECK_SECONDS):
            for child in children:
                child.keep_alive()
            if not said and _answers(settings.host, settings.port):
                said = True
                print(f"dlnflow: serving on {address(settings)} (Ctrl-C stops)", file=sys.stderr, flush=True)
    except Stopped:
        pass
    finally:
        for child in reversed(children):
            child.stop()


def address(settings: Settings) -> str:
    """Where the service is found."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def _answers(host: str, port: int) -> bool:
    """Whether the API listens there; that of all addresses listens on this machine's own."""
    try:
        socket.create_connection(({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port), timeout=1).close()
    except OSError:
        return False
    return True


def _given_store(settings: Settings) -> str:
    """The address of the store that is to be used, '' where one is to be started."""
    if settings.redis_url:
        start.require_suitable_store(settings)
    return settings.redis_url


def _start_store(settings: Settings, children: list[Child], stopping: Event) -> str:
    """Start the embedded store on the data folder; returns its address."""
    folder = _folder(settings.data)
    lock = _lock(folder, stopping)
    server = find_server()
    require_readable(folder, server)
    socket_file = socket_path(folder)
    # The store holds the lock too: a new stack waits until the store of a killed one has written its data.
    store = Child(
        "store",
        server_command(folder, socket_file, settings.store_memory_mb, server.program),
        os.environ,
        death_signal=signal.SIGTERM,
        keep_open=(lock,),
        hide=DAMAGING,
    )
    children.append(store)
    store.start()
    await_server(unix_url(socket_file), store.ended, stopping)
    note_writer(folder, server)
    return unix_url(socket_file)


def _folder(data: str) -> Path:
    """The data folder; ends the program where nothing can be kept there."""
    folder = Path(data).resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error.strerror or str(error)) from None
    return folder


def _unusable(folder: Path, reason: str) -> SystemExit:
    return SystemExit(f"jobs cannot be kept in {folder}: {reason}; set DLNFLOW_DATA to a folder that this user may write")


def _start_programs(settings: Settings, redis_url: str, children: list[Child]) -> None:
    """Start the workers and the API; this process has warned of variables that are no settings."""
    ours = {name: value for name, value in os.environ.items() if name not in environment.unknown()}
    api = [sys.executable, "-m", "uvicorn", "--factory", "service.app:from_environment", "--log-level", "warning", "--no-server-header"]
    api += ["--host", settings.host, "--port", str(settings.port), "--timeout-graceful-shutdown", "3"]
    for name, command in (("worker", [sys.executable, "-m", "worker"]), ("API", api)):
        child = Child(name, command, ours | {"DLNFLOW_REDIS_URL": redis_url})
        children.append(child)
        child.start()


def _lock(folder: Path, stopping: Event) -> int:
    """Take the data folder for this stack alone; the file stays open as long as it is ours."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unusable(folder, f"{error.strerror}: lock") from None
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit(f"another dlnflow runs on {folder}; stop it or set DLNFLOW_DATA to another folder") from None
            if stopping.wait(0.1):
                raise Stopped from None


def _require_free(host: str, port: int) -> None:
    """Say it in words where nobody can listen there."""
    try:
        family, kind, protocol, _, name = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise SystemExit(f"{host} is no address of this machine: {error.strerror}; set DLNFLOW_HOST to another one") from None
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(name)
        except OSError as error:
            of_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
            remedy = "DLNFLOW_PORT to another port" if of_port else "DLNFLOW_HOST to another address"
            raise SystemExit(f"cannot listen on {host}:{port}: {error.strerror}; set {remedy}") from None
