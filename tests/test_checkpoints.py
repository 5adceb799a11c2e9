"""The checkpoints: right is right, wrong is wrong and named, and hostile facts change nothing."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
sys.path[:0] = [str(NOTEBOOKS), str(Path(__file__).resolve().parent)]

checkpoints = importlib.import_module("checkpoints")
checkpoints._import_tensorflow()
tf = importlib.import_module("tensorflow")

MODULES = {
    name: importlib.import_module("mistakes." + module)
    for name, module in zip(
        checkpoints.EXERCISES,
        ("content_cost", "gram", "style_cost", "total", "training"),
        strict=True,
    )
}
NAMES = list(MODULES)


def functions(name: str, prefix: str) -> dict:
    """The functions of an exercise whose names start with `prefix`."""
    return {k: f for k, f in vars(MODULES[name]).items() if k.startswith(prefix)}


RIGHT = [(name, key) for name in NAMES for key in functions(name, "right_")]


def judge(name: str, fn, cases: list) -> checkpoints.Verdict:
    """Observe `fn` on `cases`, and judge."""
    exercise = checkpoints.REGISTRY[name]
    return exercise.judge(cases, [exercise.observe(fn, case) for case in cases])


def fresh(name: str, seed: int = 0) -> list:
    """Cases of one seed: a test that draws its numbers would one day be red for no reason."""
    return checkpoints.REGISTRY[name].cases(np.random.default_rng(seed))


def judge_wrong(name: str, fn, cases: list) -> checkpoints.Verdict:
    """Like `judge`, but the slow case inside tf.function only where the others find nothing."""
    verdict = judge(name, fn, [case for case in cases if not case["graph"]])
    return verdict if verdict.mistake else judge(name, fn, cases)


def is_named(fn, verdict: checkpoints.Verdict) -> bool:
    found = set(verdict.mistake.split("+"))
    return any(set(wanted.split("+")) == found for wanted in fn.mistakes)


@pytest.fixture(scope="module")
def verdicts() -> dict:
    """(exercise, function name) -> (function, verdict) for all wrong functions, called directly."""
    found = {}
    for name in NAMES:
        cases = fresh(name)
        for key, fn in functions(name, "wrong_").items():
            found[name, key] = fn, judge_wrong(name, fn, cases)
    return found


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """No results of other tests, and no grader's environment."""
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    checkpoints._results.clear()
    checkpoints._seen.clear()


def test_points_sum_to_100():
    assert sum(checkpoints.EXERCISES.values()) == 100
    assert list(checkpoints.REGISTRY) == NAMES


@pytest.mark.parametrize(("name", "key"), RIGHT)
def test_right_is_right(name, key, capsys):
    fn = functions(name, "right_")[key]
    points = getattr(checkpoints, name)(fn)
    assert points == checkpoints.EXERCISES[name]
    assert capsys.readouterr().out == f"{name}: right. {points} of {points} points.\n"


@pytest.mark.parametrize("name", NAMES)
def test_right_inside_tf_function(name):
    cases = fresh(name)
    cases = cases if name == "total_cost" else cases[:2] + cases[-1:]
    slow = ("right_loop", "right_rows")  # hundreds of nodes for every shape
    chosen = {k: f for k, f in functions(name, "right_").items() if k not in slow}
    if name == "train_step":  # tracing takes seconds
        chosen = {k: f for k, f in chosen.items() if k in ("right_plain", "right_keywords")}
    if name == "total_cost":
        del chosen["right_tf_ops"]  # inside tf.function, tf.multiply(10, J) needs two dtypes
    for key, fn in chosen.items():
        verdict = judge(name, tf.function(fn), cases)
        assert verdict.mistake == "", (key, verdict)


def test_enough_functions():
    wrong = [key for name in NAMES for key in functions(name, "wrong_")]
    assert len(wrong) >= 100
    assert len(RIGHT) >= 40


@pytest.mark.parametrize("name", NAMES)
def test_wrong_is_rejected(name, verdicts):
    for (exercise, key), (_, verdict) in verdicts.items():
        if exercise == name:
            assert verdict.mistake, key
            assert 0 <= verdict.points < verdict.possible, key
            assert len(verdict.diagnosis) > 20, key
            assert "malformed" not in verdict.mistake, (key, verdict)


