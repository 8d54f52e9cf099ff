"""Errors in the user's words: what is misspelt, misplaced or a word where an object stands."""

import pytest

import dlnflow
from dlnflow.cli import main
from dlnflow.client import InvalidRequest
from dlnflow.client.operations import as_request

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "gaussian"}, "initial_scale": 0.3}
JOB = {"kind": "dmft", "problem": PROBLEM, "horizon": 1}


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"kind": "dmtf"}, "kind", "did you mean dmft?"),
        ({"dimension": 100}, "dimension", "a dmft job has no dimension; did you mean simulation?"),
        ({"acuracy": 0.1}, "acuracy", "a dmft job has no acuracy; did you mean accuracy?"),
        ({"problem": PROBLEM | {"target": "gaussian"}}, "problem.target", '{"kind": "gaussian", …}'),
        ({"problem": PROBLEM | {"noise_sd": 0.1}}, "problem.noise_sd", "did you mean noise_std?"),
        ({"problem": PROBLEM | {"target": {"kind": "gausian"}}}, "problem.target.kind", "did you mean gaussian?"),
    ],
)
def test_what_was_meant_is_said(change, field, words):
    with pytest.raises(InvalidRequest) as refused:
        as_request(JOB | change, {})
    assert refused.value.fields == [field]
    assert words in str(refused.value) and len(str(refused.value).splitlines()) == 1


def test_a_word_for_a_target_is_explained_where_one_solves():
    with pytest.raises(InvalidRequest, match="an object is needed here"):
        dlnflow.solve(PROBLEM | {"target": "gaussian"}, 1)


def test_no_service_is_said_in_three_lines_with_its_address(capsys, monkeypatch):
    monkeypatch.setenv("DLNFLOW_URL", "http://127.0.0.1:9")
    assert main(["list"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3 and "http://127.0.0.1:9" in said[0]


def test_the_terminal_says_it_too(capsys):
    options = ["--aspect-ratio", "1", "--target", "gaussian", "--initial-scale", "1", "--horizon", "1"]
    assert main(["solve", "--kind", "dmft", "--dimension", "50", *options]) == 2
    assert "a dmft job has no dimension; did you mean simulation?" in capsys.readouterr().err
    assert main(["solve", "--kind", "dmtf", *options]) == 2
    assert "did you mean dmft?" in capsys.readouterr().err
