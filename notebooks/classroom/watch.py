"""A kernel's time, memory and processes: how much it takes, and its end when that is too much."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable

import psutil

from classroom import Limits

GRACE = 4  # seconds that an interrupted cell has before its kernel is ended
WAITING = 1 / 4  # of a second counts, when the kernel only waits
LINUX = sys.platform == "linux"


class Watch:
    """What one kernel has taken. `dead` says why it was ended, "" while it lives.

    `worked` is its time: the processor's, and of time that it only waits, a quarter. While it waits
    for the processor, which Linux tells, nothing counts. So a mark does not depend on what else the
    machine is doing.
    """

    def __init__(self, limits: Limits, token: str):
        self.limits, self.token = limits, token
        self.pid: int | None = None
        self.dead, self.worked, self.busy = "", 0.0, 0.0
        self.starved = False  # it would work if the processor were free
        self.cell_end: float | None = None  # when `worked` is above it, the cell is interrupted
        self.late = False  # it was

    def start_cell(self) -> None:
        """From now on a cell is at work."""
        self.late, self.cell_end = False, self.worked + self.limits.cell_seconds

    def end(self, reason: str) -> None:
        """Kill the kernel and remember why."""
        self.dead = self.dead or reason
        kill_all(self.pid, self.token)

    async def keep(self, interrupt: Callable[[], Awaitable]) -> None:
        """Look four times a second, until the kernel is dead."""
        before = time.monotonic()
        while not self.dead:
            await asyncio.sleep(0.25)
            now, busy = time.monotonic(), self.busy
            self.look()
            took, before = now - before, now
            waited = 0.0 if self.starved else took * WAITING
            self.worked += min(took, max(waited, self.busy - busy))
            if self.worked > self.limits.seconds:
                self.end(f"the notebook took more than {self.limits.seconds:g} s")
            elif self.cell_end and self.worked > self.cell_end + GRACE:
                self.end(f"it took more than {self.limits.cell_seconds:g} s and did not stop")
            elif self.cell_end and self.worked > self.cell_end and not self.late:
                self.late = True
                with contextlib.suppress(Exception):  # it has just ended
                    await interrupt()

    def look(self) -> None:
        """Add up the seconds of its processes; end it if they are too many, or too large."""
        if not self.pid:
            return
        with contextlib.suppress(psutil.Error):
            top = psutil.Process(self.pid)
            family = [top, *top.children(recursive=True)]
            self.busy = sum(sum(p.cpu_times()[:2]) for p in family)  # user's and system's
            self.starved = LINUX and top.status() == psutil.STATUS_RUNNING
            if len(family) > self.limits.processes:
                self.end("it started too many processes")
            elif sum(p.memory_info().rss for p in family) > self.limits.memory_gb * 1e9:
                self.end(f"it took more than {self.limits.memory_gb:g} GB of memory")


def kill_all(pid: int | None, token: str) -> None:
    """Kill the kernel, its process group, its descendants, and all that carry its token."""
    found = []
    if pid:  # without one, psutil would take this process
        with contextlib.suppress(psutil.Error):
            found = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        with contextlib.suppress(OSError, AttributeError):  # Windows has no groups
            os.killpg(pid, signal.SIGKILL)  # the kernel leads its own session
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("NST_GRADING") == token:
                found.append(process)
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.kill()
