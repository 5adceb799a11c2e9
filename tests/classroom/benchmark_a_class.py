"""How long does a class of 100 take, and how much memory?

    python tests/classroom/benchmark_a_class.py [--count 100] [-j 2] [--keep FOLDER]

Makes a synthetic class: right notebooks, wrong ones (from tests/mistakes), unfinished and broken
ones; grades it with the command that teachers use; prints seconds a submission and the peak memory
of the grader and all its kernels.
"""

from __future__ import annotations

import argparse
import inspect
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import psutil

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent / "notebooks")]

import handed_in as small  # noqa: E402
from mistakes import answers, module_of  # noqa: E402

BROKEN = {
    "syntax": {"gram_matrix": "def gram_matrix(A)\n    return A"},
    "missing": {"train_step": ""},
    "loop in a function": {"total_cost": "def total_cost(*a, **k):\n    while True:\n        pass"},
}
ROUGH_CELLS = [*small.ROUGH[1:7], small.STUBBORN, "import os\nos._exit(3)", small.SPOILT]


def wrong_answer(rng: random.Random) -> dict[str, str]:
    """One exercise answered with a known mistake: the whole module of mistakes, and a name."""
    name = rng.choice(["compute_content_cost", "gram_matrix", "total_cost"])  # need no other module
    key = rng.choice(sorted(answers(name, "wrong_")))
    helpers = inspect.getsource(sys.modules["mistakes"])
    source = inspect.getsource(module_of(name))
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


def family_memory(process: psutil.Process) -> int:
    """Bytes in use by a process and all its descendants."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_info().rss
        except psutil.Error:
            continue
    return total


def main() -> int:
    """Make, grade, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("-j", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="keep the class and its report here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nst-class-") as name:
        folder = options.keep or Path(name)
        (folder / "class").mkdir(parents=True, exist_ok=True)
        kinds = make_class(folder / "class", options.count)
        print(f"{options.count} submissions: {kinds}; load before: {os.getloadavg()[0]:.1f}")
        command = [*small.COMMAND, "grade"]
        command += [str(folder / "class"), "--out", str(folder / "report"), f"-j{options.j}"]
        start, peak = time.perf_counter(), 0
        grader = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while grader.poll() is None:
            peak = max(peak, family_memory(grader))
            time.sleep(0.5)
        took = time.perf_counter() - start
    print(f"exit code {grader.returncode}, {took:.0f} s in all, -j{options.j}")
    print(f"{took / options.count:.2f} s a submission, {took / 60:.1f} minutes")
    print(f"peak memory {peak / 1e9:.2f} GB, kernels included")
    return 0


if __name__ == "__main__":
    sys.exit(main())
