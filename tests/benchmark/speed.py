"""How fast a step is, and what it takes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

import nst_utils
import painter
from benchmark.cases import PAIRS, find
from benchmark.tracks import PLAIN, Bench
from nst_utils import VGG19_LAYERS
from painter import Recipe
from painter.resources import operations


def track_speed(bench: Bench, sides: tuple[int, ...]) -> None:
    """One process a size, so that its peak memory is its own."""
    for side in sides:
        command = [sys.executable, str(Path(__file__).parent), "--one-size", str(side)]
        found = json.loads(
            subprocess.run(command, capture_output=True, check=True).stdout.splitlines()[-1]
        )
        bench.add(track="speed", at=f"{side} px", **found)


def one_size(side: int) -> dict[str, object]:
    """Measure a step at this size, and a matrix product between its repetitions."""
    C, S = (
        nst_utils.load_image(find(f, n), side)
        for f, n in zip(("content", "styles"), PAIRS[0], strict=True)
    )
    C, S = (tf.image.resize(image, (side * 3 // 4, side)) for image in (C, S))
    rng = np.random.default_rng(0)
    weights = {  # any will do: the time of a step does not depend on them
        name: (rng.normal(0, (2 / 9 / n) ** 0.5, (3, 3, n, m)).astype("f4"), np.zeros(m, "f4"))
        for name, (n, m) in VGG19_LAYERS.items()
    }
    model = nst_utils.build_vgg19(weights, Recipe().layers(), "max")
    net = painter.Network(model, Recipe().layers())
    objective = painter.Objective(net, C, [S], Recipe(**PLAIN))
    matrix = tf.random.normal((4096, 4096))
    product = tf.function(lambda a: a @ a)
    steps, products = [], []
    for _ in range(6):
        for times, work in (
            (steps, lambda: objective(C)[0].numpy()),
            (products, lambda: product(matrix)[0, 0].numpy()),
        ):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
    work = operations(C.shape, ["block5_conv1"])
    step, rate = work / min(steps[1:]) / 1e9, 2 * 4096**3 / min(products[1:]) / 1e9
    import resource  # which Windows has not

    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {
        "pixels": C.shape[1] * C.shape[2], "seconds a step": min(steps[1:]), "GFLOP/s": step,
        "matrix product GFLOP/s": rate, "share": step / rate, "peak GB": memory,
    }  # fmt: skip
