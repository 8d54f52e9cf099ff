"""What type checkers read of the core is what it has: the stubs beside it are those that nanobind makes of it."""

import subprocess
import sys
from pathlib import Path

import pytest

import dlnflow.native


@pytest.mark.parametrize("name", ["_level", "dmft", "simulation"])
def test_stubs_are_those_of_the_core(tmp_path: Path, name: str):
    made = tmp_path / "made.pyi"
    subprocess.run([sys.executable, "-m", "nanobind.stubgen", "-q", "-m", f"dlnflow.native.{name}", "-o", made], check=True)
    kept = Path(dlnflow.native.__file__).with_name(f"{name}.pyi")
    assert kept.read_text() == made.read_text(), "run `make stubs`"
