"""Clients that public generators make of the interface's description: they submit jobs of every kind and read what they give, typed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stack import Stack

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
PROGRAMS = HERE / "clients"
TOOLS = HERE.parents[1] / ".cache" / "typescript"  # what `make test` installs
KINDS = ["comparison", "dmft", "simulation", "sweep", "theory"]


def check(stack: Stack, read: dict[str, Any]) -> None:
    """What a client read is what the service holds."""
    assert sorted(read["ids"]) == KINDS
    for kind, job_id in read["ids"].items():
        assert stack.job(job_id)["kind"] == kind
    part = {
        name: stack.client.get(f"/v1/jobs/{read['ids'][kind]}/{name}").json() for kind, name in (("dmft", "curves"), ("dmft", "kernels"))
    }
    assert read["test_loss"] == part["curves"]["test_loss"]
    assert read["kernel"] == part["kernels"]["correlation"][0][0]
    assert read["overlap"] and read["scale"] and read["seconds"] > 0
    assert read["verdict"] in ("agree", "deviate", "inconclusive")
    assert (read["total"], read["listed"], read["outcome"]) == (2, 5, "converged")
    assert "problem.initial_scale" in read["columns"] and read["weights"] == [0.25, 0.75]


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def test_a_python_client(stack: Stack, tmp_path: Path):
    document = stack.client.get("/openapi.json").json()
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    generator = [sys.executable, "-m", "openapi_python_client", "generate"]
    said = run(*generator, "--path", "openapi.json", "--output-path", "made", "--meta", "none", cwd=tmp_path)
    assert "Unable to" not in said and "removal" not in said, said  # it warns of what it leaves out
    read = json.loads(run(sys.executable, str(PROGRAMS / "use.py"), str(tmp_path), str(stack.client.base_url), cwd=tmp_path))
    assert read["request"] == ["SimulationRequest", "UniformTarget", "PairScale"]
    check(stack, read)


@pytest.mark.skipif(not (TOOLS / "node_modules").is_dir(), reason="make test installs the tools for TypeScript where there is npm")
def test_a_typescript_client(stack: Stack, tmp_path: Path):
    (tmp_path / "node_modules").symlink_to(TOOLS / "node_modules")
    for name in ("package.json", "use.ts"):
        (tmp_path / name).write_bytes((PROGRAMS / name).read_bytes())
    (tmp_path / "openapi.json").write_bytes(stack.client.get("/openapi.json").content)
    tools = tmp_path / "node_modules" / ".bin"
    run(str(tools / "openapi-typescript"), "openapi.json", "--output", "made.d.ts", cwd=tmp_path)
    strictly = ["--strict", "--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext", "--skipLibCheck"]
    run(str(tools / "tsc"), *strictly, "use.ts", cwd=tmp_path)  # where a type does not fit, there is no program
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(["node", "use.js", str(stack.client.base_url)], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert read["request"] == ["simulation", "uniform", "pair"]
    check(stack, read)
