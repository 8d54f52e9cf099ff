"""What is random in a step of gradient descent: the samples that it uses, and the noise that it adds to their labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlnflow.model import GradientDescent
from dlnflow.solution import Array


@dataclass(frozen=True)
class Batch:
    """The numbers of the `samples` that a step uses, (m,) and increasing, the noise of their labels, (m,), and the `fraction` b."""

    samples: NDArray[np.int64]
    label_noise: Array
    fraction: float


def draw_batch(dynamics: GradientDescent, samples: int, rng: np.random.Generator) -> Batch:
    """Each of the `samples` with probability b, independently, and normal noise for those that are in."""
    fraction = dynamics.batch_fraction
    chosen = np.flatnonzero(rng.random(samples) < fraction) if fraction < 1 else np.arange(samples)
    noise = dynamics.label_noise_std * rng.standard_normal(len(chosen)) if dynamics.label_noise_std else np.zeros(len(chosen))
    return Batch(chosen, noise, fraction)
