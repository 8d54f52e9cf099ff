"""Bodies and headers as editors, proxies and programs write them."""

import codecs
import gzip
import json
import zlib
from typing import Any

import pytest

from dlnflow.wire.requests import job_id, request_adapter
from service.headers import joined
from service.submission import read_request
from tests.service.test_app import REQUEST, open_client, pings

__all__ = ["open_client", "pings"]

BODY = json.dumps(REQUEST).encode()
ID = job_id(request_adapter.validate_python(REQUEST))
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("address", ["/v1/jobs", "/v1/estimate"])
def test_a_mark_of_utf_8_before_the_body_is_no_part_of_it(store, open_client, address):
    answer = open_client(store).post(address, content=codecs.BOM_UTF8 + BODY, headers=JSON)
    assert answer.status_code in (200, 202), answer.text
    assert answer.json().get("id", ID) == ID


@pytest.mark.parametrize(
    ("coding", "pack"),
    [("gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress), ("br", bytes), ("gzip, identity", bytes)],
)
@pytest.mark.parametrize(("address", "media_type"), [("/v1/jobs", "application/json"), ("/v1/datasets", "text/csv")])
def test_a_packed_body_is_refused_by_its_coding(store, open_client, address, media_type, coding, pack):
    """Also where it is not packed in truth."""
    http = open_client(store)
    answer = http.post(address, content=pack(BODY), headers={"Content-Type": media_type, "Content-Encoding": coding})
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity"), answer.text
    assert coding.lower() in answer.json()["detail"]
    assert http.post("/v1/jobs", content=BODY, headers=JSON | {"Content-Encoding": "identity"}).status_code == 202


FORM = b"--b\r\nContent-Disposition: form-data%b\r\n\r\n1,2\r\n--b--\r\n"


@pytest.mark.parametrize(
    ("boundary", "body"),
    [
        ("", FORM % b'; name="file"; filename="x.csv"'),
        ("; boundary=", FORM % b'; name="file"; filename="x.csv"'),
        ("; boundary=other", FORM % b'; name="file"; filename="x.csv"'),
        ("; boundary=b", FORM % b""),
        ("; boundary=b", FORM % b'; filename="x.csv"'),
        ("; boundary=b", FORM % b'; name="file"'),
        ("; boundary=b", FORM[:40] % b""),
        ("; boundary=b; charset=klingon", FORM % b'; name="\xff"'),
        ("; boundary=b", b""),
    ],
)
def test_what_is_no_form_is_refused(store, open_client, boundary, body):
    answer = open_client(store).post("/v1/datasets", content=body, headers={"Content-Type": f"multipart/form-data{boundary}"})
    assert (answer.status_code, answer.json()["field"]) == (422, "file"), answer.text


@pytest.mark.parametrize("codec", ["utf-16", "utf-32", "latin-1"])
def test_another_encoding_is_refused_in_words(store, open_client, codec):
    text = json.dumps(REQUEST | {"kind": "ä"}, ensure_ascii=False)
    answer = open_client(store).post("/v1/jobs", content=text.encode(codec), headers=JSON)
    assert (answer.status_code, "UTF-8" in answer.json()["hint"]) == (422, True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"kind": "dmft", "seed": 1, "seed": 2}', "seed"),
        ('{"kind": "dmft", "kind": "dmft"}', "kind"),
        ('{"problem": {"noise_std": 1, "aspect_ratio": 1, "noise_std": 1}}', "problem.noise_std"),
        ('{"base": {"kind": "dmft", "problem": {"target": {"std": 1, "std": 2}}}}', "base.problem.target.std"),
        ('{"axes": {"seed": [1], "seed": [2]}}', "axes.seed"),
        ('{"axes": {"problem.target": [{"std": 1}, {"std": 1, "std": 2}]}}', "axes.problem.target.1.std"),
        ('{"kind": "dmft", "\\u006bind": "theory"}', "kind"),
    ],
)
@pytest.mark.parametrize("address", ["/v1/jobs", "/v1/estimate"])
def test_of_two_values_for_one_key_none_is_chosen(store, open_client, address, body, field):
    answer = open_client(store).post(address, content=body, headers=JSON)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert "twice" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 50_000, b'{"seed": ' + b"9" * 5000 + b"}", b"\xff", b"", b"nan", b'{"a": 1e999}']
)
def test_what_is_no_json_is_a_422_as_before(store, open_client, body):
    assert open_client(store).post("/v1/jobs", content=body, headers=JSON).status_code == 422


def test_many_keys_are_read_fast():
    with pytest.raises(ValueError):
        read_request(json.dumps({str(number): 0 for number in range(60_000)}).encode())  # within the test's time


def test_a_list_may_take_several_lines(store, open_client):
    http = open_client(store)
    both = [("Prefer", "respond-async"), ("Prefer", "wait=1")]
    waited = http.post("/v1/jobs", json=REQUEST, headers=both)
    assert waited.headers.get("preference-applied") == "wait=1"
    assert http.get(f"/v1/jobs/{ID}", headers=both).headers.get("preference-applied") == "wait=1"
    assert http.get(f"/v1/jobs/{ID}", headers=[("Prefer", "wait=1"), ("Prefer", "wait=20")]).headers["preference-applied"] == "wait=1"


def test_formats_and_tags_may_take_several_lines(store, open_client):
    from tests.service.test_operations import finish

    http = open_client(store)
    http.post("/v1/jobs", json=REQUEST)
    finish(store)
    address = f"/v1/jobs/{ID}/curves"
    found = http.get(address, headers=[("Accept", "application/x-unknown"), ("Accept", "text/csv")])
    assert (found.status_code, found.headers["content-type"].split(";")[0]) == (200, "text/csv")
    known: list[tuple[str, Any]] = [("Accept", "text/csv"), ("If-None-Match", '"x"'), ("If-None-Match", found.headers["etag"])]
    assert http.get(address, headers=known).status_code == 304


def test_lines_of_other_headers_are_left_alone():
    headers = [(b"cookie", b"a"), (b"accept", b"x"), (b"cookie", b"b"), (b"accept", b"y;q=0")]
    assert joined(headers) == [(b"cookie", b"a"), (b"cookie", b"b"), (b"accept", b"x, y;q=0")]


def test_halves_of_characters_are_refused_and_shown_as_they_can_be(store, open_client):
    for body in ('{"kind": "\\ud800"}', '{"\\ud800": 1, "\\ud800": 2}', '{"kind": "theory", "\\udfff": 1}'):
        answer = open_client(store).post("/v1/jobs", content=body, headers=JSON)
        assert answer.status_code == 422, answer.text
