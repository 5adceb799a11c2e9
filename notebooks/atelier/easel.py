"""The easel: a picture that is painted step by step, and what may happen meanwhile. No widgets."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import tensorflow as tf

from atelier.progress import Progress
from nst_utils import (
    FAST,
    ImageError,
    WeightsError,
    find_weights,
    load_vgg19,
    search_disk,
)
from painter import Frame, PaintError, paint, same_area, scale_sides, suited_to

STEPS = 2 if FAST else 25  # at each scale
FITTED_SIDE = 224  # pixels: filters fitted to pictures of this size serve all sizes of the page
PAUSE = 0.03  # seconds after each step: the loop handles what the page has sent
BUSY = ("preparing", "painting")
ALPHA = 10.0


@dataclass(frozen=True)
class Wishes:
    """What the sliders say."""

    ratio: float = 4.0  # beta / alpha
    style_scale: float = 1.0
    side: int = 320  # pixels of the longer side; a smaller photo is not enlarged
    smooth: float = 1.0  # times the smoothing that suits the filters
    colour: str = "style"  # or "luminance": the photo's colours

    def options(self) -> dict:
        """The same in the painter's words."""
        options = {"alpha": ALPHA, "beta": ALPHA * self.ratio, "colour": self.colour}
        return options | {"style_scale": self.style_scale, "steps": STEPS}


class Filters:
    """VGG-19's weights and its style layers for a pair of pictures: fitted once, and kept.

    The painter fits filters to the pictures as it paints them, so it would fit them anew whenever a
    slider changes their size or their colours. Here they stay the pair's own. Nothing is ever
    downloaded: it would stop the page for as long as that takes.
    """

    def __init__(self) -> None:
        self.pair, self.options = None, None

    def __call__(self, photo: tf.Tensor, painting: tf.Tensor) -> dict:
        """Options of `paint` for this pair."""
        if self.pair is None or not (self.pair[0] is photo and self.pair[1] is painting):
            self.options = _fitted(photo, painting)
            self.pair = photo, painting
        return self.options


def _fitted(photo: tf.Tensor, painting: tf.Tensor) -> dict:
    C = resized(photo, FITTED_SIDE)
    pair = [C, same_area(painting, C, 1)]
    asked = "auto" if os.environ.get("NST_WEIGHTS") or search_disk()[0] else "embedded"
    found = find_weights(asked, pair)
    suited = suited_to(found[0])
    if not found[0]:  # k-means filters alone: given as weights they would get another pooling
        return suited | {"weights": asked}
    names = [name for name, _ in suited["style_layers"]] + [suited["content_layer"]]
    vgg = load_vgg19(names, found, pair)
    fitted = {layer.name: tuple(layer.get_weights()) for layer in vgg.layers if layer.weights}
    return suited | {"weights": fitted}


def resized(image: tf.Tensor, side: int) -> tf.Tensor:
    """Scale a picture, (1, n_H, n_W, 3), to a longer side of at most `side` pixels."""
    ratio = min(1, side / max(image.shape))
    return _sized(image, [max(16, round(n * ratio)) for n in image.shape[1:3]])


def _sized(image: tf.Tensor, size: list[int]) -> tf.Tensor:
    if size == list(image.shape[1:3]):
        return image
    return tf.clip_by_value(tf.image.resize(image, size, "bicubic", antialias=True), 0, 1)


class Presence:
    """Whether somebody is still looking: the page of a visitor makes itself heard every 10 s.

    A browser lets a page that is hidden speak once a minute only. Where steps are so slow that what
    the page said may still wait to be heard, steps count, too.
    """

    SECONDS, STEPS = 150, 5

    def __init__(self) -> None:
        self.heard: float | None = None  # when; None: nobody has promised to speak
        self.steps = 0  # since then

    def beat(self) -> None:
        self.heard, self.steps = time.monotonic(), 0

    def after_a_step(self, now: float) -> bool:
        """Whether to go on painting."""
        self.steps += 1
        silent = self.heard is not None and now - self.heard > self.SECONDS
        return not (silent and self.steps >= self.STEPS)


