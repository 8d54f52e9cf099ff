"""Every number that the mean-field solver of gradient flow is tuned by: value, unit, meaning, and where the value comes from.

Under each: its unit ("1" where it has none), what it means, with the equation of docs/method.md it stands in, and its source: "choice",
"measured" (docs/method.md or the decision records under docs/decisions say how), a theorem or a paper. Numbers of the compiled loops stand
in the headers of native/dmft. Gradient descent has its own, in `dlnflow.dmft.descent.constants`.
"""

# Panels, section 3 of docs/method.md

ORDER = 4
"""Nodes. Of a panel of right-Radau collocation, m. Source: choice; the one with a node more gives the time-step error."""

MOST_PANELS = 100
"""Panels. That a pass may have, K. Source: choice; memory and time of a path grow as the square and cube of their nodes."""

MOST_MODES = 160
"""Modes. Columns of L that a pilot's sample is drawn for. Source: measured, 10 to 50 are usual."""

GAUSS = 40
"""Points. Of the rule that integrates weights e^(−(L−2)λt) within a panel. Source: choice, for weights that vary by e^50 in one."""

FIRST_WIDTH = 0.3
"""1. First panel over the shortest time scale, eq. (15). Source: choice; the roughness corrects it."""

SAFETY = 0.9
"""1. Of the width that the roughness allows, eq. (17). Source: Hairer, Nørsett and Wanner, Solving ODEs I, §II.4."""

NARROWEST_FACTOR, WIDEST_FACTOR = 0.3, 2.0
"""1. By which one panel's width may differ from that before, eq. (17). Source: choice; beyond two, panels do not settle at once."""

REPEATED_ABOVE, REPEATED_BELOW = 2.0, 0.8
"""1. A panel is made again where its roughness is so many times the bound and the next width so much smaller. Source: choice."""

STRETCH = 1.2
"""1. Width of a last panel over that wanted, so that no sliver is left before the horizon. Source: choice."""

NARROWEST, EARLIEST = 1e-9, 1e-3
"""1, time. A panel narrower than the first times its left edge, or the second where that is later, fails. Source: choice, near rounding."""

LEAST_ROUGHNESS = 1e-12
"""1. Roughness that counts as none in eq. (17). Source: choice, against a division by zero."""

WHITE_COLUMNS = ORDER + 1
"""Columns. Of L that a panel has for white noise, eq. (37c). Source: as many as one with another node needs."""

NOISY = 2.0
"""1. Of what a panel's own draws have of ê², up to which it is their noise, which no narrower panel resolves. Source: choice."""

WHITE_ROUGHNESS = 0.3
"""1. Roughness over the share of E[ê²] that is such noise: what is not linear in it. Source: measured; 0.1 to 1 are alike."""

KERNEL_ROUGHNESS = 0.15
"""1. Roughness over the root of what a panel's noise has of the loss, where R_r varies on it, eq. (37f). Source: measured at L = 1."""

WHITE_STEP = 1 / (1 - (ORDER / (ORDER + 1)) ** 2)
"""1. Time-step error of stochastic gradient flow over what another node changes. Source: its order, two in the widths of panels."""

RUN_AWAY = 100.0
"""1. Loss of stochastic gradient flow over that of the start, at which it has run away. Source: choice."""

MOST_LOSSES, SAME_LOSS = 100, 1e-12
"""1. Evaluations of eq. (37d) for D on a panel, and their relative change at the end. Source: choice; 5 to 10 are usual."""

LEAST_NORM = 1e-6
"""1. Of E[(w(0) − w*)²], below which E[w²] need not be resolved, eq. (16). Source: choice, the square of FLOOR."""

PARABOLA = 3
"""Nodes. Through which H is extrapolated into the next panel. Source: that of the compiled loops."""

# The fixed point of a panel, section 3

TOLERANCE_AT_ONE = 2e-4
"""1. Relative change at which a panel's iteration ends over the accuracy, eq. (13), between the bounds below. Source: measured."""

TOLERANCES = (1e-6, 1e-5)
"""1. Least and most of it. Source: measured; tangents in single precision leave 1e-7, and with the larger one grokking keeps a percent of
time-step error that no finer panels reduce."""

MOST_ITERATIONS = 120
"""Iterations. Of a panel on known panels. Source: choice; most take 3 to 20."""

PATIENCE = 40
"""Iterations. Of a panel that may be made shorter instead. Source: measured; one that needs more may not settle on other paths."""

DEPTH = 12
"""Secants. That Anderson's combination remembers. Source: measured; 8 to 12 are alike, fewer need more iterations."""

