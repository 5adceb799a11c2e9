"""The map of a run's seconds: parts that add up, of a painter that knows nothing of it.

The painter here is a toy without TensorFlow: a run takes a tenth of a second.
"""

import argparse
import csv
import importlib

import pytest

from benchmark import report, spans, where

TOY_UTILS = """
import time
from pathlib import Path

PRETRAINED = Path(__file__).parent / "pretrained-model"

def load_image(path): time.sleep(0.02)

def _fit_layer(name): time.sleep(0.03)

def _calibration(name): time.sleep(0.01)

def fit_kmeans_vgg19():
    assert not list(PRETRAINED.glob("kmeans-*")), "a fit of before is there"
    (PRETRAINED / "kmeans-new.npz").touch()
    for name in ("block1_conv1", "block3_conv1", "block3_conv2"):
        if "block1" not in name:
            _fit_layer(name)
        time.sleep(0.01)
        _calibration(name)
"""
TOY_DESCENT = """
import time
from types import SimpleNamespace
from nst_utils import load_image
from painter.objective import Objective

def descend_on_canvas(net, C):
    load_image("inside a step: not the steps' own time")
    objective = Objective()
    for step in range(4):
        objective(step)
        yield SimpleNamespace(side=C.shape[2], step=step)
"""
TOY_OBJECTIVE = """
import time

class Objective:
    def __call__(self, step): time.sleep(0.01 if step else 0.06)
"""
TOY_MAIN = """
import os, sys, threading, time
from pathlib import Path
sys.path[:1] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
from types import SimpleNamespace
from nst_utils import fit_kmeans_vgg19, load_image
from painter.descent import descend_on_canvas

assert __name__ == "__main__" and sys.argv[0].endswith("painter")
thread = threading.Thread(target=load_image, args=("beside",))
thread.start()
fit_kmeans_vgg19()
for side in (32, 64):
    for frame in descend_on_canvas(None, SimpleNamespace(shape=(1, 16, side, 3))): pass
late = threading.Thread(target=time.sleep, args=(0.03,))
late.start()
late.join()
Path(sys.argv[sys.argv.index("-o") + 1]).touch()
if sys.argv[-1] == "at once":
    os._exit(0)
sys.exit(int(sys.argv[-1]))
"""


@pytest.fixture
def toy(tmp_path):
    """A checkout with a painter that sleeps."""
    painter = tmp_path / "toy" / "notebooks" / "painter"
    painter.mkdir(parents=True)
    (tmp_path / "toy" / "pretrained-model").mkdir()
    (tmp_path / "toy" / "pretrained-model" / "kmeans-old.npz").touch()
    (tmp_path / "toy" / "nst_utils.py").write_text(TOY_UTILS)
    files = {"__init__": "", "__main__": TOY_MAIN}
    for name, source in (files | {"descent": TOY_DESCENT, "objective": TOY_OBJECTIVE}).items():
        (painter / f"{name}.py").write_text(source)
    return tmp_path / "toy"


def test_each_second_has_one_name_and_they_add_up(toy):
    """Also: spans inside others, the fit by layer, the trace, threads, and nothing cached."""
    before = sorted(toy.rglob("*"))
    run = where.painted(toy, [toy / "C.jpg", toy / "S.jpg"], ["0"])
    assert sum(run.seconds.values()) == pytest.approx(run.wall, rel=0.02)
    expected = {  # at least: how late a busy machine wakes up is not known
        "fit block3_conv1": 0.04, "fit block3_conv2": 0.04, "calibration": 0.04,
        "reading": 0.04, "waiting for another thread": 0.025,
        "trace at 32 px": 0.04, "trace at 64 px": 0.04, "steps at 64 px": 0.04,
    }  # fmt: skip
    for label, least in expected.items():
        assert least <= run.seconds[label], label
    assert run.beside["reading"] >= 0.02, "another thread's seconds are not in the sum"
    assert run.memory < 0.2, "that of the process that began it is not its own"
    assert not any("fit block1" in label for label in run.seconds), "it was not fitted"
    assert [frame[1:] for frame in run.frames] == [[s, k] for s in (32, 64) for k in range(4)]
    assert list(run.looks()) == [
        "first look (the start)", "after the first step", "first scale painted",
    ]  # fmt: skip
    assert sorted(toy.rglob("*")) == before, "a run leaves nothing in its checkout"


def test_a_painter_that_ends_at_once_is_noted(toy):
    """os._exit spares TensorFlow's end, and whatever else stands after it."""
    run = where.painted(toy, [toy / "C.jpg", toy / "S.jpg"], ["at once"])
    assert run.seconds["steps at 64 px"] >= 0.03


def test_a_painter_that_fails_is_said_to(toy):
    with pytest.raises(RuntimeError, match=r"toy ended with 3"):
        where.painted(toy, [toy / "C.jpg", toy / "S.jpg"], ["3"])
    with pytest.raises(SystemExit, match="no notebooks/painter"):
        where.named([toy.parent])


def test_checkouts_run_in_turn_and_the_table_has_their_ratio(tmp_path, monkeypatch, capsys):
    walls = iter([10.0, 4.0, 30.0, 5.0, 20.0, 6.0])
    for name in ("old", "new"):
        (tmp_path / name / "notebooks" / "painter").mkdir(parents=True)
        (tmp_path / name / "notebooks" / "painter" / "__main__.py").touch()

    def painted(checkout, pair, arguments, name):
        assert arguments == ["--max-side", "96", "--steps", "3"]
        wall = next(walls)
        seconds = {"reading": 1.0, "fit block3_conv1": 2.0, "steps at 96 px": wall - 3}
        return where.Painted(name, "C + S", wall, seconds, {}, [(1.0, 96, 0), (2.0, 96, 1)], 1.5)

    monkeypatch.setattr(where, "painted", painted)
    options = argparse.Namespace(of=[tmp_path / "old", tmp_path / "new"], times=3, pairs=[0])
    options.size, options.painter_options, options.out = 96, "--steps 3", tmp_path
    runs = where.track_where(options)
    assert [run.checkout for run in runs] == ["old", "new"] * 3
    shown = capsys.readouterr().out
    assert "old: 10.0, 30.0, 20.0 s" in shown and "old / new: 4.00" in shown
    assert shown.index("reading") < shown.index("fit block3") < shown.index("steps at 96 px")
    report.write_where(runs, 96, tmp_path)
    with (tmp_path / "where.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["run"] for row in rows} == set("123456")
    assert (tmp_path / "where.png").stat().st_size > 10_000


def test_the_figure_needs_no_colour():
    seconds = {"reading": 1.0, "fit block3_conv1": 2.0, "fit block4_conv1": 3.0, "saving": 4.0}
    run = where.Painted("new", "C + S", 10.0, seconds, {}, [], 1.5)
    whole, fit = report.draw_where([run], 400).axes
    numbers = [text.get_text() for text in whole.texts]
    assert numbers == ["1", "2", "3", " 10.0 s"]
    legend = [text.get_text() for text in whole.figure.legends[0].get_texts()]
    assert legend == ["1  reading: 1.0 s", "2  fit: 5.0 s", "3  saving: 4.0 s"]
    assert [text.get_text() for text in fit.get_xticklabels()] == ["block3\nconv1", "block4\nconv1"]


@pytest.mark.parametrize("label", sorted({k for some in spans.WATCHED.values() for k in some}))
def test_what_is_watched_is_there(label):
    """A function of the painter that gets another name would silently be `other`."""
    module = next(m for m, names in spans.WATCHED.items() if label in names)
    found = importlib.import_module(module)
    for part in label.split("."):
        found = getattr(found, part)
    assert callable(found)
