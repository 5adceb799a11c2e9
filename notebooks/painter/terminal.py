"""The terminal: Ctrl-C, SIGTERM and SIGHUP at any moment, and an output that was closed.

Without TensorFlow, whose import can be interrupted, too.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NoReturn, TextIO

SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)  # Windows has no SIGHUP, POSIX no SIGBREAK
]
INTERRUPTED = 128 + signal.SIGINT  # the exit code, as a shell gives it
AGAIN = 1.0  # seconds; a signal sooner after another is the same one, sent on by a parent


@contextmanager
def _handled(handler: Callable) -> Iterator[None]:
    """Let `handler` take the signals, but those that are ignored, as under nohup, stay so."""
    with ExitStack() as before:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    before.callback(signal.signal, number, signal.signal(number, handler))
        yield


class Interrupts:
    """Make KeyboardInterrupt, which the painter knows, of every signal that ends a program."""

    def __init__(self) -> None:
        self.number, self.last = None, -AGAIN

    @contextmanager
    def as_exceptions(self) -> Iterator[None]:
        """Raise KeyboardInterrupt while the block runs."""
        with _handled(self._raise):
            yield

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """End the process, without a traceback: for imports, which turn exceptions into others."""
        with _handled(self._end):
            yield

    def exit_code(self, code: int) -> int:
        """Give the exit code: another one for another signal than Ctrl-C."""
        return 128 + self.number if code == INTERRUPTED and self.number else code

    def _raise(self, number: int, _: object) -> None:
        if time.monotonic() - self.last >= AGAIN:
            self.number, self.last = number, time.monotonic()
            raise KeyboardInterrupt

    def _end(self, number: int, _: object) -> None:
        with suppress(OSError):
            os.write(2, b"Interrupted.\n")
        os._exit(128 + number)


@contextmanager
def held_back() -> Iterator[None]:
    """Let the signals wait until the block is over: a picture that is painted is also saved."""
    came = []
    with _handled(lambda *signal: came.append(signal)):
        yield
    if came:
        number, frame = came[0]
        handler = signal.getsignal(number)
        if callable(handler):
            handler(number, frame)


class _Output:
    """An output that may be closed from outside (`| head`, a terminal): the rest is dropped."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        with self._dropped():
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._dropped():
            self.stream.flush()

    @contextmanager
    def _dropped(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError):  # ValueError: of a stream that is closed on this side
            with suppress(OSError, ValueError):  # what is still buffered would fail at exit
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self.stream.fileno())
                os.close(nowhere)


def leave(code: int) -> NoReturn:
    """End at once, with this exit code: all is written, and TensorFlow's own way out takes 1 s."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def lasting_outputs() -> None:
    """Let nothing that happens to the outputs end this program; print any name, in some form."""
    for name in ("stdout", "stderr"):
        nowhere = Path(os.devnull)
        stream = getattr(sys, name) or nowhere.open("w", encoding="utf-8")
        stream.reconfigure(errors="backslashreplace")  # what the terminal cannot show
        setattr(sys, name, _Output(stream))