class Easel:
    """A photo, a painting, wishes, and the picture that comes of them; `look` is told of changes.

    `state` is "ready" (the photo as it is), "preparing" (until the first look), "painting",
    "stopped", "finished", or "failed", with the reason in `message`. All methods belong to one
    loop: call them from it.
    """

    def __init__(
        self,
        look: Callable[[], object],
        paint: Callable[..., Iterator[Frame]] = paint,
        filters: Callable[[tf.Tensor, tf.Tensor], dict] | None = None,
    ) -> None:
        self.look, self.paint, self.filters = look, paint, filters or Filters()
        self.photo: tf.Tensor | None = None
        self.painting: tf.Tensor | None = None
        self.wishes, self.state, self.message = Wishes(), "ready", ""
        self.picture: tf.Tensor | None = None  # the painted one; None until something is changed
        self.history: list[tuple[int, float, float, float]] = []  # (step, J, J_content, J_style)
        self.progress: Progress | None = None
        self.task: asyncio.Task | None = None
        self.stale = False  # what is being painted is no longer what is wished
        self.presence = Presence()

    def shown(self) -> tf.Tensor | None:
        """The picture on the easel: the painted one, or the photo."""
        if self.picture is not None or self.photo is None:
            return self.picture
        return resized(self.photo, self.wishes.side)

    def choose(self, photo: tf.Tensor | None = None, painting: tf.Tensor | None = None) -> None:
        """Take another photo or painting, and begin again from the photo."""
        self.photo = self.photo if photo is None else photo
        self.painting = self.painting if painting is None else painting
        self.clear()

    def clear(self) -> None:
        """Begin again from the photo; if it was being painted, go on with that."""
        self.picture, self.history, self.stale = None, [], True
        self._is(self.state if self.state in BUSY else "ready")

    def wish(self, **changes: object) -> None:
        """Take what the sliders say; a picture that is being painted, or finished, goes on."""
        before, self.wishes = self.wishes, replace(self.wishes, **changes)
        if self.wishes == before:
            return
        self.stale = True
        if self.state == "finished":
            self.begin()
        elif self.state == "ready":
            self.look()  # the photo in its new size

    def begin(self) -> None:
        """Paint, or go on painting."""
        if self.state in BUSY or self.photo is None or self.painting is None:
            return
        self._is("preparing")
        if self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self._work())

    def stop(self) -> None:
        """Stop after the step that is being made; the picture stays."""
        if self.state in BUSY:
            self._is("stopped" if self.picture is not None else "ready")

    def _is(self, state: str, message: str = "") -> None:
        self.state, self.message = state, message
        self.look()

    async def _work(self) -> None:
        """Paint until it is finished or stopped; begin anew whenever the wishes have changed."""
        try:
            while self.state in BUSY:
                self.stale = False
                await self._paint()
        except (ImageError, PaintError, WeightsError) as error:
            self._is("failed", str(error))
        except (MemoryError, tf.errors.ResourceExhaustedError):
            self._is("failed", "There is not enough memory: make the picture smaller.")
        except Exception as error:  # it would be lost in the kernel's log, and the page would wait
            self._is("failed", f"{type(error).__name__}: {error}")

    async def _paint(self) -> None:
        self._is("preparing")
        await asyncio.sleep(PAUSE)
        if self.stale or self.state not in BUSY:
            return
        C = resized(self.photo, self.wishes.side)
        start = C if self.picture is None else _sized(self.picture, list(C.shape[1:3]))
        sides = scale_sides(C.shape, None)  # the painter's own choice
        self.progress = Progress(sides, STEPS, time.monotonic())
        options = self.wishes.options() | {"scales": len(sides)}
        if self.picture is not None:
            options["init"] = start
        with _silence():
            suited = self.filters(self.photo, self.painting)
            options |= suited | {"tv": self.wishes.smooth * suited["tv"]}
            frames = self.paint(C, self.painting, **options)
        with contextlib.closing(frames):
            if await self._follow(frames, start):
                self._is("finished")

    async def _follow(self, frames: Iterator[Frame], start: tf.Tensor) -> bool:
        """Take one frame after the other; give whether it was the painter that ended."""
        best, before = None, self.history[-1][0] if self.history else 0
        while True:
            with _silence():
                frame = next(frames, None)
            if frame is None:
                return True
            self.progress.saw(frame.side, time.monotonic())
            if not frame.note:
                self.history.append((before + frame.step, *frame[3:6]))
            if best is None or frame.side > best.side or frame.J <= best.J:
                best = frame
                if frame.step:
                    self.picture = enlarged(frame.image, start)
            self._is("painting", frame.note)
            await asyncio.sleep(PAUSE)
            if not self.presence.after_a_step(time.monotonic()):
                self.stop()
            if self.stale or self.state not in BUSY:
                return False


def enlarged(image: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
    """Give a coarse scale's picture in full size: what it changed, added to what it began with."""
    coarse, full = list(image.shape[1:3]), list(start.shape[1:3])
    if coarse == full:
        return image
    change = image - _sized(start, coarse)
    return tf.clip_by_value(start + tf.image.resize(change, full, "bicubic"), 0, 1)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep the painter's lines from the cell that was run last, wherever that is."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
