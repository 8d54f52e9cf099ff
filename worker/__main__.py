"""`python -m worker`: run jobs until told to stop."""

from worker import lifecycle as lifecycle
from worker.app import app


def main() -> None:
    """Start Celery's worker, without the chatter between workers that nobody listens to."""
    app.worker_main(["--quiet", "worker", "--loglevel=WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"])


if __name__ == "__main__":
    main()
