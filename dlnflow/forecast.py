"""What a job will cost before it runs: seconds from fits to measured jobs (benchmarks/forecast.py), memory from the arrays it makes.

Seconds are those of a processor that does nothing else, of a machine and an hour at which worker/pace.py measures 1. They come with a
range, in which four of five jobs are: wide where a solve may jump, stall or need far more paths than others that look like it.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from dlnflow.forecast_fit import DESCENT_ERROR, DESCENT_SPREAD, DESCENT_STEP, FLOW, FLOW_SPREAD, SIMULATION, SIMULATION_SPREAD
from dlnflow.model import GradientDescent
from dlnflow.wire.requests import DmftRequest, ParentRequest, Request, SimulationRequest, TheoryRequest

LEAST_FLOW_SECONDS = 0.02  # of a solve, however small
THRESHOLD_WIDTH = 0.3  # of the logarithm of the aspect ratio, about interpolation
USUAL_ACCURACY, USUAL_NOISE = 0.02, 0.2
THEORY_BYTES = 140_000_000  # the interpreter with the solvers
DMFT_BYTES = 140_000_000  # of a process that solves a small problem
DMFT_BYTES_A_SECOND = 22_000_000  # for each second that a solve is predicted to take
MOST_DMFT_BYTES = 1_000_000_000
DESCENT_BYTES = 120_000_000  # of a process that solves gradient descent with few paths
DESCENT_BYTES_A_PATH, STOCHASTIC_BYTES_A_PATH = 50_000, 120_000  # for one path more in every scramble
MOST_DESCENT_BYTES = 3_500_000_000  # its paths are limited by what they take
DESCENT_RANK = 40  # functions in its memory: 20 to 70
DESCENT_REST = 0.23  # of the last round: what comes before the first one and after it
DESCENT_SEPARATE = 0.5  # of a round: what is done of one that is not enough
ERROR_PATHS = 1024  # of a scramble, whose error is fitted
ERROR_SPREAD = (-1.28, -0.84, -0.52, -0.25, 0.0, 0.25, 0.52, 0.84, 1.28)  # tenths of a standard normal distribution
ERROR_NOISE = 0.5  # standard deviation of the logarithm of the error about its fit
FLOW_AT_OTHER_DEPTHS = 2.0  # steps of a flow for one at depth two
LONGEST_DECAY = 100.0  # λ|L − 2|t at which a flow is at rest
THEORY_SECONDS = 0.5
STOCHASTIC = 3.0  # a solve of stochastic gradient flow for one of gradient flow, at a low temperature
MOST_NOISE = 30.0  # times as much where the noise feeds itself
STOCHASTIC_SPREAD = 5.0
WALKED = 15.0  # steps of both walks of a simulation for one shortest time


class Cost(NamedTuple):
    """What a request will take: seconds and jobs in all, seconds of the longest and bytes of the largest job.

    Four of five jobs take between `low` and `high` seconds; those of several are the sums, since jobs that are alike err alike.
    """

    seconds: float
    memory_bytes: int
    jobs: int
    longest: float
    low: float
    high: float

    def at(self, pace: float) -> "Cost":
        """The same where jobs take `pace` times the seconds."""
        return self._replace(**{name: pace * getattr(self, name) for name in ("seconds", "longest", "low", "high")})


def cost(request: Request) -> Cost:
    """The cost of a request; that of its children together where it has any."""
    if not isinstance(request, ParentRequest):
        alone, factor = seconds(request), spread(request)
        return Cost(alone, memory_bytes(request), 1, alone, alone / factor, alone * factor)
    costs = [cost(request.child(index)) for index in range(request.size)]
    return Cost(
        seconds=sum(c.seconds for c in costs),
        memory_bytes=max(c.memory_bytes for c in costs),
        jobs=sum(c.jobs for c in costs),
        longest=max(c.longest for c in costs),
        low=sum(c.low for c in costs),
        high=sum(c.high for c in costs),
    )


def seconds(request: DmftRequest | SimulationRequest | TheoryRequest) -> float:
    """Processor seconds of one job."""
    match request:
        case DmftRequest():
            return request.dynamics.choose(
                flow=lambda _: _flow_seconds(request),
                descent=lambda dynamics: _descent_seconds(request, dynamics),
                stochastic=lambda noise: _stochastic_seconds(request, noise.temperature),
            )
        case SimulationRequest():
            return _dot(SIMULATION, simulation_features(request))
    return THEORY_SECONDS


def spread(request: DmftRequest | SimulationRequest | TheoryRequest) -> float:
    """The factor by which four of five jobs are dearer or cheaper than predicted, at most."""
    match request:
        case DmftRequest():
            return request.dynamics.choose(
                flow=lambda _: math.exp(_dot(FLOW_SPREAD, flow_doubts(request))),
                descent=lambda _: DESCENT_SPREAD,
                stochastic=lambda _: STOCHASTIC_SPREAD,
            )
    return SIMULATION_SPREAD


def _flow_seconds(request: DmftRequest) -> float:
    return LEAST_FLOW_SECONDS + math.exp(_dot(FLOW, flow_features(request)))


def _dot(coefficients: Sequence[float], features: Sequence[float]) -> float:
    return sum(c * x for c, x in zip(coefficients, features, strict=True))


class _Flow(NamedTuple):
    """What the cost of a solve depends on, all of it without dimension; nothing in it falls with the horizon.

    `scales`: the logarithm of the horizon over the fastest time scale, with which panels grow in number; `active` leaves out what lies
    beyond the slowest scale of a linear network, where all has been learned. `jump`: the logarithm of a learned weight over the initial
    one, which paths reach by jumps, as far as there is time for them. `paths`: that of the inverse accuracy. `decay`: that of 1 + λt, but
    for the linear model, which decay only makes faster.
    `noise` and `lazy` are 1 where noise rules or weights hardly move, `threshold` where there are about as many samples as parameters.
    """

    scales: float
    active: float
    jump: float
    paths: float
    decay: float
    noise: float
    lazy: float
    threshold: float


def _stochastic_seconds(request: DmftRequest, temperature: float) -> float:
    """Those of a flow, and more the more the noise feeds itself: panels then resolve the response."""
    problem = request.problem
    broad = (1 + problem.aspect_ratio**-0.5) ** 2 * (problem.initial_second_moment + problem.typical_weight)
    panels = min(temperature * broad * request.horizon, MOST_NOISE)
    return float(STOCHASTIC * _flow_seconds(request) * (1 + panels))


def _flow(request: DmftRequest) -> _Flow:
    problem, horizon = request.problem, request.horizon
    slope, delta, depth = max(problem.initial_second_moment, 1e-12), problem.aspect_ratio, problem.depth
    slopes = [(group.weight, max(group.variance * group.initial.slope(depth) / 2, 1e-12)) for group in problem.population]
    decay = problem.weight_decay * horizon
    slowest = 2 * min(each for _, each in slopes) * (1 - delta**-0.5) ** 2  # the ends of the spectrum of a linear network
    linear = 2 * slope * (1 + delta**-0.5) ** 2 + depth * problem.weight_decay
    drive = math.sqrt((problem.initial_error + problem.noise_std**2) / delta + problem.initial_error)
    search = (depth - 1) * slope ** ((depth - 2) / (2 * depth - 2)) * drive if depth > 1 else 0.0
    scales = math.log(1 + (linear + search) * horizon)
    jump = sum(weight * math.log(1 + problem.typical_weight / each) for weight, each in slopes) if depth > 1 else 0.0
    return _Flow(
        scales=scales,
        active=scales - math.log(1 + slowest * horizon + (decay if depth == 1 else 0.0)),
        jump=jump * (1 - math.exp(-search * horizon / max(jump, 1e-9))),
        paths=math.log(USUAL_ACCURACY / request.accuracy),
        decay=math.log(1 + decay) if depth > 1 else 0.0,
        noise=problem.noise_std / (problem.noise_std + USUAL_NOISE),
        lazy=slope / (1 + slope),
        threshold=math.exp(-((math.log(delta) / THRESHOLD_WIDTH) ** 2)),
    )


def flow_features(request: DmftRequest) -> list[float]:
    """What the logarithm of a solve's seconds is linear in."""
    at, problem = _flow(request), request.problem
    over, under = max(-math.log(problem.aspect_ratio), 0.0), max(math.log(problem.aspect_ratio), 0.0)
    growing = [
        at.scales,
        at.active,
        at.paths,
        at.jump,
        at.jump**2 / 10,
        at.noise * at.jump,
        at.decay,
        at.decay * over,
        at.threshold * at.active,
        at.threshold * at.noise * at.active,
        at.threshold * at.lazy * at.scales,
    ]
    members = [math.log(len(problem.population)), min(max(problem.depth - 2, 0.0), 3.0), float(problem.depth == 1)]
    return [1.0, *growing, at.noise, over, under, *members]


