"""The student's picture, among the outputs of a notebook."""

from __future__ import annotations

import base64
import contextlib
import re

from nbformat import NotebookNode

STARTS = {"image/png": "iVBORw0KGgo", "image/jpeg": "/9j/"}  # of their base64 text
SHOWS = re.compile(r"\b(show_images|show_progress|imshow|display|save_image)\b")
PLOTS = re.compile(r"\b(plot_costs|show_maps|draw_vgg19)\b|\.(plot|semilog[xy]|loglog|hist)\(")


def pictures_in(cell: NotebookNode) -> list[str]:
    """The PNG and JPEG pictures among the outputs of a cell, up to 5 MB each, for a data URI."""
    found = []
    for output in cell.get("outputs", []):
        data = output.get("data", {}) if isinstance(output, dict) else {}
        for kind, start in STARTS.items():
            text = data.get(kind, "") if isinstance(data, dict) else ""
            text = "".join((text if isinstance(text, str) else "").split())
            if text.startswith(start) and len(text) < 7_000_000:
                with contextlib.suppress(ValueError):
                    base64.b64decode(text, validate=True)
                    found.append(f"{kind};base64,{text}")
    return found


def own_picture(notebook: NotebookNode, given: set[str]) -> str:
    """The last picture that the student painted, as far as one can tell; "" if there is none.

    It comes after the definition of train_step, is none of the `given` ones, and no plot.
    """
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    starts = [
        k for k, cell in enumerate(code) if re.search(r"^def train_step\b", cell.source, re.M)
    ]
    found = {True: "", False: ""}  # by whether the cell shows pictures, as far as its words tell
    for cell in code[starts[-1] :] if starts else ():
        if not PLOTS.search(cell.source):
            pictures = [picture for picture in pictures_in(cell) if picture not in given]
            shows = bool(SHOWS.search(cell.source))
            found[shows] = pictures[-1] if pictures else found[shows]
    return found[True] or found[False]
