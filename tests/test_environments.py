"""The course where it may be run: no network, read-only, strange folders, locales, time zones."""

import os
import shutil
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from types import SimpleNamespace

import bounds
import nbformat
import numpy as np
import pytest
from conftest import ROOT, SOLUTION, strict
from PIL import Image

STRANGE = "mein Übungs-Ordner 絵 ş"
OFFLINE = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "-"]
POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]  # root that obeys file modes
UNUSED = (".*", "__pycache__", "kmeans-*", "*.h5", "*.mat", "my_*", "course.ipynb")


def course_copy(folder):
    """Copy what git knows of the course, but not its history."""
    return shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*UNUSED))


def run(command, folder, tmp_path, prefix=(), **variables):
    """Run `command` in `folder` with a small, fresh environment; give what it printed."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {"PATH": path, "HOME": str(home), "NST_FAST": "1", "NST_WEIGHTS": "embedded"}
    env |= {"PYTHONWARNINGS": os.environ["PYTHONWARNINGS"], **variables}
    done = subprocess.run(
        [*prefix, *command], cwd=folder, env=env, capture_output=True, timeout=600, check=False
    )
    error = done.stderr.decode(errors="replace")
    assert done.returncode == 0 and "Traceback" not in error, error[-3000:]
    return done.stdout.decode(errors="replace")


def paint(project, tmp_path, **options):
    """Paint 64 pixels from the command line, from another folder; give the pixels."""
    pictures = project / "images/content/house.jpg", project / "images/styles/knife.jpg"
    target = tmp_path / f"painted {STRANGE}.png"
    command = [sys.executable, str(project / "notebooks/painter"), *map(str, pictures)]
    command += ["--max-side=64", "--scales=1", "--steps=2", "-o", target.name]
    run(command, tmp_path, tmp_path, **options)
    return np.asarray(Image.open(target), int)


def execute(project, tmp_path, **options):
    """Run the solved course; give the text of its outputs."""
    notebook = project / SOLUTION.relative_to(ROOT)
    command = [sys.executable, "-m", "nbconvert", "--to=notebook", "--execute", str(notebook)]
    run([*command, f"--output-dir={tmp_path}", "--output=course"], tmp_path, tmp_path, **options)
    cells = nbformat.read(tmp_path / "course.ipynb", 4).cells
    return "".join(o.get("text", "") for c in cells for o in c.get("outputs", ()))


def works(command):
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


def locale_of(name, charset, tmp_path):
    """Compile a locale for this test alone; give its variables."""
    command = ["localedef", "-i", name, "-f", charset, f"{tmp_path}/{name}.{charset}"]
    if not shutil.which("localedef") or not works(command):
        pytest.skip(f"needs localedef and the source of {name}: apt-get install locales")
    return {"LOCPATH": str(tmp_path), "LC_ALL": f"{name}.{charset}"}


def prefix_or_skip(prefix):
    if not shutil.which(prefix[0]) or not works([*prefix, "true"]):
        pytest.skip(f"needs {prefix[0]}, and to be allowed to use it")
    return {"prefix": prefix}


def no_network(project, tmp_path):
    return prefix_or_skip(OFFLINE) | {"NST_WEIGHTS": "auto"}


def read_only(project, tmp_path):
    for path in (project, *project.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return prefix_or_skip(POWERLESS) if os.getuid() == 0 else {}


def terminal_without_utf8(project, tmp_path):
    """Names of files stay UTF-8: Python sees to that in the locale C.

    Who forbids it that (PYTHONUTF8=0 and PYTHONCOERCECLOCALE=0) cannot have letters beyond ASCII in
    the path: TensorFlow does not take such a file's name.
    """
    return {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "TZ": "Pacific/Kiritimati"}


def turkish(project, tmp_path):
    return locale_of("tr_TR", "UTF-8", tmp_path) | {"TZ": "Asia/Kathmandu"}


def turkish_in_one_byte(project, tmp_path):
    return locale_of("tr_TR", "ISO-8859-9", tmp_path) | {"TZ": "America/Adak"}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The pixels that the course paints where nothing is unusual."""
    folder = tmp_path_factory.mktemp("plain")
    return paint(course_copy(folder / "course"), folder)


def test_command_line_in_a_strange_folder(tmp_path):
    """Spaces, letters beyond ASCII, another working folder, a terminal that knows only ASCII."""
    project = course_copy(tmp_path / STRANGE)
    options = terminal_without_utf8(project, tmp_path)
    assert paint(project, tmp_path, **options).shape == (47, 64, 3)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="POSIX only")
@pytest.mark.parametrize(
    "condition", [no_network, read_only, terminal_without_utf8, turkish, turkish_in_one_byte]
)
def test_course_and_command_line(condition, tmp_path, reference):
    project = course_copy(tmp_path / STRANGE)
    options = condition(project, tmp_path)
    try:
        assert np.abs(paint(project, tmp_path, **options) - reference).max() <= 2
        text = execute(project, tmp_path, **options)
    finally:
        for folder in (project, *filter(Path.is_dir, project.rglob("*"))):
            folder.chmod(0o755)  # so that pytest can clear it away
    assert "total                          100   100" in text
    assert ("No download" in text) == (condition is no_network)
    written = bool(list(project.rglob("my_own.png")))
    assert written == (condition is not read_only)
    assert ("written: images/generated/my_own.png" in text) == written


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs the git clone")
def test_unpacked_from_a_zip(tmp_path, reference):
    """A zip made by git, as from a web page's download button: no history, no ignored files."""
    command = ["git", "archive", "--format=zip", "HEAD"]
    archive = subprocess.check_output(command, cwd=ROOT, timeout=60)
    (tmp_path / "course.zip").write_bytes(archive)
    zipfile.ZipFile(tmp_path / "course.zip").extractall(tmp_path / "course")
    assert np.abs(paint(tmp_path / "course", tmp_path) - reference).max() <= 2
    assert "100   100" in execute(tmp_path / "course", tmp_path)


