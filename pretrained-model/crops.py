"""Crops of free pictures: turned, mirrored, larger and smaller, in other colours."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

SIDES = 720, 400, 240  # longer side of the copies in pixels: a painter's pictures are small
SCALE = 0.7, 1.3  # pixels of a copy for a pixel of the crop, of those that are turned
STRAIGHT = 0.4  # share of crops with the copy's own pixels: turned ones are a little soft
PERMUTED = 0.15  # share of crops with red, green and blue in another order
NOISE = 0.25  # share of crops with noise on them: a picture that is being painted has some, too
LATER = {"astronaut.jpg", "rocket.jpg"}  # photos that came after the course's file was trained
MIXED = 0.25  # share of crops with another one shining through


class Crops:
    """`crops(k)` gives batch number k, (count, side, side, 3) in [0, 1]: always the same one."""

    def __init__(self, folder: Path, seed: int, count: int, side: int) -> None:
        self.pictures, self.seed, self.count, self.side = copies(folder), seed, count, side

    def __call__(self, number: int) -> np.ndarray:
        """Cut batch `number`; negative numbers are batches that no step sees."""
        rng = np.random.default_rng([self.seed, number % 2**32])
        chosen = rng.integers(len(self.pictures), size=self.count)
        x = np.stack([crop(self.pictures[k], self.side, rng) for k in chosen])
        return mixed(recoloured(x, rng), rng)


def copies(folder: Path) -> list[np.ndarray]:
    """Read all pictures of content/ and styles/, at several sizes: (n_H, n_W, 3) in [0, 1] each."""
    from nst_utils import load_image  # here: it imports TensorFlow

    paths = sorted([*folder.glob("content/*.jpg"), *folder.glob("styles/*.jpg")])
    paths = [path for path in paths if path.name not in LATER]
    if not paths:
        raise SystemExit(f"{folder} has no content/*.jpg and no styles/*.jpg to learn from.")
    return [load_image(path, side)[0].numpy() for path in paths for side in SIDES]


def crop(picture: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Cut a (side, side, 3) anywhere, at any angle; beyond its edges a picture is mirrored."""
    scale, angle = np.exp(rng.uniform(*np.log(SCALE))), rng.uniform(0, 2 * np.pi)
    if rng.random() < STRAIGHT:
        scale, angle = 1.0, np.pi / 2 * rng.integers(4)
    at = np.arange(side) - side / 2 + 0.5
    z = at * rng.choice([-1, 1]) + 1j * at[:, None]  # (side, side): x + i y
    z = z * scale * np.exp(1j * angle)
    y, x = (round(rng.uniform(0, n)) - 0.5 for n in picture.shape[:2])
    return sampled(picture, z.imag + y, z.real + x)


def sampled(picture: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Sample a picture at positions (in pixels) between its pixels, bilinearly, mirrored beyond."""
    (n_H, n_W), pixels = picture.shape[:2], picture.reshape(-1, 3)
    y, x = y + 1e-6, x + 1e-6  # what is whole but for rounding stays on its pixel
    y0, x0 = np.floor(y).astype(int), np.floor(x).astype(int)
    dy, dx = (y - y0)[..., None].astype(np.float32), (x - x0)[..., None].astype(np.float32)
    up, down = (mirrored(y0 + k, n_H) * n_W for k in (0, 1))
    left, right = (mirrored(x0 + k, n_W) for k in (0, 1))
    above = pixels.take(up + left, 0) * (1 - dx) + pixels.take(up + right, 0) * dx
    below = pixels.take(down + left, 0) * (1 - dx) + pixels.take(down + right, 0) * dx
    return above * (1 - dy) + below * dy


def mirrored(index: np.ndarray, n: int) -> np.ndarray:
    """Turn any whole numbers into 0, 1, ... n-1, n-1, ... 0, 0, ..."""
    index = index % (2 * n)
    return np.minimum(index, 2 * n - 1 - index)


def uniform(rng: np.random.Generator, low: float, high: float, shape: Sequence[int]) -> np.ndarray:
    return rng.uniform(low, high, shape).astype(np.float32)


def recoloured(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change saturation, order of colours, contrast and brightness of each of the crops."""
    each, grey = (len(x), 1, 1, 1), x.mean(-1, keepdims=True)
    x = grey + (x - grey) * uniform(rng, 0.5, 1.6, each)
    for k in np.flatnonzero(rng.random(len(x)) < PERMUTED):
        x[k] = x[k][..., rng.permutation(3)]
    contrast = uniform(rng, 0.7, 1.3, (len(x), 1, 1, 3))
    return np.clip((x - 0.5) * contrast + 0.5 + uniform(rng, -0.1, 0.1, each), 0, 1)


def mixed(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Let its neighbour shine through some of the crops, and lay noise on some."""
    each = (len(x), 1, 1, 1)
    share = (rng.random(each) < MIXED) * uniform(rng, 0.2, 0.5, each)
    strength = (rng.random(each) < NOISE) * uniform(rng, 0, 0.08, each)
    x = x * (1 - share) + np.roll(x, 1, 0) * share
    return np.clip(x + strength * rng.standard_normal(x.shape, np.float32), 0, 1)
