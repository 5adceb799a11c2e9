"""The cache of k-means filters: whole, right, or made anew."""

import os
import threading
import time

import numpy as np
import pytest
import requests  # noqa: F401  before a test becomes `nobody`
from little_weights import DISKS, IMAGES, NAME, OTHERS, RNG, SMALL, WEIGHTS, cached, files, same

import nst_utils

pytest.importorskip("resource", reason="POSIX has limits on file sizes")
pytestmark = pytest.mark.usefixtures("small")


@pytest.fixture
def fits(monkeypatch):
    """Fitting is a look-up here; the list of fits made."""
    made = []

    def fit(images, keep, seed, until, *_):
        made.append(until)
        return WEIGHTS if np.array_equal(images[0], IMAGES[0]) else OTHERS

    monkeypatch.setattr(nst_utils, "fit_kmeans_vgg19", fit)
    return made


@pytest.mark.parametrize(
    "what", ["seed", "until", "pooling", "content", "keep", "pictures", "shape", "FIT_VERSION",
             "PATCHES", "ROUNDS", "ACTIVE", "RIDGE"]
)  # fmt: skip
def test_a_fit_of_something_else_is_another(small, fits, monkeypatch, what):
    def fit(**other):
        given = {"images": IMAGES, "keep": {}, "seed": 0, "until": "block5_conv4"} | other
        pooling, content = given.pop("pooling", "avg"), given.pop("content", None)
        return nst_utils._cached_fit(*given.values(), pooling, content)

    fit()
    if what.isupper():
        monkeypatch.setattr(nst_utils, what, getattr(nst_utils, what) * 2)
    changed = {"seed": {"seed": 1}, "until": {"until": "block4_conv2"},
               "pooling": {"pooling": "max"}, "content": {"content": "block4_conv2"},
               "keep": {"keep": {"block1_conv1": WEIGHTS["block1_conv1"]}},
               "pictures": {"images": IMAGES[::-1]},
               "shape": {"images": [IMAGES[0].reshape(1, 16, 64, 3), IMAGES[1]]}}  # fmt: skip
    for _ in range(2):
        fit(**changed.get(what, {}))
        assert len(fits) == 2 and len(files(small)) == 2


def rewritten(change):
    """Change the arrays in a cache, and leave its digest."""

    def spoil(path):
        with np.load(path) as file:
            arrays = dict(file)
        change(arrays)
        np.savez(path, **arrays)

    return spoil


def swap(arrays):
    one, two = "block4_conv2/kernel", "block4_conv3/kernel"
    arrays[one], arrays[two] = arrays[two], arrays[one]


def another(path):
    cached(IMAGES[::-1])  # a good fit, to other pictures
    (other,) = set(path.parent.glob("kmeans-*.npz")) - {path}
    other.replace(path)


CACHES = {
    **{f"cut at {k}/7": lambda path, k=k: path.write_bytes(
        path.read_bytes()[: path.stat().st_size * k // 7]) for k in range(7)},
    "a byte more": lambda path: path.write_bytes(b"!" + path.read_bytes()[1:]),
    **{f"byte {at} changed": lambda path, at=at: path.write_bytes(
        path.read_bytes()[:at] + b"!!" + path.read_bytes()[at + 2 :])
       for at in (26, 100, 300, 430, 9000, -30)},
    "page": lambda path: path.write_text("<html>"),
    "unreadable": lambda path: path.unlink() or path.symlink_to("/proc/self/mem"),
    "zeroed": rewritten(lambda arrays: arrays.update({"block2_conv1/kernel": np.zeros(
        (3, 3, *SMALL["block2_conv1"]), np.float16)})),
    "NaN": rewritten(lambda arrays: arrays["block2_conv1/bias"].fill(np.nan)),
    "changed places": rewritten(swap),
    "first blocks only": rewritten(lambda arrays: [
        arrays.pop(name) for name in list(arrays) if name.startswith("block5")]),
    "no digest": rewritten(lambda arrays: arrays.pop("check")),
    "other pictures": another,
}  # fmt: skip


@pytest.mark.parametrize("fault", CACHES)
def test_a_wrong_cache_is_named_and_made_anew(small, fits, fault, capsys):
    assert same(cached(), WEIGHTS) and same(cached(), WEIGHTS) and len(fits) == 1
    (path,) = small.glob("kmeans-*.npz")
    CACHES[fault](path)
    del fits[:]
    capsys.readouterr()
    assert same(cached(), WEIGHTS) and len(fits) == 1
    assert f"{path} is damaged" in capsys.readouterr().out
    assert same(cached(), WEIGHTS) and len(fits) == 1 and files(small) == [path.name]


def test_whichever_bit_of_a_cache_is_flipped_the_filters_are_right(small, fits):
    cached()
    (path,) = small.glob("kmeans-*.npz")
    whole = path.read_bytes()
    ends = [*range(0, 600, 20), *range(len(whole) - 600, len(whole), 20)]
    for at in [*ends, *RNG.integers(len(whole), size=40)]:
        flipped = bytes([whole[at] ^ 1 << int(RNG.integers(8))])
        path.write_bytes(whole[:at] + flipped + whole[at + 1 :])
        assert same(cached(), WEIGHTS), at
    assert len(fits) > 40


@pytest.mark.parametrize("disk", DISKS)
def test_a_disk_that_cannot_take_the_cache_does_not_lose_the_fit(small, fits, disk, monkeypatch):
    said = []
    monkeypatch.setattr("builtins.print", lambda *words, **_: said.append(" ".join(words)))
    with DISKS[disk](small):
        assert same(cached(), WEIGHTS)
    (line,) = said
    assert str(small) in line and "made again" in line and files(small) == []


def test_a_folder_in_the_cache_s_place_and_no_folder_at_all(small, fits, monkeypatch, capsys):
    monkeypatch.setattr(nst_utils, "PRETRAINED", small / "new")
    cached()
    (path,) = (small / "new").glob("kmeans-*.npz")
    path.unlink()
    path.mkdir()
    assert same(cached(), WEIGHTS) and "not kept" in capsys.readouterr().out
    assert files(small) == []


def test_what_a_killed_process_left_is_not_read_and_goes_after_an_hour(small, fits, released):
    cached()
    (path,) = small.glob("kmeans-*.npz")
    left = [small / f".{path.stem}-abc.npz", small / f".{NAME[:-3]}-abc.h5"]
    left[0].write_bytes(path.read_bytes())  # even if whole
    left[1].write_bytes(released)
    path.unlink()
    assert nst_utils.search_disk() == (None, {})
    assert same(cached(), WEIGHTS) and len(fits) == 2 and len(files(small)) == 3
    os.utime(left[0], (0, time.time() - 4000))
    nst_utils._sweep(small)
    assert sorted(files(small)) == sorted([path.name, left[1].name])


def test_two_threads_at_once(server, small, released, fits):
    """Each writes a file of its own; the names of both are whole whenever they are seen."""
    errors = []

    def work():
        try:
            nst_utils.download_weights(f"{server}slow/", small, 5)
            cached()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 60
    while any(thread.is_alive() for thread in threads):
        assert time.monotonic() < end
        assert not (small / NAME).exists() or (small / NAME).read_bytes() == released
        time.sleep(0.01)
    assert not errors and same(cached(), WEIGHTS)
    assert sorted(files(small)) == sorted([NAME, *(p.name for p in small.glob("kmeans-*.npz"))])
