"""The command line in terminals that show less, in pipes that end early, and with files that cannot be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlnflow.cli import main
from tests.client.records import record
from tests.client.stub import answer, stubbed

ROOT = Path(__file__).parents[2]
GIVEN = ["--aspect-ratio", "0.5", "--target", "gaussian", "--initial-scale", "0.5", "--horizon", "1", "--times", "0.5,1"]
SOLVE = ["solve", *GIVEN, "--kind", "simulation", "--dimension", "40", "--replicas", "2"]
PLAIN = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}


def dlnflow(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "dlnflow", *arguments], capture_output=True, env=os.environ | environment, cwd=ROOT, check=False, timeout=200
    )


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of Bash; `dlnflow` is the command of this interpreter, and a pipe ends as its first failure does."""
    prelude = f'set -o pipefail; dlnflow() {{ {sys.executable} -m dlnflow "$@"; }}; '
    return subprocess.run(
        ["bash", "-c", prelude + command], capture_output=True, text=True, env=os.environ | environment, cwd=ROOT, check=False, timeout=200
    )


def test_a_table_is_printed_in_ascii():
    run = dlnflow(*SOLVE, **PLAIN)
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout.isascii() and b" +- " in run.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["solve", "--help"], ["--version"]])
def test_help_is_printed_in_ascii(arguments):
    run = dlnflow(*arguments, **PLAIN)
    assert run.returncode == 0 and run.stdout.isascii() and run.stdout


LATIN = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}


@pytest.mark.parametrize("environment", [PLAIN, LATIN], ids=["ascii", "latin-1"])
@pytest.mark.parametrize("command", [["list"], ["plot", "x"], ["list", "--json"], ["wait", "x"]])
def test_lists_and_plots_are_printed_in_any_encoding(command, environment):
    import numpy as np

    from dlnflow.wire.results import to_npz

    names = [name for curve in ("train_loss", "test_loss", "parameter_error") for name in (curve, f"{curve}_stderr")]
    arrays = to_npz({"time": np.linspace(0.1, 1, 20)} | {name: np.linspace(1, 0.1, 20) for name in names})
    problem = {"target": {"kind": "gaussian"}, "aspect_ratio": 0.5, "noise_std": 0.1, "initial_scale": 0.3, "weight_decay": 0.0}
    job = record(status="succeeded", request={"problem": problem}, message="η → δ 你好")

    def serve(asked):
        if asked.path.startswith("/v1/jobs/x/curves"):
            return answer(200, arrays)
        return answer(200, job if "/x" in asked.path else {"jobs": [job], "cursor": None})

    with stubbed(serve) as stub:
        run = dlnflow(*command, DLNFLOW_URL=stub.url, **environment)
    assert (run.returncode, run.stderr) == (0, b"")
    if "--json" in command:
        assert json.loads(run.stdout)[0]["message"] == "η → δ 你好"
    if command[0] == "plot":
        assert b"*" in run.stdout


@pytest.mark.parametrize(
    "command",
    [
        "dlnflow --help | head -1",
        "dlnflow solve --help | true",
        f"dlnflow {' '.join(SOLVE)} | true",
        f"dlnflow {' '.join(SOLVE)} | head -1",
        f"dlnflow --json {' '.join(SOLVE)} | head -c 1",
        f"PYTHONUNBUFFERED=1 dlnflow {' '.join(SOLVE)} | true",
    ],
)
def test_a_pipe_that_is_closed_is_no_error(command):
    run = shell(command)
    assert (run.returncode, run.stderr) == (0, "")


def test_an_output_that_takes_nothing_is_one():
    run = shell(f"dlnflow {' '.join(SOLVE)} > /dev/full")
    assert run.returncode == 2 and run.stderr == "dlnflow: [Errno 28] No space left on device\n"


def test_no_output_at_all_is_no_error():
    assert shell(f"dlnflow {' '.join(SOLVE)} >&-").returncode == 0


