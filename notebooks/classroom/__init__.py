"""The teacher's tool: make the student's notebook, release it, grade what comes back.

How a mark is made: the student's code cells run in a fresh kernel in an empty folder. Then hidden
random inputs are sent to the student's functions there, the raw results come back as a file, and
`checkpoints` judges them in this process. The kernel holds no expected value and no right formula,
so whatever a notebook patches can only lose points. TEACHING.md says what this does not protect.

The rooms, in the order in which a submission passes them:

    student      the student's notebook, made from the solution
    release      what students receive, and that no answer is in it
    archives     a zip, and zips in it, unpacked
    tree         the files of a class;  several: which folders hold several students
    submissions  who handed in what;  layouts: what names tell, as learning platforms write them
    choosing     which of a student's files counts
    reading      one file, read as a notebook, or why it is none
    given        which cells were given, and which are the student's
    source       what a cell defines;  tampering: what it replaces;  remarks: what deserves a line
    own_picture  the picture to show on the feedback page
    kernel       one fresh kernel;  folder: what is in it;  watch: its time and memory
    kernel_side/ what runs in it: whole files, copied there
    attempt      a notebook in a kernel, and again without what ended it
    grade        one notebook: a pure function of its bytes, the limits and a seed
    batch        a class: what is not graded yet, some at a time
    cluster      the same on a Dask cluster;  worker_side: what runs there, sent as it is
    report       grades.csv, summary.html, a page for each student, from templates/

To change what a student or a teacher reads: templates/feedback.html and summary.html hold the words
and their order, report.py what they are given, `grade.grade_bytes` the keys of a result `r` (and
`batch` adds student, number, file, page). tests/classroom/test_report.py makes results without a
kernel, in seconds. For a look at real pages, grade a folder with one notebook. A change to any .py
of this package or of `checkpoints` grades a class anew, for marks may depend on it; one to a
template does not: the pages are written again from the results that are kept.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parent.parent
ROOT = NOTEBOOKS.parent
NOTEBOOK = "neural_style_transfer.ipynb"
SOLUTION = NOTEBOOKS / "solutions" / NOTEBOOK
HANDOUT = Path(__file__).resolve().parent / "handout.ipynb"  # in released copies, see `release`


class ClassroomError(Exception):
    """Something that the person at the keyboard can put right; the message says how."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use; seconds are those of `watch.Watch.worked`."""

    cell_seconds: float = 30.0
    seconds: float = 180.0
    memory_gb: float = 4.0
    output_mb: float = 20.0
    file_mb: float = 50.0  # of the notebook
    facts_mb: float = 64.0  # of what comes back from one exercise
    processes: int = 8


def write_whole(path: Path, content: str | bytes) -> None:
    """Write all of `content`, or nothing: under a temporary name, which is renamed at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name[:60]}.{os.getpid()}.part")
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
