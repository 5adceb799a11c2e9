"""For teachers: make the student's notebook, release it, grade what comes back.

    python notebooks/classroom student [--check]      the student's notebook from the solution
    python notebooks/classroom release OUT_DIR        what students receive, folder and zip
    python notebooks/classroom grade SUBMISSIONS --out REPORT_DIR
    python notebooks/classroom check FILE             for students: the same for one notebook

Submissions run in kernels of their own, and are judged outside of them. TEACHING.md says how marks
are made, and what is not protected.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

# `python notebooks/classroom` puts this folder on the path, where its files would hide others'
HERE = Path(__file__).resolve().parent
sys.path[:] = [
    str(HERE.parent),
    *(path for path in sys.path if Path(path or ".").resolve() != HERE),
]
from classroom import NOTEBOOK, NOTEBOOKS, ClassroomError, Limits, write_whole  # noqa: E402

MOST_JOBS = 64  # on one machine
CHECK = NOTEBOOKS / "check_environment.py"

# The commands import their rooms themselves, so that --help needs not wait for TensorFlow.


def command_student(options: argparse.Namespace) -> int:
    """Write the student's notebook, or with --check say whether it is up to date."""
    from classroom.student import student_text

    path, text = NOTEBOOKS / NOTEBOOK, student_text()
    if not options.check:
        write_whole(path, text)
        print(f"written: {path}")
        return 0
    if path.is_file() and path.read_bytes() == text.encode():
        return 0
    print(f"{path} differs from the solution: run python notebooks/classroom student")
    return 1


def command_release(options: argparse.Namespace) -> int:
    """Write what students receive."""
    from classroom.release import release

    folder = release(options.out, options.with_weights)
    print(f"written: {folder} and {folder.name}.zip")
    return 0


def command_grade(options: argparse.Namespace) -> int:
    """Grade a class; exit code 1 if a submission could not be graded."""
    _expect(options.submissions, "the folder or zip with the submissions")
    out, grader = options.out, _grader(options)
    from classroom.archives import unpacked
    from classroom.grade import run_loop
    from classroom.report import write_reports
    from classroom.submissions import find_submissions

    out.mkdir(parents=True, exist_ok=True)
    with unpacked(options.submissions, out) as place:
        found = find_submissions(place, out)
        limits, jobs = read_limits(options), options.jobs
        results = run_loop(grader(found.submissions, out, limits, jobs, options.seed))
    write_reports(results, out, found.passed_over)
    rest = [r for r in results if r["status"] != "graded"]
    print(f"{len(results) - len(rest)} graded, {len(rest)} not: see {out / 'summary.html'}")
    for result in rest:
        print(f"  {result['student']} ({result['file']}): {result['reason']}")
    for entry in found.submissions:
        for note in entry.notes:
            print(f"  {entry.student}: {note}")
    if found.passed_over:
        print(f"passed over, as nobody's answer: {', '.join(found.passed_over)}")
    return 1 if rest else 0


def _grader(options: argparse.Namespace) -> Callable:
    """What grades a class: this machine, or a cluster that answers, before a class is unpacked."""
    if options.dask is not None:
        from classroom.cluster import expect_cluster, grade_on_cluster
        from classroom.grade import run_loop

        run_loop(expect_cluster(options.dask))
        return partial(grade_on_cluster, options.dask)
    if options.jobs > MOST_JOBS:
        raise ClassroomError(f"-j {options.jobs} is more than {MOST_JOBS}: see --dask for more.")
    from classroom.batch import grade_all

    return grade_all


def command_check(options: argparse.Namespace) -> int:
    """Grade one notebook and print the result; exit code 1 if it could not be graded."""
    _expect(options.file, "the path of your notebook")
    import checkpoints
    from classroom.grade import grade
    from classroom.reading import read_bytes

    seed = secrets.randbits(32) if options.seed is None else options.seed
    limits = read_limits(options)
    r = grade(read_bytes(options.file, limits), limits, seed)
    if r["reason"]:
        print(f"Not graded: {r['reason']}")
        return 1
    for verdict in r["verdicts"].values():
        print(checkpoints.explain(checkpoints.Verdict(**verdict)))
    for line in (*r["tampering"], *r["notes"]):
        print(f"note: {line}")
    print(f"{r['total']} of 100 points (--seed {seed} gives the same hidden inputs)")
    return 0


def _expect(path: Path, what: str) -> None:
    """A wrong path is an error at once, before anything is imported."""
    if not path.exists():
        raise ClassroomError(f"{path} does not exist: give {what}.")


def read_limits(options: argparse.Namespace) -> Limits:
    """The limits that were asked for."""
    return Limits(options.cell_seconds, options.seconds, options.memory_gb)


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 on")
    return int(text)


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 on")
    return int(text)


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = argparse.ArgumentParser(
        prog="classroom", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    student = commands.add_parser("student", help="make the student's notebook from the solution")
    student.add_argument("--check", action="store_true", help="only compare; exit code 1 if stale")
    student.set_defaults(run=command_student)
    release = commands.add_parser("release", help="make the folder and the zip for students")
    release.add_argument("out", type=Path, metavar="OUT_DIR", help="where to put both")
    release.add_argument("--with-weights", action="store_true", help="add the weights of VGG-19")
    release.set_defaults(run=command_release)
    grade = commands.add_parser("grade", help="grade a class")
    grade.add_argument(
        "submissions", type=Path, metavar="SUBMISSIONS",
        help="folder or zip, as Canvas, Moodle or nbgrader export it, or just notebooks",
    )  # fmt: skip
    grade.add_argument("--out", type=Path, required=True, metavar="REPORT_DIR",
                       help="for grades.csv, summary.html and feedback/")  # fmt: skip
    cores = min(os.cpu_count() or 1, 4)
    grade.add_argument("-j", "--jobs", type=_jobs, default=cores, metavar="N",
                       help=f"how many at once (default {cores})")  # fmt: skip
    grade.add_argument("--dask", metavar="ADDRESS",
                       help="on the Dask cluster of this scheduler, all of it")  # fmt: skip
    grade.set_defaults(run=command_grade)
    check = commands.add_parser("check", help="grade one notebook, in the terminal")
    check.add_argument("file", type=Path, metavar="FILE", help="your notebook")
    check.set_defaults(run=command_check)
    for command in (grade, check):
        command.add_argument("--seed", type=_seed, help="seed of the hidden inputs, from a report")
        for name, what in (("cell_seconds", "seconds of work for one cell"),
                           ("seconds", "seconds of work for one notebook"),
                           ("memory_gb", "memory for one notebook, in GB")):  # fmt: skip
            usual = getattr(Limits, name)
            command.add_argument("--" + name.replace("_", "-"), type=_positive, default=usual,
                                 metavar="X", help=f"{what} (default {usual:g})")  # fmt: skip
    return parser


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code: 0 fine, 1 something not graded, 2 a wrong call."""
    options = build_parser().parse_args(arguments)
    try:
        return options.run(options)
    except ClassroomError as error:
        print(f"classroom: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as wanting:  # most often another Python than that of .venv
        needed = f"{wanting.name} is not installed for {sys.executable}"
        print(f"classroom: {needed}. What to do: run {CHECK}", file=sys.stderr)
        return 2
    except OSError as error:  # a disk that is full, a folder that is shut, a table open in Excel
        place, why = error.filename2 or error.filename or "a file", error.strerror or error
        remedy = "close what uses it, make room, or choose another folder; what is graded is kept"
        said = f"classroom: {place} cannot be read or written ({str(why)[:200]}): {remedy}"
        print(said, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; what is graded is kept: give the same command to go on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show
    sys.exit(main())
