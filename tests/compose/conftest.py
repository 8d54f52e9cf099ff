"""The image is built once; every test is skipped, with the reason, where containers cannot be had."""

import os
from collections.abc import Iterator

import pytest

from tests.compose.containers import IMAGE, ROOT, Compose, docker, missing


@pytest.fixture(scope="session")
def image() -> None:
    if reason := missing():
        pytest.skip(f"needs a Docker engine: {reason}")
    docker("compose", "build", "-q", cwd=ROOT, env=os.environ | {"DLNFLOW_IMAGE": IMAGE})


@pytest.fixture(scope="session")
def service(image: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """The service of docker-compose.yml; tests leave it whole."""
    compose = Compose(tmp_path_factory.mktemp("compose"), DLNFLOW_WORKERS="1")
    try:
        compose.up()
        yield compose
    finally:
        compose.close()
