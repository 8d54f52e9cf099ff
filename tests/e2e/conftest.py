"""One stack for the tests that leave it whole, and one of its own for each test that breaks it."""

from collections.abc import Iterator

import pytest

from tests.e2e.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    started = Stack(tmp_path_factory.mktemp("e2e") / "data").start()
    yield started
    started.close()


@pytest.fixture
def own_stack(tmp_path) -> Iterator[Stack]:
    started = Stack(tmp_path / "data", DLNFLOW_WORKERS="1").start()
    yield started
    started.close()
