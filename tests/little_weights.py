"""A VGG-19 with a 32nd of the filters, its files, and what can be wrong with them."""

import contextlib
import http.server
import os
import re
import tempfile
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import requests  # noqa: F401  before a test becomes `nobody`
import scipy.io

import nst_utils
from nst_utils import WeightsError

NAME = next(iter(nst_utils.KNOWN_FILES.values()))
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


BROKEN = ["cut", "longer", "empty", "page", "bit", "zeroed", "other", "unreadable"]
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


@contextlib.contextmanager
def serving(payload):
    """Serve `payload` in the ways of KINDS_OF_ANSWERS on this machine; give the address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        running.payload, running.over = payload, threading.Event()
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.over.set()
        running.shutdown()


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


def files(folder):
    return [path.name for path in folder.rglob("*") if not path.is_dir()]


@contextlib.contextmanager
def full_disk(size):
    """No file may grow beyond `size` bytes: writing fails as on a full disk."""
    import resource  # POSIX

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


def cached(images=IMAGES):
    return nst_utils._cached_fit(images, {}, 0, "block5_conv4")
