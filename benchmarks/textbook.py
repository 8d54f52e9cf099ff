"""The textbook method for the mean-field theory, timed at the error of our solve of the reference problem to t = 32.

As the field's codes do it: a uniform Euler grid, Monte Carlo paths, and the kernels on the whole time grid as a damped fixed point. An
iteration draws ζ = L z, marches all paths with the kernels of the iteration before, and averages C_e and the tangent response R_w. It is
written as well as its authors would: Numba loops with the path index last, in parallel, the teacher weights stratified, dense algebra
in BLAS. w follows exactly from the sums H = Σ h Δt, which no explicit step in u and v can improve on.

    .venv/bin/pip install numba && .venv/bin/python -m benchmarks.textbook

Its error has two parts, time step ∝ Δt^p and sampling ∝ P^(−1/2), its cost is P T³ per iteration. p and the constants are measured
on grids and samples that it can do in minutes, and the cost at the accuracy asked for and at our true error, half for each part, is
extrapolated by
them. The time step's part is measured up to t = 4, where it shows above the noise, and is taken for the whole: this flatters the
textbook method.
Seconds are those of the processors, of all threads, so that other work on the machine hardly disturbs the ratio.
"""

import os
import time
from dataclasses import dataclass

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from dlnflow.dmft import solve
from dlnflow.model import BernoulliGaussTarget, Problem
from dlnflow.solution import Array

PROBLEM = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.1), noise_std=0.1, initial_scale=0.3)
HORIZON, ACCURACY, REFERENCE = 32.0, 1e-2, 2e-3
TIMES = np.array([0.5, 1, 2, 4, 8, 16, 32])
DAMPING = 0.5
FLOOR = 1e-3
LANES = 32
EARLY = 4.0  # until then the time step shows above the noise
SETTLED = 1e-3  # relative change of the curves in an iteration at which it stops
MOST_ITERATIONS = 60


@numba.njit(parallel=True, fastmath=True, cache=True)
def march(noise: Array, target: Array, memory: Array, dt: float, scale: float, error: Array, response: Array) -> None:
    """Fill e, shape (B, T, LANES), and the sums of the tangents G(t, s), shape (B, T, T), of blocks of paths.

    `noise` is ζ, (B, T, LANES), `memory` R_r Δt, (T, T). G(t, s) = −k(t) Σ_{s ≤ j < t} Δt (δ_js + Σ_r memory(j, r) G(r, s)).
    """
    steps = memory.shape[0]
    for block in numba.prange(len(noise)):
        height = np.zeros(LANES)
        slope = np.empty((steps, steps * LANES), np.float32)
        total = np.zeros(steps * LANES, np.float32)
        change = np.empty(steps * LANES, np.float32)
        for t in range(steps):
            error[block, t] = -scale * np.sinh(2 * height) - target[block]
            k = (2 * scale * np.cosh(2 * height)).astype(np.float32)
            for s in range(t):
                for lane in range(LANES):
                    i = s * LANES + lane
                    slope[t, i] = -k[lane] * total[i]
                    response[block, t, s] += slope[t, i]
            force = noise[block, t].copy()
            change[: (t + 1) * LANES] = 0
            for r in range(t + 1):
                m = np.float32(memory[t, r] * dt)
                for i in range(r * LANES):
                    change[i] += m * slope[r, i]
                for lane in range(LANES):
                    force[lane] += memory[t, r] * error[block, r, lane]
            for i in range(t * LANES):
                total[i] += change[i]
            total[t * LANES : (t + 1) * LANES] = 1
            height += dt * force


