"""A method in a process of its own: how it is started, what it is given, how it is judged.

The process writes its picture from time to time, says so in a line of JSON on its stdout, and
waits for "on" or "enough" on its stdin: its clock stands still while it waits. Nothing here
imports TensorFlow or PyTorch, so a process holds in memory what its method needs, and no more.
"""

from __future__ import annotations

import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np

from benchmark.spans import peak_memory

Filters = tuple[np.ndarray, np.ndarray]  # kernel (3, 3, in, out), bias (out,)
PACE = 1.05  # a picture is judged when the seconds have grown by this


class Kept(NamedTuple):
    """What every method is given."""

    C: np.ndarray  # (1, n_H, n_W, 3) in [0, 1]
    S: np.ndarray
    raw: dict[str, Filters]  # in the units of the trained network, by layer
    ours: dict[str, Filters]  # the same, calibrated as the painter does
    options: dict  # of the painter

    def write(self, path: Path) -> Path:
        """Write it to a file that `read` reads."""
        parts = {"C": self.C, "S": self.S, "options": json.dumps(self.options)}
        for kind, weights in (("raw", self.raw), ("ours", self.ours)):
            for name, (kernel, bias) in weights.items():
                parts |= {f"{kind}/{name}/kernel": kernel, f"{kind}/{name}/bias": bias}
        np.savez(path, **parts)
        return path

    @classmethod
    def read(cls, path: Path) -> Kept:
        """Read what `write` wrote."""
        with np.load(path) as file:
            weights = {"raw": {}, "ours": {}}
            for key in file.files:
                if key.endswith("/kernel"):
                    kind, name, _ = key.split("/")
                    weights[kind][name] = file[key], file[f"{kind}/{name}/bias"]
            return cls(file["C"], file["S"], **weights, options=json.loads(str(file["options"])))


class Enough(Exception):
    """The method has been looked at for long enough."""


class Looks:
    """The method's side: it says when its clock begins, and shows its picture after each step."""

    def __init__(self, wire: TextIO, folder: Path, steps: int | None, seconds: float) -> None:
        """Stop after `steps` steps, without showing a picture, or show some until `seconds`."""
        self.wire, self.folder, self.steps, self.limit = wire, folder, steps, seconds
        self.seconds, self.times, self.sent, self.note = 0.0, [], 0.0, ""
        self.latest, self.lap = None, time.perf_counter()

    def begin(self) -> None:
        """The network is there: from now on, all seconds count."""
        self.seconds, self.times, self.lap = 0.0, [], time.perf_counter()

    def __call__(self, picture: Callable[[], np.ndarray]) -> None:
        """Count a step; `picture` gives (n_H, n_W, 3) in [0, 1]. Raises Enough."""
        now = time.perf_counter()
        self.times.append(now - self.lap)
        self.seconds += self.times[-1]
        self.latest = picture
        if self.steps and len(self.times) >= self.steps:
            raise Enough
        if not self.steps:
            if self.seconds >= PACE * self.sent:
                self._show()
            if self.seconds >= self.limit:
                self.note += f" stopped after {self.seconds:.0f} s"
                raise Enough
        self.lap = time.perf_counter()

    def _show(self) -> None:
        path = self.folder / "picture.npy"
        pixels = np.rint(np.clip(np.nan_to_num(self.latest()), 0, 1) * 255).astype(np.uint8)
        np.save(path, pixels)
        self.sent = self.seconds
        self._say(picture=str(path), seconds=self.seconds, step=len(self.times))
        if sys.stdin.readline().strip() != "on":
            raise Enough

    def _say(self, **message: object) -> None:
        print(json.dumps(message), file=self.wire, flush=True)

    def fail(self, error: Exception) -> None:
        """Say why there is nothing to be counted."""
        words = " ".join(str(error).split())[:200]
        self._say(failed=f"{type(error).__name__}: {words}")

    def finish(self) -> None:
        """Show the last picture, and say what was counted."""
        if not self.steps and self.latest is not None and self.sent < self.seconds:
            try:
                self._show()
            except Enough:
                self.sent = self.seconds
        later = self.times[min(2, len(self.times) - 1) :]  # the first ones trace, or compile
        self._say(
            **{"seconds a step": statistics.median(later), "first step": self.times[0]},
            **{"seconds": self.seconds, "steps": len(self.times), "peak GB": peak_memory()},
            note=self.note.strip(),
        )


def run_method(module: str, function: str, options: dict, path: Path, **bounds: object) -> None:
    """Run the method that is a function of a module here; this process is its own."""
    wire = sys.stdout
    with tempfile.TemporaryDirectory(prefix="peer-") as folder, redirect_stdout(sys.stderr):
        looks = Looks(wire, Path(folder), **bounds)
        try:
            method = getattr(importlib.import_module(module), function)
            method(Kept.read(path), looks, **options)
        except Enough:
            pass
        except Exception as error:  # whatever a library raises, as without a compiler
            looks.fail(error)
            return
        looks.finish()


def start(
    method: tuple[str, str, dict],
    path: Path,
    surroundings: dict[str, str],
    verdict: Callable[[np.ndarray, float, int], bool] = lambda *_: True,
    **bounds: object,
) -> dict:
    """Run a method in a new process; `verdict` says of (pixels, seconds, step) whether to go on.

    Give what it counted. Raises RuntimeError with the last words of a process that fails. What
    PyTorch compiles is not kept: each process compiles anew.
    """
    task = json.dumps([*method, str(path), bounds])
    command = [sys.executable, str(Path(__file__).parent), "--method", task]
    with (
        tempfile.TemporaryDirectory(prefix="compiled-") as compiled,
        tempfile.TemporaryFile("w+") as errors,
        _process(command, surroundings | {"TORCHINDUCTOR_CACHE_DIR": compiled}, errors) as process,
    ):
        found = None
        for line in process.stdout:
            found = json.loads(line)
            if "picture" in found:
                go_on = verdict(np.load(found["picture"]), found["seconds"], found["step"])
                print("on" if go_on else "enough", file=process.stdin, flush=True)
        if process.wait() or found is None or "picture" in found:
            errors.seek(0)
            raise RuntimeError((errors.read().strip().splitlines() or ["no word"])[-1][:300])
    if "failed" in found:
        raise RuntimeError(found["failed"])
    return found


@contextmanager
def _process(command: list, surroundings: dict, errors: TextIO) -> Iterator[subprocess.Popen]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors}
    process = subprocess.Popen(command, env=surroundings, text=True, **pipes)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
