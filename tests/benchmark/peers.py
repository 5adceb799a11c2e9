"""Ours beside what people would run instead: PyTorch's tutorial and its like, by PyTorch itself.

Every method has our network's weights, the same pictures and threads, and its own process. Three
questions, each asked in turn of all, so that a machine that becomes slower is so for all of them:
how long is a plain step; how long is a method's own step; and when is its picture as near to the
painting, and to the photo, as ours is when it is done? Nearness is that of layers that nobody
optimises, see cases.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import painter
from benchmark import machine
from benchmark.cases import TRAINED, Judge, any_weights, make_case
from benchmark.processes import Kept, start
from nst_utils import CONTENT_LAYER, EMBEDDED, read_weights

OURS = "this painter"
Method = tuple[str, str, dict]  # module, function, options
TENSORFLOW, TORCH = "benchmark.tensorflow_peers", "benchmark.torch_peers"
METHODS: dict[str, Method] = {
    OURS: (TENSORFLOW, "ours", {}),
    "PyTorch tutorial": (TORCH, "tutorial", {}),
    "PyTorch tutorial, compiled": (TORCH, "tutorial", {"compiled": True}),
    "Gatys' layers, PyTorch": (TORCH, "gatys", {}),
    "Gatys' layers, PyTorch, compiled": (TORCH, "gatys", {"compiled": True}),
    "TensorFlow tutorial": (TENSORFLOW, "tutorial", {}),
    "Keras example": (TENSORFLOW, "example", {}),
}
PLAIN: dict[str, Method] = {
    OURS: (TENSORFLOW, "plain_ours", {}),
    "PyTorch": (TORCH, "plain", {}),
    "PyTorch, channels last": (TORCH, "plain", {"channels_last": True}),
    "PyTorch, compiled": (TORCH, "plain", {"compiled": True}),
    "Keras": (TENSORFLOW, "plain_keras", {}),
    "Keras, as in the notebook": (TENSORFLOW, "plain_keras", {"sooner": True}),
}
# Nobody's: PyTorch's tutorial has the first five convolutions, and so has our painter with the
# embedded filters, so those of the other tracks' judge would not do.
HELD_OUT = ["block3_conv2", "block3_conv3", "block3_conv4", "block4_conv3"]
PLAIN_SHAPE = 300, 400  # n_H, n_W
STEPS = 6  # of which the first two trace, or compile


@dataclass
class Peers:
    """What is asked for, and the rows found."""

    options: argparse.Namespace
    rows: list[dict] = field(default_factory=list)
    shots: list[dict] = field(default_factory=list)  # where each method stood, second by second

    def __post_init__(self) -> None:
        self.surroundings = machine.environment(self.options.threads, not self.options.no_avx512)

    def add(self, **row: object) -> None:
        """Print a row and keep it."""
        self.rows.append({"track": "peers"} | row)
        shown = {k: f"{v:.3g}" if isinstance(v, float) else v for k, v in row.items()}
        print("  ".join(f"{key}: {v}" for key, v in shown.items() if v != ""), flush=True)

    def chosen(self, methods: dict[str, Method]) -> dict[str, Method]:
        """The methods that can be run here, ours first."""
        parts = self.options.against
        return {
            name: method
            for name, method in methods.items()
            if (method[0] != TORCH or machine.has_torch())
            and (methods is PLAIN or name == OURS or not parts or any(p in name for p in parts))
        }

    def tried(self, method: Method, path: Path, *verdict: Callable, **bounds: object) -> dict:
        """What a method counted, or a note of why it failed."""
        try:
            return start(method, path, self.surroundings, *verdict, **bounds)
        except RuntimeError as error:
            return {"note": f"failed: {error}"}

    def steps(self, methods: dict[str, Method], path: Path) -> dict[str, dict]:
        """Count some steps of each method, `times` in turn; give the medians."""
        methods, counted = self.chosen(methods), defaultdict(list)
        for _ in range(self.options.times):
            for name, method in methods.items():
                counted[name].append(self.tried(method, path, steps=STEPS, seconds=0))
        return {name: medians(some) for name, some in counted.items()}

    def plain(self, folder: Path) -> None:
        """Forward to block5_conv1, and back to the pixels."""
        picture = np.random.default_rng(0).uniform(size=(1, *self.plain_shape(), 3)).astype("f4")
        path = Kept(picture, picture, any_weights(), {}, {}).write(folder / "plain.npz")
        found = self.steps(PLAIN, path)
        at = "plain step, {1} x {0}".format(*self.plain_shape())
        for name, counted in found.items():
            self.add(against=name, at=at, **counted, **beside(found[OURS], counted))

    def plain_shape(self) -> tuple[int, int]:
        """400 x 300 pixels, or as many as --quick allows."""
        return (48, 64) if self.options.quick else PLAIN_SHAPE

    def pair(self, number: int, folder: Path) -> None:
        """All methods on one pair of pictures."""
        options = suited()
        style = [name for name, _ in options["style_layers"]]
        layer = options["content_layer"]  # one that is a style layer, too, is calibrated as such
        layer = None if layer in style else layer
        case = make_case(number, self.options.size, layer, estimated=True)
        kept = Kept(case.C.numpy(), case.S.numpy(), case.raw, case.weights, options)
        path = kept.write(folder / f"{number}.npz")
        steps = self.steps(METHODS, path)
        judge, goal = Judge(case, HELD_OUT), None
        for name, method in self.chosen(METHODS).items():
            course = Course(judge, goal)
            bounds = {"steps": None, "seconds": 60 * self.options.minutes}
            counted = self.tried(method, path, course, **bounds)
            if name == OURS and not course.shots:
                raise RuntimeError(f"Our own painter {counted['note']}")
            goal = goal or course.shots[-1][1:]
            counted |= beside(steps[OURS], steps[name]) | course.reached(goal)
            counted |= {key: steps[name][key] for key in ("seconds a step", "first step")
                        if key in steps[name]}  # fmt: skip
            self.add(against=name, pair=case.name, at=f"{self.options.size} px", **counted)
            look = {"pair": case.name, "against": name}
            keys = ("seconds", "style", "content")
            self.shots += [look | dict(zip(keys, shot, strict=True)) for shot in course.shots]


@dataclass
class Course:
    """How a method came nearer: (seconds, distance to painting, to photo) of its pictures."""

    judge: Judge
    goal: tuple[float, float] | None  # (style, content) of ours when it is done
    shots: list[tuple[float, float, float]] = field(default_factory=list)

    def __call__(self, pixels: np.ndarray, seconds: float, step: int) -> bool:
        """Judge a picture; give whether the method shall go on."""
        self.shots.append((seconds, *self.judge(pixels)))
        return self.goal is None or not is_near(self.shots[-1], self.goal)

    def reached(self, goal: tuple[float, float]) -> dict[str, object]:
        """When it was as near as ours, to the painting and to both; else how near at best."""
        shots = [shot for shot in self.shots if np.isfinite(shot).all()]
        style = next((shot for shot in shots if shot[1] <= goal[0]), None)
        both = next((shot for shot in shots if is_near(shot, goal)), None)
        close = next((shot for shot in shots if is_near(shot, goal, 1.05)), None)
        found = {"near to both after s": both[0] if both else "not"}
        found["within 5 % of both after s"] = close[0] if close else "not"
        found["near to the painting after s"] = style[0] if style else "not"
        if style:
            found["photo then, times as far"] = style[2] / goal[1]
        if shots and not both:
            best = min(shots, key=lambda shot: max(shot[1] / goal[0], shot[2] / goal[1]))
            at_best = f"painting x {best[1] / goal[0]:.2f}, photo x {best[2] / goal[1]:.2f}"
            found["at best"] = f"{at_best} after {best[0]:.0f} s"
        return found


def is_near(
    shot: tuple[float, float, float], goal: tuple[float, float], slack: float = 1.0
) -> bool:
    """Whether a picture is as near as the goal times `slack`, to the painting and to the photo."""
    return shot[1] <= slack * goal[0] and shot[2] <= slack * goal[1]


def medians(counted: list[dict]) -> dict[str, object]:
    """The median of each number; the last note."""
    keys = dict.fromkeys(key for some in counted for key in some)
    found = {key: [some[key] for some in counted if key in some] for key in keys}
    notes = found.pop("note", [""])
    times = found.get("seconds a step", [])
    shown = " ".join(f"{seconds:.3g}" for seconds in times)
    return {key: float(statistics.median(v)) for key, v in found.items()} | {
        "each": shown, "note": notes[-1],
    }  # fmt: skip


def beside(ours: dict, theirs: dict) -> dict[str, float]:
    """How many of our steps one of theirs takes."""
    if "seconds a step" not in ours or "seconds a step" not in theirs:
        return {}
    return {"times ours": theirs["seconds a step"] / ours["seconds a step"]}


def suited() -> dict[str, object]:
    """Our painter's defaults for the filters that the pairs have, see `make_case`."""
    trained = read_weights(TRAINED if TRAINED.is_file() else EMBEDDED)
    return {"content_layer": CONTENT_LAYER} | painter.suited_to(trained)


def track_peers(options: argparse.Namespace) -> Iterator[Peers]:
    """Race the peers, and print what was found; give all of it so far, after each part."""
    peers, seen = Peers(options), machine.processor()
    if not machine.has_torch():
        print(f"PyTorch is not installed here, so its rows are missing: {machine.TO_INSTALL}")
    print("  ".join(f"{key}: {value}" for key, value in seen.items()))
    if seen["busy before"] > 0.1:
        print(
            "Other programs are at work: OpenMP's threads, which PyTorch and NumPy have, wait for"
        )
        print("each other then, and what is said of these two is too slow by up to ten times.")
    rates = machine.rates(peers.surroundings)
    for number, (library, rate) in enumerate(rates.items()):
        note = "the machine's rate" if number == 0 else ""
        peers.add(at="matrix product", against=library, **{"GFLOP/s": rate}, note=note)
    peers.rows[0] |= {**seen, "threads": options.threads or "all"}
    peers.rows[0]["avx512"] = "as if there were none" if options.no_avx512 else "as the machine has"
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        peers.plain(Path(folder))
        yield peers
        for number in options.pairs:
            peers.pair(number, Path(folder))
            yield peers
