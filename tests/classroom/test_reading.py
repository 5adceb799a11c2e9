"""Files that are no notebook, and why."""

from __future__ import annotations

import time

import pytest

from classroom import ClassroomError, Limits
from classroom.reading import read_bytes, read_notebook


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n", "hand in"),
        (b"", "hand in"),
        (b"[]", "not a Jupyter notebook"),
        (b"[" * 100_000, "hand in"),
        (b'{"cells": 1, "nbformat": 4, "metadata": {}}', "hand in"),
        (b'{"cells": [{"cell_type": "code"}], "nbformat": 4}', "hand in"),
        (b'{"cells": [], "nbformat": 99, "nbformat_minor": 0, "metadata": {}}', "hand in"),
    ],
)
def test_broken_notebooks(tmp_path, content, expected):
    path = tmp_path / "x.ipynb"
    path.write_bytes(content)
    with pytest.raises(ClassroomError, match=expected):
        read_notebook(read_bytes(path, Limits()))


def test_a_200_mb_notebook_is_refused_at_once(tmp_path):
    path = tmp_path / "large.ipynb"
    with path.open("wb") as stream:
        stream.truncate(200_000_000)
    start = time.perf_counter()
    with pytest.raises(ClassroomError, match=r"200 MB.*clear the outputs"):
        read_notebook(read_bytes(path, Limits()))
    assert time.perf_counter() - start < 1
