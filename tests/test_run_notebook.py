"""notebooks/run_notebook.py: what it shows, what it writes, and how it ends."""

import io
import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from conftest import ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import run_notebook

COMMAND = [sys.executable, str(ROOT / "notebooks" / "run_notebook.py")]


def notebook(*sources):
    """Markdown begins with #, all else is code; as if run before, with outputs."""
    kinds = [new_markdown_cell if s.startswith("#") else new_code_cell for s in sources]
    made = new_notebook(cells=[kind(source) for kind, source in zip(kinds, sources, strict=True)])
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text="of an earlier run")]
    return made


def texts(made):
    """What each code cell printed."""
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    return ["".join(o.get("text", o.get("ename", "")) for o in cell.outputs) for cell in code]


class Terminal(io.StringIO):
    def isatty(self):
        return True


SOURCES = (
    "# Title\n\n## One", "print('a\\n\\x1b[1;32mgreen\\x1b[0m\\n')", "", "## Two", "print('b')",
    "x = 1\nraise ValueError('the photo\\nis empty')", "print('never')",
)  # fmt: skip


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """A notebook whose third cell fails, run; what was said and shown."""
    made, shown = notebook(*SOURCES), io.StringIO()
    fault = run_notebook.run(made, tmp_path_factory.mktemp("here"), shown)
    return made, fault, shown.getvalue()


def test_each_cell_has_a_line_with_what_the_notebook_printed_last(failed):
    _, _, shown = failed
    lines = [line for line in shown.splitlines() if line]
    assert lines[0] == "cell 1 of 4  One: green"
    assert lines[-1] == "cell 2 of 4  Two: b"


def test_an_error_is_the_cell_its_line_and_its_message(failed):
    made, fault, _ = failed
    expected = (
        "Cell 3 of 4 failed (Two):\n\n    x = 1\n--> raise ValueError('the photo\\nis empty')"
    )
    assert fault == f"{expected}\n\nValueError: the photo\nis empty"
    assert texts(made) == [
        "a\n\x1b[1;32mgreen\x1b[0m\n\n",
        *[texts(made)[1]],
        "b\n",
        "ValueError",
        "",
    ]
    assert [c.execution_count for c in made.cells if "print" in c.source] == [1, 2, None]


def test_a_terminal_gets_one_line_that_is_drawn_anew():
    terminal = Terminal()
    progress = run_notebook.Progress(7, terminal)
    progress.starts("5. Paint")
    progress.says("step 5  J 3.1\n")
    progress.bar.refresh()
    progress.starts("5. Paint")
    progress.says("step 6  J 2.9   4 s left\r")
    progress.ends()
    time.sleep(1.5 * run_notebook.BEAT)  # a beat draws what was said
    progress.close()
    last = terminal.getvalue().rstrip().split("\r")[-1]
    assert last.startswith("1 of 7 cells |") and "5. Paint: step 6  J 2.9   4 s left" in last
    assert terminal.getvalue().count("\n") == 1


def test_a_long_cell_is_told_of_where_nothing_can_be_drawn(monkeypatch):
    monkeypatch.setattr(run_notebook, "BEAT", 0.01)
    monkeypatch.setattr(run_notebook, "PATIENCE", 0.05)
    log = io.StringIO()
    progress = run_notebook.Progress(2, log)
    progress.starts("Paint")
    progress.says("step 1\nstep 2\n")
    time.sleep(0.3)
    progress.close()
    assert log.getvalue().splitlines()[0] == "cell 1 of 2  Paint: step 2"


def test_a_kernel_that_dies_is_named_with_its_last_words(tmp_path):
    source = "import os\nos.write(2, b'no AVX here\\n')\nos._exit(1)"
    fault = run_notebook.run(notebook("# Set-up", source), tmp_path, io.StringIO())
    assert fault.startswith("The kernel died in cell 1 of 1 (Set-up).\nno AVX here\n")
    assert "check_environment.py" in fault


def start(*arguments, **options):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*COMMAND, *map(str, arguments)], **pipes, **options)


