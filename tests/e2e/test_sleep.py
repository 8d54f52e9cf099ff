"""A machine that sleeps: every process of the stack stops for longer than a lease, and goes on."""

import os
import signal
import time

import pytest

from store.jobs import LEASE_SECONDS
from tests.e2e.stack import LONG, QUICK, Stack

pytestmark = pytest.mark.slow


def test_a_job_whose_stack_was_suspended_goes_on_in_its_first_attempt(own_stack: Stack):
    stack = own_stack
    running = stack.submit(LONG, wait=0).json()["id"]
    stack.await_status(running, "running")
    waiting = stack.submit(QUICK | {"seed": 21}, wait=0).json()["id"]  # which the watchdog sees
    time.sleep(6)  # so that every worker is settled, and ends leases
    processes = stack.processes()
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(LEASE_SECONDS + 5)
    for pid in processes:
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.1)
    time.sleep(8)
    job = stack.job(running)
    assert (job["status"], job["attempts"], job["history"]) == ("running", 1, [])
    assert stack.job(waiting)["status"] == "queued"
    assert "starting it again" not in stack.log.read_text()
    stack.client.delete(f"/v1/jobs/{running}")
    stack.await_status(waiting, "succeeded")
