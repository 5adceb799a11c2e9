"""The command line: quick help, wrong calls in one line, the commands that TEACHING.md shows."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module

import pytest
from handed_in import NO_QUARTER, command, with_cells, write

from checkpoints import verdict
from classroom import ROOT, Limits

TEACHING = (ROOT / "notebooks/TEACHING.md").read_text(encoding="utf-8")

ON_A_CLUSTER = re.search(r"classroom (grade SUBMISSIONS .*--dask tcp://.*)", TEACHING)[1]
ON_A_CLUSTER = ON_A_CLUSTER.replace("SUBMISSIONS", "nowhere").split()


def test_help_comes_at_once():
    """Without TensorFlow, and without anything else that takes time to import."""
    code = (
        "import runpy, sys\nsys.argv[1:] = ['grade', '--help']\n"
        f"try:\n    runpy.run_path({str(ROOT / 'notebooks/classroom')!r}, run_name='__main__')\n"
        "except SystemExit:\n    print(sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--cell-seconds" in done.stdout and f"default {Limits.cell_seconds:g}" in done.stdout
    modules = done.stdout.split("[")[-1]
    slow = ("tensorflow", "keras", "numpy", "nbformat", "nbclient", "matplotlib", "checkpoints")
    slow += ("dask", "distributed", "asyncio")
    assert not [name for name in slow if f"'{name}'" in modules]
    assert "'classroom'" in modules


@pytest.mark.parametrize(
    "arguments",
    [
        ["grade", "nowhere", "--out", "r"],
        [*ON_A_CLUSTER, "-j", "400"],
        ["check", "nowhere"],
    ],
)
def test_wrong_calls_are_one_line_and_exit_2(arguments, tmp_path):
    done = command(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "nowhere does not exist" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("taken", ["", "graded", "feedback", "grades.csv"])
def test_a_report_that_cannot_be_written_is_one_line_and_exit_2(taken, tmp_path, capsys):
    """A file where a folder should be, or the reverse; read-only or full disks are told alike."""
    (tmp_path / "class").mkdir()
    (tmp_path / "class/ada.ipynb").write_text("no notebook")
    place = tmp_path / "report" / taken
    place.parent.mkdir(exist_ok=True)
    place.mkdir() if "." in taken else place.write_text("")
    words = ["grade", str(tmp_path / "class"), "--out", str(tmp_path / "report")]
    assert import_module("classroom.__main__").main(words) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert str(place) in said and "choose another folder" in said


def commands(start: str) -> list[str]:
    """The words of a command in the section on safety, from `start` on."""
    section = TEACHING.split("### What is not protected")[1].split("\n## ")[0]
    return section.split(start)[1].split("\n\n")[0].replace("\\\n", " ").split()


def test_teaching_says_what_is_not_protected():
    section = TEACHING.split("### What is not protected")[1].split("\n## ")[0].replace("**", "")
    for words in ("as your user", "Landlock", "audit hooks", "sudo -u", "Nowhere is this a wall"):
        assert words in section


def test_teachings_table_names_every_share_of_points_that_occurs():
    """The constants of `checkpoints.verdict` are the shares; 1 and 0 go without a name."""
    table = re.findall(r"^\| .* \| ([\d.]+) \|$", TEACHING, re.MULTILINE)
    shares = {n: v for n, v in vars(verdict).items() if n.isupper() and isinstance(v, float)}
    shares = {n: v for n, v in shares.items() if n not in ("TOLERANCE", "STYLE_WEIGHT")}
    assert shares and {f"{share:g}" for share in shares.values()} | {"0", "1"} == set(table)


@pytest.mark.parametrize("start, place", [("docker run", "/in"), ("sudo -u", "submissions")])
def test_teachings_ways_to_grade_elsewhere_are_understood(start, place, tmp_path):
    """As far as it goes without the folder: argparse accepts them, and nothing is there."""
    words = commands(start)
    script = next(k for k, word in enumerate(words) if word.endswith("notebooks/classroom"))
    done = command(*words[script + 1 : -1], tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 2 and f"{place} does not exist" in done.stderr
    if start == "docker run":
        wanted = {"--network", "none", "--memory", "--pids-limit", "--user", '"$PWD":/course:ro'}
        assert wanted <= {*words}
        mounted = {part.split(":")[1] for part in words if ":/" in part}
        assert {"/course", "/in", "/out"} <= mounted and words[-1] == "/out"


@pytest.mark.parametrize("jobs", ["0", "-1", "x", "65"])
def test_numbers_of_jobs_that_are_none(jobs, tmp_path):
    done = command("grade", tmp_path, "--out", tmp_path / "r", "-j", jobs)
    assert done.returncode == 2 and jobs in done.stderr and not (tmp_path / "r").exists()


@pytest.mark.slow
def test_check_from_the_command_line(tmp_path):
    path = write(tmp_path / "mein Übungsblatt.ipynb", with_cells(compute_content_cost=NO_QUARTER))
    first, second = (command("check", path, "--seed=5") for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert "7 of 15 points" in first.stdout and "4 times too large" in first.stdout
    assert first.stdout == second.stdout, "the same seed gives the same text"
