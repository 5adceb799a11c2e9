"""One file, which may be anything, read as a notebook."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from classroom import ClassroomError, Limits

logging.getLogger("traitlets").setLevel(logging.CRITICAL)  # nbformat's remarks on old notebooks


def read_bytes(path: Path, limits: Limits) -> bytes:
    """A file's bytes, unless they are too many. Raises ClassroomError."""
    try:
        size = path.stat().st_size
        if size > limits.file_mb * 1e6:
            raise ClassroomError(
                f"the file has {size / 1e6:.0f} MB, more than {limits.file_mb:g}: "
                "clear the outputs (Edit, Clear Outputs of All Cells) and hand it in again"
            )
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(error) from None


def read_notebook(data: bytes) -> NotebookNode:
    """A notebook of any version as version 4. Raises ClassroomError with the reason."""
    if data.startswith(b"PK"):
        raise ClassroomError("it is a zip, or a kind of one like .docx: hand in the .ipynb file")
    try:
        raw = json.loads(data.decode("utf-8-sig"))
        if not isinstance(raw, dict) or not ("cells" in raw or "worksheets" in raw):
            raise ClassroomError("it is not a Jupyter notebook: hand in the .ipynb file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook = nbformat.reads(json.dumps(raw), as_version=4)
        for cell in notebook.cells:
            known = cell.cell_type in ("code", "markdown", "raw")
            if not known or not isinstance(cell.source, str):
                raise ClassroomError("a cell is damaged: open and save it in Jupyter")
        return notebook
    except ClassroomError:
        raise
    except Exception as error:  # what a broken file can raise has no end
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> ClassroomError:
    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
    return ClassroomError(
        f"it cannot be read as a notebook ({reason}): hand in the .ipynb file as saved"
    )
