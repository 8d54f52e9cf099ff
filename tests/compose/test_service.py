"""What `docker compose up` gives: the main job, results that last, workers that may die, and containers that may do little."""

import subprocess
import time

import pytest

from dlnflow.client import Client
from tests.compose.containers import IMAGE, Compose, docker
from tests.e2e.stack import PROBLEM, QUICK, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the first one builds the image

MEGABYTE = 10**6
BASE_CAPABILITIES = "0000000000000000"
JOBS = 100
TIMES = (0.5, 1.0, 2.0)
SHORT = QUICK | {"horizon": 4.0, "times": [1, 4], "dimension": 400, "replicas": 24}  # a second: long against the gap between two


def test_the_main_job_agrees_with_finite_networks_and_outlasts_a_restart(service: Compose):
    with Client(f"http://127.0.0.1:{service.port}") as client:
        theory = client.submit(kind="dmft", problem=PROBLEM, horizon=2.0, times=TIMES, accuracy=0.02)
        network = client.submit(kind="simulation", problem=PROBLEM, horizon=2.0, times=TIMES, dimension=1000, replicas=6)
        lines, points = theory.wait(timeout=120).curves(), network.wait(timeout=120).curves()
    spread = (lines.train_loss_stderr**2 + points.train_loss_stderr**2) ** 0.5
    assert (abs(lines.train_loss - points.train_loss) < 5 * spread).all()  # three correlated comparisons and a bias of order 1/d
    address = f"/v1/jobs/{theory.id}/curves"
    before = service.client.get(address).content
    service("down")
    service.up()
    assert service.client.get(address).content == before


def test_a_new_worker_compiles_nothing(service: Compose):
    """The kernels of the image fit this processor, so the worker's own cache holds nothing more than the image's."""
    worker = service.containers("worker")[0]
    built = docker("exec", worker, "sh", "-c", "cd /app/numba && find . -type f | sort")
    assert ".nbc" in built
    assert docker("exec", worker, "sh", "-c", "cd /tmp/numba && find . -type f | sort") == built


def test_a_worker_at_rest_leaves_the_processor_to_others(service: Compose):
    """Its upkeep, its polls and its health checks together take less than a twentieth of one; what a slow start left may go on first."""
    worker = service.containers("worker")[0]
    time.sleep(5)
    before, start = processor_seconds(worker), time.monotonic()
    time.sleep(15)
    assert processor_seconds(worker) - before < 0.05 * (time.monotonic() - start)


def processor_seconds(container: str) -> float:
    """What all processes of a container have used, as version 2 or 1 of control groups tells."""
    files = "sed -n 's/usage_usec \\(.*\\)/\\1000/p' /sys/fs/cgroup/cpu.stat || cat /sys/fs/cgroup/cpuacct/cpuacct.usage"
    return int(docker("exec", container, "sh", "-c", files)) / 1e9


def test_no_point_of_a_sweep_is_lost_when_workers_and_the_store_end(service: Compose):
    service.up("--scale", "worker=3")
    killed, stopped, _ = service.containers("worker")
    axes = {"problem.initial_scale": [0.1 * n for n in range(1, 11)], "problem.noise_std": [0.02 * n for n in range(10)]}
    sweep = service.client.post("/v1/jobs", json={"kind": "sweep", "base": SHORT, "axes": axes}).json()["id"]
    wait_until(lambda: len(done(service, sweep)) >= 10, 90, "10 jobs")
    docker("kill", "-s", "KILL", killed)
    wait_until(lambda: len(done(service, sweep)) >= 30, 90, "30 jobs")
    docker("stop", stopped)
    docker("kill", "-s", "KILL", service.containers("redis")[0])
    service("start", "redis")
    wait_until(lambda: len(done(service, sweep)) == JOBS, 240, "all jobs")
    attempts = [service.client.get(f"/v1/jobs/{child['id']}").json()["attempts"] for child in done(service, sweep)]
    # The killed worker was at work, and another one took over. Only what ran when something was killed starts anew: three jobs, twice.
    assert 1 <= sum(n > 1 for n in attempts) <= 6
    wait_until(lambda: service.client.get(f"/v1/jobs/{sweep}").json()["status"] == "succeeded", 30, "the sweep")
    table = service.client.get(f"/v1/jobs/{sweep}/table", params={"format": "csv"}).text
    assert len(table.splitlines()) == 1 + JOBS
    service.up("--scale", "worker=1")


