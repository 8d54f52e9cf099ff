"""The client against the real service, its retries against a transport that fails on purpose."""

import json
from collections.abc import Callable, Iterator
from dataclasses import fields

import httpx2
import numpy as np
import pytest

from dlnflow.client import ApiError, Client, InvalidRequest, JobFailed, ServiceUnavailable, WaitTimeout, wire
from dlnflow.model import GaussianTarget, Problem
from dlnflow.wire.requests import DmftRequest
from tests.client.records import client_of, record
from tests.e2e.stack import LONG, PROBLEM, QUICK, Stack


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    with Client(str(stack.client.base_url)) as connected:
        yield connected


def test_dmft_from_submit_to_arrays(client: Client):
    seen = []
    job = client.submit(kind="dmft", problem=PROBLEM, horizon=4.0, times=[0, 1, 2, 4], accuracy=0.02)
    curves = job.wait(timeout=60, on_progress=lambda j: seen.append(j.progress)).curves()
    assert curves.time.tolist() == [0, 1, 2, 4]
    assert all(np.isfinite(getattr(curves, f.name)).all() for f in fields(curves))
    assert curves.parameter_error[0] == pytest.approx(0.2, rel=1e-12)
    np.testing.assert_allclose(curves.test_loss, (curves.parameter_error + 0.01) / 2, rtol=1e-12)
    order = job.order_parameters()
    assert [c.given for c in order.conditional] == ["w*<0", "w*=0", "w*>0"]
    assert order.conditional[0].quantiles.shape == (5, 4)
    kernels = job.kernels()
    assert kernels.response.shape == (len(kernels.time),) * 2
    assert job.diagnostics()["outcome"] == "converged"
    assert client.job(job.id).finished


@pytest.mark.parametrize(
    "fields",
    [{"kind": "dmft", "accuracy": 1e-4}, {"kind": "simulation", "dimension": 2000, "replicas": 40}],
    ids=lambda fields: fields["kind"],
)
def test_curves_are_seen_before_the_job_has_finished(client: Client, fields):
    updates = list(client.submit(problem=PROBLEM, horizon=32.0, seed=78, **fields).stream())
    seen = [update for update in updates if update.curves is not None and not update.final]
    assert seen and {update.status for update in seen} == {"running"}
    assert all((np.diff(update.curves.time) > 0).all() and (update.curves.test_loss > 0).all() for update in seen)
    assert any(np.isfinite(update.curves.test_loss_stderr).all() for update in seen)  # error bars as soon as they are known
    last = updates[-1]
    assert last.status == "succeeded" and last.progress == 1 and last.final and np.isfinite(last.curves.test_loss_stderr).all()
    compared = np.interp(seen[-1].curves.time, last.curves.time, last.curves.test_loss)
    np.testing.assert_allclose(seen[-1].curves.test_loss, compared, rtol=0.1)  # a preview is of the same curve


def test_refusals_name_the_field(client: Client):
    with pytest.raises(InvalidRequest, match=r"^problem\.aspect_ratio: .* \(given: -1\)$"):
        client.submit(**QUICK | {"problem": PROBLEM | {"aspect_ratio": -1}})
    with pytest.raises(InvalidRequest, match="must not pass the horizon") as wrong:
        client.submit(**QUICK | {"times": [0, 2]})
    assert wrong.value.fields == ["times"]
    with pytest.raises(ApiError, match="404") as refusal:
        client.job("0" * 32)
    assert refusal.value.status == 404


def test_waiting_cancelling_and_failing(client: Client):
    job = client.submit(**LONG | {"seed": 77})
    with pytest.raises(WaitTimeout, match=job.id):
        job.wait(timeout=0.5)
    with pytest.raises(ApiError, match="409"):
        job.curves()
    job.cancel()
    with pytest.raises(JobFailed, match="cancelled"):
        job.wait(timeout=30)


def test_a_finished_job_is_deleted(client: Client):
    job = client.submit(**LONG | {"seed": 78})
    with pytest.raises(ApiError, match=r"409.*(running|queued)"):
        client.delete(job.id)
    job.cancel()
    client.delete(job.id)
    with pytest.raises(ApiError, match="410"):
        client.job(job.id)


def test_jobs_are_listed_newest_first(client: Client):
    submitted = [client.submit(**QUICK | {"seed": seed}).wait(timeout=30).id for seed in (401, 402)]
    listed = [job.id for job in client.jobs(status="succeeded", kind="simulation")]
    assert listed.index(submitted[1]) < listed.index(submitted[0])
    assert not set(listed) & {job.id for job in client.jobs(kind="dmft")}


def test_listing_follows_the_cursor():
    def handle(request: httpx2.Request) -> httpx2.Response:
        page = int(request.url.params.get("cursor", 0))
        assert request.url.params["kind"] == "dmft"
        return httpx2.Response(200, json={"jobs": [record(str(page))], "cursor": str(page + 1) if page < 2 else None})

    client = client_of(handle)
    assert [job.id for job in client.jobs(kind="dmft")] == ["0", "1", "2"]


def test_the_key_goes_with_every_request():
    keys: list[str] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        keys.append(request.headers["Authorization"])
        return httpx2.Response(200, json=record())

    client_of(handle, api_key="secret").job("x")
    assert keys == ["Bearer secret"]


def failing(times: int, answer: Callable[[], httpx2.Response]) -> tuple[Client, list[str]]:
    calls: list[str] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        calls.append(request.method)
        return answer() if len(calls) <= times else httpx2.Response(200, json=record())

    return client_of(handle), calls


def refused() -> httpx2.Response:
    raise httpx2.ConnectError("refused")


@pytest.mark.parametrize("answer", [lambda: httpx2.Response(503, headers={"Retry-After": "0"}), lambda: httpx2.Response(429), refused])
def test_retries_what_passes(answer, monkeypatch):
    monkeypatch.setattr(wire, "FIRST_DELAY", 0.01)
    client, calls = failing(2, answer)
    assert client.job("x").status == "queued"
    assert len(calls) == 3


def test_gives_up_with_a_clear_word(monkeypatch):
    monkeypatch.setattr(wire, "FIRST_DELAY", 0.01)
    client, calls = failing(9, refused)
    with pytest.raises(ServiceUnavailable, match="refused"):
        client.job("x")
    assert len(calls) == 3
    client, calls = failing(9, lambda: httpx2.Response(404, json={"code": "unknown_job", "detail": "no such job"}))
    with pytest.raises(ApiError, match="unknown_job"):
        client.job("x")
    assert len(calls) == 1


def test_requests_may_hold_models_and_arrays_and_leave_defaults_to_the_service():
    bodies: list[dict] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        bodies.append(json.loads(request.content))
        return httpx2.Response(202, json=record())

    client = client_of(handle)
    problem = Problem(aspect_ratio=0.5, target=GaussianTarget(), initial_scale=0.5)
    client.submit(DmftRequest(kind="dmft", problem=problem, horizon=2))
    client.submit(kind="dmft", problem=problem, horizon=2, times=np.array([0.5, 1.0]))
    assert bodies[0] == {"kind": "dmft", "problem": problem.model_dump(mode="json"), "horizon": 2}
    assert bodies[1] == bodies[0] | {"times": [0.5, 1.0]}
