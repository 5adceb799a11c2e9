"""The filters that travel with the course: what is asked of their file, and what they give."""

import hashlib
import importlib
import re

import numpy as np
import pytest
from conftest import ROOT, save_npz
from little_weights import IMAGES as LITTLE
from little_weights import OTHERS, WEIGHTS, same

import nst_utils
from nst_utils import VGG19_LAYERS, WeightsError, load_vgg19

IMAGES = [np.random.default_rng(0).random((1, 32, 48, 3), np.float32) for _ in range(2)]
README = (ROOT / "pretrained-model" / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def blocks():
    """The filters in the file itself."""
    return nst_utils.read_weights(nst_utils.EMBEDDED)


# The file and its papers
def test_the_file_is_the_one_that_the_code_and_the_readme_name():
    sha256 = hashlib.sha256(nst_utils.EMBEDDED.read_bytes()).hexdigest()
    assert sha256 == nst_utils.EMBEDDED_SHA256
    assert nst_utils.EMBEDDED.stat().st_size <= 5e6
    (row,) = (
        line for line in README.splitlines() if line.startswith(f"| `{nst_utils.EMBEDDED.name}")
    )
    assert re.findall(r"\b[0-9a-f]{64}\b", row) == [sha256]
    assert "MIT" in row


def test_it_holds_whole_blocks_from_the_first_on(blocks):
    names = list(VGG19_LAYERS)
    assert list(blocks) == names[: len(blocks)] and len(blocks) >= 4
    assert len(blocks) == 16 or nst_utils.is_after_pooling(names[len(blocks)])


# What it gives
@pytest.mark.parametrize("asked", ["embedded", "auto"])
def test_without_pictures_it_is_the_network_of_the_file(blocks, asked):
    """The suite sets NST_WEIGHTS=embedded, which "auto" obeys."""
    names = ["block1_conv1", "block2_conv2"]
    model = load_vgg19(names, asked)
    assert "embedded" in model.weights_source
    for name in names:
        for one, two in zip(model.get_layer(name).get_weights(), blocks[name], strict=True):
            assert np.array_equal(one, two)
    above = list(VGG19_LAYERS)[len(blocks)]
    with pytest.raises(WeightsError, match=rf"no {above}.*images="):
        load_vgg19([above], asked)


def test_with_pictures_it_is_calibrated():
    names = ["block1_conv2", "block2_conv2", "block2_conv1"]
    plain, scaled = load_vgg19(names, "embedded"), load_vgg19(names, "embedded", IMAGES)
    assert "k-means" not in scaled.weights_source
    for a, b in zip(plain(IMAGES[0]), scaled(IMAGES[0]), strict=True):
        factor = np.sum(a * b) / np.sum(a * a)
        np.testing.assert_allclose(b, factor * a, rtol=1e-3, atol=1e-3 * np.max(b))
    assert np.mean(b**2) == pytest.approx(1, rel=0.05)  # the fit saw dithered pictures


def little(path, monkeypatch, weights):
    """Make the first four layers of a little network the embedded ones."""
    kept = {name: weights[name] for name in list(VGG19_LAYERS)[:4]}
    monkeypatch.setattr(nst_utils, "EMBEDDED", save_npz(path, kept))
    monkeypatch.setattr(nst_utils, "EMBEDDED_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_cached_fit_above_it_is_a_fresh_one(small, tmp_path, monkeypatch):
    """And other blocks below have a cache of their own."""
    names = ["block1_conv1", "block5_conv1", "block4_conv2"]
    little(tmp_path / "one.npz", monkeypatch, WEIGHTS)
    fresh = load_vgg19(names, "embedded", LITTLE)
    assert re.search("embedded.*; block3_conv1 and above by k-means", fresh.weights_source)
    with monkeypatch.context() as patch:
        patch.setattr(nst_utils, "fit_kmeans_vgg19", None)  # a second fit would fail
        cached = load_vgg19(names, "embedded", LITTLE)
    assert all(map(np.array_equal, fresh.get_weights(), cached.get_weights()))
    little(tmp_path / "other.npz", monkeypatch, OTHERS)
    other = load_vgg19(names, "embedded", LITTLE)
    assert not np.array_equal(other.get_weights()[0], fresh.get_weights()[0])
    assert len(list(small.glob("kmeans-*.npz"))) == 2


# What can be wrong with the file
def cut(path, blocks):
    path.write_bytes(path.read_bytes()[:-100])


def one_bit(path, blocks):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def replaced(path, blocks):
    """Another valid file: two filters have changed places."""
    kernel, bias = blocks["block1_conv1"]
    save_npz(path, blocks | {"block1_conv1": (kernel[..., ::-1], bias[::-1])})


FAULTS = {
    "missing": (lambda path, _: path.unlink(), "cannot be read"),
    "unreadable": (lambda path, _: path.unlink() or path.mkdir(), "cannot be read"),
    "empty": (lambda path, _: path.write_bytes(b""), "damaged or was replaced"),
    "cut": (cut, "damaged or was replaced"),
    "one bit": (one_bit, "damaged or was replaced"),
    "replaced": (replaced, "damaged or was replaced"),
}


@pytest.mark.parametrize("asked", ["embedded", "auto"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_file_is_named_and_kmeans_filters_are_taken(
    no_cache, monkeypatch, capsys, blocks, fault, asked
):
    path = no_cache / "copy" / nst_utils.EMBEDDED.name
    path.parent.mkdir()
    path.write_bytes(nst_utils.EMBEDDED.read_bytes())
    monkeypatch.setattr(nst_utils, "EMBEDDED", path)
    monkeypatch.setenv("NST_WEIGHTS", "")
    nowhere = ("http://127.0.0.1:9/", no_cache, 1)
    monkeypatch.setattr(nst_utils.download_weights, "__defaults__", nowhere)
    assert "embedded" in load_vgg19(["block1_conv1"], asked, IMAGES).weights_source
    make, words = FAULTS[fault]
    make(path, blocks)
    model = load_vgg19(["block1_conv1"], asked, IMAGES)
    kmeans = load_vgg19(["block1_conv1"], "kmeans", IMAGES)
    assert all(map(np.array_equal, model.get_weights(), kmeans.get_weights()))
    said = capsys.readouterr().out
    for word in ("k-means filters", str(path), words, "get it again", "README.md"):
        assert word in model.weights_source and word in said
    with pytest.raises(WeightsError, match=re.escape(str(path))):
        load_vgg19(["block1_conv1"], asked)  # there are no pictures to fit to


def test_auto_takes_them_when_nothing_is_found_or_downloaded(small, tmp_path, monkeypatch):
    little(tmp_path / "one.npz", monkeypatch, WEIGHTS)
    nowhere = ("http://127.0.0.1:9/", small, 1)
    monkeypatch.setattr(nst_utils.download_weights, "__defaults__", nowhere)
    found, source = nst_utils._find_weights("auto", None)
    assert same(found, {name: WEIGHTS[name] for name in list(WEIGHTS)[:4]})
    assert "embedded" in source and "No download" in source


# Who names it
def test_errors_and_the_command_line_list_it(tmp_path):
    command = importlib.import_module("painter.__main__")
    with pytest.raises(WeightsError, match="'embedded'"):
        load_vgg19(["block1_conv1"], tmp_path / "none.h5")
    assert "embedded" in command.parser().format_help()
