"""How fast a step is, and what it takes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import tensorflow as tf

import nst_utils
import painter
from benchmark import machine
from benchmark.cases import PAIRS, any_weights, find
from benchmark.spans import peak_memory
from benchmark.tracks import PLAIN, Bench
from painter import Recipe
from painter.resources import operations


def track_speed(bench: Bench, sides: tuple[int, ...]) -> None:
    """One process a size, so that its peak memory is its own; then the machine's own rate."""
    for side in sides:
        command = [sys.executable, str(Path(__file__).parent), "--one-size", str(side)]
        found = json.loads(
            subprocess.run(command, capture_output=True, check=True).stdout.splitlines()[-1]
        )
        bench.add(
            track="speed",
            at=f"{side} px",
            **found,
            **share_of(found, machine.rates(but="TensorFlow")),
        )


def share_of(found: dict[str, float], rates: dict[str, float]) -> dict[str, object]:
    """Which share of the best library's rate a step reaches, and which library that is.

    TensorFlow's product was measured between the steps; `rates` are the other libraries'.
    """
    rates = {"TensorFlow": found["TensorFlow GFLOP/s"]} | rates
    library = max(rates, key=rates.get)
    others = {f"{name} GFLOP/s": rate for name, rate in rates.items() if name != "TensorFlow"}
    return {"share": found["GFLOP/s"] / rates[library], "of": library} | others


def one_size(side: int) -> dict[str, object]:
    """Measure a step at this size, and a matrix product between its repetitions."""
    C, S = (
        nst_utils.load_image(find(f, n), side)
        for f, n in zip(("content", "styles"), PAIRS[0], strict=True)
    )
    C, S = (tf.image.resize(image, (side * 3 // 4, side)) for image in (C, S))
    model = nst_utils.build_vgg19(any_weights(), Recipe().layers(), "max")
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
    return {
        "pixels": C.shape[1] * C.shape[2], "seconds a step": min(steps[1:]), "GFLOP/s": step,
        "TensorFlow GFLOP/s": rate, "peak GB": peak_memory(),
    }  # fmt: skip