@pytest.mark.parametrize("name", ["out.h5", "out", "out.txt", "out.csv.gz", "missing/out.csv", ".", "sub.csv"])
@pytest.mark.parametrize("command", [["solve", *GIVEN], ["curves", "x"]])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_computed(name, command, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dlnflow.local._run", lambda *_: pytest.fail("it solved"))
    (tmp_path / "sub.csv").mkdir()
    assert main([*command, "-o", name]) == 2
    assert name in capsys.readouterr().err


@pytest.mark.parametrize("name", ["out.csv", "out.h5", "out"])
def test_pictures_have_endings_of_their_own(name, capsys):
    assert main(["plot", "x", "-o", name]) == 2
    assert ".png, .svg or .pdf" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights_is_refused(tmp_path, capsys):
    tmp_path.chmod(0o500)
    assert main(["curves", "x", "-o", str(tmp_path / "out.csv")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_endings_may_be_in_capitals_and_folders_begin_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main([*SOLVE, "-o", "~/out.CSV"]) == 0
    assert (tmp_path / "out.CSV").read_text().startswith("time,")


TOML = 'aspect_ratio = 0.5\ninitial_scale = 0.5\n[target]\nkind = "gaussian"\n'
JOB = json.dumps({"problem": {"aspect_ratio": 0.5, "initial_scale": 0.5, "target": {"kind": "gaussian"}}})
MORE = ["--kind", "simulation", "--horizon", "1", "--dimension", "40", "--replicas", "2", "--times", "1"]


@pytest.mark.parametrize(("name", "text"), [("p.toml", TOML), ("p.json", JOB), ("p.JSON", JOB)])
def test_files_may_begin_with_a_mark_of_their_encoding(name, text, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert main(["solve", f"~/{name}", *MORE]) == 0
    assert "train_loss" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("p.toml", TOML.encode("utf-16"), "is not TOML in UTF-8"),
        ("p.toml", b"aspect_ratio = ", "is not TOML in UTF-8"),
        ("p.toml", b"a = 1\na = 2\n", "is not TOML"),
        ("p.json", b'{"a": 1, "a": 2}', "a is given twice"),
        ("p.json", b"[1]", "holds no object, but a list"),
        ("p.json", b"3", "holds no object, but a int"),
        ("p.json", b"{", "is not JSON"),
        ("p.toml", b"aspect_ratio = 1979-05-27\n", "problem.aspect_ratio"),
        ("p.toml", b"problem = 3\n", "problem"),
    ],
)
def test_files_that_cannot_be_read_are_named(name, content, words, tmp_path, capsys):
    (tmp_path / name).write_bytes(content)
    assert main(["solve", str(tmp_path / name), "--horizon", "1"]) == 2
    assert words in capsys.readouterr().err


def test_waiting_for_too_long_is_the_services_failure_and_no_bad_input(monkeypatch, capsys):
    from dlnflow.cli import commands
    from dlnflow.client import WaitTimeout

    def late(_):
        raise WaitTimeout("job x goes on")

    monkeypatch.setattr(commands, "listing", late)
    assert main(["list"]) == 1
    assert "job x goes on" in capsys.readouterr().err


def test_what_the_package_has_is_listed():
    import dlnflow

    assert set(dlnflow.__all__) <= set(dir(dlnflow)) and "__version__" in dir(dlnflow)


MISSING = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in sys.argv[1].split(","):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
import numpy as np
from dlnflow.client import Curves, Kernels
from dlnflow.wire.matrix import load
curves = Curves(*[np.linspace(1, 2, 3)] * 7)
calls = {
    "frame": curves.to_dataframe,
    "plot": curves.plot,
    "xarray": lambda: Kernels(np.arange(2.0), *[np.eye(2)] * 4).to_xarray(),
    "parquet": lambda: load(b"PAR1"),
}
try:
    calls[sys.argv[2]]()
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("blocked", "call", "words"),
    [
        ("pandas", "frame", "pandas is needed for this: pip install 'dlnflow[frames]'"),
        ("matplotlib", "plot", "matplotlib is needed for this: pip install 'dlnflow[plot]'"),
        ("PIL", "plot", "PIL is needed for this: pip install 'dlnflow[plot]'"),
        ("pandas", "xarray", "pandas is needed for this: pip install 'dlnflow[frames]'"),
        ("arro3", "parquet", "arro3 is needed for this: pip install 'dlnflow[frames]'"),
    ],
)
def test_extras_name_what_is_missing(blocked, call, words):
    run = subprocess.run([sys.executable, "-c", MISSING, blocked, call], capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.stdout.strip() == words, run.stderr
