"""Submits a job of each kind with a client that a generator made, and prints what it read; the arguments are its folder and the address."""

import json
import sys
import time

sys.path.insert(0, sys.argv[1])
from made import Client
from made.api.jobs import estimate_job, list_jobs, read_job, submit_job
from made.api.results import (
    read_children,
    read_comparison,
    read_curves,
    read_diagnostics,
    read_kernels,
    read_order_parameters,
    read_table,
    read_theory,
)
from made.models import (
    BernoulliGaussTarget,
    ComparisonRequest,
    CosineSchedule,
    DmftRequest,
    GradientDescent,
    Group,
    PairScale,
    Problem,
    RademacherDesign,
    SimulationRequest,
    SweepRequest,
    SweepRequestAxes,
    TheoryRequest,
    UniformTarget,
)

client = Client(base_url=sys.argv[2], timeout=60)
problem = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.2, kind="bernoulli_gauss"), noise_std=0.1, initial_scale=0.5)
groups = [
    Group(weight=0.25, variance=2.0, target=UniformTarget(kind="uniform", low=-1.0, high=1.0), initial_scale=PairScale(u=0.5, v=0.4)),
    Group(weight=0.75, target=BernoulliGaussTarget(density=0.2, kind="bernoulli_gauss"), initial_scale=0.3),
]
population = Problem(aspect_ratio=0.5, groups=groups)
requests = {
    "dmft": DmftRequest(kind="dmft", problem=problem, horizon=1.0, accuracy=0.1),
    "simulation": SimulationRequest(
        kind="simulation", problem=population, horizon=1.0, dimension=60, replicas=4, design=RademacherDesign(kind="rademacher")
    ),
    "theory": TheoryRequest(kind="theory", problem=problem),
    "comparison": ComparisonRequest(kind="comparison", problem=problem, horizon=1.0, accuracy=0.1, dimension=60, replicas=4),
    "sweep": SweepRequest(
        kind="sweep",
        base=DmftRequest(kind="dmft", problem=problem, horizon=1.0, dynamics=GradientDescent(kind="gradient_descent", step_size=0.1)),
        axes=SweepRequestAxes.from_dict({"problem.initial_scale": [0.3, 1.0]}),
    ),
}
schedule = CosineSchedule(kind="cosine", start=0.2, end=0.05, steps=20)
descent = GradientDescent(kind="gradient_descent", step_size=schedule, batch_fraction=0.5, momentum=0.9, label_noise_std=0.1)
deep = SimulationRequest(kind="simulation", problem=Problem(aspect_ratio=0.5, groups=groups, depth=3.0), horizon=1.0, dynamics=descent)


def finished(request):
    """The job, once it has finished."""
    job = submit_job.sync(client=client, body=request, prefer="wait=30")
    while job.status in ("queued", "running"):
        time.sleep(0.2)
        job = read_job.sync(job.id, client=client, prefer="wait=30")
    assert job.status == "succeeded", job
    return job


ids = {kind: finished(request).id for kind, request in requests.items()}
kept = read_job.sync(ids["simulation"], client=client).request
curves = read_curves.sync(ids["dmft"], client=client)
print(
    json.dumps(
        {
            "ids": ids,
            "request": [type(part).__name__ for part in (kept, kept.problem.groups[0].target, kept.problem.groups[0].initial_scale)],
            "weights": [group.weight for group in kept.problem.groups],
            "seconds": estimate_job.sync(client=client, body=deep).seconds,
            "test_loss": curves.test_loss,
            "overlap": read_order_parameters.sync(ids["simulation"], client=client).overlap,
            "kernel": read_kernels.sync(ids["dmft"], client=client).correlation[0][0],
            "scale": read_theory.sync(ids["theory"], client=client).time_scales.search.formula,
            "verdict": read_comparison.sync(ids["comparison"], client=client).verdict,
            "total": read_children.sync(ids["sweep"], client=client).total,
            "columns": read_table.sync(ids["sweep"], client=client).columns,
            "outcome": read_diagnostics.sync(ids["sweep"], client=client).outcome,
            "listed": len(list_jobs.sync(client=client, limit=5).jobs),
        }
    )
)
