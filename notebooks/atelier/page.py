"""The page: its widgets, and who tells whom."""

from __future__ import annotations

import asyncio
import html
import io
import time
from pathlib import Path

import ipywidgets as widgets
from IPython.display import Javascript, display

from atelier.easel import BUSY, Easel, Wishes
from atelier.keeping import file_name, for_visitors, png, save
from atelier.pictures import LARGEST_FILE, data_address, jpeg
from atelier.tiles import Tiles
from nst_utils import ROOT, ImageError, plot_costs

HERE = Path(__file__).resolve().parent
SIZES = [160, 240, 320, 480, 640]  # pixels of the longer side
NEW_PICTURE, NEW_CURVES = 0.3, 1.5  # seconds between two of them, at least: drawing takes time, too
WORDS = {
    "ready": "Choose a photo and a painting, then press <b>Paint</b>.",
    "preparing": "Looking at both pictures. A new pair takes some seconds.",
    "stopped": "Stopped. <b>Paint</b> goes on from here.",
    "finished": "Finished. Move a slider, and it goes on from here.",
}
_open: list[Page] = []  # the page of this kernel


def open_page() -> widgets.Widget:
    """Give the page as a widget. An earlier one of this kernel stops painting."""
    while _open:
        _open.pop().easel.stop()
    page = Page(asyncio.get_running_loop())
    _open.append(page)
    script = (HERE / "page.js").read_text(encoding="utf-8")
    display(Javascript(script.replace("LARGEST_FILE", str(LARGEST_FILE))))
    return page.box


