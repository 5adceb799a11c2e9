"""Which cells were given."""

from __future__ import annotations

from handed_in import EMPTY, with_cells

from classroom.given import Given, given_cells


def test_a_stub_below_an_answer_is_left_out():
    given = Given(stubs={"def gram_matrix(A):\n    raise NotImplementedError"})
    stub = (2, next(iter(given.stubs)))
    for answer in ("def gram_matrix(A):\n    return A", "gram_matrix = lambda A: A"):
        assert given.without_stubs([(1, answer), stub]) == [(1, answer)]
    assert given.without_stubs([(1, "x = 3"), stub]) == [(1, "x = 3"), stub]


def test_every_cell_of_the_handout_is_known():
    """Nothing of what was handed out is taken for the student's, but the five exercises."""
    given = given_cells()
    assert len(given.stubs) == 5
    code = [cell.source for cell in EMPTY.cells if cell.cell_type == "code"]
    assert {source.strip() for source in code if given.is_own(source)} == given.stubs
    assert not given.is_own(given.prelude[0]) and given.is_own("x = 1")
    assert given.to_run(EMPTY) == given.to_run(with_cells(EMPTY, last=["", " \n"]))