def test_the_command_writes_the_notebook_and_ends_with_1_after_an_error(tmp_path):
    source, out = tmp_path / "in.ipynb", tmp_path / "out.ipynb"
    nbformat.write(notebook("import os\nprint(os.getcwd())", "1 / 0"), source)
    before = source.read_bytes()
    process = start(source, "-o", out, cwd=ROOT)
    printed, error = process.communicate(timeout=120)
    assert process.returncode == 1 and "Traceback" not in error
    assert "--> 1 / 0\n\nZeroDivisionError: division by zero" in error
    assert f"written so far: {out}" in printed
    assert texts(nbformat.read(out, 4)) == [f"{os.path.realpath(tmp_path)}\n", "ZeroDivisionError"]
    assert source.read_bytes() == before and len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(os.name != "posix", reason="POSIX only")
def test_ctrl_c_keeps_what_was_run(tmp_path):
    path = tmp_path / "in.ipynb"
    sleep = "import time\nprint('sleeps')\nopen('sleeps', 'w').close()\ntime.sleep(60)"
    nbformat.write(notebook("print(1)", sleep, "print(2)"), path)
    # SIGINT is ignored under nohup or &, and the child inherits that
    default = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    process = start(path, "-o", tmp_path / "out.ipynb", **default)
    end = time.monotonic() + 100
    while not (tmp_path / "sleeps").exists() and time.monotonic() < end:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    printed, error = process.communicate(timeout=60)
    assert process.returncode == 130 and "Stopped." in error and "Traceback" not in error
    assert "written so far" in printed
    first, second, third = texts(nbformat.read(tmp_path / "out.ipynb", 4))
    assert first == "1\n" and second.startswith("sleeps\n") and third == ""


def test_in_place_a_run_that_failed_leaves_the_notebook_as_it_was(tmp_path, monkeypatch, capsys):
    path = tmp_path / "in.ipynb"
    nbformat.write(notebook("1 / 0"), path)
    before = path.read_bytes()
    monkeypatch.setattr(sys, "argv", ["run_notebook.py", str(path), "-o", str(path)])
    monkeypatch.setattr(run_notebook, "run", lambda notebook, folder: "Cell 1 failed")
    monkeypatch.setattr(sys.stdout, "reconfigure", lambda **_: None, raising=False)
    monkeypatch.setattr(sys.stderr, "reconfigure", lambda **_: None, raising=False)
    assert run_notebook.main() == 1
    assert "left as it was" in capsys.readouterr().out and path.read_bytes() == before


@pytest.mark.parametrize(
    "name, out, says",
    [("no.ipynb", "o.ipynb", "No such file"), ("text.ipynb", "o.ipynb", "is not a notebook"),
     ("fine.ipynb", "none/o.ipynb", "in a folder that exists"), ("fine.ipynb", ".", "of a file")],
)  # fmt: skip
def test_what_is_of_no_use_is_said_before_anything_runs(tmp_path, monkeypatch, name, out, says):
    (tmp_path / "text.ipynb").write_text("no JSON")
    nbformat.write(notebook("1"), tmp_path / "fine.ipynb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["run_notebook.py", name, "-o", out])
    monkeypatch.setattr(run_notebook, "run", lambda *_: pytest.fail("it ran"))
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "reconfigure", lambda **_: None, raising=False)
    with pytest.raises(SystemExit, match=says):
        run_notebook.main()


def test_a_run_is_kept_when_its_file_is_held_by_another_program(tmp_path, monkeypatch, capsys):
    path, replace = tmp_path / "course.ipynb", run_notebook.Path.replace

    def held(self, target):
        if target == path:
            raise PermissionError(13, "Permission denied")
        return replace(self, target)

    monkeypatch.setattr(run_notebook.Path, "replace", held)
    other = run_notebook.kept(notebook("1"), path)
    assert other.name.startswith("course-") and [*tmp_path.iterdir()] == [other]
    assert "Permission denied" in capsys.readouterr().err


RED = """
import os
os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)
import nst_utils
import keras
import tensorflow as tf
assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"
print(float(tf.reduce_sum(keras.ops.ones((2, 2)))))
_ = os.write(2, b"heard again")
"""


@pytest.mark.skipif(os.name != "posix", reason="on Windows ipykernel shows nothing of fd 2")
def test_the_first_cells_have_no_red_block(tmp_path, monkeypatch):
    """TensorFlow's lines about CUDA, oneDNN and absl; a kernel hides all of fd 2 under pytest."""
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    made = notebook(RED, "import time\ntime.sleep(1)")
    assert run_notebook.run(made, tmp_path, io.StringIO()) == ""
    outputs = [(o.name, o.text) for o in made.cells[0].outputs]
    assert sorted(outputs) == [("stderr", "heard again"), ("stdout", "4.0\n")]
