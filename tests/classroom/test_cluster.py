"""A class on a cluster: workers that die, stall or cannot grade, and marks that stay the same.

The scheduler and its workers are threads of this process, but for the tests that kill a worker.
What grades is a small program in place of the course, which does as its notebook says.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket
import subprocess
import time
import zipfile

import nbformat
import psutil
import pytest
from handed_in import COMMAND, EMPTY, NO_QUARTER, SOLVED, command, with_cells, write
from test_fence import landlock

from classroom import ClassroomError, Limits, cluster, worker_side
from classroom.cluster import Cluster, expect_cluster, grade_on_cluster, packed_course
from classroom.given import Given, given_cells
from classroom.grade import run_loop
from classroom.submissions import Submission

PROGRAM = """
import json, os, pathlib, sys, time
for line in sys.stdin:
    place = pathlib.Path(line.strip())
    task = json.loads((place / "task.json").read_text())
    word, _, mark = (place / "notebook").read_text().partition(" ")
    first = not mark or not pathlib.Path(mark).exists()
    if mark:
        with open(mark, "a") as lines:
            lines.write(f"{os.getpid()}\\n")
    if word == "dies" or word == "dies-once" and first:
        sys.exit("it had bad luck")
    if word == "stalls" or word == "stalls-once" and first:
        sys.exit(sys.stdin.readline())  # which waits until the worker closes it
    status = "failed" if word == "fails" or word == "fails-once" and first else "graded"
    points = {"first": task["seed"] % 100}
    result = {"status": status, "reason": "", "seed": task["seed"], "notes": [word],
              "verdicts": {}, "points": points, "total": points["first"], "pid": os.getpid()}
    (place / "part").write_text(json.dumps(result))
    (place / "part").rename(place / "result.json")
