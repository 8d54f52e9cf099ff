"""The ways to a store: by Sentinel through a failover, and by TLS with a certificate that must be right."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery
from kombu.exceptions import OperationalError

from service.embedded import server_program
from store import keys
from store.server import broker, connect
from store.settings import Settings
from tests.ports import free_port
from tests.processes import running

PASSWORD = "a-password"


def eventually(works: Callable[[], object], seconds: float = 30) -> object:
    """The first answer; the last error where none comes in time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return works()
        except (redis.RedisError, OperationalError, AssertionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def send_and_receive(settings: Settings) -> str:
    """What a worker would read after the service sent a message, over one kombu connection each."""
    app = Celery("test")
    app.conf.update(broker(settings, socket_connect_timeout=2, socket_timeout=5))
    app.send_task(keys.TASK, ["job"], queue=keys.QUEUE, ignore_result=True, retry=False)
    with app.connection_for_read() as connection, connection.SimpleQueue(keys.QUEUE) as queue:
        message = queue.get(timeout=5)
        message.ack()
    app.close()
    return message.payload[0][0]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts servers by their configuration; all are gone at the end."""
    started: list[subprocess.Popen] = []

    def run(port: int, *lines: str, sentinel: bool = False) -> subprocess.Popen:
        folder = tmp_path / str(port)
        folder.mkdir()
        (folder / "conf").write_text("\n".join([f"port {port}", "bind 127.0.0.1", f"dir {folder}", *lines, ""]))
        command = [server_program(), str(folder / "conf"), *(["--sentinel"] if sentinel else [])]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


def test_sentinels_lead_to_the_new_master_after_a_failover(start):
    first, second, *sentinels = (free_port() for _ in range(5))
    auth = (f"requirepass {PASSWORD}", f"masterauth {PASSWORD}", "repl-diskless-sync-delay 0")
    master = start(first, *auth)
    start(second, *auth, f"replicaof 127.0.0.1 {first}")
    for port in sentinels:
        start(
            port,
            f"sentinel monitor store 127.0.0.1 {first} 2",
            f"sentinel auth-pass store {PASSWORD}",
            "sentinel down-after-milliseconds store 1000",
            "sentinel failover-timeout store 5000",
            sentinel=True,
        )
    url = f"sentinel://:{PASSWORD}@" + ";".join(f"127.0.0.1:{port}" for port in sentinels) + "/0"
    settings = Settings(redis_url=url, redis_master="store")
    client = connect(settings, socket_timeout=5)
    eventually(lambda: client.set("kept", "yes"))
    assert eventually(lambda: send_and_receive(settings)) == "job"
    eventually(lambda: _replicated(client))
    eventually(lambda: _knows_a_replica(sentinels))

    master.send_signal(signal.SIGKILL)

    def moved() -> bool:
        client.set("after", "failover")
        return True

    assert eventually(moved)
    assert client.get("kept") == b"yes"
    assert client.connection_pool.get_master_address() == ("127.0.0.1", second)
    assert eventually(lambda: send_and_receive(settings)) == "job"
    client.close()


def _replicated(client: redis.Redis) -> None:
    assert client.wait(1, 1000) == 1  # raises until a replica has what was written: its first synchronisation may take longer


def _knows_a_replica(sentinels: list[int]) -> None:
    for port in sentinels:
        with redis.Redis(port=port) as sentinel:
            state = sentinel.sentinel_master("store")
            assert state["num-slaves"] == 1 and state["num-other-sentinels"] == 2


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A certificate authority, and a server's certificate for `localhost` signed by it."""
    subprocess.run(["sh", str(Path(__file__).parents[2] / "deploy" / "certificates.sh"), str(tmp_path), "localhost"], check=True)
    return tmp_path


@pytest.fixture
def tls_port(redis_url: str, authority: Path) -> Iterator[int]:
    """Ends TLS before the test's store: the bundled server has none of its own."""
    port = free_port()
    command = [sys.executable, "-m", "tests.store.tls_relay", str(port), redis_url.removeprefix("unix://"), str(authority)]
    with running(command):
        eventually(lambda: _listens(port))
        yield port


def _listens(port: int) -> None:
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) == 0


def test_tls_with_the_right_authority(tls_port, authority):
    settings = Settings(redis_url=f"rediss://localhost:{tls_port}/0", redis_ca=str(authority / "ca.crt"))
    with connect(settings) as client:
        assert client.ping()
    assert send_and_receive(settings) == "job"


def test_tls_refuses_a_server_that_the_authority_did_not_sign(tls_port, authority, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    subprocess.run(["sh", str(Path(__file__).parents[2] / "deploy" / "certificates.sh"), str(other), "localhost"], check=True)
    settings = Settings(redis_url=f"rediss://localhost:{tls_port}/0", redis_ca=str(other / "ca.crt"))
    with pytest.raises(redis.ConnectionError, match="certificate"):
        connect(settings).ping()
    with pytest.raises(OperationalError, match="certificate"):
        send_and_receive(settings)


def test_tls_refuses_a_certificate_for_another_host(tls_port, authority):
    settings = Settings(redis_url=f"rediss://127.0.0.1:{tls_port}/0", redis_ca=str(authority / "ca.crt"))
    with pytest.raises(redis.ConnectionError, match="certificate"):
        connect(settings).ping()
    with pytest.raises(OperationalError, match="certificate"):
        send_and_receive(settings)
