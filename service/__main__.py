"""`python -m service`: the embedded stack in one command, and the keys of its users."""

import argparse

import redis
from pydantic import ValidationError

from dlnflow.jobs import settings
from service.commands import add_keys, run_keys
from service.stack import serve

# Read by the library, wherever it runs.
LEVEL = (
    "  DLNFLOW_NATIVE_LEVEL    ''              level of the compiled core: base, v3 or v4; empty: the processor's best, with the same bits"
)


def main() -> None:
    """Read the settings and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m service",
        description="Serve dlnflow: API, workers and, without DLNFLOW_REDIS_URL, a store of its own.",
        epilog=f"Settings are environment variables:\n{settings.table()}\n{LEVEL}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_keys(parser.add_subparsers(dest="command").add_parser("keys", help="make, list and revoke keys of the API"))
    options = parser.parse_args()
    try:
        chosen = settings.from_environment()
    except ValidationError as error:
        first = error.errors()[0]
        raise SystemExit(f"{settings.PREFIX}{str(first['loc'][0]).upper()}: {first['msg']}") from None
    if options.command == "keys":
        try:
            run_keys(options, chosen)
        except redis.ConnectionError:
            raise SystemExit(
                "the store cannot be reached; start the service, or set DLNFLOW_REDIS_URL or DLNFLOW_DATA as it has them"
            ) from None
    else:
        serve(chosen)


if __name__ == "__main__":
    main()
