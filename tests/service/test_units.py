"""Units over HTTP: the numbers of the library, and errors that name the field."""

import pytest

from dlnflow import from_paper, to_paper
from dlnflow.units import Convention
from tests.service.test_app import open_client, pings

__all__ = ["open_client", "pings"]

PAPER = {"parametrisation": "difference", "depth": 3, "loss": "sum", "feature_std": 2, "dimension": 100, "samples": 50}
VALUES = {"alpha": 0.5, "step_size": 0.1, "steps": 40, "weight_decay": 0.01, "batch_size": 5, "weight": 1.5, "squared_error": 2}


def test_numbers_are_those_of_the_library_there_and_back(store, open_client):
    http = open_client(store)
    convention = Convention("difference", 3, "sum", 2)
    ours = http.post("/v1/units", json=PAPER | {"values": VALUES}).json()
    assert ours == {"values": from_paper(convention, dimension=100, samples=50, **VALUES), "aspect_ratio": 0.5}
    theirs = http.post("/v1/units", json=PAPER | {"values": ours["values"], "back": True}).json()["values"]
    assert theirs == to_paper(convention, dimension=100, samples=50, **ours["values"])
    assert theirs == pytest.approx(VALUES)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"depth": 1.5}, "depth"),
        ({"parametrisation": "product"}, "depth"),
        ({"parametrisation": "sum"}, "parametrisation"),
        ({"feature_std": 0}, "feature_std"),
        ({"dimension": 0}, "dimension"),
        ({"samples": 2.5}, "samples"),
        ({"values": {"alhpa": 1}}, "values.alhpa"),
        ({"values": {"depth: 2": 1}}, "values.depth: 2"),
        ({"values": {"dimension": 1}}, "values.dimension"),
        ({"values": {"samples": 1}}, "values.samples"),
        ({"values": {"convention": 1}}, "values.convention"),
        ({"values": {"depth": 1}}, "values.depth"),
        ({"values": {"steps": 3}}, "values.steps"),
        ({"values": {"alpha": "1"}}, "values.alpha"),
        ({"feature_std": 1e300}, "values"),
        ({"values": {"step_size": 1e300, "steps": 1e300}}, "values"),
        ({"other": 1}, "other"),
    ],
)
def test_what_is_wrong_is_named(store, open_client, change, field):
    answer = open_client(store).post("/v1/units", json=PAPER | {"values": VALUES} | change)
    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
