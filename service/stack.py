"""The embedded stack: store, workers and API as one command."""

import fcntl
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from dlnflow.jobs.settings import Settings
from service.access import require_choice
from service.child import Child
from service.embedded import await_server, server_command, socket_path

CHECK_SECONDS = 0.2
LOCK_SECONDS = 5.0


def serve(settings: Settings) -> None:
    """Run everything until Ctrl-C or SIGTERM."""
    require_choice(settings)
    _require_free(settings.host, settings.port)
    stopping = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    children: list[Child] = []
    try:
        redis_url = settings.redis_url or _start_store(settings, children)
        _start_programs(settings, redis_url, children)
        print(f"dlnflow: serving on http://{settings.host}:{settings.port} (Ctrl-C stops)", file=sys.stderr, flush=True)
        while not stopping.wait(CHECK_SECONDS):
            for child in children:
                child.keep_alive()
    finally:
        for child in reversed(children):
            child.stop()


def _start_store(settings: Settings, children: list[Child]) -> str:
    """Start the embedded store on the data folder; returns its address."""
    folder = Path(settings.data).resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = _lock(folder)
    socket_file = socket_path(folder)
    redis_url = f"unix://{socket_file}"
    # The store holds the lock too: a new stack waits until the store of a killed one has written its data.
    store = Child(
        "store", server_command(folder, socket_file, settings.store_memory_mb), os.environ, death_signal=signal.SIGTERM, keep_open=(lock,)
    )
    children.append(store)
    store.start()
    await_server(redis_url, store.ended)
    return redis_url


def _start_programs(settings: Settings, redis_url: str, children: list[Child]) -> None:
    """Start the workers and the API."""
    environment = dict(os.environ) | {"DLNFLOW_REDIS_URL": redis_url}
    api = [sys.executable, "-m", "uvicorn", "--factory", "service.app:from_environment", "--log-level", "warning", "--no-server-header"]
    api += ["--host", settings.host, "--port", str(settings.port), "--timeout-graceful-shutdown", "3"]
    for name, command in (("worker", [sys.executable, "-m", "worker"]), ("API", api)):
        child = Child(name, command, environment)
        children.append(child)
        child.start()


def _lock(folder: Path) -> int:
    """Take the data folder for this stack alone; the file stays open as long as it is ours."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit(f"another dlnflow runs on {folder}; stop it or set DLNFLOW_DATA to another folder") from None
            time.sleep(0.1)


def _require_free(host: str, port: int) -> None:
    """Say it in words where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SystemExit(f"cannot listen on {host}:{port}: {error.strerror}; set DLNFLOW_PORT to another port") from None
