"""What has become of a job, as those read it who wait without a thread."""

import asyncio

import pytest
import redis.asyncio

from dlnflow.wire.requests import job_id, request_adapter
from store import keys
from store.records import Outcome, outcome

REQUEST = request_adapter.validate_python(
    {
        "kind": "simulation",
        "problem": {"aspect_ratio": 1, "target": {"kind": "gaussian"}, "initial_scale": 1},
        "horizon": 1,
    }
)
ID = job_id(REQUEST)


@pytest.fixture
def look(redis_url):
    """The outcome of the job as it stands now."""

    async def read() -> Outcome:
        async with redis.asyncio.Redis.from_url(redis_url) as client:
            return await outcome(client, ID)

    return lambda: asyncio.run(read())


def test_a_job_is_unfinished_until_its_result_is_there(store, client, look):
    assert look() == Outcome(None, None)
    assert not look().unfinished  # nothing will become of a job that is not there
    store.submit(REQUEST)
    assert look() == Outcome("queued", None)
    assert look().unfinished
    attempt = store.claim("w")
    assert look() == Outcome("running", None)
    assert look().unfinished
    store.succeed(attempt, {"curves": b"c"})
    assert look() == Outcome("succeeded", client.hget(keys.job(ID), "finished_at"))
    assert look().version
    assert not look().unfinished


def test_a_result_that_is_not_kept_has_no_version(store, client, look):
    store.submit(REQUEST)
    store.succeed(store.claim("w"), {"curves": b"c"})
    client.delete(keys.result(ID))
    assert look() == Outcome("succeeded", None)


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_job_without_success_has_no_version(store, look, end):
    store.submit(REQUEST)
    attempt = store.claim("w")
    store.keep(attempt, "children", b"{}")  # a part that was stored before the end
    if end == "failed":
        store.fail(attempt, "diverged", "no")
    else:
        store.cancel(ID)
    assert (look(), look().unfinished) == (Outcome(end, None), False)


def test_another_run_has_another_version(store, client, look):
    store.submit(REQUEST)
    store.succeed(store.claim("w"), {"curves": b"c"})
    first = look().version
    store.delete(ID)
    assert look() == Outcome(None, None)
    store.submit(REQUEST)
    store.succeed(store.claim("w"), {"curves": b"d"})
    assert look().version not in (None, first)
