"""What happens to jobs and processes when parts of the stack are stopped or killed."""

import os
import signal
import subprocess
import sys

import pytest

from tests.e2e.stack import LONG, QUICK, SETTLE_SECONDS, Stack, wait_until

pytestmark = pytest.mark.slow


def test_a_stack_that_is_started_again_keeps_its_jobs(own_stack: Stack):
    stack = own_stack
    finished = stack.done(QUICK)
    curves = stack.client.get(f"/v1/jobs/{finished}/curves").content
    running = stack.submit(LONG, wait=0).json()["id"]
    stack.await_status(running, "running")
    waiting = stack.submit(QUICK | {"seed": 5}, wait=0).json()["id"]
    stack.stop()
    assert stack.processes() == []
    stack.start()
    assert stack.client.get(f"/v1/jobs/{finished}/curves").content == curves
    assert stack.submit(QUICK).json()["cache"] == "hit"
    assert stack.await_status(running, "running")["attempts"] == 1  # an orderly stop is not a failed attempt
    stack.client.delete(f"/v1/jobs/{running}")
    stack.await_status(waiting, "succeeded")


def test_a_killed_stack_leaves_no_orphan_and_loses_no_job(own_stack: Stack):
    stack = own_stack
    finished = stack.done(QUICK)
    running = stack.submit(LONG, wait=0).json()["id"]
    stack.await_status(running, "running")
    wait_until(lambda: len(stack.processes()) >= 6, 5, "supervisor, store, API, worker and its children")
    stack.process.kill()
    stack.process.wait()
    wait_until(lambda: stack.processes() == [], 10, "every process to be gone")
    stack.start()
    assert stack.job(finished)["status"] == "succeeded"
    assert stack.await_status(running, "running")["attempts"] == 2
    stack.client.delete(f"/v1/jobs/{running}")


def test_killed_parts_are_started_again(own_stack: Stack):
    stack = own_stack
    finished = stack.done(QUICK)
    killed = stack.processes("-server unixsocket") + stack.processes("uvicorn")
    assert len(killed) == 2
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not stack.ready(), 5, "the stack to notice")
    wait_until(stack.ready, 30, "the stack to be ready again")
    assert stack.job(finished)["status"] == "succeeded"
    stack.done(QUICK | {"seed": 7})
    for pid in stack.processes("worker"):
        os.kill(pid, signal.SIGKILL)
    stack.done(QUICK | {"seed": 8})


def test_a_job_whose_worker_process_is_killed_runs_again(own_stack: Stack):
    stack = own_stack
    running = stack.submit(LONG, wait=0).json()["id"]
    stack.await_status(running, "running")
    for child in sorted(stack.processes("worker"))[1:]:  # they are younger than the main process
        os.kill(child, signal.SIGKILL)
    wait_until(lambda: stack.job(running)["attempts"] == 2, SETTLE_SECONDS, "a second attempt")
    stack.client.delete(f"/v1/jobs/{running}")


def test_a_second_stack_on_the_same_data_is_refused(stack: Stack, tmp_path):
    other = Stack(stack.data)
    other.log = tmp_path / "log"
    second = other.spawn()
    assert second.wait(20) == 1
    assert "another dlnflow runs on" in other.log.read_text()
    other.client.close()


def test_a_port_that_is_taken_is_said(stack: Stack, tmp_path):
    other = Stack(tmp_path / "data", DLNFLOW_PORT=str(stack.port))
    assert other.spawn().wait(20) == 1
    assert "set DLNFLOW_PORT" in other.log.read_text()
    other.client.close()


def test_a_setting_that_cannot_be_read_is_said(tmp_path):
    other = Stack(tmp_path / "data", DLNFLOW_WORKERS="many")
    assert other.spawn().wait(20) == 1
    assert other.log.read_text().startswith("DLNFLOW_WORKERS: ")
    other.client.close()


def test_help_lists_every_setting():
    text = subprocess.run([sys.executable, "-m", "service", "--help"], capture_output=True, text=True, check=True).stdout
    assert "DLNFLOW_REDIS_URL" in text
    assert "DLNFLOW_TIME_LIMIT" in text


def test_a_job_that_takes_too_long_is_stopped(tmp_path):
    stack = Stack(tmp_path / "data", DLNFLOW_TIME_LIMIT="2").start()
    try:
        job = stack.submit(LONG).json()
        assert (job["status"], job["error"]["code"]) == ("failed", "timeout")
    finally:
        stack.close()


def test_a_store_that_does_not_start_is_said_at_once(tmp_path):
    broken = Stack(tmp_path / "data")
    (broken.data / "appendonlydir").mkdir(parents=True)
    (broken.data / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense")
    assert broken.spawn().wait(20) == 1
    assert "the store did not start" in broken.log.read_text()
    broken.client.close()
