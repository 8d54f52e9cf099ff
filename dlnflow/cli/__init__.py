"""The command line: `dlnflow submit | wait | show | curves | plot | sweep | cancel | delete | list | estimate | solve | units`."""

import sys
from collections.abc import Sequence

from dlnflow.cli import terminal
from dlnflow.cli.parser import build_parser
from dlnflow.client.errors import DlnflowError, InvalidRequest
from dlnflow.solution import SolveError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, 1 where the service or a job failed, 2 for bad input.

    That nobody reads the output to its end, as `| head`, is no failure.
    """
    terminal.adapt()
    try:
        code = _run(arguments)
        terminal.finish()
    except BrokenPipeError:
        terminal.forget()
        return 0
    except OSError as error:  # the output's disk is full
        terminal.forget()
        return _say(2, str(error))
    return code


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options = build_parser().parse_args(arguments)
        options.run(options)
    except SystemExit as end:  # --help, or an option that is wrong, which argparse has said
        return end.code if isinstance(end.code, int) else 0
    except BrokenPipeError:
        raise
    except InvalidRequest as error:
        return _say(2, str(error))
    except (DlnflowError, SolveError) as error:
        return _say(1, str(error))
    except (ValueError, ImportError, OSError) as error:
        return _say(2, str(error))
    except KeyboardInterrupt:
        return _say(130, "stopped; a submitted job goes on: see `dlnflow list`, then `dlnflow wait ID` or `dlnflow cancel ID`")
    return 0


def _say(code: int, text: str) -> int:
    print(f"dlnflow: {text}", file=sys.stderr)
    return code
