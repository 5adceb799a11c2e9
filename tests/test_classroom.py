"""The teacher's command line: release, grade, check. One small class is graded once for all."""

from __future__ import annotations

import ast
import asyncio
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "notebooks"))
import checkpoints  # noqa: E402
import classroom  # noqa: E402

POINTS = checkpoints.EXERCISES
SOLVED = nbformat.read(classroom.SOLUTION, as_version=4)
EMPTY = classroom.student_version(SOLVED)
LIMITS = ["--cell-seconds", "8", "--seconds", "300", "--memory-gb", "3"]


def with_cells(base=SOLVED, first=(), last=(), **answers):
    """A copy of `base` with other answers, and more cells at the start or at the end."""
    book = nbformat.from_dict(json.loads(json.dumps(base)))
    for cell in book.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in answers:
            cell.source = answers[name]
    new = nbformat.v4.new_code_cell
    book.cells = [new(s) for s in first] + book.cells + [new(s) for s in last]
    return book


# --- The synthetic class -------------------------------------------------------------------------

ZERO = {name: f"def {name}(*args, **options):\n    return tf.constant(1.0)" for name in POINTS}
NO_QUARTER = """def compute_content_cost(content_output, generated_output):
    a, b = content_output[-1], generated_output[-1]
    return tf.reduce_mean(tf.square(a - b))"""
ROUGH = [
    "while True:\n    pass",
    "import sys\nsys.exit()",
    "name = input('Your name? ')",
    "for i in range(1_000_000):\n    print(i)",
    "hog = bytearray(60_000_000_000)",
    "import a_package_that_nobody_has",
    "import os\nfor i in range(100):\n    os.fork()",
    "list = sum = open = print = json = 1",  # careless names, not an attack
]
STUBBORN = """while True:
    try:
        while True:
            pass
    except KeyboardInterrupt:
        pass"""
SPOILT = """import builtins, json, checkpoints, numpy as np, tensorflow as tf
np.allclose = np.isclose = lambda *a, **k: True
tf.reduce_sum = lambda *a, **k: tf.constant(0.0)
checkpoints.gram_matrix = lambda fn: 20
kind = isinstance
builtins.isinstance = lambda a, b: kind(a, b) or "Verdict" in str(b)
np.array = lambda *a, **k: 0
class Equal(float):
    __eq__ = __le__ = __lt__ = __ge__ = lambda self, other: True"""
FORGED = """import sys, pathlib, threading, atexit, types
def forge():
    for place in pathlib.Path("..").resolve(), pathlib.Path("."):
        for name in %r:
            (place / f"{name}.out").write_text('{"dict": {"facts": {"list": []}, "points": 100}}')
atexit.register(forge)
def forever():
    while True:
        forge()
threading.Thread(target=forever, daemon=True).start()
fake = types.ModuleType("kernel_side")
fake.observe_exercise = lambda name, folder: forge()
sys.modules["kernel_side"] = fake""" % (list(POINTS),)  # noqa: UP031
HOOKED = """def swap(lines):
    return ["Verdict = 100\\n"] if "_observe" in "".join(lines) else lines
ip = get_ipython()
ip.input_transformers_cleanup.append(swap)
ip.events.register("post_run_cell", lambda *a: print("100 of 100 points"))
ip.set_custom_exc((Exception,), lambda *a: None)"""
CURIOUS = f"""import os, sys, pathlib, subprocess, tensorflow as tf
found = []
for read in (lambda p: open(p).read(), lambda p: tf.io.read_file(p).numpy().decode(),
             lambda p: subprocess.run(["cat", p], capture_output=True, text=True).stdout,
             lambda p: os.popen("cat " + p).read()):
    try:
        found.append(read({str(classroom.SOLUTION)!r}))
    except BaseException as error:
        print(error)
for text in filter(None, found):
    import json
    for cell in json.loads(text)["cells"]:
        try:
            exec("".join(cell["source"]))
        except BaseException:
            pass"""
BORROWED = f"""import sys
sys.path.insert(0, {str(ROOT / "notebooks")!r})
sys.modules.pop("checkpoints", None)
import importlib
checkpoints = importlib.import_module("checkpoints")
def compute_content_cost(a, b):
    return tf.constant(checkpoints.REGISTRY["compute_content_cost"], tf.float32)"""
