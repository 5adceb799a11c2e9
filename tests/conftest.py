"""What all tests share. The suite sets its own environment, so that `pytest` alone is enough."""

import os
import sys
from pathlib import Path

os.environ.update(NST_WEIGHTS="kmeans", NST_FAST="1", TF_CPP_MIN_LOG_LEVEL="3")
if "PYTEST_XDIST_WORKER" in os.environ:  # a thread a worker, or they are in each other's way
    os.environ.update(TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1", OMP_NUM_THREADS="1")
# whose warnings are errors
OURS = ("nst_utils", "checkpoints", "classroom", "paint_styles", "brushes", "__main__")
os.environ["PYTHONWARNINGS"] = ",".join(f"error:::{name}" for name in OURS)
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "notebooks")]

import nbformat  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

SOLUTION = ROOT / "notebooks" / "solutions" / "neural_style_transfer.ipynb"


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
