"""Members of the family, each with neighbours switched on, against finite networks.

    python -m benchmarks.family [dimension [replicas]]

For each it prints the standard error of the networks and that of the mean field, relative, largest of the curves; and of the differences in
standard errors of both the largest and the root mean square, of the curves and of the order parameters. Four times of a curve are hardly
independent, and networks have a bias of order 1/d.
"""

import sys
import time

import numpy as np

from dlnflow.dmft import solve
from dlnflow.model import Dynamics, GradientDescent, GradientFlow, Problem, StochasticGradientFlow
from dlnflow.simulation import simulate
from dlnflow.solution import CURVES, ORDER_PARAMETERS, Array, Solution

ACCURACY = 0.01
SPARSE = {"kind": "bernoulli_gauss", "density": 0.1}
SUPPORT = {"kind": "discrete", "atoms": [-1.0, 1.0], "probabilities": [0.5, 0.5]}
ZERO = {"kind": "discrete", "atoms": [0.0], "probabilities": [1.0]}
TWO = [{"weight": 0.5, "variance": c, "target": SPARSE, "initial_scale": 0.5} for c in (0.25, 1.75)]
KNOWN = [{"weight": 0.1, "target": SUPPORT, "initial_scale": 0.6}, {"weight": 0.9, "target": ZERO, "initial_scale": 0.2}]
WARM_UP = {"kind": "warmup_decay", "peak": 0.2, "end": 0.02, "warmup_steps": 5, "steps": 60}
COSINE = {"kind": "cosine", "start": 0.1, "end": 0.01, "steps": 100}

Asked = tuple[Problem, float, Dynamics]


def asked(horizon: float, dynamics: dict[str, object] | None = None, **changes: object) -> Asked:
    """A problem, its horizon and its dynamics."""
    alike = {} if "groups" in changes else {"target": SPARSE, "initial_scale": 0.3}
    problem = Problem.model_validate({"aspect_ratio": 0.5, "noise_std": 0.1} | alike | changes)
    if dynamics is None:
        return problem, horizon, GradientFlow()
    if "temperature" in dynamics:
        return problem, horizon, StochasticGradientFlow.model_validate({"kind": "stochastic_gradient_flow"} | dynamics)
    return problem, horizon, GradientDescent.model_validate({"kind": "gradient_descent"} | dynamics)


FAMILY = {
    "batches at depth 3": asked(4.0, {"step_size": 0.04, "batch_fraction": 0.2}, initial_scale=0.5, depth=3),
    "momentum of two variances": asked(2.0, {"step_size": 0.02, "momentum": 0.8}, groups=TWO),
    "a schedule of batches": asked(5.0, {"step_size": WARM_UP, "batch_fraction": 0.3}),
    "noisy labels, two variances, depth 2.5": asked(
        3.0, {"step_size": 0.05, "label_noise_std": 0.3}, groups=TWO, depth=2.5, aspect_ratio=0.8, weight_decay=0.02
    ),
    "batches, momentum and a schedule of a known support": asked(
        5.0, {"step_size": COSINE, "batch_fraction": 0.5, "momentum": 0.5}, groups=KNOWN
    ),
    "flow at depth 3 of two variances": asked(8.0, groups=TWO, depth=3, weight_decay=0.01),
    "stochastic flow of a known support": asked(4.0, {"temperature": 0.4}, groups=KNOWN),
    "stochastic flow with weight decay, more samples than weights": asked(
        4.0, {"temperature": 0.3}, aspect_ratio=1.5, initial_scale={"u": 0.6, "v": 0.3}, weight_decay=0.05
    ),
}


def scores(theory: Solution, network: Solution, names: tuple[str, ...], coordinates: int) -> Array:
    """The differences in standard errors; zero where nothing varies. Shares are known to one of all `coordinates` at best."""
    found = []
    for name in names:
        stderr = np.maximum(network.stderr[name], name.endswith("_support") / coordinates)
        difference, spread = theory.values[name] - network.values[name], np.hypot(theory.stderr[name], stderr)
        found.append(np.divide(difference, spread, out=np.zeros_like(spread), where=spread > 0))
    return np.concatenate(found)


def largest(solution: Solution) -> float:
    """The largest relative standard error of the curves."""
    return max(float(np.max(solution.stderr[name] / solution.values[name])) for name in CURVES)


def main() -> None:
    """Print the table."""
    dimension = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    replicas = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    print("member: standard errors of networks and mean field; z of curves, largest and rms; z of order parameters; processor seconds")
    everything = []
    for number, (name, (problem, horizon, dynamics)) in enumerate(FAMILY.items()):
        began, times = time.process_time(), horizon * np.array([0.1, 0.25, 0.5, 1.0])
        theory = solve(problem, horizon, dynamics=dynamics, times=times, accuracy=ACCURACY)
        solved = time.process_time()
        network = simulate(problem, horizon, dynamics=dynamics, times=times, dimension=dimension, replicas=replicas, seed=number)
        curves, others = (scores(theory, network, names, dimension * replicas) for names in (CURVES, ORDER_PARAMETERS))
        everything.append(np.append(curves, others))
        print(
            f"{name}: {largest(network):.2%} {largest(theory):.2%}; {np.abs(curves).max():.2f} {np.sqrt(np.mean(curves**2)):.2f}; "
            f"{np.abs(others).max():.2f} {np.sqrt(np.mean(others**2)):.2f}; {solved - began:.1f} {time.process_time() - solved:.1f}",
            flush=True,
        )
    z = np.concatenate(everything)
    print(f"all {len(z)}: largest {np.abs(z).max():.2f}, rms {np.sqrt(np.mean(z**2)):.2f}")


if __name__ == "__main__":
    main()
