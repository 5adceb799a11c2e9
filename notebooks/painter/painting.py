"""The painting, coarse to fine: `stylize` gives the best picture, `paint` all on the way."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import tensorflow as tf

from nst_utils import check_picture, load_vgg19
from painter.budget import clock, is_late
from painter.colour import coloured, grey, with_colours_of
from painter.descent import descend_on_canvas
from painter.masks import as_mask
from painter.network import Network
from painter.recipe import Recipe
from painter.resources import check_memory, memory_needed, seconds_needed
from painter.sizes import carry_up, same_area, scale_sides, shrink
from painter.starts import base_picture, check_init, first_picture


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
    best, history, notes, lowered = None, [], [], False
    try:
        for frame in paint(content, style, **options):
            if not frame.note:
                history.append((frame.step, frame.J, frame.J_content, frame.J_style))
            if best is None or frame.side > best.side or frame.J <= best.J:
                lowered = lowered or (best is not None and frame.J < best.J)
                best = frame
            notes += [frame.note] if frame.note else []
            if on_frame:
                on_frame(frame)
    except (KeyboardInterrupt, RuntimeError, SystemError) as error:
        if not any(words in repr(error) for words in INTERRUPTED):
            raise
        notes.append("interrupted")
    if not (lowered or notes) and options.get("steps") != 0:
        hurried = options.get("seconds") is not None and len(history) == 1
        notes.append("no time for a single step" if hurried else "no step lowered J")
    if best is None:
        return Painting(tf.convert_to_tensor(content), history, "; ".join(notes), False, "")
    image = best.image
    if image.shape != content.shape:  # it ended at a coarser scale
        image = _enlarged(best, check_picture(content), _pictures(style), Recipe(**options))
    return Painting(image, history, "; ".join(notes) or "finished", lowered, best.network)


def _enlarged(frame: Frame, C: tf.Tensor, styles: list[tf.Tensor], recipe: Recipe) -> tf.Tensor:
    """Give a coarse scale's picture at full size, with the fine detail of what it began with."""
    base = base_picture(C, styles, recipe)
    return carry_up(base, frame.image - shrink(base, frame.side / max(base.shape)))


def paint(
    content: tf.Tensor, style: tf.Tensor | Sequence[tf.Tensor], **options: object
) -> Iterator[Frame]:
    """Yield a Frame before every step, coarse to fine; `options` are the fields of `Recipe`.

    It minimises J = alpha J_content + beta J_style + tv times the total variation. The last term is
    neither Gatys' nor the notebook's: it takes fine ripple away. What a coarser scale changed is
    carried up as a *difference* to where the finer one starts: the photo's fine detail would be
    lost with the picture itself. Differs from Gatys 2015, who start from noise, at one scale.

    VGG-19 pads with zeros: at its edges it sees a step to black, and a picture made with it has a
    frame one or two pixels wide. So it paints on a canvas that is larger by BORDER pixels at each
    side, where the photo goes on as in a mirror, and cuts them off; J is that of the whole canvas.
    Neither the paper nor the notebook does so, and edges = "zeros" does not.

    `init="patches"` reaches a low J sooner, but the photo is less clear: a lower J is not a better
    picture.
    """
    start, recipe = time.monotonic(), Recipe(**options)
    photo, styles = check_picture(content), _pictures(style)
    _check(recipe, len(styles))
    C, styles = coloured(photo, styles, recipe.colour)
    gc.collect()  # a former run's traced functions refer to themselves: 70 MB a run would stay
    check_memory(C.shape, recipe)
    needs, took = memory_needed(C.shape, recipe.optimizer), seconds_needed(C.shape, recipe)
    print(f"Painting {C.shape[2]} x {C.shape[1]} pixels: about {took:.0f} s and {needs:.1f} GB.")
    styles = [same_area(S, C, recipe.style_scale) for S in styles]
    net, source = _network(C, styles, recipe)
    for frame in paint_scales(net, C, styles, recipe, start):
        image = frame.image
        image = with_colours_of(photo, image) if recipe.colour == "luminance" else image
        yield frame._replace(image=image, network=source)


def paint_scales(
    net: Network, C: tf.Tensor, styles: Sequence[tf.Tensor], recipe: Recipe, start: float
) -> Iterator[Frame]:
    """Yield a Frame before every step, with this network; `start` is when the seconds begin."""
    step, change, laps = 0, None, []  # laps: when each look at G ended, at the last scale
    sides = scale_sides(C.shape, recipe.scales)

    def toned(image: tf.Tensor) -> tf.Tensor:
        return grey(image) if recipe.colour == "luminance" else image

    for side in sides:
        late = change is not None and is_late(
            recipe.seconds, start, laps, ratio=side / max(change.shape)
        )
        note = f"no time for {side} pixels: the change is carried up" if late else ""
        side = sides[-1] if late else side
        c, *ss = (shrink(image, side / max(C.shape)) for image in (C, *styles))
        base = toned(base_picture(c, ss, recipe))
        G = toned(first_picture(base, ss, recipe)) if change is None else carry_up(base, change)
        if late:
            nan = 3 * [float("nan")]
            yield Frame(side, step, time.monotonic() - start, *nan, G, note)
            return
        best, laps = None, [time.monotonic()]
        progress = clock(start, recipe, side == sides[-1])
        for costs, image, note in descend_on_canvas(net, c, ss, G, recipe, progress):
            laps.append(time.monotonic())
            step += best is not None and not note
            yield Frame(side, step, laps[-1] - start, *costs, image, note)
            best = (costs[0], image) if best is None or costs[0] <= best[0] else best
        change = best[1] - base


def _pictures(style: tf.Tensor | Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Give one style picture, or several, as a list of checked ones."""
    return [check_picture(S) for S in (style if isinstance(style, list | tuple) else [style])]


def _check(recipe: Recipe, styles: int) -> None:
    """Raise PaintError for what the recipe cannot know alone, before an hour's work."""
    recipe.check_styles(styles)
    for mask in recipe.masks or ():
        as_mask(mask)
    check_init(recipe.init)


def _network(C: tf.Tensor, styles: Sequence[tf.Tensor], recipe: Recipe) -> tuple[Network, str]:
    """Give the network, calibrated on the pictures, and where its weights are from."""
    fitted_to = [shrink(image, min(1, 512 / max(image.shape))) for image in (C, *styles)]
    names = [name for name, _ in recipe.style_layers] + [recipe.content_layer]
    vgg = load_vgg19(names, recipe.weights, fitted_to, recipe.seed)
    return Network(vgg, recipe.layers()), vgg.weights_source
