"""The page's notebook: short cells, prose before code, and nothing stored that a run leaves."""

import os
import subprocess
import sys

import nbformat
from conftest import ROOT

NOTEBOOK = nbformat.read(ROOT / "notebooks" / "atelier.ipynb", as_version=4)


def test_cells_are_short_and_prose_comes_first():
    kinds = [cell.cell_type for cell in NOTEBOOK.cells]
    for before, cell in zip(["", *kinds], NOTEBOOK.cells, strict=False):
        if cell.cell_type == "code":
            assert before == "markdown" and len(cell.source.splitlines()) <= 14


def test_nothing_of_a_run_is_stored():
    assert "widgets" not in NOTEBOOK.metadata
    for cell in NOTEBOOK.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None


def test_the_first_cell_says_what_is_not_there(tmp_path):
    source = next(cell.source for cell in NOTEBOOK.cells if cell.cell_type == "code")
    command = [sys.executable, "-I", "-c", f"{source}\nprint(ROOT)"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert "FileNotFoundError: nst_utils and atelier not found near" in done.stderr
    done = subprocess.run(
        command, cwd=ROOT / "notebooks", capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == os.path.realpath(ROOT)
