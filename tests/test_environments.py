"""The course where it may be run: no network, read-only, strange folders, locales, time zones."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pytest
from conftest import ROOT, SOLUTION
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
    env = {"PATH": path, "HOME": str(home), "NST_FAST": "1", "NST_WEIGHTS": "kmeans"}
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
    command = [sys.executable, str(project / "nst_utils.py"), *map(str, pictures)]
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


def locale_of(name, charset, tmp_path):
    """Compile a locale for this test alone; give its variables."""
    command = ["localedef", "-i", name, "-f", charset, f"{tmp_path}/{name}.{charset}"]
    if not shutil.which("localedef") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip(f"needs localedef and the source of {name}: apt-get install locales")
    return {"LOCPATH": str(tmp_path), "LC_ALL": f"{name}.{charset}"}


def prefix_or_skip(prefix):
    if (
        not shutil.which(prefix[0])
        or subprocess.run([*prefix, "true"], capture_output=True).returncode
    ):
        pytest.skip(f"{prefix[0]} is not allowed here")
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
    archive = subprocess.check_output(["git", "archive", "--format=zip", "HEAD"], cwd=ROOT)
    (tmp_path / "course.zip").write_bytes(archive)
    zipfile.ZipFile(tmp_path / "course.zip").extractall(tmp_path / "course")
    assert np.abs(paint(tmp_path / "course", tmp_path) - reference).max() <= 2
    assert "100   100" in execute(tmp_path / "course", tmp_path)
