"""What the compiled loops over paths compute, in plain NumPy: one path at a time, all nodes at once (arXiv 2510.01930)."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlnflow.dmft import radau
from dlnflow.native import dmft as native


def start(depth: float, u0, v0):
    """`scale` and `origin` of a network's map, from u(0) and v(0), (P,) each."""
    if depth == 2:
        return np.log(u0 * v0), np.log(v0 / u0) / 2
    powers = u0 ** (2 - depth), v0 ** (2 - depth)
    return (powers[0] + powers[1]) / 2, (powers[0] - powers[1]) / (2 * (depth - 2))


def layers(depth: float, scale, decay: float, H):
    """u and v of paths at H, powers, or exponentials, of H; `decay` is −2λt."""
    if depth == 2:
        return np.exp((scale + decay) / 2 - H), np.exp((scale + decay) / 2 + H)
    growth, steps = growth_of(depth, decay), depth - 2
    if depth == 1:
        return growth * (scale - H), growth * (scale + H)
    return tuple((growth * (scale + sign * steps * H)) ** (-1 / steps) for sign in (1, -1))


def growth_of(depth: float, decay: float):
    """e^((L−2)λt)."""
    return np.exp(-(depth - 2) * decay / 2)


def weights(depth: float, scale, decay: float, H):
    """w and k of paths at H from their own definition."""
    u, v = layers(depth, scale, decay, H)
    return (u**depth - v**depth) / depth, (u ** (2 * depth - 2) + v ** (2 * depth - 2)) * growth_of(depth, decay)


@dataclass
class Problem:
    """Paths and kernels on the panels between `edges`: random, but those of a causal process that settles."""

    depth: float = 2.0
    order: int = 4
    paths: int = 192
    rank: int = 6
    edges: Any = field(default_factory=lambda: np.array([0.0, 0.2, 0.5, 1.0]))
    initial: float = 0.5
    weight_decay: float = 0.1
    variances: tuple[float, ...] = (1.0,)
    folded: bool = False
    threshold: float = 0.2

    def __post_init__(self) -> None:
        rng = np.random.default_rng(7)
        m, self.panels = self.order, len(self.edges) - 1
        self.size = m * self.panels
        self.integrals = np.diff(self.edges)[:, None, None] * radau.integration(m)
        self.quadratures = np.diff(self.edges)[:, None, None] * radau.integration_from_edge(m)
        self.time = np.concatenate([a + (b - a) * radau.nodes(m) for a, b in zip(self.edges, self.edges[1:], strict=False)])
        self.decay = -2 * self.weight_decay * self.time
        self.Q = np.zeros((self.size, self.size))
        for p in range(self.panels):
            here = slice(p * m, p * m + m)
            self.Q[here, : p * m] = self.integrals[:p, -1].ravel()
            self.Q[here, here] = self.integrals[p]
        below = np.arange(self.size)[:, None] // m > np.arange(self.size) // m
        self.memory = np.where(below, -0.1 * rng.random((self.size, self.size)), 0.0) + np.eye(self.size)
        self.factor = 0.5 * rng.standard_normal((self.size, self.rank))
        self.modes = rng.standard_normal((self.rank + 2, self.paths))
        self.target = rng.standard_normal(self.paths)
        self.target[::3] = 0.0
        self.root = np.sqrt(np.resize(self.variances, self.paths))
        self.weights = rng.random(self.paths)
        self.weights /= self.weights.sum()
        self.strata = np.arange(self.paths // native.BLOCK) % 2
        u0, v0 = self.initial * rng.uniform(0.8, 1.2, (2, self.paths))
        self.scale, self.origin = start(self.depth, u0, v0)
        self.ahead = np.concatenate([self._parabola(n) for n in range(0, self.size, m)])

    def _parabola(self, n: int):
        if n == 0:
            return np.zeros((self.order, 3))
        last, time = self.time[n - 3 : n], self.time[n : n + self.order]
        return np.stack([np.polyval(np.polyfit(last, unit, 2), time) for unit in np.eye(3)], axis=1)

    @property
    def native(self):
        """The paths as the compiled loops read them."""
        names = ("modes", "target", "scale", "root", "origin", "weights", "strata", "folded", "depth", "threshold")
        return native.Paths(**{name: getattr(self, name) for name in names})

    def arguments(self) -> dict:
        """Those of `propagate`."""
        names = ("factor", "memory", "integrals", "quadratures", "ahead", "decay")
        return {name: getattr(self, name) for name in names} | {"tangents": True, "heights": None, "kinds": 2}

    def solve(self, path: int):
        """H, w and k (N,) of one path: H = H(0) + √c Q (L z + R_r E), E = √c (w − w*), by Newton's method over all nodes at once."""
        root, scale, origin = self.root[path], self.scale[path], self.origin[path]
        field = self.factor @ self.modes[: self.rank, path]
        H = np.full(self.size, origin)
        for _ in range(200):
            at = [weights(self.depth, scale, decay, h) for decay, h in zip(self.decay, H, strict=True)]
            w, k = np.array(at).T
            E = root * (w - self.target[path])
            defect = H - origin - root * self.Q @ (field + self.memory @ E)
            step = np.linalg.solve(np.eye(self.size) + root**2 * self.Q @ self.memory * k, defect)
            H = H - step * min(1.0, 0.3 / max(np.abs(step).max(), 1e-300))
            if np.abs(step).max() < 1e-12:
                return H, w, k
        raise AssertionError("the twin does not settle")

    def integral(self, x, start):
        """That over time of x (N,), by the polynomials through the edges and the nodes of every panel."""
        m, found, before = self.order, np.empty(self.size), 0.0
        for p, left in enumerate(self.edges[:-1]):
            here = slice(p * m, p * m + m)
            points = np.append(left, self.time[here])
            primitive = np.polyint(np.polyfit(points - left, np.append(start, x[here]), m))
            found[here] = before + np.polyval(primitive, self.time[here] - left)
            before, start = found[here][-1], x[here][-1]
        return found

    def averages(self):
        """R_w, E[E Eᵀ], E[E zᵀ], what `observe` gives by stratum, and H (N, P)."""
        N, regression = self.size, np.zeros_like(self.factor)
        response, correlation, sums, heights = np.zeros((N, N)), np.zeros((N, N)), np.zeros((2, 12, N)), np.zeros((N, self.paths))
        for path in range(self.paths):
            heights[:, path], w, k = self.solve(path)
            c, weight, target = self.root[path] ** 2, self.weights[path], self.target[path]
            E = self.root[path] * (w - target)
            correlation += weight * np.outer(E, E)
            regression += weight * np.outer(E, self.modes[: self.rank, path])
            K = np.diag(c * k)
            response -= weight * K @ np.linalg.solve(np.eye(N) + self.Q @ self.memory @ K, self.Q)
            sign = -1.0 if self.folded and target < 0 else 1.0
            u, v = layers(self.depth, self.scale[path], self.decay, heights[:, path])
            integral = self.integral(w - target, weights(self.depth, self.scale[path], 0.0, self.origin[path])[0] - target)
            even = [w * target, np.abs(w), c * k, sign * w, (w - target) ** 2, u**2 + v**2, sign * (u**2 - v**2), np.log(np.abs(u * v))]
            missed, false = (np.abs(w) <= self.threshold) & (target != 0), (np.abs(w) > self.threshold) & (target == 0)
            sums[self.strata[path // native.BLOCK]] += weight * np.stack([*even, integral**2, integral * (w - target), missed, false])
        return response, correlation, regression, sums, heights