def test_wrong_is_named(verdicts):
    missed = [(k, f.mistakes, v.mistake) for k, (f, v) in verdicts.items() if not is_named(f, v)]
    share = 1 - len(missed) / len(verdicts)
    print(f"{len(verdicts)} wrong, {share:.1%} named as they must be; not so: {missed}")
    assert share >= 0.95


@pytest.mark.parametrize("name", NAMES)
def test_wrong_inside_tf_function(name):
    cases = [case for case in fresh(name) if not case["graph"]][:2]
    chosen = list(functions(name, "wrong_").items())[::3]  # tracing takes its time
    if name == "train_step":
        cases, chosen = cases[1:], chosen[::2]  # and seconds here
    for key, fn in chosen:
        if key in ("wrong_float", "wrong_content_detached") or "overflow" in fn.mistakes[0]:
            continue  # in a graph float() is a cast, and right; or wrong on large cases only
        if key in ("wrong_defaults", "wrong_only_tensors", "wrong_index_five", "wrong_renamed"):
            cases_here = fresh(name)
        else:
            cases_here = cases
        assert judge(name, tf.function(fn), cases_here).mistake, key


def test_shape_is_named_in_words():
    verdict = judge(
        "gram_matrix", MODULES["gram_matrix"].wrong_transposed_first, fresh("gram_matrix")
    )
    assert "(n_H*n_W, n_H*n_W)" in verdict.diagnosis
    assert verdict.hint == "hint 2 of Exercise 2"


def test_error_shows_the_line():
    def gram_matrix(A):
        return A @ A.T

    verdict = judge("gram_matrix", gram_matrix, fresh("gram_matrix"))
    line = gram_matrix.__code__.co_firstlineno + 1
    assert f"line {line}, `return A @ A.T`" in verdict.diagnosis


@pytest.mark.parametrize(
    ("name", "key", "points"),
    [
        ("compute_content_cost", "wrong_no_quarter", 7),
        ("compute_content_cost", "wrong_numpy", 9),
        ("compute_content_cost", "wrong_stub", 0),
        ("gram_matrix", "wrong_divided_by_positions", 10),
        ("gram_matrix", "wrong_elementwise", 0),
        ("compute_layer_style_cost", "wrong_reshape_only", 12),
        ("compute_layer_style_cost", "wrong_reshape_only_no_quarter", 5),
        ("total_cost", "wrong_swapped", 7),
        ("total_cost", "wrong_own_defaults_hard_coded_swapped", 3),
        ("train_step", "wrong_no_clip", 15),
        ("train_step", "wrong_cost_after", 20),
        ("train_step", "wrong_own_content", 10),
        ("train_step", "wrong_pass", 0),
    ],
)
def test_partial_credit(name, key, points, verdicts):
    assert verdicts[name, key][1].points == points


@pytest.mark.parametrize(
    ("name", "one", "both"),
    [
        ("total_cost", "wrong_no_alpha", "wrong_no_weights"),
        ("total_cost", "wrong_no_beta", "wrong_no_weights"),
        ("train_step", "wrong_alpha_not_passed", "wrong_weights_not_passed"),
        ("train_step", "wrong_beta_not_passed", "wrong_weights_not_passed"),
    ],
)
def test_one_weight_forgotten_earns_no_less_than_both(name, one, both, verdicts):
    assert verdicts[name, one][1].points >= verdicts[name, both][1].points > 0
    assert ("alpha" if "alpha" in one else "beta") + " is" in verdicts[name, one][1].diagnosis


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("forgotten", ["alpha", "beta"])
def test_two_costs_that_agree_by_chance_are_told_apart_by_the_pixels(forgotten, seed):
    cases = fresh("train_step", seed)
    case = cases[1]  # the one with weights of its own, outside tf.function
    terms = checkpoints._rollout(case)[0]["terms"]
    J_content, J_style = terms["content"]["C"][0], terms["style"]["S"][0]
    case["beta"] = ((case["alpha"] - 10) * J_content + 40 * J_style) / J_style
    fn = getattr(MODULES["train_step"], f"wrong_{forgotten}_not_passed")
    assert judge_wrong("train_step", fn, cases).mistake == f"train-{forgotten}-ignored"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_other_numbers_give_the_same_verdicts(seed, verdicts):
    """A student's points must not depend on the numbers that were drawn."""
    for name, key in RIGHT:
        verdict = judge(name, functions(name, "right_")[key], fresh(name, seed))
        assert verdict.mistake == "", (key, verdict)
    for (name, key), (fn, expected) in verdicts.items():
        verdict = judge_wrong(name, fn, fresh(name, seed))
        assert (verdict.mistake, verdict.points) == (expected.mistake, expected.points), key


