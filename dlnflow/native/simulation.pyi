"""Products with a design, and steps of a finite network."""

from collections.abc import Callable
import enum
from typing import Annotated

import numpy
from numpy.typing import NDArray


SINGLE: float = 1e-07

ROUNDED: float = 0.0001

MAX_VECTORS: int = 250

class Outcome(enum.Enum):
    """Why steps end."""

    REACHED = 0
    """The time is reached."""

    STIFF = 1
    """The next is too stiff for a Krylov space, and no spectrum serves."""

    SHORTENED = 2
    """The last was too stiff for a Krylov space and became shorter."""

    STUCK = 3
    """Steps that are short enough lead nowhere."""

class Design:
    """X, what is next to it in integers of 16 bits, and products with them."""

    def __init__(self, X: object, *, triangular: bool, cut: int, threads: int, rounded: object | None = None, units: object | None = None, diagonal: object | None = None) -> None: ...

    def residual_and_force(self, w: object, y: object) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64]]:
        """Xw − y, shape (rows,), and Xᵀ times that, shape (d,)."""

    def batch(self, rows: object, w: object, y: object) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64]]:
        """
        Xw − y of m chosen rows of X, shape (m,), and Xᵀ times that, shape (d,); X is not triangular.
        """

    def products(self, x: object, error: float) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64]]:
        """Xx, shape (rows,), and XᵀXx, shape (d,), to the relative error, about."""

def round_columns(X: object, *, triangular: bool, levels: int) -> tuple[NDArray[numpy.int16], NDArray[numpy.float32], NDArray[numpy.float32]]:
    """
    Integers up to `levels`, a unit for each column, and the sums of its squares.
    """

class Point:
    """
    A network at the time t: H, w, w and the slope k without what is clipped, h and r.
    """

    @property
    def t(self) -> float: ...

    @property
    def H(self) -> Annotated[NDArray[numpy.float64], dict(writable=False)]: ...

    @property
    def w(self) -> Annotated[NDArray[numpy.float64], dict(writable=False)]: ...

    @property
    def free(self) -> Annotated[NDArray[numpy.float64], dict(writable=False)]: ...

    @property
    def k(self) -> Annotated[NDArray[numpy.float64], dict(writable=False)]: ...

    @property
    def force(self) -> Annotated[NDArray[numpy.float64], dict(writable=False)]: ...

    @property
    def r(self) -> Annotated[NDArray[numpy.float64], dict(writable=False)]: ...

def phi(p: int, x: object) -> NDArray[numpy.float64]:
    """φ_p(x) for x ≤ 0."""

class Functions:
    """Functions of the Jacobian J of a flow times a vector b."""

    def build(self, p: int, factor: float, h: float, limit: float) -> float:
        """
        Make factor · φ_p(hJ)b known to `limit`; the longest step for which it is, h or less.
        """

    def add(self, x: object, s: float, p: int, h: float) -> NDArray[numpy.float64]:
        """x + s φ_p(hJ)b, shape (d,)."""

    @property
    def radius(self) -> float:
        """The largest decay rate seen."""

class Krylov(Functions):
    """By a Krylov space, of products that have the relative error."""

    def __init__(self, design: Design, *, per_sample: float, k: object, b: object, error: float) -> None: ...

class Spectrum:
    """
    The eigenvalues of −X diag(k) Xᵀ/δ and its eigenvectors, one in each row.
    """

    def __init__(self, k: object, decay: object, vectors: object) -> None: ...

class Spectral(Functions):
    """By all eigenvalues."""

    def __init__(self, design: Design, *, per_sample: float, spectrum: Spectrum, b: object) -> None: ...

class Network:
    """
    A network: its data, its scalar map, and the force that they make of H.
    """

    def __init__(self, design: Design, *, y: object, teacher: object, u0: object, v0: object, weight_decay: float, samples: int, fixed_residual: float, truncation: float) -> None: ...

    @property
    def start(self) -> Annotated[NDArray[numpy.float64], dict(writable=False)]:
        """H at t = 0, shape (d,)."""

    def at(self, t: float, H: object) -> Point:
        """Everything at one time, from H, shape (d,)."""

