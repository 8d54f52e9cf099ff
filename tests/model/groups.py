"""Populations of several groups, for the tests of every solver."""

from dlnflow.model import Problem

SPARSE = {"kind": "bernoulli_gauss", "density": 0.1}
TWO_VARIANCES = [{"weight": 0.5, "variance": c, "target": SPARSE, "initial_scale": 0.3} for c in (0.25, 1.75)]
MIXED = [
    {"weight": 0.2, "variance": 2.0, "target": {"kind": "laplace", "std": 1.0}, "initial_scale": 0.5},
    {
        "weight": 0.5,
        "variance": 0.5,
        "target": {"kind": "discrete", "atoms": [0.0, 1.0], "probabilities": [0.8, 0.2]},
        "initial_scale": 0.2,
    },
    {"weight": 0.3, "target": {"kind": "gaussian", "std": 0.5}, "initial_scale": {"u": 0.6, "v": 0.2}},
]


def problem(groups, aspect_ratio=0.5, noise_std=0.1, weight_decay=0.0):
    return Problem(aspect_ratio=aspect_ratio, groups=groups, noise_std=noise_std, weight_decay=weight_decay)


def power_law(count, target, power=1.5):
    """Groups of equal weight whose data have the variances k^−`power`."""
    return [{"weight": 1 / count, "variance": k**-power, "target": target, "initial_scale": 0.3} for k in range(1, count + 1)]
