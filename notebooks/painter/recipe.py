"""The recipe: every option of how to paint, its default, and what it may be. No files, no size.

Without TensorFlow: `python notebooks/painter --help` reads this file, and comes at once.
"""

from __future__ import annotations

import numbers
import os
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf

    from nst_utils import Weights

STARTS = ("content", "patches", "noise", "style")  # patches: the photo under pieces of the style
CHOICES = {
    "colour": ("style", "matched", "luminance"),
    "optimizer": ("adam", "lbfgs"),
    "edges": ("mirrored", "zeros"),
    "init": STARTS,
}
LOWEST = {"alpha": 0, "beta": 0, "tv": 0, "tolerance": 0, "style_scale": 0.1, "seconds": 0}
LOWEST_WHOLE = {"scales": 1, "steps": 0, "seed": 0}
LARGEST = 1e9  # of a weight: float32 ends at 1e38, and weights are multiplied
HIGHEST = {"style_scale": 10}  # its targets then take about as long as the steps do
HIGHEST |= dict.fromkeys(("alpha", "beta", "tv"), LARGEST)
LISTS = {
    "style_layers": "pairs (name, weight)",
    "style_weights": "numbers, one a style picture",
    "masks": "masks, one a style picture",
}
NEAR_LAYERS = [  # (name, weight): where nothing above block2 was trained, see `suited_to`
    ("block1_conv1", 1.0),
    ("block1_conv2", 1.0),
    ("block2_conv1", 2.0),
    ("block2_conv2", 3.0),
    ("block3_conv1", 3.0),
]
NEAR_CONTENT = "block2_conv2"  # the last one that was trained
NEAR_TV = 20.0  # two thirds of what `tv` is to the course's style layers: these make less ripple
STEPS = 25  # at each scale; with fewer, block5's cost has not fallen yet
BORDER = 16  # pixels that a canvas with mirrored edges is larger, at each side, at most: block5's


class PaintError(ValueError):
    """An option of the painter is wrong, or the picture does not fit into this machine's memory."""


def _of_the_course(name: str) -> object:
    """Look up a constant of nst_utils, late: it imports TensorFlow, which takes seconds."""
    import nst_utils

    return getattr(nst_utils, name)


