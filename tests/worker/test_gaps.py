"""Processes that sleep and clocks that are set: whoever lives has time to renew its lease before any is ended."""

import pytest

from store import keys
from store.jobs import JobStore
from tests.store.test_jobs import ID, REQUEST
from worker.pace import Pace
from worker.upkeep import SETTLING_SECONDS, Upkeep
from worker.watchdog import PATIENCE_SECONDS, Watchdog

ROUND = 2.0  # seconds between two rounds


class Clock:
    """A process's own clock, which stands still unless it is told to go on."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Store(JobStore):
    """The real store, with a clock that goes with the process's, or apart."""

    ahead = 0.0  # seconds that were added to its clock

    def __init__(self, client, clock: Clock) -> None:
        super().__init__(client)
        self.clock, known = clock, self.workers.greet

        def greet(*arguments) -> int:
            known(*arguments)
            return round(1e6 * (self.clock.now + self.ahead))

        self.workers.greet = greet

    def expire_leases(self, looked=None) -> None:
        """As in the store, by its own clock."""
        super().expire_leases()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keeper(client, clock) -> Upkeep:
    """In contact for a while."""
    store = Store(client, clock)
    keeper = Upkeep(store, "w", 2, 60, lambda: None, Pace(), clock=clock)
    keeper.store = store
    for _ in range(round(SETTLING_SECONDS / ROUND) + 2):
        turn(keeper, clock)
    store.submit(REQUEST)
    store.claim("other")
    client.zadd(keys.LEASES, {ID: 1})  # it has ended, by the time of which each test tells
    return keeper


def turn(keeper: Upkeep, clock: Clock, seconds: float = ROUND) -> str:
    """The job's state after the next round, `seconds` after the last."""
    clock.now += seconds
    keeper.round()
    return keeper.store.get(ID).status if keeper.store.get(ID) else ""


def test_a_lease_that_ended_while_nobody_slept_is_ended(keeper, clock):
    assert turn(keeper, clock) == "queued"


@pytest.mark.parametrize("seconds", [20, 3600])
def test_after_a_sleep_whoever_holds_a_lease_has_time_to_renew_it(keeper, clock, seconds):
    assert turn(keeper, clock, seconds) == "running"
    for _ in range(int(SETTLING_SECONDS / ROUND)):
        assert turn(keeper, clock) == "running"
    assert turn(keeper, clock) == "queued"  # nobody did


@pytest.mark.parametrize("step", [3600, -3600, 20])
def test_after_the_stores_clock_was_set_too(keeper, clock, step):
    keeper.store.ahead = step
    assert turn(keeper, clock) == "running"
    for _ in range(int(SETTLING_SECONDS / ROUND)):
        assert turn(keeper, clock) == "running"
    assert turn(keeper, clock) == "queued"


def test_a_clock_that_is_drawn_slowly_does_not_keep_leases_for_ever(keeper, clock):
    keeper.store.ahead = 0.5
    assert turn(keeper, clock) == "queued"


def test_the_watchdog_does_not_bite_for_the_time_in_which_it_slept(store, clock):
    store.workers.greet("w", 1)
    store.submit(REQUEST)
    dog = Watchdog(store, "w", 1, clock)
    assert not dog.hungry()
    clock.now += 20
    assert not dog.hungry()
    for _ in range(int(PATIENCE_SECONDS / ROUND)):
        clock.now += ROUND
        assert not dog.hungry()
    clock.now += ROUND
    assert dog.hungry()