@dataclass
class Textbook:
    """A solve on `steps` Euler steps with `paths` paths. R_w and R_r are matrices on step values, Δt included."""

    steps: int
    paths: int
    seed: int = 0

    def run(self) -> tuple[Array, int, float]:
        """Train loss and parameter error at TIMES, (2, 7), the number of iterations and seconds per iteration."""
        rng = np.random.default_rng(self.seed)
        self.size, self.dt = self.steps + 1, HORIZON / self.steps
        self.target, self.normal = self._target(rng), rng.standard_normal((self.size, self.paths))
        correlation, response = np.full((self.size, self.size), PROBLEM.target_second_moment), np.zeros((self.size, self.size))
        curves, began = np.ones((2, len(TIMES))), time.process_time()
        for count in range(1, MOST_ITERATIONS + 1):
            before = curves
            curves, new_correlation, new_response = self._iterate(correlation, response)
            if relative(curves, before) < SETTLED:
                break
            weight = 1.0 if count == 1 else DAMPING
            correlation += weight * (new_correlation - correlation)
            response += weight * (new_response - response)
        return curves, count, (time.process_time() - began) / count

    def _target(self, rng: np.random.Generator) -> Array:
        """Teacher weights with the right number of nonzero ones and second moment."""
        target = np.zeros(self.paths)
        spiked = round(0.1 * self.paths)
        target[:spiked] = rng.standard_normal(spiked)
        return target * np.sqrt(PROBLEM.target_second_moment * self.paths / (target @ target))

    def _iterate(self, correlation: Array, response: Array) -> tuple[Array, Array, Array]:
        """The curves that the kernels give, and the averages C_e and R_w over the paths that they drive, with the same draws each time."""
        blocks, unit = self.paths // LANES, np.eye(self.size)
        R = np.linalg.solve(unit - response / PROBLEM.aspect_ratio, unit)
        C = R @ (correlation + PROBLEM.noise_std**2) @ R.T
        size, vectors = np.linalg.eigh(C / PROBLEM.aspect_ratio)
        noise = (vectors * np.sqrt(np.maximum(size, 0))) @ (vectors.T @ self.normal)
        error, tangents = np.empty((blocks, self.size, LANES)), np.zeros((blocks, self.size, self.size))
        lanes = np.ascontiguousarray(noise.reshape(self.size, blocks, LANES).transpose(1, 0, 2))
        march(lanes, self.target.reshape(blocks, LANES), R, self.dt, PROBLEM.initial_scale**2, error, tangents)
        paths = error.transpose(1, 0, 2).reshape(self.size, -1)
        at = np.rint(TIMES / self.dt).astype(int)
        new_correlation, new_response = paths @ paths.T / self.paths, self.dt * tangents.sum(axis=0) / self.paths
        return np.array([np.diag(C)[at] / 2, np.diag(new_correlation)[at]]), new_correlation, new_response


def relative(curves: Array, reference: Array, until: float = HORIZON) -> float:
    """The largest error, relative to the curve or to 1e-3 of its value at t = 0, which is its largest."""
    start = np.array([[(PROBLEM.target_second_moment + PROBLEM.noise_std**2) / 2], [PROBLEM.target_second_moment]])
    return float(np.max((np.abs(curves - reference) / np.maximum(np.abs(reference), FLOOR * start))[:, until >= TIMES]))


def own(accuracy: float) -> tuple[Array, float]:
    """The curves of our solve and its seconds, the least of two."""
    seconds = []
    for _ in range(2):
        began = time.process_time()
        values = solve(PROBLEM, HORIZON, times=TIMES, accuracy=accuracy).values
        seconds.append(time.process_time() - began)
    return np.array([values["train_loss"], values["parameter_error"]]), min(seconds)


def main() -> None:
    """Print what was measured and what follows for the textbook method at our error."""
    threadpool_limits(1, user_api="blas")
    print(f"load {os.getloadavg()[0]:.1f}, problem R1 to t = {HORIZON:g}, ours at accuracy {ACCURACY:g}")
    values = solve(PROBLEM, HORIZON, times=TIMES, accuracy=REFERENCE, seed=1).values
    reference = np.array([values["train_loss"], values["parameter_error"]])
    Textbook(64, LANES).run()
    curves, seconds = own(ACCURACY)
    target = relative(curves, reference)
    print(f"ours: {seconds:.2f} s, true error {target:.1e}")
    errors = []
    for steps, paths, seeds in ((192, 512, 6), (384, 512, 3)):
        runs = [Textbook(steps, paths, seed).run() for seed in range(seeds)]
        found = np.array([curve for curve, _, _ in runs])
        if len(errors) == 0:
            sampling = relative(reference + found.std(axis=0, ddof=1), reference)
        iterations, each = max(count for _, count, _ in runs), min(each for _, _, each in runs)
        errors.append(relative(found.mean(axis=0), reference, EARLY))
        print(f"textbook, {steps} steps, {paths} paths: {iterations} iterations of {each:.2f} s, error to t = {EARLY:g} {errors[-1]:.1e}")
    order = float(np.clip(np.log2(errors[0] / errors[1]), 1, 2))
    print(f"standard error with {paths} paths {sampling:.1e}, order of the time step {order:.1f}; by extrapolation")
    for wanted in (ACCURACY, target):
        needed_steps = steps * max(1.0, (errors[1] / (wanted / 2)) ** (1 / order))
        needed_paths = paths * max(1.0, (sampling / (wanted / 2)) ** 2)
        cost = iterations * each * (needed_paths / paths) * (needed_steps / steps) ** 3
        print(f"  error {wanted:.1e}: {needed_steps:.0f} steps, {needed_paths:.2g} paths, {cost:.2g} s, {cost / seconds:.2g} times ours")


if __name__ == "__main__":
    main()
