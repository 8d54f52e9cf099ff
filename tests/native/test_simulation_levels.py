"""The same bits from the compiled core of every level that this processor has."""

import os
import subprocess
import sys

import pytest

from dlnflow import native

PRINT_BITS = """
import hashlib
import numpy as np
from threadpoolctl import threadpool_limits
from dlnflow.native import simulation as native
from dlnflow.model import GaussianScale, GaussianTarget, GradientDescent, Problem
from dlnflow.simulation.descent import Descent, descend
from dlnflow.simulation.draw import draw_network
from dlnflow.simulation.flow import Flow, follow
from dlnflow.simulation.network import Network
from dlnflow.simulation.products import Design
from tests.native.networks import SHAPES, matrix

threadpool_limits(1)
STEPS = GradientDescent(kind="gradient_descent", step_size=0.02)
BATCHES = STEPS.model_copy(update={"batch_fraction": 0.3, "momentum": 0.5, "label_noise_std": 0.1})
def show(name, *arrays):
    assert all(np.isfinite(each).all() for each in arrays)
    print(name, hashlib.sha256(b"".join(np.ascontiguousarray(each).tobytes() for each in arrays)).hexdigest())

for shape in [*SHAPES, (301, 403)]:
    rng = np.random.default_rng(3)
    w, y = rng.standard_normal(shape[1]), rng.standard_normal(shape[0])
    for precision in (np.float32, np.float64):
        for triangular in (False, True):
            design = Design(matrix(shape, precision, triangular), triangular=triangular)
            products = [each for error in (0.0, native.SINGLE, native.ROUNDED) for each in design.products(w, error)]
            large = design.products(1e30 * w, native.ROUNDED)
            tiny = design.products(1e-41 * w, native.ROUNDED)
            show(f"products {shape} {precision.__name__} {triangular}", *design.residual_and_force(w, y), *products, *large, *tiny)
    show(f"rounded {shape}", *native.round_columns(matrix(shape, np.float32), triangular=False, levels=32767))
for p in range(5):
    show(f"phi {p}", native.phi(p, -np.geomspace(1e-9, 1e4, 1001)))
PROBLEMS = {
    "sparse": ({"aspect_ratio": 0.5, "initial_scale": 0.1}, None),
    "decay": ({"aspect_ratio": 1.3, "initial_scale": GaussianScale(kind="gaussian", std=0.5), "weight_decay": 0.05}, None),
    "truncated": ({"aspect_ratio": 0.8, "initial_scale": 0.3}, 0.7),
    "linear": ({"aspect_ratio": 0.5, "initial_scale": 0.3, "depth": 1, "weight_decay": 0.05}, None),
    "deep": ({"aspect_ratio": 0.8, "initial_scale": 0.6, "depth": 3.5, "weight_decay": 0.02}, None),
    "stiff": ({"aspect_ratio": 1.0, "initial_scale": 100.0}, None),
}
for name, (values, truncation) in PROBLEMS.items():
    problem = Problem(target=GaussianTarget(), noise_std=0.1, **values)
    network = draw_network(problem, 303, np.random.default_rng(0), truncation=truncation)
    data = network.y, network.teacher, network.u0, network.v0, network.weight_decay, network.samples
    double = Network(Design(network.design.X.astype(float)), *data, depth=problem.depth)
    times = np.geomspace(0.01, 1e4 if name == "stiff" else 30.0, 40)
    for of, kind in ((network, "single"), (double, "double")):
        flow = Flow(of, times[-1])
        parts = list(follow(flow, times))
        show(f"{name} {kind} {flow.steps}", *(getattr(part, x) for part in parts for x in ("u2", "v2", "w", "r")))
        if name == "stiff":
            assert flow._spectrum is not None
    if name != "stiff":
        show(f"descent {name}", *(part.w for part in descend(Descent(network, STEPS, 2.0), np.array([1.0, 2.0]))))
        rows = draw_network(problem, 303, np.random.default_rng(0), truncation=truncation, keep_rows=True)
        show(f"batches {name}", *(part.w for part in descend(Descent(rows, BATCHES, 2.0), np.array([1.0, 2.0]))))
"""

LEVELS = native.available()


def bits(level: str) -> list[str]:
    environment = os.environ | {"DLNFLOW_NATIVE_LEVEL": level}
    done = subprocess.run([sys.executable, "-c", PRINT_BITS], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(len(LEVELS) < 2, reason=f"this processor and this installation have one level, {LEVELS}")
def test_all_levels_give_the_same_bits():
    """Also where the base level has to make a product and a sum that are rounded once out of others."""
    best, *others = (bits(level) for level in LEVELS)
    assert len(best) > 40
    for other in others:
        assert other == best
