"""How long does a class of 100 take, and how much memory?

    python tests/classroom/benchmark_a_class.py [--count 100] [-j 2] [--keep FOLDER]
    python tests/classroom/benchmark_a_class.py --count 40 --workers 4 --kill 1

Makes a synthetic class: right notebooks, wrong ones (from tests/mistakes), unfinished and broken
ones; grades it with the command that teachers use; prints seconds a submission, seconds of a core,
and the peak memory of the grader and all its kernels.

With --workers it is graded again on a Dask cluster of this machine, some of whose workers are
killed while they grade. Are the marks the same? What does that cost? And a calculation: what a
class of 30,000 takes.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import psutil

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent / "notebooks")]

import handed_in as small  # noqa: E402
from mistakes import answers  # noqa: E402

BROKEN = {
    "syntax": {"gram_matrix": "def gram_matrix(A)\n    return A"},
    "missing": {"train_step": ""},
    "loop in a function": {"total_cost": "def total_cost(*a, **k):\n    while True:\n        pass"},
}
ROUGH_CELLS = [*small.ROUGH[1:7], small.STUBBORN, "import os\nos._exit(3)", small.SPOILT]


def wrong_answer(rng: random.Random) -> dict[str, str]:
    """One exercise answered with a known mistake: the whole module of mistakes, and a name."""
    name = rng.choice(["compute_content_cost", "gram_matrix", "total_cost"])  # need no other module
    wrong = answers(name, "wrong_")
    key = rng.choice(sorted(wrong))
    helpers = inspect.getsource(sys.modules["mistakes"])
    source = inspect.getsource(sys.modules[wrong[key].__module__])
    text = "\n".join(
        line
        for line in (helpers + source).splitlines()
        if not line.startswith(("from __future__", "from . import", "from . "))
    )
    return {name: f"{text}\n{name} = {key}"}


def make_class(folder: Path, count: int) -> dict[str, int]:
    """Write `count` notebooks: 40 % right, 35 % wrong, 10 % unfinished, 15 % broken."""
    rng, kinds = random.Random(0), {}
    for number in range(count):
        kind = rng.choices(("right", "wrong", "unfinished", "broken"), (40, 35, 10, 15))[0]
        kinds[kind] = kinds.get(kind, 0) + 1
        text = None
        if kind == "wrong":
            book = small.with_cells(**wrong_answer(rng))
        elif kind == "unfinished":
            left = rng.sample(list(small.POINTS), 2)
            book = small.with_cells(**{name: f"def {name}(*args):\n    ..." for name in left})
        elif kind == "broken":
            which = rng.randrange(4)
            book = small.with_cells(first=[rng.choice(ROUGH_CELLS)])
            if which == 0:
                book = small.with_cells(**rng.choice(list(BROKEN.values())))
            elif which == 1:
                text = rng.choice(["", "{", "[]", "not a notebook"])
        else:
            book = small.with_cells()
        text = nbformat.writes(book) if text is None else text
        name = f"student{number}_{1000 + number}_{5000 + number}_{kind}.ipynb"
        (folder / name).write_text(text, encoding="utf-8")
    return kinds


class Meter:
    """What all descendants of this process take, looked at twice a second."""

    def __init__(self):
        self.most = 0.0  # GB at one time
        self.core: dict[tuple, float] = {}  # a process -> seconds that it has worked

    @property
    def seconds(self) -> float:
        """Seconds of a core, of all processes so far; those that were killed included."""
        return sum(self.core.values())

    def look(self) -> None:
        """Look once."""
        memory = 0
        for one in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                memory += one.memory_info().rss
                self.core[one.pid, one.create_time()] = sum(one.cpu_times()[:2])
        self.most = max(self.most, memory / 1e9)


def graded(folder: Path, report: str, *options: str, meanwhile: Callable = bool) -> Meter:
    """Grade the class with the command that teachers use; what it took."""
    command = [*small.COMMAND, "grade", str(folder / "class"), "--out", str(folder / report)]
    start, meter = time.perf_counter(), Meter()
    grader = psutil.Popen([*command, "--seed=1", *options], stdout=subprocess.DEVNULL)
    while grader.poll() is None:
        meter.look()
        meanwhile()
        time.sleep(0.5)
    took, count = time.perf_counter() - start, len(list((folder / "class").iterdir()))
    print(f"{report}: exit code {grader.returncode}, {took:.0f} s in all ({' '.join(options)})")
    print(f"  {took / count:.2f} s a submission, {took / 60:.1f} minutes")
    print(f"  {meter.seconds / count:.2f} s of a core a submission; {meter.most:.2f} GB at most")
    return meter


class Killer:
    """Kills some workers of a cluster when a quarter of the class is graded, while they grade."""

    def __init__(self, cluster, report: Path, after: int, count: int):
        self.cluster, self.report, self.after, self.left = cluster, report, after, count

    def __call__(self) -> None:
        done = len(list((self.report / "graded").glob("*.json")))
        for nanny in list(self.cluster.workers.values()):
            family = psutil.Process(nanny.pid).children(recursive=True) if nanny.pid else []
            if self.left and done >= self.after and len(family) > 1:  # a grader, and its kernel
                self.left -= 1
                print(f"  killed a worker with {len(family)} processes; {done} are graded")
                os.kill(nanny.pid, 9)


def graded_on_a_cluster(folder: Path, options: argparse.Namespace, more: list[str]) -> Meter:
    """The same class on a cluster of this machine; what it took."""
    import distributed

    with distributed.LocalCluster(
        n_workers=options.workers, threads_per_worker=1, dashboard_address=":0",
        local_directory=str(folder / "dask"),
    ) as cluster:  # fmt: skip
        killer = Killer(cluster, folder / "cluster", options.count // 4, options.kill)
        address = f"--dask={cluster.scheduler_address}"
        return graded(folder, "cluster", address, *more, meanwhile=killer)


def calculate(seconds: float, memory: float) -> None:
    """What 30,000 notebooks take; `seconds` of a core each, GB for one at a time."""
    print(f"30,000 notebooks: {30_000 * seconds / 3600:.0f} hours of a core")
    for cores in (16, 64, 256):
        hours, need = 30_000 * seconds / 3600 / cores, cores * memory
        print(f"  on {cores} cores {hours:.1f} hours, with {need:.0f} GB of memory in all")


def main() -> int:
    """Make, grade, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("-j", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="keep the class and its report here")
    parser.add_argument("--cell-seconds", default="30", help="as of the command")
    parser.add_argument("--workers", type=int, help="grade it on a cluster, too")
    parser.add_argument("--kill", type=int, default=0, help="kill so many workers while they grade")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = options.keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="nst-class-"))
        )
        (folder / "class").mkdir(parents=True, exist_ok=True)
        kinds = make_class(folder / "class", options.count)
        print(f"{options.count} submissions: {kinds}; load before: {os.getloadavg()[0]:.1f}")
        more = ["--cell-seconds", options.cell_seconds]
        graded(folder, "report", f"-j{options.j}", *more)
        if options.workers:
            meter = graded_on_a_cluster(folder, options, more)
            tables = {(folder / name / "grades.csv").read_text() for name in ("report", "cluster")}
            same = "the same" if len(tables) == 1 else "others"
            print(f"the marks, and all else in grades.csv, are {same}")
            calculate(meter.seconds / options.count, meter.most / options.workers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