def test_expected_and_got_can_be_told_apart(verdicts):
    for key, (_, verdict) in verdicts.items():
        assert verdict.expected != verdict.got or not verdict.got, (key, verdict)
    assert checkpoints._show_both(20, np.array(20.1)) == ("20", "20.1")
    assert checkpoints._show_both(1e8, np.array(1e8)) == ("", "")
    far = np.eye(3), np.diag([1.0, 1, 4])
    assert checkpoints._show_both(*far)[1] == "shape (3, 3), at [2, 2]: 4"


def test_numpy_names_are_translated(verdicts):
    """TensorFlow's own message suggests its NumPy behaviour, which would change every dtype."""
    for (_, key), (fn, verdict) in verdicts.items():
        if "as-in-numpy" in fn.mistakes[0]:
            assert ": use tf." in verdict.diagnosis, key
            assert "experimental" not in verdict.diagnosis, key


def test_failure_is_one_readable_error():
    wrong = MODULES["gram_matrix"].wrong_divided_by_positions
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
            checkpoints.gram_matrix(getattr(MODULES["gram_matrix"], fn))
        texts.append(str(caught.value))
    assert "More:" not in texts[0]
    assert "More:" in texts[1]
    assert "More:" not in texts[2]


def test_hints_exist_and_hold_no_solution():
    for name, number in zip(NAMES, (4, 3, 5, 1, 6), strict=True):
        assert len(checkpoints.MORE[name]) == number
        for text in checkpoints.MORE[name]:
            assert (
                "matmul" not in text
                and "reduce_sum" not in text
                and "return" not in text.split()[0]
            )


def test_every_hint_has_a_second_stage(verdicts):
    for _, verdict in verdicts.values():
        assert "More:" in checkpoints.explain(verdict, again=True)


def test_score_half_way(capsys):
    checkpoints.gram_matrix(MODULES["gram_matrix"].right_plain)
    with pytest.raises(checkpoints.CheckpointError):
        checkpoints.total_cost(MODULES["total_cost"].wrong_swapped)
    capsys.readouterr()
    assert checkpoints.score() == 27
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert lines[1].split() == ["compute_content_cost", "-", "15"]
    assert lines[2].split() == ["gram_matrix", "20", "20"]
    assert lines[-1].split() == ["total", "27", "100"]


