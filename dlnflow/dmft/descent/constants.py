"""Every number that the mean-field solver of gradient descent is tuned by: value, unit, meaning, and where the value comes from.

Under each: its unit ("1" where it has none), what it means, with the equation of docs/method.md it stands in, and its source: "choice" or
"measured" (the decision records under docs/decisions or git's log of this folder say how). The floor of errors and their coverage are those
of gradient flow, in `dlnflow.dmft.constants`.
"""

# Steps and modes, section 7 of docs/method.md

MODE_SHARE = 1e-6
"""1. Of the variance of ζ at a step, that known modes may leave out, eq. (34). Source: choice; a larger one makes noise that jumps from
step to step, and histories that need more functions."""

MODE_ROUNDING = 1e-6
"""1. The same over the root of the product of the variances of ζ at the step and at the start, where that is more: what histories in
single precision make of correlations passes for new modes. Source: measured, L = 1 with β = 0.85 whose loss falls by 10⁶: with a tenth
the small pivots of the factor make errors of the size of the loss, with three times as much the loss is 0.2 % too small."""

MOST_MODES = 128
"""Modes. Of ζ at most; random steps have as many as steps. Source: measured; 20 to 40 are usual, and 64 left out percents of the variance
near the edge of stability."""

LARGEST_FACTOR = 1e10
"""1. Largest |η h| of a step, eq. (29), from which on steps have run away. Source: choice, as for finite networks."""

FARTHEST = 4.89
"""Standard deviations. Of a normal teacher weight at most; one in a million is farther, and may run away alone, which networks of fewer
coordinates do not have. Source: choice; it takes 5e-6 of the second moment. Laws with heavier tails keep them."""

LEAST_SHARE = 1e-8
"""1. Of teacher weights that run away one by one, above which the message says so. Source: choice, rarer than any that are left."""

RARE = 1e-4
"""1. Share of teacher weights larger than the one whose slope is taken for the largest. Source: measured; steps of seven problems at
depths 2, 3 and 5 run away from 0.8 to 1.7 times the edge on."""

# The memory, eq. (35)

PANEL = 16
"""Steps. That enter the basis before it is reduced. Source: choice."""

MOST_FUNCTIONS = 96
"""Functions. That a reduction keeps at most. Source: measured, docs/decisions/005: most solves keep 3 to 40."""

NEGLIGIBLE = 1e-11
"""1. Share ε_m, of a march that is not told it; a solve always tells. Source: choice, 3e-6 of what is reached and seen."""

NEGLIGIBLE_AT_ONE, NEGLIGIBLE_OF_NOISE = 1e-7, 1e-4
"""1. Share ε_m over the accuracy, at first: of FEW_STEPS or fewer, and of random ones, whose histories are rough. Source: choice; every
solve measures what it makes of the curves."""

FEW_STEPS = 100
"""Steps. Of more, NEGLIGIBLE_AT_ONE falls as their third power, for their histories are more alike. Source: choice."""

LOOSER, LOOSER_OF_NOISE = 100.0, 30.0
"""1. Share ε_m of the march that tells what the memory neglects, over that of the solve; the latter for random steps. Source: choice,
docs/decisions/005; a test holds the first to a basis of all steps."""

TIGHTER = 10.0
"""1. Share ε_m of a solve over the next one, where too much is neglected. Source: choice."""

NEGLECTED_SHARE = 0.5
"""1. Of the accuracy. Where a curve moves by more in that march, less is neglected. Source: choice."""

MOST_RANK = MOST_FUNCTIONS // 2
"""Functions. Of a reduced basis, from which on no less is neglected, and at most of the march that tells what is. Source: choice."""

LEAST_NEGLIGIBLE = 1e-15
"""1. Share ε_m, from which on no less is neglected. Source: choice, about the square of rounding in single precision."""

VIEWS, LATER = 6, 0.1
"""Times, 1. That responses see histories by what they make of later ones, in O, and how each time counts over the one before. Source:
choice, docs/decisions/005."""

PROBES = 8
"""Blocks. Of sampling.BLOCK paths, whose tangents stand for those of all in G and O. Source: choice."""

# Rounds, eqs. (36) and (37)

SCRAMBLES = 8
"""Scrambles. Of a round, eq. (36). Source: choice, as for gradient flow, whose COVERAGE is for so many."""

THREADS = 2
"""Threads. That march scrambles side by side. Source: choice, the processors of the smallest machine; bits do not depend on it."""

AIMING_PATHS = 1024
"""Paths. Of the marches that aim samples, eq. (19), and tell what the memory neglects, eq. (36). Source: choice."""

FIRST_PATHS = 512
"""Paths. Of a scramble in the first round at least, whatever the bounds below. Source: choice."""

PATHS_AT_ONE = 8.0
"""Paths times accuracy. Of a scramble in a first round of more. Source: measured, docs/decisions/016."""

GAIN = 0.8
"""1. Power of the paths, by which errors are taken to fall, eq. (37). Source: choice."""

MOST_PATHS = 2**15
"""Paths. Of a scramble. Source: choice."""

MOST_WORK = 2.5e7
"""Paths times steps. Of a scramble. Source: choice."""

MOST_BYTES = 2.5e9
"""Bytes. Of the paths of all scrambles. Source: choice."""

MOST_NODES = 24
"""Steps. On which kernels are given at most. Source: choice."""

# Progress and the time that is left

AIMING_SHARE = 0.03
"""1. Of the progress before responses, for the marches that aim. Source: choice."""

RESPONSE_SHARE = 0.1
"""1. Of the progress, for the responses after the last round. Source: choice."""

ROUND_OVER_MARCHES = 2.5
"""1. Seconds of a round that is enough and of what follows, over those of its marches one by one. Source: choice."""