def flow_doubts(request: DmftRequest) -> list[float]:
    """What the logarithm of a solve's spread is linear in."""
    at, problem = _flow(request), request.problem
    return [1.0, at.threshold, at.jump / 10, at.active / 10, float(problem.depth != 2 or len(problem.population) > 1)]


def _descent_numbers(request: DmftRequest, dynamics: GradientDescent) -> list[float]:
    """What the cost of gradient descent depends on."""
    problem, horizon = request.problem, request.horizon
    second, initial = problem.target_second_moment, problem.initial_second_moment
    broad, narrow = ((1 + side * problem.aspect_ratio**-0.5) ** 2 for side in (1, -1))  # the spectrum of a linear network
    return [
        _within(math.log(initial) / 2 + 1.4, 1.8),
        _within(math.log(1 + dynamics.steps(horizon)) - 5, 3.0),
        _within(math.log(dynamics.typical_step * broad) + 1.4, 2.0),  # the edge of stability for weights of order one
        2 * min(problem.noise_std, 0.5),
        math.tanh(2 * math.log(problem.aspect_ratio)),
        _within(math.log(max(second, 1e-4)) + 1, 2.5),
        _within(math.log(1 + 2 * initial * broad * horizon) - 2, 4.0),
        min(2 * initial * narrow * horizon, 3.0),  # what has been learned of the slowest
        math.tanh(problem.weight_decay * horizon),
        float(dynamics.is_stochastic),
    ]


