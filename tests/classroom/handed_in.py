"""Notebooks as students hand them in: right, careless, broken, hostile."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

import checkpoints
from classroom import ROOT, SOLUTION
from classroom.student import student_version

COMMAND = [sys.executable, str(ROOT / "notebooks/classroom")]
POINTS = checkpoints.EXERCISES
SOLVED = nbformat.read(SOLUTION, as_version=4)
EMPTY = student_version(SOLVED)
ANSWERS = {
    name: next(c.source for c in SOLVED.cells if re.search(rf"^def {name}", c.source, re.MULTILINE))
    for name in POINTS
}


def command(*arguments: object, **options) -> subprocess.CompletedProcess:
    """`python notebooks/classroom ...`, as it is typed."""
    options = {"capture_output": True, "text": True, "encoding": "utf-8", "timeout": 600} | options
    return subprocess.run([*COMMAND, *map(str, arguments)], check=False, **options)


def with_cells(base=SOLVED, first=(), last=(), **answers: str) -> NotebookNode:
    """A copy of `base` with other answers, and more cells at the start or at the end."""
    book = nbformat.from_dict(json.loads(json.dumps(base)))
    for cell in book.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in answers:
            cell.source = answers[name]
    new = nbformat.v4.new_code_cell
    book.cells = [new(s) for s in first] + book.cells + [new(s) for s in last]
    return book


def write(path: Path, book: NotebookNode = SOLVED) -> Path:
    """Save a notebook, with the folders above it; give the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(book), encoding="utf-8")
    return path


ZERO = {name: f"def {name}(*args, **options):\n    return tf.constant(1.0)" for name in POINTS}
NO_QUARTER = """def compute_content_cost(content_output, generated_output):
    a, b = content_output[-1], generated_output[-1]
    return tf.reduce_mean(tf.square(a - b))"""
ROUGH = [
    "while True:\n    pass",
    "import sys\nsys.exit()",
    "name = input('Your name? ')",
    "for i in range(200_000):\n    print(i)",
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
FORGED = """import sys, pathlib, threading, atexit, time, types
def forge():
    for place in pathlib.Path("..").resolve(), pathlib.Path("."):
        for name in %r:
            (place / f"{name}.out").write_text('{"dict": {"facts": {"list": []}, "points": 100}}')
atexit.register(forge)
def forever():
    while True:
        forge()
        time.sleep(0.001)
threading.Thread(target=forever, daemon=True).start()
fake = types.ModuleType("kernel_side.ask")
fake.observe_exercise = lambda name: forge()
sys.modules["kernel_side.ask"] = fake
import kernel_side
kernel_side.ask = fake""" % (list(POINTS),)  # noqa: UP031
HOOKED = """def swap(lines):
    return ["Verdict = 100\\n"] if "_ask" in "".join(lines) else lines
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
        found.append(read({str(SOLUTION)!r}))
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
gram_matrix = total_cost = train_step = snoop"""
ODD = {
    "compute_content_cost": "compute_content_cost = lambda a, b: Equal(1.0)",
    "gram_matrix": "class A:\n    __array__ = lambda self, *a, **k: np.ones((5, 5))\n"
    "gram_matrix = lambda a: A()",
    "compute_layer_style_cost": "compute_layer_style_cost = lambda a, b: 'right. 25 of 25 points'",
    "total_cost": "total_cost = lambda *a, **k: float('nan')",
    "train_step": "train_step = 100",
}
TAMPERING = {
    "forged files": with_cells(EMPTY, last=[FORGED], **ZERO),
    "hooks": with_cells(EMPTY, last=[HOOKED, SPOILT], **ODD),
    "snoops": with_cells(EMPTY, first=[KILLER, CURIOUS], last=[CURIOUS, BORROWED, SNOOPING]),
}


def rearranged():
    """Right answers with cells in reverse order, doubled, renamed, and the checks removed."""
    book = with_cells()
    code = [c for c in book.cells if c.cell_type == "code" and "checkpoints." not in c.source]
    wrong = nbformat.v4.new_code_cell("def gram_matrix(A):\n    return A")
    book.cells = [wrong, *code[::-1], *code[::-1]]
    book.cells = [nbformat.v4.new_code_cell(cell.source) for cell in book.cells]
    return book


CARELESS = {  # a right answer, and beside it a line that fails, waits, or would end the notebook
    "compute_content_cost": f"%timeit\nexit()\n{ANSWERS['compute_content_cost']}\nexit()",
    "gram_matrix": f"{ANSWERS['gram_matrix']}\nprint(gram_matrix(undefined))",
    "compute_layer_style_cost": f"import a_package\n{ANSWERS['compute_layer_style_cost']}",
    "total_cost": f"while True:\n    pass\n{ANSWERS['total_cost']}",
    "train_step": f"{ANSWERS['train_step']}\nraise SystemExit(3)",
}


def zipped(path: Path, book: str = "{}", name: str = "nst/notebooks/x.ipynb") -> bytes:
    """Write a zip with one notebook in it, as macOS makes them; give its bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, book)
        archive.writestr("__MACOSX/nst/._x.ipynb", "x")
    return path.read_bytes()
