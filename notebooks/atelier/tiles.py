"""Tiles: thumbnails to click on, and one for a picture of one's own."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets
import tensorflow as tf

from atelier.pictures import bundled, read_bundled, read_upload, thumbnail
from nst_utils import ImageError


class Tiles:
    """The tiles of one kind, "photo" or "painting"; `chosen` is called after another one.

    A button cannot hold a picture, so the picture is its background, by a style sheet. What is
    chosen has a tick before its name and a frame: colour alone would not do for everybody.
    `refused` is told why a file cannot be used, `later` runs a function in the page's loop.
    """

    def __init__(
        self, kind: str, chosen: Callable, refused: Callable, later: Callable[..., object]
    ) -> None:
        self.kind, self.chosen, self.refused, self.later = kind, chosen, refused, later
        self.paths, self.buttons, self.own = bundled(kind), {}, None
        self.current = next(iter(self.paths))
        self.sheet = widgets.HTML(layout={"display": "none"})
        for name in self.paths:
            self.buttons[name] = self._button(name, name)
        self.addresses = {name: thumbnail(path) for name, path in self.paths.items()}
        self.upload = widgets.FileUpload(
            accept="image/*", description=f"your {kind}", tooltip=f"Choose or drop a {kind}"
        )
        self.upload.add_class("atelier-upload")
        self.upload.observe(lambda change: later(self.take, change.new), "value")
        self.box = widgets.Box([self.sheet, *self.buttons.values(), self.upload])
        for name in ("atelier-tiles", f"atelier-drop-{kind}"):
            self.box.add_class(name)
        self._hang()
        self._mark()

    def image(self) -> tf.Tensor:
        """The picture that is chosen."""
        return self.own if self.current == "own" else read_bundled(self.paths[self.current])

    def select(self, name: str) -> None:
        """Choose a tile by its name."""
        if name == self.current:
            return
        self.current = name
        self._mark()
        self.chosen()

    def take(self, files: tuple[dict, ...]) -> None:
        """Read what was uploaded, and choose it; say so if it is no picture."""
        if not files:
            return
        self.upload.value = ()  # the file's bytes are not kept, and the same file can come again
        name, data = files[-1]["name"], bytes(files[-1]["content"])
        try:
            self.own = read_upload(name, data)
        except ImageError as error:
            self.refused(str(error))
            return
        if "own" not in self.buttons:
            self.buttons["own"] = self._button("own", f"my {self.kind}")
            self.box.children = [*self.box.children[:-1], self.buttons["own"], self.upload]
        self.addresses["own"], self.current = thumbnail(self.own), "own"
        self._hang()
        self._mark()
        self.chosen()

    def title(self) -> str:
        """What the chosen picture is called."""
        return f"my {self.kind}" if self.current == "own" else self.current

    def _button(self, name: str, title: str) -> widgets.Button:
        button = widgets.Button(description=title, tooltip=f"{self.kind}: {title}")
        button.title = title
        button.add_class("atelier-tile")
        button.add_class(f"atelier-{self.kind}-{name}")
        button.on_click(lambda _: self.later(self.select, name))
        return button

    def _hang(self) -> None:
        """Write the style sheet that has the thumbnails."""
        dark = "linear-gradient(transparent 62%, rgb(0 0 0 / 85%) 80%)"  # behind the name
        rules = [
            f".atelier-{self.kind}-{name} {{ background-image: {dark}, url({address}) !important }}"
            for name, address in self.addresses.items()
        ]
        self.sheet.value = f"<style>{' '.join(rules)}</style>"

    def _mark(self) -> None:
        """Mark what is chosen."""
        for name, button in self.buttons.items():
            chosen = name == self.current
            button.description = f"✓ {button.title}" if chosen else button.title
            (button.add_class if chosen else button.remove_class)("atelier-chosen")
