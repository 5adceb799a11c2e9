"""Processes that download, fit or write weights: killed, and two at once."""

import hashlib
import multiprocessing
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import requests  # noqa: F401  before a test becomes `nobody`
from conftest import random_moments
from little_weights import FULL, IMAGES, NAME, SMALL, WEIGHTS, cached, files, same

import nst_utils

pytest.importorskip("resource", reason="POSIX has limits on file sizes")
pytestmark = pytest.mark.usefixtures("small")


def child(kind, folder, url, md5):
    """What another process does: "download", "fit" or "save" a large fit. It has its own module."""
    nst_utils.PRETRAINED, nst_utils.KNOWN_FILES[md5] = Path(folder), NAME
    if kind == "download":
        nst_utils.download_weights(f"{url}slow/", Path(folder), 5)
        return
    if kind == "save":
        nst_utils.fit_kmeans_vgg19 = lambda *_, **__: large()
    else:
        nst_utils.VGG19_LAYERS = SMALL
    nst_utils._cached_fit(IMAGES, {}, 1 if kind == "save" else 0, "block5_conv4")


def large():
    return {
        name: (np.full((3, 3, i, o), 0.5, np.float32), np.zeros(o, np.float32))
        for name, (i, o) in FULL.items()
    }


@pytest.fixture
def start(monkeypatch):
    """Start `child` from a server that has imported TensorFlow but not used it."""
    folders = [str(Path(__file__).parent), str(nst_utils.ROOT), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(folders))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([Path(__file__).stem])

    def run(*arguments):
        process = context.Process(target=child, args=arguments)
        process.start()
        return process

    return run


@pytest.mark.slow
def test_killed_at_random_moments(server, small, released, start, monkeypatch):
    md5, took, rng = hashlib.md5(released).hexdigest(), {}, random_moments()
    for kind in ("download", "download", "fit", "save"):  # the first includes the import
        begun = time.monotonic()
        process = start(kind, str(small / "timing" / kind), server, md5)
        process.join(120)
        took[kind] = time.monotonic() - begun
        assert process.exitcode == 0
    want = {path.name: path.read_bytes() for path in small.glob("timing/*/*")}
    assert len(want) == 3
    folder, killed, halves, k = small / "weights", 0, 0, 0
    while killed < 21:
        k += 1
        assert k < 100, "it ends before it is killed"
        kind = list(took)[k % 3]
        process = start(kind, str(folder), server, md5)
        time.sleep(rng.random() * took[kind])
        process.kill()
        process.join(120)
        killed += process.exitcode != 0
        names = files(folder)
        halves += sum(name.startswith(".") for name in names)
        for name in names:
            if not name.startswith("."):  # whole, or not there
                assert (folder / name).read_bytes() == want[name]
                (folder / name).unlink()
        for name in names[:-1]:
            (folder / name).unlink(missing_ok=True)  # leave some
    print(f"{killed} of {k} killed, {halves} temporary files seen")
    assert halves
    monkeypatch.setattr(nst_utils, "PRETRAINED", folder)
    monkeypatch.setattr(nst_utils.download_weights, "__defaults__", (f"{server}good/", folder, 5))
    for path in folder.glob(".*"):
        os.utime(path, (0, 0))
    assert same(nst_utils._find_weights("imagenet", None)[0], WEIGHTS)
    fit = cached()
    assert same(fit, nst_utils.fit_kmeans_vgg19(IMAGES))
    assert sorted(files(folder)) == sorted(n for n in want if (folder / n).exists())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["download", "fit", "save"])
def test_two_processes_at_once(server, small, released, start, kind):
    md5 = hashlib.md5(released).hexdigest()
    folders = [small / "alone", small / "shared", small / "shared"]
    started = [start(kind, str(folder), server, md5) for folder in folders]
    for process in started:
        process.join(120)
    assert [process.exitcode for process in started] == [0, 0, 0]
    (alone,), (shared,) = map(list, (path.iterdir() for path in folders[:2]))
    assert alone.name == shared.name and alone.read_bytes() == shared.read_bytes()


@pytest.mark.slow
def test_a_home_of_keras_that_cannot_be_written_does_not_stop_the_import():
    import subprocess

    for home in ("/proc/nowhere", "/dev/null"):
        code = "import nst_utils; print(nst_utils.search_disk())"
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=nst_utils.ROOT, capture_output=True, text=True,
            env=os.environ | {"KERAS_HOME": home}, timeout=120,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
