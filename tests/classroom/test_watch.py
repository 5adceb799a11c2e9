"""What a kernel takes is counted, and ends it when it is too much; nothing else is ended."""

from __future__ import annotations

import os
import sys

import psutil
import pytest

from classroom import Limits
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
    watch = Watch(limits, "token-of-this-test")
    watch.pid = sleeper.pid
    watch.look()
    assert watch.dead == reason
    assert watch.busy >= 0
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
