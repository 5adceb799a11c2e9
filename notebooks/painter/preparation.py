"""The preparation: what is given is checked, and made ready to be painted."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

import tensorflow as tf

from nst_utils import WeightsError, check_picture, find_weights
from painter.colour import coloured, grey
from painter.masks import as_mask
from painter.palette import Moments, confined, moments, planes, varies
from painter.recipe import PaintError, Recipe, suited_to
from painter.resources import check_memory, memory_needed, seconds_needed
from painter.sizes import same_area
from painter.starts import check_init


class Job(NamedTuple):
    """What is painted, once all of it is checked and prepared."""

    start: float  # when its seconds began
    photo: tf.Tensor  # as it was given
    C: tf.Tensor  # in the colours in which it is painted
    styles: list[tf.Tensor]  # those that are used
    recipe: Recipe


def prepared(content: tf.Tensor, style: tf.Tensor | Sequence[tf.Tensor], options: dict) -> Job:
    """Check what is given, and prepare it; `options` are the fields of `Recipe`."""
    start, recipe = time.monotonic(), Recipe(**options)
    photo = _named(check_picture, "the photo", content)
    styles = _pictures(style)
    _check(recipe, len(styles))
    styles, recipe = _used(styles, recipe)
    recipe = _with_weights(recipe, photo, options)
    if recipe.colour == "matched" and not all(varies([moments(S)]) for S in styles):
        print("The painting has too few colours to match the photo's: colour=luminance is taken.")
        recipe = replace(recipe, colour="luminance")
    C, styles = coloured(photo, styles, recipe.colour)
    gc.collect()  # a former run's traced functions refer to themselves: 70 MB a run would stay
    check_memory(C.shape, recipe)
    needs = memory_needed(C.shape, recipe.optimizer)
    took = seconds_needed(C.shape, recipe, len(styles))
    print(f"Painting {C.shape[2]} x {C.shape[1]} pixels: about {took:.0f} s and {needs:.1f} GB.")
    styles = [same_area(S, C, recipe.style_scale) for S in styles]
    if recipe.colour != "luminance":
        C = toned(C, recipe, colours_of(styles, recipe))
    return Job(start, photo, C, styles, recipe)


def _with_weights(recipe: Recipe, photo: tf.Tensor, given: Collection[str]) -> Recipe:
    """Find the network's weights; take the defaults that suit them, but for options `given`."""
    found = find_weights(recipe.weights, [photo])
    suited = {} if "style_layers" in given else suited_to(found[0])
    left = {name: value for name, value in suited.items() if name not in given}
    return replace(recipe, weights=found, **left)


def _used(styles: list[tf.Tensor], recipe: Recipe) -> tuple[list[tf.Tensor], Recipe]:
    """Leave out the styles that weigh nothing: filters are not fitted to them either."""
    weights, masks = recipe.style_weights, recipe.masks
    if weights is None or all(weights):
        return styles, recipe
    used = [k for k, weight in enumerate(weights) if weight]
    masks = None if masks is None else [masks[k] for k in used]
    recipe = replace(recipe, style_weights=[weights[k] for k in used], masks=masks)
    return [styles[k] for k in used], recipe


def _pictures(style: tf.Tensor | Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Give one style picture, or several, as a list of checked ones."""
    styles = style if isinstance(style, list | tuple) else [style]
    return [
        _named(check_picture, _which("style picture", k, styles), S)
        for k, S in enumerate(styles, 1)
    ]


def _check(recipe: Recipe, styles: int) -> None:
    """Raise PaintError for what the recipe cannot know alone, before an hour's work."""
    recipe.check_styles(styles)
    for k, mask in enumerate(recipe.masks or (), 1):
        _named(as_mask, _which("mask", k, recipe.masks), mask)
    check_init(recipe.init)


def _which(what: str, k: int, several: Sequence) -> str:
    return f"{what} {k} of {len(several)}" if len(several) > 1 else f"the {what}"


def _named(check: Callable, what: str, image: object) -> tf.Tensor:
    """Give what `check` gives; say of `what` it is true if it raises."""
    try:
        return check(image)
    except (PaintError, WeightsError) as error:
        raise type(error)(f"{what[0].upper()}{what[1:]}: {error}") from None


def colours_of(styles: Sequence[tf.Tensor], recipe: Recipe) -> list[Moments]:
    """Give the colours of the styles, if the picture may have no others."""
    confined = recipe.beta and recipe.colour != "luminance"  # which is grey while it is painted
    return [moments(S) for S in styles] if confined else []


def toned(image: tf.Tensor, recipe: Recipe, colours: Sequence[Moments]) -> tf.Tensor:
    """Give a picture in the colours in which it is painted."""
    if recipe.colour == "luminance":
        return grey(image)
    return confined(image, planes(colours, recipe.masks, image.shape[1:3]))
