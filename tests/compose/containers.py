"""The service as containers: the Dockerfile and the compose files as they are, under a project name and a port of the test's own."""

import json
import os
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx2

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
IMAGE = f"dlnflow:compose-test-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"  # tests that run beside these change theirs
BASES = ("python:3.11-slim-bookworm", "redis:7-bookworm")
START_SECONDS = 60


def docker(*words: str, check: bool = True, **options: Any) -> str:
    """What a command of the engine prints."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, **options)
    assert not check or done.returncode == 0, f"docker {' '.join(words)}: {done.stdout[-1000:]}{done.stderr[-3000:]}"
    return done.stdout


def missing() -> str | None:
    """Why containers cannot be had here; None where they can."""
    if not shutil.which("docker"):
        return "no Docker on this machine"
    if subprocess.run(["docker", "info"], capture_output=True).returncode:
        return "no Docker engine answers; start one"
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        return "Docker has no compose plugin"
    for image in BASES:
        here = subprocess.run(["docker", "image", "inspect", image], capture_output=True).returncode == 0
        if not here and subprocess.run(["docker", "pull", "-q", image], capture_output=True).returncode:
            return f"the image {image} is not here and cannot be pulled"
    return None


class Compose:
    """One project of `docker compose`."""

    def __init__(self, folder: Path, *files: str, **environment: str) -> None:
        self.project = f"dlnflow-test-{secrets.token_hex(3)}"
        self.port = free_port()
        self.password = secrets.token_hex(12)
        given = {"DLNFLOW_PORT": str(self.port), "DLNFLOW_REDIS_PASSWORD": self.password, "DLNFLOW_IMAGE": IMAGE} | environment
        settings = folder / f"{self.project}.env"
        settings.write_text("".join(f"{name}={value}\n" for name, value in given.items()))
        names = [word for file in files or ("docker-compose.yml",) for word in ("-f", file)]
        self._command = ["compose", "-p", self.project, "--env-file", str(settings), "--project-directory", str(ROOT), *names]
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)

    @property
    def command_line(self) -> str:
        """How a script calls it."""
        return " ".join(["docker", *self._command])

    def __call__(self, *words: str) -> str:
        return docker(*self._command, *words, cwd=ROOT)

    def up(self, *words: str) -> None:
        """Start, and return when all is healthy."""
        self("up", "-d", "--no-build", "--wait", "--wait-timeout", str(START_SECONDS), *words)

    def containers(self, service: str) -> list[str]:
        """Ids of the running containers of a service."""
        return self("ps", "-q", service).split()

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine knows of a service's first container."""
        return json.loads(docker("inspect", self.containers(service)[0]))[0]

    def close(self) -> None:
        """Remove everything that the project made."""
        self("down", "-v", "-t", "5", "--remove-orphans")
        self.client.close()
