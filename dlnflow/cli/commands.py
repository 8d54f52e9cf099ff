"""What each command does."""

import json
import sys
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from dlnflow.cli import show
from dlnflow.cli.problem import assignment, axis, read_request
from dlnflow.client import Client, Comparison, JobFailed, Result, Sweep, Theory, as_completed
from dlnflow.client.operations import as_request
from dlnflow.client.results import AnyResult
from dlnflow.client.suggestions import did_you_mean

Command = Callable[[Namespace], None]


def submit(options: Namespace) -> None:
    """Submit a job; with --wait, print what it found."""
    with _client(options) as client:
        job = client.submit(read_request(options))
        if not options.wait:
            return _print(options, job.record, job.id)
        print(f"job {job.id}", file=sys.stderr)
        _print_result(options, job.result(bar=sys.stderr.isatty()))


def estimate(options: Namespace) -> None:
    """Print the predicted cost."""
    with _client(options) as client:
        found = client.estimate(read_request(options))
    _print(options, found, show.listing(found))


def solve(options: Namespace) -> None:
    """Solve or simulate without any service."""
    import dlnflow

    request = read_request(options)
    solvers: dict[str, Callable[..., Result]] = {"dmft": dlnflow.solve, "simulation": dlnflow.simulate}
    if request["kind"] not in solvers:
        known = did_you_mean(str(request["kind"]), solvers)
        raise ValueError(f"kind: {request['kind']} is not solved without a service{known}; use dmft or simulation, or `dlnflow submit`")
    as_request(request, {})  # what is wrong with it is said in its own words
    found = solvers[request.pop("kind")](bar=sys.stderr.isatty(), **request)
    if options.output:
        found.save(options.output)
    else:
        _print_result(options, found)


def sweep(options: Namespace) -> None:
    """Run a grid and print its table."""
    axes = dict(map(axis, options.axis))
    with _client(options) as client:
        job = client.submit(kind="sweep", base=read_request(options), axes=axes)
        print(f"job {job.id}", file=sys.stderr)  # what is interrupted goes on, and is found again by it
        _print_result(options, job.result(bar=sys.stderr.isatty()))


def show_job(options: Namespace) -> None:
    """Print what jobs of any kind have found, or how far they have come."""
    with _client(options) as client:
        for job in map(client.job, options.ids):
            if not options.json:
                print(show.job_line(job))
            if job.status == "succeeded":
                _print_result(options, job.result())
            elif options.json:
                print(json.dumps(job.record))


def wait(options: Namespace) -> None:
    """Print each job as it finishes; fails where one failed."""
    failed = None
    with _client(options) as client:
        jobs = [client.job(job_id) for job_id in options.ids]
        if len(jobs) == 1 and sys.stderr.isatty():
            jobs[0].wait(bar=True)
        for job in as_completed(jobs):
            _print(options, job.record, show.job_line(job))
            failed = failed or job.failure
    if isinstance(failed, JobFailed):
        raise failed


def curves(options: Namespace) -> None:
    """Print or save curves."""
    with _client(options) as client:
        found = client.job(options.id).curves()
    if options.output:
        return found.save(options.output)
    columns = {name: column.tolist() for name, column in found.columns().items()}
    _print(options, columns, show.curves_table(found))


def plot(options: Namespace) -> None:
    """Plot one curve of each job in the terminal, or into a file."""
    with _client(options) as client:
        jobs = [client.job(job_id) for job_id in options.ids]
        lines = [(job, job.curves()) for job in jobs]
    if options.output:
        show.save_plot(lines, options.name, options.output)
    else:
        print(show.terminal_plot(lines, options.name))


def cancel(options: Namespace) -> None:
    """Stop jobs."""
    with _client(options) as client:
        for job_id in options.ids:
            job = client.cancel(job_id)
            _print(options, job.record, show.job_line(job))


def delete(options: Namespace) -> None:
    """Forget jobs."""
    with _client(options) as client:
        for job_id in options.ids:
            client.delete(job_id)


def listing(options: Namespace) -> None:
    """List jobs, newest first."""
    with _client(options) as client:
        jobs = [job for job, _ in zip(client.jobs(status=options.status, kind=options.kind), range(options.limit), strict=False)]
    _print(options, [job.record for job in jobs], show.job_table(jobs))


def units(options: Namespace) -> None:
    """Print numbers of one convention in another."""
    import dlnflow
    from dlnflow.units import Convention

    convention = Convention(options.parametrisation, options.depth, options.loss, options.feature_std)
    convert = dlnflow.to_paper if options.back else dlnflow.from_paper
    found = convert(convention, dimension=options.dimension, samples=options.samples, **dict(map(_number, options.values)))
    _print(options, found, "\n".join(f"{name:16} {value:.6g}" for name, value in found.items()))


def _number(text: str) -> tuple[str, float]:
    name, value = assignment(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{text}: write NAME=NUMBER, for example alpha=0.1")
    return name, float(value)


def _client(options: Namespace) -> Client:
    return Client(options.url)


def _print(options: Namespace, document: Any, text: str) -> None:
    print(json.dumps(document) if options.json else text)


def _print_result(options: Namespace, found: AnyResult) -> None:
    match found:
        case Sweep():
            return _print(options, found.rows, show.sweep_table(found.rows))
        case Theory():
            return _print(options, found.document, show.listing(found.numbers))
        case Comparison():
            return _print(options, found.document, f"{found.verdict}: {found.explanation}")
    if not found.converged:
        print(f"not converged: {found.diagnostics.get('advice')}", file=sys.stderr)
    columns = {name: column.tolist() for name, column in found.curves.columns().items()}
    _print(options, columns, show.curves_table(found.curves))
