import pytest

from store.jobs import JobStore
from tests.worker.attempts import REQUEST


@pytest.fixture
def queued(store: JobStore) -> JobStore:
    store.submit(REQUEST)
    return store
