"""A store that answers and refuses: 503, with the reason and when to come back, and what is there can be read."""

import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from starlette.testclient import TestClient

from service import keys
from service.app import connect, create_app, listen
from service.context import Context
from service.embedded import await_server, server_command
from service.queue import Messages
from store import trouble
from store.jobs import JobStore
from store.server import unix_url
from store.settings import Settings
from tests.processes import running
from tests.service.test_app import REQUEST

FILE_BYTES = 60_000  # of the largest file that the server of these tests may write: the same as a full disk, and needs no mount


def _no_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[redis.Redis]:
    """A server of one's own, on a disk that is almost full."""
    socket = tmp_path / "store.sock"
    with running(server_command(tmp_path, socket), preexec_fn=_no_room), redis.Redis(unix_socket_path=str(socket)) as client:
        await_server(unix_url(socket))
        yield client


def fill_disk(client: redis.Redis) -> None:
    with pytest.raises(redis.ResponseError, match="MISCONF"):
        for number in range(1000):
            client.set(f"ballast:{number}", b"x" * 2000)
            time.sleep(0.01)


def fill_memory(client: redis.Redis) -> None:
    client.config_set("maxmemory", 1)


def become_a_copy(client: redis.Redis) -> None:
    client.execute_command("REPLICAOF", "127.0.0.1", "1")


def lose_the_original(client: redis.Redis) -> None:
    client.config_set("replica-serve-stale-data", "no")
    become_a_copy(client)


def want_copies(client: redis.Redis) -> None:
    client.config_set("min-replicas-to-write", 1)


def change_the_password(client: redis.Redis) -> None:
    client.config_set("requirepass", "another")
    client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def forbid_writing(client: redis.Redis) -> None:
    client.execute_command("ACL", "SETUSER", "default", "-@write")


REFUSALS = [fill_disk, fill_memory, become_a_copy, lose_the_original, want_copies, change_the_password, forbid_writing]


@contextmanager
def serving_on(server: redis.Redis, **changed: object) -> Iterator[TestClient]:
    """The real application on this server, messages and all."""
    path = server.connection_pool.connection_kwargs["path"]
    settings = Settings(redis_url=unix_url(Path(path)), **changed)
    messages = Messages(settings)
    context = Context(settings, connect(settings), messages.announce, listen(settings), messages.ping)
    with TestClient(create_app(context), raise_server_exceptions=False) as http:
        yield http


@pytest.mark.parametrize("refuse", REFUSALS)
@pytest.mark.parametrize("auth", ["", "open"])
def test_what_a_store_refuses_is_a_503_with_the_reason(server, refuse: Callable[[redis.Redis], None], auth: str):
    with serving_on(server, auth=auth) as http:
        job = http.post("/v1/jobs", json=REQUEST).json()
        store = JobStore(server)
        store.workers.greet("w", 1)
        store.claim("w")  # all slots are taken: a worker need not answer for readiness
        assert http.get("/readyz").status_code == 200
        refuse(server)
        answers = [http.post("/v1/jobs", json=REQUEST | {"seed": 1}), http.get("/readyz"), http.delete(f"/v1/jobs/{job['id']}")]
        if refuse is fill_memory:
            assert answers.pop().status_code == 200  # what makes room is possible
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), (answer.request, answer.text)
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json()["detail"].startswith("the store")
        if refuse not in (lose_the_original, change_the_password):
            assert http.get(f"/v1/jobs/{job['id']}").json()["id"] == job["id"]
            assert http.get("/v1/jobs").status_code == 200


def test_with_keys_a_read_only_store_can_be_read(server):
    key = {"Authorization": f"Bearer {keys.create(server, 'ada')}"}
    with serving_on(server, auth="keys") as http:
        become_a_copy(server)
        assert http.get("/v1/jobs", headers=key).status_code == 200
        assert http.get("/v1/jobs").status_code == 401


def test_a_store_that_takes_changes_again_takes_jobs_again(server):
    with serving_on(server) as http:
        become_a_copy(server)
        assert http.post("/v1/jobs", json=REQUEST).status_code == 503
        server.execute_command("REPLICAOF", "NO", "ONE")
        assert http.post("/v1/jobs", json=REQUEST).status_code == 202


def test_a_message_that_is_refused_is_sent_later_and_the_job_is_kept(server, monkeypatch, caplog):
    with serving_on(server) as http:
        submit = JobStore.submit

        def submit_and_fill(self: JobStore, *arguments: object) -> str:
            outcome = submit(self, *arguments)
            become_a_copy(server)
            return outcome

        monkeypatch.setattr(JobStore, "submit", submit_and_fill)
        answer = http.post("/v1/jobs", json=REQUEST)
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert "a worker will send it" in caplog.text


def test_a_server_that_loads_its_data_is_waited_for():
    """One that says so for as long as it takes: here, a server that does nothing else."""

    def load(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            while connection.recv(4096):
                connection.sendall(b"-LOADING the dataset in memory\r\n" * 4)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=load, args=(listening,), daemon=True).start()
        client = redis.Redis(port=listening.getsockname()[1], retry=None)
        with pytest.raises(redis.RedisError) as refusal:
            client.ping()
        client.close()
    assert trouble.meaning(refusal.value) == "the store is still loading its data"


def test_what_says_nothing_about_the_server_has_no_meaning():
    for error in (redis.ResponseError("WRONGTYPE Operation against a key"), redis.DataError("x"), ValueError("MISCONF")):
        assert trouble.meaning(error) is None
