"""The files for Prometheus and Grafana speak of metrics that the service has, and its alerts fire when they should."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.stack import QUICK, Stack

DEPLOY = Path(__file__).parents[2] / "deploy"


def expressions() -> list[str]:
    rules = re.findall(r"expr: (?:\|\n)?(.*?)\n {8}(?:for|labels):", (DEPLOY / "alerts.yml").read_text(), re.DOTALL)
    panels = json.loads((DEPLOY / "grafana-dashboard.json").read_text())["panels"]
    return rules + [target["expr"] for panel in panels for target in panel["targets"]]


def test_every_metric_that_is_asked_for_exists(stack: Stack):
    stack.done(QUICK)
    offered = set(re.findall(r"^# TYPE (\w+)", stack.client.get("/metrics").text, re.MULTILINE))
    asked = set(re.findall(r"\bdlnflow_\w+", " ".join(expressions())))
    assert len(asked) >= 8
    assert {re.sub(r"(seconds)_(sum|count)$", r"\1", name) for name in asked} <= offered


def test_alerts_fire_when_they_should():
    if not shutil.which("promtool"):
        pytest.skip("promtool is not here (Debian: apt-get install prometheus)")
    for words in (("check", "config", "prometheus.yml"), ("test", "rules", "alerts-test.yml")):
        done = subprocess.run(["promtool", *words], cwd=DEPLOY, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
