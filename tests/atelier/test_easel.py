"""The easel: what happens when one clicks while it is painted."""

import asyncio

import fake_painter
import little_pictures
import numpy as np
import pytest
import tensorflow as tf
from fake_painter import PAINTING, PHOTO, Painter, until

import painter
from atelier import easel as room
from atelier.easel import Easel, Filters, enlarged, resized

WHOLE = 25 * len(painter.scale_sides(PHOTO.shape, None))  # steps of a painting


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(room, "PAUSE", 0.001)
    monkeypatch.setattr(room, "STEPS", 25)


def at_work(play, fake=None):
    """Run `play`, a coroutine function of an easel with a photo and a painting on it."""

    async def run():
        looks = []
        easel = Easel(lambda: looks.append(easel.state), fake or Painter(), fake_painter.filters)
        easel.choose(PHOTO, PAINTING)
        await play(easel)
        if easel.task:
            easel.stop()
            await easel.task
        return easel, looks

    return asyncio.run(run())


def test_it_paints_until_it_is_finished():
    async def play(easel):
        assert easel.picture is None and easel.shown().shape == PHOTO.shape
        easel.begin()
        await until(lambda: easel.state == "finished")

    easel, looks = at_work(play)
    assert looks[:3] == ["ready", "preparing", "preparing"] and looks[3] == "painting"
    assert easel.paint.closed == 1 and easel.progress.share() == 1
    assert len({row[0] for row in easel.history}) == WHOLE + 1
    assert np.allclose(easel.picture, PHOTO - 0.01 * WHOLE, atol=1e-6)


def test_stop_keeps_the_picture_and_paint_goes_on_from_it():
    async def play(easel):
        easel.begin()
        await until(lambda: len(easel.history) >= 3)
        easel.stop()
        await easel.task
        assert easel.state == "stopped" and easel.paint.closed == 1
        before, at = easel.picture, easel.history[-1][0]
        easel.begin()
        await until(lambda: easel.state == "finished")
        assert np.allclose(easel.paint.asked[1]["init"], before)
        assert easel.history[-1][0] == at + WHOLE

    at_work(play)


def test_a_slider_goes_on_from_the_picture_as_it_is():
    async def play(easel):
        easel.begin()
        await until(lambda: len(easel.history) >= 4)
        easel.wish(ratio=20.0, smooth=0.5, style_scale=2.0, colour="luminance")
        before = easel.picture
        await until(lambda: len(easel.paint.asked) == 2)
        asked = easel.paint.asked[1]
        assert np.allclose(asked["init"], before) and asked["beta"] == 20 * asked["alpha"]
        assert (asked["tv"], asked["style_scale"], asked["colour"]) == (1.5, 2.0, "luminance")
        await until(lambda: easel.state == "finished")
        easel.wish(ratio=1.0)  # a finished picture goes on, too
        await until(lambda: len(easel.paint.asked) == 3)

    at_work(play)


def test_the_same_value_again_changes_nothing():
    async def play(easel):
        easel.begin()
        await until(lambda: len(easel.history) >= 2)
        easel.wish(ratio=easel.wishes.ratio)
        await until(lambda: easel.state == "finished")
        assert len(easel.paint.asked) == 1

    at_work(play)


def test_a_size_rescales_the_picture():
    async def play(easel):
        easel.begin()
        await until(lambda: easel.state == "finished")
        easel.wish(side=64)
        await until(lambda: len(easel.paint.asked) == 2)
        asked = easel.paint.asked[1]
        assert asked["C"].shape == asked["init"].shape == (1, 48, 64, 3)
        await until(lambda: easel.state == "finished")
        assert easel.picture.shape == (1, 48, 64, 3)

    at_work(play)


def test_a_slider_of_a_stopped_picture_waits_for_paint():
    async def play(easel):
        easel.begin()
        await until(lambda: easel.picture is not None)
        easel.stop()
        await easel.task
        easel.wish(ratio=9.0)
        await asyncio.sleep(0.01)
        assert easel.state == "stopped" and len(easel.paint.asked) == 1

    at_work(play)


@pytest.mark.parametrize("painting", [True, False])
def test_another_photo_begins_again(painting):
    async def play(easel):
        easel.begin()
        await until(lambda: easel.picture is not None)
        if not painting:
            easel.stop()
            await easel.task
        easel.choose(photo=PAINTING)
        assert easel.picture is None and not easel.history
        assert easel.state == ("painting" if painting else "ready")
        if painting:
            await until(lambda: easel.state == "finished")
            assert len(easel.paint.asked) == 2 and "init" not in easel.paint.asked[1]
            assert easel.paint.asked[1]["C"].shape == PAINTING.shape

    at_work(play)


