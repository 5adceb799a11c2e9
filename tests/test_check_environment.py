"""notebooks/check_environment.py: what it finds wanting, and what it says to do."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import bounds
import pytest
from conftest import ROOT

import check_environment as check
import nst_utils
from check_environment import MISSING, NOTE, OK

FILE = Path(check.__file__)
TEXT = (ROOT / "requirements.txt").read_text(encoding="utf-8")
PYTHONS, PACKAGES = check.wanted(TEXT)


def test_it_runs_before_anything_is_installed():
    """The standard library alone, and no syntax that old Pythons do not know."""
    tree = ast.parse(FILE.read_text(encoding="utf-8"), feature_version=(3, 6))
    modules = [n for node in ast.walk(tree) if isinstance(node, ast.Import) for n in node.names]
    names = {alias.name for alias in modules}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= sys.stdlib_module_names


def test_the_command_prints_a_line_each_and_exits_accordingly():
    command = [sys.executable, "-I", "-S", str(FILE)]  # without any package
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    *lines, last = done.stdout.splitlines()
    assert done.returncode == 1 and last == "Missing: 1." and not done.stderr
    assert "MISSING packages         none of the" in lines[2] and " -> " in lines[2]
    assert [line.split()[1] for line in lines] == [
        "Python", "processor", "packages", "memory", "disk", "folder",
        *["path"] * (os.name == "nt"), "writing", "weights",
    ]  # fmt: skip


def test_everything_is_here(monkeypatch, capsys):
    monkeypatch.setattr(check, "tensorflow_line", lambda: check.Line(OK, "TensorFlow", "", ""))
    monkeypatch.setattr(check, "installed_version", lambda name: PACKAGES[name][0])
    monkeypatch.setattr(check, "free_memory", lambda: 4e9)
    assert check.main() == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Everything is here."


def test_a_long_name_does_not_touch_what_is_said_about_it(monkeypatch, capsys):
    alone = [check.Line(MISSING, name, "not installed", "") for name in PACKAGES]
    monkeypatch.setattr(check, "lines", lambda: alone)
    check.main()
    shown = [line.split() for line in capsys.readouterr().out.splitlines()[:-1]]
    assert shown == [[MISSING, name, "not", "installed"] for name in PACKAGES]


def test_bounds_are_those_of_requirements():
    lines = [line for line in TEXT.splitlines() if line and not line.startswith(("#", "python-"))]
    assert [f"{n}>={low},<{high}" for n, (low, high) in PACKAGES.items()] == lines
    minors = [int(version.split(".")[1]) for version in bounds.PYTHONS]
    assert minors == list(range(*(int(version.split(".")[1]) for version in PYTHONS)))


@pytest.mark.parametrize(
    "version, state",
    [("3.9.18", MISSING), ("3.10.0", OK), ("3.13.9", OK), ("3.14.0", MISSING), ("4.0", MISSING)],
)  # fmt: skip
def test_another_python_is_told_which_to_take(version, state):
    line = check.python_line(version, PYTHONS)
    assert line.state == state and line.found.startswith(version)
    assert ("Python 3.10 to 3.13" in line.remedy and "uv" in line.remedy) == (state == MISSING)


@pytest.mark.parametrize(
    "python, told", [("3.9", True), ("3.10", False), ("3.13", False), ("3.14", True)]
)
def test_pip_tells_another_python_so(python, told):
    """pip and uv print the name of the file that they do not find."""
    from packaging.requirements import Requirement

    line = next(line for line in TEXT.splitlines() if line.startswith("python-"))
    requirement = Requirement(line)
    assert requirement.marker.evaluate({"python_version": python}) == told
    sentence = requirement.url.replace("%20", " ")
    assert "This course needs Python 3.10 to 3.13, so install one of them, or" in sentence
    assert sentence.endswith(".zip") and check.UV in sentence  # uv wants an ending that it knows


def test_every_remedy_stands_in_the_handout_too_which_has_no_readme():
    sentence = next(line for line in TEXT.splitlines() if line.startswith("python-"))
    assert "README" not in Path(check.__file__).read_text(encoding="utf-8") + sentence


@pytest.mark.parametrize(
    "system, machine, bits, flags, libc, says",
    [("Linux", "x86_64", 64, "sse avx avx2", "glibc", ""),
     ("Linux", "x86_64", 64, "", "glibc", ""),
     ("Linux", "aarch64", 64, "", "glibc", ""),
     ("Darwin", "arm64", 64, "", "", ""),
     ("Windows", "AMD64", 64, "", "", ""),
     ("Windows", "AMD64", 32, "", "", "64 bits"),
     ("Windows", "ARM64", 64, "", "", "x64 on Windows"),
     ("Darwin", "x86_64", 64, "", "", "(arm64)"),
     ("Linux", "x86_64", 64, "sse sse2", "glibc", "AVX"),
     ("Linux", "x86_64", 64, "sse avx avx2", "", "Debian")],
)  # fmt: skip
def test_processors_that_tensorflow_is_not_made_for(system, machine, bits, flags, libc, says):
    line = check.processor_line(system, machine, bits, flags, libc)
    assert line.state == (MISSING if says else OK) and says in line.remedy


def test_a_package_that_is_missing_or_out_of_bounds_is_named():
    limits = {"numpy": ("1.26", "2.5"), "pytest": ("8", "10"), "ruff": ("0.17", "0.18")}
    versions = {"numpy": "1.26.0", "pytest": "10.0", "ruff": "0.17.0rc1"}
    (line,) = check.package_lines(limits, versions)
    assert line.state == MISSING and line.found == "10.0, needed 8 or later, before 10"
    assert "requirements.txt" in line.remedy or ".venv" in line.remedy
    first, second = check.package_lines(
        limits, versions | {"pytest": "9.0", "numpy": "1.9", "ruff": None}
    )
    assert (first.thing, second.thing) == ("numpy", "ruff") and "not installed" in second.found
    assert not first.remedy and second.remedy


def test_a_tensorflow_that_does_not_start_is_named_with_its_last_words():
    line = check.tensorflow_line("import os; os.write(2, b'compiled to use AVX'); os.abort()")
    assert line.state == MISSING and line.found.endswith("compiled to use AVX") and line.remedy
    assert check.tensorflow_line("print(1)").state == OK


def test_memory_and_disk():
    assert 1e8 < check.free_memory() < 1e14
    states = [check.memory_line(gb * 1e9).state for gb in (0, 1, 1.4, 3)]
    assert states == [NOTE, MISSING, NOTE, OK]
    assert [check.disk_line(free, 3.5).state for free in (3e9, 4e9)] == [MISSING, OK]


@pytest.mark.skipif(os.name == "nt", reason="it asks Windows itself")
@pytest.mark.parametrize("limit, free", [("2000000000", 2e9), ("9000000000", 4e9), ("max", 4e9)])
def test_a_container_has_the_memory_below_its_limit(tmp_path, monkeypatch, limit, free):
    files = {"proc/meminfo": "MemAvailable: 3906250 kB\n", "sys/fs/cgroup/memory.max": limit + "\n"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(check, "Path", lambda path: tmp_path / path.lstrip("/"))
    assert check.free_memory() == free


def test_a_folder_that_is_not_whole_or_not_to_be_written(tmp_path):
    assert check.folder_line(ROOT).state == OK
    (tmp_path / "nst_utils.py").touch()
    line = check.folder_line(tmp_path)
    assert line.state == MISSING and "notebooks/checkpoints" in line.found
    assert "nst_utils" not in line.found
    line = check.write_line(tmp_path)
    assert line.state == MISSING and "generated" in line.found
    for name in check.WRITTEN:
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    assert check.write_line(tmp_path).state == OK and not list(tmp_path.glob("tmp*"))


def test_a_path_that_is_too_long_for_windows():
    long = r"C:\Users\ada.lovelace\Downloads\neural-style-transfer-main\neural-style-transfer-main"
    assert (
        check.path_line(long, False).state == NOTE and "move" in check.path_line(long, False).remedy
    )
    assert check.path_line(long, True).state == check.path_line(r"C:\nst", False).state == OK


def test_weights_on_the_disk_or_those_that_travel_with_the_course(tmp_path):
    assert check.weights_line(tmp_path, tmp_path).state == MISSING
    (tmp_path / "pretrained-model").mkdir()
    (tmp_path / "pretrained-model" / check.EMBEDDED).touch()
    line = check.weights_line(tmp_path, tmp_path)
    assert line.state == OK and "not here yet" in line.found
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / check.RELEASED[0]).touch()
    assert check.RELEASED[0] in check.weights_line(tmp_path, tmp_path).found
    assert set(check.RELEASED) == set(nst_utils.KNOWN_FILES.values())
    assert nst_utils.EMBEDDED.name == check.EMBEDDED


def test_requirements_are_named_if_they_are_not_there(monkeypatch, tmp_path):
    monkeypatch.setattr(check, "ROOT", tmp_path)
    (line,) = check.lines()
    assert line.state == MISSING and re.search(r"has no requirements\.txt", line.found)


@pytest.mark.parametrize(
    "words", ["run_notebook.py x", "painter a b", "classroom check README.md"], ids=str.split
)
def test_another_python_without_packages_is_named(words):
    """As `python3 notebooks/painter` is after an installation into .venv: no traceback."""
    name, *rest = words.split()
    command = [sys.executable, "-E", "-S", str(FILE.with_name(name)), *rest]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=ROOT)
    assert done.returncode in (1, 2) and "Traceback" not in done.stderr
    assert f"is not installed for {sys.executable}. What to do: run {FILE}" in done.stderr
