"""A painter that needs no network: what the page's tests paint with."""

import asyncio

import numpy as np
import tensorflow as tf

from painter import Frame

PHOTO = tf.constant(np.random.default_rng(0).random((1, 96, 128, 3), np.float32))
PAINTING = tf.constant(np.random.default_rng(1).random((1, 80, 64, 3), np.float32))


class Painter:
    """Gives `steps` frames at each scale, each darker by 0.01, and keeps what it was asked for."""

    def __init__(self, error=None, after=0):
        self.asked, self.closed, self.error, self.after = [], 0, error, after

    def __call__(self, C, S, **options):
        self.asked.append({"C": C, "S": S, **options})
        return self.frames(C, options)

    def frames(self, C, options):
        start, step = options.get("init", C), 0
        try:
            for half in reversed(range(options["scales"])):
                side = round(max(C.shape) / 2**half)
                size = [round(n * side / max(C.shape)) for n in C.shape[1:3]]
                for k in range(options["steps"] + 1):
                    if self.error and step >= self.after:
                        raise self.error
                    step += k > 0
                    image = tf.image.resize(start, size) - 0.01 * step
                    yield Frame(side, step, 0.1 * step, 9.0 - 0.1 * step, 0.1, 0.2, image)
        finally:
            self.closed += 1


def filters(photo, painting):
    return {"weights": "embedded", "tv": 3.0}


async def until(true, seconds=5):
    """Let the loop run until something is true."""
    for _ in range(int(seconds / 0.002)):
        if true():
            return
        await asyncio.sleep(0.002)
    raise TimeoutError
