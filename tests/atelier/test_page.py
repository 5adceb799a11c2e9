"""The page without a browser: clicks, sliders, uploads, and what they change."""

import asyncio
import re
from datetime import datetime, timezone

import fake_painter
import numpy as np
import pytest
from fake_painter import PHOTO, Painter, until
from picture_makers import SMOOTH, encoded
from PIL import Image

from atelier import easel, keeping, page
from atelier.page import Page

LARGE = encoded(np.tile(SMOOTH, (2, 2, 1)), "PNG")  # 96 x 128


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    monkeypatch.setattr(easel, "PAUSE", 0.001)
    monkeypatch.setattr(easel, "STEPS", 25)
    monkeypatch.setattr(page, "NEW_CURVES", 60)  # each costs 0.1 s
    monkeypatch.setattr(keeping, "FOLDER", tmp_path)
    monkeypatch.setattr(page, "ROOT", tmp_path)
    monkeypatch.delenv("VOILA_PREHEAT", raising=False)


def visit(play, **tools):
    """Run `play`, a coroutine function of a page."""

    async def run():
        tools.setdefault("paint", Painter())
        opened = Page(asyncio.get_running_loop(), filters=fake_painter.filters, **tools)
        await play(opened)
        opened.easel.stop()
        if opened.easel.task:
            await opened.easel.task

    asyncio.run(run())


async def paint(opened):
    opened.buttons["Paint"].click()
    await until(lambda: opened.easel.state == "finished")


def upload(opened, name, data, kind="photos"):
    file = {"name": name, "type": "image/png", "size": len(data), "content": memoryview(data)}
    file["last_modified"] = datetime.now(timezone.utc)
    getattr(opened, kind).upload.value = (file,)


def test_choose_paint_save():
    async def play(opened):
        opened.paintings.buttons["wave"].click()
        await until(lambda: opened.paintings.current == "wave")
        assert opened.paintings.buttons["wave"].description == "✓ wave"
        assert [b.description[0] for b in opened.paintings.buttons.values()].count("✓") == 1
        assert opened.buttons["Save"].disabled and opened.buttons["Stop"].disabled
        before = opened.picture.value
        await paint(opened)
        assert opened.picture.value != before and opened.bar.value == 1
        assert bytes(opened.curves.value).startswith(b"\x89PNG")
        opened.buttons["Save"].click()
        await until(lambda: "Saved" in opened.notice.value)
        name = re.search(r"my_astronaut_wave_[\d-]+_\w{8}\.png", opened.notice.value)[0]
        with Image.open(keeping.FOLDER / name) as saved:
            assert max(saved.size) == 320 and '"beta": 40' in saved.info["Software"]
            assert '"smooth": 1.0' in saved.info["Software"]

    visit(play)


def test_buttons_say_what_can_be_done():
    async def play(opened):
        def usable():
            return {name for name, button in opened.buttons.items() if not button.disabled}

        assert usable() == {"Paint"}
        opened.buttons["Paint"].click()
        await until(lambda: opened.easel.picture is not None)
        assert usable() == {"Stop", "Save", "Start over"}
        assert re.search(r"\d+%: step \d+ of 25 at \d+ px", opened.status.value)
        opened.buttons["Stop"].click()
        await until(lambda: opened.easel.state == "stopped")
        assert usable() == {"Paint", "Save", "Start over"}
        opened.buttons["Start over"].click()
        await until(lambda: usable() == {"Paint"})

    visit(play)


def test_each_slider_reaches_the_painter():
    async def play(opened):
        new = {"ratio": 10.0, "style_scale": 2.0, "side": 160, "smooth": 2.0, "colour": "luminance"}
        assert set(new) == set(opened.sliders)
        for name, value in new.items():
            opened.sliders[name].value = value
        await paint(opened)
        asked = opened.easel.paint.asked[0]
        assert asked["beta"] == 100 and asked["tv"] == 6 and asked["style_scale"] == 2
        assert asked["colour"] == "luminance" and max(asked["C"].shape) == 160

    visit(play)


