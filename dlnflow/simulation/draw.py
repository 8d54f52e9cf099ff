"""Random networks: data, teacher, noise and initial values of a problem in d parameters."""

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.linalg.blas import dsyrk

from dlnflow.model import DesignKind, GaussianDesign, Problem
from dlnflow.simulation.network import Network
from dlnflow.simulation.products import Design, Floats
from dlnflow.solution import Array

CHUNK = 2048  # rows that are drawn at a time where they are not kept
RIDGE = 1e-10  # of the mean eigenvalue; far below single precision, keeps the factorisation of a singular XᵀX possible


def draw_network(
    problem: Problem,
    dimension: int,
    rng: np.random.Generator,
    design: DesignKind | None = None,
    threads: int = 1,
    data: Floats | None = None,
    truncation: float | None = None,
    keep_rows: bool = False,
) -> Network:
    """A network of `problem` with d = `dimension` and n = round(δ d) samples, whose X has entries of variance c/d from `design`.

    The default design is Gaussian; then only the triangular factor R of X = QR, with min(n, d) rows, matters to the flow, and it is
    drawn directly (Bartlett's decomposition of the Wishart matrix XᵀX), together with Qᵀy and the squared noise outside the column
    space. Rows of other designs are drawn, and from n > 2d on reduced to R as they come. Of `data`, shape (N, d), n rows are
    drawn without replacement, whatever the design. With `keep_rows` those of X are samples whatever the design, so that steps may use
    some of them. Large products are computed by up to two `threads`. u and v are clipped at `truncation`, if there is one.
    """
    samples, design = round(problem.aspect_ratio * dimension), design or GaussianDesign()
    members = problem.members(dimension, rng)
    teacher = problem.teacher(members, rng)
    if data is not None:
        X, noise, outside = data[rng.choice(len(data), samples, replace=False)], rng.standard_normal(samples), 0.0
    else:
        X, noise, outside = _data(design, samples, dimension, rng, keep_rows)
    if not problem.is_isotropic:
        X = X * np.sqrt(problem.variances(members)).astype(X.dtype)  # a triangular one stays so
    triangular = data is None and design.is_triangular(samples, dimension, keep_rows)
    matrix = Design(X, triangular=triangular, threads=threads)
    noise *= problem.noise_std
    y = matrix.residual_and_force(teacher, -noise)[0]
    u0, v0 = problem.start(members, rng)
    return Network(
        matrix, y, teacher, u0, v0, problem.weight_decay, samples, problem.noise_std**2 * outside, truncation, members, problem.depth
    )


def _data(design: DesignKind, samples: int, dimension: int, rng: np.random.Generator, keep_rows: bool) -> tuple[Floats, Array, float]:
    """X or its factor R, shape (rows, d), noise of variance 1, shape (rows,), and the squared noise outside the column space."""
    if not design.is_triangular(samples, dimension, keep_rows):
        return design.entries((samples, dimension), rng), rng.standard_normal(samples), 0.0
    if design.isotropic:
        outside = float(rng.chisquare(samples - dimension)) if samples > dimension else 0.0
        return _bartlett(samples, dimension, rng), rng.standard_normal(min(samples, dimension)), outside
    return _reduced(design, samples, dimension, rng)


def _bartlett(samples: int, dimension: int, rng: np.random.Generator) -> Floats:
    """The triangular factor of a Gaussian design, shape (min(samples, d), d)."""
    rows = min(samples, dimension)
    R = np.zeros((rows, dimension), dtype=np.float32)
    for i in range(rows):
        R[i, i:] = rng.standard_normal(dimension - i, dtype=np.float32)
    np.fill_diagonal(R, np.sqrt(rng.chisquare(samples - np.arange(rows))))
    R *= np.float32(dimension**-0.5)
    return R


def _reduced(design: DesignKind, samples: int, dimension: int, rng: np.random.Generator) -> tuple[Floats, Array, float]:
    """As `_data`, from XᵀX, Xᵀξ and ‖ξ‖² of rows that are forgotten: R is the Cholesky factor, and Qᵀξ = R⁻ᵀXᵀξ."""
    gram, image, square = np.zeros((dimension, dimension), order="F"), np.zeros(dimension), 0.0
    for start in range(0, samples, CHUNK):
        X = design.entries((min(CHUNK, samples - start), dimension), rng).astype(np.float64)
        noise = rng.standard_normal(len(X))
        gram = dsyrk(1.0, X.T, beta=1.0, c=gram, overwrite_c=True)  # its upper triangle, as the factorisation reads it
        image += noise @ X
        square += float(noise @ noise)
    gram[np.diag_indices(dimension)] += RIDGE * samples / dimension
    R = cholesky(gram, overwrite_a=True, check_finite=False)
    inside = solve_triangular(R, image, trans="T", check_finite=False)
    return R.astype(np.float32), inside, max(0.0, square - float(inside @ inside))
