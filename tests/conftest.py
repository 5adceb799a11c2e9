"""What all tests share. The suite sets its own environment, so that `pytest` alone is enough."""

import gc
import hashlib
import os
import re
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(NST_WEIGHTS="embedded", NST_FAST="1", TF_CPP_MIN_LOG_LEVEL="3")
KERAS = tempfile.TemporaryDirectory(prefix="nst-keras-")  # the user's keras.json is not ours
os.environ["KERAS_HOME"] = KERAS.name
os.environ["KERAS_BACKEND"] = "tensorflow"  # some tests import keras before nst_utils
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]  # servers of the tests are on this machine
if "PYTEST_XDIST_WORKER" in os.environ:  # a thread a worker, or they are in each other's way
    os.environ.update(TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1", OMP_NUM_THREADS="1")
# whose warnings are errors
ROOT = Path(__file__).resolve().parent.parent
ROOMS = [path.relative_to(ROOT / "notebooks") for path in (ROOT / "notebooks").glob("*/*.py")]
OURS = {"nst_utils", "paint_styles", "brushes", "__main__"} | {r.parts[0] for r in ROOMS}
OURS |= {".".join(room.with_suffix("").parts) for room in ROOMS}
os.environ["PYTHONWARNINGS"] = ",".join(f"error:::{name}" for name in sorted(OURS))
sys.path[:0] = [str(ROOT), str(ROOT / "notebooks")]

import nbformat  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

SOLUTION = ROOT / "notebooks" / "solutions" / "neural_style_transfer.ipynb"
LONGEST_FIRST = (
    "notebooks/going_further.ipynb", "tests/classroom", "notebooks", "tests/checkpoints",
    "tests/test_train.py", "tests/test_notebook.py", "tests",
)  # fmt: skip


def strict(report):
    """With NST_STRICT=1, as CI may set it, what is skipped for want of a tool fails."""
    wanting = report.skipped and re.search(
        r"needs(:| \w+, and| localedef)|could not import", str(report.longrepr)
    )
    if wanting and os.environ.get("NST_STRICT") == "1":
        report.outcome, report.longrepr = "failed", f"NST_STRICT: {report.longrepr[-1]}"
    return report


def pytest_collection_modifyitems(items):
    """The longest first, so that no worker is alone with them at the end.

    Not by `testpaths`: where one of these is in another, pytest 8 leaves most tests out.
    """
    places = [ROOT / name for name in LONGEST_FIRST]
    items.sort(key=lambda item: [not item.path.is_relative_to(place) for place in places])


def pytest_collection_finish():
    """What is imported stays: the garbage collector need not look at it again.

    The painter asks it to before each picture, which would take a third of a second each time.
    """
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return strict((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return strict((yield))


def random_moments():
    """A random generator, another each time; what a failed test printed tells how to repeat it."""
    seed = int(os.environ.get("NST_SEED", time.time_ns() % 10**9))
    print(f"NST_SEED={seed}")
    return np.random.default_rng(seed)


def save_npz(path, weights):
    """Write {name: (kernel, bias)} in the format of our own; give the path."""
    parts = {f"{n}/{p}": w[i] for n, w in weights.items() for i, p in enumerate(("kernel", "bias"))}
    np.savez(path, **parts)
    return path


@pytest.fixture(scope="session")
def solution():
    """The solved notebook."""
    return nbformat.read(SOLUTION, as_version=4)


@pytest.fixture(scope="session")
def course(solution):
    """The functions that the solved notebook defines, by name."""
    import tensorflow as tf

    import nst_utils

    names = {"tf": tf, "STYLE_LAYERS": nst_utils.STYLE_LAYERS}
    for cell in solution.cells:
        if (
            cell.cell_type == "code"
            and cell.source.startswith("def ")
            and "gram_of" not in cell.source
        ):
            exec(cell.source.split("\n\n\n")[0], names)
    return names


@pytest.fixture(autouse=True)
def online():
    """No download has failed yet."""
    if "nst_utils" in sys.modules:
        sys.modules["nst_utils"].IN_VAIN.clear()


@pytest.fixture
def no_cache(monkeypatch, tmp_path):
    """An empty pretrained-model/ and an empty Keras cache."""
    import nst_utils

    monkeypatch.setattr(nst_utils, "PRETRAINED", tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path


@pytest.fixture
def small(no_cache, monkeypatch):
    """VGG-19 has a 32nd of its filters; the empty folder where its weights would be."""
    import little_weights

    import nst_utils

    monkeypatch.setattr(nst_utils, "VGG19_LAYERS", little_weights.SMALL)
    monkeypatch.setattr(nst_utils, "EMBEDDED", no_cache / "none.npz")  # its filters are too many
    monkeypatch.setenv("NST_WEIGHTS", "")
    return no_cache


@pytest.fixture
def released(small, monkeypatch):
    """The bytes of a released file of the small network, whose hash is known; no network."""
    import little_weights

    import nst_utils

    path = little_weights.write("h5", small / "payload.h5")
    payload = path.read_bytes()
    path.unlink()
    md5 = hashlib.md5(payload).hexdigest()
    monkeypatch.setitem(nst_utils.KNOWN_FILES, md5, little_weights.NAME)
    nowhere = ("http://127.0.0.1:9/", small, 5)
    monkeypatch.setattr(nst_utils.download_weights, "__defaults__", nowhere)
    return payload


@pytest.fixture
def server(released):
    """The address of a server that has the released file."""
    import little_weights

    with little_weights.serving(released) as url:
        yield url


@pytest.fixture(scope="session")
def fitted():
    """k-means filters, fitted to the little photo and its style."""
    from little_pictures import C, S

    import nst_utils

    return nst_utils.fit_kmeans_vgg19([C, S])


@pytest.fixture(scope="session")
def vgg(fitted):
    """VGG-19 with these filters, calibrated: the course's layers and all below."""
    from little_pictures import C, S

    import nst_utils

    names = [name for name, _ in nst_utils.STYLE_LAYERS] + [nst_utils.CONTENT_LAYER]
    return nst_utils.load_vgg19(names, fitted, [C, S])


@pytest.fixture
def one_network(monkeypatch, vgg):
    """The painter takes this network, whatever the pictures: loading one takes a second."""
    from painter import painting

    def network(C, styles, recipe):
        return painting.Network(vgg, recipe.layers()), "the tests' network"

    monkeypatch.setattr(painting, "_network", network)
