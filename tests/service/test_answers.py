"""Answers that are documents: made once for a result, and not sent to those who have them."""

import asyncio

import pytest

from dlnflow.wire.requests import job_id, request_adapter
from service.answers import Wanted, cached, respond
from service.app import listen
from service.context import Context
from service.documents import Document
from store.settings import Settings
from tests.service.test_app import REQUEST

request = request_adapter.validate_python(REQUEST)
ID = job_id(request)
DOCUMENT = Document.of(b"body")


class Maker:
    """Makes documents that differ, and counts them."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> Document:
        self.made += 1
        return Document.of(b"%d" % self.made)


def ask(store, redis_url, *kinds: tuple[str, ...]) -> tuple[list[bytes], int]:
    """The bodies of documents that are asked for one after another, and how many were made."""

    async def read() -> list[bytes]:
        settings = Settings(redis_url=redis_url)
        async with listen(settings) as client:
            service = Context(settings, store, [].append, client, [].append)
            return [(await cached(service, ID, kind, make)).body for kind in kinds]

    make = Maker()
    return asyncio.run(read()), make.made


def test_a_document_of_a_result_is_made_once_for_each_kind(store, redis_url):
    store.submit(request)
    store.succeed(store.claim("w"), {"curves": b""})
    asked = [("curves", "json"), ("curves", "csv"), ("curves", "json"), ("curves", "csv")]
    assert ask(store, redis_url, *asked) == ([b"1", b"2", b"1", b"2"], 2)


def test_what_is_no_result_yet_is_made_anew(store, redis_url):
    assert ask(store, redis_url, ("curves", "json"), ("curves", "json")) == ([b"1", b"2"], 2)
    store.submit(request)
    store.claim("w")
    assert ask(store, redis_url, ("curves", "json"), ("curves", "json")) == ([b"1", b"2"], 2)


@pytest.mark.parametrize("has", [DOCUMENT.tag, f"W/{DOCUMENT.tag}", f'"other", {DOCUMENT.tag}', "*"])
def test_who_has_a_document_is_told_so(has):
    answer = respond(DOCUMENT, "text/csv", Wanted(if_none_match=has), "a.csv")
    assert (answer.status_code, answer.body, answer.headers["etag"]) == (304, b"", DOCUMENT.tag)
    assert "content-disposition" not in answer.headers


@pytest.mark.parametrize("has", [None, "", '"other"', DOCUMENT.tag.strip('"')])
def test_who_has_none_or_another_gets_it(has):
    answer = respond(DOCUMENT, "text/csv", Wanted(if_none_match=has), "a.csv")
    assert (answer.status_code, answer.body, answer.headers["content-type"]) == (200, b"body", "text/csv; charset=utf-8")
    assert answer.headers["content-disposition"] == 'attachment; filename="a.csv"'
    assert (answer.headers["vary"], answer.headers["cache-control"]) == ("Accept", "private, no-cache")


def test_what_is_to_be_shown_names_no_file():
    assert "content-disposition" not in respond(DOCUMENT, "image/png", Wanted()).headers
