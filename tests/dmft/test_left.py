"""What a solve expects of its rest: from the seconds of its stages, before each round."""

from dataclasses import dataclass

import pytest

from dlnflow import dmft
from dlnflow.dmft.constants import PANELS_OVER_PANELS, ROUND_POWER, ROUNDS_OVER_PANELS
from dlnflow.dmft.left import Left
from dlnflow.dmft.stages import Check, Panels, Round
from dlnflow.model import BernoulliGaussTarget, GradientDescent, Problem
from tests.test_left import Expecting

PROBLEM = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.1), noise_std=0.1, initial_scale=0.3)


@dataclass(frozen=True)
class Sized(Round):
    """A round of which only the paths are looked at."""

    def __init__(self, paths: int) -> None:
        for name, value in {"paths": paths}.items():
            object.__setattr__(self, name, value)


def test_rounds_are_expected_by_the_panels_and_then_by_the_round_before():
    now, journal = [0.0], Expecting()
    left = Left(journal, lambda: now[0])
    for stage, seconds in (
        (Panels(0.1, 0.1), 5.0),  # of which nothing is known
        (Panels(0.05, 0.1, is_first=False), 2.0),
        (Sized(1024), 3.0),
        (Check(*4 * [None]), 1.0),  # counted with its round
        (Sized(4096), 0.0),
    ):
        left.begins(stage)
        now[0] += seconds
    expected = [PANELS_OVER_PANELS * 5, ROUNDS_OVER_PANELS * 2, 4 * 4**ROUND_POWER]
    assert journal.expected == pytest.approx(expected)


def test_a_solve_lets_its_journal_know_before_each_round():
    journal, rounds = Expecting(), []

    def observe(_, message):
        if message.startswith("round") and message not in rounds:
            rounds.append(message)
            assert len(journal.expected) >= len(rounds)

    dmft.solve(PROBLEM, 8.0, accuracy=0.02, observe=observe, journal=journal)
    assert rounds and min(journal.expected) > 0


def test_descent_lets_its_journal_know_before_each_round():
    journal = Expecting()
    dmft.descent.solve(PROBLEM, 2.0, GradientDescent(kind="gradient_descent", step_size=0.1), accuracy=0.1, journal=journal)
    assert journal.expected and min(journal.expected) > 0
