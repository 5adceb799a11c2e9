"""A class is graded some at a time, each result is kept, and what changes it is graded again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time

import nbformat
import psutil
import pytest
from handed_in import COMMAND, ROUGH, with_cells

from classroom import Limits, batch, write_whole
from classroom.grade import nothing_graded
from classroom.submissions import Submission


def entries(folder, count=6):
    paths = [folder / f"{name}.ipynb" for name in "abcdefgh"[:count]]
    for path in paths:
        path.write_text(path.stem)
    return [Submission(p.stem, "", p, p.name) for p in paths]


def graded_by(calls, most=None):
    """A grader that takes no time, counts how many are at work, and can be stopped."""
    at_work = []

    async def grader(data, limits, seed):
        at_work.append(data)
        calls.append((data.decode(), len(at_work)))
        if most and len(calls) > most:
            raise KeyboardInterrupt
        await asyncio.sleep(0.01)
        at_work.remove(data)
        return nothing_graded(seed) | {"status": "graded"}

    return grader


def run(found, out, calls, jobs=2, most=None, **limits):
    work = batch.grade_all(found, out, Limits(**limits), jobs, 7, grader=graded_by(calls, most))
    return asyncio.run(work)


def test_some_at_a_time_and_in_order(tmp_path):
    calls = []
    results = run(entries(tmp_path), tmp_path / "out", calls, jobs=3)
    assert [r["student"] for r in results] == list("abcdef")
    assert max(at_work for _, at_work in calls) == 3
    assert {r["seed"] for r in results} == {7}


def test_what_was_graded_before_a_stop_is_kept(tmp_path):
    found, calls = entries(tmp_path), []
    with pytest.raises(KeyboardInterrupt):
        run(found, tmp_path / "out", calls, jobs=1, most=3)
    run(found, tmp_path / "out", calls, jobs=1)
    assert [name for name, _ in calls] == list("abcd") + list("def")


def test_what_counts_is_graded_again(tmp_path, monkeypatch):
    found, calls = entries(tmp_path, 2), []
    run(found, tmp_path / "out", calls)
    run(found, tmp_path / "out", calls)
    assert len(calls) == 2
    found[0].path.write_text("changed")
    run(found, tmp_path / "out", calls)
    assert len(calls) == 3
    run(found, tmp_path / "out", calls, memory_gb=5)
    assert len(calls) == 5
    (tmp_path / "out/graded").joinpath(f"{found[0].key}.json").write_text("{ half")
    run(found, tmp_path / "out", calls, memory_gb=5)
    assert len(calls) == 6
    monkeypatch.setattr(batch, "version", lambda: b"another version of the grader")
    run(found, tmp_path / "out", calls, memory_gb=5)
    assert len(calls) == 8


@pytest.mark.parametrize("kept", ["[]", "null", '"x"', '{"key": KEY}', '{"key":', "[" * 10**5])
def test_a_kept_result_that_is_not_whole_is_made_again(tmp_path, kept):
    found, out, calls = entries(tmp_path, 1), tmp_path / "out", []
    [first] = run(found, out, calls)
    [path] = (out / "graded").glob("*.json")
    path.write_text(kept.replace("KEY", f'"{first["key"]}"'))
    [again] = run(found, out, calls)
    assert len(calls) == 2 and again["total"] == first["total"]


def test_the_version_covers_every_file_of_both_packages(monkeypatch):
    """A mark that is kept must not outlive the code, the handout or the exercise it came from."""
    read = []
    monkeypatch.setattr(batch.Path, "read_bytes", lambda path: read.append(path) or b"")
    batch.version.__wrapped__()
    names = {f"{path.parent.name}/{path.name}" for path in read}
    assert {"checkpoints/train_step.py", "classroom/grade.py", "kernel_side/fence.py"} <= names
    assert "solutions/neural_style_transfer.ipynb" in names


def test_a_file_that_cannot_be_read_is_refused_with_a_reason(tmp_path):
    gone = Submission("ada", "", tmp_path / "gone.ipynb", "gone.ipynb")
    none = Submission("bob", "", tmp_path, "bob", "there is no file in this folder")
    results = run([gone, none], tmp_path / "out", [])
    assert [r["status"] for r in results] == ["refused"] * 2
    assert "FileNotFoundError" in results[0]["reason"] and "no file" in results[1]["reason"]
    assert all(r["total"] == 0 and len(r["points"]) == 5 for r in results)


def test_half_written_files_leave_nothing(tmp_path, monkeypatch):
    def half(path, data):
        path.open("wb").close()
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.write_bytes", half)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "x.csv", "half")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("seconds", [0.1, 3, 15])
def test_ctrl_c_leaves_nothing_half_written_and_no_kernel(tmp_path, seconds):
    """While the kernel starts or runs: what was graded is kept, and grading goes on from there."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.ipynb").write_text("nothing")
    (tmp_path / "in/b.ipynb").write_text(nbformat.writes(with_cells(first=[ROUGH[0]])))
    command = [*COMMAND, "grade", str(tmp_path / "in")]
    command += ["--out", str(tmp_path / "out"), "-j1", "--cell-seconds", "60"]
    process = psutil.Popen(
        command, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored under nohup or &
    )  # fmt: skip
    until = time.monotonic() + 60
    while not process.children(recursive=True) and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(seconds)
    kernels = process.children(recursive=True)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "give the same command" in error
    assert kernels and not any(k.is_running() and k.status() != "zombie" for k in kernels)
    kept = [p.name for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert len(kept) == 1 and kept[0].startswith("a-") and kept[0].endswith(".json")
