"""What of a notebook deserves a line."""

from __future__ import annotations

import contextlib

import pytest
from handed_in import ANSWERS, EMPTY, SOLVED, with_cells

from classroom.given import given_cells
from classroom.remarks import code_of_answers, missing_modules, remarks, solution_code

GRAM = "def gram_matrix(A):\n    {}return A @ tf.transpose(A)"


def said_of(book):
    given = given_cells()
    return remarks(book, [(n, s) for n, s in given.to_run(book) if given.is_own(s)])


def moved(kind):
    """The solved handout, with one answer in a cell of another kind."""
    book = with_cells(EMPTY, **{n: a for n, a in ANSWERS.items() if n != "gram_matrix"})
    cell = next(c for c in book.cells if "def gram_matrix" in c.source)
    cell.cell_type = kind
    cell.source = ANSWERS["gram_matrix"]
    return book


@pytest.mark.parametrize(
    ("book", "words"),
    [
        (moved("markdown"), "which defines gram_matrix, is a Markdown cell and does not run"),
        (moved("raw"), "which defines gram_matrix, is a Raw cell and does not run"),
        (with_cells(EMPTY, first=[GRAM.format(""), GRAM.format("A = 2 * A\n    ")]),
         "gram_matrix is defined in cells 1 and 2: the last one counts"),
        (with_cells(EMPTY, first=["import my_helpers"]), "Cell 1 imports my_helpers, which is not"),
        (with_cells(EMPTY, first=["from .mine import x"]), "Cell 1 imports .mine, which is not"),
        (with_cells(EMPTY, first=["!pip install x"]), "Cell 1 calls !pip: the grader starts no"),
        (with_cells(EMPTY, first=["%pip install x"]), "Cell 1 calls %pip: the grader starts no"),
        (with_cells(EMPTY, first=["x = !ls"]), "Cell 1 calls !ls: the grader starts no programs"),
        (SOLVED, "hold the marks of the teacher's notebook (### BEGIN SOLUTION)"),
    ],
)  # fmt: skip
def test_what_is_said(book, words):
    assert [line for line in said_of(book) if words in line], said_of(book)


@pytest.mark.parametrize(
    "book",
    [
        EMPTY,
        with_cells(EMPTY, first=[GRAM.format("")]),  # the stub below it is no second definition
        with_cells(EMPTY, first=[GRAM.format("")] * 2),  # nor is a copy
        with_cells(EMPTY, first=["import scipy.signal, os, painter, nst_utils"]),
        with_cells(EMPTY, first=["try:\n    import cupy\nexcept ImportError:\n    cupy = None"]),
        with_cells(EMPTY, first=["x = 3 != 4"]),
    ],
)
def test_what_is_nothing_to_speak_of(book):
    assert said_of(book) == []


def test_code_that_no_parser_takes_is_passed_over():
    assert said_of(with_cells(EMPTY, first=["def f(:", "(" * 5000, "x" * 10**6])) == []
    assert list(missing_modules("import " + ".".join("abc"))) == ["a.b.c"]


def test_the_same_code_is_known_by_what_it_does_not_by_its_looks():
    def code(**answers):
        book = with_cells(EMPTY, **(ANSWERS | answers))
        return code_of_answers([(n, c.source) for n, c in enumerate(book.cells, 1)])

    assert code() == solution_code() != ""
    looks = (
        ANSWERS["total_cost"].replace('"""Weigh', "# mine\n    '''Weigh").replace('"""\n', "'''\n")
    )
    assert looks != ANSWERS["total_cost"] and code(total_cost=looks) == code()
    assert code(total_cost="def total_cost(c, s, alpha=1, beta=2):\n    return 0") != code()
    named = f"{ANSWERS['total_cost'].replace('def total_cost', 'def mine')}\ntotal_cost = mine"
    assert code(total_cost=named) not in ("", code()), "an answer by another name is one, too"
    few = dict.fromkeys(("gram_matrix", "total_cost"), "x = 1")
    assert code(**few) == "", "too little to be compared"
    assert code_of_answers([(n, c.source) for n, c in enumerate(EMPTY.cells, 1)]) == ""


def test_hostile_depth_ends_no_grading():
    book = with_cells(EMPTY, first=["x = " + "-" * 3000 + "1"])
    with contextlib.suppress(RecursionError, MemoryError):  # which the grader takes for no remarks
        assert said_of(book) == []