def test_nbgrader_autograde_returns_partial_points(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert checkpoints.gram_matrix(MODULES["gram_matrix"].wrong_divided_by_positions) == 10
    assert "divided by n_H*n_W" in capsys.readouterr().out
    with pytest.raises(NotImplementedError, match="Exercise 2: gram_matrix"):
        checkpoints.gram_matrix(MODULES["gram_matrix"].wrong_stub)
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    with pytest.raises(checkpoints.CheckpointError):
        checkpoints.gram_matrix(MODULES["gram_matrix"].wrong_divided_by_positions)


def test_no_traceback_in_ipython(capsys):
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    shell.user_ns["checkpoints"] = checkpoints
    shell.run_cell("checkpoints.gram_matrix(lambda A: A)")
    out = capsys.readouterr()
    shown = out.out + out.err
    assert "gram_matrix: not right yet" in shown
    assert "Traceback" not in shown and "checkpoints.py" not in shown


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


def test_content_and_style_weigh_alike():
    for seed in range(5):
        case = fresh("train_step", seed)[0]
        terms = checkpoints._rollout(case)[0]["terms"]
        content, style = 10 * terms["content"]["C"][0], 40 * terms["style"]["S"][0]
        assert 0.5 < content / style < 2
        before, after = (step["J"] for step in checkpoints._rollout(case))
        assert abs(after - before) > 0.01 * before


def test_gradients_of_the_judge_are_derivatives():
    case = fresh("train_step", 3)[0]
    image = case["image"].astype("float64")
    direction = np.random.default_rng(0).normal(size=image.shape)
    for part, key in (("content", "C"), ("style", "S"), ("content", "S"), ("style", "C")):
        low, high = (
            checkpoints._terms(case, image + e * direction)[part][key][0] for e in (-1e-5, 1e-5)
        )
        slope = (checkpoints._terms(case, image)[part][key][1] * direction).sum()
        assert (high - low) / 2e-5 == pytest.approx(slope, rel=1e-5)


def test_observers_stand_alone():
    """A grader sends their source into another process: they may use no other global."""
    import builtins
    import inspect

    known = {observer.__name__ for observer in checkpoints.OBSERVERS} | set(dir(builtins))
    source = "\n".join(inspect.getsource(observer) for observer in checkpoints.OBSERVERS)
    namespace: dict = {}
    exec(source, namespace)
    for observer in checkpoints.OBSERVERS:
        todo = [observer.__code__]
        while todo:
            code = todo.pop()
            todo += [const for const in code.co_consts if hasattr(const, "co_names")]
            loaded = {
                i.argval
                for i in __import__("dis").get_instructions(code)
                if i.opname == "LOAD_GLOBAL"
            }
            assert loaded <= known, (observer.__name__, loaded - known)
    observe = namespace["observe_gram_matrix"]
    cases = fresh("gram_matrix")
    observations = [observe(MODULES["gram_matrix"].right_plain, case) for case in cases]
    assert checkpoints.REGISTRY["gram_matrix"].judge(cases, observations).points == 20


HOSTILE = (
    None,
    True,
    -3,
    10**400,
    float("nan"),
    1e308,
    "text\x00\n" * 50,
    b"bytes",
    [1, 2],
    {},
    {"value": {}},
    np.zeros(()),
    np.zeros((0, 3)),
    np.full((2, 2), np.nan),
    np.full((4, 4), np.inf),
    np.array(["text"]),
    np.array([None, object()], dtype=object),
    np.array(1e308),
    np.array(1 + 2j),
    np.array(True),
    np.arange(7),
    np.float32(3),
)


@pytest.fixture(scope="module")
def honest() -> dict:
    """Cases and honest observations of right functions, to be spoiled one fact at a time."""
    found = {}
    for name in NAMES:
        exercise, cases = checkpoints.REGISTRY[name], fresh(name, 5)
        fn = functions(name, "right_")["right_plain"]
        found[name] = cases, [exercise.observe(fn, case) for case in cases]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_judge_survives_spoiled_facts(name, honest):
    """One to three honest facts replaced or removed: never an exception, always a sane verdict."""
    cases, observations = honest[name]
    rng = np.random.default_rng(7)
    for _ in range(40):
        spoiled = [dict(facts) for facts in observations]
        for _ in range(rng.integers(1, 4)):
            facts = spoiled[rng.integers(len(spoiled))]
            key = sorted(facts)[rng.integers(len(facts))]
            facts[key] = HOSTILE[rng.integers(len(HOSTILE))]
            if rng.random() < 0.3:
                del facts[key]
        verdict = checkpoints.REGISTRY[name].judge(cases, spoiled)
        assert 0 <= verdict.points <= verdict.possible
        assert all(type(t) is str for t in (verdict.diagnosis, verdict.expected, verdict.got))


@pytest.mark.parametrize("name", NAMES)
def test_judge_survives_nonsense(name, honest):
    """Nothing but hostile facts: no point."""
    cases, observations = honest[name]
    keys = sorted({key for facts in observations for key in facts})
    rng = np.random.default_rng(8)
    nonsense = [*HOSTILE, [], [None] * len(cases), [{}] * len(cases), [{}] * 99]
    for _ in range(40):
        few = [rng.choice(keys, size=rng.integers(0, 12)) for _ in cases]
        facts = [{str(k): HOSTILE[rng.integers(len(HOSTILE))] for k in some} for some in few]
        nonsense.append(facts)
    for observations in nonsense:
        verdict = checkpoints.REGISTRY[name].judge(cases, observations)
        assert verdict.points == 0 and verdict.mistake


def test_constant_answers_earn_nothing(honest):
    """Zeros or ones everywhere, in the shape of honest facts, earn no point."""
    for name, (cases, observations) in honest.items():
        for number in (0, 1):
            forged = [
                {
                    k: np.full_like(v, number) if type(v) is np.ndarray else v
                    for k, v in facts.items()
                }
                for facts in observations
            ]
            assert checkpoints.REGISTRY[name].judge(cases, forged).points == 0, (name, number)
