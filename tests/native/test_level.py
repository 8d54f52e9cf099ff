"""Which level of the core is loaded, and what is said where none can be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import dlnflow.native

SHOW = "import dlnflow.native; print(dlnflow.native.level)"


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True)


def test_the_best_level_of_the_processor_is_loaded():
    """As Linux knows the processor, where it does."""
    flags = set(Path("/proc/cpuinfo").read_text().split())
    least = {
        "v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
        "v3": {"avx2", "fma", "bmi1", "bmi2", "movbe", "f16c", "abm"},
    }
    best = next((name for name, needed in least.items() if needed <= flags), "base")
    assert run(SHOW, DLNFLOW_NATIVE_LEVEL="").stdout.strip() == best


@pytest.mark.parametrize("level", dlnflow.native.available())
def test_a_setting_names_another(level: str):
    assert run(SHOW, DLNFLOW_NATIVE_LEVEL=level).stdout.strip() == level


def test_a_level_that_is_not_there_is_refused_by_name():
    said = run(SHOW, DLNFLOW_NATIVE_LEVEL="v9").stderr.splitlines()[-1]
    assert said.startswith("ImportError: DLNFLOW_NATIVE_LEVEL is 'v9'") and "base" in said


@pytest.mark.parametrize(
    ("missing", "remedy"),
    [
        (["_level"], "dlnflow's compiled core is not installed for this Python"),
        (["_base", "_v3", "_v4"], "without a core for this processor"),
    ],
)
def test_a_missing_core_is_a_sentence_with_a_remedy(missing: list[str], remedy: str):
    hidden = "".join(f"sys.modules['dlnflow.native.{name}'] = None; " for name in missing)
    said = run(f"import sys; {hidden}import dlnflow.native").stderr.splitlines()[-1]
    assert said.startswith("ImportError: ") and remedy in said and "pip install" in said


def test_the_parts_of_the_core_can_be_imported_by_name():
    import dlnflow.native.dmft
    import dlnflow.native.simulation

    assert dlnflow.native.dmft.__doc__ and dlnflow.native.simulation.__doc__
