"""Files that are no notebook, and why."""

from __future__ import annotations

import json
import os
import re
import time

import nbformat
import pytest
from handed_in import SOLVED, with_cells

from classroom import ClassroomError, Limits
from classroom.reading import read_bytes, read_notebook

TEXT = nbformat.writes(SOLVED)
CONFLICT = TEXT.replace('"cells": [', '<<<<<<< HEAD\n"cells": [\n=======\n"x": [\n>>>>>>> main', 1)


def in_language(name):
    book = with_cells()
    book.metadata.update(language_info={"name": name}, kernelspec={"name": "x", "language": name})
    return nbformat.writes(book)


def with_kernel(name):
    """As Colab writes it, which tells no language."""
    book = with_cells()
    book.metadata.pop("language_info", None)
    book.metadata["kernelspec"] = {"name": name, "display_name": name}
    return nbformat.writes(book)


@pytest.mark.parametrize("name", ["python3", "irene-env", "tf", ""])
def test_a_kernel_with_a_name_of_ones_own_is_python(name):
    assert read_notebook(with_kernel(name).encode()).cells


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "the file is empty"),
        (" \n\0", "the file is empty"),
        ("import os\n\ndef gram_matrix(A):\n    return A", "a program or a text, not a notebook"),
        (TEXT[:5000], "cut short"),
        (TEXT[: TEXT.index("### BEGIN")], "cut short"),
        (CONFLICT, "merge conflict in Git"),
        (TEXT.replace('"cells": [', '"cells": [,', 1), "damaged in line 2"),
        (in_language("R"), "a notebook in R, and the course is in Python"),
        (in_language("julia"), "a notebook in julia"),
        (with_kernel("ir"), "a notebook in R, and the course is in Python"),
        (with_kernel("julia-1.10"), "a notebook in Julia"),
        ("<!DOCTYPE html><html>", "a web page: hand in the .ipynb file"),
        (b"\x89PNG\r\n\x1a\n", "a picture (PNG): hand in"),
        (b"PK\x03\x04", "a zip, or a kind of one like .docx: hand in"),
        (b"%PDF-1.7", "a PDF: hand in"),
        (b"\xff\xd8\xff\xe0", "a picture (JPEG): hand in"),
        ("[]", "not a Jupyter notebook"),
        ("7", "not a Jupyter notebook"),
        ("[" * 100_000, "RecursionError"),
        ('{"cells": 1, "nbformat": 4, "metadata": {}}', "hand in"),
        ('{"cells": [{"cell_type": "code"}], "nbformat": 4}', "hand in"),
        ('{"cells": [], "nbformat": 99, "nbformat_minor": 0, "metadata": {}}', "hand in"),
    ],
)
def test_what_is_no_notebook_is_told_what_it_is(content, expected):
    with pytest.raises(ClassroomError, match=re.escape(expected)) as caught:
        read_notebook(content.encode() if isinstance(content, str) else content)
    assert "JSONDecodeError" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_any_encoding_is_read(encoding):
    book = with_cells(first=["x = 'ü'"])
    cells = read_notebook(nbformat.writes(book).encode(encoding, "replace")).cells
    assert len(cells) == len(book.cells) and cells[5].source == book.cells[5].source


def test_a_200_mb_notebook_is_refused_at_once(tmp_path):
    path = tmp_path / "large.ipynb"
    with path.open("wb") as stream:
        stream.truncate(200_000_000)
    start = time.perf_counter()
    with pytest.raises(ClassroomError, match=r"200 MB.*clear the outputs"):
        read_notebook(read_bytes(path, Limits()))
    assert time.perf_counter() - start < 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system with pipes")
def test_what_is_no_ordinary_file_is_not_read(tmp_path):
    """A pipe would be waited for, and /dev/zero has no end."""
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "zero.ipynb").symlink_to("/dev/zero")
    for name in ("pipe.ipynb", "zero.ipynb"):
        with pytest.raises(ClassroomError, match=f"{name} is no ordinary file"):
            read_bytes(tmp_path / name, Limits())
    with pytest.raises(ClassroomError, match="is a folder: the "):
        read_bytes(tmp_path, Limits())


@pytest.mark.parametrize("change", [
    {"metadata": None}, {"metadata": []}, {"nbformat": None}, {"nbformat": 5}, {"nbformat": "4"},
    {"nbformat": 3}, {"nbformat_minor": "x"}, {"nbformat_minor": None}, {"nbformat_minor": 99},
])  # fmt: skip
def test_a_notebook_without_what_marks_do_not_depend_on_is_read(change):
    """`None`: it is null, or, as well, not there."""
    raw = json.loads(TEXT)
    absent = {name: value for name, value in raw.items() if name not in change}
    bare = [{k: v for k, v in cell.items() if k != "metadata"} for cell in raw["cells"]]
    for book in (raw | change, absent, absent | {"cells": bare}):
        cells = read_notebook(json.dumps(book).encode()).cells
        assert [cell.source for cell in cells] == [cell.source for cell in SOLVED.cells]


@pytest.mark.parametrize("cell", [{}, {"cell_type": "code"}, {"source": "x"}, 3, None, []])
def test_a_cell_that_is_none_is_told(cell):
    raw = json.loads(TEXT)
    with pytest.raises(ClassroomError, match=r"a cell is damaged|cannot be read"):
        read_notebook(json.dumps(raw | {"cells": [*raw["cells"], cell]}).encode())
