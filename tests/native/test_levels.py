"""Every level that the processor can run gives the same numbers: the same bits where products and sums can be fused."""

import os
import subprocess
import sys

import numpy as np
import pytest

from dlnflow import native

PROGRAM = """
import sys
import numpy as np
from dlnflow.native import dmft, level
from tests.native.twin import Problem

found = {}
for depth in (1.0, 2.0, 3.0, 4.0, 2.5):
    for order in (3, 4, 5):
        problem = Problem(depth=depth, order=order, variances=(0.5, 1.5))
        rows = dmft.propagate(problem.native, **problem.arguments())
        found |= {f"{depth} {order} {i}": each for i, each in enumerate(rows)}
np.savez(sys.argv[1], level=level, **found)
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    def run(level):
        path = tmp_path_factory.mktemp("levels") / f"{level}.npz"
        subprocess.run([sys.executable, "-c", PROGRAM, str(path)], env=os.environ | {"DLNFLOW_NATIVE_LEVEL": level}, check=True)
        return dict(np.load(path))

    return {level: run(level) for level in native.available()}


def test_each_level_is_the_one_that_was_asked_for(results):
    assert native.level in results
    assert "base" in results
    for level, found in results.items():
        assert found["level"] == level


def test_levels_that_fuse_give_the_same_bits(results):
    fusing = [found for level, found in results.items() if level != "base"]
    if len(fusing) < 2:
        pytest.skip("this processor runs one level that fuses")
    for name, values in fusing[0].items():
        if name != "level":
            np.testing.assert_array_equal(values, fusing[1][name])


def test_the_plainest_level_differs_by_rounding(results):
    """Without fused products each of them is rounded once more; tangents are in single precision."""
    for name, values in results["base"].items():
        if name != "level":
            wanted = results[native.level][name]
            np.testing.assert_allclose(values, wanted, rtol=0, atol=(2e-6 if name.endswith("0") else 1e-8) * np.abs(wanted).max())


def test_a_level_that_is_not_there_is_refused():
    command = [sys.executable, "-c", "import dlnflow.native"]
    refused = subprocess.run(command, env=os.environ | {"DLNFLOW_NATIVE_LEVEL": "v9"}, capture_output=True, text=True)
    assert refused.returncode
    assert "DLNFLOW_NATIVE_LEVEL is 'v9'" in refused.stderr
