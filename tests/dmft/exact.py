"""Exact results for the mean-field theory, each derived apart from the solver (arXiv 2510.01930 and classical state evolution)."""

import numpy as np
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq
from scipy.stats import norm

# trapezoid points over a standard normal, crowded near zero, where the slowest coordinates are
STRETCHED = np.linspace(-9, 9, 1201)
NODES = np.sinh(STRETCHED) * 8 / np.sinh(9)
WEIGHTS = norm.pdf(NODES) * np.cosh(STRETCHED) * 8 / np.sinh(9) * (STRETCHED[1] - STRETCHED[0])


def marchenko_pastur(f, delta):
    """∫ρ(x) f(x) dx over the nonzero spectrum of XᵀX/δ."""
    root = delta**-0.5
    low, high = (1 - root) ** 2, (1 + root) ** 2
    center, half = (low + high) / 2, (high - low) / 2

    def integrand(angle):
        x = center + half * np.cos(angle)
        return f(x) * (half * np.sin(angle)) ** 2 * delta / (2 * np.pi * x)

    return quad(integrand, 0, np.pi, limit=400, epsabs=1e-12)[0]


def linear_regression(t, delta, kappa, second, noise):
    """parameter_error and train_loss of w' = −κ h at time t."""
    error = marchenko_pastur(lambda x: second * np.exp(-2 * kappa * x * t) + noise**2 * np.expm1(-kappa * x * t) ** 2 / (delta * x), delta)
    loss = marchenko_pastur(lambda x: np.exp(-2 * kappa * x * t) * (delta * x * second + noise**2), delta) / delta
    return error + max(0, 1 - delta) * second, (loss + max(0, 1 - 1 / delta) * noise**2) / 2


def population_error(times, a, decay, std):
    """parameter_error of independent coordinates, w* ~ N(0, std²), at the increasing `times`."""
    target = std * NODES

    def flow(t, w):
        return -2 * np.sqrt(w**2 + a**4 * np.exp(-4 * decay * t)) * (w - target) - 2 * decay * w

    path = solve_ivp(flow, (0, times[-1]), np.zeros_like(target), t_eval=times, rtol=1e-9, atol=1e-12, method="LSODA")
    return (path.y.T - target) ** 2 @ WEIGHTS


def interpolation_error(delta, a, density, noise):
    """Final parameter_error at λ = 0, δ < 1, for Bernoulli–Gauss(density, 1): the fixed point of the scalar proximal map."""
    grid = 6 * np.sinh(np.linspace(-6, 6, 8001)) / np.sinh(6)

    def averages(theta, s):
        mapped = grid + theta / 2 * np.arcsinh(grid / a**2)
        slope_inverse = 1 + theta / 2 / np.sqrt(grid**2 + a**4)
        total_slope, total_error = 0.0, 0.0
        for probability, variance in ((1 - density, 0.0), (density, 1.0)):
            spread = np.sqrt(variance + s**2)
            mass = norm.pdf(mapped, scale=spread) * slope_inverse
            gain = variance / spread**2
            error = (grid - gain * mapped) ** 2 + variance * (1 - gain)
            total_slope += probability * np.trapezoid(mass / slope_inverse, grid)
            total_error += probability * np.trapezoid(mass * error, grid)
        return total_slope, total_error

    error = density
    for _ in range(200):
        s = np.sqrt((noise**2 + error) / delta)
        theta = brentq(lambda x, s=s: averages(x, s)[0] - delta, 1e-6, 1e4)
        new = averages(theta, s)[1]
        if abs(new - error) < 1e-7:
            break
        error = new
    return new


def lasso_error(delta, decay, density, noise):
    """Final parameter_error at λ > 0 for Bernoulli–Gauss(density, 1): LASSO state evolution."""
    error = density
    for _ in range(500):
        s = np.sqrt((noise**2 + error) / delta)

        def moments(theta, s=s):
            slope, total = 0.0, 0.0
            for probability, variance in ((1 - density, 0.0), (density, 1.0)):
                spread = np.sqrt(variance + s**2)
                gain = variance / spread**2
                y = np.linspace(theta, theta + 12 * spread, 20_001)
                mass = 2 * norm.pdf(y, scale=spread)
                inside = 1 - 2 * norm.sf(theta, scale=spread)
                below = np.linspace(-theta, theta, 20_001)
                slope += probability * (1 - inside)
                total += probability * np.trapezoid(mass * ((y - theta - gain * y) ** 2 + variance * (1 - gain)), y)
                total += probability * np.trapezoid(norm.pdf(below, scale=spread) * ((gain * below) ** 2 + variance * (1 - gain)), below)
            return slope, total

        theta = brentq(lambda x: x * (1 - moments(x)[0] / delta) - decay, _edge(moments, delta), 1e3)
        new = moments(theta)[1]
        if abs(new - error) < 1e-10:
            break
        error = new
    return new


def _edge(moments, delta):
    """The smallest threshold at which E[η'] ≤ δ."""
    return 0.0 if delta >= 1 else brentq(lambda x: moments(x)[0] - delta, 0.0, 1e3)
