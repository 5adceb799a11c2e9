"""What students receive, as a folder and as a zip; and that no answer is in it."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from classroom import HANDOUT, NOTEBOOK, ROOT, ClassroomError, write_whole
from classroom.student import BEGIN, END, read_solution, student_text

WELCOME = Path(__file__).resolve().parent / "templates" / "README.md"  # how a student starts
RELEASED = (
    "nst_utils.py",
    "requirements.txt",
    "LICENSE",
    "notebooks/checkpoints",
    "notebooks/classroom",
    "notebooks/painter",
    "notebooks/atelier",
    "notebooks/atelier.ipynb",
    "notebooks/going_further.ipynb",
    "notebooks/check_environment.py",
    "notebooks/run_notebook.py",
    "images/README.md",
    "images/content",
    "images/styles",
    "pretrained-model/README.md",
    "pretrained-model/vgg19_block1-2.npz",  # so that it paints well without a download
)


def release(out: Path, with_weights: bool = False) -> Path:
    """Write `out`/neural-style-transfer and its zip; give the folder.

    Raises ClassroomError if an answer would be released, or the folder is something else.
    """
    target = out / "neural-style-transfer"
    with tempfile.TemporaryDirectory(prefix="nst-release-") as name:
        folder = Path(name) / target.name
        _fill(folder, with_weights)
        leaks = find_leaks(folder)
        if leaks:
            raise ClassroomError(f"a line of the solution is in {leaks[0]}: take it out first.")
        if target.exists() and not (target / "notebooks" / NOTEBOOK).is_file():
            raise ClassroomError(f"{target} is something else: choose another OUT_DIR.")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder, target)
        write_whole(out / f"{target.name}.zip", _zipped(folder))
    return target


def _fill(folder: Path, with_weights: bool) -> None:
    """Copy what is released, and the pictures that the student's notebook shows."""
    text = student_text()
    shown = re.findall(r'"(images/generated/(?!my_)[^"]+)"', text.replace('\\"', '"'))
    for item in (*RELEASED, *shown, *(weight_files() if with_weights else ())):
        source, hidden = ROOT / item, (".*", "__pycache__")
        if source.is_dir():  # of the pictures' folders not the programs that paint them
            programs = ("*.py",) if item.startswith("images") else ()
            shutil.copytree(
                source, folder / item, ignore=shutil.ignore_patterns(*hidden, *programs)
            )
        elif source.is_file():
            (folder / item).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / item)
    shutil.copy(WELCOME, folder / "README.md")  # the course's own is for teachers, too
    write_whole(folder / "notebooks" / NOTEBOOK, text)
    write_whole(
        folder / HANDOUT.relative_to(ROOT), text
    )  # for `check`, when the student's is edited


def _zipped(folder: Path) -> bytes:
    """A zip of `folder`, which is the one folder in it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(folder.parent))
    return packed.getvalue()


def weight_files() -> list[str]:
    """Weights of VGG-19 in pretrained-model/; fits to pictures are quick to make again."""
    files = [p for p in (ROOT / "pretrained-model").glob("*") if not p.name.startswith("kmeans-")]
    return [f"pretrained-model/{p.name}" for p in files if p.suffix in (".h5", ".mat", ".npz")]


def solution_lines() -> set[str]:
    """The lines between the markers, without those that any TensorFlow program has."""
    lines, common = set(), {"with tf.GradientTape() as tape:"}
    for cell in read_solution().cells:
        for part in re.findall(f"{BEGIN}(.*?){END}", cell.source, re.DOTALL):
            found = [line.strip() for line in part.splitlines()]
            lines.update(line for line in found if len(line) > 12 and not line.startswith("**"))
    return lines - common


def find_leaks(folder: Path) -> list[str]:
    """Released files with a whole line of a solution in them, in code, text or outputs."""
    answers, leaks = solution_lines(), []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".ipynb":
            cells = nbformat.read(path, as_version=4).cells
            text = "\n".join(c.source + "\n" + _output_text(c) for c in cells)
        elif path.suffix in (".py", ".md", ".txt", ".html", ".css"):
            text = path.read_text(encoding="utf-8")
        else:
            continue
        if answers & {line.strip() for line in text.splitlines()}:
            leaks.append(path.relative_to(folder).as_posix())
    return leaks


def _output_text(cell: NotebookNode) -> str:
    """All text in the outputs of a cell."""
    outputs = cell.get("outputs", [])
    texts = [o.get("text", "") for o in outputs]
    texts += [str(v) for o in outputs for k, v in o.get("data", {}).items() if "image" not in k]
    return "\n".join(texts)
