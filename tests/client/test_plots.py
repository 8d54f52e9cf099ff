"""Pictures in whatever style, and without the LaTeX or the display, that the user has set up."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dlnflow.cli.braille import Curve, log_plot
from dlnflow.client import Curves
from service.plot import NothingToDraw, draw
from tests.e2e.stack import QUICK, Stack

ROOT = Path(__file__).parents[2]
RC = "text.usetex: True\ntext.latex.preamble: \\nonsense\naxes.facecolor: black\nfont.family: no such font\n"

PICTURES = """
import io, sys, shutil
import numpy as np
import matplotlib
assert matplotlib.rcParams["text.usetex"]
from dlnflow.cli.show import save_plot
from dlnflow.client import Curves
from dlnflow.client.job import Job
from service.plot import draw
curves = Curves(*[np.geomspace(0.1, 1, 20)] * 7)
what = sys.argv[1]
if what == "service":
    document = {name: column.tolist() for name, column in curves.columns().items()}
    for format in ("svg", "png"):
        sys.stdout.buffer.write(draw([("a_b", document), ("100 %", document)], format, "t_1 $"))
elif what == "terminal":
    job = Job(None, {"id": "0_1" * 8, "kind": "dmft"})
    save_plot([(job, curves)], "test_loss", sys.argv[2])
else:
    axes = curves.plot(name="test_loss")
    axes.figure.savefig(io.BytesIO(), format="png")
    axes.set_xlim(1e-9, 1e9)
    axes.figure.savefig(io.BytesIO(), format="svg")
"""


def run(tmp_path: Path, *arguments: str, **environment: str) -> bytes:
    (tmp_path / "matplotlibrc").write_text(RC)
    variables = {"PATH": "/nonexistent", "MATPLOTLIBRC": str(tmp_path), "HOME": str(tmp_path), "MPLCONFIGDIR": str(tmp_path)} | environment
    process = subprocess.run([sys.executable, "-c", PICTURES, *arguments], capture_output=True, env=variables, cwd=ROOT, check=False)
    assert process.returncode == 0, process.stderr.decode()
    return process.stdout


def plain() -> bytes:
    document = {name: column.tolist() for name, column in Curves(*[np.geomspace(0.1, 1, 20)] * 7).columns().items()}
    return b"".join(draw([("a_b", document), ("100 %", document)], format, "t_1 $") for format in ("svg", "png"))


def test_the_service_draws_in_its_own_style(tmp_path):
    assert len(run(tmp_path, "service")) == len(plain())


@pytest.mark.parametrize("backend", ["agg", "tkagg", "module://nonsense"])
def test_the_terminal_draws_into_files_without_a_display_or_latex(tmp_path, backend):
    run(tmp_path, "terminal", str(tmp_path / "c.png"), MPLBACKEND=backend)
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_of_our_own_needs_no_latex(tmp_path):
    run(tmp_path, "client", MPLBACKEND="agg")


ZERO = Curves(*[np.array([0.0])] + [np.array([1.0])] * 6)


def test_curves_without_a_positive_time_are_said_to_be_none():
    with pytest.raises(ValueError, match="nothing to draw"):
        ZERO.plot()
    with pytest.raises(NothingToDraw, match="nothing to draw"):
        draw([("a", {name: column.tolist() for name, column in ZERO.columns().items()})], "svg", "t")
    with pytest.raises(ValueError, match="no positive values"):
        log_plot({"a": Curve(ZERO.time, ZERO.train_loss, 0 * ZERO.time)}, "train_loss", color=False)


def test_over_http_the_field_is_named(stack: Stack):
    job_id = stack.done(QUICK | {"times": [0]})
    for format in ("svg", "png"):
        answer = stack.client.get(f"/v1/jobs/{job_id}/plot.{format}")
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "nothing_to_draw", "times")


def test_a_curve_that_cannot_be_drawn_is_left_out_beside_one_that_can():
    some = np.geomspace(0.1, 1, 5)
    assert "train_loss" in log_plot(
        {"a": Curve(some, some, 0 * some), "b": Curve(ZERO.time, ZERO.train_loss, 0 * ZERO.time)}, "train_loss", color=False
    )
    half = {name: column.tolist() for name, column in Curves(*[some] * 7).columns().items()} | {"train_loss": [0.0] * 5}
    assert draw([("a", half)], "svg", "t").startswith(b"<?xml")