class Step:
    """A step of the exponential Rosenbrock method."""

    def __init__(self, network: Network, origin: Point, base: Point, length: float, demands: tuple[float, float, float, float], spectrum: Spectrum | None = None) -> None: ...

    @property
    def length(self) -> float: ...

    @property
    def end(self) -> Point: ...

    @property
    def exact(self) -> bool:
        """Whether the residual and the force at the end are."""

    @property
    def error(self) -> Annotated[NDArray[numpy.float64], dict(writable=False)]:
        """The estimate of its local error in H, shape (d,)."""

    @property
    def radius(self) -> float:
        """The spectral radius of the Jacobian as far as the step saw it."""

    def at(self, s: float) -> NDArray[numpy.float64]:
        """H at the own time s after the start, shape (d,)."""

class Flow:
    """The flow of a network, step by step."""

    def __init__(self, network: Network, *, tolerance: float, end: float) -> None: ...

    def advance(self, until: float, *, stiffest: float, spectrum: Spectrum | None, watch: Callable[[float], None]) -> Outcome:
        """
        Make steps until a time is reached, or until one needs something. `watch(t)` is called every few milliseconds.
        """

    def at(self, t: float) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64], NDArray[numpy.float64], NDArray[numpy.float64], NDArray[numpy.float64], NDArray[numpy.float64]]:
        """
        w, u² and v² at a time within the last step, (d,), w (d,) and r (rows,) at its start, and the integral of w (d,) up to the time.
        """

    @property
    def point(self) -> Point:
        """The last point reached."""

    @property
    def t(self) -> float: ...

    @property
    def exact(self) -> bool:
        """Whether the residual and the force of the last point are."""

    @property
    def steps(self) -> int: ...

    @property
    def stiffness(self) -> float:
        """Of the last step that was tried."""

class AnyDepthNetwork:
    """
    A network: its data, its scalar map, and the force that they make of H.
    """

    def __init__(self, design: Design, *, y: object, teacher: object, u0: object, v0: object, weight_decay: float, samples: int, fixed_residual: float, depth: float) -> None: ...

    @property
    def start(self) -> Annotated[NDArray[numpy.float64], dict(writable=False)]:
        """H at t = 0, shape (d,)."""

    def at(self, t: float, H: object) -> Point:
        """Everything at one time, from H, shape (d,)."""

class AnyDepthStep:
    """A step of the exponential Rosenbrock method."""

    def __init__(self, network: AnyDepthNetwork, origin: Point, base: Point, length: float, demands: tuple[float, float, float, float], spectrum: Spectrum | None = None) -> None: ...

    @property
    def length(self) -> float: ...

    @property
    def end(self) -> Point: ...

    @property
    def exact(self) -> bool:
        """Whether the residual and the force at the end are."""

    @property
    def error(self) -> Annotated[NDArray[numpy.float64], dict(writable=False)]:
        """The estimate of its local error in H, shape (d,)."""

    @property
    def radius(self) -> float:
        """The spectral radius of the Jacobian as far as the step saw it."""

    def at(self, s: float) -> NDArray[numpy.float64]:
        """H at the own time s after the start, shape (d,)."""

class AnyDepthFlow:
    """The flow of a network, step by step."""

    def __init__(self, network: AnyDepthNetwork, *, tolerance: float, end: float) -> None: ...

    def advance(self, until: float, *, stiffest: float, spectrum: Spectrum | None, watch: Callable[[float], None]) -> Outcome:
        """
        Make steps until a time is reached, or until one needs something. `watch(t)` is called every few milliseconds.
        """

    def at(self, t: float) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64], NDArray[numpy.float64], NDArray[numpy.float64], NDArray[numpy.float64], NDArray[numpy.float64]]:
        """
        w, u² and v² at a time within the last step, (d,), w (d,) and r (rows,) at its start, and the integral of w (d,) up to the time.
        """

    @property
    def point(self) -> Point:
        """The last point reached."""

    @property
    def t(self) -> float: ...

    @property
    def exact(self) -> bool:
        """Whether the residual and the force of the last point are."""

    @property
    def steps(self) -> int: ...

    @property
    def stiffness(self) -> float:
        """Of the last step that was tried."""
