"""A progress bar that moves, in a terminal and in a notebook."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dlnflow.client.state import JobState


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[JobState], None]]:
    """A bar for one job; call what this gives with the job whenever there is news."""
    from tqdm import tqdm  # plain text, in notebooks too: no widgets are needed

    with tqdm(total=100, desc=label, unit="%", bar_format="{desc} {percentage:3.0f}% |{bar}| {elapsed} {postfix}") as bar:

        def show(job: JobState) -> None:
            bar.set_postfix_str(job.note or job.status, refresh=False)
            bar.update(max(0.0, round(100 * job.progress, 1) - bar.n))
            bar.refresh()

        yield show
        bar.update(100 - bar.n)
