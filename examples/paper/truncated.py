"""The truncated network of the rigorous theory: u and v clipped at a level M; as M grows, the network without truncation comes back."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 0.3}
LEVELS = [0.8, 1.2, 1.6, 2.0, 2.8, 4.0]


def main(client: Client) -> None:
    shared = {"problem": PROBLEM, "horizon": 16.0, "kind": "simulation", "dimension": sized(2000, 300), "replicas": sized(8, 4)}
    jobs = {level: client.submit(**shared, truncation=level) for level in LEVELS}
    solve = client.submit(kind="dmft", problem=PROBLEM, horizon=16.0, accuracy=0.01).result().curves
    whole = client.submit(**shared).result().curves
    found = {level: job.result().curves for level, job in jobs.items()}

    figure, ax = plt.subplots(figsize=(5, 3.4))
    for number, (level, curves) in enumerate(found.items()):
        ax.loglog(curves.time[1:], curves.parameter_error[1:], f"C{number}x", ms=4, label=f"M = {level:g}")
    ax.loglog(solve.time[1:], solve.parameter_error[1:], "k-", label="DMFT, M = ∞")
    ax.set(xlabel="time", ylabel="parameter error")
    ax.legend(ncols=2)
    save(figure, "truncated")

    away = [float(np.abs(curves.parameter_error / whole.parameter_error - 1).max()) for curves in found.values()]
    check(f"truncation matters less as M grows: {', '.join(f'{x:.2g}' for x in away)}", bool(np.all(np.diff(away) <= 0)))
    check(f"at M = {LEVELS[-1]:g} the same networks differ by {away[-1]:.1e} of the error", away[-1] < 1e-3)
    last = found[LEVELS[-1]]
    z = float(
        np.abs((last.parameter_error - solve.parameter_error) / np.hypot(last.parameter_error_stderr, solve.parameter_error_stderr)).max()
    )
    check(f"and are within {z:.1f} standard errors of the DMFT without truncation", z < 5)  # four to eight networks, many times


if __name__ == "__main__":
    run(main)
