"""The command line, from words to tables and files."""

import json
from argparse import ArgumentTypeError

import pytest

from dlnflow.cli import main
from dlnflow.cli.problem import target
from dlnflow.model import Target, members
from tests.e2e.stack import LONG, QUICK, Stack

OPTIONS = ["--aspect-ratio", "0.5", "--target", "bernoulli_gauss:0.2", "--noise-std", "0.1", "--initial-scale", "0.5"]
OPTIONS += ["--horizon", "1", "--times", "0,0.5,1"]
SIMULATION = [*OPTIONS, "--kind", "simulation", "--dimension", "60", "--replicas", "2"]


@pytest.fixture
def service(stack: Stack, monkeypatch) -> Stack:
    monkeypatch.setenv("DLNFLOW_URL", str(stack.client.base_url))
    return stack


def lines(capsys) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_from_options_to_table_plot_and_files(service: Stack, capsys, tmp_path):
    assert main(["submit", *SIMULATION, "--seed", "601"]) == 0
    (job_id,) = lines(capsys)
    assert main(["wait", job_id]) == 0
    assert "succeeded 100%" in lines(capsys)[0]
    assert main(["curves", job_id]) == 0
    table = lines(capsys)
    assert len(table) == 5 and table[0].split()[:2] == ["time", "train_loss"]
    assert main(["--json", "curves", job_id]) == 0
    assert json.loads(lines(capsys)[0])["time"] == [0, 0.5, 1]
    assert main(["curves", job_id, "-o", str(tmp_path / "c.csv")]) == 0
    assert (tmp_path / "c.csv").read_text().startswith("time,train_loss,")
    assert main(["plot", job_id]) == 0
    drawn = capsys.readouterr().out
    assert "test_loss" in drawn and any("⠀" < mark <= "⣿" for mark in drawn)
    assert main(["plot", job_id, "-o", str(tmp_path / "c.svg")]) == 0
    assert "<svg" in (tmp_path / "c.svg").read_text()
    assert main(["list", "--kind", "simulation", "--json"]) == 0
    assert job_id in [job["id"] for job in json.loads(lines(capsys)[0])]


@pytest.mark.parametrize("ending", ["toml", "json"])
def test_files_hold_jobs_or_problems_and_options_win(service: Stack, capsys, tmp_path, ending):
    path = tmp_path / f"problem.{ending}"
    if ending == "toml":
        path.write_text('aspect_ratio = 0.5\ninitial_scale = 0.5\n[target]\nkind = "gaussian"\nstd = 2.0\n')
    else:
        path.write_text('{"problem": {"aspect_ratio": 0.5, "initial_scale": 0.5, "target": {"kind": "gaussian", "std": 2.0}}}')
    extra = ["--kind", "simulation", "--horizon", "1", "--dimension", "50", "--replicas", "2", "--json"]
    extra += ["--set", "design.kind=rademacher", "--initial-scale", "0.7"]
    assert main(["submit", str(path), *extra]) == 0
    request = json.loads(lines(capsys)[0])["request"]
    assert (request["problem"]["target"]["std"], request["problem"]["initial_scale"]) == (2, 0.7)
    assert request["design"]["kind"] == "rademacher"


def test_solving_needs_no_service(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("DLNFLOW_URL", "http://127.0.0.1:9")
    assert main(["solve", *OPTIONS, "--accuracy", "0.1"]) == 0
    assert lines(capsys)[1].split()[0] == "0"
    assert main(["solve", *SIMULATION, "-o", str(tmp_path / "r.npz")]) == 0
    assert (tmp_path / "r.npz").stat().st_size > 1000
    assert main(["solve", *OPTIONS, "--target", "laplace:0.5", "--accuracy", "0.1"]) == 0
    assert float(lines(capsys)[1].split()[5]) == pytest.approx(0.25)  # the parameter error at t = 0


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("gaussian", {}),
        ("gaussian:2", {"std": 2}),
        ("bernoulli_gauss:0.1:2", {"density": 0.1, "std": 2}),
        ("discrete:-1@0.5,2@0.5", {"atoms": [-1, 2], "probabilities": [0.5, 0.5]}),
        ("laplace:2", {"std": 2}),
        ("student_t:5", {"degrees_of_freedom": 5}),
        ("uniform:-1:2", {"low": -1, "high": 2}),
        ("values:0,1,-2.5", {"values": [0, 1, -2.5]}),
    ],
)
def test_every_law_of_teacher_weights_has_a_short_form(text, document):
    assert target(text) == {"kind": text.partition(":")[0]} | document


def test_what_is_no_law_is_answered_with_all_of_them():
    with pytest.raises(ArgumentTypeError) as refused:
        target("cauchy:1")
    assert all(kind in str(refused.value) for kind in members(Target))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["submit", *OPTIONS, "--aspect-ratio", "-1"], "problem.aspect_ratio: "),
        (["submit", "--aspect-ratio", "1"], "horizon: this field is missing"),
        (["submit", *OPTIONS, "--set", "problem.colour=red"], "problem.colour: there is no such field"),
        (["submit", *OPTIONS, "--set", "seed"], "write PATH=VALUE"),
        (["submit", "no-such-file.toml"], "no-such-file.toml"),
        (["solve", *OPTIONS, "--kind", "oracle"], "kind: oracle"),
    ],
)
def test_bad_input_names_the_field(capsys, arguments, words):
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_what_the_service_says_is_printed(service: Stack, capsys):
    assert main(["wait", "0" * 32]) == 1
    assert "unknown_job" in capsys.readouterr().err
    running = service.submit(LONG | {"seed": 602}, wait=0).json()["id"]
    assert main(["cancel", running]) == 0
    assert "cancelled" in lines(capsys)[0]
    assert main(["wait", running]) == 1
    assert "cancelled" in capsys.readouterr().err


def test_finished_jobs_are_deleted(service: Stack, capsys):
    done = service.done(QUICK | {"seed": 604})
    assert main(["delete", done[:12]]) == 0
    assert main(["show", done]) == 1
    assert "no longer kept" in capsys.readouterr().err


def test_a_sweep_prints_one_row_per_point(service: Stack, capsys):
    assert main(["sweep", *SIMULATION, "--seed", "603", "--axis", "problem.noise_std=0,0.2"]) == 0
    head, *rows = lines(capsys)
    assert head.split()[:4] == ["noise_std", "status", "train_loss", "train_loss_stderr"]
    assert [row.split()[:2] for row in rows] == [["0", "succeeded"], ["0.2", "succeeded"]]
    assert main(["list", "--kind", "sweep"]) == 0
    head, first, *_ = lines(capsys)
    assert head.split()[:3] == ["id", "kind", "status"] and "bernoulli_gauss δ=0.5 σ=0.1 a=0.5 λ=0" in first
    assert main(["show", first.split()[0]]) == 0  # whose id is a short one
    assert lines(capsys)[1].split()[:2] == ["noise_std", "status"]
