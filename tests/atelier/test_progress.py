"""How much is done, and the seconds left."""

import pytest

from atelier import progress as progress_room
from atelier.progress import Progress


@pytest.fixture(autouse=True)
def by_pixels(monkeypatch):
    monkeypatch.setattr(progress_room, "EVERY_STEP", 0)


def test_a_tiny_step_costs_more_than_its_pixels(monkeypatch):
    """As on a processor: a step at 40 pixels is quick, but not 64 times as quick as at 320."""
    monkeypatch.setattr(progress_room, "EVERY_STEP", 120**2)
    progress = Progress([40, 320], 10, now=0.0)
    for step in range(11):
        progress.saw(40, 0.02 * step)
    assert 7 * 0.2 < progress.seconds_left() < 8 * 0.2 + 0.02


def test_a_step_at_twice_the_side_counts_four_times():
    progress = Progress([160, 320], 10, now=0.0)
    assert progress.share() == 0 and progress.seconds_left() is None
    progress.saw(160, 3.0)
    assert progress.share() == 0 and progress.seconds_left() is None  # no step was measured yet
    for step in range(1, 11):
        progress.saw(160, 3.0 + step)
    assert progress.share() == pytest.approx(1 / 5)
    assert progress.seconds_left() == pytest.approx(40 + 3)  # and a first look like that of 3 s
    progress.saw(320, 18.0)
    assert progress.seconds_left() == pytest.approx(40)
    for step in range(1, 11):
        progress.saw(320, 18.0 + 4 * step)
    assert progress.share() == pytest.approx(1) and progress.seconds_left() == pytest.approx(0)


def test_a_scale_that_ends_early_counts_as_done():
    progress = Progress([160, 320], 10, now=0.0)
    for now, side in enumerate([160, 160, 320]):
        progress.saw(side, float(now))
    assert progress.share() == pytest.approx(1 / 5)


def test_a_slower_machine_is_noticed():
    progress = Progress([100], 100, now=0.0)
    for now in (0.0, 1.0, 2.0):
        progress.saw(100, now)
    before = progress.seconds_left()
    for now in (7.0, 12.0, 17.0):
        progress.saw(100, now)
    assert progress.seconds_left() > 2 * before


def test_more_steps_than_expected_and_none_at_all():
    progress = Progress([64], 1, now=0.0)
    for now in range(4):
        progress.saw(64, float(now))
    assert progress.share() == 1 and progress.seconds_left() == 0
    assert Progress([64], 0, now=0.0).share() == 1
