"""arXiv 2302.08982: how large a step descent endures, and what large steps do to u v on the support and off it."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client, JobFailed

SUPPORT = {"kind": "discrete", "atoms": [-1.0, 1.0], "probabilities": [0.5, 0.5]}
ZERO = {"kind": "discrete", "atoms": [0.0], "probabilities": [1.0]}
PROBLEM = {
    "aspect_ratio": 0.5,
    "noise_std": 0.0,
    "groups": [
        {"weight": 0.05, "target": SUPPORT, "initial_scale": 0.3},
        {"weight": 0.95, "target": ZERO, "initial_scale": 0.3},
    ],
}
HORIZON = 60.0


def main(client: Client) -> None:
    descent = {"kind": "gradient_descent", "step_size": 0.01}
    edge = client.submit(kind="theory", problem=PROBLEM, dynamics=descent).result().document["descent"]["largest_stable_step"]
    steps = [float(edge * share) for share in (0.1, 0.5, 0.9)]
    sizes = {"dimension": 1000, "replicas": sized(12, 4)}
    jobs = {step: client.submit(**request(step), kind="simulation", **sizes) for step in steps}
    solved = client.submit(**request(steps[0]), kind="dmft", accuracy=0.02)
    too_large = client.submit(**request(3 * edge), kind="simulation", **sizes)
    found, dmft = {step: job.result() for step, job in jobs.items()}, solved.result()

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2))
    for number, (step, result) in enumerate(found.items()):
        curves, order = result.curves, result.order_parameters
        left.loglog(curves.time, curves.train_loss, f"C{number}-", label=f"η = {step / edge:.1f} of the edge")
        right.semilogx(order.time, order.log_product, f"C{number}-")
    right.semilogx(dmft.order_parameters.time, dmft.order_parameters.log_product, "k:", label="DMFT, smallest step")
    left.set(xlabel="time", ylabel="train loss", title=f"largest stable step {edge:.3f}")
    right.set(xlabel="time", ylabel="E log|u v|")
    left.legend()
    right.legend()
    save(figure, "edge-of-stability")

    ends = [float(result.order_parameters.log_product[-1]) for result in found.values()]
    check(f"larger steps end at smaller u v: E log|u v| = {', '.join(f'{end:.3f}' for end in ends)}", bool(np.all(np.diff(ends) < 0)))
    for step, result in found.items():
        left_over = float(result.curves.train_loss[-1] / result.curves.train_loss[0])
        check(f"η = {step / edge:.1f} of the edge learns: the train loss is down to {left_over:.1e} of its start", left_over < 0.01)
    apart = abs(float(dmft.order_parameters.log_product[-1]) - ends[0])
    check(f"DMFT and networks agree on E log|u v| within {apart:.3f}", apart < 0.05)
    check("three times the edge does not learn", not learns(too_large))


def request(step: float) -> dict:
    """Descent with equal steps."""
    dynamics = {"kind": "gradient_descent", "step_size": step}
    return {"problem": PROBLEM, "horizon": HORIZON, "dynamics": dynamics}


def learns(job) -> bool:
    """Whether the train loss ends below a hundredth of its start."""
    try:
        loss = job.result().curves.train_loss
    except JobFailed as failure:
        print(f"  {failure}")
        return False
    return bool(np.isfinite(loss[-1]) and loss[-1] < 0.01 * loss[0])


if __name__ == "__main__":
    run(main)