sys.exit(0)
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
    distributed = pytest.importorskip("distributed", reason="needs: pip install distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp",
        dashboard_address=":0", local_directory=str(tmp_path_factory.mktemp("dask")),
    ) as found:  # fmt: skip
        yield found


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Look often, give up soon, and grade with the small program."""
    monkeypatch.setattr(cluster, "LOOK", 0.1)
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
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
    texts = [f"notebook{n}" for n in range(5)]
    results = graded(server, *texts)
    assert [r["notes"] for r in results] == [[text] for text in texts]
    assert [r["total"] for r in results] == [0, 1, 2, 3, 4]
    assert len({r["pid"] for r in results}) == 2, "a process is kept for the next notebook"


def test_a_try_that_fails_is_made_again_elsewhere(server, tmp_path):
    """Once is not enough to say that it cannot be graded; three times is."""
    once, always = tmp_path / "once", tmp_path / "always"
    found = graded(server, f"dies-once {once}", f"dies {always}")
    assert [r["status"] for r in found] == ["graded", "lost"]
    assert len(once.read_text().split()) == 2 and len(always.read_text().split()) == 3
    says = found[1]["reason"]
    assert "3 workers died or stalled" in says and "exit code 1: it had bad luck" in says
    assert found[1]["total"] == 0 and len(found[1]["points"]) == 5
    tried = says.split("(")[1].split(")")[0].split(", ")
    assert len(tried) == 3 and len({*tried[:2]}) == 2, "the second time on another worker"


def test_a_grader_that_fails_is_no_last_word(server, tmp_path):
    """A kernel may not start on one machine, and do so on the next."""
    once, always = tmp_path / "once", tmp_path / "always"
    found = graded(server, f"fails-once {once}", f"fails {always}")
    assert [r["status"] for r in found] == ["graded", "failed"]
    assert len(once.read_text().split()) == 2 and len(always.read_text().split()) == 3


@pytest.mark.parametrize("says_so", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_try_that_stalls_is_made_again(server, tmp_path, monkeypatch, says_so):
    """The worker gives it up; or it does not even say so, as a machine that hangs."""
    mark, patience = tmp_path / "mark", 1.5
    if not says_so:
        monkeypatch.setattr(cluster, "MARGIN", -4.0)
        patience = 6.0
    (result,) = graded(server, f"stalls-once {mark}", patience=patience)
    assert result["status"] == "graded" and len(mark.read_text().split()) == 2


def test_a_notebook_that_has_ended_three_workers_ends_no_fourth(server, tmp_path):
    """The scheduler itself would hand it on: a worker asks how many have begun with it."""
    (result,) = graded(server, f"fine {tmp_path / 'mark'}", tries=0)
    assert result["status"] == "lost" and not (tmp_path / "mark").exists()


def test_a_worker_without_the_packages_says_so(server, monkeypatch):
    monkeypatch.setattr(cluster, "PACKAGES", ("json", "no_such_package"))
    with pytest.raises(ClassroomError, match=r"no worker .* no_such_package is not installed"):
        graded(server, "fine")


def test_a_worker_that_cannot_grade_is_passed_over(capsys):
    """It would answer at once, and so draw all notebooks of the class."""
    here, sent = Cluster("tcp://here:8786"), []
    here.digest, here.workers = "", {"a": 1, "b": 1}
    here.client = type("Client", (), {"submit": lambda self, *a, **options: sent.append(options)})()
    task = here._task(Limits(), 1)
    here._send(task, b"", [])
    for _ in range(2):
        here._note_unfit("a", "too old")
    here._send(task, b"", [])
    assert [options.get("workers") for options in sent] == [None, ["b"]]
    assert capsys.readouterr().err.count("a cannot grade: too old") == 1
    with pytest.raises(ClassroomError, match="too old"):
        here._note_unfit("b", "too old")


def test_other_versions_are_told_once(server, capsys):
    graded(server, "fine", "fine", packages={"numpy": "0.1"})
    told = capsys.readouterr().err
    assert "in place of 0.1" in told and len(told.splitlines()) == len(set(told.splitlines()))


def entries(folder, *texts: str) -> list[Submission]:
    paths = [folder / f"{k}.ipynb" for k in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return [Submission(path.stem, "", path, path.name) for path in paths]


def test_a_second_run_grades_only_what_is_wanting(server, tmp_path):
    """Each result is kept as it comes; what was lost is tried again."""
    mark, bad = tmp_path / "mark", tmp_path / "bad"
    found = entries(tmp_path, f"fine {mark}", f"dies {bad}")
    for run in (1, 2):
        work = grade_on_cluster(server.scheduler_address, found, tmp_path / "out", Limits(), 1, 7)
        results = run_loop(work)
        assert [(r["status"], r["total"]) for r in results] == [("graded", 7), ("lost", 0)]
        assert len(mark.read_text().split()) == 1 and len(bad.read_text().split()) == 3 * run
    assert len(list((tmp_path / "out/graded").iterdir())) == 2


def test_nothing_of_ours_stays_with_the_scheduler(server):
    graded(server, "fine")
    kept = [about for run, about in server.scheduler.task_metadata.items() if run[:4] == "nst-"]
    assert kept and not any(kept) and not server.scheduler.tasks


def test_a_scheduler_that_goes_ends_the_run_at_once(tmp_path, capsys):
    """And one without workers says so, in the meantime."""
    distributed = pytest.importorskip("distributed", reason="needs: pip install distributed")

    async def both():
        async with distributed.Scheduler(host="127.0.0.1", port=0, dashboard_address=":0") as own:
            work = grade_on_cluster(
                own.address, entries(tmp_path, "x"), tmp_path / "out", LIMITS, 1
            )
            work = asyncio.ensure_future(asyncio.wait_for(work, 20))
            while not own.tasks:
                await asyncio.sleep(0.05)
            await own.close()
            await work

    with pytest.raises(ClassroomError, match="has gone; what is graded is kept"):
        run_loop(both())
    assert capsys.readouterr().err.count("has no workers: start some") == 1


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.parametrize("address", ["127.0.0.1:{}", "nonsense", "http://127.0.0.1:{}", ""])
def test_an_address_that_does_not_answer(address):
    pytest.importorskip("distributed", reason="needs: pip install distributed")
    with pytest.raises(ClassroomError, match=r"no Dask scheduler answers at .* give the address"):
        run_loop(expect_cluster(address.format(closed_port())))


def test_without_dask_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(cluster, "distributed", None)
    with pytest.raises(ClassroomError, match="pip install distributed"):
        run_loop(expect_cluster("tcp://127.0.0.1:8786"))


def test_the_course_that_is_sent_is_whole_and_without_answers(tmp_path):
    """The same cells are known as given there, so marks are the same."""
    data = packed_course()
    digest = worker_side.hashlib.sha256(data).hexdigest()
    worker_side.unpack(data, digest, tmp_path / "course")
    worker_side.unpack(data, digest, tmp_path / "course")
    assert [path.name for path in tmp_path.iterdir()] == ["course"]
    place = tmp_path / "course/notebooks/classroom"
    text = (place / "handout.ipynb").read_text(encoding="utf-8")
    assert Given.read(nbformat.reads(text, as_version=4)) == given_cells()
    assert (place / "kernel_side/fence.py").is_file() and "### BEGIN SOLUTION" not in text
    assert not (tmp_path / "course/notebooks/solutions").exists()
    with pytest.raises(RuntimeError, match="damaged"):
        worker_side.unpack(data, "0" * 64, tmp_path / "other")


CONNECTS = "import socket\nsocket.create_connection(('127.0.0.1', {}), 5)"


def kernels() -> list[psutil.Process]:
    """The kernels that grade, of whoever it is."""
    found = []
    for process in psutil.process_iter():
        try:
            if "NST_GRADING" in process.environ():
                found.append(process)
        except psutil.Error:
            continue
    return found


def until(found, seconds: float = 120.0):
    """What `found` gives, as soon as it gives something."""
    end = time.monotonic() + seconds
    while not (result := found()) and time.monotonic() < end:
        time.sleep(0.2)
    assert result
    return result


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_marks_are_the_same_though_a_worker_is_killed_and_the_run_stopped(tmp_path):
    """With real kernels, and the command that teachers type."""
    distributed = pytest.importorskip("distributed", reason="needs: pip install distributed")
    place, before = tmp_path / "in", set(kernels())
    options = ["--seed", "3", "--cell-seconds", "5"]

    def ours() -> set[psutil.Process]:
        return set(kernels()) - before

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0",
        local_directory=str(tmp_path / "dask"),
    ) as server:  # fmt: skip
        port = server.scheduler_address.rpartition(":")[2]
        write(place / "ada.ipynb", SOLVED)
        write(place / "bob.ipynb", with_cells(compute_content_cost=NO_QUARTER))
        write(place / "carl.ipynb", EMPTY)
        write(place / "dora.ipynb", with_cells(first=[CONNECTS.format(port)]))
        write(place / "emil.ipynb", with_cells(gram_matrix="import os\nos._exit(3)"))
        (place / "fred.ipynb").write_text("{ broken")
        here = [*COMMAND, "grade", str(place), "--out", str(tmp_path / "there"), *options]
        here += ["--dask", server.scheduler_address]
        process = subprocess.Popen(
            here, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored under nohup
        )  # fmt: skip
        kernel = until(ours).pop()
        workers = {nanny.pid for nanny in server.workers.values()}
        worker = next(p for p in kernel.parents() if p.pid in workers)
        worker.kill()
        until(lambda: not kernel.is_running(), 30)  # it ends with its worker
        until(lambda: len(list((tmp_path / "there/graded").glob("*.json"))) > 2)
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=60)[1]
        assert process.returncode == 130 and "give the same command" in error
        done = subprocess.run(here, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1 and "5 graded, 1 not" in done.stdout, done.stderr
    until(lambda: not ours(), 30)
    local = command("grade", place, "--out", tmp_path / "here", *options, "-j2")
    assert local.returncode == 1
    tables = [(tmp_path / name / "grades.csv").read_text("utf-8") for name in ("here", "there")]
    assert tables[0] == tables[1]
    refused = "Cell 1: PermissionError" in tables[1]
    assert refused or landlock() < 4, "a notebook has reached the scheduler"
