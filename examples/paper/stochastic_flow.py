"""arXiv 2602.06320: short steps of batches are one flow at each τ = η(1 − b)/(bδ), which forgets more, the larger τ is."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client
from dlnflow.model import Problem, StochasticGradientFlow
from dlnflow.theory import end_of_descent

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 0.6}
TEMPERATURES = (0.3, 0.6)
STEPS = (0.05, 0.025)
HORIZON = float(sized(24, 12))


def at(temperature: float) -> dict[str, object]:
    """The dynamics at a temperature."""
    return {"kind": "stochastic_gradient_flow", "temperature": temperature} if temperature else {"kind": "gradient_flow"}


def short(step: float, temperature: float) -> dict[str, object]:
    """Steps of batches at a temperature."""
    return {"kind": "gradient_descent", "step_size": step, "batch_fraction": step / (step + temperature * PROBLEM["aspect_ratio"])}


def main(client: Client) -> None:
    times = [float(t) for t in np.concatenate([np.arange(1, 60) * 0.05, np.linspace(3, HORIZON, 30)])]
    shared = {"problem": PROBLEM, "horizon": HORIZON, "times": times}
    sizes = {"dimension": sized(1500, 800), "replicas": sized(64, 24)}
    solves = {tau: client.submit(**shared, kind="dmft", accuracy=0.05, dynamics=at(tau)) for tau in (0.0, *TEMPERATURES)}
    hottest = TEMPERATURES[-1]
    flow = client.submit(**shared, kind="simulation", dynamics=at(hottest), **sizes)
    steps = {step: client.submit(**shared, kind="simulation", dynamics=short(step, hottest), **sizes) for step in STEPS}
    found = {tau: job.result() for tau, job in solves.items()}
    networks, by_step = flow.result(), {step: job.result() for step, job in steps.items()}

    problem, ends = Problem(**PROBLEM), {}
    for tau in TEMPERATURES:
        dynamics = StochasticGradientFlow(**at(tau))
        loss = np.trapezoid(np.append(0.055, found[tau].curves.train_loss), np.append(0.0, found[tau].curves.time))
        ends[tau] = end_of_descent(problem, dynamics, float(loss)).parameter_error

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2))
    for number, (tau, result) in enumerate(found.items()):
        left.semilogx(result.curves.time, result.order_parameters.log_product, f"C{number}-", label=f"τ = {tau:g}")
        right.semilogx(result.curves.time, result.curves.parameter_error, f"C{number}-")
    left.semilogx(networks.curves.time[::4], networks.order_parameters.log_product[::4], "kx", ms=4, label="networks")
    right.semilogx(networks.curves.time[::4], networks.curves.parameter_error[::4], "kx", ms=4)
    for number, tau in enumerate(TEMPERATURES, 1):
        right.axhline(ends[tau], color=f"C{number}", ls=":")
    left.set(xlabel="time", ylabel="E[log u v]", title="lines: DMFT, ×: networks")
    right.set(xlabel="time", ylabel="parameter error", title="dotted: theory, t → ∞")
    left.legend()
    save(figure, "stochastic-flow")

    for tau in TEMPERATURES:
        mean, error = (float(values[-1]) for values in (found[tau].curves.parameter_error, found[tau].curves.parameter_error_stderr))
        check(f"at τ = {tau:g} the flow ends at {mean:.5f} ± {error:.5f}, theory {ends[tau]:.5f}", abs(mean / ends[tau] - 1) < 0.03)
    for name in ("train_loss", "parameter_error"):
        one, other = networks.curves, found[hottest].curves
        bars = np.hypot(getattr(one, f"{name}_stderr"), getattr(other, f"{name}_stderr"))
        z = np.abs(getattr(one, name) - getattr(other, name)) / bars
        check(
            f"{name} of networks is that of the mean field: largest z {z.max():.1f}, rms {np.sqrt(np.mean(z**2)):.2f}",
            z.max() < sized(4, 5),
        )
    long, half, flow_end = (result.order_parameters for result in (by_step[STEPS[0]], by_step[STEPS[1]], found[hottest]))
    lost, bar = [float(each.log_product[-1]) for each in (long, half, flow_end)], float(half.log_product_stderr[-1])
    limit = 2 * lost[1] - lost[0]
    said = f"E[log u v] ends at {lost[0]:.4f}, {lost[1]:.4f} with steps of {STEPS[0]:g} and {STEPS[1]:g}, at {lost[2]:.4f} in the flow"
    check(f"{said}; extrapolated {limit:.4f} ± {5**0.5 * bar:.4f}", abs(limit - lost[2]) < 3 * 5**0.5 * bar)


if __name__ == "__main__":
    run(main)
