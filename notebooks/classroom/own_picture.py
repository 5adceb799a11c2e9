"""The pictures among the outputs of a notebook."""

from __future__ import annotations

import base64
import contextlib

from nbformat import NotebookNode

STARTS = {"image/png": "iVBORw0KGgo", "image/jpeg": "/9j/"}  # of their base64 text


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


def last_picture(notebook: NotebookNode, given: set[str]) -> str:
    """The last picture that is not among the given ones, "" if there is none."""
    pictures = [p for cell in notebook.cells for p in pictures_in(cell) if p not in given]
    return pictures[-1] if pictures else ""
