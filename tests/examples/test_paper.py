"""The scripts of `examples/paper`, at small sizes, on a real service: every claim is checked and every figure drawn."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.stack import Stack

FOLDER = Path(__file__).parents[2] / "examples" / "paper"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in ("all", "common"))


def test_every_script_is_run_by_make_paper():
    listed = subprocess.run(
        [sys.executable, "-c", "import all; print(*all.SCRIPTS)"], cwd=FOLDER, capture_output=True, text=True, check=True
    )
    assert sorted(listed.stdout.split()) == SCRIPTS


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_claims_of_a_script_hold(stack: Stack, tmp_path, name):
    environment = os.environ | {
        "DLNFLOW_PAPER": "quick",
        "DLNFLOW_FIGURES": str(tmp_path),
        "DLNFLOW_URL": str(stack.client.base_url),
    }
    done = subprocess.run([sys.executable, FOLDER / f"{name}.py"], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("holds: ") >= 2
    assert next(tmp_path.glob("*.png")).stat().st_size > 5000
