"""The main job, end to end: DMFT and finite networks of one problem, through the service, side by side.

Starts the embedded stack, posts both jobs through the Python client, prints both curves with their standard errors,
saves `demo.png` and stops the stack. Exit 0 only if the two agree at every time.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import numpy as np

from dlnflow.client import Client, Curves, DlnflowError, Job

PROBLEM = {
    "aspect_ratio": 0.5,
    "target": {"kind": "bernoulli_gauss", "density": 0.1, "std": 1.0},
    "noise_std": 0.1,
    "initial_scale": 0.3,
    "weight_decay": 0.0,
}
TIMES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
NAMES = ("train_loss", "parameter_error")
AGREEMENT = 4.0  # standard errors: sixteen correlated comparisons, and the 1/d bias of the finite network
START_SECONDS = 60  # three on a machine at rest


@contextlib.contextmanager
def embedded_stack() -> Iterator[Client]:
    """`python -m service` on a free port and a temporary data folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as data, Client(f"http://127.0.0.1:{port}") as client:
        environment = os.environ | {"DLNFLOW_DATA": data, "DLNFLOW_PORT": str(port)}
        with subprocess.Popen([sys.executable, "-m", "service"], env=environment) as stack:
            try:
                await_ready(client, stack)
                yield client
            finally:
                stack.send_signal(signal.SIGTERM)


def await_ready(client: Client, stack: subprocess.Popen[bytes]) -> None:
    """Return when the stack answers; exit where it does not start."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and stack.poll() is None:
        with contextlib.suppress(DlnflowError):
            client.send("GET", "/readyz")
            return
        time.sleep(0.2)
    raise SystemExit("the embedded stack did not start")


def show_progress(job: Job) -> None:
    """One line of progress."""
    print(f"  {job.record['kind']:10} {job.progress:4.0%}  {job.record['message'] or ''}", flush=True)


def z_scores(theory: Curves, network: Curves, name: str) -> np.ndarray:
    """The difference of the two curves in standard errors."""
    spread = np.hypot(getattr(theory, f"{name}_stderr"), getattr(network, f"{name}_stderr"))
    return (getattr(theory, name) - getattr(network, name)) / spread


def print_table(theory: Curves, network: Curves, name: str) -> None:
    """Both curves side by side."""
    print(f"\n{name}\n{'time':>8} {'DMFT':>12} {'±':>9} {'simulation':>12} {'±':>9} {'z':>6}")
    columns = [getattr(curves, key) for curves in (theory, network) for key in (name, f"{name}_stderr")]
    for row in zip(theory.time, *columns, z_scores(theory, network, name), strict=True):
        print("{:8g} {:12.5g} {:9.1g} {:12.5g} {:9.1g} {:6.1f}".format(*row))


def save_figure(theory: Curves, network: Curves, path: str) -> None:
    """DMFT as lines with bands, the simulation as points with error bars."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name, color in zip(NAMES, ("tab:blue", "tab:orange"), strict=True):
        theory.plot(axes, name, label=f"{name}, DMFT ± 1 s.e.", color=color)
        points, bars = getattr(network, name), getattr(network, f"{name}_stderr")
        axes.errorbar(network.time, points, bars, fmt="o", color=color, label=f"{name}, simulation ± 1 s.e.", markersize=4)
    axes.set_title("Gradient flow on a diagonal linear network: δ = 0.5, σ = 0.1, a = 0.3")
    axes.legend()
    figure.savefig(path, dpi=120)


def main() -> int:
    """Run the demo; the exit code says whether theory and simulation agree."""
    with embedded_stack() as client:
        jobs = [
            client.submit(kind="dmft", problem=PROBLEM, horizon=32.0, times=TIMES, accuracy=0.01),
            client.submit(kind="simulation", problem=PROBLEM, horizon=32.0, times=TIMES, dimension=2000, replicas=10),
        ]
        theory, network = (job.wait(timeout=240, on_progress=show_progress).curves() for job in jobs)
        outcome = jobs[0].diagnostics()["outcome"]
    for name in NAMES:
        print_table(theory, network, name)
    save_figure(theory, network, "demo.png")
    worst = max(float(np.abs(z_scores(theory, network, name)).max()) for name in NAMES)
    agree = worst <= AGREEMENT and outcome == "converged"
    verdict = "they agree" if agree else "they DISAGREE"
    print(f"\nDMFT {outcome}; largest difference {worst:.1f} standard errors: {verdict}. Figure: demo.png")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
