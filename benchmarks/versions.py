"""What solves and simulations cost beside those of another version, in turns in one run: processor time of all threads, and memory.

The other version stands in a folder of its own with its environment: `git worktree add ../other v0.1.0 && make -C ../other setup`.

    python -m benchmarks.versions ../other [rounds [problem …]]
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

RUN = """
import json, resource, sys, time
import numpy as np
from dlnflow import dmft, simulation
try:
    from dlnflow.model import BernoulliGaussTarget, GradientDescent, Problem
except ImportError:  # before 0.2
    from dlnflow.problem import BernoulliGaussTarget, GradientDescent, Problem

R1 = {"aspect_ratio": 0.5, "target": BernoulliGaussTarget(density=0.1), "noise_std": 0.1, "initial_scale": 0.3}

def flow(horizon, accuracy, **changes):
    return lambda: dmft.solve(Problem(**R1 | changes), horizon, accuracy=accuracy)

def descent(steps, step_size, accuracy):
    dynamics = GradientDescent(kind="gradient_descent", step_size=step_size)
    return lambda: dmft.solve(Problem(**R1), steps * step_size, dynamics=dynamics, accuracy=accuracy)

def networks(dimension, replicas, horizon=32.0, **changes):
    return lambda: simulation.simulate(Problem(**R1 | changes), horizon, dimension=dimension, replicas=replicas)

sparse = BernoulliGaussTarget(density=0.05)
problems = {
    "R1 at 0.01": flow(32.0, 0.01),
    "R1 at 0.001": flow(32.0, 0.001),
    "small initialisation": flow(600.0, 0.01, initial_scale=0.01),
    "grokking": flow(2e4, 0.01, target=sparse, noise_std=0.0, initial_scale=5.0, weight_decay=1e-3),
    "descent, 2000 steps": descent(2000, 0.02, 0.02),
    "networks of d = 200": networks(200, 16),
    "networks of d = 1000": networks(1000, 8),
    "networks of d = 2000": networks(2000, 4),
    "networks of d = 4000": networks(4000, 2),
    "networks with weight decay": networks(1000, 8, 100.0, weight_decay=0.02),
    "networks from small values": networks(1000, 8, 100.0, initial_scale=0.01),
}
if sys.argv[1] == "list":
    print(json.dumps(list(problems)))
    sys.exit()
dmft.solve(Problem(**R1), 1.0, accuracy=0.1)
descent(5, 0.1, 0.1)()
simulation.simulate(Problem(**R1), 1.0, dimension=50, replicas=2)
run = problems[sys.argv[1]]
run() if sys.argv[1].startswith(("networks", "R1")) else None
cpu, wall = time.process_time(), time.perf_counter()
solution = run()
cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
resident = int(open("/proc/self/statm").read().split()[1]) * 4096
print(json.dumps({"cpu": cpu, "wall": wall, "resident": resident, "outcome": solution.diagnostics["outcome"],
                  "error": solution.values["parameter_error"].tolist()}))
"""
HERE = Path(__file__).parents[1]


def run(folder: Path, *arguments: str) -> dict[str, float]:
    """What one problem takes with the version in `folder`."""
    command = [folder / ".venv" / "bin" / "python", "-c", RUN, *arguments]
    done = subprocess.run(command, cwd=folder, env=os.environ, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print the table."""
    other, rounds = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print(f"load {os.getloadavg()[0]:.1f}; medians of {rounds} runs in turns; seconds of the processors, megabytes resident after the run")
    print(f"{'problem':28} {'here':>8} {'other':>8} {'ratio':>6} {'MB here':>8} {'MB other':>8}  outcomes")
    for name in sys.argv[3:] or run(HERE, "list"):
        pairs = [(run(HERE, name), run(other, name)) for _ in range(rounds)]
        ours, theirs = zip(*pairs, strict=True)
        seconds = [median(each["cpu"] for each in runs) for runs in (ours, theirs)]
        ratio = median(mine["cpu"] / its["cpu"] for mine, its in pairs)
        memory = [median(each["resident"] for each in runs) / 1e6 for runs in (ours, theirs)]
        outcomes = f"{ours[0]['outcome']}, {theirs[0]['outcome']}"
        print(f"{name:28} {seconds[0]:8.2f} {seconds[1]:8.2f} {ratio:6.2f} {memory[0]:8.0f} {memory[1]:8.0f}  {outcomes}", flush=True)


if __name__ == "__main__":
    main()
