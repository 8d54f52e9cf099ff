"""The small curve of notebooks."""

import xml.etree.ElementTree as ElementTree

import numpy as np

from dlnflow.client.svg import small_plot


def test_it_is_well_formed_and_says_what_it_shows():
    time = np.array([0.0, 0.1, 1.0, 10.0])
    root = ElementTree.fromstring(small_plot(time, {"train_loss": np.array([1.0, 0.5, 0.1, 0.01]), "a<b": 1 / (1 + time)}))
    assert root.get("role") == "img"
    assert "train_loss from 0.5 to 0.01" in root.get("aria-label")
    lines = root.findall("polyline")
    assert len(lines) == 2
    xs, ys = zip(*(map(float, point.split(",")) for point in lines[0].get("points").split()), strict=True)
    assert np.allclose(np.diff(xs), np.diff(xs)[0], atol=0.2)  # log time: decades are evenly apart, printed to 0.1
    assert ys[0] < ys[1] < ys[2]  # falling losses go down, which is up in SVG's coordinate


def test_nothing_positive_is_said():
    assert "no positive values" in small_plot(np.array([0.0]), {"train_loss": np.array([0.0])})
