"""The gallery shows what its requests give: the documents and the script have the same, and theory lies within the errors of networks."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.stack import Stack

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gallery.md").read_text()
READ = "import json, gallery; print(json.dumps([request for requests in gallery.REQUESTS.values() for request in requests]))"


def test_the_page_shows_the_requests_and_figures_of_the_script():
    said = subprocess.run([sys.executable, "-c", READ], cwd=ROOT / "examples", capture_output=True, text=True, check=True)
    assert [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)] == json.loads(said.stdout)
    for figure in re.findall(r"\]\((gallery/\S+)\)", PAGE):
        assert (ROOT / "docs" / figure).exists()
    assert "docs/gallery/theory-and-networks.png" in (ROOT / "README.md").read_text()


@pytest.mark.slow
def test_the_figures_are_drawn_and_theory_and_networks_agree(stack: Stack, tmp_path: Path):
    """The script ends with an error where a value of the first picture is more than three standard errors off."""
    environment = os.environ | {"DLNFLOW_FIGURES": str(tmp_path), "DLNFLOW_URL": str(stack.client.base_url)}
    done = subprocess.run([sys.executable, "examples/gallery.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("standard errors apart") == 2
    assert len(list(tmp_path.glob("*.png"))) == 4
