"""What can go wrong with weights: files, disks, networks, killed processes. Never a wrong network.

Most tests use a VGG-19 with a 32nd of the filters: the same 16 names, files of 80 kB.
"""

import contextlib
import gc
import hashlib
import http.server
import io
import multiprocessing
import os
import re
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest
import requests  # noqa: F401  before a test becomes `nobody`
import scipy.io
from conftest import random_moments

import nst_utils
from nst_utils import WeightsError

resource = pytest.importorskip("resource", reason="POSIX has limits on file sizes")

NAME = next(iter(nst_utils.KNOWN_FILES))
RNG = np.random.default_rng(0)
FULL = nst_utils.VGG19_LAYERS
SMALL = {n: (i if i == 3 else i // 32, o // 32) for n, (i, o) in FULL.items()}
IMAGES = [RNG.random((1, 32, 32, 3), np.float32) for _ in range(2)]
LAYERS = ["block1_conv1", "block4_conv2"]


def random_weights(rng=RNG):
    """Weights that half precision holds exactly."""
    return {
        name: tuple(np.float32(np.float16(rng.normal(0, 0.1, s))) for s in ((3, 3, i, o), (o,)))
        for name, (i, o) in SMALL.items()
    }


WEIGHTS, OTHERS = random_weights(), random_weights()


def same(one, two):
    return list(one) == list(two) and all(
        np.array_equal(one[name][k], two[name][k]) for name in one for k in (0, 1)
    )


@pytest.fixture(autouse=True)
def small(no_cache, monkeypatch):
    monkeypatch.setattr(nst_utils, "VGG19_LAYERS", SMALL)
    monkeypatch.setenv("NST_WEIGHTS", "")
    return no_cache


def write(kind, path, weights=WEIGHTS, **extra):
    """Write weights as Keras released them ("h5", "top"), as MatConvNet ("mat"), or as we do."""
    parts = {f"{n}/{p}": w[k] for n, w in weights.items() for k, p in enumerate(("kernel", "bias"))}
    if kind == "npz":
        np.savez(path, **{name: array for name, array in (parts | extra).items() if len(array)})
    elif kind == "mat":
        layers = [
            {
                "type": "conv",
                "name": f"conv{n[5]}_{n[-1]}",
                "weights": np.array([*w, 0], object)[:2],
            }
            for n, w in weights.items()
        ]
        meta = {"normalization": {"averageImage": np.array(nst_utils.RGB_MEAN)}}
        scipy.io.savemat(path, {"layers": layers, "meta": meta} | extra)
    else:
        top = {"fc1/fc1/kernel:0": np.ones((4, 5)), "fc1/fc1/bias:0": np.ones(5)}
        with h5py.File(path, "w") as file:
            for name, array in (parts | (top if kind == "top" else {}) | extra).items():
                if len(array):
                    file[name] = array
    return path


KINDS = {"h5": ".h5", "top": ".h5", "mat": ".mat", "npz": ".npz"}
EMPTY = np.zeros(0)


def refused(path, word="", read=nst_utils.read_weights):
    """The file is refused in one line that names it."""
    with pytest.raises(WeightsError, match=word or None) as caught:
        read(path)
    assert Path(path).name in str(caught.value) and "\n" not in str(caught.value)


# --- Files


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_anywhere_is_refused(tmp_path, kind):
    path = write(kind, tmp_path / f"w{KINDS[kind]}")
    whole = path.read_bytes()
    offsets = [0, 1, 7, 128, 511, 4096, len(whole) - 1, *RNG.integers(len(whole), size=13)]
    for offset in offsets:
        path.write_bytes(whole[:offset])
        refused(path)
    path.write_bytes(whole)
    assert len(nst_utils.read_weights(path)) == 16


def changed(name, k, change):
    """All weights, with the kernel (k=0) or bias (k=1) of one layer changed."""
    arrays = list(WEIGHTS[name])
    arrays[k] = change(arrays[k].copy())
    return WEIGHTS | {name: tuple(arrays)}


def put(value, where=np.s_[:]):
    def change(array):
        array.reshape(-1)[where] = value
        return array

    return change


def each(change):
    return {name: tuple(change(a) for a in arrays) for name, arrays in WEIGHTS.items()}


CONTENTS = {  # what is wrong -> weights, words of the message
    "NaN in a bias": (changed("block3_conv2", 1, put(np.nan, 3)), "block3_conv2 holds NaN"),
    "infinity": (changed("block1_conv1", 0, put(np.inf, 3)), "block1_conv1 holds NaN, inf"),
    "too large": (changed("block5_conv4", 0, lambda a: a.astype(float) * 1e300), "infinity"),
    "a layer of zeros": (changed("block5_conv4", 0, put(0)), "empty filter"),
    "one filter of zeros": (changed("block5_conv1", 0, lambda a: a * (np.arange(16) > 0)), "empty"),
    "VGG-16": ({n: w for n, w in WEIGHTS.items() if n[5:] not in ("3_conv4", "4_conv4", "5_conv4")},
               "VGG-16|block3_conv4 is missing"),
    "a layer less": ({n: w for n, w in WEIGHTS.items() if n != "block2_conv1"}, "block2_conv1"),
    "Theano's order": (each(lambda a: a.T), "shapes"),
    "two layers changed places": (WEIGHTS | {"block1_conv1": WEIGHTS["block2_conv1"],
                                             "block2_conv1": WEIGHTS["block1_conv1"]}, "shapes"),
    "whole numbers": (each(lambda a: (a * 99).astype(np.int8)), "int8"),
    "complex numbers": (each(lambda a: a.astype(np.complex64)), "complex64"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", CONTENTS)
def test_wrong_content_is_refused(tmp_path, kind, fault):
    weights, word = CONTENTS[fault]
    refused(write(kind, tmp_path / f"w{KINDS[kind]}", weights), word)


@pytest.mark.parametrize("kind", ["h5", "top", "mat"])
def test_a_disk_sector_of_zeros_is_refused(tmp_path, kind):
    """512 bytes of the file itself: MATLAB keeps a kernel in another order than HDF5."""
    path = write(kind, tmp_path / f"w{KINDS[kind]}")
    kernel = WEIGHTS["block4_conv2"][0]
    whole, part = path.read_bytes(), kernel.tobytes("F" if kind == "mat" else "C")
    assert whole.count(part) == 1
    at = whole.index(part) + 2060
    path.write_bytes(whole[:at] + bytes(512) + whole[at + 512 :])
    refused(path, "block4_conv2 has 64 zeros")


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_and_double_are_the_same_network(tmp_path, kind):
    for dtype in ("f2", "f8"):
        read = nst_utils.read_weights(
            write(kind, tmp_path / f"w{KINDS[kind]}", each(lambda a, dtype=dtype: a.astype(dtype)))
        )
        assert read["block3_conv1"][0].dtype == np.float32
        if kind == "mat":  # RGB there
            read["block1_conv1"] = read["block1_conv1"][0][:, :, ::-1], WEIGHTS["block1_conv1"][1]
        assert same(read, WEIGHTS)


FILES = {  # file -> how to make it, words of the message
    "page.h5": (lambda p: p.write_text("<!DOCTYPE html><p>Sign in"), "signature"),
    "page.mat": (lambda p: p.write_text("<!DOCTYPE html><p>Sign in" * 99), "no VGG-19"),
    "page.npz": (lambda p: p.write_text("<!DOCTYPE html><p>Sign in"), "no VGG-19"),
    "zeros.h5": (lambda p: p.write_bytes(bytes(9999)), "signature"),
    "zeros.mat": (lambda p: p.write_bytes(bytes(9999)), "no VGG-19"),
    "zeros.npz": (lambda p: p.write_bytes(bytes(9999)), "no VGG-19"),
    "empty.h5": (lambda p: p.touch(), "is empty"),
    "empty.mat": (lambda p: p.touch(), "is empty"),
    NAME: (lambda p: p.touch(), "is empty"),
    "folder.h5": (lambda p: p.mkdir(), "no weights file"),
    "missing.mat": (lambda p: None, "no weights file"),
    "h5.npz": (lambda p: write("h5", p), "no VGG-19"),
    "h5.mat": (lambda p: write("h5", p), "no VGG-19"),
    "npz.h5": (lambda p: write("npz", p.with_suffix(".npz")).rename(p), "signature"),
    "weights.H5": (lambda p: write("h5", p), "suffix"),
    "weights.h5.part": (lambda p: write("h5", p), "suffix"),
    "array.npz": (lambda p: np.save(p.with_suffix(".npy"), EMPTY) or
                  p.with_suffix(".npy").rename(p), "no VGG-19"),
    "nothing.npz": (lambda p: np.savez(p), "block1_conv1 is missing"),
    "objects.npz": (lambda p: np.savez(p, **{"block1_conv1/kernel": np.array([{}], object)}),
                    "allow_pickle"),
    "no_bias.npz": (lambda p: write("npz", p, **{"block2_conv1/bias": EMPTY}), "block2_conv1/bias"),
    "no_bias.h5": (lambda p: write("h5", p, **{"block2_conv1/bias": EMPTY}),
                   "block2_conv1 has no bias"),
    "no_kernel.h5": (lambda p: write("h5", p, **{"block2_conv1/kernel": EMPTY}),
                     "block2_conv1 has no kernel"),
    "twice.h5": (lambda p: write("h5", p, **{"b/block2_conv1/kernel": WEIGHTS["block2_conv1"][0]}),
                 "block2_conv1 is in it twice"),
    "no_layers.mat": (lambda p: scipy.io.savemat(p, {"meta": 1}), "'layers' is missing"),
    "no_mean.mat": (lambda p: write("mat", p, meta={"normalization": {"keepAspect": 1}}),
                    "'averageImage' is missing"),
    "io_error.h5": (lambda p: p.symlink_to("/proc/self/mem"), "cannot be read .Input/output error"),
    "loop.h5": (lambda p: p.symlink_to(p), "no weights file|cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_bad_files_are_named(tmp_path, name):
    make, word = FILES[name]
    if name == "io_error.h5" and not sys.platform.startswith("linux"):
        pytest.skip("the file that cannot be read is Linux'")
    make(tmp_path / name)
    refused(tmp_path / name, word)


def test_the_optimizer_s_moments_are_not_taken_for_kernels(tmp_path):
    """Keras' old whole-model files hold, after the weights, arrays of the same names and shapes."""
    moments = {
        f"optimizer_weights/Adam/{name}/{part}/m:0": OTHERS[name][k]
        for name in SMALL
        for k, part in enumerate(("kernel", "bias"))
    }
    assert same(nst_utils.read_weights(write("h5", tmp_path / "model.h5", **moments)), WEIGHTS)


def test_only_a_hash_knows_filters_that_changed_places(tmp_path, monkeypatch, capsys):
    weights = WEIGHTS | {
        "block4_conv2": WEIGHTS["block4_conv3"], "block4_conv3": WEIGHTS["block4_conv2"],
    }  # fmt: skip
    good = hashlib.md5(write("h5", tmp_path / "good.h5").read_bytes()).hexdigest()
    monkeypatch.setitem(nst_utils.KNOWN_FILES, NAME, (good,))
    refused(write("h5", tmp_path / NAME, weights), "MD5")
    model = nst_utils.load_vgg19(LAYERS, write("h5", tmp_path / "mine.h5", weights))
    assert model.weights_source == "mine.h5 (its hash is not known)"
    assert "not known" in capsys.readouterr().out


@contextlib.contextmanager
def nobody(folder, mode):
    """Give `folder` these rights; root becomes a user whom they bind. A list of what is in it."""
    tops = [p for p in (folder, *folder.parents) if Path(tempfile.gettempdir()) in p.parents]
    before = [(path, path.stat().st_mode) for path in tops]
    for path in tops:
        path.chmod(0o755)
    folder.chmod(mode)
    try:
        if os.geteuid() == 0:
            try:
                os.seteuid(65534)
            except OSError as error:  # root of a user namespace, which has no other users
                pytest.skip(f"root cannot become another user here: {error.strerror}")
        yield
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        for path, rights in before:
            path.chmod(rights)


def test_files_that_may_not_be_read(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir()
    path = write("h5", folder / "w.h5")
    with nobody(folder, 0o000):
        refused(path, "cannot be read .Permission denied")
    path.chmod(0o000)
    with nobody(folder, 0o755):
        refused(path, "cannot be read .Permission denied")
    refused("~nobody-of-this-name/w.h5", "home")


# --- Pictures and activations that are not finite, and Keras' own settings


def test_pictures_with_nan_are_refused():
    with pytest.raises(WeightsError, match="NaN"):
        nst_utils.load_vgg19(LAYERS, "kmeans", [IMAGES[0] * np.nan, IMAGES[1]])


def test_weights_too_large_for_any_picture_are_refused(tmp_path):
    path = write("npz", tmp_path / "w.npz", each(lambda a: a * 1e20))
    with pytest.raises(WeightsError, match="block1_conv1"):
        nst_utils.load_vgg19(LAYERS, path, IMAGES)


def test_settings_of_keras_do_not_change_the_network(monkeypatch):
    import keras

    plain = nst_utils.build_vgg19(WEIGHTS, LAYERS)(IMAGES[0])
    before = keras.config.image_data_format(), keras.config.floatx(), keras.config.dtype_policy()
    try:
        keras.config.set_image_data_format("channels_first")
        keras.config.set_floatx("float16")
        keras.config.set_dtype_policy("mixed_float16")
        again = nst_utils.build_vgg19(WEIGHTS, LAYERS)(IMAGES[0])
    finally:
        keras.config.set_image_data_format(before[0])
        keras.config.set_floatx(before[1])
        keras.config.set_dtype_policy(before[2])
    for a, b in zip(plain, again, strict=True):
        assert b.dtype == "float32" and np.array_equal(a, b)


# --- Finding


@pytest.fixture
def released(small, monkeypatch):
    """The bytes of a released file, whose hash is known; no network."""
    payload = write("h5", small / "payload.h5").read_bytes()
    (small / "payload.h5").unlink()
    monkeypatch.setitem(nst_utils.KNOWN_FILES, NAME, (hashlib.md5(payload).hexdigest(),))
    monkeypatch.setattr(
        nst_utils.download_weights, "__defaults__", ("http://127.0.0.1:9/", small, 5)
    )
    return payload


def in_place(path, kind, payload):
    """Put a damaged file at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes({
        "cut": payload[:-1], "longer": payload + b"\0", "empty": b"", "page": b"<html>",
        "bit": bytes([payload[0] ^ 1]) + payload[1:], "zeroed": bytes(len(payload)),
    }.get(kind, b""))  # fmt: skip
    if kind == "other":
        write("h5", path, OTHERS)
    if kind == "unreadable":
        path.unlink()
        path.symlink_to("/proc/self/mem")


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


BROKEN = ["cut", "longer", "empty", "page", "bit", "zeroed", "other", "unreadable"]


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
     ("mine.npz", "mine.npz"), ("none.npz", "There is no weights file"), ("auto", "No download")],
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
@pytest.mark.parametrize("name", nst_utils.KNOWN_FILES)
def test_every_source_whole_and_damaged(small, released, monkeypatch, name, place):
    path = (small if place == "pretrained-model" else small / "keras/models") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = "mat" if path.suffix == ".mat" else "h5" if "notop" in name else "top"
    payload = write(kind, path).read_bytes()
    monkeypatch.setitem(nst_utils.KNOWN_FILES, name, (hashlib.md5(payload).hexdigest(),))
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


# --- Downloading

KINDS_OF_ANSWERS = {  # path -> status, headers, body (a function of the payload), words
    "missing": (404, {}, lambda p: b"", "HTTPError"),
    "broken": (500, {}, lambda p: b"", "HTTPError"),
    "proxy-asks": (407, {}, lambda p: b"", "HTTPError"),
    "nothing": (200, {}, lambda p: b"", "wrong MD5"),
    "page": (200, {}, lambda p: b"<html>Sign in</html>", "wrong MD5"),
    "bit": (200, {}, lambda p: p[:-1] + b"!", "wrong MD5"),
    "twice": (200, {}, lambda p: p + p, "wrong MD5"),
    "short": (200, {"Content-Length": "50"}, lambda p: p, "wrong MD5"),
    "long": (200, {"Content-Length": "99999999"}, lambda p: p, "No download"),
    "words": (200, {"Content-Length": "many"}, lambda p: p, "No download"),
    "packed": (200, {"Content-Encoding": "gzip"}, lambda p: p, "ContentDecodingError"),
    "chunks": (200, {"Transfer-Encoding": "chunked"}, lambda p: p, "ChunkedEncodingError"),
    "circle": (302, {"Location": "/circle/x"}, lambda p: b"", "TooManyRedirects"),
    "to-disk": (302, {"Location": "file:///etc/passwd"}, lambda p: b"", "InvalidSchema"),
    "astray": (302, {"Location": "http://[/"}, lambda p: b"", "No download"),
    "silent": (None, {}, lambda p: b"", "ReadTimeout"),
    "stalls": (200, {}, lambda p: p, "ConnectionError"),
    "hangs-up": (0, {}, lambda p: b"", "ConnectionError"),
}


class Server(http.server.BaseHTTPRequestHandler):
    """Answers as its path says; also as a proxy, which is asked for whole addresses."""

    def do_GET(self):
        kind = re.sub("^http://[^/]*", "", self.path).split("/")[1]
        if kind == "moved":
            kind, answer = "", (302, {"Location": "/good/x"}, lambda p: b"", "")
        else:
            answer = KINDS_OF_ANSWERS.get(kind, (200, {}, lambda p: p, ""))
        status, headers, body, _ = answer
        if status is None:
            self.server.over.wait(60)
        if not status:
            return
        self.send_response(status)
        body = body(self.server.payload)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        step = 4000 if kind == "slow" else 10**9
        if kind == "stalls":
            self.wfile.write(body[:9000])
            self.server.over.wait(60)
            return
        with contextlib.suppress(OSError):  # the other side was killed
            for start in range(0, len(body), step):
                self.wfile.write(body[start : start + step])
                time.sleep(0.03 * (kind == "slow"))

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module", autouse=True)
def sockets():
    """One that a broken download left open warns when it is freed: here, or in some other test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.fixture
def server(released):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        running.payload, running.over = released, threading.Event()
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.over.set()
        running.shutdown()


def files(folder):
    return [path.name for path in folder.rglob("*") if not path.is_dir()]


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


@contextlib.contextmanager
def full_disk(size):
    """No file may grow beyond `size` bytes: writing fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


DISKS = {  # what -> a context in which the folder cannot be written
    "full": lambda folder: full_disk(20_000),
    "full at once": lambda folder: full_disk(0),
    "read-only": lambda folder: nobody(folder, 0o555),
    "closed": lambda folder: nobody(folder, 0o000),
}


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


# --- The cache of k-means filters


@pytest.fixture
def fits(monkeypatch):
    """Fitting is a look-up here; the list of fits made."""
    made = []

    def fit(images, seed, until):
        made.append(until)
        return WEIGHTS if np.array_equal(images[0], IMAGES[0]) else OTHERS

    monkeypatch.setattr(nst_utils, "fit_kmeans_vgg19", fit)
    return made


def cached(images=IMAGES):
    return nst_utils._cached_fit(images, 0, "block5_conv4")


@pytest.mark.parametrize(
    "what", ["seed", "until", "pictures", "shape", "FIT_VERSION", "PATCHES", "ROUNDS", "ACTIVE",
             "RIDGE"]
)  # fmt: skip
def test_a_fit_of_something_else_is_another(small, fits, monkeypatch, what):
    def fit(**other):
        given = {"images": IMAGES, "seed": 0, "until": "block5_conv4"} | other
        return nst_utils._cached_fit(**given)

    fit()
    if what.isupper():
        monkeypatch.setattr(nst_utils, what, getattr(nst_utils, what) * 2)
    changed = {"seed": {"seed": 1}, "until": {"until": "block4_conv2"},
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


# --- Processes: killed, and two at once


def child(kind, folder, url, md5):
    """What another process does: "download", "fit" or "save" a large fit. It has its own module."""
    nst_utils.PRETRAINED, nst_utils.KNOWN_FILES[NAME] = Path(folder), (md5,)
    if kind == "download":
        nst_utils.download_weights(f"{url}slow/", Path(folder), 5)
        return
    if kind == "save":
        nst_utils.fit_kmeans_vgg19 = lambda *_, **__: large()
    else:
        nst_utils.VGG19_LAYERS = SMALL
    nst_utils._cached_fit(IMAGES, 1 if kind == "save" else 0, "block5_conv4")


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
    md5, took, rng = nst_utils.KNOWN_FILES[NAME][0], {}, random_moments()
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
def test_two_processes_at_once(server, small, start, kind):
    md5 = nst_utils.KNOWN_FILES[NAME][0]
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
