"""The figures of docs/gallery.md and of the README: a question, its requests, and what came back.

Uses the service at `DLNFLOW_URL`, or starts one. Figures go to `DLNFLOW_FIGURES`, by default `docs/gallery`.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from demo import embedded_stack
from matplotlib.figure import Figure

from dlnflow.client import Client

FIGURES = Path(os.environ.get("DLNFLOW_FIGURES") or Path(__file__).parents[1] / "docs" / "gallery")
PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 0.3}
STEPS = {"aspect_ratio": 1.5, "noise_std": 0.1, "initial_scale": 0.03}
STEPS |= {"target": {"kind": "discrete", "atoms": [0, 0.5, 1, 2], "probabilities": [0.7, 0.1, 0.1, 0.1]}}
CURVES = {"problem": PROBLEM, "horizon": 32, "times": [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 32]}
REQUESTS: dict[str, list[dict[str, Any]]] = {
    "theory-and-networks": [CURVES | {"kind": "dmft"}, CURVES | {"kind": "simulation", "dimension": 1000, "replicas": 64}],
    "weights-in-turn": [{"kind": "dmft", "problem": STEPS, "horizon": 32}],
    "end-by-scale": [
        {"kind": "sweep", "base": {"kind": "theory", "problem": PROBLEM}, "axes": {"problem.initial_scale": [0.03, 0.1, 0.3, 1, 3]}}
    ],
    "time-scales": [{"kind": "theory", "problem": PROBLEM | {"initial_scale": 4, "weight_decay": 0.05}}],
}
FARTHEST = 3.0  # standard errors: what ten correlated times may be apart


def theory_and_networks(ax: Any, dmft: Any, networks: Any) -> None:
    """Lines through points: enough networks that the draw of their teachers is no bias that one sees."""
    for number, name in enumerate(("train_loss", "test_loss")):
        dmft.plot(ax, (name,), color=f"C{number}")
        networks.plot(ax, (name,), color=f"C{number}")
        spread = np.hypot(*(getattr(result.curves, f"{name}_stderr") for result in (dmft, networks)))
        worst = float(np.max(np.abs(getattr(dmft.curves, name) - getattr(networks.curves, name)) / spread))
        print(f"{name}: theory and networks are at most {worst:.1f} standard errors apart")
        if worst > FARTHEST:
            raise SystemExit(f"{name}: that is more than {FARTHEST:g}")
    ax.set_title("δ = 0.5, ρ = 0.1, σ = 0.1, a = 0.3, λ = 0; 64 networks with d = 1000", fontsize="medium")


def weights_in_turn(ax: Any, dmft: Any) -> None:
    """The mean of w given w*: large weights leave zero first."""
    time = dmft.order_parameters.time
    for given in dmft.order_parameters.conditional:
        (line,) = ax.plot(time[1:], given.mean[1:], label=given.given)
        ax.fill_between(time[1:], given.quantiles[1][1:], given.quantiles[3][1:], color=line.get_color(), alpha=0.2, linewidth=0)
    ax.set(xscale="log", xlabel="time", ylabel="w: mean, and 25 to 75 %")
    ax.legend()


def end_by_scale(ax: Any, sweep: Any) -> None:
    """Where the flow ends."""
    sweep.plot(ax, "final_test_loss")
    ax.set(xscale="log", xlabel="initial scale a", ylabel="test loss, t → ∞")


def time_scales(ax: Any, theory: Any) -> None:
    """When each phase begins and ends."""
    theory.plot(ax)


DRAW: dict[str, Callable[..., None]] = {
    "theory-and-networks": theory_and_networks,
    "weights-in-turn": weights_in_turn,
    "end-by-scale": end_by_scale,
    "time-scales": time_scales,
}


@contextlib.contextmanager
def service() -> Iterator[Client]:
    """The service at `DLNFLOW_URL`, or one of our own."""
    with Client() if os.environ.get("DLNFLOW_URL") else embedded_stack() as client:
        yield client


def main() -> None:
    """Ask all questions and draw all answers."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    with service() as client:
        jobs = {name: [client.submit(request) for request in requests] for name, requests in REQUESTS.items()}
        for name, waiting in jobs.items():
            figure = Figure(figsize=(7, 4.2), layout="constrained")
            DRAW[name](figure.subplots(), *(job.result() for job in waiting))
            figure.savefig(FIGURES / f"{name}.png", dpi=110)


if __name__ == "__main__":
    main()
