"""The observers: one file that stands alone, and can be copied."""

from __future__ import annotations

import ast
import importlib.util
import shutil
from pathlib import Path

from mistakes import answer
from trials import fresh

import checkpoints
from checkpoints import observe


def test_observers_stand_alone(tmp_path):
    """A grader copies the file elsewhere: it imports nothing of ours, and all at its top."""
    tree = ast.parse(Path(observe.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert all(node in tree.body for node in imports)
    assert not any(getattr(node, "level", 0) for node in imports)
    names = {(getattr(n, "module", None) or n.names[0].name).split(".")[0] for n in imports}
    assert not names & {"checkpoints", "painter", "nst_utils", "classroom"}
    spec = importlib.util.spec_from_file_location(
        "observe", shutil.copy(observe.__file__, tmp_path)
    )
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    assert list(copy.OBSERVERS) == list(checkpoints.EXERCISES)
    cases = fresh("gram_matrix")
    right = answer("gram_matrix", "right_plain")
    observations = [copy.OBSERVERS["gram_matrix"](right, case) for case in cases]
    assert checkpoints.REGISTRY["gram_matrix"].judge(cases, observations).points == 20