def descent_error_features(request: DmftRequest, dynamics: GradientDescent) -> list[float]:
    """What the logarithm of the error that ERROR_PATHS paths leave is linear in."""
    return [1.0, *_descent_numbers(request, dynamics)]


def descent_step_features(request: DmftRequest, dynamics: GradientDescent, paths: float) -> list[float]:
    """What the logarithm of the seconds that a round takes for a step of each of `paths` paths is linear in."""
    return [1.0, *_descent_numbers(request, dynamics), math.log(paths / ERROR_PATHS)]


def _descent_rounds(request: DmftRequest, dynamics: GradientDescent) -> list[list[float]]:
    """The paths of a scramble in each round of a solve of gradient descent, for every error in ERROR_SPREAD that the first may leave."""
    from dlnflow.dmft.descent.constants import GAIN  # brings the solver with it
    from dlnflow.dmft.descent.solver import first_paths, most_paths

    most = most_paths(round(dynamics.steps(request.horizon)), DESCENT_RANK)
    first = min(first_paths(request.accuracy), most)
    error = math.exp(_dot(DESCENT_ERROR, descent_error_features(request, dynamics))) * (first / ERROR_PATHS) ** -GAIN / request.accuracy
    likely = [error * math.exp(ERROR_NOISE * z) for z in ERROR_SPREAD]
    more = [min(first * math.sqrt(2) * (1.1 * excess) ** (1 / GAIN), most) for excess in likely]
    return [[first] if excess <= 1 or first == most else [first, paths] for excess, paths in zip(likely, more, strict=True)]


