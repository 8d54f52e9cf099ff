"""How long a job still takes: counted down, with one digit, in words."""

import pytest

from dlnflow.left import TimeLeft, by_progress, say
from dlnflow.solution import Journal


class Expecting(Journal):
    """Keeps what was expected."""

    def __init__(self) -> None:
        self.expected: list[float] = []

    def expect(self, seconds: float) -> None:
        self.expected.append(seconds)


def test_it_is_counted_down_with_one_digit_and_never_over_before_it_is():
    now = [100.0]
    left = TimeLeft(lambda: now[0])
    assert left.seconds is None
    left.expect(38)
    told = []
    for passed in (0, 10, 29, 37, 38, 50, 200):
        now[0] = 100.0 + passed
        told.append(left.seconds)
    assert told == [40, 30, 9, 7, 8, 10, 40]  # late, a fifth of the time that passed
    left.expect(0.3)
    assert left.seconds == 1


def test_even_progress_tells_what_is_left():
    now, seen, journal = [0.0], [], Expecting()
    watch = by_progress(lambda *told: seen.append(told), journal, lambda: now[0])
    for passed, progress in ((0, 0.2), (1, 0.25), (4, 0.4), (12, 0.8)):  # an attempt that went on from 0.2
        now[0] = passed
        watch(progress, "on")
    assert journal.expected == pytest.approx([12, 4])
    assert seen == [(progress, "on") for progress in (0.2, 0.25, 0.4, 0.8)]


@pytest.mark.parametrize(("seconds", "words"), [(None, ""), (1, "about 1 s left"), (80, "about 80 s left"), (200, "about 3 min left")])
def test_it_is_said_in_seconds_or_minutes(seconds, words):
    assert say(seconds) == words
