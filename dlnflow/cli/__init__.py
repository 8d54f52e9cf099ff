"""The command line: `dlnflow submit | wait | curves | plot | sweep | cancel | list | estimate | solve`."""

import sys
from collections.abc import Sequence

from dlnflow.cli.parser import build_parser
from dlnflow.client.errors import DlnflowError
from dlnflow.solution import SolveError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, 1 where the service or a job failed, 2 for bad input."""
    options = build_parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, ImportError, OSError) as error:
        return _say(2, str(error))
    except (DlnflowError, SolveError) as error:
        return _say(1, str(error))
    except KeyboardInterrupt:
        return _say(130, "stopped; a submitted job goes on: see `dlnflow list`, then `dlnflow wait ID` or `dlnflow cancel ID`")
    return 0


def _say(code: int, text: str) -> int:
    print(f"dlnflow: {text}", file=sys.stderr)
    return code
