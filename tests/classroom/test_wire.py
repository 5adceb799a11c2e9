"""What travels between grader and kernel; hostile facts are none."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from classroom import Limits
from classroom.attempt import read_facts
from classroom.kernel_side.wire import pack, unpack


def test_pack_and_unpack():
    value = {"a": np.arange(6.0).reshape(2, 3), "b": [1, None, "x", 2.5], "c": {"d": True}}
    back = unpack(json.loads(json.dumps(pack(value))))
    assert np.array_equal(back["a"], value["a"]) and back["b"] == value["b"] and back["c"]["d"]
    assert pack(object()) is None and pack(np.array([object()])) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "7",
        '{"dict": 3}',
        '{"array": ["<f4", [1000000000000], ""]}',
        '{"array": ["|O", [1], "AAAAAAAAAAA="]}',
        '{"array": ["<f4", [-1], "AAAA"]}',
        '{"dict": {"facts": {"array": [1, 2, 3]}}}',
        '{"a": 1, "b": 2}',
        '{"list": ' * 5000,
        "1" * 10_000,
    ],
)
def test_hostile_facts_are_no_facts(tmp_path, text):
    path = tmp_path / "x.out"
    path.write_text(text)
    assert read_facts(path, Limits()) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX only")
def test_pipes_and_links_are_no_facts(tmp_path):
    os.mkfifo(tmp_path / "pipe.out")
    (tmp_path / "link.out").symlink_to("/dev/zero")
    for name in ("pipe.out", "link.out", "missing.out"):
        assert read_facts(tmp_path / name, Limits()) is None
