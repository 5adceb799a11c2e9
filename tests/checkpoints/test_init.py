"""What the notebook calls: errors, hints in two stages, the score, nbgrader, IPython."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from mistakes import answer, answers
from trials import fresh

import checkpoints

NAMES = list(checkpoints.EXERCISES)
NOTEBOOKS = Path(checkpoints.__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """No results of other tests, and no grader's environment."""
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setattr(checkpoints, "_results", {})
    monkeypatch.setattr(checkpoints, "_seen", {})
    monkeypatch.setattr(checkpoints, "_asked", {})


def test_points_sum_to_100():
    assert sum(checkpoints.EXERCISES.values()) == 100
    assert list(checkpoints.REGISTRY) == NAMES


def test_enough_functions():
    assert sum(len(answers(name, "wrong_")) for name in NAMES) >= 100
    assert sum(len(answers(name, "right_")) for name in NAMES) >= 40


def test_failure_is_one_readable_error():
    wrong = answer("gram_matrix", "wrong_divided_by_positions")
    with pytest.raises(checkpoints.CheckpointError) as caught:
        checkpoints.gram_matrix(wrong)
    assert isinstance(caught.value, AssertionError)
    assert "divided by n_H*n_W" in caught.value.diagnosis
    assert caught.value.points == 10
    text = str(caught.value)
    assert "expected:" in text and "got:" in text and "hint 3 of Exercise 2" in text


def test_hints_come_in_two_stages():
    texts = []
    for fn in ("wrong_elementwise", "wrong_elementwise", "wrong_divided_by_positions"):
        with pytest.raises(checkpoints.CheckpointError) as caught:
            checkpoints.gram_matrix(answer("gram_matrix", fn))
        texts.append(str(caught.value))
    assert "More:" not in texts[0]
    assert "More:" in texts[1]
    assert "More:" not in texts[2]


def test_hints_exist_and_hold_no_solution():
    for name, number in zip(NAMES, (4, 3, 5, 1, 6), strict=True):
        assert len(checkpoints.REGISTRY[name].more) == number
        for text in checkpoints.REGISTRY[name].more:
            assert (
                "matmul" not in text
                and "reduce_sum" not in text
                and "return" not in text.split()[0]
            )


def test_score_half_way(capsys):
    checkpoints.gram_matrix(answer("gram_matrix", "right_plain"))
    with pytest.raises(checkpoints.CheckpointError):
        checkpoints.total_cost(answer("total_cost", "wrong_swapped"))
    capsys.readouterr()
    assert checkpoints.score() == 27
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert lines[1].split() == ["compute_content_cost", "-", "15"]
    assert lines[2].split() == ["gram_matrix", "20", "20"]
    assert lines[-1].split() == ["total", "27", "100"]


def test_nbgrader_autograde_returns_partial_points(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert checkpoints.gram_matrix(answer("gram_matrix", "wrong_divided_by_positions")) == 10
    assert "divided by n_H*n_W" in capsys.readouterr().out
    with pytest.raises(NotImplementedError, match="Exercise 2: gram_matrix"):
        checkpoints.gram_matrix(answer("gram_matrix", "wrong_stub"))
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    with pytest.raises(checkpoints.CheckpointError):
        checkpoints.gram_matrix(answer("gram_matrix", "wrong_divided_by_positions"))


def test_no_traceback_in_ipython(capsys):
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    shell.user_ns["checkpoints"] = checkpoints
    shell.run_cell("checkpoints.gram_matrix(lambda A: A)")
    out = capsys.readouterr()
    shown = out.out + out.err
    assert "gram_matrix: not right yet" in shown
    assert "Traceback" not in shown and "__init__.py" not in shown


def test_what_to_do_with_a_stub_in_ipython(capsys):
    """A beginner sees one sentence, not lines of checkpoints; the error stays the stub's own."""
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    shell.user_ns |= {"checkpoints": checkpoints, "stub": answer("gram_matrix", "wrong_stub")}
    result = shell.run_cell("checkpoints.gram_matrix(stub)")
    assert type(result.error_in_exec) is NotImplementedError
    assert str(result.error_in_exec) == "Exercise 2: gram_matrix"
    out = capsys.readouterr()
    shown = out.out + out.err
    assert "NotImplementedError: Exercise 2: gram_matrix is not written yet" in shown
    assert "run its cell" in shown and "Traceback" not in shown and "__init__.py" not in shown


def test_a_function_whose_cell_was_not_run_again():
    """As after a change without a run, and after a cell with a syntax error."""

    def asked(fn):
        with pytest.raises(checkpoints.CheckpointError) as caught:
            checkpoints.gram_matrix(fn)
        return str(caught.value)

    def made():  # as a run of the cell makes it
        return lambda A: A

    one, other = made(), made()
    assert checkpoints.SAME not in asked(one)
    assert checkpoints.SAME in asked(one) and checkpoints.SAME not in asked(other)


def test_nothing_on_stderr():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import checkpoints\n"
        "assert 'tensorflow' not in sys.modules\n"
        "def gram_matrix(A):\n    import tensorflow as tf\n    return A @ tf.transpose(A)\n"
        "checkpoints.gram_matrix(gram_matrix)\n"
    )
    command = [sys.executable, "-c", code, str(NOTEBOOKS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout == "gram_matrix: right. 20 of 20 points.\n"


def test_replaced_functions_earn_nothing(monkeypatch):
    """What a notebook may patch: NumPy's comparisons, TensorFlow's sums, its own gram_matrix."""
    monkeypatch.setattr(np, "allclose", lambda *a, **k: True)
    monkeypatch.setattr(np, "isclose", lambda *a, **k: True)
    monkeypatch.setattr(np, "array_equal", lambda *a, **k: True)
    monkeypatch.setattr(np.testing, "assert_allclose", lambda *a, **k: None)
    monkeypatch.setattr(tf, "reduce_sum", lambda *a, **k: tf.constant(0.0))
    monkeypatch.setattr(tf.debugging, "assert_near", lambda *a, **k: None)
    for name in NAMES[:4]:
        with pytest.raises(checkpoints.CheckpointError) as caught:
            getattr(checkpoints, name)(lambda *arguments, **named: tf.constant(0.0))
        assert caught.value.points == 0


def test_cases_are_plain_and_fresh():
    for name in NAMES:
        one, other, again = fresh(name, 1), fresh(name, 2), fresh(name, 1)
        arrays = [value for case in one for value in case.values() if isinstance(value, np.ndarray)]
        assert all(array.dtype.kind == "f" for array in arrays)
        rest = [{k: v for k, v in c.items() if not isinstance(v, np.ndarray)} for c in one]
        assert json.loads(json.dumps(rest)) == rest
        assert str(one) == str(again) != str(other)