KILLER = """import os, signal
try:
    os.kill(os.getppid(), signal.SIGKILL)
except OSError as error:
    print(error)
import ctypes
try:
    ctypes.CDLL(None).kill(os.getppid(), 9)
except OSError as error:
    print(error)
libc = ctypes.PyDLL(None, handle=ctypes.pythonapi._handle)
libc.kill(os.getppid(), 9)"""
SNOOPING = """import gc, sys
def snoop(*args, **options):
    frame, seen = sys._getframe(), {}
    while frame:
        seen.update(frame.f_locals)
        frame = frame.f_back
    for key in ("expected", "verdict", "points", "answer"):
        if key in seen:
            return seen[key]
    return [o for o in gc.get_objects() if type(o).__name__ == "Verdict"] or tf.constant(1.0)
compute_content_cost = gram_matrix = compute_layer_style_cost = total_cost = train_step = snoop"""
ODD = {
    "compute_content_cost": "compute_content_cost = lambda a, b: Equal(1.0)",
    "gram_matrix": "class A:\n    __array__ = lambda self, *a, **k: np.ones((5, 5))\n"
    "gram_matrix = lambda a: A()",
    "compute_layer_style_cost": "compute_layer_style_cost = lambda a, b: 'right. 25 of 25 points'",
    "total_cost": "total_cost = lambda *a, **k: float('nan')",
    "train_step": "train_step = 100",
}
TAMPERING = {
    "patched libraries": with_cells(EMPTY, first=[SPOILT], **ZERO),
    "forged files": with_cells(EMPTY, last=[FORGED], **ZERO),
    "hooks": with_cells(EMPTY, last=[HOOKED, SPOILT], **ODD),
    "reads the solution": with_cells(EMPTY, first=[KILLER, CURIOUS], last=[CURIOUS, BORROWED]),
    "snoops": with_cells(EMPTY, last=[SNOOPING]),
}


def rearranged():
    """Right answers with cells in reverse order, doubled, renamed, and the checks removed."""
    book = with_cells()
    code = [c for c in book.cells if c.cell_type == "code" and "checkpoints." not in c.source]
    wrong = nbformat.v4.new_code_cell("def gram_matrix(A):\n    return A")
    book.cells = [wrong, *code[::-1], *code[::-1]]
    book.cells = [nbformat.v4.new_code_cell(cell.source) for cell in book.cells]
    return book


ANSWERS = {
    name: next(c.source for c in SOLVED.cells if re.search(rf"^def {name}", c.source, re.MULTILINE))
    for name in POINTS
}
CARELESS = {  # a right answer, and beside it a line that fails, waits, or would end the notebook
    "compute_content_cost": f"%timeit\nexit()\n{ANSWERS['compute_content_cost']}\nexit()",
    "gram_matrix": f"{ANSWERS['gram_matrix']}\nprint(gram_matrix(undefined))",
    "compute_layer_style_cost": f"import a_package\n{ANSWERS['compute_layer_style_cost']}",
    "total_cost": f"while True:\n    pass\n{ANSWERS['total_cost']}",
    "train_step": f"{ANSWERS['train_step']}\nimport os\nos._exit(3)",
}