def suited_to(weights: Collection[str]) -> dict[str, object]:
    """Give the defaults for a network with trained `weights`, by layer names.

    Gatys' layers, as in the course. If training ended with block2, as that of the embedded filters
    did: style in every trained layer and the first above them, content in the last trained one.
    Differs from Gatys 2015, who go up to block5 and to block4: filters that k-means fitted there to
    two pictures are not about style or shapes, and what they ask for costs the photo its own. It
    is two fifths of the work, too. pretrained-model/README.md has figures.
    """
    if "block2_conv2" in weights and "block3_conv1" not in weights:
        return {"style_layers": NEAR_LAYERS, "content_layer": NEAR_CONTENT, "tv": NEAR_TV}
    course = {"style_layers": "STYLE_LAYERS", "content_layer": "CONTENT_LAYER"}
    return {name: _of_the_course(value) for name, value in course.items()} | {"tv": Recipe.tv}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to paint: each field is a keyword of `stylize` and `paint`. Raises PaintError."""

    alpha: float = 10  # weight of the content; 0 with init="noise" makes a texture
    beta: float = 40  # weight of the style; 0 with init="noise" shows what the content layer keeps
    content_layer: str = field(default_factory=lambda: _of_the_course("CONTENT_LAYER"))
    style_layers: Sequence[tuple[str, float]] = field(  # (name, weight); see `suited_to`
        default_factory=lambda: _of_the_course("STYLE_LAYERS")
    )
    style_weights: Sequence[float] | None = None  # one a style picture; None: all alike
    masks: Sequence | None = None  # one a style picture, (n_H, n_W) in [0, 1]: where it is used
    style_scale: float = 1.0  # 2: the style picture, and so its strokes, twice as large; 0.1 to 10
    colour: str = "style"  # or keep the photo's: "matched", "luminance"
    tv: float = 3.0  # weight of the total variation, times beta / 40: smooths; see `suited_to`
    edges: str = "mirrored"  # the picture goes on there; "zeros": the notebook's J, and a frame
    init: str | tf.Tensor = "content"  # or another of STARTS, or a picture
    optimizer: str = "lbfgs"  # or "adam"; see tests/benchmark
    scales: int | None = None  # None: halve while the longer side stays at 32 pixels or more
    steps: int | None = None  # at each scale; None: STEPS, or what `seconds` allow
    seconds: float | None = None  # for everything, the fit of filters included
    tolerance: float = 1e-3  # a scale ends when 10 steps lowered J by less than this share
    weights: str | os.PathLike | Weights | tuple[Weights, str] = "auto"  # see `load_vgg19`
    seed: int = 0  # of all that is drawn: k-means filters, the start noise

    def __post_init__(self) -> None:
        self._read_lists()
        self._check_choices()
        self._check_numbers()
        self._check_layers()

    def _read_lists(self) -> None:
        """Turn arrays, tuples and what can be read only once into lists."""
        for name, holds in LISTS.items():
            value = getattr(self, name)
            if value is None and name != "style_layers":
                continue
            try:
                value = list(value)
                value = [(k, w) for k, w in value] if name == "style_layers" else value
            except (TypeError, ValueError):
                raise PaintError(f"{name} is a list of {holds}.") from None
            object.__setattr__(self, name, value)  # this class is frozen

    def _check_choices(self) -> None:
        for name, known in CHOICES.items():
            value = getattr(self, name)
            picture = name == "init" and not isinstance(value, str)
            if not picture and value not in known:
                raise PaintError(f"{name} is {' or '.join(known)}, not {value!r}.")

    def _check_numbers(self) -> None:
        for name, low in {**LOWEST, **LOWEST_WHOLE}.items():
            value, whole = getattr(self, name), name in LOWEST_WHOLE
            if value is None and getattr(Recipe, name) is None:  # the default
                continue
            kind = numbers.Integral if whole else numbers.Real
            high = HIGHEST.get(name, sys.float_info.max)
            if not isinstance(value, kind) or not low <= value <= high:
                number = "whole" if whole else "finite"
                end = f"to {high:g}" if name in HIGHEST else "up"
                raise PaintError(f"{name} is a {number} number from {low} {end}, not {value!r}.")
        if not self.alpha and not self.beta:
            raise PaintError("alpha and beta are both 0: there is nothing to minimise.")

    def _check_layers(self) -> None:
        known = _of_the_course("VGG19_LAYERS")
        for name, weight in (*self.style_layers, (self.content_layer, 1)):
            fits = isinstance(name, str) and name in known and isinstance(weight, numbers.Real)
            if not fits or not 0 <= weight <= LARGEST:
                raise PaintError(
                    f"Layer {name!r} with weight {weight}: expected a weight from 0 to {LARGEST:g},"
                    f" and one of {', '.join(known)}."
                )
        if self.beta and not any(weight for _, weight in self.style_layers):
            raise PaintError("style_layers has no layer with a weight; without style, beta is 0.")

    def check_styles(self, number: int) -> None:
        """Raise PaintError if there is no style picture, or not one weight and mask for each."""
        for name in ("style_weights", "masks"):
            value = getattr(self, name)
            if value is not None and len(value) != number:
                raise PaintError(f"{name}: {len(value)} given, for {number} style picture(s).")
        if not number:
            raise PaintError("There is no style picture; give one or several.")
        weights = self.style_weights
        if weights is not None and not (
            all(isinstance(w, numbers.Real) and 0 <= w <= LARGEST for w in weights)
            and sum(weights) > 0
        ):
            numbers_from = f"numbers from 0 to {LARGEST:g}"
            raise PaintError(f"style_weights are {numbers_from}, not all 0, not {weights!r}.")

    def limit(self) -> int | None:
        """Steps at each scale, at most; None if only the seconds count."""
        return STEPS if self.steps is None and self.seconds is None else self.steps

    def border(self) -> int:
        """Pixels that the canvas is larger than the picture, at each side."""
        deepest = max(int(name[5]) for name in self.layers())  # the block
        return max(BORDER // 2, 2 ** (deepest - 1)) if self.edges == "mirrored" else 0

    def layers(self) -> list[str]:
        """Names of the layers that are read: style layers first, the content layer last."""
        style = [name for name, weight in self.style_layers if weight] if self.beta else []
        return style + ([self.content_layer] if self.alpha else [])
