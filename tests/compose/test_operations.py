"""What an operator does: copy the store and put it back, and bring in a new version while jobs run."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.compose.containers import IMAGE, ROOT, Compose, docker
from tests.e2e.stack import QUICK, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the first one builds the image


def script(service: Compose, name: str, file: Path) -> None:
    environment = os.environ | {"COMPOSE": service.command_line}
    done = subprocess.run(["sh", f"deploy/{name}.sh", str(file)], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_copy_of_the_store_brings_every_result_back(service: Compose, tmp_path: Path):
    job = service.client.post("/v1/jobs", json=QUICK | {"seed": 40}, headers={"Prefer": "wait=30"}).json()
    assert job["status"] == "succeeded", job
    address = f"/v1/jobs/{job['id']}/curves"
    curves = service.client.get(address).content
    script(service, "backup", tmp_path / "store.rdb")
    service("down", "-v")
    service.up()
    assert service.client.get(address).status_code == 404
    script(service, "restore", tmp_path / "store.rdb")
    wait_until(lambda: service.client.get(address).content == curves, 30, "the results")
    service("restart", "redis")  # it is written to the file, not only held in memory
    wait_until(lambda: service.client.get(address).content == curves, 30, "the results")
    again = service.client.post("/v1/jobs", json=QUICK | {"seed": 41}, headers={"Prefer": "wait=30"}).json()
    assert again["status"] == "succeeded", again


def test_a_new_version_takes_over_while_a_sweep_runs(service: Compose):
    """Workers of both versions side by side; then the old ones stop in order, and the API changes last."""
    old = service.containers("worker")
    base = QUICK | {"horizon": 4.0, "times": [1, 4], "dimension": 400, "replicas": 6}
    sweep = service.client.post("/v1/jobs", json={"kind": "sweep", "base": base, "axes": {"seed": list(range(100, 130))}}).json()["id"]
    docker("build", "-q", "-t", IMAGE, "-", input=f"FROM {IMAGE}\nLABEL org.opencontainers.image.revision=next\n")
    service.up("--no-deps", "--no-recreate", "--scale", "worker=2", "worker")
    new = set(service.containers("worker")) - set(old)
    assert len(new) == 1
    assert image_of(new.pop()) != image_of(old[0])
    docker("stop", *old)
    docker("rm", *old)
    service.up("--scale", "worker=1")
    wait_until(lambda: service.client.get(f"/v1/jobs/{sweep}").json().get("status") == "succeeded", 120, "the sweep")
    children = service.client.get(f"/v1/jobs/{sweep}/children").json()["children"]
    assert {child["status"] for child in children} == {"succeeded"}
    assert {service.client.get(f"/v1/jobs/{child['id']}").json()["attempts"] for child in children} == {1}
    assert {image_of(service.containers(name)[0]) for name in ("api", "worker")} == {
        docker("image", "inspect", "-f", "{{.Id}}", IMAGE).strip()
    }


def image_of(container: str) -> str:
    return docker("inspect", "-f", "{{.Image}}", container).strip()