RESTARTED = 5.0
"""1. Residual over the least so far, at which the iteration starts again from its best point. Source: measured."""

FORGET = 1.5
"""1. By which that least residual grows at each new start. Source: choice, so that new starts end."""

SHORTER_STEP = 0.5
"""1. Of the step at each new start of secants, and of a step of Newton's that leads nowhere. Source: choice."""

TRUSTED_STEPS = 3
"""Iterations. After a start, in which a residual may grow. Source: choice; the first secants know little."""

NEWTON_FROM = 12
"""Evaluations. By secants, after which Newton's method goes on. Source: measured; 8 are too few while modes move, 16 lose what it gains."""

NEWTON_STALLED = 8
"""Evaluations. By Newton's method that do not halve the residual, after which it ends. Source: measured; four were seen to come right."""

INEXACT = 0.03
"""1. Residual of a linear system of Newton's method over its right-hand side. Source: measured, 0.01 to 0.1 are alike."""

DIRECTIONS = 40
"""1. In which the derivative is taken for a step at most. Source: measured, 5 to 25 are usual."""

GROWN = 1.5
"""1. Residual over that before a step of Newton's, which is then shortened; over the least, where none begins. Source: choice."""

LEAST_SHARE = 0.02
"""1. Of a step of Newton's, below which none is tried. Source: choice."""

TINY, SMALL = 1e-7, 1e-4
"""1. Steps, relative to C_r and R_r, by which the noise's factor and the rest of a panel's algebra are differentiated. Source: measured;
the smallest modes have 1e-5 of the variance, whereas late residuals cancel to as much."""

FOLLOWED_TILES = 32
"""Tiles. Of native.SINGLE_LANES paths, whose tangents tell E[W X W]. Source: measured; 8 are alike where panels are easy."""

SHAPES = 4
"""1. Matrices whose sums are the tangents of all paths on a panel, beside their mean. Source: measured, 8 are alike."""

STALLED = 24
"""Iterations. That do not halve the residual, after which the roughness of the map limits it. Source: measured."""

JUMPING = 1.0
"""Paths. That may jump at a threshold from one iterate to the next: averages move by one over the number of paths. Source: measured."""

ACCEPTABLE = 30.0
"""1. Residual over the tolerance that is accepted of an iteration that stalled; it stands in eq. (26). Source: choice."""

HELD = 3e-2
"""1. Residual below which a panel's modes keep their number and direction. Source: measured; modes that come and go stop convergence."""

MISLEADING = 0.3
"""1. Residual of a guess, above which the network that stands still is the better one. Source: measured."""

MOST_MISSING = 3
"""Times. That modes are found missing at the end of one panel's iteration. Source: choice."""

BLOCKS_TO_SHARE = 16
"""Blocks. Of native.BLOCK paths, from which on two threads take half each. Source: measured, where threads begin to pay: 1024 paths."""

# Errors, section 6

FLOOR = 1e-3
"""1. Of a curve's largest value, below which errors are relative to that. Source: choice, stated in every result."""

COVERAGE = 2.4
"""Standard errors. Of eight separate solves or scrambles of descent, counted as sampling error; also the sampling error over one standard
error, eq. (27). Source: 95 % of Student's t with seven degrees of freedom, 2.36."""

CONTRAST_COVERAGE = {3: 3.2, 4: 2.8}
"""Standard errors by contrasts. What so many contrasts of a round's scrambles count as sampling error, eq. (24). Source: 95 % of Student's
t with as many degrees of freedom, 3.18 and 2.78; all seven contrasts would be three more passes for 2.36."""

CONTRACTION = 0.3
"""1. Of the change when a correction is taken once more that counts as error, eq. (26). Source: measured, 0.1 was seen."""

AMPLIFICATION = 10.0
"""1. Of a panel's residual in late curves, eq. (26). Source: measured, ten was the most seen."""

UNEVEN = 3.0
"""1. Share of the noise that no mode carries, at single times over that of a panel, eq. (26). Source: measured."""

SAMPLING_PART, LEAST_SAMPLING_PART = 0.9, 0.5
"""1. Of what the time step leaves of the accuracy, and of the accuracy at least: what sampling may take, eq. (28). Source: choice."""

# The pilot, section 3

PILOT_PATHS = (512, 4096, 4096)
"""Paths. Of the samples on which panels are tried, one for each pair with a small sample. Source: measured; on 512 most problems choose
the panels of 2048, but where weights decay to interpolation those of 2048 stay short."""

FIRST_PAIR, SMOOTHER_PAIR, LAST_PAIR = range(len(PILOT_PATHS))
"""Indices. Of the first pair, of that for small samples that stay rough, and of that with the largest. Source: their order."""

