"""What the environment holds: proxies, keys, home. It does not come between a client and a service on the same machine."""

import os

import pytest

from dlnflow.client import AsyncClient, Client, DlnflowError, InvalidRequest, ServiceUnavailable, wire
from tests.client.records import record
from tests.client.stub import answer, stubbed

DEAD = "http://me:secret@127.0.0.1:9"
NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(wire, "FIRST_DELAY", 0.01)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "127.0.0.2", "127.1", "[::ffff:127.0.0.1]", "0.0.0.0"])
@pytest.mark.parametrize(
    "environment",
    [
        {"http_proxy": DEAD},
        {"HTTP_PROXY": DEAD, "ALL_PROXY": DEAD},
        {"all_proxy": "socks5://127.0.0.1:9"},
        {"http_proxy": "nonsense://x y"},
        {"http_proxy": DEAD, "no_proxy": "[::1]:x, ::1,10.0.0.0/8"},
    ],
    ids=str,
)
def test_no_proxy_stands_before_this_machine(host, environment, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with stubbed(lambda _: answer(200, record()), "0.0.0.0") as stub, Client(f"http://{host}:{stub.port}") as client:
        assert client.job("x").id == "x"


def test_nor_before_it_by_ipv6(monkeypatch):
    monkeypatch.setenv("http_proxy", DEAD)
    with stubbed(lambda _: answer(200, record()), "::1") as stub, Client(stub.url) as client:
        assert client.job("x").id == "x"


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_the_failure_of_a_proxy_names_it_and_not_its_password(name, monkeypatch):
    if name == "HTTP_PROXY" and os.environ.get("REQUEST_METHOD"):
        pytest.skip("a CGI script's HTTP_PROXY is a header")
    monkeypatch.setenv(name, DEAD)
    with pytest.raises(ServiceUnavailable, match=r"http://service\.example.*through the proxy http://127\.0\.0\.1:9\b") as error:
        Client("http://service.example").job("x")
    assert "secret" not in str(error.value) and "no_proxy" in str(error.value) and len(str(error.value).splitlines()) == 3


@pytest.mark.parametrize("status", [403, 407, 502, 301, 200])
def test_the_answer_of_a_proxy_names_it(status, monkeypatch):
    page = (status, {"Content-Type": "text/html", "Retry-After": "0"}, b"<html>Proxy</html>")
    with stubbed(lambda _: page) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        words = f"{status}.*http://service.example.*through the proxy {proxy.url}"
        with Client("http://service.example") as client, pytest.raises(DlnflowError, match=words):
            client.job("x")
        assert proxy.asked[0].path == "http://service.example/v1/jobs/x"


def test_certificates_that_are_not_there_are_not_missed_where_none_are_needed(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent.pem")
    with stubbed(lambda _: answer(200, record())) as stub, Client(stub.url) as client:
        assert client.job("x").id == "x"
    with pytest.raises(DlnflowError, match=r"there is no way to https://service\.example"):
        Client("https://service.example").job("x")


def test_what_no_proxy_names_is_not_said_to_go_through_one(monkeypatch):
    monkeypatch.setenv("http_proxy", DEAD)
    monkeypatch.setenv("no_proxy", "service.invalid")
    with pytest.raises(ServiceUnavailable) as error:
        Client("http://service.invalid").job("x")
    assert "proxy" not in str(error.value)


@pytest.mark.parametrize("proxy", ["socks5://me:secret@proxy:1080", "nonsense://me:secret@proxy"])
def test_a_proxy_that_cannot_be_used_is_named(proxy, monkeypatch):
    monkeypatch.setenv("all_proxy", proxy)
    with pytest.raises(DlnflowError, match=r"through the proxy .*//proxy") as error:
        Client("http://service.example").job("x")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("no_proxy", ["", "service.invalid"])
def test_a_proxy_that_is_not_on_the_way_is_none_of_its_business(no_proxy, monkeypatch):
    """As where a desktop sets all of them, and what SOCKS needs is not installed."""
    with stubbed(lambda _: answer(200, record())) as stub:
        monkeypatch.setenv("all_proxy", "socks5://proxy:1080")
        monkeypatch.setenv("https_proxy", "nonsense://proxy:1080")
        monkeypatch.setenv("no_proxy", no_proxy)
        if not no_proxy:
            monkeypatch.setenv("http_proxy", stub.url.removeprefix("http://"))
            with Client("http://service.invalid") as client:
                assert client.job("x").id == "x"
        else:
            with pytest.raises(ServiceUnavailable) as error, Client("http://service.invalid", retries=0) as client:
                client.job("x")
            assert "proxy" not in str(error.value)


@pytest.mark.parametrize("given", ["k3y\n", " k3y", "k3y\r\n", "\tk3y ", "\ufeffk3y"])
def test_blanks_around_a_key_are_no_part_of_it(given, monkeypatch):
    monkeypatch.setenv("DLNFLOW_API_KEY", given)
    with stubbed(lambda _: answer(200, record())) as stub:
        for client in (Client(stub.url), Client(stub.url, api_key=given)):
            with client:
                client.job("x")
    assert [asked.headers["Authorization"] for asked in stub.asked] == ["Bearer k3y"] * 2


@pytest.mark.parametrize("given", ["s3cret\nX-Other: 1", "s3cret s3cret", "s3cr€t", "s3cret\x00", "“s3cret”"])
def test_a_key_that_is_none_is_refused_and_not_shown(given):
    for kind in (Client, AsyncClient):
        with pytest.raises(InvalidRequest, match="api_key") as error:
            kind("http://127.0.0.1:9", api_key=given)
        assert "s3cr" not in str(error.value) and "s3cr" not in repr(error.value.args)


def test_a_blank_key_is_no_key():
    with stubbed(lambda _: answer(200, record())) as stub, Client(stub.url, api_key=" \n") as client:
        client.job("x")
    assert "Authorization" not in stub.asked[0].headers


def test_a_key_is_in_no_message_about_the_connection():
    with pytest.raises(ServiceUnavailable) as error:
        Client("http://127.0.0.1:9", api_key="s3cret").job("x")
    assert "s3cret" not in f"{error.value!r} {error.value.__cause__!r}"


def test_folders_may_begin_at_home(monkeypatch, tmp_path):
    from dlnflow import simulate
    from dlnflow.client import Result

    monkeypatch.setenv("HOME", str(tmp_path))
    found = simulate({"aspect_ratio": 1, "target": {"kind": "gaussian"}, "initial_scale": 1}, 1, dimension=20, replicas=2, times=[0, 1])
    found.save("~/r.npz")
    found.curves.save("~/c.csv")
    assert (tmp_path / "r.npz").exists() and (tmp_path / "c.csv").exists()
    assert Result.load("~/r.npz").request == found.request
