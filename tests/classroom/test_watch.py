"""What a kernel takes is counted, and ends it when it is too much; nothing else is ended."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

from classroom import Limits, watch
from classroom.watch import Watch, kill_all

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def sleeper():
    """A process that does nothing, with a token, and leads its own session as kernels do."""
    environment = os.environ | {"NST_GRADING": "token-of-this-test"}
    process = psutil.Popen(SLEEP, start_new_session=True, env=environment)
    yield process
    if process.is_running():
        process.kill()
    process.wait(10)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(memory_gb=1e-6), "it took more than 1e-06 GB of memory"),
        (Limits(processes=0), "it started too many processes"),
        (Limits(), ""),
    ],
)
def test_a_look_at_a_process(sleeper, limits, reason):
    one = Watch(limits, "token-of-this-test")
    one.pid = sleeper.pid
    one.look()
    assert one.dead == reason and one.busy >= 0
    if reason:
        assert sleeper.wait(10) is not None


def test_a_process_that_left_its_session_is_found_by_its_token(sleeper):
    """And without a process id neither this process nor any without the token is ended."""
    other = psutil.Popen(SLEEP)
    try:
        kill_all(None, "token-of-this-test")
        sleeper.wait(10)
        assert other.is_running() and other.status() != psutil.STATUS_ZOMBIE
    finally:
        other.kill()
        other.wait(10)


@pytest.mark.parametrize(("status", "counts"), [("running", 0.0), ("sleeping", 0.25)])
def test_waiting_for_the_processor_is_not_counted(status, counts, monkeypatch):
    """Of a process that gets no processor time: what counts of each second."""
    monkeypatch.setattr(watch, "LINUX", True)
    idle = SimpleNamespace(
        children=lambda recursive: [], cpu_times=lambda: (1.0, 1.0), status=lambda: status,
        memory_info=lambda: SimpleNamespace(rss=0),
    )  # fmt: skip
    monkeypatch.setattr(watch.psutil, "Process", lambda pid: idle)

    async def keep():
        one = Watch(Limits(), "token")
        one.pid = 1
        one.look()
        keeper = asyncio.create_task(one.keep(None))
        start = time.monotonic()
        while time.monotonic() < start + 0.8:
            await asyncio.sleep(0.1)
        keeper.cancel()
        return one.worked / (time.monotonic() - start)

    assert asyncio.run(keep()) == pytest.approx(counts, abs=0.12)