MOST_UNSETTLED = (8, 24, 24)
"""Panels. Made shorter since they did not settle, on these samples. Source: measured; where many fail, panels stay short to the end."""

SMALL_PATHS = (512, 4096)
"""Paths. Least and most of the small sample. Source: measured; on fewer, modes that turn by a little look like noise, and errors
outgrow their bars."""

LARGEST_SMALL = 16384
"""Paths. Of the small sample where smaller ones leave panels rough. Source: measured, docs/decisions/014; late, when the residual is small,
a path of 4096 that jumps moves it by tens of a percent, and its answer to any change is mostly that."""

SMALL_AT_ONE = 2.0
"""Paths times accuracy. Of the small sample between these bounds. Source: measured, docs/decisions/004."""

FIRST_ROUGHNESS = 0.5
"""1. First bound of the roughness over the square root of accuracy. Source: measured, the time-step error falls as its square."""

FINER = 0.2
"""1. Bound of the roughness over that of panels whose time-step error alone is too large. Source: choice."""

LEAST_FINER, FINER_SAFETY, FINER_POWER = 0.4, 0.8, 0.8
"""1. Next bound over the last: at least the first, the second times (wanted over measured error) to the third. Source: measured."""

MANY_PANELS = MOST_PANELS // 3
"""Panels. From which on finer ones are not tried. Source: choice; more panels could not be refined within MOST_PANELS."""

MOST_PILOTS = 5
"""Passes. On one pair of samples. Source: choice; two are usual."""

GAIN = 0.7
"""1. Error over that of coarser panels, above which a larger sample is called for. Source: measured, docs/decisions/006."""

FAR = 0.1
"""1. Time-step error on a sample, above which a larger one is tried at once. Source: measured."""

NEARLY = 2.0
"""1. Of accuracy, below which a time-step error is likely to be small enough on the middle pair. Source: measured; 1 was, 5 was not."""

ROUGH = 3.0
"""1. Residual of the small sample's solution over the tolerance, above which a larger one is tried. Source: measured."""

TIME_STEP_PART = 0.5
"""1. Of accuracy, below which the panels' time-step error is small enough. Source: choice."""

TIME_STEP_PART_AT_LAST = 1.0
"""1. The same on the largest pair of samples. Source: measured; where weights jump, what a small sample tells is mostly the noise of the
few paths that jump at the time, and finer panels do not reduce it. A round measures it again by its own samples."""

LEFT_OUT_PART = 0.1
"""1. Of accuracy, that curves may move over panels at the end which are left out. Source: choice, a fifth of the time-step's part."""

# Rounds, sections 5 and 6

SCRAMBLES = 8
"""Scrambles. Of a round. Source: choice; their spread is a standard error to a quarter of itself."""

LEAST_SETTLED = 5
"""Scrambles. Of SCRAMBLES whose separate solves have to settle. Source: choice."""

THREADS = 2
"""Threads. That take scrambles side by side. Source: choice, the processors of the smallest machine; bits do not depend on it."""

AIMING_PATHS, AIMING_SIZE = 4096, 4
"""Paths, 1. Along whose differences samples are aimed: at most the first, and the second times the small sample. Source: measured; axes of
1024 are noisy."""

CHECK_SIZE = 4
"""1. Paths of a check over those of the small sample. Source: measured; with one, its noise left a percent for a = 1e-3."""

CHECK_SCRAMBLES = 2
"""Scrambles. Of a check, and of a round by which the time step is measured. Source: choice, one a processor."""

UNCHECKED = 0.5
"""1. Of accuracy, up to which a round is not checked: its error with all that it moved as fixed-point error. Source: choice; a check costs
a tenth of a quick solve, but order parameters, of which a curve's error says little, gain by it."""

MOST_CHECKS = 3
"""Checks. Of a round. Source: choice."""

MOST_DRAWN = 2**17
"""Paths. Drawn at a time; a scramble of more is several. Source: memory, 160 MB for 160 modes."""

TIME_STEP_PATHS = 2**17
"""Paths. At most, of a scramble by which the time step is measured. Source: choice, one draw."""

MOST_MEASURES = 3
"""Times. That the corrections with one node more are taken. Source: measured, 0.21, 0.02, 0.010 and 0.008 for rates far apart."""

SPREAD_TOLERANCE = 20.0
"""1. Tolerance over that of the panels where only a spread is wanted. Source: choice, far below any spread where panels settle at once."""