# --- Warnings, skips, versions


@pytest.mark.parametrize(
    "module", ["nst_utils", "painter.descent", "checkpoints", "classroom.grade", "test_some"]
)
def test_warnings_of_our_own_code_are_errors_and_only_these(module):
    """pyproject.toml says so for this process, conftest.py for those that tests start."""

    def warn(name):
        warnings.warn_explicit("old", DeprecationWarning, f"{name}.py", 1, name)

    with pytest.raises(DeprecationWarning):
        warn(module)
    with warnings.catch_warnings(record=True):
        warn("of_others")  # whether it is heard depends on how pytest was started; it is no error
    if module in os.environ["PYTHONWARNINGS"]:
        code = "import warnings; warnings.warn_explicit('old', DeprecationWarning, 'a', 1, %r)"
        assert not works([sys.executable, "-c", code % module])
        assert works([sys.executable, "-c", code % "of_others"])


def test_what_conftest_makes_of_the_environment(tmp_path, monkeypatch):
    """No proxy, no keras.json; with NST_STRICT=1 the want of a tool is a failure."""
    (tmp_path / "test_a.py").write_text(
        "import pytest\ndef test_a(): pytest.skip('needs: a tool')\n"
        "def test_b(): pytest.skip('POSIX only')\nimport os\n"
        "def test_c(): assert not [n for n in os.environ if n.lower().endswith('_proxy')]\n"
        "def test_d(): assert not os.listdir(os.environ['KERAS_HOME'])\n"
    )
    (tmp_path / "test_b.py").write_text("import pytest\npytest.importorskip('nothing_such')")
    options = "-m pytest -q -p conftest -c /dev/null --rootdir=. --continue-on-collection-errors"
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("NST_STRICT", "1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    done = subprocess.run(
        [sys.executable, *options.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "1 failed, 2 passed, 1 skipped, 1 error" in done.stdout, done.stdout
    for off in ("", "0"):
        monkeypatch.setenv("NST_STRICT", off)
        report = SimpleNamespace(skipped=True, outcome="skipped", longrepr=("a", 1, "needs: x"))
        assert strict(report).outcome == "skipped"


PACKAGES = [line.split(">")[0] for line in (ROOT / "requirements.txt").read_text().split("\n")
            if ">" in line]  # fmt: skip


def fake_call(fault):
    """What `bounds.call` would give if packages had version 1 or 9, and `fault` were true."""
    installed, tested = {}, []

    def call(*command):
        text = " ".join(command)
        if "venv" in command:
            return "3.10" not in command or fault != "no Python", "the log"
        if "install" in command:
            version = "1" if "lowest-direct" in command else "9"
            installed.update(dict.fromkeys(PACKAGES, version))
            installed.update(part.split("==") for part in command if "==" in part)
            return fault != "no install", "the log"
        if "freeze" in command:
            return True, "\n".join(f"{n}=={v}" for n, v in installed.items())
        if "pytest" in command:
            tested.append(text.split("no:cacheprovider")[1].split())
            fine = installed.get(fault) != "1"
            return fine, "ok" if fine else "FAILED tests/test_a.py::test_b[c d] - AssertionError"
        return fault != "untidy", "the log"

    return call, tested


@pytest.mark.parametrize(
    "fault, says",
    [(None, "holds"), ("no Python", "no such Python"), ("no install", "cannot be installed"),
     ("untidy", "ruff complains"), ("numpy", "tests fail"), ("psutil", "tests fail")],
)  # fmt: skip
def test_bounds_names_what_is_no_longer_true(monkeypatch, capsys, fault, says):
    call, tested = fake_call(fault)
    monkeypatch.setattr(bounds, "call", call)
    monkeypatch.setattr(sys, "argv", ["bounds.py", "--python", "3.10"])
    assert bounds.main() == (fault is not None)
    printed = capsys.readouterr().out
    rows = [line for line in printed.splitlines() if line.startswith("3.10")]
    assert [end for end in ("oldest", "newest") if end in "".join(rows)] == ["oldest", "newest"]
    assert len(rows) == 2 and says in rows[0] and (says in rows[1]) == (fault not in PACKAGES)
    named = [line.strip() for line in printed.splitlines() if "no longer true" in line]
    if fault in PACKAGES:
        assert named == [f"no longer true: {fault}==1 (tests fail, the others newest)"]
        assert tested == [[], *[["tests/test_a.py"]] * len(PACKAGES), []]
    else:
        assert named == []


def test_bounds_runs_a_command_and_tells_whether_it_failed():
    assert bounds.call(sys.executable, "-c", "print('é')") == (True, "é")
    assert bounds.call(sys.executable, "-c", "print(1); exit(3)") == (False, "1")
