"""Settings as people write them, and what is said where they cannot be read."""

import re
import subprocess
from pathlib import Path

import pytest

from store import settings
from store.settings import BadSetting, Settings, from_environment, unknown

ROOT = Path(__file__).parents[2]
SECRET = "pa%ss-w0rd"


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("workers", " 3\n", 3),
        ("auth", "keys\r\n", "keys"),
        ("redis_url", "\tredis://store:6379/0\n", "redis://store:6379/0"),
        ("host", "[::1]", "::1"),
        ("root_path", "/flow/", "/flow"),
        ("root_path", "/", ""),
        ("root_path", "/a.b/.c/~d-e", "/a.b/.c/~d-e"),
        ("data", "  ", "./.dlnflow"),
    ],
)
def test_what_files_and_shells_leave_around_a_value_is_no_part_of_it(name, value, read):
    assert getattr(from_environment({f"DLNFLOW_{name.upper()}": value}), name) == read


@pytest.mark.parametrize("name", ["data", "alive_file"])
def test_a_tilde_is_the_home_folder(name, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert getattr(from_environment({f"DLNFLOW_{name.upper()}": "~/dln"}), name) == "/home/ada/dln"
    with pytest.raises(BadSetting, match=f"DLNFLOW_{name.upper()}: there is no such home folder"):
        from_environment({f"DLNFLOW_{name.upper()}": "~nobody-of-this-name/dln"})


@pytest.mark.parametrize(
    "path", ["app", "//app", "/a b", "/a%20b", "/ü", "/Ж", "/..", "/a/./b", "/a/../b", "/a?b", "/a;b", "https://site/app"]
)
def test_a_path_that_an_address_could_not_hold_is_refused(path):
    """Or that clients would shorten."""
    with pytest.raises(BadSetting, match="DLNFLOW_ROOT_PATH: a path begins with /"):
        from_environment({"DLNFLOW_ROOT_PATH": path})


@pytest.mark.parametrize(
    "url",
    [
        "redis://:pa#ss-w0rd@store:6379",  # everything after # would be dropped
        "redis://:pa?ss-w0rd@store:6379",
        "redis://:pa/ss-w0rd@store:6379",
        "redis://:pa ss-w0rd@store:6379",
        "redis://:ss-w0rd@store:port",
        "redis://:ss-w0rd@store:6379/jobs",  # would be database 0
        "redis://:ss-w0rd@[::1:6379",
        "rediss://:ss-w0rd@",
        "sentinel://:ss-w0rd@a:26379;b:port/0",
        "sentinel://:pa/ss-w0rd@a;b",
        "unix://ss-w0rd/store.sock",
        "unix:///ss-w0rd#/store.sock",
        "http://:ss-w0rd@store",
        "ss-w0rd",
    ],
)
def test_an_address_that_would_be_misread_is_refused_and_not_repeated(url):
    with pytest.raises(BadSetting, match="DLNFLOW_REDIS_URL: ") as refusal:
        from_environment({"DLNFLOW_REDIS_URL": url})
    assert "ss-w0rd" not in str(refusal.value)
    with pytest.raises(ValueError) as inner:
        Settings(redis_url=url)
    assert "ss-w0rd" not in str(inner.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://store",
        "redis://:pa%23ss@store:6379/3",
        "rediss://u:p@[::1]:6380/0",
        "sentinel://u:p@a:26379;b;[::1]:26379/1",
        "unix:///data/a%23b/store.sock?db=1",
    ],
)
def test_an_address_that_can_be_read_is_taken(url):
    assert from_environment({"DLNFLOW_REDIS_URL": url}).redis_url == url


def test_a_file_of_certificates_must_hold_some(tmp_path):
    for file, reason in ((tmp_path / "none", "No such file"), (tmp_path / "text", "certificate"), (tmp_path, "directory")):
        (tmp_path / "text").write_text("no certificate")
        with pytest.raises(BadSetting, match=f"DLNFLOW_REDIS_CA: .*{reason}"):
            from_environment({"DLNFLOW_REDIS_CA": str(file)})


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("DLNFLOW_WORKER", "DLNFLOW_WORKERS"),
        ("DLNFLOW_REDIS_ULR", "DLNFLOW_REDIS_URL"),
        ("dlnflow_port", "DLNFLOW_PORT"),
        ("DLNFLOW_COLOUR_OF_SKY", "--help"),
    ],
)
def test_a_name_that_nobody_reads_is_known_as_such(variable, words):
    assert words in unknown({variable: "3", "DLNFLOW_PORT": "1", "DLNFLOW_NATIVE_LEVEL": "v3", "OTHER": "x"})[variable]
    assert set(unknown({variable: "3", "DLNFLOW_PORT": "1", "DLNFLOW_NATIVE_LEVEL": "v3", "OTHER": "x"})) == {variable}


def test_names_that_are_read_elsewhere_are_those_of_this_repository():
    """So that nobody is warned of a name that a document tells, and no name is known that nothing reads."""
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    texts = (ROOT / file for file in files if not file.startswith("tests/") and not file.endswith((".png", ".ipynb")))
    found = {name for text in texts for name in re.findall(r"DLNFLOW_([A-Z][A-Z_]*[A-Z])", text.read_text())}
    own = {name.upper() for name in Settings.model_fields}
    assert found - own == set(settings.ELSEWHERE.split())
