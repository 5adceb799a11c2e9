"""A budget of seconds, on clocks that tests set."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from little_pictures import SHALLOW, C, S, steps

import painter
from painter import budget, painting, resources
from painter.sizes import resize, shrink

pytestmark = pytest.mark.usefixtures("one_network")
OPTIONS = {"steps": None, "scales": 2, "tolerance": 0, "edges": "zeros"}  # a clock goes by size


@pytest.fixture
def clock(monkeypatch):
    """2 s to begin with, 1 s an evaluation at half the side, 4 s at full; `clock.now` sets it."""
    clock, honest = SimpleNamespace(now=0.0), painter.Objective.__call__
    times = SimpleNamespace(monotonic=lambda: clock.now, perf_counter=lambda: clock.now)

    def slow(self, G):
        clock.now += 4.0 if max(G.shape) == 64 else 1.0
        return honest(self, G)

    def begin(*arguments, honest=painting.same_area):
        clock.now = 2.0
        return honest(*arguments)

    for room in (painting, budget, resources):
        monkeypatch.setattr(room, "time", times)
    monkeypatch.setattr(resources, "_speed", lambda: 1e11)
    monkeypatch.setattr(painter.Objective, "__call__", slow)
    monkeypatch.setattr(painting, "same_area", begin)
    return clock


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_quarter_of_the_seconds_for_the_coarse_scale(clock, optimizer):
    frames = steps(seconds=42, optimizer=optimizer, **OPTIONS)
    sides = [frame.side for frame in frames]
    assert sides.count(32) == 10 and sides.count(64) == 7 and frames[-1].seconds == 40


def test_no_time_for_the_fine_scale(clock):
    """2 s are used, 1 s for a look, 1 s for a step; 8 s would follow."""
    first, second, last = steps(seconds=6, **OPTIONS)
    assert (first.side, second.side, last.side, last.seconds) == (32, 32, 64, 4)
    assert "no time for 64 pixels" in last.note and np.isnan(last.J) and second.J < first.J
    fine = second.image - shrink(C, 0.5)  # the photo's own detail is still there
    assert np.allclose(last.image, tf.clip_by_value(C + resize(fine, C.shape[1:3]), 0, 1))
    clock.now = 0.0
    finished = painter.stylize(C, S, seconds=6, **OPTIONS | SHALLOW)
    assert np.array_equal(finished.image, last.image) and "no time" in finished.stopped
    assert finished.lowered


def test_no_seconds_at_all(clock):
    assert len(steps(seconds=0, **OPTIONS)) == 2  # a look at the coarsest scale, at least
    clock.now = 0.0
    assert not painter.stylize(C, S, seconds=0, **OPTIONS | SHALLOW).lowered


def test_a_long_first_look_is_no_measure_of_a_step(monkeypatch):
    """A first look of 5 s, for the trace, then 0.1 s a step: 12 s are enough for two scales."""
    now, honest, seen = [0.0], painter.Objective.__call__, set()

    def slow(self, G):
        now[0] += 0.1 if self in seen else 5.0
        seen.add(self)
        return honest(self, G)

    for room in (painting, budget):
        monkeypatch.setattr(room, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(painter.Objective, "__call__", slow)
    frames = steps(steps=None, seconds=12, scales=2, tolerance=0)
    assert [frame.side for frame in frames].count(32) == 2  # 5 s are more than a quarter
    assert 10 < [frame.side for frame in frames].count(64) < 25
    assert 11.8 < frames[-1].seconds <= 12 and not any(frame.note for frame in frames)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="POSIX can change it")
def test_the_time_zone_changes_while_it_paints(monkeypatch):
    """Neither the clock of a budget in seconds nor the picture knows of it."""
    frames, zones = [], ["Pacific/Kiritimati", "Pacific/Niue", "UTC-14", "UTC+12"]
    options = {"steps": 4, "scales": 1, "tolerance": 0} | SHALLOW

    def on_frame(frame):
        with monkeypatch.context() as patch:
            patch.setenv("TZ", zones[len(frames) % 4])
            time.tzset()
        frames.append(frame)

    plain = painter.stylize(C, S, **options)
    try:
        moved = painter.stylize(C, S, on_frame, **options, seconds=600)
    finally:
        time.tzset()
    seconds = [frame.seconds for frame in frames]
    assert len(frames) == 5 and moved.stopped == "finished" and moved.lowered
    assert seconds == sorted(seconds) and seconds[0] > 0 and seconds[-1] < 600
    assert moved.history[0] == plain.history[0]