def done(service: Compose, sweep: str) -> list[dict[str, str]]:
    """The children that have succeeded; none where the store is not back yet."""
    children = service.client.get(f"/v1/jobs/{sweep}/children").json().get("children", [])
    return [child for child in children if child["status"] == "succeeded"]


@pytest.mark.parametrize("name", ["redis", "api", "worker"])
def test_a_container_may_do_little(service: Compose, name: str):
    container, host = service.containers(name)[0], service.inspect(name)["HostConfig"]
    status = docker("exec", container, "cat", "/proc/1/status")
    fields = {line.split(":")[0]: line.split(":")[1].split() for line in status.splitlines()}
    assert "0" not in fields["Uid"]
    assert {fields[name][0] for name in ("CapEff", "CapPrm", "CapBnd")} == {BASE_CAPABILITIES}
    assert fields["NoNewPrivs"] == ["1"]
    assert host["ReadonlyRootfs"] and host["Memory"] > 0 and host["PidsLimit"] > 0
    for folder in ("/", "/app", "/usr/local", "/home"):
        refused = subprocess.run(["docker", "exec", container, "touch", f"{folder}/new"], capture_output=True, text=True)
        assert "Read-only file system" in refused.stderr or "No such file" in refused.stderr


def test_only_the_service_is_published_and_to_this_machine_alone(service: Compose):
    ports = {name: service.inspect(name)["NetworkSettings"]["Ports"] or {} for name in ("redis", "api", "worker")}
    assert ports["api"]["8000/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": str(service.port)}]
    assert not any(any(ports[name].values()) for name in ("redis", "worker"))
    assert set(service.inspect("worker")["NetworkSettings"]["Networks"]) == {f"{service.project}_store"}
    assert '"Internal": true' in docker("network", "inspect", f"{service.project}_store")


def test_the_image_is_small_has_no_compiler_and_names_its_build(service: Compose):
    assert int(docker("image", "inspect", "-f", "{{.Size}}", IMAGE)) < 700 * MEGABYTE
    labels = docker("image", "inspect", "-f", "{{json .Config.Labels}}", IMAGE)
    assert "org.opencontainers.image.version" in labels and "org.opencontainers.image.revision" in labels
    found = docker("exec", service.containers("api")[0], "sh", "-c", "command -v gcc cc g++ clang ld make pip || true")
    assert set(found.split()) <= {"/usr/local/bin/pip"}  # the base image's own


def test_trimming_the_image_left_page_and_plots_whole(service: Compose):
    job = service.client.post("/v1/jobs", json=QUICK, headers={"Prefer": "wait=30"}).json()
    for kind in ("svg", "png"):
        assert service.client.get(f"/v1/jobs/{job['id']}/plot.{kind}").status_code == 200
    assert service.client.get("/").status_code == 200
    assert len(service.client.get("/page/plotly.min.js").content) > MEGABYTE


def test_no_secret_is_in_the_image_or_the_logs(service: Compose):
    assert service.password not in service("logs", "--no-color")
    assert service.password not in docker("history", "--no-trunc", IMAGE)
    files = docker(
        "exec", service.containers("api")[0], "find", "/app", "/venv", "-name", ".env*", "-o", "-name", ".git*", "-o", "-name", "*.key"
    )
    assert files == ""
    assert service.password not in docker("exec", service.containers("redis")[0], "sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline")
