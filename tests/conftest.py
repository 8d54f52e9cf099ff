"""Parts that several folders of tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from service.embedded import await_server, server_command, socket_path
from store.jobs import JobStore
from tests.e2e.stack import Stack
from tests.processes import running


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", default="", help="program of the server to test with, in place of the one that the stack starts")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is slow begins first, so that nobody waits for it in the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[str]:
    """A real server, of the kind that the embedded stack starts, or the one of the option."""
    folder: Path = tmp_path_factory.mktemp("store")
    socket = socket_path(folder)
    with running(server_command(folder, socket, program=request.config.getoption("--store"))):
        await_server(f"unix://{socket}")
        yield f"unix://{socket}"


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """A connection to an empty server."""
    with redis.Redis.from_url(redis_url) as connection:
        connection.flushall()
        yield connection


@pytest.fixture
def store(client: redis.Redis) -> JobStore:
    """A store with a short queue."""
    return JobStore(client, max_queued=5)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One for all the tests that leave it whole."""
    started = Stack(tmp_path_factory.mktemp("stack") / "data").start()
    yield started
    started.close()


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """One of its own for a test that breaks it."""
    started = Stack(tmp_path / "data", DLNFLOW_WORKERS="1").start()
    yield started
    started.close()
