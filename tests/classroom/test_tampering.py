"""What a notebook replaces is named, and honest cells are not."""

from __future__ import annotations

import pytest
from handed_in import SOLVED

from classroom.tampering import tampering


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("np.allclose = lambda *a: True", "np.allclose"),
        ("tf.math.reduce_sum = 1", "tf.math.reduce_sum"),
        ("setattr(checkpoints, 'gram_matrix', f)", "checkpoints"),
        ("def isinstance(a, b):\n    return True", "isinstance"),
        ("%matplotlib inline\nimport builtins\nbuiltins.print = 1", "builtins.print"),
        ("import atexit", "atexit"),
        ("open('/proc/1/environ')", "/proc/"),
    ],
)
def test_tampering_is_named(source, word):
    assert any(word in line for line in tampering(source))


def test_honest_cells_are_not_called_tampering():
    for cell in SOLVED.cells:
        if cell.cell_type == "code" and cell.id != "cell-003":
            assert tampering(cell.source) == [], cell.source
