"""Which cells were given."""

from __future__ import annotations

import pytest
from handed_in import EMPTY, with_cells, write

from classroom import ClassroomError, given
from classroom.given import Given, given_cells


def test_a_stub_below_an_answer_is_left_out():
    one = Given(stubs={"def gram_matrix(A):\n    raise NotImplementedError"})
    stub = (2, next(iter(one.stubs)))
    for answer in ("def gram_matrix(A):\n    return A", "gram_matrix = lambda A: A"):
        assert one.without_stubs([(1, answer), stub]) == [(1, answer)]
    assert one.without_stubs([(1, "x = 3"), stub]) == [(1, "x = 3"), stub]


def test_every_cell_of_the_handout_is_known():
    """Nothing of what was handed out is taken for the student's, but the five exercises."""
    one = given_cells()
    assert len(one.stubs) == 5
    code = [cell.source for cell in EMPTY.cells if cell.cell_type == "code"]
    assert {source.strip() for source in code if one.is_own(source)} == one.stubs
    assert not one.is_own(one.prelude[0]) and one.is_own("x = 1")
    assert one.to_run(EMPTY) == one.to_run(with_cells(EMPTY, last=["", " \n"]))


def test_a_students_copy_knows_what_it_was_handed_out_as(monkeypatch, tmp_path):
    """Also when the notebook beside it is the student's own by now."""
    monkeypatch.setattr(given, "SOLUTION", tmp_path / "none.ipynb")
    monkeypatch.setattr(given, "HANDOUT", write(tmp_path / "handout.ipynb", EMPTY))
    monkeypatch.setattr(given, "NOTEBOOKS", tmp_path)
    write(tmp_path / given.NOTEBOOK, with_cells(EMPTY, first=["mine = 1"]))
    assert given_cells.__wrapped__().known == given_cells().known
    (tmp_path / "handout.ipynb").unlink()
    assert given_cells.__wrapped__().is_own("mine = 1") is False
    (tmp_path / given.NOTEBOOK).unlink()
    with pytest.raises(ClassroomError, match=r"handout\.ipynb is missing"):
        given_cells.__wrapped__()
