"""The student's picture."""

from __future__ import annotations

import nbformat

from classroom.own_picture import pictures_in


def test_only_pictures_are_shown():
    png, jpeg = "iVBORw0KGgoAAAAA", "/9j/4AAQ"
    kinds = {"image/png": png, "image/jpeg": jpeg, "image/svg+xml": "<svg onload='x'/>"}
    output = nbformat.v4.new_output("display_data", kinds)
    evil = nbformat.v4.new_output("display_data", {"image/png": png + '"><script>'})
    cell = nbformat.v4.new_code_cell("", outputs=[output, evil])
    assert pictures_in(cell) == [f"image/png;base64,{png}", f"image/jpeg;base64,{jpeg}"]
