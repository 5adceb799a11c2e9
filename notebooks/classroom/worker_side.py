"""What runs on a worker of a cluster: fetch the course, grade one notebook in a process of its own.

This file is sent as text with each task, and runs where the course is not. So it imports nothing of
ours, but in `main`, which runs in the course that was fetched.
"""

from __future__ import annotations

import _thread
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import os
import queue
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
IDLE, IDLE_SECONDS = 75, 60  # the exit code of a process that nobody needed for so long
LOOK = 0.1  # seconds between two looks for a result
POOL = "nst_processes"  # the name under which a worker keeps them


def grade_there(task: dict, notebook: bytes) -> dict:
    """The answer of a worker: {"worker": its address} and one more of these keys.

    "result": the dict of `grade.grade_bytes`, here with "differs", a line on other versions, or "".
    "unfit": why no notebook can be graded on this worker; it has not been tried then.
    "spent": it was not tried, since `task["tries"]` workers have tried and told nothing.
    Raises RuntimeError if the process died or stalled.

    A task may run in a thread, or in a daemonic process. So the grading has a process of its own,
    with its own event loop, signals and children, as when a teacher starts it.
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
        result = _graded(vars(worker).setdefault(POOL, []), course, Path(name), task, notebook)
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


class Process:
    """A process on this worker that runs `main` in the course: one notebook after the other.

    Its imports take seconds, so it is kept for the next notebook.
    """

    def __init__(self, course: Path):
        self.course = course
        handle, self.said = tempfile.mkstemp(dir=course.parent, prefix="nst-said-")
        with os.fdopen(handle, "wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "classroom.worker_side"],
                cwd=course / "notebooks",
                stdin=subprocess.PIPE,  # which closes when this worker ends, however it ends
                stdout=said,
                stderr=said,
            )

    def grade(self, place: Path, patience: float) -> dict | None:
        """The result of the notebook in `place`; None if the process has ended for want of work."""
        until, result = time.monotonic() + patience, place / "result.json"
        with contextlib.suppress(OSError):  # it has just ended
            os.write(self.process.stdin.fileno(), os.fsencode(f"{place}\n"))
        while self.process.poll() is None and not result.exists():
            if time.monotonic() > until:
                raise RuntimeError(f"no result after {patience:.0f} s")
            time.sleep(LOOK)
        if result.exists():
            return json.loads(result.read_text(encoding="utf-8"))
        if self.process.returncode == IDLE:
            return None
        last = Path(self.said).read_text(encoding="utf-8", errors="replace").splitlines()
        told = f": {last[-1][:200]}" if last else ""
        raise RuntimeError(f"the process ended with exit code {self.process.returncode}{told}")

    def end(self) -> None:
        """Let the process end its kernel and itself; kill both if it does not."""
        import psutil  # which `distributed` needs, too

        family = []
        with contextlib.suppress(psutil.Error):
            family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.stdin.close()
        try:
            self.process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for child in family:
            with contextlib.suppress(psutil.Error):
                child.kill()
        Path(self.said).unlink(missing_ok=True)


def _graded(pool: list[Process], course: Path, place: Path, task: dict, notebook: bytes) -> dict:
    """The result of one notebook, from a process that waits in `pool`, or from a new one."""
    place.joinpath("notebook").write_bytes(notebook)
    place.joinpath("task.json").write_text(json.dumps(task), encoding="utf-8")
    result = None
    while result is None:
        process = _waiting(pool, course)
        try:
            result = process.grade(place, task["patience"])
        finally:
            if result is None:
                process.end()
    pool.append(process)
    return result


def _waiting(pool: list[Process], course: Path) -> Process:
    """A process that waits for a notebook, of this course; several threads take them."""
    while True:
        try:
            process = pool.pop()
        except IndexError:
            return Process(course)
        if process.course == course and process.process.poll() is None:
            return process
        process.end()


def main() -> None:
    """The process: grade the notebook in each folder that comes in, write the result there."""
    places = queue.SimpleQueue()
    threading.Thread(target=_listen, args=[places], daemon=True).start()
    from classroom import Limits, write_whole
    from classroom.grade import grade

    while True:
        try:
            place = Path(places.get(timeout=IDLE_SECONDS))
        except queue.Empty:
            sys.exit(IDLE)
        task = json.loads(place.joinpath("task.json").read_text(encoding="utf-8"))
        data = place.joinpath("notebook").read_bytes()
        result = grade(data, Limits(**task["limits"]), task["seed"])
        write_whole(place / "result.json", json.dumps(result))


def _listen(places: queue.SimpleQueue) -> None:
    """Pass on what comes in; when the worker's end of the pipe closes, end as after Ctrl-C."""
    text = b""
    # `sys.stdin` would hold a lock that Python wants at its end
    while more := os.read(0, 10_000):
        *lines, text = (text + more).split(b"\n")
        for line in lines:
            places.put(os.fsdecode(line))
    _thread.interrupt_main()  # ends the kernel, too
    time.sleep(SECONDS_TO_END - 5)
    os._exit(1)


if __name__ == "__main__":
    main()
