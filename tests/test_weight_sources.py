"""Where weights are found, and what may come of a download."""

import gc
import hashlib
import io
import re
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import requests  # noqa: F401  before a test becomes `nobody`
from little_weights import (
    BROKEN,
    DISKS,
    IMAGES,
    KINDS_OF_ANSWERS,
    LAYERS,
    NAME,
    WEIGHTS,
    files,
    in_place,
    nobody,
    refused,
    same,
    write,
)

import nst_utils
from nst_utils import WeightsError

pytest.importorskip("resource", reason="POSIX has limits on file sizes")
pytestmark = pytest.mark.usefixtures("small")


def test_a_download_that_failed_is_not_tried_for_every_picture(small, monkeypatch):
    tried, now = [], [0.0]

    def fail():
        tried.append(now[0])
        raise WeightsError("No download")

    monkeypatch.setattr(nst_utils, "download_weights", fail)
    monkeypatch.setattr(nst_utils.time, "monotonic", lambda: now[0])
    for now[0] in (0.0, 500.0, 700.0):
        assert "No download" in nst_utils._find_weights("auto", IMAGES)[1]
    for now[0] in (701.0, 702.0):  # who asks for it gets it
        with pytest.raises(WeightsError, match="No download"):
            nst_utils._find_weights("imagenet", IMAGES)
    assert tried == [0.0, 700.0, 701.0, 702.0]


@pytest.mark.parametrize("kind", BROKEN)
def test_a_damaged_file_is_named_and_left_out(small, released, kind, capsys):
    path, kept = small / NAME, small / "keras/models" / NAME
    in_place(path, kind, released)
    with pytest.raises(WeightsError, match=re.escape(str(path))):
        nst_utils.load_vgg19(LAYERS, "imagenet", IMAGES)
    weights, source = nst_utils._find_weights("auto", IMAGES)
    assert not weights and "k-means" in source and str(path) in source and "No download" in source
    kept.parent.mkdir(parents=True)
    kept.write_bytes(released)  # now a good one, in Keras' cache
    weights, source = nst_utils._find_weights("auto", IMAGES)
    assert same(weights, WEIGHTS) and "ImageNet" in source and str(path) in source


@pytest.mark.parametrize(
    "asked, result",
    [("imagenet", "No download"), (" imagenet ", "No download"), ("kmeans", "as asked"),
     ("mine.npz", "mine.npz"), ("none.npz", "There is no file"), ("auto", "No download")],
)  # fmt: skip
def test_nst_weights_is_obeyed(small, released, monkeypatch, asked, result):
    """In particular, "imagenet" without a network is an error, not k-means."""
    write("npz", small / "mine.npz")
    monkeypatch.chdir(small)
    monkeypatch.setenv("NST_WEIGHTS", asked)
    if asked.strip() in ("imagenet", "none.npz"):
        with pytest.raises(WeightsError, match=result):
            nst_utils.load_vgg19(LAYERS, "auto", IMAGES)
    else:
        weights, source = nst_utils._find_weights("auto", IMAGES)
        assert result in source and bool(weights) == ("npz" in asked)


@pytest.mark.parametrize("place", ["pretrained-model", "Keras' cache"])
@pytest.mark.parametrize("name", sorted(set(nst_utils.KNOWN_FILES.values())))
def test_every_source_whole_and_damaged(small, released, monkeypatch, name, place):
    path = (small if place == "pretrained-model" else small / "keras/models") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = "mat" if path.suffix == ".mat" else "h5" if "notop" in name else "top"
    payload = write(kind, path).read_bytes()
    monkeypatch.setitem(nst_utils.KNOWN_FILES, hashlib.md5(payload).hexdigest(), name)
    for asked in ("auto", "imagenet"):
        weights, source = nst_utils._find_weights(asked, IMAGES)
        weights.pop("block1_conv1")  # RGB in the .mat
        assert same(weights, {n: w for n, w in WEIGHTS.items() if n != "block1_conv1"})
        assert "ImageNet" in source
    for fault in BROKEN:
        in_place(path, fault, payload)
        with pytest.raises(WeightsError, match=re.escape(str(path))):
            nst_utils._find_weights("imagenet", IMAGES)
        weights, source = nst_utils._find_weights("auto", IMAGES)
        assert not weights and "k-means" in source and str(path) in source, fault


def test_homes_of_keras_that_are_none(small, released, monkeypatch):
    (small / "file").touch()
    (small / "closed").mkdir()
    closed = small / "closed"
    for home in (small / "file", "/dev/null", "/proc/self/mem", small / "nowhere", closed):
        monkeypatch.setenv("KERAS_HOME", str(home))
        with nobody(closed, 0o000):
            found, bad = nst_utils.search_disk()
        assert found is None and bool(bad) == (home == closed)
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setattr(Path, "home", lambda: Path("~no-such-user").expanduser())
    assert nst_utils.search_disk() == (None, {})


@pytest.fixture(scope="module", autouse=True)
def sockets():
    """One that a broken download left open warns when it is freed: here, or in some other test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.mark.parametrize("kind", KINDS_OF_ANSWERS)
def test_bad_answers_leave_nothing(server, small, kind):
    begun, timeout = time.monotonic(), 0.3 if kind in ("silent", "stalls") else 5

    def download(_):
        nst_utils.download_weights(f"{server}{kind}/", small, timeout)

    refused(NAME, KINDS_OF_ANSWERS[kind][3], download)
    assert files(small) == [] and time.monotonic() - begun < 30


@pytest.mark.parametrize(
    "proxy", ["silent", "stalls", "page", "good", "refuses", "http://[", "socks9://x:1"]
)
def test_proxies(server, small, released, monkeypatch, proxy):
    """A proxy is asked for the whole address, so its answer follows the address' path."""
    kind = proxy if proxy in ("silent", "stalls", "page", "good") else "good"
    at = {"refuses": "http://127.0.0.1:9"}.get(proxy, proxy if ":" in proxy else server)
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", at)
    url = f"http://keras.invalid/{kind}/"
    if proxy == "good":
        path = nst_utils.download_weights(url, small / "new/folder", 5)
        assert path.read_bytes() == released and files(small) == [NAME]
        return
    timeout = 0.3 if proxy in ("silent", "stalls") else 5
    refused(NAME, "keras.invalid", lambda _: nst_utils.download_weights(url, small, timeout))
    assert files(small) == []


def test_a_download_replaces_a_damaged_file_and_follows_a_redirection(
    server, small, released, monkeypatch, capsys
):
    monkeypatch.setattr(nst_utils.download_weights, "__defaults__", (f"{server}moved/", small, 5))
    in_place(small / NAME, "cut", released)
    in_place(small / "keras/models" / NAME, "bit", released)
    model = nst_utils.load_vgg19(LAYERS, "imagenet")
    assert np.array_equal(model.get_weights()[0], WEIGHTS["block1_conv1"][0])
    assert (small / NAME).read_bytes() == released
    assert model.weights_source.count("damaged") == 1 and "keras" in model.weights_source


@pytest.mark.parametrize("disk", DISKS)
def test_a_disk_that_cannot_take_the_download(server, small, disk, monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())  # the bar: pytest's own file is limited, too
    with (
        pytest.raises(WeightsError, match=f"Cannot write to {small}") as caught,
        DISKS[disk](small),
    ):
        nst_utils.download_weights(f"{server}good/", small, 5)
    assert "\n" not in str(caught.value) and files(small) == []


def test_no_folder_where_the_download_should_go(server, small):
    (small / "file").touch()
    with pytest.raises(WeightsError, match="Cannot write to"):
        nst_utils.download_weights(f"{server}good/", small / "file", 5)
