"""The service under a path of its own behind a real nginx, with the lines that the documents give, and in a real browser."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.stack import PROBLEM, QUICK, Stack, free_port, wait_until
from tests.page.conftest import browser
from tests.processes import running

__all__ = ["browser"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin"), reason="needs nginx: apt-get install nginx-light"
    ),
]

DOCUMENT = Path(__file__).parents[2] / "docs" / "deployment.md"
COMPARISON = {"kind": "comparison", "problem": PROBLEM, "horizon": 1.0, "accuracy": 0.1, "dimension": 60, "replicas": 4, "seed": 3}


@pytest.fixture(scope="module")
def fronts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of the service behind a proxy that takes the path off, and behind one that leaves it on."""
    folder = tmp_path_factory.mktemp("proxy")
    stack = Stack(folder / "data", DLNFLOW_ROOT_PATH="/dlnflow/").start()
    [written] = re.findall(r"```nginx\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    location = written.replace("127.0.0.1:8000/", f"127.0.0.1:{stack.port}/")
    ports = {"off": free_port(), "on": free_port()}
    locations = {"off": location, "on": location.replace(f":{stack.port}/;", f":{stack.port};")}
    servers = "\n".join(f"server {{ listen 127.0.0.1:{ports[name]}; {locations[name]} }}" for name in ports)
    places = " ".join(f"{name}_temp_path {folder / name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    settings = folder / "nginx.conf"
    user = "user root;" if os.getuid() == 0 else ""  # who may enter the test's folder
    settings.write_text(
        f"daemon off; {user} pid {folder / 'pid'}; error_log {folder / 'log'}; events {{}}\nhttp {{ access_log off; {places}\n{servers} }}"
    )
    try:
        with running(
            [shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin") or "", "-e", str(folder / "log"), "-c", str(settings)]
        ):
            addresses = {name: f"http://127.0.0.1:{port}/dlnflow/" for name, port in ports.items()}
            wait_until(lambda: _answers(addresses["on"] + "healthz"), 20, "nginx")
            yield addresses
    finally:
        stack.close()


def _answers(address: str) -> bool:
    try:
        return httpx2.get(address, timeout=60).status_code == 200
    except httpx2.TransportError:
        return False


@pytest.fixture(params=["off", "on"])
def front(request, fronts) -> str:
    return fronts[request.param]


def test_every_address_that_is_given_leads_back(front: str):
    def follow(address: str) -> httpx2.Response:
        answer = httpx2.get(urljoin(front, address), timeout=60)
        assert answer.status_code == 200, (address, answer.text)
        return answer

    for seed in (1, 2):
        submitted = httpx2.post(front + "v1/jobs", json=QUICK | {"seed": seed}, headers={"Prefer": "wait=30"}, timeout=60)
        assert submitted.headers["location"] == submitted.json()["links"]["self"]
        job = follow(submitted.headers["location"]).json()
    assert job["status"] == "succeeded"
    for address in job["links"].values():
        follow(address)
    page = httpx2.get(front + "v1/jobs?limit=1&kind=simulation", timeout=60).json()
    assert follow(page["next"]).json()["jobs"][0]["id"] != page["jobs"][0]["id"]
    compared = httpx2.post(front + "v1/jobs", json=COMPARISON, headers={"Prefer": "wait=30"}, timeout=60).json()
    jobs = follow(compared["links"]["comparison"]).json()["jobs"]
    assert {follow(one["links"]["self"]).json()["kind"] for one in jobs.values()} == {"dmft", "simulation"}
    rows = np.random.default_rng(0).standard_normal((20, 10))
    matrix = "\n".join(",".join(map(repr, row)) for row in rows.tolist())
    kept = httpx2.post(front + "v1/datasets", content=matrix, headers={"Content-Type": "text/csv"}, timeout=60)
    assert kept.json() | follow(kept.headers["location"]).json() == kept.json()


def test_a_slash_at_the_end_leads_back(front: str):
    for address in ("v1/jobs/?limit=1", "v1/limits/", "docs/", "v1/jobs//"):
        answer = httpx2.get(front + address, timeout=60)
        assert answer.status_code == 307
        there = httpx2.get(urljoin(front + address, answer.headers["location"]), timeout=60)
        assert (there.status_code, there.url.path) == (200, "/dlnflow/" + address.partition("?")[0].rstrip("/"))


def test_the_description_names_the_path(front: str):
    assert httpx2.get(front + "openapi.json", timeout=60).json()["servers"] == [{"url": "/dlnflow"}]


def test_a_data_set_may_be_as_long_as_the_service_takes(front: str):
    """nginx alone would refuse one megabyte, and the service has a limit of its own for this address."""
    rows = np.random.default_rng(1).standard_normal((4000, 30))
    matrix = "\n".join(",".join(map(repr, row)) for row in rows.tolist())
    assert 2_000_000 < len(matrix) < 32_000_000
    assert httpx2.post(front + "v1/datasets", content=matrix, headers={"Content-Type": "text/csv"}, timeout=60).status_code in (200, 201)


def test_the_page_works_in_a_browser(front: str, browser: Browser):
    page = browser.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("response", lambda answer: answer.status >= 400 and wrong.append(f"{answer.status} {answer.url}"))
    page.goto(f"{front}#form")
    page.wait_for_selector("body[data-ready]")
    assert f"{front}v1/jobs" in (page.locator("#curl").text_content() or "")
    page.uncheck("input[name=dmft]")
    page.click("#run")
    expect(page.locator("#shown li").first).to_contain_text("succeeded", timeout=30_000)
    expect(page.locator("#results")).to_be_visible()
    page.click("text=Interface")
    expect(page.get_by_text(re.compile("estimate")).first).to_be_visible(timeout=30_000)
    assert page.url == front + "docs"
    page.close()
    assert wrong == []
