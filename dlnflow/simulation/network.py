"""One finite diagonal linear network: its data and its initial values (arXiv 2510.01930).

With H(t) = ∫₀ᵗ h the flow of arXiv 2510.01930 reads u² = u₀² e^(−2λt−2H), v² = v₀² e^(−2λt+2H), w = (u² − v²)/2: everything nonlinear is
one scalar map from H to w. At a depth L other than two w = (u^L − v^L)/L, and that map is another.

The truncated network of the rigorous theory has T(u) and T(v), clipped to [−M, M], in the place of u and v on the right-hand side and in w:
u̇ = −T(u)(h + λ), w = (T(u)² − T(v)²)/2. A coordinate beyond M moves at the speed of one at M, so that log(u/M) below M and u/M − 1
above is again linear in H, and T(u)² is u² as above with its exponent limited to log M².
"""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlnflow.model.depth import power
from dlnflow.native import simulation as native
from dlnflow.simulation.batches import Batch
from dlnflow.simulation.products import Design
from dlnflow.solution import Array


class Network:
    """Training data, initial values and the weight decay of one network.

    `design` holds X, shape (rows, d), `y` has shape (rows,), `teacher`, `u0` and `v0` (d,), the latter without zeros. The residual
    r = Xw − y has `samples` entries, of which those outside the column space of X do not move and enter only by the sum of their
    squares, `fixed_residual`. u and v are clipped at `truncation`, if there is one. `members` (d,) numbers the group of every coordinate.
    Raises `ValueError` where a truncation is asked for at another depth than two.
    """

    def __init__(
        self,
        design: Design,
        y: Array,
        teacher: Array,
        u0: Array,
        v0: Array,
        weight_decay: float,
        samples: int,
        fixed_residual: float = 0.0,
        truncation: float | None = None,
        members: NDArray[np.intp] | None = None,
        depth: float = 2.0,
    ) -> None:
        if truncation is not None and depth != 2:
            raise ValueError(f"truncation is for networks of depth 2, not {depth:g}: leave it out.")
        self.design, self.y, self.teacher, self.u0, self.v0 = design, y, teacher, u0, v0
        self.weight_decay, self.samples, self.fixed_residual = weight_decay, samples, fixed_residual
        self.truncation = np.inf if truncation is None else truncation
        self.members = np.zeros(teacher.size, np.intp) if members is None else members
        self.depth = depth
        self.per_sample = teacher.size / samples

    @cached_property
    def compiled(self) -> native.Network | native.AnyDepthNetwork:
        """The network as a flow needs it, with what is next to X in integers."""
        names = ("y", "teacher", "u0", "v0", "weight_decay", "samples", "fixed_residual")
        known: dict[str, Any] = {name: getattr(self, name) for name in names}
        if self.depth == 2:
            return native.Network(self.design.compiled, **known, truncation=self.truncation)
        return native.AnyDepthNetwork(self.design.compiled, **known, depth=self.depth)

    def compiled_flow(self, tolerance: float, end: float) -> native.Flow | native.AnyDepthFlow:
        """Its flow, at t = 0."""
        compiled = self.compiled
        if isinstance(compiled, native.Network):
            return native.Flow(compiled, tolerance=tolerance, end=end)
        return native.AnyDepthFlow(compiled, tolerance=tolerance, end=end)

    def weights(self, u: Array, v: Array) -> Array:
        """w = (u^L − v^L)/L."""
        return (power(u, self.depth) - power(v, self.depth)) / self.depth

    def descent(self, step: float, layer: Array, force: Array) -> Array:
        """η (u^(L−1) h + λu), by which a step of gradient descent lowers u; and v with −h."""
        if self.depth == 2:
            return step * layer * (self.weight_decay + force)
        return step * (self.weight_decay * layer + force * power(layer, self.depth - 1))

    def force(self, w: Array) -> tuple[Array, Array]:
        """The residual r = Xw − y, shape (rows,), and h = Xᵀr/δ, shape (d,)."""
        r, image = self.design.residual_and_force(w, self.y)
        return r, image * self.per_sample

    def batch_force(self, w: Array, batch: Batch) -> Array:
        """h, shape (d,), as far as the samples of a batch tell, with its noise on their labels."""
        _, image = self.design.batch(batch.samples, w, self.y[batch.samples] + batch.label_noise)
        return image * (self.per_sample / batch.fraction)
