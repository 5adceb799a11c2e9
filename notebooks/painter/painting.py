"""The painting, coarse to fine: `stylize` gives the best picture, `paint` all on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nst_utils import load_vgg19, to_pixels
from painter.budget import Clock
from painter.colour import with_colours_of
from painter.descent import descend_on_canvas
from painter.network import Network
from painter.preparation import Job, colours_of, prepared, toned
from painter.recipe import Recipe
from painter.sizes import carry_up, scale_sides, shrink
from painter.starts import base_picture, first_picture


class Frame(NamedTuple):
    """What `paint` yields: a picture, its costs, and where it stands."""

    side: int  # the longer side in pixels, at this scale
    step: int  # counted over all scales
    seconds: float  # since the start
    J: float
    J_content: float
    J_style: float
    image: tf.Tensor  # (1, n_H, n_W, 3) in [0, 1]
    note: str = ""  # why the scale ends before its time, if it does; J is then that of `image`
    network: str = ""  # where its weights are from


class Painting(NamedTuple):
    """What `stylize` returns."""

    image: tf.Tensor  # (1, n_H, n_W, 3) in [0, 1]
    history: list[tuple[int, float, float, float]]  # (step, J, J_content, J_style)
    stopped: str  # why it ended: "finished", "interrupted", what was not finite or had no time
    lowered: bool  # whether any step lowered J: if not, the picture is what it started from
    network: str  # where the weights are from


# What an error says that began as Ctrl-C: while TensorFlow traces, its C++ code makes it a
# RuntimeError that still names it, or loses it in a SystemError.
INTERRUPTED = ("KeyboardInterrupt", "bad argument to internal function")
NO_TIME = "no time for"  # so begins what the seconds did not allow


def stylize(
    content: tf.Tensor,
    style: tf.Tensor | Sequence[tf.Tensor],
    on_frame: Callable[[Frame], object] | None = None,
    **options: object,
) -> Painting:
    """Paint `content` in the manner of `style`, one picture or several; give the best result.

    Pictures are (1, n_H, n_W, 3) in [0, 1]; `options` are the fields of `Recipe`. `on_frame` is
    called with every Frame of `paint`. Ctrl-C, or a stopped cell, returns the best picture so far;
    a cost that is not finite ends its scale with the best one. Raises PaintError, WeightsError.
    """
    job, best, history, notes, lowered = None, None, [], [], False
    try:
        job = prepared(content, style, options)
        for frame in _frames(job):
            if not frame.note:
                history.append((frame.step, frame.J, frame.J_content, frame.J_style))
            comparable = best is not None and frame.side == best.side  # J depends on the size
            if not comparable or frame.J <= best.J:
                lowered = lowered or (comparable and frame.J < best.J)
                best = frame
            notes += [frame.note] if frame.note else []
            if on_frame:
                on_frame(frame)
    except (KeyboardInterrupt, RuntimeError, SystemError) as error:
        if not any(words in repr(error) for words in INTERRUPTED):
            raise
        notes.append("interrupted")
    if best is None:
        return Painting(tf.convert_to_tensor(content), history, "; ".join(notes), False, "")
    image = best.image if best.image.shape == job.photo.shape else _enlarged(best, job)
    fault = _nothing_done(image, job, len(history), lowered)
    said = any(not note.startswith(NO_TIME) for note in notes)  # why nothing was done
    if fault and not said and job.recipe.steps != 0:
        notes = [fault] if fault.startswith(NO_TIME) else [fault, *notes]
    return Painting(image, history, "; ".join(notes) or "finished", not fault, best.network)


def _nothing_done(image: tf.Tensor, job: Job, looks: int, lowered: bool) -> str:
    """Say why the picture is what it started from; empty if it is another."""
    if not lowered:
        hurried = job.recipe.seconds is not None and looks == 1
        return f"{NO_TIME} a single step" if hurried else "no step lowered J"
    init = job.recipe.init
    from_photo = isinstance(init, str) and init == "content"
    same = from_photo and np.array_equal(to_pixels(image), to_pixels(job.photo))
    return "no step changed a pixel by 1 of 255" if same else ""


def _enlarged(frame: Frame, job: Job) -> tf.Tensor:
    """Give a coarse scale's picture at full size, with the fine detail of what it began with."""
    if job.recipe.colour == "luminance":  # it has the photo's colours already
        base = base_picture(job.photo, job.styles, job.recipe)
    else:
        base = base_picture(job.C, job.styles, job.recipe)
        base = toned(base, job.recipe, colours_of(job.styles, job.recipe))
    return carry_up(base, frame.image - shrink(base, frame.side / max(base.shape)))


