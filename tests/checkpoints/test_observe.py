"""The observers: files that stand alone, and can be copied."""

from __future__ import annotations

import ast
import contextlib
import importlib
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from mistakes import answer
from trials import fresh

import checkpoints
from checkpoints import anatomy, limits, observe

FILES = [Path(module.__file__) for module in (observe, anatomy, limits)]


def test_observers_stand_alone(tmp_path, monkeypatch):
    """A grader copies these files elsewhere: they import nothing else of ours, all at the top."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in FILES]
    imports = [n for t in trees for n in ast.walk(t) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert all(any(node in tree.body for tree in trees) for node in imports)
    assert [node.module for node in imports if getattr(node, "level", 0)] == ["anatomy", "limits"]
    names = {(getattr(n, "module", None) or n.names[0].name).split(".")[0] for n in imports}
    assert not names & {"checkpoints", "painter", "nst_utils", "classroom"}
    (tmp_path / "copied").mkdir()
    for file in FILES:
        shutil.copy(file, tmp_path / "copied")
    monkeypatch.syspath_prepend(tmp_path)
    copy = importlib.import_module("copied.observe")
    assert list(copy.OBSERVERS["first"]) == list(checkpoints.EXERCISES)
    cases = fresh("gram_matrix")
    right = answer("gram_matrix", "right_plain")
    observations = [copy.OBSERVERS["first"]["gram_matrix"](right, case) for case in cases]
    assert checkpoints.REGISTRY["gram_matrix"].judge(cases, observations).points == 20


# --- Limits --------------------------------------------------------------------------------------


@pytest.fixture
def short(monkeypatch):
    """Half a second in the place of five."""
    monkeypatch.setattr(limits, "SECONDS", 0.5)


def told(name: str, fn) -> checkpoints.Verdict:
    """What a notebook is told."""
    try:
        getattr(checkpoints, name)(fn)
    except checkpoints.CheckpointError as error:
        return error.verdict
    raise AssertionError(f"{fn} was accepted")


def test_a_loop_without_end_is_stopped_and_named(short):
    calls = []

    def gram_matrix(A):
        calls.append(A)
        while True:
            A = A + 1

    began = time.monotonic()
    verdict = told("gram_matrix", gram_matrix)
    assert verdict.mistake == "gram-too-slow"
    assert "`A = A + 1`" in verdict.diagnosis or "`while True:`" in verdict.diagnosis
    assert len(calls) == 1, "once is enough"
    assert time.monotonic() - began < 30
    assert told("gram_matrix", gram_matrix).mistake == "gram-too-slow", "and again, the next time"


def test_all_calls_of_a_function_have_one_budget(short):
    calls = []

    def gram_matrix(A):
        calls.append(A)
        end = time.process_time() + 0.4
        while time.process_time() < end:
            continue
        return A

    assert told("gram_matrix", gram_matrix).mistake == "gram-too-slow"
    assert len(calls) == 2


def test_an_except_does_not_hide_the_limit(short):
    def gram_matrix(A):
        while True:
            with contextlib.suppress(Exception):
                A = A + 1

    assert told("gram_matrix", gram_matrix).mistake == "gram-too-slow"


def test_an_except_that_catches_all_does_not_hide_the_limit(short):
    def gram_matrix(A):
        k = 0
        while True:
            try:
                return tf.matmul(A, A) if k else time.sleep(0.01 / k)
            except:  # noqa: E722
                k = 0

    began = time.monotonic()
    assert told("gram_matrix", gram_matrix).mistake == "gram-too-slow"
    assert time.monotonic() - began < 8


def test_waiting_in_an_except_that_catches_all_is_stopped(short):
    def gram_matrix(A):
        while True:
            try:
                time.sleep(100)
            except:  # noqa: E722
                A = A + 1

    assert told("gram_matrix", gram_matrix).mistake == "gram-too-slow"


def test_a_graph_without_end_is_stopped_and_named(short):
    @tf.function
    def gram_matrix(A):
        G = A
        while tf.reduce_sum(A) != 1e9:
            G = G + 0.0
        return G

    assert told("gram_matrix", gram_matrix).mistake == "gram-too-slow"


def test_waiting_is_stopped(short):
    def gram_matrix(A):
        time.sleep(300)

    assert told("gram_matrix", gram_matrix).mistake == "gram-too-slow"


@pytest.mark.parametrize("watcher", ["alone", "or the system"])
def test_memory_that_grows_is_stopped_and_named(monkeypatch, watcher):
    monkeypatch.setattr(limits, "BYTES", 2e8)
    if not limits._memory(1):
        pytest.skip("Linux only")
    if watcher == "alone":
        monkeypatch.setattr(limits, "resource", None)

    def gram_matrix(A):
        kept = []
        while len(kept) < 200:
            kept.append(np.ones(1_000_000))
            time.sleep(0.002 if watcher == "alone" else 0)
        return tf.matmul(A, A, transpose_b=True)

    assert told("gram_matrix", gram_matrix).mistake == "gram-too-large"


@pytest.mark.parametrize("library", [np, pytest.param(tf, marks=pytest.mark.slow)])  # 10 s more
def test_one_enormous_tensor_is_refused_before_it_is_taken(library):
    if not limits._memory(5):
        pytest.skip("Linux only")

    def gram_matrix(A):
        return tf.reduce_sum(library.ones((60_000, 60_000))) + tf.matmul(A, A, transpose_b=True)

    before = limits._memory(1)
    verdict = told("gram_matrix", gram_matrix)
    assert verdict.mistake == "gram-too-large"
    assert "60_000" in verdict.diagnosis, "the student's line"
    assert limits._memory(1) - before < 1e9
    assert checkpoints.gram_matrix(answer("gram_matrix", "right_plain")) == 20


def test_the_large_case_runs_only_when_the_small_ones_are_right():
    sizes = []

    def outer(A):
        sizes.append(A.shape.num_elements())
        return tf.tensordot(A, tf.transpose(A), axes=0)

    assert told("gram_matrix", outer).mistake == "gram-outer"
    assert max(sizes) < 1000

    def right(A):
        sizes.append(A.shape.num_elements())
        return tf.matmul(A, A, transpose_b=True)

    assert checkpoints.gram_matrix(right) == 20
    assert max(sizes) > 10_000


def test_what_is_enormous_on_a_real_layer_is_never_computed():
    """Right on small layers: 5 GB for one tensor on the large one, which is only traced."""
    run = []

    def through_outer(A):
        product = tf.tensordot(A, A, axes=0)  # (n_C, n, n_C, n)
        run.append(product.shape.num_elements() if tf.executing_eagerly() else 0)
        return tf.einsum("ikjk->ij", product)

    assert told("gram_matrix", through_outer).mistake == "gram-too-large"
    assert max(run) < 1e6


def test_thousands_of_steps_are_not_waited_for(monkeypatch):
    monkeypatch.setattr(limits, "SECONDS", 1.0)
    step, calls = answer("train_step", "right_plain"), []

    def train_step(*arguments, **weights):
        calls.append(1)
        for _ in range(2501):
            J = step(*arguments, **weights)
        return J

    verdict = told("train_step", train_step)
    assert verdict.mistake == "train-several-steps" and len(calls) == 1
    assert "makes" in verdict.diagnosis and "the loop comes later" in verdict.diagnosis


def test_ctrl_c_stays_ctrl_c(monkeypatch):
    import signal

    def gram_matrix(A):
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.gram_matrix(gram_matrix)
    assert signal.getsignal(signal.SIGINT) is before


def test_eager_execution_switched_off():
    with tf.Graph().as_default():
        for name in checkpoints.EXERCISES:
            verdict = told(name, answer(name, "right_plain"))
            assert verdict.mistake.endswith("-not-eager"), verdict
            assert "disable_eager_execution" in verdict.diagnosis
            assert "not written" not in verdict.diagnosis


def test_other_settings_of_keras_are_no_mistake():
    """A right train_step under another policy and order of axes, as in a notebook that tries it."""
    import keras

    keras.config.set_dtype_policy("mixed_float16")
    keras.config.set_image_data_format("channels_first")
    try:
        assert checkpoints.train_step(answer("train_step", "right_plain")) == 25
    finally:
        keras.config.set_dtype_policy("float32")
        keras.config.set_image_data_format("channels_last")
