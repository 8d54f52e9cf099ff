"""`python -m worker`: run jobs until told to stop."""

import warnings

from celery.exceptions import SecurityWarning

from worker import lifecycle as lifecycle
from worker.app import app, post


def main() -> None:
    """Start Celery's worker, without the chatter between workers that nobody listens to.

    The solvers are loaded before it forks: its children share their memory, and a new child takes its first job at once.
    """
    warnings.simplefilter("ignore", SecurityWarning)  # of root, for fear of pickled messages: ours are JSON
    post.pace.begin()
    app.worker_main(["--quiet", "worker", "--loglevel=WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"])


if __name__ == "__main__":
    main()
