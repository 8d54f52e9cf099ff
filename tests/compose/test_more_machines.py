"""A worker on another machine: nothing but TLS reaches the store from there, as a user that may touch dlnflow's keys alone."""

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.compose.containers import ROOT, Compose, docker
from tests.e2e.stack import QUICK, wait_until
from tests.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the first one builds the image

HOST = "store.example"  # resolved on the worker's machine only


class Machines(NamedTuple):
    """The store's machine, the worker's, and the secret that they share."""

    store: Compose
    worker: Compose
    secret: str


@pytest.fixture(scope="module")
def machines(image: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Two projects on networks of their own: what goes from one to the other crosses the host by the published port."""
    folder = tmp_path_factory.mktemp("machines")
    certificates = folder / "certificates"
    subprocess.run(["sh", "deploy/certificates.sh", str(certificates), HOST], check=True, cwd=ROOT)
    subprocess.run(["chmod", "644", str(certificates / "server.key")], check=True)
    folder.chmod(0o755), certificates.chmod(0o755)
    secret, port = secrets.token_hex(12), str(free_port())
    network = f"dlnflow-test-{secrets.token_hex(3)}"
    docker("network", "create", network)
    gateway = json.loads(docker("network", "inspect", network))[0]["IPAM"]["Config"][0]["Gateway"]
    common = {"DLNFLOW_REMOTE_PASSWORD": secret, "DLNFLOW_STORE_PORT": port}
    store = Compose(
        folder,
        "docker-compose.yml",
        "deploy/compose.tls.yml",
        DLNFLOW_STORE_ADDRESS=gateway,
        DLNFLOW_CERTIFICATES=str(certificates),
        **common,
    )
    override = folder / "network.yml"
    override.write_text(f"""
networks: {{default: {{external: true, name: {network}}}}}
services: {{worker: {{extra_hosts: ["{HOST}:{gateway}"]}}}}
""")
    worker = Compose(
        folder,
        "deploy/compose.worker.yml",
        str(override),
        DLNFLOW_STORE_HOST=HOST,
        DLNFLOW_CA=str(certificates / "ca.crt"),
        DLNFLOW_WORKERS="1",
        **common,
    )
    try:
        store("up", "-d", "--no-build", "--wait", "redis")
        store("up", "-d", "--no-build", "--no-deps", "api")
        worker.up()
        yield Machines(store, worker, secret)
    finally:
        worker.close()
        store.close()
        docker("network", "rm", network)


def test_a_job_is_done_on_the_other_machine(machines: Machines):
    wait_until(lambda: machines.store.client.get("/readyz").status_code == 200, 30, "the API to hear of the worker")
    job = machines.store.client.post("/v1/jobs", json=QUICK, headers={"Prefer": "wait=30"}).json()
    assert job["status"] == "succeeded", job
    assert machines.store.containers("worker") == []


def test_the_user_of_other_machines_may_do_no_more(machines: Machines):
    redis = machines.store.containers("redis")[0]

    def ask(*words: str) -> str:
        tls = ["--tls", "--cacert", "/certificates/ca.crt", "-h", "localhost", "--sni", HOST, "-p", "6380"]
        login = ["--no-auth-warning", "--user", "remote", "--pass", machines.secret]
        return docker("exec", redis, "redis-cli", *tls, *login, *words)

    assert ask("ping").strip() == "PONG"
    assert docker("exec", redis, "redis-cli", "acl", "log").strip() == ""  # the worker itself was refused nothing
    for words in (("get", "other"), ("config", "get", "requirepass"), ("flushall",), ("keys", "*"), ("acl", "list")):
        assert "NOPERM" in ask(*words)


def test_nothing_is_said_without_tls(machines: Machines):
    """What is not TLS is turned away at the published port; the plain port is not reached at all."""
    plain = "import os, redis; redis.Redis.from_url(os.environ['DLNFLOW_REDIS_URL'].replace('rediss', 'redis'), retry=None).ping()"
    other = plain.replace("'rediss', 'redis')", "'rediss', 'redis').replace(os.environ['DLNFLOW_REDIS_URL'].rpartition(':')[2], '6379')")
    for program in (plain, other):
        refused = subprocess.run(
            ["docker", "exec", machines.worker.containers("worker")[0], "python", "-c", program], capture_output=True, text=True
        )
        assert refused.returncode != 0 and "ConnectionError" in refused.stderr


def test_a_worker_refuses_a_store_that_its_authority_did_not_sign(machines: Machines, tmp_path: Path):
    subprocess.run(["sh", "deploy/certificates.sh", str(tmp_path), HOST], check=True, cwd=ROOT)
    ping = "from store import server, settings; server.connect(settings.from_environment()).ping()"
    script = f"cat > /tmp/other.crt; DLNFLOW_REDIS_CA=/tmp/other.crt python -c '{ping}'"
    refused = subprocess.run(
        ["docker", "exec", "-i", machines.worker.containers("worker")[0], "sh", "-c", script],
        input=(tmp_path / "ca.crt").read_text(),
        capture_output=True,
        text=True,
    )
    assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr
