"""Resources: the memory and the time that a painting will take on this machine."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import tensorflow as tf

from nst_utils import VGG19_LAYERS, layers_up_to
from painter.recipe import BORDER, PaintError, Recipe
from painter.sizes import scale_sides
from painter.windows import TILE, cells, lay_windows, reach, stride_of

MEMORY = 0.8e9, 3100  # bytes: TensorFlow and the transformed filters, a pixel of a window
TRACE = 1.0  # seconds; TensorFlow's trace of J, at each scale
PICTURE = {"adam": 400, "lbfgs": 600}  # bytes a pixel of the picture; ten steps are remembered
CGROUP = "/sys/fs/cgroup"  # where a container sees its own limits, by version 2 or by version 1:
LIMITS = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    (*(f"memory/memory.{name}" for name in ("limit_in_bytes", "usage_in_bytes", "stat")),
     "total_inactive_file"),
)  # fmt: skip


def memory_needed(shape: Sequence[int], optimizer: str = "lbfgs") -> float:
    """Estimate the gigabytes that painting a picture, (1, n_H, n_W, 3), takes."""
    window = np.prod([min(n + 2 * BORDER, TILE) for n in shape[1:3]])
    return (MEMORY[0] + MEMORY[1] * window + PICTURE[optimizer] * shape[1] * shape[2]) / 1e9


def _free_memory() -> float:
    """Give the gigabytes that are free here, in a container those below its limit."""
    free = psutil.virtual_memory().available
    for limit, used, counts, cache in LIMITS:
        with suppress(OSError, ValueError):  # not this version, or the limit is "max"
            limit, used = (int(Path(CGROUP, name).read_text()) for name in (limit, used))
            cached = re.search(rf"^{cache} (\d+)", Path(CGROUP, counts).read_text(), re.M)
            free = min(free, limit - used + int(cached[1] if cached else 0))
    return free / 1e9


def seconds_needed(shape: Sequence[int], recipe: Recipe, styles: int = 1) -> float:
    """Estimate the seconds that a painting takes on this machine, at its rate of convolutions now.

    `styles` is how many style pictures are used. Fitting filters, or reading those of the whole
    network, comes on top; a scale that stops early takes less. With `seconds`, it is these, but at
    least what the first look at the coarsest scale takes.
    """
    speed, firsts, looks = _speed(), [], []
    for side in scale_sides(shape, recipe.scales):
        size = [round(n * side / max(shape)) for n in shape]
        looks.append(_passes(size, recipe, recipe.border()) / speed)
        style = _passes([n * recipe.style_scale for n in size], recipe, 0) / 2  # forward alone
        firsts.append(TRACE + styles * style / speed + looks[-1])
    calibration = _calibration([shape, *styles * [[n * recipe.style_scale for n in shape]]], recipe)
    first = calibration / speed + firsts[0]
    if recipe.limit() is None:
        return max(recipe.seconds, first)
    whole = first + sum(firsts[1:]) + recipe.limit() * sum(looks)
    return whole if recipe.seconds is None else min(whole, max(recipe.seconds, first))


def _passes(size: Sequence[float], recipe: Recipe, border: int) -> float:
    """Operations of one pass forward and back over a picture, (1, n_H, n_W, 3)."""
    names, canvas = recipe.layers(), [max(16, round(n)) + 2 * border for n in size]
    windows = lay_windows(canvas, reach(names))
    passes = 3 / 2 if len(windows) > 1 else 1  # forward twice; they overlap, too
    each = [operations((1, n_H, n_W, 3), names, winograd=0.4) for (_, _, n_H, n_W), _ in windows]
    return passes * sum(each)


def _calibration(shapes: Sequence[Sequence[float]], recipe: Recipe) -> float:
    """Operations of the calibration: one pass forward over each picture, not larger than 512."""
    sizes = [[n * min(1, 512 / max(shape)) for n in shape] for shape in shapes]
    return sum(operations(size, recipe.layers()) / 2 for size in sizes)


def operations(shape: Sequence[float], names: Sequence[str], winograd: float = 1) -> float:
    """Multiplications and additions of the convolutions up to these layers, forward and back.

    Those from block2 on are counted as `winograd` of what a plain convolution takes.
    """
    work = 0.0
    for name in layers_up_to(names):
        n_in, n_out = VGG19_LAYERS[name]
        each = 2 * 2 * 9 * n_in * n_out * np.prod(cells(shape, stride_of(name)))
        work += each if name.startswith("block1") else winograd * each
    return work


def _speed() -> float:
    """Operations a second, from a typical convolution; it takes some 0.1 s to find out."""
    x, kernel, times = tf.ones((1, 96, 96, 128)), tf.ones((3, 3, 128, 128)), []
    for _ in range(4):
        start = time.perf_counter()
        tf.nn.conv2d(x, kernel, 1, "SAME")[0, 0, 0, 0].numpy()
        times.append(time.perf_counter() - start)
    return 0.65 * 2 * 9 * 128 * 128 * 96 * 96 / min(times)  # 0.65: poolings, Gram matrices, ...


def check_memory(shape: Sequence[int], recipe: Recipe) -> None:
    """Raise PaintError if the picture, or its style, cannot fit, and name the size that would."""
    free, side, scale, how = _free_memory(), max(shape), recipe.style_scale, recipe.optimizer
    needed = memory_needed(shape, how)
    enlarged = memory_needed([n * scale for n in shape], "adam")  # its targets need no optimiser
    if enlarged > free >= needed:
        raise PaintError(
            f"style_scale = {scale} needs about {enlarged:.1f} GB of memory, {free:.1f} GB "
            "are free: take a smaller one."
        )
    if needed <= free:
        return
    while side > 16 and memory_needed([n * side / max(shape) for n in shape], how) > free:
        side = int(side * 0.97)
    raise PaintError(
        f"{shape[2]} x {shape[1]} pixels need about {needed:.1f} GB of memory, "
        f"{free:.1f} GB are free: make the longer side {side} pixels (max_side={side}), or close "
        "other programs."
    )
