"""One file, which may be anything, read as a notebook."""

from __future__ import annotations

import json
import logging
import re
import stat
import warnings
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from classroom import ClassroomError, Limits

logging.getLogger("traitlets").setLevel(logging.CRITICAL)  # nbformat's remarks on old notebooks


def read_bytes(path: Path, limits: Limits) -> bytes:
    """A file's bytes, unless they are too many. Raises ClassroomError."""
    try:
        about = path.stat()
        size = about.st_size
        if not stat.S_ISREG(about.st_mode):  # a pipe is waited for, and /dev/zero has no end
            what = "a folder" if path.is_dir() else "no ordinary file"
            raise ClassroomError(f"{path.name} is {what}: the .ipynb file itself is expected")
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
    if reason := _other_kind(data):
        raise ClassroomError(reason)
    try:
        raw = json.loads(_text(data))
        if not isinstance(raw, dict) or not ("cells" in raw or "worksheets" in raw):
            raise ClassroomError("it is not a Jupyter notebook: hand in the .ipynb file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook = nbformat.reads(json.dumps(_mended(raw)), as_version=4)
        for cell in notebook.cells:
            known = cell.get("cell_type") in ("code", "markdown", "raw")
            if not known or not isinstance(cell.get("source"), str):
                raise ClassroomError("a cell is damaged: save it in Jupyter, and hand in that")
    except ClassroomError:
        raise
    except json.JSONDecodeError as error:
        raise ClassroomError(_why_no_json(error)) from None
    except Exception as error:  # what a broken file can raise has no end
        raise _unreadable(error) from None
    if (language := _language(notebook)) != "python":
        raise ClassroomError(f"it is a notebook in {language}, and the course is in Python")
    return notebook


def _mended(raw: dict) -> dict:
    """With what some tools leave out, or write in their own way: metadata, and the version.

    A notebook that has `cells` at its outermost level is one of version 4, or 5 if there will be.
    """
    if not isinstance(raw.get("cells"), list):
        return raw

    def with_metadata(part: object) -> object:
        lacks = isinstance(part, dict) and not isinstance(part.get("metadata"), dict)
        return part | {"metadata": {}} if lacks else part

    minor, major = raw.get("nbformat_minor"), raw.get("nbformat")
    if isinstance(major, int) and major > 5:
        return raw
    version = {"nbformat": 4, "nbformat_minor": minor if isinstance(minor, int) else 5}
    return with_metadata(raw) | version | {"cells": [with_metadata(c) for c in raw["cells"]]}


MAGIC = {  # how files of other kinds begin
    b"PK": "a zip, or a kind of one like .docx",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"GIF8": "a picture (GIF)",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"{\\rtf": "a text document (RTF)",
    b"<!doctype html": "a web page",
    b"<html": "a web page",
}


def _other_kind(data: bytes) -> str:
    """What a file is, where its first bytes tell that it is no notebook; else ""."""
    if not data.strip(b"\0 \t\r\n"):
        return "the file is empty: save the notebook in Jupyter (Ctrl+S) and hand it in again"
    start = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, kind in MAGIC.items():
        if start.startswith(magic.lower()):
            return f"it is {kind}: hand in the .ipynb file"
    return ""


def _text(data: bytes) -> str:
    """Text in any form of Unicode, as some editors save it; what is broken in it is replaced."""
    return data.decode(json.detect_encoding(data), "replace")


def _why_no_json(error: json.JSONDecodeError) -> str:
    """What may have happened to a file that should be JSON."""
    text, line = error.doc, f"line {error.lineno}"
    if re.search(r"^(<{7}|={7}|>{7})( |$)", text, re.MULTILINE):
        return "it holds the marks of a merge conflict in Git (<<<<<<<): resolve it and save again"
    if not text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        return "it is a program or a text, not a notebook: hand in the .ipynb file, not an export"
    if error.pos >= len(text.rstrip()) or "Unterminated string" in error.msg:
        return "it is cut short, as after an upload that broke off: hand in the .ipynb file again"
    return f"it is damaged in {line} ({error.msg}): open it in Jupyter, save it, hand it in again"


KERNELS = {
    "ir": "R", "xr": "R", "julia": "Julia", "octave": "Octave", "matlab": "MATLAB",
    "scala": "Scala", "ijava": "Java", "java": "Java", "javascript": "JavaScript", "bash": "Bash",
}  # fmt: skip


def _language(notebook: NotebookNode) -> str:
    """The language that a notebook says it is in; "python" if it says nothing."""
    about = notebook.metadata if isinstance(notebook.metadata, dict) else {}
    for part, key in (("language_info", "name"), ("kernelspec", "language")):
        found = about.get(part)
        name = found.get(key) if isinstance(found, dict) else None
        if isinstance(name, str) and name.strip():
            return "python" if "python" in name.lower() else name.strip()[:40]
    kernel = about.get("kernelspec")  # Colab writes no more than its name
    name = str(kernel.get("name")).lower() if isinstance(kernel, dict) else ""
    return next((KERNELS[k] for k in KERNELS if re.match(rf"{k}([^a-z]|$)", name)), "python")


def _unreadable(error: Exception) -> ClassroomError:
    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
    return ClassroomError(
        f"it cannot be read as a notebook ({reason}): hand in the .ipynb file as saved"
    )
