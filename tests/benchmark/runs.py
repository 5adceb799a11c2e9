"""Runs that are kept in files: a recipe's, taken further and further, and the painter's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

import nst_utils
import painter
from benchmark.cases import Case, Cost
from benchmark.recipes import Baseline, pytorch_lbfgs

SHARES = (0.05, 0.1, 0.4, 1.0)  # of a published budget


class Run:
    """One baseline on one pair, taken further and further; its state is kept in a file."""

    def __init__(
        self,
        path: Path,
        baseline: Baseline,
        cost: Cost,
        C: tf.Tensor,
        moments: Sequence[float] = (),
    ) -> None:
        self.baseline, self.path, self.moments = baseline, path, moments
        noise = tf.random.Generator.from_seed(1).uniform(C.shape, -1, 1) * baseline.noise
        self.G = tf.Variable(tf.clip_by_value(C + noise, 0, 1))
        self.steps, self.seconds, self.shots, self.times, self.variables = 0, 0.0, {}, {}, []
        self.cost = cost
        self.function = self.optimizer = None
        self.start = self.G.value()
        if self.path.is_file():
            self._resume()

    def prepare(self) -> None:
        """Trace the gradient, and give the optimiser the state that it was left in."""
        if self.function is None:
            self.function = tf.function(self._gradient)
            if self.baseline.optimizer:
                self.optimizer = self.baseline.optimizer()
                self.optimizer.build([self.G])
                for variable, value in zip(self.optimizer.variables, self.variables):  # noqa: B905
                    variable.assign(value)

    def _gradient(self, G: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(G)
            J = self.cost(G)
        return J, tape.gradient(J, G)

    def advance(self, share: float, deadline: float, enough: float = float("inf")) -> bool:
        """Go on to this share of the budget, or `enough` seconds; False if time is up before."""
        if not self.baseline.optimizer:
            share = 1.0  # it cannot be resumed, so it runs once, and to its end
        target = round(share * self.baseline.steps)
        if self.steps >= target or self.seconds >= enough:
            return True
        if time.monotonic() > deadline:
            return False
        self.prepare()
        moves, begun, saved = self.moves(), time.perf_counter(), time.monotonic()
        for _ in moves:
            now = time.perf_counter()
            self.seconds, begun, before = self.seconds + now - begun, now, self.seconds
            self.steps += 1
            due = [f"{moment} s" for moment in self.moments if before < moment <= self.seconds]
            due += [f"{k:.0%}" for k in SHARES if self.steps == round(k * self.baseline.steps)]
            for label in due if np.isfinite(self.G.numpy()).all() else ():
                self.shots[label], self.times[label] = self._shot(), self.seconds
            if self.steps >= target or self.seconds >= enough:
                break
            if self.optimizer and time.monotonic() > deadline:
                break
            if time.monotonic() - saved > 60:
                self._save()
                saved = time.monotonic()
            begun = time.perf_counter()  # what we did here is not the recipe's time
        moves.close()
        self._save()
        return self.steps >= target or self.seconds >= enough

    def moves(self) -> Iterator[None]:
        """One item for each step; L-BFGS begins at its start, also if it was stopped."""
        if self.optimizer is None:
            self.steps, self.seconds = 0, 0.0
            search = pytorch_lbfgs(self.start)
            G = next(search)
            while True:
                J, gradient = self.function(G)
                self.G.assign(G)
                yield
                G = search.send((J, gradient, 0.0))
        while True:
            _, gradient = self.function(self.G.value())
            self.optimizer.apply_gradients([(gradient, self.G)])
            if self.baseline.bound:
                self.G.assign(tf.clip_by_value(self.G, 0, 1))
            yield

    def _shot(self) -> np.ndarray:
        return nst_utils.to_pixels(self.G.numpy())

    def _save(self) -> None:
        state = {f"shot/{key}": pixels for key, pixels in self.shots.items()}
        slots = self.optimizer.variables if self.optimizer else []
        state |= {f"slot/{k:03}": np.asarray(v) for k, v in enumerate(slots)}
        state |= {f"time/{key}": seconds for key, seconds in self.times.items()}
        with nst_utils.whole_file(self.path) as temporary:
            np.savez(temporary, G=self.G.numpy(), done=[self.steps, self.seconds], **state)

    def _resume(self) -> None:
        with np.load(self.path) as state:
            self.G.assign(state["G"])
            self.steps, self.seconds = int(state["done"][0]), float(state["done"][1])
            self.shots = {k[5:]: state[k] for k in state.files if k.startswith("shot/")}
            self.times = {k[5:]: float(state[k]) for k in state.files if k.startswith("time/")}
            self.variables = [state[k] for k in sorted(state.files) if k.startswith("slot/")]


def paint(
    case: Case,
    out: Path,
    key: str,
    options: dict,
    enough: Callable[[painter.Frame], bool] = lambda frame: False,
) -> list[tuple[float, float, np.ndarray]]:
    """Run the painter on the case's network; give (seconds, J, 8-bit picture) at full size.

    The clock runs from the call to the picture, tracing, targets and coarse scales included. It
    ends twenty steps after `enough`: a picture's 8-bit form lags behind. The pictures are kept.
    """
    path = out / f"{key}.npz"
    if path.is_file():
        return kept(path)
    recipe = painter.Recipe(**options)
    model = nst_utils.build_vgg19(case.weights, recipe.layers(), "max")
    frames, seconds, last, begun = [], 0.0, None, time.perf_counter()
    net = painter.Network(model, recipe.layers())
    for frame in painter.paint_scales(net, case.C, [case.S], recipe, time.monotonic()):
        seconds += time.perf_counter() - begun  # what we do with a frame is not its time
        if frame.side == max(case.C.shape):
            frames.append((seconds, frame.J, nst_utils.to_pixels(frame.image)))
            last = len(frames) + 20 if last is None and enough(frame) else last
        if len(frames) == last:
            break
        begun = time.perf_counter()
    times, costs, pictures = zip(*frames, strict=True)
    with nst_utils.whole_file(path) as temporary:
        np.savez_compressed(temporary, seconds=times, costs=costs, pictures=pictures)
    return frames


def kept(path: Path) -> list[tuple[float, float, np.ndarray]]:
    """What `paint` kept."""
    with np.load(path) as state:
        return list(zip(*(state[key] for key in ("seconds", "costs", "pictures")), strict=True))