SLOW = 6.0
"""Evaluations. That the panels of a solution took on the mean, from which on its spread is iterated to the full tolerance, as it is where
one took Newton's method. Source: measured; twenty times the residual was seen as five times the spread, in as many evaluations."""

FIRST_ROUND_PATHS = (512, 32768)
"""Paths. Least and most of a scramble of the first round. Source: measured, as for SMALL_PATHS."""

PATHS_AT_ONE = 20.0
"""Paths times accuracy. Of a first round between these bounds. Source: measured, most problems need one round."""

MORE_WHERE_ROUGH = 8
"""1. Paths over those of a round that does not settle, and of a first round on a small sample of 4096 over others. Source: measured; late
panels settle only where the noise of the averages does not upset their balance."""

FIRST_ON_LARGEST = 2 * LARGEST_SMALL
"""Paths. Of a scramble of the first round on the largest small sample. Source: measured; what is solved anew in a round takes ten
times the time of its averages there, so that a second round is dear."""

ROUNDED_DOWN = 0.3
"""1. Subtracted from the binary logarithm of a first round's paths before it is rounded. Source: choice, a power of two too few is
cheap."""

MORE_POWER, MORE_SAFETY = 1.2, 0.3
"""1. Binary logarithm of the next round's paths over this one's: the first times that of the excess, and the second, eq. (28). Source:
measured; the sampling error falls as the paths to the power −0.5 to −1."""

MOST_PATHS = 2**18
"""Paths. Of a scramble. Source: choice."""

MOST_WORK = 1.5e12
"""Multiplications. In the averages of one round. Source: choice, some minutes."""

LAST_TIMES = 4
"""1. Times MOST_WORK and MOST_PATHS that a last round may take. Source: choice."""

LAST_EXCESS = 2.0
"""1. Sampling error over what is left to it, up to which such a round is worth its work. Source: four times the paths at least halve it."""

MANY_MORE = 16
"""1. Paths of a next round over those of a round, from which on a larger small sample takes their place. Source: measured."""

IN_VAIN = 4
"""1. Paths of a round over those of the one before, from which on an excess that does not fall ends a solve. Source: choice; a spread is
known to a quarter of itself, and four times the paths halve it."""

MOST_ROUNDS = 8
"""Rounds. On one small sample. Source: choice; one to three are usual."""

SETTLED_PART = 0.3
"""1. Of accuracy; above that of fixed-point error, a round's time-step error is not final. Source: choice."""

MANY_AT_ONE, MANY = 100.0, 8192
"""Paths times accuracy, paths. A scramble of more than both stands in rows. Source: measured, docs/decisions/003."""

QUANTILE_PATHS, QUANTILES_AT_ONE = (2048, 8192), 80.0
"""Paths, paths times accuracy. For the quantiles of w: least and most, and between them. Source: choice, one to two hundredths of a
quantile's spread."""

# Separate solves and ends, sections 5 and 6

SEPARATE_PATHS = (512, 4096)
"""Paths. Least and most of a separate solve. Source: choice."""

FEWER = 4
"""1. Paths of a separate solve over those that show its bias. Source: the bias falls as one over the paths: a quarter shows three
times it."""

TANGENT_MEMORY = 1.4e9
"""Bytes. Of the tangents of the passes that run at a time. Source: choice, machines of 4 GB."""

SHORTER = 0.7
"""1. Of a horizon on which panels do not settle, that is tried next at most. Source: choice."""

MOST_HORIZONS = 4
"""Horizons. That are tried. Source: choice; 0.7³ is a third."""

# Sampling, section 4

LEAST_VARIANCE = 1e-300
"""1. C_r(t, t) whose logarithm is taken. Source: the least normal number."""

# Progress

PREVIEW_SECONDS = 0.25
"""Seconds. Between two previews of a pass, at least. Source: choice."""

PILOT_SHARE = 0.2
"""1. Of the progress that is left, for a pilot. Source: measured, 4 to 19 % of a solve."""

ROUNDS_OVER_PANELS, PANELS_OVER_PANELS, SEPARATE_OVER_PANELS = 3.0, 13.0, 8.0
"""1. Seconds from a first round to the end, from another try of panels, and from separate solves, over those of the last try of panels.
Source: the first two measured, medians of 111 and 58, two of three within a factor of two; the last a choice."""

ROUND_POWER = 0.5
"""1. Of a round's paths over those of the round before, for its seconds. Source: measured; three of four within a factor of two."""

SMALL_SHARE, ROUND_SHARE, SEPARATE_SHARE = 0.05, 0.5, 0.9
"""1. The same for a small sample, for a round, and for separate solves. Source: choice."""