def test_a_second_click_on_paint_is_no_second_painting():
    async def play(easel):
        easel.begin()
        easel.begin()
        await until(lambda: easel.picture is not None)
        easel.stop()
        easel.begin()  # before the task has noticed
        await until(lambda: easel.state == "finished")
        assert len(easel.paint.asked) == 1

    at_work(play)


@pytest.mark.parametrize(
    "error, word",
    [
        (painter.PaintError("640 px need 9 GB"), "640 px need 9 GB"),
        (MemoryError(), "smaller"),
        (tf.errors.ResourceExhaustedError(None, None, "OOM"), "smaller"),
        (ZeroDivisionError("<b>"), "ZeroDivisionError: <b>"),
    ],
)
@pytest.mark.parametrize("after", [0, 3])
def test_a_failure_is_told_and_one_can_paint_again(error, word, after):
    async def play(easel):
        easel.begin()
        await until(lambda: easel.state == "failed")
        assert word in easel.message and (easel.picture is None) == (after < 2)
        easel.paint = Painter()
        easel.begin()
        await until(lambda: easel.state == "finished")
        assert not easel.message

    at_work(play, Painter(error, after))


def test_nobody_is_painted_for_who_has_left():
    async def play(easel):
        easel.presence.beat()
        easel.presence.heard -= easel.presence.SECONDS + 1
        easel.begin()
        await until(lambda: easel.state == "stopped")
        assert len(easel.history) == easel.presence.STEPS
        easel.presence.beat()
        easel.begin()
        await until(lambda: easel.state == "finished")

    at_work(play)


def test_a_cost_that_grows_is_not_shown():
    def frames(C, S, **options):
        for step, J in enumerate([5.0, 3.0, 4.0]):
            yield painter.Frame(128, step, 0.1, J, 1.0, 1.0, C * 0 + 0.1 * step)

    async def play(easel):
        easel.begin()
        await until(lambda: easel.state == "finished")
        assert np.allclose(easel.picture, 0.1) and len(easel.history) == 3

    at_work(play, frames)


def test_a_coarse_picture_keeps_the_fine_detail():
    start = resized(PHOTO, 128)
    coarse = resized(start, 64)
    assert np.allclose(enlarged(coarse, start), start, atol=1e-5)
    assert float(tf.reduce_mean(enlarged(coarse * 0.5, start))) < 0.3
    assert enlarged(start, PHOTO) is start


@pytest.mark.parametrize("side", [64, 160, 319, 320, 500, 640])
def test_sides_are_those_of_the_painter(side):
    """The bar counts with the scales at which the painter paints."""
    sides = painter.scale_sides((1, side // 2, side, 3), None)  # its own choice
    assert sides == painter.scale_sides((1, side // 2, side, 3), len(sides))
    assert len(sides) > 1 and sides[-1] == side and min(sides) < 64


def test_filters_are_fitted_once_for_a_pair(monkeypatch):
    fitted = []
    monkeypatch.setattr(room, "_fitted", lambda *pair: fitted.append(pair) or len(fitted))
    filters = Filters()
    pairs = [*2 * [(PHOTO, PAINTING)], (PAINTING, PAINTING), (PAINTING, PHOTO)]
    assert [filters(*pair) for pair in pairs] == [1, 1, 2, 3]


def test_the_page_downloads_nothing(monkeypatch):
    asked = []

    class Loaded(Exception):
        pass

    def find(weights, images):
        asked.append(weights)
        raise Loaded

    monkeypatch.setattr(room, "find_weights", find)
    for variable, disk in (("", None), ("", "vgg19.h5"), ("kmeans", None)):
        monkeypatch.setenv("NST_WEIGHTS", variable)
        monkeypatch.setattr(room, "search_disk", lambda disk=disk: (disk, {}))
        with pytest.raises(Loaded):
            Filters()(PHOTO, PAINTING)
    assert asked == ["embedded", "auto", "auto"]


@pytest.mark.parametrize(
    "filters, layers",
    [
        (fake_painter.filters, little_pictures.SHALLOW),
        pytest.param(Filters(), {}, marks=pytest.mark.slow),
    ],
)
def test_the_real_painter_takes_what_the_easel_gives(filters, layers, monkeypatch):
    """A few steps with the real network; the slow form fits its filters, too."""

    monkeypatch.setattr(room, "STEPS", 5)

    async def play(easel):
        easel.wish(side=64)
        easel.filters = filters
        easel.paint = lambda C, S, **options: painter.paint(C, S, **options | layers)
        easel.begin()
        await until(lambda: easel.state in ("finished", "failed"), 200)
        assert easel.state == "finished", easel.message
        assert easel.picture.shape == (1, 48, 64, 3) and len(easel.history) > 2
        last = easel.history[len(easel.history) // 2 :]  # J of two scales cannot be compared
        assert last[-1][1] < last[0][1]

    at_work(play)
