"""Parts of the service are killed; no job is lost, none stays running for ever."""

from collections.abc import Iterator

import pytest

from tests.e2e.chaos import cancel_at_random, kill_under_load, kill_workers
from tests.e2e.stack import LONG, Stack

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chaotic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    started = Stack(tmp_path_factory.mktemp("chaos") / "data").start()
    yield started
    started.close()


def test_jobs_survive_workers_that_are_killed(chaotic: Stack):
    killed, attempts = kill_workers(chaotic, jobs=60, kills=3)
    assert killed == 3
    assert attempts >= 1


def test_jobs_survive_a_store_that_is_killed_and_the_api_says_503(chaotic: Stack):
    acknowledged, answers = kill_under_load(chaotic, "-server unixsocket", kills=1, first_seed=10_000)
    assert acknowledged > 5
    assert set(answers) <= {202, 429, 503}


def test_jobs_survive_an_api_that_is_killed(chaotic: Stack):
    acknowledged, answers = kill_under_load(chaotic, "uvicorn", kills=1, first_seed=20_000)
    assert acknowledged > 5
    assert set(answers) <= {202, 429, 503}


def test_jobs_that_are_cancelled_at_random_moments_end(chaotic: Stack):
    cancel_at_random(chaotic, LONG, jobs=12, first_seed=30_000)
