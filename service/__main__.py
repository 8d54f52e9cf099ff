"""`python -m service`: the embedded stack in one command."""

import argparse

from pydantic import ValidationError

from dlnflow.jobs import settings
from service.stack import serve


def main() -> None:
    """Read the settings and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m service",
        description="Serve dlnflow: API, workers and, without DLNFLOW_REDIS_URL, a store of its own.",
        epilog="Settings are environment variables:\n" + settings.table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    try:
        chosen = settings.from_environment()
    except ValidationError as error:
        first = error.errors()[0]
        raise SystemExit(f"{settings.PREFIX}{str(first['loc'][0]).upper()}: {first['msg']}") from None
    serve(chosen)


if __name__ == "__main__":
    main()
