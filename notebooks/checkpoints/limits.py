"""What one call of a student's function may take: seconds of the processor, and bytes of memory.

Like observe.py this file may be copied into another process, and imports nothing of ours.
"""

from __future__ import annotations

import _thread
import contextlib
import importlib.util
import mmap
import os
import signal
import sys
import sysconfig
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

SECONDS, BYTES = 5.0, 1.0e9
ALL_CALLS = 1.4  # times as many seconds for all calls of a function; those after it get a fifth
worked: dict = {}  # function -> processor seconds of its calls so far
LIBRARIES = ("<frozen", *map(sysconfig.get_path, ("stdlib", "purelib", "platlib")))
LIBRARIES += (f"{Path(__file__).parent}{os.sep}",)  # this file, and those beside it
CANCELLED = "CancelledError"  # what TensorFlow raises in a graph that is stopped
TOO_LARGE = ("MemoryError", "ResourceExhaustedError")  # Python's name, and TensorFlow's
resource = importlib.import_module("resource") if importlib.util.find_spec("resource") else None


class Stopped(BaseException):
    """A call took too long or too much. No `except Exception` of the student's catches it."""


def _memory(field: int) -> int:
    """Bytes of this process, 1: resident, 5: of its own data; 0 where Linux' /proc is not there."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[field]) * mmap.PAGESIZE
    return 0


def _allow(data: int) -> int:
    """Let the process have so many bytes of its own (-1: all); give what it had before."""
    before, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (data if most < 0 else min(data, most), most))
    return before


def _interrupt() -> None:
    """SIGINT for the main thread: a true signal, where there is one, ends time.sleep as well."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    else:
        _thread.interrupt_main()


@contextlib.contextmanager
def _allotted() -> Iterator[None]:
    """What is enormous at once fails before it is taken: no line comes between. Linux only."""
    taken = _memory(5) if resource else 0
    before = _allow(taken + int(1.5 * BYTES)) if taken else 0
    try:
        yield
    finally:
        if taken:
            _allow(before)


@contextlib.contextmanager
def limited(
    cancel: Callable[[], None] = lambda: None, times: float = 1, of: object = None
) -> Iterator[None]:
    """Raise `Stopped` in what takes too long or too much, or refuse it the memory.

    `cancel` stops what runs outside of Python, where no exception can be raised. A call that may
    take long has so many `times` as many seconds, less what the calls `of` its function took.
    """
    left = max(times, ALL_CALLS) - worked.get(of, 0.0) / SECONDS
    began = time.process_time()
    try:
        with _watched(cancel, max(0.2, min(times, left)) * SECONDS), _allotted():
            yield
    finally:
        if of is not None:
            worked[of] = worked.get(of, 0.0) + time.process_time() - began


class _Stopper:
    """Raises `Stopped` in the student's code, each time elsewhere: an `except:` may catch it."""

    def __init__(self):
        self.over, self.reason = threading.Event(), []
        self.tries = self.skipped = 0

    def interrupted(self, _, frame) -> None:
        """For SIGINT. An exception inside of TensorFlow can be a crash: trace the student."""
        if not self.reason:
            raise KeyboardInterrupt
        library = frame.f_code.co_filename.startswith(LIBRARIES)
        self.skipped, self.tries = self.tries, self.tries + 1
        if not (library or self.skipped or self.over.is_set()):
            raise Stopped(self.reason[0])  # in a line of the student's, which may be time.sleep
        sys.settrace(lambda *_: None)  # without it, no frame is traced
        for above, _ in traceback.walk_stack(frame):
            if not above.f_code.co_filename.startswith(LIBRARIES):
                above.f_trace = self.stop
        if not (library or self.over.is_set()):
            raise Stopped(self.reason[0])

    def stop(self, _, event: str, argument) -> Callable:
        """At the student's next line, or, if that was tried, at one of those after it."""
        if event == "exception" and argument[0].__name__ in TOO_LARGE:
            self.skipped = 1000  # that tells more; TensorFlow has tried for ten seconds to get it
        self.skipped -= 1
        if self.skipped < 0 and not self.over.is_set():
            raise Stopped(self.reason[0])
        return self.stop


@contextlib.contextmanager
def _watched(cancel: Callable[[], None], seconds: float) -> Iterator[None]:
    """Stop what takes too long or too much. Only the main thread can be interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopper, traced = _Stopper(), sys.gettrace()
    memory, worked, since = _memory(1), time.process_time(), time.monotonic()

    def watch() -> None:
        while not stopper.over.wait(0.2 if stopper.reason else 0.05):
            waited, took = time.monotonic() - since, time.process_time() - worked
            idle = waited > 1.4 * seconds and took < 0.05 * waited  # no busy machine is that slow
            late = idle or waited > 10 * seconds or took > seconds
            large = _memory(1) - memory > BYTES
            stopper.reason.extend(["time"] * late or ["memory"] * large)
            if stopper.reason and not stopper.over.is_set():
                cancel()
                _interrupt()  # again, if the student's code went on after it

    before = signal.signal(signal.SIGINT, stopper.interrupted) or signal.SIG_DFL
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stopper.over.set()
        watcher.join()
        sys.settrace(traced)
        signal.signal(signal.SIGINT, before)
