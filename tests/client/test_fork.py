"""Clients in several processes, event loops and threads: nobody reads what was answered to another."""

import asyncio
import json
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from dlnflow.client import AsyncClient, Client
from tests.client.records import record
from tests.client.stub import Asked, Stub, answer, stubbed
from tests.e2e.stack import QUICK, Stack

ROOT = Path(__file__).parents[2]


def script(text: str, *arguments: str) -> str:
    """What a program of its own prints: it forks, which a process of many threads should not."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text, *arguments], capture_output=True, text=True, timeout=120, cwd=ROOT, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def echo(asked: Asked):
    """The record of the job that is asked for."""
    return answer(200, record(asked.path.rsplit("/", 1)[-1]))


FORKS = """
import os, sys
from dlnflow.client import Client
client = Client(sys.argv[1])
client.job("parent")
children = []
for number in range(4):
    if not (pid := os.fork()):
        for _ in range(5):
            assert client.job(f"child{number}").id == f"child{number}"
        os._exit(0)
    children.append(pid)
client.job("parent")
print([os.waitpid(pid, 0)[1] for pid in children])
"""

ASYNC_FORKS = """
import asyncio, os, sys
from dlnflow.client import AsyncClient
client = AsyncClient(sys.argv[1])
asyncio.run(client.job("parent"))
children = []
for number in range(4):
    if not (pid := os.fork()):
        assert asyncio.run(client.job(f"child{number}")).id == f"child{number}"
        os._exit(0)
    children.append(pid)
print([os.waitpid(pid, 0)[1] for pid in children])
"""


def ports(stub: Stub, name: str) -> set[int]:
    return {asked.port for asked in stub.asked if asked.path.endswith(name)}


@pytest.mark.parametrize("text", [FORKS, ASYNC_FORKS], ids=["client", "async client"])
def test_every_process_has_connections_of_its_own(text):
    with stubbed(echo) as stub:
        assert json.loads(script(text, stub.url)) == [0] * 4
        used = [ports(stub, name) for name in ("parent", "child0", "child1", "child2", "child3")]
    assert all(used) and len(set.union(*used)) == sum(map(len, used))


MANY = """
import os, sys
from dlnflow.client import Client
ids = sys.argv[2:]
client = Client(sys.argv[1])
expected = {i: client.job(i).curves().train_loss.tolist() for i in ids}
children = []
for _ in range(4):
    if not (pid := os.fork()):
        for turn in range(20):
            for i in ids:
                assert client.job(i).curves().train_loss.tolist() == expected[i]
        os._exit(0)
    children.append(pid)
print([os.waitpid(pid, 0)[1] for pid in children])
"""


def test_forked_children_read_their_own_curves(stack: Stack):
    ids = [stack.done(QUICK | {"seed": seed}) for seed in range(701, 705)]
    assert json.loads(script(MANY, str(stack.client.base_url), *ids)) == [0] * 4


STREAM = """
import os, sys
from dlnflow.client import Client
job = Client(sys.argv[1]).job("x")
updates = job.stream()
assert next(updates).message == "first"
pid = os.fork()
rest = [update.message for update in updates]
if not pid:
    assert "second" in rest, rest
    os._exit(0)
print([rest[0] == "second", os.waitpid(pid, 0)[1] == 0])
"""


def test_a_stream_goes_on_in_both_processes():
    again = threading.Event()  # the child has asked for what comes after the first event, which the parent reads on its own connection

    def serve(asked: Asked):
        if not asked.path.endswith("/events"):
            return answer(200, record(status="succeeded" if again.is_set() else "running", kind="theory"))
        seen = int(asked.headers.get("Last-Event-ID", "0"))
        if seen == 1:
            again.set()
        events = [event(number, name) for number, name in ((1, "first"), (2, "second")) if number > seen]
        return answer(200, "".join(events).encode(), Content_Type="text/event-stream")

    with stubbed(serve) as stub:
        assert json.loads(script(STREAM, stub.url).lower()) == [True, True]


def event(number: int, message: str) -> str:
    data = json.dumps({"status": "running", "progress": number / 10, "message": message})
    return f"id: {number}\nevent: progress\ndata: {data}\n\n"


GIVEN = """
import os, sys
import httpx2
from dlnflow.client import Client, DlnflowError
client = Client(http=httpx2.Client(base_url=sys.argv[1], timeout=60))
client.job("parent")
if not (pid := os.fork()):
    try:
        client.job("child")
    except DlnflowError as error:
        os._exit(0 if "another process" in str(error) else 2)
    os._exit(1)
print(os.waitpid(pid, 0)[1])
"""


def test_an_http_client_that_was_given_is_not_shared():
    with stubbed(echo) as stub:
        assert script(GIVEN, stub.url).strip() == "0"
        assert not ports(stub, "child")


def test_an_asynchronous_client_outlives_its_event_loop():
    async def twice(client: AsyncClient) -> list[str]:
        return [(await client.job(name)).id for name in ("a", "b")]

    with stubbed(echo) as stub:
        client, loops = AsyncClient(stub.url), [asyncio.new_event_loop() for _ in range(2)]
        for loop in [*loops, loops[0]]:
            assert loop.run_until_complete(twice(client)) == ["a", "b"]
        for loop in loops:
            loop.run_until_complete(client.close())
            loop.close()
        assert len({asked.port for asked in stub.asked}) == 2  # one connection for each, which is kept


def _look(job) -> str:
    return job.refresh().status


def test_clients_and_jobs_go_to_other_processes():
    with stubbed(echo) as stub:
        with Client(stub.url, api_key="k") as client:
            jobs = [client.job(str(number)) for number in range(3)]
            with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
                assert list(pool.map(_look, jobs)) == ["queued"] * 3
        assert {asked.headers.get("Authorization") for asked in stub.asked} == {"Bearer k"}


def test_threads_share_a_client():
    wrong: list[str] = []

    def read(client: Client, name: str) -> None:
        for _ in range(20):
            if client.job(name).id != name:
                wrong.append(name)

    with stubbed(echo) as stub, Client(stub.url) as client:
        threads = [threading.Thread(target=read, args=(client, f"t{number}")) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong
