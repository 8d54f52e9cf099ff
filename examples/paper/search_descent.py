"""Search, then descent: at small a the loss stands still for a time that grows as log(1/a), and then falls."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client

PROBLEM = {"aspect_ratio": 2.0, "target": {"kind": "discrete", "atoms": [0.0, 1.0], "probabilities": [0.9, 0.1]}, "noise_std": 0.1}
OTHERS = {
    "atoms ±2, δ = 1": {
        "aspect_ratio": 1.0,
        "target": {"kind": "discrete", "atoms": [-2.0, 0.0, 2.0], "probabilities": [0.05, 0.9, 0.05]},
        "noise_std": 0.2,
    },
    "atom 0.5, δ = 4": {
        "aspect_ratio": 4.0,
        "target": {"kind": "discrete", "atoms": [0.0, 0.5], "probabilities": [0.8, 0.2]},
        "noise_std": 0.1,
    },
}
SOLVED = [0.1, 0.03, 0.01]
SIMULATED = [0.03, 1e-3, 1e-4]


def main(client: Client) -> None:
    shared = {a: request(PROBLEM, a, 16.0) for a in SOLVED + SIMULATED}
    solved = {a: client.submit(**shared[a], kind="dmft", accuracy=0.02) for a in SOLVED}
    sizes = {"dimension": sized(2000, 400), "replicas": sized(16, 3)}
    simulated = {a: client.submit(**shared[a], kind="simulation", **sizes) for a in SIMULATED}
    search = {a: client.submit(kind="theory", problem=shared[a]["problem"]).result().time_scales["search"]["value"] for a in shared}
    others = {
        name: [
            client.submit(**request(problem, 0.03, 30.0), kind="dmft", accuracy=0.02),
            client.submit(**request(problem, 0.03, 30.0), kind="simulation", **sizes),
            client.submit(kind="theory", problem=problem | {"initial_scale": 0.03}),
        ]
        for name, problem in OTHERS.items()
    }
    theory = {a: job.result().curves for a, job in solved.items()}
    networks = {a: job.result().curves for a, job in simulated.items()}

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2))
    for number, a in enumerate(sorted(shared, reverse=True)):
        if a in theory:
            left.plot(theory[a].time, theory[a].parameter_error, f"C{number}-", label=f"a = {a:g}, DMFT")
        if a in networks:
            left.plot(networks[a].time[::4], networks[a].parameter_error[::4], f"C{number}x", label=f"a = {a:g}, networks", ms=4)
        if search[a]:
            left.axvline(search[a], color=f"C{number}", lw=0.7, ls=":")
    left.set(xlabel="time", ylabel="parameter error", title="dotted: search time", xlim=(0, 16))
    left.legend(fontsize=7)
    ends = {a: when(curves, 0.5) for a, curves in (networks | theory).items()}
    logs = np.array([np.log(1 / a) for a in ends])
    slope, offset = np.polyfit(logs, list(ends.values()), 1)
    right.plot(logs, list(ends.values()), "ko")
    right.plot(logs, slope * logs + offset, "k:", label=f"slope {slope:.3f}")
    right.set(xlabel="log(1/a)", ylabel="time at which half is learned")
    right.legend()
    save(figure, "search-descent")

    check(f"the search grows by {slope:.3f} per unit of log(1/a), 1/w* = 1 for the mean force", abs(slope - 1) < 0.15)
    residual = float(np.abs(np.array(list(ends.values())) - slope * logs - offset).max())
    check(f"on a straight line, within {residual:.2f}", residual < 0.25)
    print("  half is learned at, search time: " + "; ".join(f"a = {a:g}: {ends[a]:.2f}, {search[a]:.2f}" for a in ends if search[a]))
    for name, jobs in others.items():
        solved_other, simulated_other, scales = jobs[0].result().curves, jobs[1].result().curves, jobs[2].result().time_scales
        expected, descent = (scales[name]["value"] for name in ("search", "descent"))
        halves = [when(curves, 0.5) for curves in (solved_other, simulated_other)]
        check(
            f"{name}, a = 0.03: half is learned at {halves[0]:.2f} (DMFT) and {halves[1]:.2f} (networks), search time {expected:.2f}",
            all(abs(half / expected - 1) < 0.2 for half in halves),
        )
        took = when(solved_other, 0.25) - when(solved_other, 0.75)
        check(f"and from 3/4 to 1/4 of the error takes {took / descent:.1f} descent times", 1 / 3 < took / descent < 10)
    apart = abs(when(theory[0.03], 0.5) / when(networks[0.03], 0.5) - 1)
    check(f"DMFT and networks agree on the time at a = 0.03 within {apart:.1%}", apart < sized(2, 6) / 100)


def request(problem: dict, a: float, horizon: float) -> dict:
    """Even times."""
    times = [float(t) for t in np.linspace(horizon / 160, horizon, 160)]
    return {"problem": problem | {"initial_scale": a}, "horizon": horizon, "times": times}


def when(curves, share: float) -> float:
    """When the parameter error has fallen to `share` of its start."""
    error = curves.parameter_error / curves.parameter_error[0]
    after = int(np.argmax(error < share))
    return float(np.interp(-share, -error[after - 1 : after + 1], curves.time[after - 1 : after + 1]))


if __name__ == "__main__":
    run(main)
