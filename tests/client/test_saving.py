"""Files that results are saved to: whole or as they were, and what comes back from them, and from copies, is the same."""

import copy
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from dlnflow import files, simulate
from dlnflow.client import Comparison, Result, Sweep, Theory

PROBLEM = {"aspect_ratio": 1, "target": {"kind": "gaussian"}, "initial_scale": 1}


@pytest.fixture(scope="module")
def result() -> Result:
    return simulate(PROBLEM, 1, dimension=20, replicas=2, times=[0, 0.5, 1])


@pytest.mark.parametrize("name", ["r.npz", "r.csv", "r.json"])
def test_a_full_disk_leaves_the_earlier_file_whole(result, name, tmp_path, monkeypatch):
    path = tmp_path / name
    result.save(path)
    before = path.read_bytes()

    def half(self, content: bytes) -> None:
        with open(self, "wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space"):
        result.save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == [name]


def test_rights_and_links_stay(tmp_path):
    file, link = tmp_path / "a.csv", tmp_path / "b.csv"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    files.write(link, b"new")
    assert file.read_bytes() == b"new" and link.is_symlink() and file.stat().st_mode & 0o777 == 0o640
    new = tmp_path / "c.csv"
    files.write(new, b"x")
    old = os.umask(0)
    os.umask(old)
    assert new.stat().st_mode & 0o777 == 0o666 & ~old


def test_results_are_the_same_after_a_pickle_and_in_copies(result):
    for other in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result)):
        np.testing.assert_array_equal(other.curves.train_loss, result.curves.train_loss)
        assert other.request == result.request
    for found in (Theory(PROBLEM, {"regime": "lazy"}), Comparison(PROBLEM, {"verdict": "agree"}), Sweep(PROBLEM, [], [{"a": 1}])):
        assert pickle.loads(pickle.dumps(found)) == copy.deepcopy(found) == found
    empty = Theory.__new__(Theory)
    with pytest.raises(AttributeError):
        empty.document  # noqa: B018
