"""A journal that tests read, and that may interrupt a solve."""

from dlnflow.solution import Cancelled, Journal


class Kept(Journal):
    """Keeps everything; a solve ends with Cancelled at its checkpoint number `last`."""

    def __init__(self, earlier: bytes | None = None, last: int | None = None) -> None:
        self.earlier, self.last = earlier, last
        self.checkpoints: list[bytes] = []
        self.previews: list[tuple] = []

    def preview(self, time, values, stderr=None):
        self.previews.append((time, values, stderr))

    def save(self, checkpoint):
        self.checkpoints.append(checkpoint())
        if len(self.checkpoints) == self.last:
            raise Cancelled