def test_clicks_from_another_thread_are_done_in_the_page_s_loop():
    async def play(opened):
        await asyncio.to_thread(opened.buttons["Paint"].click)
        await until(lambda: opened.easel.state == "finished")
        assert opened.easel.task.get_loop() is asyncio.get_running_loop()

    visit(play)


def test_a_picture_of_one_s_own():
    async def play(opened):
        upload(opened, "me.png", LARGE)
        await until(lambda: opened.photos.current == "own")
        assert opened.photos.buttons["own"].description == "✓ my photo"
        assert opened.easel.photo.shape == (1, 96, 128, 3)
        assert opened.photos.upload.value == ()  # nothing is kept, and it may come again
        upload(opened, "again.png", LARGE, "paintings")
        await until(lambda: opened.paintings.current == "own")
        opened.photos.buttons["house"].click()
        await until(lambda: opened.photos.current == "house")
        assert len(opened.photos.box.children) == 1 + 7 + 1 + 1

    visit(play)


def test_a_broken_file_is_a_message_and_nothing_else():
    async def play(opened):
        upload(opened, "<b>x</b>.png", b"hello")
        await until(lambda: opened.notice.value)
        assert "&lt;b&gt;x&lt;/b&gt;.png" in opened.notice.value
        assert "<b>" not in opened.notice.value
        assert opened.photos.current == "astronaut" and opened.easel.state == "ready"
        opened.photos.buttons["house"].click()
        await until(lambda: not opened.notice.value)

    visit(play)


def test_a_visitor_downloads_and_nothing_is_written(monkeypatch):
    monkeypatch.setenv("VOILA_PREHEAT", "False")

    async def play(opened):
        await paint(opened)
        opened.buttons["Save"].click()
        await until(lambda: "download" in opened.notice.value)
        assert "href='data:image/png;base64," in opened.notice.value
        assert not list(keeping.FOLDER.iterdir())

    visit(play)


def test_where_nothing_can_be_written_one_downloads(monkeypatch):
    monkeypatch.setattr(keeping, "FOLDER", keeping.FOLDER / "file.png" / "below")
    (keeping.FOLDER.parent).write_bytes(b"")

    async def play(opened):
        await paint(opened)
        opened.buttons["Save"].click()
        await until(lambda: "download" in opened.notice.value)
        assert "Cannot write" in opened.notice.value

    visit(play)


@pytest.mark.parametrize("expected", [True, False])
def test_only_a_visitor_is_expected_to_be_heard(monkeypatch, expected):
    if expected:
        monkeypatch.setenv("VOILA_PREHEAT", "True")

    async def play(opened):
        presence = opened.easel.presence
        assert (presence.heard is not None) == expected
        presence.steps = 7
        opened.beat.click()
        await asyncio.sleep(0.01)
        assert presence.steps == (0 if expected else 7)

    visit(play)


def test_two_visitors_do_not_share_a_thing():
    async def play(opened):
        other = Page(opened.loop, paint=Painter(), filters=fake_painter.filters)
        upload(opened, "me.png", LARGE)
        await paint(opened)
        assert other.easel.picture is None and "own" not in other.photos.buttons
        assert other.photos.sheet.value != opened.photos.sheet.value

    visit(play)


def test_names_are_never_the_same_and_hold_no_path():
    names = {keeping.file_name("../../My Photo!", "ä") for _ in range(50)}
    assert len(names) == 50 and all(re.fullmatch(r"my_[a-z0-9_-]+\.png", name) for name in names)


def test_a_page_opened_again_stops_the_first():
    async def play():
        box = page.open_page()
        first = page._open[0]
        first.easel.paint, first.easel.filters = Painter(), fake_painter.filters
        first.easel.begin()
        await until(lambda: first.easel.picture is not None)
        again = page.open_page()
        await first.easel.task
        assert first.easel.state == "stopped" and box is not again

    asyncio.run(play())


def test_the_page_fetches_nothing_from_elsewhere():
    for name in ("page.css", "page.js", "page.py", "tiles.py"):
        assert "http" not in (page.HERE / name).read_text(encoding="utf-8")
    assert PHOTO is not None
