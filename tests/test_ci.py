"""What runs elsewhere, as far as it can be told here: GitHub's workflow, the devcontainer, README.

The schema of workflows is in check-jsonschema; actionlint is asked, too, where it is installed.
"""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT

import check_environment

WORKFLOW = ROOT / ".github" / "workflows" / "tests.yml"
JOBS = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
(FIRST, END), PACKAGES = check_environment.wanted((ROOT / "requirements.txt").read_text("utf-8"))
LAST = f"3.{int(END.split('.')[1]) - 1}"


def test_the_workflow_is_one_that_github_takes():
    pytest.importorskip("check_jsonschema", reason="needs: pip install check-jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    command += ["vendor.github-workflows", str(WORKFLOW)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("actionlint"), reason="actionlint is not on the PATH")
def test_actionlint_has_no_complaint():
    done = subprocess.run(["actionlint", WORKFLOW], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr


def test_three_systems_and_both_ends_of_the_bounds():
    matrix = JOBS["tests"]["strategy"]["matrix"]
    assert [name.split("-")[0] for name in matrix["os"]] == ["ubuntu", "macos", "windows"]
    ends = {entry["versions"]: entry["python"] for entry in matrix["include"]}
    assert ends == {"oldest": FIRST, "newest": LAST} and sorted(ends) == sorted(matrix["versions"])


def script(job, word):
    """The shell lines of the step whose name has this word."""
    return next(step["run"] for step in JOBS[job]["steps"] if word in step.get("name", ""))


@pytest.mark.skipif(os.name != "posix", reason="POSIX only")
def test_versions_that_the_jobs_pin_or_set_free(tmp_path):
    """Their own shell lines, run here; .ci/run is a stand-in that shows what it was given."""
    env = {**os.environ, "RUNNER_TEMP": str(tmp_path), "GITHUB_ENV": str(tmp_path / "env")}
    pin = ["bash", "-euo", "pipefail", "-c", script("tests", "lower bounds")]
    subprocess.run(pin, cwd=ROOT, env=env, check=True, timeout=60)
    pinned = (tmp_path / "oldest.txt").read_text().split()
    assert pinned == [f"{name}=={low}" for name, (low, _) in PACKAGES.items()]
    assert (tmp_path / "env").read_text() == f"PIP_CONSTRAINT={tmp_path}/oldest.txt\n"

    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "run").write_text('#!/bin/sh\ncat "$REQUIREMENTS"\n')
    (tmp_path / ".ci" / "run").chmod(0o755)
    shutil.copy(ROOT / "requirements.txt", tmp_path)
    free = ["bash", "-euo", "pipefail", "-c", script("unbounded", "left out")]
    assert subprocess.check_output(free, cwd=tmp_path, env=env, text=True).split() == [*PACKAGES]


def test_the_jobs_run_the_commands_of_readme():
    """One line of README each for a POSIX shell and PowerShell; the first is what .ci/run takes."""
    assert script("tests", "then ruff") == ".ci/run"
    ours = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for text, quote, end in (
        (ours, "'", "-m pytest"),
        (script("tests", "PowerShell"), "'", "pytest"),
    ):
        pattern = re.search(rf"{quote}(\^[^{quote}]+\$){quote}", text)[1]
        (line,) = re.findall(pattern, README, re.MULTILINE)
        assert "install -q -r requirements.txt" in line and line.endswith(end)


def test_the_devcontainer_has_a_python_of_ours_and_makes_the_environment_of_readme():
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    container = json.loads(text)
    version = re.search(r"python:(3\.\d+)", container["image"])[1]
    assert check_environment.python_line(version, (FIRST, END)).state == check_environment.OK
    install = container["postCreateCommand"].split(" && ")
    assert " && ".join(install[:2]) in README
    assert install[2].endswith(
        f"notebooks/{check_environment.Path(check_environment.__file__).name}"
    )


COMMANDS = re.findall(r"^(?:python3|py|uv|\.venv\S+) .+$", README, re.MULTILINE)


def test_readme_names_files_that_exist():
    """Each path of its commands; and for each `uv` command its options."""
    assert len(COMMANDS) > 8
    for command in COMMANDS:
        for path in re.findall(r"(?<= )(?:notebooks|tests)[/\\]\S+", command):
            assert (ROOT / path.replace("\\", "/")).exists(), command
    uv = [command for command in COMMANDS if command.startswith("uv ")]
    assert uv and all("--with-requirements requirements.txt" in command for command in uv)
    assert all("--no-project" in command for command in uv)  # else uv writes uv.lock and an .venv
    for version in re.findall(r"--python (\S+)", "\n".join(uv)):
        assert check_environment.python_line(version, (FIRST, END)).state == check_environment.OK
