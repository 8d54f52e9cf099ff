"""arXiv 2305.19808, 2509.18766: for small a the running mean of w follows the LASSO path, at the penalty log(1/a)/t."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 1e-4}
PENALTIES = (0.2, 0.1, 0.05, 0.02)


def main(client: Client) -> None:
    a = PROBLEM["initial_scale"]
    times = [float(np.log(1 / a) / penalty) for penalty in PENALTIES]
    sizes = {"dimension": sized(1000, 300), "replicas": sized(24, 6)}
    networks = client.submit(kind="simulation", problem=PROBLEM, horizon=times[-1], times=times, **sizes)
    path = [float(p) for p in np.geomspace(0.01, 0.4, sized(31, 9))]
    sweep = client.submit(kind="sweep", base={"kind": "theory", "problem": PROBLEM}, axes={"problem.weight_decay": path})
    at = [client.submit(kind="theory", problem=PROBLEM | {"weight_decay": p}).result().final_parameter_error for p in PENALTIES]
    found = networks.result()
    mean, error = (getattr(found.order_parameters, f"averaged_parameter_error{end}") for end in ("", "_stderr"))
    now = found.curves.parameter_error

    figure, ax = plt.subplots(figsize=(4.8, 3.4))
    ax.semilogx(path, [row["final_parameter_error"] for row in sweep.result().rows], "k-", label="LASSO, theory")
    ax.errorbar(PENALTIES, mean, error, fmt="o", mfc="none", label="running mean, networks")
    ax.plot(PENALTIES, now, "x", label="w itself")
    ax.set(xlabel="penalty λ = log(1/a)/t", ylabel="parameter error")
    ax.legend()
    save(figure, "running-mean")

    for number, penalty in enumerate(PENALTIES):
        claim = f"λ = {penalty:g}, t = {times[number]:.0f}: running mean {mean[number]:.4f} ± {error[number]:.4f}, LASSO {at[number]:.4f}"
        check(claim, abs(mean[number] - at[number]) < 3 * error[number] + sized(10, 25) / 100 * at[number])
    closer = int(np.sum(np.abs(mean - at) < np.abs(now - at)))
    check(f"the running mean is closer to the LASSO than w at {closer} of {len(PENALTIES)} penalties", closer >= len(PENALTIES) - 1)


if __name__ == "__main__":
    run(main)
