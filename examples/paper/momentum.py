"""arXiv 2403.05293: with momentum β the path of small steps depends on η/(1 − β)² alone, and a larger one shrinks u v more."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 0.3}
INTRINSIC = {0.25: (0.8, 0.95), 1.0: (0.8, 0.95)}  # η/(1 − β)² and two β that give it
END = 60.0  # on the time η k/(1 − β) of the flow


def main(client: Client) -> None:
    sizes = {"dimension": sized(1500, 800), "replicas": 16}
    pairs = [(intrinsic, beta) for intrinsic, betas in INTRINSIC.items() for beta in betas]
    networks = {pair: client.submit(**request(*pair), kind="simulation", **sizes) for pair in pairs}
    solved = {pair: client.submit(**request(*pair, end=6.0), kind="dmft", accuracy=0.02) for pair in pairs[::2]}
    found = {pair: job.result() for pair, job in networks.items()}
    dmft = {pair: job.result().curves for pair, job in solved.items()}

    figure, ax = plt.subplots(figsize=(4.8, 3.4))
    for number, (intrinsic, beta) in enumerate(pairs):
        curves = found[intrinsic, beta].curves
        ax.loglog(curves.time / (1 - beta), curves.parameter_error, f"C{number}-", label=f"η/(1−β)² = {intrinsic:g}, β = {beta:g}")
        if (intrinsic, beta) in dmft:
            ax.loglog(dmft[intrinsic, beta].time / (1 - beta), dmft[intrinsic, beta].parameter_error, f"C{number}:", label="DMFT")
    ax.set(xlabel="time ηk/(1 − β)", ylabel="parameter error")
    ax.legend(fontsize=7)
    save(figure, "momentum")

    for intrinsic, (small, large) in INTRINSIC.items():
        paths = [found[intrinsic, beta].curves for beta in (small, large)]
        apart = float(np.abs(paths[0].parameter_error / paths[1].parameter_error - 1)[paths[0].time / (1 - small) > 1].max())
        check(f"η/(1−β)² = {intrinsic:g}: β = {small:g} and {large:g} give one path after t = 1, within {apart:.1%}", apart < 0.15)
    for (intrinsic, beta), curves in dmft.items():
        networks = found[intrinsic, beta].curves
        mean, stderr = networks.parameter_error[: len(curves.time)], networks.parameter_error_stderr[: len(curves.time)]
        difference, spread = np.abs(curves.parameter_error - mean), np.hypot(stderr, curves.parameter_error_stderr)
        z, apart = float((difference / spread).max()), float((difference / mean).max())
        claim = f"DMFT and networks agree within {z:.1f} standard errors, {apart:.1%}"
        check(f"η/(1−β)² = {intrinsic:g}, β = {beta:g}: {claim}", z < 4)
    ends = [found[intrinsic, betas[1]].order_parameters for intrinsic, betas in INTRINSIC.items()]
    scale = [float(end.log_product[-1]) for end in ends]
    check(f"a larger η/(1−β)² shrinks u v more: E log|u v| ends at {scale[0]:.3f} and {scale[1]:.3f}", scale[1] < scale[0])
    print(f"  E|w| ends at {', '.join(f'{end.l1_norm[-1]:.4f}' for end in ends)}: inertia also shifts weights that end at zero")


def request(intrinsic: float, beta: float, end: float = END) -> dict:
    """Heavy-ball steps until the same time of the flow, on the same times of it."""
    times = np.geomspace(0.2, END, 40)
    times = times[times <= end] * (1 - beta)
    dynamics = {"kind": "gradient_descent", "step_size": intrinsic * (1 - beta) ** 2, "momentum": beta}
    return {"problem": PROBLEM, "horizon": float(times[-1]), "times": [float(t) for t in times], "dynamics": dynamics}


if __name__ == "__main__":
    run(main)
