"""pretrained-model/train.py: what it asks, that it goes on where it stopped, what it wrote."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT

FOLDER = ROOT / "pretrained-model"
sys.path.append(str(FOLDER))

import blocks  # noqa: E402
import crops  # noqa: E402
import targets  # noqa: E402
import train  # noqa: E402

from nst_utils import VGG19_LAYERS, read_weights  # noqa: E402


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Options of a training that takes seconds: two crops a step, of two pictures."""
    pictures = tmp_path / "images"
    for kind, name in (("content", "bridge.jpg"), ("styles", "wave.jpg")):
        (pictures / kind).mkdir(parents=True)
        (pictures / kind / name).write_bytes((ROOT / "images" / kind / name).read_bytes())
    monkeypatch.setattr(train, "COUNT", 2)
    return ["--images", str(pictures), "-o", str(tmp_path / "blocks.npz")]


def test_help_comes_without_tensorflow():
    code = (
        "import sys, train\n"
        "try: train.main(['--help'])\n"
        "except SystemExit: print('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=FOLDER, capture_output=True, text=True, check=True
    )
    assert "--minutes" in run.stdout and run.stdout.endswith("False\n"), run.stdout


def test_grey_has_a_colour_and_nothing_else():
    found = targets.targets(tf.fill((1, 64, 64, 3), 0.5))
    for group, t in found.items():
        middle = t[:, 8:-8, 8:-8] if group.endswith(("/1", "/2")) else t[:, 7:-7, 7:-7]
        largest = float(tf.reduce_max(middle))
        if group.startswith("palette"):
            assert largest == pytest.approx(1)  # grey is one of the palette
        else:
            assert largest < 1e-3, group


@pytest.mark.parametrize("k", range(targets.ORIENTATIONS))
def test_stripes_are_seen_by_the_filter_of_their_direction(k):
    theta = k * np.pi / targets.ORIENTATIONS
    y, x = np.mgrid[:64, :64]
    wave = 0.5 + 0.3 * np.cos(2 * np.pi * 0.25 * (x * np.cos(theta) + y * np.sin(theta)))
    picture = tf.constant(np.repeat(wave[None, ..., None], 3, -1), tf.float32)
    energies = targets.targets(picture)["energies/2"][0, 8:-8, 8:-8]
    fine = tf.reduce_mean(energies, (0, 1))[24:48:3]  # an octave's second bank, in luminance
    assert int(tf.argmax(fine)) == k


def test_crops_are_the_same_for_a_number_and_others_for_another(small):
    cut = crops.Crops(train.Path(small[1]), seed=3, count=2, side=40)
    assert cut(5).shape == (2, 40, 40, 3) and cut(5).min() >= 0 and cut(5).max() <= 1
    np.testing.assert_array_equal(cut(5), cut(5))
    assert not np.array_equal(cut(5), cut(6)) and not np.array_equal(cut(5), cut(-5))


class Toy:
    """In the place of the network: what it learned depends on every crop that it saw, in order."""

    def __init__(self, sample, margin):
        self.learned = np.zeros(3)

    def step(self, x, done, number):
        self.learned = 0.9 * self.learned + x.mean((0, 1, 2)) + number
        return self.learned

    def state(self):
        return [self.learned]

    def restore(self, state):
        (self.learned,) = state

    def folded(self, x):
        return {"block1_conv1": (self.learned[None, None, None], x.mean((0, 1, 2)))}


@pytest.mark.parametrize("network", [Toy, pytest.param(None, marks=pytest.mark.slow, id="real")])
def test_it_goes_on_where_it_stopped(small, monkeypatch, tmp_path, network):
    monkeypatch.setattr(blocks, "Blocks", network or blocks.Blocks)
    monkeypatch.setattr(train, "SAVE_EVERY", 1)
    assert train.main([*small, "--steps", "2"]) == 0
    straight = (tmp_path / "blocks.npz").read_bytes()
    (tmp_path / "blocks.npz").unlink()
    step = blocks.Blocks.step

    def interrupted(self, x, done, number):
        if number == 1:
            raise KeyboardInterrupt
        return step(self, x, done, number)

    monkeypatch.setattr(blocks.Blocks, "step", interrupted)
    assert train.main([*small, "--steps", "2"]) == 130
    assert not (tmp_path / "blocks.npz").exists()
    with pytest.raises(SystemExit, match="--seed 0"):
        train.main([*small, "--steps", "2", "--seed", "1"])
    monkeypatch.setattr(blocks.Blocks, "step", step)
    assert train.main([*small, "--steps", "2"]) == 0
    assert (tmp_path / "blocks.npz").read_bytes() == straight
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blocks.npz", "images"]


def test_folding_changes_nothing(small):
    cut = crops.Crops(train.Path(small[1]), 0, 2, train.CROP + 2 * train.MARGIN)
    network, x = blocks.Blocks(cut, train.MARGIN), cut(0)
    network.step(x, 0.0, 0)
    last = blocks.KEPT[-1]
    wanted = network.net(blocks.prepared(tf.constant(x)), training=True)[last]
    a = blocks.prepared(tf.constant(x)) * blocks.UNIT
    for name, (kernel, bias) in network.folded(x).items():
        if name.endswith("conv1") and name != "block1_conv1":
            a = tf.nn.max_pool2d(a, 2, 2, "VALID")
        a = tf.nn.relu(tf.nn.conv2d(a, kernel, 1, "VALID") + bias)
    np.testing.assert_allclose(a, wanted, atol=2e-3)


def test_the_file_is_the_one_that_the_readme_names():
    path = train.parser().get_default("output")
    assert hashlib.sha256(path.read_bytes()).hexdigest() in (FOLDER / "README.md").read_text()
    weights = read_weights(path)
    assert list(weights) == list(VGG19_LAYERS)[: len(weights)] == list(blocks.KEPT)
    assert path.stat().st_size < 5e6
