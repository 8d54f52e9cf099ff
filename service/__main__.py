"""`python -m service`: the embedded stack in one command, and the keys of its users."""

import signal

# Read by the library, wherever it runs.
LEVEL = "  DLNFLOW_NATIVE_LEVEL    ''              level of the compiled core: base, v3 or v4; empty: the best that the processor has"


def main() -> None:
    """Read the settings and serve. Until the stack listens to signals, they end this process at once."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    import argparse

    from service.commands import add_keys, run_keys
    from service.stack import serve
    from store import settings, start

    parser = argparse.ArgumentParser(
        prog="python -m service",
        description="Serve dlnflow: API, workers and, without DLNFLOW_REDIS_URL, a store of its own.",
        epilog=f"Settings are environment variables:\n{settings.table()}\n{LEVEL}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_keys(parser.add_subparsers(dest="command").add_parser("keys", help="make, list and revoke keys of the API"))
    options = parser.parse_args()
    chosen = start.read_settings()
    if options.command == "keys":
        run_keys(options, chosen)
    else:
        serve(chosen)


if __name__ == "__main__":
    main()
