"""The notebook among the examples runs from its first cell to its last."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.e2e.stack import Stack

NOTEBOOK = Path(__file__).parents[2] / "examples" / "tour.ipynb"


@pytest.mark.filterwarnings("default")  # of Jupyter's own parts
def test_the_notebook_runs(stack: Stack, monkeypatch, tmp_path):
    monkeypatch.setenv("DLNFLOW_URL", str(stack.client.base_url))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells)  # kept without outputs, so that changes can be read
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert any("<svg" in output["data"].get("text/html", "") for output in shown)
    assert any("image/png" in output["data"] for output in shown)
