"""The student's picture: what was painted, not the cost plot, not the course's own."""

from __future__ import annotations

import base64

import nbformat
import pytest
from handed_in import EMPTY, with_cells

from classroom.own_picture import own_picture, pictures_in


def test_only_pictures_are_shown():
    png, jpeg = "iVBORw0KGgoAAAAA", "/9j/4AAQ"
    kinds = {"image/png": png, "image/jpeg": jpeg, "image/svg+xml": "<svg onload='x'/>"}
    output = nbformat.v4.new_output("display_data", kinds)
    evil = nbformat.v4.new_output("display_data", {"image/png": png + '"><script>'})
    cell = nbformat.v4.new_code_cell("", outputs=[output, evil])
    assert pictures_in(cell) == [f"image/png;base64,{png}", f"image/jpeg;base64,{jpeg}"]


def picture(name):
    return base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0" + name.encode()).decode()


def painted(*names):
    """The handout with an output in the cells that have these words; each is named by its word."""
    book = with_cells(EMPTY)
    for word in names:
        cell = next(c for c in book.cells if c.cell_type == "code" and word in c.source)
        output = nbformat.v4.new_output("display_data", {"image/png": picture(word)})
        cell.outputs = [output]
    return book


GIVEN = {p for cell in EMPTY.cells for p in pictures_in(cell)}
FIRST, LAST, PLOT, LOOP = "my_first.png", "my_own.png", "plot_costs(history", "fast_step(G"


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ((FIRST, PLOT, LAST), LAST),
        ((FIRST, PLOT), FIRST),  # who stops after section 5
        ((LOOP, PLOT), LOOP),
        ((PLOT,), None),
        (("goal = {", "G from {how}"), None),  # the course's goal, painted elsewhere
        ((), None),
    ],
)
def test_the_picture_is_the_last_that_was_painted(names, shown):
    expected = f"image/png;base64,{picture(shown)}" if shown else ""
    assert own_picture(painted(*names), GIVEN) == expected


def test_a_plot_of_ones_own_is_no_picture():
    book = painted(FIRST)
    for source in ("plt.plot(range(3))", "ax.semilogy(history)"):
        output = nbformat.v4.new_output("display_data", {"image/png": picture("plot")})
        book.cells.append(nbformat.v4.new_code_cell(source, outputs=[output]))
    assert own_picture(book, GIVEN).endswith(picture(FIRST))


def test_the_given_pictures_are_nobodys():
    assert own_picture(EMPTY, set()) and own_picture(EMPTY, GIVEN) == ""
