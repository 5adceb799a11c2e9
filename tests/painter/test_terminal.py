"""Ctrl-C and its like at any moment, and outputs that are closed, with the command as it is run."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest
from little_pictures import ROOT

from painter import terminal

posix = pytest.mark.skipif(os.name != "posix", reason="other systems have other signals and pipes")
COMMAND = [sys.executable, "notebooks/painter"]
SLOW_IMPORTS = """import runpy, sys, time
class Slow:
    def find_spec(self, name, *_):
        if name == "nst_utils":
            print("importing", flush=True)
            time.sleep(60)
sys.meta_path.insert(0, Slow())
sys.argv = ["painter", "photo.jpg", "painting.jpg"]
sys.path.insert(0, "notebooks/painter")
runpy.run_path("notebooks/painter", run_name="__main__")"""


def start(words, **options):
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen(words, cwd=ROOT, text=True, **options)


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_no_traceback_of_a_signal_while_it_imports(number):
    code = f"import signal; signal.signal(2, signal.default_int_handler)\n{SLOW_IMPORTS}"
    with start([sys.executable, "-c", code]) as run:
        assert run.stdout.readline() == "importing\n"
        run.send_signal(number)
        _, error = run.communicate(timeout=30)
    assert run.returncode == 128 + number and error == "Interrupted.\n"


@posix
def test_no_traceback_of_a_signal_before_the_imports():
    """From the first line of the command on; the interpreter's own start is not ours."""
    code = SLOW_IMPORTS.replace('"nst_utils"', '"argparse"')
    code = f"import signal; signal.signal(2, signal.default_int_handler)\n{code}"
    with start([sys.executable, "-c", code]) as run:
        assert run.stdout.readline() == "importing\n"
        run.send_signal(signal.SIGINT)
        _, error = run.communicate(timeout=30)
    assert run.returncode == -signal.SIGINT and not error


@posix
@pytest.mark.parametrize("closed", ["stdout", "stderr", "both"])
@pytest.mark.parametrize("words", [["--help"], ["a.jpg", "b.jpg", "--style-layers", "a=b"], []])
def test_a_closed_output_is_no_error(closed, words):
    """`| head`, and `2>&1 | head`: the reader has gone before a word is written."""
    read, write = os.pipe()
    os.close(read)
    outputs = {name: write for name in ("stdout", "stderr") if closed in (name, "both")}
    with start([*COMMAND, *words], **outputs) as run:
        os.close(write)
        out, error = run.communicate(timeout=30)
    assert run.returncode == (0 if "--help" in words else 1 if words else 2)
    assert "Traceback" not in f"{out}{error}" and "BrokenPipe" not in f"{out}{error}"
    assert error is None or "painter" in error or "Error" in error or not error


@posix
def test_no_outputs_at_all():
    run = start(["sh", "-c", 'exec "$0" "$@" >&- 2>&-', *COMMAND, "--help"])
    assert run.communicate(timeout=30) == ("", "") and run.returncode == 0


def test_what_is_written_after_the_reader_has_gone_is_dropped(tmp_path):
    read, write = os.pipe()
    with open(write, "w", encoding="utf-8") as stream:  # noqa: PTH123, a descriptor
        output = terminal._Output(stream)
        os.close(read)
        for _ in range(3):
            assert output.write("words\n") == 6
            output.flush()
        assert output.encoding == "utf-8"


def test_an_ignored_signal_stays_ignored():
    """As under nohup, or in a shell's background."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with terminal.Interrupts().as_exceptions(), terminal.held_back():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_signal_that_is_sent_twice_counts_once():
    interrupts = terminal.Interrupts()
    with interrupts.as_exceptions():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)  # a parent has sent it on
        interrupts.last = time.monotonic() - 2
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert interrupts.exit_code(130) == 128 + signal.SIGTERM and interrupts.exit_code(1) == 1


def test_a_signal_waits_until_a_picture_is_saved():
    done = []
    with terminal.Interrupts().as_exceptions(), contextlib.suppress(KeyboardInterrupt):
        with terminal.held_back():
            signal.raise_signal(signal.SIGTERM)
            done.append("saved")
        done.append("not interrupted")
    assert done == ["saved"]
