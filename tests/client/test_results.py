"""Results in tables, files and plots; the same with and without a service."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest

import dlnflow
from dlnflow.client import Client, InvalidRequest, Result
from tests.e2e.stack import PROBLEM, QUICK, Stack

mpl.use("Agg")


@pytest.fixture(scope="module")
def solved() -> Result:
    return dlnflow.solve(PROBLEM, 4.0, times=[0, 1, 2, 4], accuracy=0.05)


@pytest.fixture(scope="module")
def simulated() -> Result:
    return dlnflow.simulate(PROBLEM, 1.0, times=[0, 0.5, 1], dimension=60, replicas=2)


def test_a_service_gives_the_same_numbers(stack: Stack, simulated: Result):
    with Client(str(stack.client.base_url)) as client:
        served = client.submit(QUICK).result(timeout=60)
    assert served.request == simulated.request
    for name, column in simulated.curves.columns().items():
        assert np.array_equal(getattr(served.curves, name), column)


def test_own_data_and_descent_are_the_same_here_and_there(stack: Stack):
    data = np.random.default_rng(3).normal(size=(80, 60))
    fields = {"problem": PROBLEM, "horizon": 1.0, "times": [0, 0.5, 1]}
    descent = fields | {"dynamics": {"kind": "gradient_descent", "step_size": 0.25}, "accuracy": 0.1}
    with Client(str(stack.client.base_url)) as client:
        kept = client.upload(data)
        assert (kept["rows"], kept["columns"], kept["id"] in [each["id"] for each in client.datasets()]) == (80, 60, True)
        design = {"kind": "dataset", "id": kept["id"]}
        served = client.submit(kind="simulation", replicas=2, design=design, **fields).result(timeout=60)
        solved = client.submit(kind="dmft", **descent).result(timeout=60)
        client.delete_dataset(kept["id"])
        assert kept not in client.datasets()
    here = dlnflow.simulate(**fields, replicas=2, data=data)
    assert np.array_equal(here.curves.test_loss, served.curves.test_loss)
    assert np.array_equal(dlnflow.solve(**descent).curves.train_loss, solved.curves.train_loss)


def test_bad_input_is_refused_before_solving():
    with pytest.raises(InvalidRequest, match=r"^problem\.noise_std: "):
        dlnflow.solve(PROBLEM | {"noise_std": -1}, 1.0)
    with pytest.raises(TypeError, match="dimensions"):
        dlnflow.simulate(PROBLEM, 1.0, dimensions=60)  # type: ignore[call-arg]


def test_tables_hold_the_arrays(solved: Result):
    frame = solved.to_dataframe()
    assert frame["train_loss"].tolist() == solved.curves.train_loss.tolist()
    assert frame["overlap"].tolist() == solved.order_parameters.overlap.tolist()
    kernels = solved.to_xarray()
    t = float(kernels.t[-1])
    assert float(kernels.residual_correlation.sel(t=t, s=t)) / 2 == pytest.approx(solved.curves.train_loss[-1], rel=0.05)


def test_a_saved_result_comes_back(solved: Result, simulated: Result, tmp_path):
    for result in (solved, simulated):
        result.save(tmp_path / "result.npz")
        loaded = Result.load(tmp_path / "result.npz")
        assert (loaded.request, loaded.diagnostics) == (result.request, result.diagnostics)
        assert np.array_equal(loaded.curves.test_loss_stderr, result.curves.test_loss_stderr)
        assert [c.given for c in loaded.order_parameters.conditional] == [c.given for c in result.order_parameters.conditional]
        assert (loaded.kernels is None) == (result.kernels is None)
    solved.save(tmp_path / "curves.csv")
    table = np.genfromtxt(tmp_path / "curves.csv", delimiter=",", names=True)
    assert np.array_equal(table["parameter_error"], solved.curves.parameter_error)
    with pytest.raises(ValueError, match="xlsx"):
        solved.save(tmp_path / "curves.xlsx")


def test_plots_show_theory_as_a_band_and_a_simulation_as_points(solved: Result, simulated: Result):
    ax = solved.plot(names=("test_loss",))
    simulated.plot(ax, names=("test_loss",))
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    band, (bars,) = ax.collections[0], ax.containers
    top = band.get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx((solved.curves.test_loss + solved.curves.test_loss_stderr)[1:].max())
    assert bars.lines[0].get_xdata().tolist() == [0.5, 1]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [f"test loss, {kind} ± 1 s.e." for kind in ("dmft", "simulation")]
    mpl.pyplot.close("all")


def test_a_missing_package_is_named(solved: Result, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install 'dlnflow\[frames\]'"):
        solved.to_dataframe()


def test_importing_loads_no_numerics():
    heavy = ("scipy", "dlnflow.native", "fastapi", "celery", "matplotlib", "pandas", "tqdm", "plotext")
    code = f"import sys, dlnflow, dlnflow.client, dlnflow.cli; sys.exit(str([m for m in {heavy} if m in sys.modules] or ''))"
    found = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert found.stderr.strip() == ""
