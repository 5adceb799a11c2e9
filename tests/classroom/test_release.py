"""What students receive."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile

import nbformat
import pytest
from handed_in import command

from classroom import NOTEBOOK, ROOT, ClassroomError, release


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The folder of OUT_DIR after two releases, the second over the first."""
    out = tmp_path_factory.mktemp("released")
    assert command("release", out).returncode == 0
    done = command("release", out)
    assert done.returncode == 0, done.stderr
    return out


def test_release_holds_no_solution(released):
    folder, answers = released / "neural-style-transfer", release.solution_lines()
    assert len(answers) > 10
    with zipfile.ZipFile(released / "neural-style-transfer.zip") as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
        texts = [archive.read(n).decode() for n in archive.namelist() if n.endswith((".py", ".md"))]
        book = archive.read(f"neural-style-transfer/notebooks/{NOTEBOOK}").decode()
    assert names == {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert not any("solutions" in n or "test" in n or "TEACHING" in n for n in names)
    assert {"nst_utils.py", "LICENSE", "notebooks/checkpoints/observe.py"} <= names
    assert {f"notebooks/classroom/{n}" for n in ("__main__.py", "kernel_side/ask.py")} <= names
    assert "notebooks/classroom/templates/feedback.html" in names
    assert (folder / "notebooks/classroom/handout.ipynb").read_text("utf-8") == book
    assert not any(n.endswith((".h5", ".mat")) or "kmeans-" in n for n in names)
    assert not any("__pycache__" in name for name in names)
    assert not any(n.startswith("images") and n.endswith(".py") for n in names)
    sources = [cell.source for cell in nbformat.reads(book, as_version=4).cells]
    for text in (*texts, *sources):
        assert not {line.strip() for line in text.splitlines()} & answers
    for picture in re.findall(r'ROOT / \\"(images/[^"\\]+)\\"\)', book):
        if "my_" not in picture:
            assert picture in names


def test_a_student_is_told_how_to_start(released):
    """README.md at the top: what it names is there, its Pythons are those of the course."""
    folder = released / "neural-style-transfer"
    text = (folder / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:notebooks|images|pretrained-model)/[\w./-]*\w", text))
    assert {f"notebooks/{NOTEBOOK}", "notebooks/check_environment.py"} <= named
    assert all((folder / name).exists() for name in named | {"requirements.txt", "LICENSE"})
    pythons = re.search("You need Python [^,]*(, [^,]*)*, of 64 bits", text).group()
    assert pythons in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_released_tool_starts(released):
    """A student's copy can show its help; it makes no notebook, for want of the solution."""
    tool = [sys.executable, str(released / "neural-style-transfer/notebooks/classroom")]
    assert "check FILE" in subprocess.run([*tool, "--help"], capture_output=True, text=True).stdout
    done = subprocess.run([*tool, "student"], capture_output=True, text=True)
    assert done.returncode == 2 and "only the teacher's copy" in done.stderr


def test_a_leak_is_found_in_code_text_and_outputs(tmp_path):
    line = min(release.solution_lines())
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("stream", text=f"x\n{line}")])
    book = nbformat.v4.new_notebook(cells=[cell])
    (tmp_path / "a.ipynb").write_text(nbformat.writes(book))
    (tmp_path / "b.py").write_text(f"if True:\n    {line}\n")
    (tmp_path / "c.md").write_text(f"text\n{line}\n")
    (tmp_path / "fine.py").write_text(f"{line} # and more\n")
    assert release.find_leaks(tmp_path) == ["a.ipynb", "b.py", "c.md"]


def test_a_folder_that_is_something_else_is_left_alone(tmp_path):
    mine = tmp_path / "neural-style-transfer" / "thesis.txt"
    mine.parent.mkdir()
    mine.write_text("years of work")
    with pytest.raises(ClassroomError, match="something else"):
        release.release(tmp_path)
    assert mine.read_text() == "years of work"
