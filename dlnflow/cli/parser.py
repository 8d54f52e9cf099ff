"""Commands and their options."""

import argparse
from typing import get_args

from dlnflow import __version__, units
from dlnflow.cli import commands, problem
from dlnflow.cli.output import writable
from dlnflow.solution import CURVES
from dlnflow.wire.job import Kind, Status

DATA = writable(".csv", ".json", ".npz")
PICTURE = writable(".png", ".svg", ".pdf")

EPILOG = """The service is the one at DLNFLOW_URL (default http://127.0.0.1:8000); its key is read from DLNFLOW_API_KEY.

example:
  dlnflow submit --wait --aspect-ratio 0.5 --target bernoulli_gauss:0.1 --noise-std 0.1 --initial-scale 0.3 --horizon 32
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; every command sets `run`."""
    parser = argparse.ArgumentParser(
        prog="dlnflow", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.description = "Gradient flow on diagonal linear networks: jobs of a dlnflow service, or solved right here."
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--url", help="address of the service")
    parser.add_argument("--json", action="store_true", help="print JSON for programs instead of tables")
    add = parser.add_subparsers(required=True, metavar="COMMAND").add_parser
    shared = argparse.ArgumentParser(add_help=False)  # both `dlnflow --json list` and `dlnflow list --json`
    shared.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON for programs instead of tables")
    shared.add_argument("--url", default=argparse.SUPPRESS, help="address of the service")

    def command(name: str, help: str, run: commands.Command) -> argparse.ArgumentParser:
        found = add(name, help=help, description=help, parents=[shared])
        found.set_defaults(run=run)
        return found

    submit = command("submit", "submit a job and print its id", commands.submit)
    _request_options(submit)
    submit.add_argument("--wait", action="store_true", help="wait for the job, with a progress bar, and print its curves")
    _request_options(command("estimate", "what a job would cost, without running it", commands.estimate))
    local = command("solve", "solve or simulate here, without any service", commands.solve)
    _request_options(local)
    local.add_argument("-o", "--output", type=DATA, help="write .csv, .json or .npz instead of a table")
    sweep = command("sweep", "run a job at every point of a grid and print one table", commands.sweep)
    _request_options(sweep)
    values = "initial_scale=0.1,0.3,1 or noise_std=lin:0:1:11 or initial_scale=log:0.01:1:5; any field by its path"
    sweep.add_argument("--axis", action="append", required=True, metavar="NAME=VALUES", help=values)
    command("wait", "wait for jobs to finish", commands.wait).add_argument("ids", nargs="+", metavar="ID")
    curves = command("curves", "print or save the curves of a job", commands.curves)
    curves.add_argument("id", metavar="ID")
    curves.add_argument("-o", "--output", type=DATA, help="write .csv, .json or .npz instead of a table")
    plot = command("plot", "plot curves in the terminal, or into a file", commands.plot)
    plot.add_argument("ids", nargs="+", metavar="ID")
    plot.add_argument("--name", default="test_loss", choices=CURVES)
    plot.add_argument("-o", "--output", type=PICTURE, help="write .png, .svg or .pdf instead (needs matplotlib)")
    shown = command("show", "what jobs of any kind have found, or how far they are", commands.show_job)
    shown.add_argument("ids", nargs="+", metavar="ID", help="an id, or its first letters")
    command("cancel", "stop jobs, queued or running", commands.cancel).add_argument("ids", nargs="+", metavar="ID")
    command("delete", "forget finished jobs and their results", commands.delete).add_argument("ids", nargs="+", metavar="ID")
    listing = command("list", "list jobs, newest first", commands.listing)
    listing.add_argument("--status", choices=get_args(Status))
    listing.add_argument("--kind", choices=get_args(Kind))
    listing.add_argument("--limit", type=int, default=20)
    _units_options(command("units", "a paper's numbers in this project's units, or back", commands.units))
    return parser


def _units_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("values", nargs="+", metavar="NAME=NUMBER", help="alpha=0.1 step_size=0.5 steps=400 weight_decay=… batch_size=… weight=… time=…")
    add("--parametrisation", required=True, choices=get_args(units.Parametrisation), help="β = u∘v, or β = u^L − v^L")
    add("--dimension", type=int, required=True, help="d, parameters")
    add("--samples", type=int, required=True, help="n")
    add("--depth", type=float, default=2.0, help="L, of a difference")
    add("--loss", default="half_mean", choices=get_args(units.Loss), help="of residuals r: Σr²/(2n), Σr²/n, Σr²/(4n), Σr²/2 or Σr²")
    add("--feature-std", type=float, default=1.0, help="standard deviation of the entries of x")
    add("--back", action="store_true", help="from this project's units to the paper's: initial_scale=0.3 step_size=0.1 horizon=8")


def _request_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", nargs="?", help="TOML or JSON file with a job, or with a problem alone")
    add("--kind", help="dmft (default), simulation, theory or comparison")
    add("--aspect-ratio", type=float, help="δ = n/d")
    add("--target", type=problem.target, help=problem.TARGETS)
    add("--noise-std", type=float, help="σ")
    add("--initial-scale", type=float, help="a, with u(0) = v(0) = a")
    add("--weight-decay", type=float, help="λ")
    add("--horizon", type=float, help="last time of the curves")
    add("--times", type=problem.times, help="times to print, 0.5,1,2; by default the service chooses")
    add("--accuracy", type=float, help="largest relative error of any curve (dmft)")
    add("--dimension", type=problem.number, help="d (simulation)")
    add("--replicas", type=problem.number, help="networks to average (simulation)")
    add("--seed", type=problem.number)
    add("--set", action="append", default=[], metavar="PATH=VALUE", help="any other field: dynamics.kind=gradient_descent")