def _descent_seconds(request: DmftRequest, dynamics: GradientDescent) -> float:
    """The mean is that of the logarithm."""
    steps = dynamics.steps(request.horizon)

    def taken(paths: float) -> float:
        return steps * paths * math.exp(_dot(DESCENT_STEP, descent_step_features(request, dynamics, paths)))

    likely = [
        DESCENT_SEPARATE * sum(map(taken, earlier)) + (1 + DESCENT_REST) * taken(last)
        for *earlier, last in _descent_rounds(request, dynamics)
    ]
    return _typical(likely)


def _typical(likely: list[float]) -> float:
    return math.exp(sum(map(math.log, likely)) / len(likely))


def _within(number: float, reach: float) -> float:
    """A number that stays within what the fit knows."""
    return max(-reach, min(number, reach))


def simulation_features(request: SimulationRequest) -> list[float]:
    """What a simulation's seconds are linear in: its replicas, drawing their data and reducing them, and the steps and their products."""
    d, design, dynamics = request.dimension, request.design, request.dynamics
    n = round(request.problem.aspect_ratio * d)
    rows = design.rows_kept(n, d, dynamics.is_stochastic)
    triangular, reduces = design.is_triangular(n, d, dynamics.is_stochastic), design.reduces(n, d) and not dynamics.is_stochastic
    entries = rows * (d - rows / 2) if triangular else n * d  # half of a square triangular matrix is zero
    drawn, reduction = (n * d, n * d * d) if reduces else (entries, 0.0)
    steps, flow = dynamics.choose(
        flow=lambda _: (0.0, _flow_steps(request)),
        descent=lambda _: (dynamics.steps(request.horizon), 0.0),
        stochastic=lambda _: (_stochastic_steps(request), 0.0),
    )
    read = entries * dynamics.choose(flow=lambda _: 1.0, descent=lambda descent: descent.batch_fraction, stochastic=lambda _: 1.0)
    each = 1, drawn, design.gammas * n * d, reduction, flow, flow * entries, steps, steps * read
    return [request.replicas * work for work in each]


def _flow_steps(request: SimulationRequest) -> float:
    """In proportion to the steps of a flow: at depths other than two more of them, and some for every time in which weights decay."""
    depth, logarithm = request.problem.depth, math.log(1 + request.horizon)
    if depth == 2:
        return logarithm
    decay = request.problem.weight_decay * abs(depth - 2) * request.horizon
    return FLOW_AT_OTHER_DEPTHS * logarithm + min(decay, LONGEST_DECAY) / 3


def _stochastic_steps(request: SimulationRequest) -> float:
    """Those of the walks of stochastic gradient flow: weights that are learned are the stiffest."""
    problem = request.problem
    slope = problem.depth * max(problem.typical_weight, problem.initial_second_moment)
    return float(WALKED * (1 + (1 + problem.aspect_ratio**-0.5) ** 2 * slope * request.horizon))


def memory_bytes(request: DmftRequest | SimulationRequest | TheoryRequest) -> int:
    """The most that one job needs at a time, with the interpreter and what else a worker has loaded."""
    match request:
        case TheoryRequest():
            return THEORY_BYTES
        case DmftRequest():
            return request.dynamics.choose(
                flow=lambda _: _flow_bytes(request),
                descent=lambda dynamics: _descent_bytes(request, dynamics),
                stochastic=lambda _: MOST_DMFT_BYTES,
            )
    from dlnflow.simulation.memory import forecast  # brings the solver with it

    times = len(request.times) if request.times is not None else 100
    return forecast(
        request.problem,
        request.dimension,
        request.replicas,
        horizon=request.horizon,
        times=times,
        design=request.design,
        dynamics=request.dynamics,
    )


def _flow_bytes(request: DmftRequest) -> int:
    return min(DMFT_BYTES + int(DMFT_BYTES_A_SECOND * seconds(request)), MOST_DMFT_BYTES)


def _descent_bytes(request: DmftRequest, dynamics: GradientDescent) -> int:
    paths = _typical([max(rounds) for rounds in _descent_rounds(request, dynamics)])
    a_path = STOCHASTIC_BYTES_A_PATH if dynamics.is_stochastic else DESCENT_BYTES_A_PATH
    return min(DESCENT_BYTES + int(a_path * paths), MOST_DESCENT_BYTES)
