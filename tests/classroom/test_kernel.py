"""One kernel: what it may do, how it is stopped, that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import sys

import numpy as np
import psutil
import pytest
from handed_in import STUBBORN

from classroom import ROOT, Limits, folder, kernel, watch
from classroom.grade import run_loop

LINUX = sys.platform == "linux"
PROBE = """import os, json, pathlib, socket
facts = {}
def attempt(name, what):
    try:
        facts[name] = str(what())[:300]
    except BaseException as error:
        facts[name] = type(error).__name__
attempt("home", lambda: os.listdir(%r))
attempt("parent", lambda: open(f"/proc/{os.getppid()}/environ").read())
attempt("write", lambda: open(%r, "w"))
attempt("network", lambda: socket.create_connection(("127.0.0.1", 9), 1))
attempt("fork", lambda: os.fork())
attempt("secret", lambda: os.environ.get("SECRET_OF_THE_TEACHER"))
(pathlib.Path.cwd() / "facts.json").write_text(json.dumps(facts))"""


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """The folder of a kernel that does not wait for TensorFlow, as nothing will be asked."""

    def prepare(place, limits):
        folder.prepare_folder(place, limits)
        (place / "kernel_side/ask.py").write_text("")

    monkeypatch.setattr(kernel, "prepare_folder", prepare)
    (tmp_path / "nst-kernel").mkdir()
    return tmp_path / "nst-kernel"


def run_all(place, cells, **limits):
    """What each cell ended with, when it did, and the kernel: [(problem, worked)], kernel."""

    async def work():
        async with kernel.Kernel(place, Limits(**limits)) as one:
            return [(await one.run(source), one.watch.worked) for source in cells], one

    return run_loop(work())


def test_kernel_is_confined_and_leaves_no_process(quick, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_TEACHER", "hunter2")
    outside = tmp_path / "outside.txt"
    [(problem, _)], one = run_all(quick, [PROBE % (str(ROOT), str(outside))], cell_seconds=10)
    assert problem == "" and not outside.exists()
    facts = json.loads((quick / "work/facts.json").read_text())
    assert facts["secret"] == "None"
    assert facts["home"] == facts["write"] == facts["fork"] == "PermissionError", facts
    assert facts["network"] in ("PermissionError", "ConnectionRefusedError")
    if LINUX:
        assert facts["parent"] == "PermissionError"
    pid = one.watch.pid
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"


def test_a_busy_machine_costs_no_marks(quick):
    """Time is the processor's: a cell that waits may take longer, but not for ever."""
    cells = ["import time\ntime.sleep(2)", "while True:\n    pass", "time.sleep(1000)", "x = 1"]
    found, _ = run_all(quick, cells, cell_seconds=1)
    problems, worked = zip(*found, strict=True)
    assert problems == ("", *["it took more than 1 s and was stopped"] * 2, "")
    assert np.diff(worked)[:2] == pytest.approx([1, 1], abs=0.6)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("while True:\n    print('x' * 1000)", "it printed more than 2 MB"),
        ("from IPython.display import display\ndisplay('x' * 3_000_000)", "more than 2 MB"),
        (STUBBORN, "it took more than 1 s and did not stop"),
        ("import os\nos._exit(1)", "it ended the kernel"),
        ("hog = [bytes(10**8) + b'x' for i in range(60)]", "Memory" if LINUX else "GB of memory"),
    ],
)
def test_what_ends_a_kernel(quick, source, reason, monkeypatch):
    """The cells that come after it are told so at once."""
    monkeypatch.setattr(watch, "GRACE", 0.5)
    cells = ["x = 1", source, "x = 1"]
    found, one = run_all(quick, cells, cell_seconds=1, seconds=20, memory_gb=0.5, output_mb=2)
    assert found[0][0] == "" and reason in found[1][0]
    assert found[2][0] in ("", one.watch.dead)


def test_a_kernel_that_cannot_start_is_not_the_students_fault(quick, monkeypatch):
    """And the grader, which has no other process to end then, goes on."""
    monkeypatch.setattr(kernel.sys, "executable", str(quick / "no-such-python"))
    with pytest.raises(kernel.KernelFailed, match="did not start"):
        run_all(quick, ["x = 1"])


def test_environment_has_no_secrets(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    env = folder.kernel_environment(tmp_path)
    assert "AWS_SECRET_ACCESS_KEY" not in env and env["HOME"] != os.environ.get("HOME")


def test_stand_in_matches_the_course(tmp_path, monkeypatch):
    import nst_utils

    names: dict = {}
    exec((folder.KERNEL_SIDE / "stand_in.py").read_text(), names)
    assert names["STYLE_LAYERS"] == nst_utils.STYLE_LAYERS
    assert names["CONTENT_LAYER"] == nst_utils.CONTENT_LAYER
    folder.prepare_folder(tmp_path, Limits())
    stand_ins = {path.name for path in (tmp_path / "work").iterdir()}
    assert stand_ins == {"checkpoints.py", "nst_utils.py", "painter.py"}
