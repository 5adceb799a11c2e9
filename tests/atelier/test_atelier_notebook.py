"""The page's notebook: short cells, prose before code, and nothing stored that a run leaves."""

import nbformat
from conftest import ROOT

NOTEBOOK = nbformat.read(ROOT / "notebooks" / "atelier.ipynb", as_version=4)


def test_cells_are_short_and_prose_comes_first():
    kinds = [cell.cell_type for cell in NOTEBOOK.cells]
    for before, cell in zip(["", *kinds], NOTEBOOK.cells, strict=False):
        if cell.cell_type == "code":
            assert before == "markdown"
    code = [cell for cell in NOTEBOOK.cells if cell.cell_type == "code"]
    assert all(len(cell.source.splitlines()) <= 12 for cell in code[1:])  # the first: everyone's


def test_nothing_of_a_run_is_stored():
    assert "widgets" not in NOTEBOOK.metadata
    for cell in NOTEBOOK.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None
