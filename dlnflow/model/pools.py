"""Parts of the law of a coordinate that differ in constants only, and are sampled together."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dlnflow.model.base import Array
from dlnflow.model.groups import Group
from dlnflow.model.initial import InitialLaw
from dlnflow.model.strata import Stratum

Part = tuple[Group, Stratum]


@dataclass(frozen=True)
class Pool:
    """G parts of the same shape, which have the `numbers` (G,) among all parts."""

    numbers: NDArray[np.intp]
    parts: Sequence[Part]

    @property
    def kind(self) -> Stratum:
        """The stratum that they are all like but for its size."""
        return self.parts[0][1]

    @cached_property
    def initial(self) -> InitialLaw:
        """The law of initial values that theirs are all like but for their sizes."""
        return self.parts[0][0].initial

    @cached_property
    def probability(self) -> Array:
        """Of each part, (G,)."""
        return np.array([stratum.probability for _, stratum in self.parts])

    @cached_property
    def variance(self) -> Array:
        """c of each part, (G,)."""
        return np.array([group.variance for group, _ in self.parts])

    @cached_property
    def size(self) -> Array:
        """That of w* in each part, (G,)."""
        return np.array([stratum.size for _, stratum in self.parts])

    @cached_property
    def log_sizes(self) -> Array:
        """Those of u(0) and v(0) in each part, (2, G)."""
        return np.log([group.initial.sizes for group, _ in self.parts]).T


def pools_of(parts: Sequence[Part]) -> list[Pool]:
    """The pools of all `parts`: no two parts of a group, in the order in which the first of each comes."""
    found: dict[object, list[int]] = {}
    seen: dict[object, int] = {}
    for number, (group, stratum) in enumerate(parts):
        like = stratum.shape, type(group.initial)
        seen[id(group), like] = ordinal = seen.get((id(group), like), -1) + 1
        found.setdefault((like, ordinal), []).append(number)
    return [Pool(np.array(numbers), [parts[number] for number in numbers]) for numbers in found.values()]
