"""What is not the service's answer, and ids and addresses that cannot be right: a DlnflowError that says where."""

import json

import httpx2
import numpy as np
import pytest

from dlnflow.cli import main
from dlnflow.client import ApiError, AsyncClient, Client, DlnflowError, InvalidRequest, ServiceUnavailable, wire
from tests.client.records import on_both, record
from tests.client.stub import answer, stubbed

HTML = b"<html><head><title>Sign in</title></head><body>Please sign in</body></html>"
PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "gaussian"}, "initial_scale": 0.5}

FOREIGN = {
    "moved": lambda: httpx2.Response(301, headers={"Location": "https://elsewhere/login"}),
    "a redirect without an address": lambda: httpx2.Response(302),
    "not modified": lambda: httpx2.Response(304),
    "a login page": lambda: httpx2.Response(200, headers={"Content-Type": "text/html"}, content=HTML),
    "a forbidding page": lambda: httpx2.Response(403, headers={"Content-Type": "text/html"}, content=HTML),
    "nothing": lambda: httpx2.Response(204),
    "an empty page": lambda: httpx2.Response(200, content=b""),
    "a list": lambda: httpx2.Response(200, json=[1, 2]),
    "a number": lambda: httpx2.Response(200, json=3),
    "null": lambda: httpx2.Response(200, json=None),
    "another program's JSON": lambda: httpx2.Response(200, json={"message": "hello"}),
    "another program's refusal": lambda: httpx2.Response(404, json={"detail": "Not Found"}),
    "another program's list of errors": lambda: httpx2.Response(422, json={"detail": [{"loc": ["body"], "msg": "x"}]}),
    "a refusal that is a list": lambda: httpx2.Response(400, json=["no"]),
    "a record with a number as its id": lambda: httpx2.Response(200, json=record() | {"id": 5}),
    "a record in an unknown state": lambda: httpx2.Response(200, json=record(status="frozen")),
    "the record of another job": lambda: httpx2.Response(200, json=record("y")),
    "cut off": lambda: httpx2.Response(200, content=json.dumps(record()).encode()[:-3]),
    "bytes": lambda: httpx2.Response(200, content=b"\xff\xfe\x00\x01"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_the_service_would_not_answer_is_said_with_address_and_status(name):
    for error in on_both(lambda _: FOREIGN[name](), lambda client: client.job("x")):
        assert isinstance(error, ApiError), error
        assert (error.code, error.status) == ("not_the_service", FOREIGN[name]().status_code)
        assert error.address == "http://service/v1/jobs/x" and error.address in str(error)


CALLS = {
    "submit": lambda client: client.submit(kind="theory", problem=PROBLEM),
    "estimate": lambda client: client.estimate(kind="theory", problem=PROBLEM),
    "limits": lambda client: client.limits(),
    "datasets": lambda client: client.datasets(),
    "upload": lambda client: client.upload(np.random.default_rng(0).normal(size=(20, 12))),
    "cancel": lambda client: client.cancel("x"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", ["moved", "a login page", "a list", "null"])
def test_every_call_looks_at_its_answer(call, name):
    for error in on_both(lambda _: FOREIGN[name](), CALLS[call]):
        assert isinstance(error, ApiError) and error.code == "not_the_service", error


def test_a_list_of_jobs_is_looked_at():
    async def listed(client):
        return [job async for job in client.jobs()]

    errors = on_both(
        lambda _: httpx2.Response(200, json={"jobs": [{"id": "x"}], "cursor": None}),
        lambda client: listed(client) if isinstance(client, AsyncClient) else list(client.jobs()),
    )
    assert [error.code for error in errors] == ["not_the_service"] * 2


@pytest.mark.parametrize("part", ["curves", "order_parameters", "kernels", "diagnostics", "result"])
@pytest.mark.parametrize("content", [HTML, b"", b"PK\x03\x04", b"[1]"])
def test_parts_of_a_result_are_looked_at(part, content):
    done = record(status="succeeded", links={"curves": "", "order-parameters": "", "diagnostics": ""})

    def handle(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=done) if request.url.path == "/v1/jobs/x" else httpx2.Response(200, content=content)

    async def use(client):
        return await getattr(await client.job("x"), part)()

    errors = on_both(handle, lambda client: use(client) if isinstance(client, AsyncClient) else getattr(client.job("x"), part)())
    for error in errors:
        assert isinstance(error, ApiError) and error.code == "not_the_service" and "http://service" in str(error), error


def test_a_result_without_its_parts_is_said():
    errors = on_both(lambda _: httpx2.Response(200, json=record(status="succeeded")), lambda client: _result(client))
    assert [error.code for error in errors] == ["not_the_service"] * 2


def _result(client):
    async def use():
        return await (await client.job("x")).result()

    return use() if isinstance(client, AsyncClient) else client.job("x").result()


@pytest.mark.parametrize("events", [HTML, b"data: [1]\n\n", b"data: {\n\n", b'event: curve\ndata: {"time": "x"}\n\n'])
def test_a_stream_of_something_else_is_done_without(events):
    looks: list[str] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/events"):
            kind = "text/html" if events is HTML else "text/event-stream"
            return httpx2.Response(200, headers={"Content-Type": kind}, content=events)
        looks.append("")
        return httpx2.Response(200, json=record(status="running" if len(looks) < 3 else "succeeded", kind="theory"))

    async def use(client):
        return [update.status async for update in (await client.job("x")).stream()]

    for found in on_both(handle, lambda c: use(c) if isinstance(c, AsyncClient) else [u.status for u in c.job("x").stream()]):
        assert found[-1] == "succeeded"
        looks.clear()


def test_a_body_that_cannot_be_unpacked_is_said(monkeypatch):
    monkeypatch.setattr(wire, "FIRST_DELAY", 0.01)
    packed = (200, {"Content-Encoding": "gzip"}, b"no gzip")
    with stubbed(lambda _: packed) as stub, Client(stub.url) as client, pytest.raises(DlnflowError, match=stub.url):
        client.job("x")


IDS = ["", " ", ".", "..", None, 5, b"x", ["x"]]


@pytest.mark.parametrize("job_id", IDS, ids=repr)
def test_what_is_no_id_is_refused_before_it_is_sent(job_id):
    sent: list[str] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.url.path)
        return httpx2.Response(200, json=record())

    for call in (lambda c: c.job(job_id), lambda c: c.cancel(job_id), lambda c: c.delete_dataset(job_id)):
        for error in on_both(handle, call):
            assert isinstance(error, InvalidRequest) and error.fields[0].endswith("_id"), error
    assert not sent


@pytest.mark.parametrize("job_id", ["../limits", "a?b", "a#b", "a/b", "a b", "%2e%2e", "ü", "a\\b", "..;", "a\nb", "\ud800", "x" * 5000])
def test_ids_are_quoted(job_id):
    with stubbed(lambda _: answer(404, {"code": "unknown_job", "detail": "no such job"})) as stub, Client(stub.url) as client:
        for call in (client.job, client.cancel, client.delete_dataset):
            with pytest.raises(ApiError, match="unknown_job"):
                call(job_id)
        for asked in stub.asked:
            assert asked.path.startswith(("/v1/jobs/", "/v1/datasets/")) and len(asked.path.split("/")) == 4
            assert not set(asked.path) & set("?# ") and asked.path.isascii()


def test_blanks_around_an_id_are_no_part_of_it():
    assert [found.id for found in on_both(lambda _: httpx2.Response(200, json=record()), lambda client: client.job(" x\n"))] == ["x", "x"]


BAD_URLS = {
    "http://::1:8202": r"http://\[::1\]:8202",
    "http://::1": r"http://\[::1\]",
    "http://fe80::1:2:8000/x": r"http://\[fe80::1:2\]:8000",
    "::1:8202": r"http://\[::1\]:8202",
    "localhost:8000": "http://127.0.0.1:8000",
    "127.0.0.1:8000": "does not begin with http://",
    "http://": "does not begin",
    "ftp://host": "does not begin",
    "//host": "does not begin",
    "http://host:port": "Invalid port",
    "http://host:99999": "no such port",
    "http://host name": "no such port or machine",
    "http://[::1": "no address",
    "http://host/?a=b": "query",
    "http://host/#top": "fragment",
    "http://a\nb": "no address",
    "\ud800": "no address",
}


@pytest.mark.parametrize("url", BAD_URLS, ids=ascii)
def test_an_address_that_cannot_be_right_is_refused_with_one_that_can(url, monkeypatch, capsys):
    for kind in (Client, AsyncClient):
        with pytest.raises(InvalidRequest, match=BAD_URLS[url]) as error:
            kind(url)
        assert error.value.fields == ["url"]
    assert main(["--url", url, "list"]) == 2
    assert capsys.readouterr().err.startswith("dlnflow: url: ")


def test_passwords_in_addresses_are_not_shown():
    for url in ("http://me:se/cret@host:x", "ftp://me:secret@host", "http://me:secret@host:99999"):
        with pytest.raises(InvalidRequest) as error:
            Client(url)
        assert "cret" not in str(error.value)
    assert repr(Client("http://me:secret@host:1/a")) == "<Client http://host:1/a>"


def test_a_password_in_the_address_leaves_room_for_the_key():
    with stubbed(lambda _: answer(200, record())) as stub, Client(stub.url.replace("//", "//me:secret@"), api_key="k") as client:
        client.job("x")
    assert stub.asked[0].headers["Authorization"].startswith("Basic ")
    assert stub.asked[0].headers["X-API-Key"] == "k"


@pytest.mark.parametrize("ending", ["/", "//", "/dlnflow", "/dlnflow/"])
def test_addresses_may_have_a_prefix_and_end_in_slashes(ending):
    with stubbed(lambda _: answer(200, record())) as stub, Client(f" {stub.url}{ending}\n") as client:
        client.job("x")
    assert stub.asked[0].path == ("/dlnflow" if "dlnflow" in ending else "") + "/v1/jobs/x" or ending == "//"


def test_ipv6():
    with stubbed(lambda _: answer(200, record()), "::1") as stub, Client(stub.url) as client:
        assert client.job("x").status == "queued"


def test_a_service_that_is_down_is_said_in_three_lines(monkeypatch, capsys):
    monkeypatch.setattr(wire, "FIRST_DELAY", 0.01)
    with pytest.raises(ServiceUnavailable) as error:
        Client("http://127.0.0.1:9").job("x")
    first, second, third = str(error.value).splitlines()
    assert "http://127.0.0.1:9" in first and "refused" in first
    assert "make serve" in second and "DLNFLOW_URL" in second
    assert "dlnflow.solve" in third
    assert main(["--url", "http://127.0.0.1:9", "list"]) == 1
    assert "http://127.0.0.1:9" in capsys.readouterr().err


def test_a_client_that_was_closed_says_so():
    client = Client("http://127.0.0.1:9")
    client.close()
    with pytest.raises(DlnflowError, match="closed"):
        client.job("x")