def paint(
    content: tf.Tensor, style: tf.Tensor | Sequence[tf.Tensor], **options: object
) -> Iterator[Frame]:
    """Yield a Frame before every step, coarse to fine; `options` are the fields of `Recipe`.

    It minimises J = alpha J_content + beta (J_style + tv / 40 times the total variation). The last
    term is neither Gatys' nor the notebook's: it takes fine ripple away. What a coarser scale
    changed is carried up as a *difference* to where the finer one starts: the photo's fine detail
    would be lost with the picture itself. Differs from Gatys 2015, who start from noise, at one
    scale.

    VGG-19 pads with zeros: at its edges it sees a step to black, and a picture made with it has a
    frame one or two pixels wide. So it paints on a canvas that is larger by 8 to 16 pixels at each
    side, where the photo goes on as in a mirror, and cuts them off; J is that of the whole canvas.
    Neither the paper nor the notebook does so, and edges = "zeros" does not.

    `init="patches"` reaches a low J sooner, but the photo is less clear: a lower J is not a better
    picture.
    """
    yield from _frames(prepared(content, style, options))


def _frames(job: Job) -> Iterator[Frame]:
    """Yield the frames of `paint`."""
    net, source = _network(job.C, job.styles if job.recipe.beta else [], job.recipe)
    for frame in paint_scales(net, job.C, job.styles, job.recipe, job.start):
        image = frame.image
        if job.recipe.colour == "luminance":
            image = with_colours_of(job.photo, image)
        yield frame._replace(image=image, network=source)


def paint_scales(
    net: Network, C: tf.Tensor, styles: Sequence[tf.Tensor], recipe: Recipe, start: float
) -> Iterator[Frame]:
    """Yield a Frame before every step, with this network; `start` is when the seconds begin."""
    step, change, clock = 0, None, None
    sides, colours = scale_sides(C.shape, recipe.scales), colours_of(styles, recipe)
    for side, after in zip(sides, [*sides[1:], 0], strict=True):
        late = clock is not None and clock.is_stuck()
        note = f"{NO_TIME} {side} pixels" if late else ""
        side = sides[-1] if late else side
        c, *ss = (shrink(image, side / max(C.shape)) for image in (C, *styles))
        base = toned(base_picture(c, ss, recipe), recipe, colours)
        if change is None:
            G = toned(first_picture(base, ss, recipe), recipe, colours)
        else:
            G = carry_up(base, change)
        if late:
            note += ": the change is carried up" if np.any(change) else ""
            yield Frame(side, step, time.monotonic() - start, *3 * [float("nan")], G, note)
            return
        best, clock = None, Clock(start, recipe, after / side, len(styles))
        for costs, image, note in descend_on_canvas(net, c, ss, G, recipe, clock, colours):
            seconds = clock.looked()
            step += best is not None and not note
            yield Frame(side, step, seconds, *costs, image, note)
            best = (costs[0], image) if best is None or costs[0] <= best[0] else best
        change = best[1] - base


def _network(C: tf.Tensor, styles: Sequence[tf.Tensor], recipe: Recipe) -> tuple[Network, str]:
    """Give the network, calibrated on the pictures, and where its weights are from."""
    fitted_to = [shrink(image, min(1, 512 / max(image.shape))) for image in (C, *styles)]
    names = [name for name, weight in recipe.style_layers if weight and recipe.beta]
    vgg = load_vgg19([*names, recipe.content_layer], recipe.weights, fitted_to, recipe.seed)
    return Network(vgg, recipe.layers()), vgg.weights_source
