"""The pictures and networks of the race, and who judges it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import nst_utils
import painter
from nst_utils import ROOT, VGG19_LAYERS

EXTRA = ROOT.parent / "shared"  # pictures and trained blocks for evaluation, where there are any
TRAINED = EXTRA / "vgg19" / "vgg19_imagenet_block1-3.npz"
PAIRS = [  # photo, painting: the first of each two that exists
    (("tubingen", "house"), ("starry_night", "night")),
    (("hoovertowernight", "bridge"), ("the_scream", "knife")),
    (("chelsea", "chelsea"), ("wave", "wave")),
]
HELD_OUT = ["block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3"]  # nobody's, see Track 0
# How large activations are with the released filters, in the measure that calibration makes 1: the
# root of the root mean square of Gram / (n_H n_W), over four bundled pictures at 224 pixels. Those
# above block3 were not at hand and are estimates: the released network's fall in block4 and 5.
SIZES = (38.4, 185, 166, 174, 191, 237, 502, 858, 640, 335, 175, 92, 48, 12, 12, 12)
RELEASED = dict(zip(VGG19_LAYERS, SIZES, strict=True))
Cost = Callable[[tf.Tensor], tf.Tensor]


@dataclass
class Case:
    """A photo, a painting of the same area, and VGG-19 for them."""

    name: str
    C: tf.Tensor
    S: tf.Tensor
    weights: nst_utils.Weights  # calibrated, as the course uses them
    raw: nst_utils.Weights  # in the units of the released network, for which recipes were published
    source: str

    def net(self, names: list[str], raw: bool = False) -> keras.Model:
        """Give VGG-19 as a function from RGB in [0, 1] to a list of activations."""
        model = nst_utils.build_vgg19(self.raw if raw else self.weights, names, "max")
        return lambda image: tf.nest.flatten(model(image))


def find(folder: str, names: tuple[str, str]) -> Path:
    """The evaluation picture if there is one, else the bundled one."""
    paths = [EXTRA / "images" / f"{names[0]}.jpg", ROOT / "images" / folder / f"{names[0]}.jpg"]
    paths.append(ROOT / "images" / folder / f"{names[1]}.jpg")
    return next(path for path in paths if path.is_file())


def make_case(number: int, size: int, content_layer: str | None, estimated: bool = False) -> Case:
    """Load a pair and fit its network, k-means above the trained blocks where there are some.

    `estimated`: what is above these has activations as large as RELEASED says. Tracks 0 and B take
    the last trained layer's scale for all of them, as they did when their figures were measured.
    """
    content, style = (find(f, n) for f, n in zip(("content", "styles"), PAIRS[number], strict=True))
    C = nst_utils.load_image(content, size)
    S = painter.same_area(nst_utils.load_image(style), C, 1)
    blocks = TRAINED if TRAINED.is_file() else nst_utils.EMBEDDED
    keep = nst_utils.read_weights(blocks)
    fitted = nst_utils.fit_kmeans_vgg19([C, S], keep=keep, pooling="max")
    weights = nst_utils.fit_kmeans_vgg19([C, S], fitted, pooling="max", content=content_layer)
    name = f"{content.stem} + {style.stem}"
    if blocks != TRAINED:
        raw = in_released_units(fitted)
    else:
        raw = unscaled(fitted, keep, C)
        above = {name: fitted[name] for name in fitted if name not in keep}
        raw |= in_released_units(above, scale_below(fitted, keep, C)) if estimated else {}
    return Case(name, C, S, weights, raw, blocks.stem)


def unscaled(fitted: nst_utils.Weights, keep: nst_utils.Weights, C: tf.Tensor) -> nst_utils.Weights:
    """Undo the calibration: trained blocks as they are; those above get the last one's scale."""
    scale, raw = scale_below(fitted, keep, C), {}
    for name, (kernel, bias) in fitted.items():
        raw[name] = keep.get(name) or (kernel, bias * scale)
    return raw


def scale_below(fitted: nst_utils.Weights, keep: nst_utils.Weights, C: tf.Tensor) -> float:
    """How many times larger the last trained layer's activations are than calibrated ones."""
    last = next(name for name in reversed(VGG19_LAYERS) if name in keep)
    activations = [nst_utils.build_vgg19(w, [last], "max")(C) for w in (keep, fitted)]
    a, b = (float(tf.reduce_mean(tf.nest.flatten(a)[0])) for a in activations)
    return a / b


def in_released_units(fitted: nst_utils.Weights, before: float = 1.0) -> nst_utils.Weights:
    """Undo the calibration of filters that have units of their own, as the embedded ones.

    `before` is the scale of what they are above, see `scale_below`. A published recipe weighs its
    costs for activations of hundreds: with others, L-BFGS in PyTorch sees gradients below its
    tolerance, and stops where it starts.
    """
    raw = {}
    for name, (kernel, bias) in fitted.items():
        s = RELEASED[name]
        raw[name], before = (kernel * np.float32(s / before), bias * np.float32(s)), s
    return raw


def any_weights() -> nst_utils.Weights:
    """Random filters for all layers: the time of a step does not depend on them."""
    rng, found = np.random.default_rng(0), {}
    for name, (n, m) in VGG19_LAYERS.items():
        kernel = rng.normal(0, (2 / 9 / n) ** 0.5, (3, 3, n, m)).astype("f4")
        found[name] = kernel, np.zeros(m, "f4")
    return found


def grams(activations: list[tf.Tensor]) -> list[tf.Tensor]:
    """Gram matrices / (n_H n_W)."""
    result = []
    for a in activations:
        a = tf.reshape(a, (-1, a.shape[-1]))
        result.append(tf.matmul(a, a, transpose_a=True) / tf.cast(tf.shape(a)[0], tf.float32))
    return result


class Judge:
    """Distances of a picture to S and to C on layers that nobody optimises, relative to theirs."""

    def __init__(self, case: Case, names: list[str] = HELD_OUT) -> None:
        self.net = case.net(names)
        self.content, self.style = self.net(case.C), grams(self.net(case.S))

    def __call__(self, pixels: np.ndarray) -> tuple[float, float]:
        """Give (style distance, content distance) of an 8-bit picture."""
        activations = self.net(tf.constant(pixels[None] / 255.0, tf.float32))
        relative = lambda a, b: float(tf.reduce_mean((a - b) ** 2) / tf.reduce_mean(b**2))  # noqa: E731
        style = [relative(a, b) for a, b in zip(grams(activations), self.style, strict=True)]
        content = [relative(a, b) for a, b in zip(activations, self.content, strict=True)]
        return float(np.mean(style)), float(np.mean(content))