class Page:
    """Everything that one visitor sees. Each kernel has its own, so nobody sees another's.

    JupyterLab may deliver a click in another thread than the one that paints (a "subshell"), so
    every click is handed to the one loop that owns the easel. `tools` are Easel's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, **tools: object) -> None:
        self.loop, self.easel = loop, Easel(self.refresh, **tools)
        self.photos = Tiles("photo", self.choose, self.say, self.later)
        self.paintings = Tiles("painting", self.choose, self.say, self.later)
        self.picture = widgets.Image(format="jpeg")
        self.curves = widgets.Image(format="png")
        self.bar = widgets.FloatProgress(min=0, max=1)
        self.status, self.notice = widgets.HTML(), widgets.HTML()
        self.notice.add_class("atelier-notice")
        self.beat = widgets.Button(layout={"display": "none"})  # page.js clicks on it
        self.beat.add_class("atelier-beat")
        if for_visitors():  # from now on it is expected
            self.easel.presence.beat()
            self.beat.on_click(lambda _: self.later(self.easel.presence.beat))
        self.drawn = {"picture": 0.0, "curves": 0.0}  # when
        self.buttons = self._buttons()
        self.sliders = self._sliders()
        self.box = self._laid_out()
        self.easel.choose(self.photos.image(), self.paintings.image())

    def _buttons(self) -> dict[str, widgets.Button]:
        actions = {
            "Paint": self.paint,
            "Stop": self.easel.stop,
            "Save": self.save,
            "Start over": self.easel.clear,
        }
        buttons = {}
        for name, action in actions.items():
            buttons[name] = widgets.Button(description=name)
            buttons[name].add_class(f"atelier-{name.split()[0].lower()}")
            buttons[name].on_click(lambda _, action=action: self.later(action))
        return buttons

    def _sliders(self) -> dict[str, widgets.Widget]:
        wishes, quiet = Wishes(), {"continuous_update": False}
        made = {
            "ratio": widgets.FloatLogSlider(
                wishes.ratio, min=-1, max=2, step=0.1, readout_format=".2g", **quiet
            ),
            "style_scale": widgets.FloatSlider(
                wishes.style_scale, min=0.5, max=2, step=0.25, readout_format=".2f", **quiet
            ),
            "side": widgets.SelectionSlider(
                options=[(f"{side} px", side) for side in SIZES], value=wishes.side, **quiet
            ),
            "smooth": widgets.FloatSlider(
                wishes.smooth, min=0, max=5, step=0.25, readout_format=".2f", **quiet
            ),
            "colour": widgets.ToggleButtons(
                options=[("the painting", "style"), ("the photo", "luminance")]
            ),
        }
        for name, slider in made.items():
            slider.observe(
                lambda change, name=name: self.later(self.wish, {name: change.new}), "value"
            )
        return made

    def _laid_out(self) -> widgets.Widget:
        labels = {
            "ratio": "paint (β/α)",  # noqa: RUF001, Greek it is
            "style_scale": "stroke size",
            "side": "picture size",
            "smooth": "smoothness",
            "colour": "colours of",
        }
        rows = [
            _box("atelier-row", widgets.Label(text), self.sliders[name])
            for name, text in labels.items()
        ]
        choices = _box("atelier-choices", _heading("1. A photo"), self.photos.box)
        choices.children += (_heading("2. A painting"), self.paintings.box)
        sliders = _box("atelier-sliders", _heading("3. How it is painted"), *rows)
        easel = _box("atelier-easel", _box("atelier-buttons", *self.buttons.values()), self.bar)
        easel.children += (self.status, self.notice, _box("atelier-frame", self.picture))
        costs = _box("atelier-costs", self.curves)
        sheet = widgets.HTML(f"<style>{(HERE / 'page.css').read_text(encoding='utf-8')}</style>")
        sheet.layout.display = "none"
        return _box(
            "atelier", sheet, self.beat, _box("atelier-columns", choices, easel, sliders, costs)
        )

    def later(self, action: object, *arguments: object) -> None:
        """Do something in the loop that owns the easel."""
        self.loop.call_soon_threadsafe(action, *arguments)

    def paint(self) -> None:
        self.notice.value = ""
        self.easel.begin()

    def wish(self, change: dict) -> None:
        self.easel.wish(**change)

    def choose(self) -> None:
        """Put what was chosen on the easel."""
        self.notice.value = ""
        self.easel.choose(self.photos.image(), self.paintings.image())

    def say(self, text: str) -> None:
        """Say what is wrong. What a visitor's file is called is no HTML."""
        self.notice.value = f"<div role='alert' class='atelier-alert'>⚠ {html.escape(text)}</div>"

    def save(self) -> None:
        """Write the picture beside the course; a visitor, whose disk is another, downloads it."""
        image = self.easel.picture
        names, self.notice.value = (self.photos.title(), self.paintings.title()), ""
        try:
            if not for_visitors():
                path = save(image, *names, self.easel.wishes)
                self.notice.value = f"<div role='status'>Saved: {path.relative_to(ROOT)}</div>"
                return
        except ImageError as error:  # a folder that cannot be written, say
            self.say(str(error))
        name, address = file_name(*names), data_address(png(image), "image/png")
        link = f"<a class='atelier-download' download='{name}' href='{address}'>{name}</a>"
        self.notice.value += f"<div role='status'>Your download: {link}</div>"

    def refresh(self) -> None:
        """Show where the easel stands."""
        easel, busy = self.easel, self.easel.state in BUSY
        self.buttons["Paint"].disabled = busy
        self.buttons["Stop"].disabled = not busy
        self.buttons["Save"].disabled = easel.picture is None
        self.buttons["Start over"].disabled = easel.picture is None
        (self.bar.add_class if easel.state == "preparing" else self.bar.remove_class)(
            "atelier-wait"
        )
        self.bar.value = 1.0 if easel.state == "finished" else self._share()
        self.status.value = f"<div role='status'>{self._words()}</div>"
        if self._due("picture", NEW_PICTURE) and easel.photo is not None:
            self.picture.value = jpeg(easel.shown())
        if self._due("curves", NEW_CURVES):
            self.curves.value = _drawn(easel.history) if len(easel.history) > 1 else b""
            self.curves.layout.visibility = "visible" if self.curves.value else "hidden"

    def _share(self) -> float:
        painting = self.easel.progress and self.easel.state in ("painting", "stopped")
        return self.easel.progress.share() if painting else 0.0

    def _words(self) -> str:
        easel, at = self.easel, self.easel.progress
        if easel.state == "failed":
            return f"⚠ {html.escape(easel.message)}"
        if easel.state != "painting":
            return WORDS[easel.state]
        left = at.seconds_left()
        when = "" if left is None else f", about <b>{left:.0f} s</b> left"
        return f"{at.share():.0%}: step {at.step} of {at.steps} at {at.sides[at.scale]} px{when}"

    def _due(self, what: str, seconds: float) -> bool:
        """Whether it is time to draw again; always, when nothing is being painted."""
        now = time.monotonic()
        if self.easel.state == "painting" and now - self.drawn[what] < seconds:
            return False
        self.drawn[what] = now
        return True


def _box(name: str, *children: widgets.Widget) -> widgets.Box:
    box = widgets.Box(children)
    box.add_class(name)
    return box


def _heading(text: str) -> widgets.Widget:
    return widgets.HTML(f"<h3>{text}</h3>")


def _drawn(history: list[tuple[int, float, float, float]]) -> bytes:
    """The curves of the three costs as a PNG."""
    figure, file = plot_costs(history, "The three costs"), io.BytesIO()
    figure.set_size_inches(5.2, 2.6)
    figure.savefig(file, format="png", dpi=150)
    return file.getvalue()
