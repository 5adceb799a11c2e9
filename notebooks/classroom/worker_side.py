"""What runs on a worker of a cluster: fetch the course, grade one notebook in a process of its own.

This file is sent as text with each task, and runs where the course is not. So it imports nothing of
ours, but in `main`, which runs in the course that was fetched.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

OLDEST_PYTHON = (3, 10)
SECONDS_TO_END = 15  # in which a process that is told to end has ended its kernel


def grade_there(task: dict, notebook: bytes) -> dict:
    """The answer of a worker: {"worker": its address} and one more of these keys.

    "result": the dict of `grade.grade_bytes`, here with "differs", a line on other versions, or "".
    "unfit": why no notebook can be graded on this worker; it has not been tried then.
    "spent": it was not tried, since `task["tries"]` workers have tried and told nothing.
    Raises RuntimeError if the process died or stalled.

    A worker's task may run in a thread or in a daemonic process. So the grading has a process of
    its own, whose event loop, signals and children are its own, as when a teacher starts it.
    """
    import distributed

    worker, server = distributed.get_worker(), distributed.get_client()
    about, place = {"worker": worker.address}, Path(worker.local_directory)
    if unfit := why_unfit(task["packages"]):
        return about | {"unfit": unfit}
    # The scheduler hands the task of a dead worker to the next one, and tells the client nothing.
    before = server.get_metadata([task["run"], task["id"]], [])
    if len(before) >= task["tries"]:
        return about | {"spent": True}
    server.set_metadata([task["run"], task["id"]], [*before, worker.address])
    course = place / f"nst-course-{task['course'][:16]}"
    if not course.is_dir():
        unpack(server.get_metadata([task["run"], "course"]), task["course"], course)
    with tempfile.TemporaryDirectory(dir=place, prefix="nst-", ignore_cleanup_errors=True) as name:
        result = _in_a_process(course, Path(name), task, notebook)
    return about | {"result": result, "differs": other_versions(task["packages"])}


def why_unfit(packages: dict[str, str]) -> str:
    """Why this Python cannot grade; "" if it can. `packages` are modules and versions there."""
    if sys.version_info < OLDEST_PYTHON:
        return f"it has Python {sys.version.split()[0]}, older than 3.10"
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    told = f"{', '.join(missing)} is not installed there: pip install -r requirements.txt"
    return told if missing else ""


def other_versions(packages: dict[str, str]) -> str:
    """Which packages have another version here, in one line; "" if none."""
    lines = []
    for name, there in packages.items():
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            here = importlib.metadata.version(name)
            lines += [f"{name} {here} in place of {there}"] if there and here != there else []
    return ", ".join(lines)


def unpack(course: bytes, digest: str, folder: Path) -> None:
    """Unpack the zip of the course, all of it or nothing; several threads may do so at once."""
    if hashlib.sha256(course).hexdigest() != digest:
        raise RuntimeError("the course arrived damaged")
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix="nst-part-"))
    with zipfile.ZipFile(io.BytesIO(course)) as archive:
        archive.extractall(part)
    with contextlib.suppress(OSError):  # another thread was first
        part.rename(folder)
    shutil.rmtree(part, ignore_errors=True)


def _in_a_process(course: Path, place: Path, task: dict, notebook: bytes) -> dict:
    """Run `main` in the course, for at most `task["patience"]` seconds; its result."""
    place.joinpath("notebook").write_bytes(notebook)
    place.joinpath("task.json").write_text(json.dumps(task), encoding="utf-8")
    with place.joinpath("said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "classroom.worker_side", str(place)],
            cwd=course / "notebooks",
            stdin=subprocess.PIPE,  # which closes when this worker ends, however it ends
            stdout=said,
            stderr=said,
        )
    try:
        process.wait(task["patience"])
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"no result after {task['patience']:.0f} s") from None
    finally:
        _end(process)
    if process.returncode:
        last = place.joinpath("said").read_text(encoding="utf-8", errors="replace").splitlines()
        told = f": {last[-1][:200]}" if last else ""
        raise RuntimeError(f"the process ended with exit code {process.returncode}{told}")
    return json.loads(place.joinpath("result.json").read_text(encoding="utf-8"))


def _end(process: subprocess.Popen) -> None:
    """Let the process end its kernel and itself; kill both if it does not."""
    import psutil  # which `distributed` needs, too

    family = []
    with contextlib.suppress(psutil.Error):
        family = psutil.Process(process.pid).children(recursive=True)
    process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(SECONDS_TO_END)
        return
    process.kill()
    process.wait()
    for child in family:
        with contextlib.suppress(psutil.Error):
            child.kill()


def main(place: Path) -> None:
    """The process: grade the notebook in `place`, write the result there."""
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    from classroom import Limits, write_whole
    from classroom.grade import grade

    task = json.loads(place.joinpath("task.json").read_text(encoding="utf-8"))
    data = place.joinpath("notebook").read_bytes()
    result = grade(data, Limits(**task["limits"]), task["seed"])
    write_whole(place / "result.json", json.dumps(result))


def _end_with_the_worker() -> None:
    """Wait until the worker has closed its end of the pipe; then end as after Ctrl-C."""
    import _thread

    sys.stdin.buffer.read()
    _thread.interrupt_main()  # ends the kernel, too
    time.sleep(SECONDS_TO_END - 5)
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