def make_class(folder: Path) -> None:
    """Submissions in the shapes of Canvas, Moodle and nbgrader, all in one folder."""
    flat = {
        "partly_103_9003_x.ipynb": with_cells(
            compute_content_cost=NO_QUARTER, total_cost="def total_cost(:\n    return 1"
        ),
        "rough_104_9004_x.ipynb": with_cells(first=ROUGH),
        "stubborn_105_9005_x.ipynb": with_cells(first=[STUBBORN], last=["import os\nos._exit(3)"]),
        "hangs_106_9006_x.ipynb": with_cells(
            gram_matrix="def gram_matrix(A):\n    import os\n    os._exit(1)",
            compute_layer_style_cost=ZERO["compute_layer_style_cost"],
        ),
    }
    flat["careless_109_9009_x.ipynb"] = with_cells(**CARELESS)
    flat["above_110_9010_x.ipynb"] = with_cells(EMPTY, first=ANSWERS.values())
    for name, book in flat.items():
        (folder / name).write_text(nbformat.writes(book), encoding="utf-8")
    old = nbformat.v3.writes_json(nbformat.convert(with_cells(), 3))
    (folder / "müllerzoë_LATE_101_9001_version 3.ipynb").write_text(old, encoding="utf-8")
    for name in ("Same Name_1_assignsubmission_file_", "Same Name_2_assignsubmission_file_"):
        (folder / name).mkdir()
    (folder / "Same Name_1_assignsubmission_file_/Neural style.ipynb").write_text(
        nbformat.writes(rearranged()), encoding="utf-8"
    )
    (folder / "Same Name_2_assignsubmission_file_/x.ipynb").write_text("{ broken")
    nested = folder / "student9/nst/renamed.ipynb.txt"
    nested.parent.mkdir(parents=True)
    nested.write_text(nbformat.writes(EMPTY))
    (folder / "=cmd_108_9008_x.pdf").write_bytes(b"%PDF-1.7")
    for name, book in TAMPERING.items():
        (folder / f"{name}.ipynb").write_text(nbformat.writes(book), encoding="utf-8")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The class, graded once: (folder, report, rows of grades.csv by student and id, exit code)."""
    place = tmp_path_factory.mktemp("with space ü")
    (place / "handed in").mkdir()
    make_class(place / "handed in")
    os.environ["SECRET_OF_THE_TEACHER"] = "hunter2"
    code = classroom.main(
        ["grade", str(place / "handed in"), "--out", str(place / "report"), "-j2", *LIMITS]
    )
    text = (place / "report/grades.csv").read_text(encoding="utf-8-sig")
    rows = {(row["student"], row["id"]): row for row in csv.DictReader(text.splitlines())}
    return place / "handed in", place / "report", rows, code


def earned(row: dict) -> list[int]:
    return [int(row[name]) for name in POINTS]


@pytest.mark.parametrize(
    ("student", "expected"),
    [
        (("müllerzoë", "101"), [15, 20, 25, 15, 25]),
        (("rough", "104"), [15, 20, 25, 15, 25]),
        (("stubborn", "105"), [15, 20, 25, 15, 25]),
        (("hangs", "106"), [15, 0, 0, 15]),
        (("careless", "109"), [15, 20, 25, 15, 25]),
        (("above", "110"), [15, 20, 25, 15, 25]),
        (("Same Name", "1"), [15, 20, 25, 15, 25]),
        (("student9", ""), [0] * 5),
    ],
)
def test_marks(graded, student, expected):
    row = graded[2][student]
    assert earned(row)[: len(expected)] == expected, row
    assert row["status"] == "graded"


def test_syntax_error_and_wrong_factor(graded):
    row = graded[2]["partly", "103"]
    assert earned(row)[:4] == [7, 20, 25, 0]
    assert "SyntaxError" in row["diagnosis"] and "Cell" in row["diagnosis"]


def test_what_cannot_be_graded_has_a_reason_and_an_exit_code(graded):
    _, report, rows, code = graded
    assert code == 1
    for student in (("Same Name", "2"), ("'=cmd", "108")):
        assert rows[student]["status"] == "refused" and "hand in" in rows[student]["diagnosis"]
    assert {r["status"] for r in rows.values()} == {"graded", "refused"}
    assert (report / "summary.png").stat().st_size > 5000


@pytest.mark.parametrize("attempt", TAMPERING)
def test_tampering_earns_nothing(graded, attempt):
    row = graded[2][attempt, ""]
    assert (row["status"], earned(row)) == ("graded", [0] * 5), row
    assert "replaces" in row["diagnosis"] or "uses" in row["diagnosis"]


def test_feedback_pages(graded):
    _, report, rows, _ = graded
    pages = {p.name: p.read_text(encoding="utf-8") for p in (report / "feedback").iterdir()}
    assert len(pages) == len(rows)
    text = next(t for name, t in pages.items() if name.startswith("partly"))
    assert "hint 4" in text and "Expected:" in text and "<h1>partly" in text
    summary = (report / "summary.html").read_text(encoding="utf-8")
    assert all(name in summary for name in POINTS) and "Not graded" in summary
    assert not list(report.rglob("*.part"))


def test_a_second_run_grades_nothing_again_but_a_changed_file(graded, monkeypatch, tmp_path):
    folder, report, _, _ = graded
    again, calls = tmp_path / "report", []
    shutil.copytree(report, again)
    copy = tmp_path / "handed in"
    shutil.copytree(folder, copy)
    changed = copy / "student9/nst/renamed.ipynb.txt"
    changed.write_text(nbformat.writes(with_cells(EMPTY, first=["x = 1"])))

    async def pretend(entry, given, limits, seed):
        calls.append(entry.student)
        return {"student": "student9", "file": "", "status": "failed", "reason": "stopped"}

    monkeypatch.setattr(classroom, "grade_submission", pretend)
    monkeypatch.setattr(classroom, "write_reports", lambda results, out: None)
    classroom.main(["grade", str(copy), "--out", str(again), "-j2", *LIMITS])
    assert sorted(calls) == ["student9"]


# --- Without a kernel ----------------------------------------------------------------------------


def test_student_notebook_has_no_answer():
    assert "SOLUTION" not in nbformat.writes(EMPTY)
    code = "\n".join(c.source for c in EMPTY.cells)
    for number, name in enumerate(POINTS, 1):
        assert f'raise NotImplementedError("Exercise {number}: {name}")' in code
    lines = {line.strip() for line in code.splitlines()}
    assert not lines & classroom.solution_lines()


def test_student_notebook_is_up_to_date_and_stable():
    assert classroom.main(["student", "--check"]) == 0
    assert classroom.student_text() == classroom.student_text()


@pytest.mark.parametrize(
    "source", ["### BEGIN SOLUTION", "### END SOLUTION", "x\n### END SOLUTION"]
)
def test_unpaired_markers_are_an_error(source):
    with pytest.raises(classroom.ClassroomError, match="SOLUTION"):
        classroom._without_answer(source, "answer")


def test_release_holds_no_solution(tmp_path):
    assert classroom.main(["release", str(tmp_path)]) == 0
    assert classroom.main(["release", str(tmp_path)]) == 0, "a second time, over the first"
    folder = tmp_path / "neural-style-transfer"
    answers = classroom.solution_lines()
    assert len(answers) > 10
    with zipfile.ZipFile(tmp_path / "neural-style-transfer.zip") as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
        texts = [archive.read(n).decode() for n in archive.namelist() if n.endswith((".py", ".md"))]
        book = archive.read(f"neural-style-transfer/notebooks/{classroom.NOTEBOOK}").decode()
    assert names == {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert not any("solutions" in n or "test" in n or "TEACHING" in n for n in names)
    assert {"nst_utils.py", "LICENSE", "notebooks/checkpoints/__init__.py"} <= names
    assert not any(n.endswith((".npz", ".h5", ".mat")) for n in names)
    sources = [cell.source for cell in nbformat.reads(book, as_version=4).cells]
    for text in (*texts, *sources):
        assert not {line.strip() for line in text.splitlines()} & answers
    for picture in re.findall(r'ROOT / \\"(images/[^"\\]+)\\"\)', book):
        if "my_" not in picture:
            assert picture in names


def test_release_refuses_a_leak(tmp_path):
    (tmp_path / "hint.md").write_text("x\n    " + max(classroom.solution_lines(), key=len))
    assert classroom.find_leaks(tmp_path) == ["hint.md"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n", "hand in"),
        (b"", "hand in"),
        (b"[]", "not a Jupyter notebook"),
        (b"[" * 100_000, "hand in"),
        (b'{"cells": 1, "nbformat": 4, "metadata": {}}', "hand in"),
        (b'{"cells": [{"cell_type": "code"}], "nbformat": 4}', "hand in"),
        (b'{"cells": [], "nbformat": 99, "nbformat_minor": 0, "metadata": {}}', "hand in"),
    ],
)
def test_broken_notebooks(tmp_path, content, expected):
    path = tmp_path / "x.ipynb"
    path.write_bytes(content)
    with pytest.raises(classroom.ClassroomError, match=expected):
        classroom.read_notebook(path, classroom.Limits())


def test_a_200_mb_notebook_is_refused_at_once(tmp_path):
    path = tmp_path / "large.ipynb"
    with path.open("wb") as stream:
        stream.truncate(200_000_000)
    start = time.perf_counter()
    with pytest.raises(classroom.ClassroomError, match=r"200 MB.*clear the outputs"):
        classroom.read_notebook(path, classroom.Limits())
    assert time.perf_counter() - start < 1


def test_names_in_all_shapes(tmp_path):
    book = nbformat.writes(EMPTY)
    for name in (
        "submitted/ada/nst/a.ipynb",
        "submitted/ada/nst/.ipynb_checkpoints/a-checkpoint.ipynb",
        "submitted/bob/nst/notes.ipynb",
        "submitted/bob/nst/really.ipynb",
        "submitted/empty/nst/.DS_Store",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}" if "notes" in name else book)
    found = {e.student: e for e in classroom.find_submissions(tmp_path)}
    assert found["ada"].shown == "ada/nst/a.ipynb"
    assert found["bob"].shown == "bob/nst/really.ipynb"
    assert "no file" in found["empty"].problem
    assert len({e.key for e in found.values()}) == 3


def test_zip_of_submissions(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("Zoë Ö_77_assignsubmission_file_/x.ipynb", "{}")
        archive.writestr("../outside.ipynb", "{}")
    with classroom.unpacked(tmp_path / "all.zip") as place:
        found = classroom.find_submissions(place)
        assert ("Zoë Ö", "77") in {(e.student, e.number) for e in found}
    assert not (tmp_path.parent / "outside.ipynb").exists()
    (tmp_path / "bad.zip").write_bytes(b"PK nonsense")
    with pytest.raises(classroom.ClassroomError, match="no readable zip"):
        classroom.unpacked(tmp_path / "bad.zip").__enter__()


def zipped(path, book="{}", name="nst/notebooks/x.ipynb"):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, book)
        archive.writestr("__MACOSX/nst/._x.ipynb", "x")
    return path.read_bytes()


@pytest.mark.parametrize("outer", [False, True])
def test_zips_among_the_submissions(tmp_path, outer):
    book = nbformat.writes(EMPTY)
    folder = tmp_path / "class"
    (folder / "cleo").mkdir(parents=True)
    zipped(folder / "adalovelace_7_8_nst.zip", book)
    (folder / "bob_8_9_x.zip").write_bytes(zipped(tmp_path / "x.zip", book)[:-30])
    zipped(folder / "cleo" / "nst.ZIP", book)
    (folder / "dan.ipynb").write_text(book)
    zipped(folder / "dan.zip", book)
    before = sorted(p.relative_to(folder) for p in folder.rglob("*"))
    place = folder
    if outer:
        place = Path(shutil.make_archive(str(tmp_path / "all"), "zip", folder))
    with classroom.unpacked(place) as inside:
        found = classroom.find_submissions(inside)
        told = {}
        for entry in found:
            assert not entry.problem
            try:
                classroom.read_notebook(entry.path, classroom.Limits())
            except classroom.ClassroomError as error:
                told[entry.student] = str(error)
    names = [(entry.student, entry.number) for entry in found]
    assert names == [("adalovelace", "7"), ("bob", "8"), ("cleo", ""), ("dan", ""), ("dan", "")]
    assert list(told) == ["bob"] and "it is a zip" in told["bob"]
    assert sorted(p.relative_to(folder) for p in folder.rglob("*")) == before
    assert not inside.exists()


def found_in(place, out=None):
    with classroom.unpacked(place, out) as inside:
        return [(e.student, e.number, e.path.name) for e in classroom.find_submissions(inside)]


def test_a_class_in_a_zip_with_one_zip_keeps_the_student(tmp_path):
    inner = zipped(tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.writestr("adalovelace_7_8_nst.zip", inner)
    assert found_in(tmp_path / "class.zip") == [("adalovelace", "7", "x.ipynb")]


def test_a_hostile_zip_costs_its_owner_alone(tmp_path):
    zipped(tmp_path / "ada.zip")
    with zipfile.ZipFile(tmp_path / "bob.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.ipynb", "x" * 1000)
    data = bytearray((tmp_path / "bob.zip").read_bytes())
    data[50:60] = b"\xff" * 10
    (tmp_path / "bob.zip").write_bytes(data)
    stored = zipped(tmp_path / "cleo.zip", "{}" * 50)
    (tmp_path / "cleo.zip").write_bytes(stored.replace(b"x.ipynb", b"\xff.ipynb"))
    students = [student for student, _, _ in found_in(tmp_path)]
    assert students == ["ada", "bob", "cleo"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX only")
def test_a_folder_with_zips_is_copied_but_for_the_reports(tmp_path, monkeypatch):
    folder = tmp_path / "class"
    (folder / "report" / "graded").mkdir(parents=True)
    (folder / "report" / "graded" / "x.json").write_text("{}")
    zipped(folder / "ada.zip")
    os.mkfifo(folder / "bob.ipynb")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "y.ipynb").write_text("{}")
    (folder / "cleo").symlink_to("../elsewhere")
    (folder / "nowhere").symlink_to("../gone")
    monkeypatch.chdir(folder)
    found = found_in(Path(), Path("report"))
    assert [name for _, _, name in found] == ["x.ipynb", "bob.ipynb", "y.ipynb", "nowhere"]


def test_zips_have_a_limit_together(tmp_path, monkeypatch):
    sizes = []

    def extract(path, into, limit, honest=classroom._extract):
        sizes.append(limit)
        return honest(path, into, limit) + 19.5e9

    zipped(tmp_path / "ada.zip")
    zipped(tmp_path / "bob.zip")
    monkeypatch.setattr(classroom, "_extract", extract)
    assert len(found_in(tmp_path)) == 2 and sizes[0] == 1e9 and sizes[1] < 0.6e9


def test_the_solved_notebook_counts_not_the_handout_beside_it(tmp_path):
    for name, book in (("ada/course/nst.ipynb", EMPTY), ("ada/my.ipynb", SOLVED),
                       ("bob/going_further.ipynb", nbformat.v4.new_notebook()),
                       ("bob/nst.ipynb", EMPTY)):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(nbformat.writes(book))
    assert [name for _, _, name in found_in(tmp_path)] == ["my.ipynb", "nst.ipynb"]


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    zipped(tmp_path / "ada.zip", "0" * 10**6)
    with pytest.raises(classroom.ClassroomError, match="more than 0 GB"):
        classroom._extract(tmp_path / "ada.zip", tmp_path / "into", 1e5)
    assert [p.name for p in tmp_path.iterdir()] == ["ada.zip"]


def test_what_is_no_submission(tmp_path):
    for name in (
        "Ada_1_assignsubmission_file_/x.ipynb",
        "Ada_1_assignsubmission_onlinetext_/onlinetext.html",
        "Bob_2_assignsubmission_onlinetext_/onlinetext.html",
        "Grades.csv",
        "cleo_3_4_notes.csv",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    found = classroom.find_submissions(tmp_path)
    assert [(e.student, e.path.name) for e in found] == [
        ("Ada", "x.ipynb"),
        ("Bob", "onlinetext.html"),
        ("cleo", "cleo_3_4_notes.csv"),
    ]


def test_pages_of_files_no_longer_there_are_put_away(graded, tmp_path):
    _, report, rows, _ = graded
    shutil.copytree(report / "graded", tmp_path / "graded")
    results = [json.loads(p.read_text()) for p in (tmp_path / "graded").glob("*.json")]
    results = [r | {"page": f"feedback/{n}.html"} for n, r in enumerate(results)]
    classroom.write_reports(results, tmp_path)
    classroom.write_reports(results[1:], tmp_path)
    assert len(list((tmp_path / "feedback").iterdir())) == len(rows) - 1
    assert [p.name for p in (tmp_path / "feedback-old").iterdir()] == ["0.html"]


def test_of_a_costly_cell_only_definitions_run_again():
    source = "%time\nimport a\nx = 3\ny: int = f()\ndef g():\n    return f()\nf()\nz = lambda: f()"
    kept = classroom._definitions(source)
    z = ast.unparse(ast.parse("z = lambda: f()"))  # Python 3.10 writes "lambda : f()"
    assert kept == ["import a", "x = 3", "def g():\n    return f()", z]
    assert classroom._only_definitions("x = 3") == "", "it was this that took so long"
    f = "def f():\n    pass"
    for source in (f"{f}\nf?", f"y = !ls\n{f}", f"%%time\n{f}", f"if 1:\n    %time f()\n{f}"):
        assert classroom._definitions(source) == [f], source
    for source in (f"%%script false\n{f}", f"%%skip\n{f}", f"raise SystemExit\n{f}"):
        assert classroom._definitions(source) == [], "Jupyter does not run it either"


def test_a_stub_below_an_answer_is_left_out():
    given = classroom.Given(stubs={"def gram_matrix(A):\n    raise NotImplementedError"})
    stub = (2, next(iter(given.stubs)))
    for answer in ("def gram_matrix(A):\n    return A", "gram_matrix = lambda A: A"):
        assert classroom._without_stubs([(1, answer), stub], given) == [(1, answer)]
    assert classroom._without_stubs([(1, "x = 3"), stub], given) == [(1, "x = 3"), stub]


@pytest.mark.parametrize("arguments", [["grade", "nowhere", "--out", "r"], ["check", "nowhere"]])
def test_wrong_calls_are_one_line_and_exit_2(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert classroom.main(arguments) == 2
    error = capsys.readouterr().err
    assert "nowhere does not exist" in error and error.count("\n") == 1


def test_pack_and_unpack():
    value = {"a": np.arange(6.0).reshape(2, 3), "b": [1, None, "x", 2.5], "c": {"d": True}}
    back = classroom.unpack(json.loads(json.dumps(classroom.pack(value))))
    assert np.array_equal(back["a"], value["a"]) and back["b"] == value["b"] and back["c"]["d"]
    assert classroom.pack(object()) is None and classroom.pack(np.array([object()])) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "7",
        '{"dict": 3}',
        '{"array": ["<f4", [1000000000000], ""]}',
        '{"array": ["|O", [1], "AAAAAAAAAAA="]}',
        '{"array": ["<f4", [-1], "AAAA"]}',
        '{"dict": {"facts": {"array": [1, 2, 3]}}}',
        '{"a": 1, "b": 2}',
        '{"list": ' * 5000,
        "1" * 10_000,
    ],
)
def test_hostile_facts_are_no_facts(tmp_path, text):
    path = tmp_path / "x.out"
    path.write_text(text)
    assert classroom.read_facts(path, classroom.Limits()) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX only")
def test_pipes_and_links_are_no_facts(tmp_path):
    os.mkfifo(tmp_path / "pipe.out")
    (tmp_path / "link.out").symlink_to("/dev/zero")
    for name in ("pipe.out", "link.out", "missing.out"):
        assert classroom.read_facts(tmp_path / name, classroom.Limits()) is None


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("np.allclose = lambda *a: True", "np.allclose"),
        ("tf.math.reduce_sum = 1", "tf.math.reduce_sum"),
        ("setattr(checkpoints, 'gram_matrix', f)", "checkpoints"),
        ("def isinstance(a, b):\n    return True", "isinstance"),
        ("%matplotlib inline\nimport builtins\nbuiltins.print = 1", "builtins.print"),
        ("import atexit", "atexit"),
        ("open('/proc/1/environ')", "/proc/"),
    ],
)
def test_tampering_is_named(source, word):
    assert any(word in line for line in classroom.tampering(source))


def test_honest_cells_are_not_called_tampering():
    for cell in SOLVED.cells:
        if cell.cell_type == "code" and cell.id != "cell-003":
            assert classroom.tampering(cell.source) == [], cell.source


def test_only_pictures_are_shown():
    png, jpeg = "iVBORw0KGgoAAAAA", "/9j/4AAQ"
    kinds = {"image/png": png, "image/jpeg": jpeg, "image/svg+xml": "<svg onload='x'/>"}
    output = nbformat.v4.new_output("display_data", kinds)
    evil = nbformat.v4.new_output("display_data", {"image/png": png + '"><script>'})
    cell = nbformat.v4.new_code_cell("", outputs=[output, evil])
    assert classroom._pictures(cell) == [f"image/png;base64,{png}", f"image/jpeg;base64,{jpeg}"]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("seconds", [0.1, 3, 15])
def test_ctrl_c_leaves_nothing_half_written_and_no_kernel(tmp_path, seconds):
    """While the kernel starts or runs: what was graded is kept, and grading goes on from there."""
    import psutil

    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.ipynb").write_text("nothing")
    (tmp_path / "in/b.ipynb").write_text(nbformat.writes(with_cells(first=[ROUGH[0]])))
    command = [sys.executable, str(ROOT / "notebooks/classroom.py"), "grade", str(tmp_path / "in")]
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


def test_half_written_files_leave_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), classroom.whole_file(tmp_path / "x.csv") as path:
        path.write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_environment_has_no_secrets(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    env = classroom.kernel_environment(tmp_path)
    assert "AWS_SECRET_ACCESS_KEY" not in env and env["HOME"] != os.environ.get("HOME")


def test_stub_matches_the_course():
    import nst_utils

    names: dict = {}
    exec(classroom.STUB, names)
    assert names["STYLE_LAYERS"] == nst_utils.STYLE_LAYERS
    assert names["CONTENT_LAYER"] == nst_utils.CONTENT_LAYER


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


def test_kernel_is_confined_and_leaves_no_process(tmp_path):
    import psutil

    outside = tmp_path / "outside.txt"
    folder = tmp_path / "nst-kernel"
    folder.mkdir()
    os.environ["SECRET_OF_THE_TEACHER"] = "hunter2"

    async def probe():
        async with classroom.Kernel(folder, classroom.Limits(cell_seconds=10)) as kernel:
            problem = await kernel.run(PROBE % (str(ROOT), str(outside)))
            return problem, kernel.pid

    problem, pid = classroom.run_loop(probe())
    assert problem == "" and not outside.exists()
    facts = json.loads((folder / "work/facts.json").read_text())
    assert facts["secret"] == "None"
    assert facts["home"] == facts["write"] == facts["fork"] == "PermissionError", facts
    assert facts["network"] in ("PermissionError", "ConnectionRefusedError")
    if sys.platform == "linux":
        assert facts["parent"] == "PermissionError"
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"


def test_a_busy_machine_costs_no_marks(tmp_path):
    """Time is the processor's: a cell that waits may take longer, but not for ever."""
    cells = ["import time\ntime.sleep(3)", "while True:\n    pass", "time.sleep(1000)", "x = 1"]

    async def run_all():
        async with classroom.Kernel(tmp_path, classroom.Limits(cell_seconds=2)) as kernel:
            return [(await kernel.run(source), kernel.worked) for source in cells]

    problems, worked = zip(*classroom.run_loop(run_all()), strict=True)
    assert problems == ("", *["it took more than 2 s and was stopped"] * 2, "")
    assert np.diff(worked)[:2] == pytest.approx([2, 2], abs=1)


@pytest.mark.slow
def test_check_from_the_command_line(tmp_path):
    path = tmp_path / "mein Übungsblatt.ipynb"
    path.write_text(nbformat.writes(with_cells(compute_content_cost=NO_QUARTER)))
    command = [sys.executable, str(ROOT / "notebooks/classroom.py"), "check", str(path), "--seed=5"]
    first, second = (
        subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(2)
    )
    assert first.returncode == 0, first.stderr
    assert "7 of 15 points" in first.stdout and "4 times too large" in first.stdout
    assert first.stdout == second.stdout, "the same seed gives the same text"


@pytest.mark.slow
def test_an_endless_printer_is_stopped(tmp_path):
    """A flood of output ends that cell, not the grader; the exercises still count."""
    book = with_cells(first=["while True:\n    print('x' * 1000)"])
    given = classroom.Given.read(EMPTY)
    limits = classroom.Limits(cell_seconds=20, seconds=90, output_mb=5)
    result = asyncio.run(classroom.grade_notebook(book, given, limits, 1))
    assert sum(v["points"] for v in result["verdicts"].values()) == 100
    assert any("printed more than" in note for note in result["notes"])
