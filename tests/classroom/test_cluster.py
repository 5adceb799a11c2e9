"""A class on a cluster: workers that die, stall or cannot grade, and marks that stay the same.

The scheduler and its workers are threads of this process, but for the tests that kill a worker.
What grades is a small program in place of the course, which does as its notebook says.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import threading
import time
import zipfile

import psutil
import pytest
from handed_in import command

from classroom import Limits, batch, cluster, worker_side
from classroom.cluster import Cluster, expect_cluster, grade_on_cluster
from classroom.grade import run_loop
from classroom.submissions import Submission

distributed = pytest.importorskip("distributed", reason="needs: pip install distributed")

PROGRAM = """
import json, os, pathlib, sys, time
place = pathlib.Path(sys.argv[1])
task = json.loads((place / "task.json").read_text())
text = (place / "notebook").read_text()
if text.startswith("dies"):
    sys.exit("it had bad luck")
if text.startswith("stalls") and not pathlib.Path(text[7:]).exists():
    pathlib.Path(text[7:]).touch()
    time.sleep(60)
points = {"first": task["seed"] % 100}
result = {"status": "graded", "reason": "", "seed": task["seed"], "notes": [text],
          "verdicts": {}, "points": points, "total": points["first"], "cwd": os.getcwd()}
(place / "result.json").write_text(json.dumps(result))
"""
LIMITS = Limits()


def zipped(program: str) -> bytes:
    """A course with one program in it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("notebooks/classroom/__init__.py", "")
        archive.writestr("notebooks/classroom/worker_side.py", program)
    return packed.getvalue()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Two workers, of one notebook at once each, that are threads."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp",
        dashboard_address=None, local_directory=str(tmp_path_factory.mktemp("dask")),
    ) as found:  # fmt: skip
        yield found


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Look often, and grade with the small program."""
    monkeypatch.setattr(cluster, "LOOK", 0.1)
    monkeypatch.setattr(cluster, "packed_course", lambda: zipped(PROGRAM))


def graded(server, *notebooks: str, **changes) -> list[dict]:
    """The results of some notebooks, all at once; `changes` are those of a task."""

    async def all_of_them():
        async with Cluster(server.scheduler_address) as here:
            plain = here._task
            here._task = lambda limits, seed: plain(limits, seed) | changes
            work = [here.grade(text.encode(), LIMITS, n) for n, text in enumerate(notebooks)]
            return await asyncio.gather(*work)

    return run_loop(all_of_them())


def test_each_notebook_comes_back_with_its_own_result(server):
    texts = [f"notebook {n}" for n in range(4)]
    results = graded(server, *texts)
    assert [r["notes"] for r in results] == [[text] for text in texts]
    assert [r["total"] for r in results] == [0, 1, 2, 3]
    folders = {r["cwd"] for r in results}
    assert len(folders) <= 2 and all("nst-course-" in folder for folder in folders)
