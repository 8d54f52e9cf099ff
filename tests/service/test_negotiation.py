"""What a client takes and refuses is weighed as RFC 9110 says (12.4.2, 12.5): 0 is never, and the more exact name counts."""

import gzip

import pytest

from service.errors import Problem
from service.negotiation import accepts, choose
from tests.service.test_app import open_client, pings

__all__ = ["open_client", "pings"]


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("application/json;q=0, */*", "csv"),
        ("application/json;q=0.1, */*;q=0.5", "csv"),
        ("application/json;q=0, text/*;q=0, */*", "npz"),
        ("text/csv;q=0.5, text/*;q=0.9", "csv"),
        ("application/*, application/json;q=0", "npz"),
        ("text/csv, application/json", "csv"),
        ("application/json, text/csv", "json"),
        ("*/*;q=0.1", "json"),
    ],
)
def test_the_format_is_the_one_that_is_wished_for_most(accept, name):
    assert choose("curves", None, accept).name == name


@pytest.mark.parametrize(
    "accept", ["*/*;q=0", "application/json;q=0, text/csv;q=0, application/x-npz;q=0", "text/csv;q=0, text/*;q=0", "a;q=2"]
)
def test_what_is_refused_is_not_sent(accept):
    with pytest.raises(Problem) as caught:
        choose("curves", None, accept)
    assert caught.value.status == 406


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("gzip", True),
        ("GZIP, br", True),
        ("gzip;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, *", False),
        ("*;q=0", False),
        ("identity", False),
        ("notgzip", False),
        ("", False),
    ],
)
def test_a_coding_is_used_where_it_is_taken(store, open_client, header, taken):
    assert accepts(header, "gzip") is taken
    answer = open_client(store).get("/page/plotly.min.js", headers={"Accept-Encoding": header})
    assert (answer.headers.get("content-encoding") == "gzip") is taken
    assert answer.headers["vary"] == "Accept-Encoding"
    assert len(answer.content) > len(gzip.compress(b"")) * 1000
