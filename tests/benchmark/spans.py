"""Runs a painter's command line and notes where its seconds go; the painter knows nothing of it.

    python tests/benchmark/spans.py RESULT.json BEGUN CHECKOUT ARGUMENTS ...

Functions of the painter are wrapped as soon as their module is imported, so that whoever imports
them gets the wrapped ones. A name that a checkout does not have is not timed. BEGUN is
time.monotonic() before this process was started. Nothing here imports TensorFlow, or us.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import re
import runpy
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

PYTHON, IMPORTS, REST, END = "starting Python", "importing the rest", "other", "ending Python"
FIT, CALIBRATION, START = "fit", "calibration", "start picture"
WAITING = "waiting for another thread"
UNNAMED = "fit of the layer whose name comes next"
# module -> {name in it: what its seconds are called}; {} is for an import alone
WATCHED = {
    "threading": {"Thread.join": WAITING},
    "concurrent.futures._base": {"Future.result": WAITING},
    "tensorflow": {},
    "keras": {},
    "tensorflow.python.framework.func_graph": {"func_graph_from_py_func": "trace"},
    "nst_utils": {
        "load_image": "reading",
        "find_weights": "weights",
        "load_vgg19": "weights",
        "build_vgg19": "building the network",
        "_cached_fit": "keeping the fit",
        "_keep_fit": "keeping the fit",
        "fit_kmeans_vgg19": UNNAMED,
        "_fit_layer": UNNAMED,
        "_calibration": CALIBRATION,
        "save_image": "saving",
    },
    "painter.files": {"paint_files": REST, "_save_somewhere": "saving"},
    "painter.reading": {"read_pictures": "reading"},
    "painter.preparation": {"prepared": "preparation", "toned": START},
    "painter.resources": {"seconds_needed": "estimate"},
    "painter.starts": {"base_picture": START, "first_picture": START},
    "painter.sizes": {"carry_up": START},
    "painter.network": {"Network.__init__": "building the network"},
    "painter.objective": {"Objective.__init__": "targets", "Objective.__call__": "look"},
    "painter.descent": {"descend_on_canvas": "steps"},
    "painter.painting": {"paint_scales": REST},
}
IMPORTED = {"tensorflow": "importing TensorFlow", "keras": "importing Keras"}
BY_SCALE = {"trace", "targets", "look", "steps"}  # said with the side of the scale that they are of


class Clock:
    """Seconds by label; each belongs to the innermost span of its thread, and to no other."""

    def __init__(self, begun: float, label: str) -> None:
        self.totals: dict[str, float] = defaultdict(float)
        self.stack, self.last = [label], begun

    def switch(self) -> None:
        """Give the seconds since the last switch to the label that is on top."""
        now = time.monotonic()
        self.totals[self.stack[-1]] += now - self.last
        self.last = now

    @contextmanager
    def span(self, label: str) -> Iterator[None]:
        """Give the seconds of the block, without those of spans inside it, to `label`."""
        self.switch()
        self.stack.append(label)
        try:
            yield
        finally:
            self.switch()
            self.stack.pop()

    def rename(self, old: str, new: str) -> None:
        """Let what `old` has so far be `new`'s."""
        self.switch()
        self.totals[new] += self.totals.pop(old, 0.0)


class Spans:
    """All that is noted of one run."""

    def __init__(self, begun: float) -> None:
        self.begun, self.main = begun, Clock(begun, PYTHON)
        self.thread, self.others = threading.local(), []  # the clocks of other threads
        self.side, self.frames = None, []  # of the scale; (seconds, side, step)
        self.fitted = False  # whether a layer was fitted since the last calibration
        self.looks: dict[str, list[float]] = defaultdict(list)  # seconds of each look, by scale

    def clock(self) -> Clock:
        """The clock of this thread."""
        if threading.current_thread() is threading.main_thread():
            return self.main
        if not hasattr(self.thread, "clock"):
            self.thread.clock = Clock(time.monotonic(), "nothing")
            self.others.append(self.thread.clock)
        return self.thread.clock

    def label(self, name: str) -> str:
        """What seconds are called, with their scale if they belong to one."""
        return f"{name} at {self.side} px" if name in BY_SCALE and self.side else name

    def wrap(self, function: Callable, name: str) -> Callable:
        """Give the function with its seconds noted under `name`."""
        if inspect.isgeneratorfunction(function):
            return self._wrapped_generator(function, name)

        @functools.wraps(function)
        def wrapped(*arguments: object, **options: object) -> object:
            clock = self.clock()
            if name == CALIBRATION:
                self._name_the_fit(clock, str(arguments[0]))
            self.fitted |= function.__name__ == "_fit_layer"
            label = self.label(name)
            clock.switch()
            before = clock.totals[label]
            with clock.span(label):
                result = function(*arguments, **options)
            if name == "look":
                self.looks[label].append(clock.totals[label] - before)
            return result

        return wrapped

    def _wrapped_generator(self, function: Callable, name: str) -> Callable:
        """The same for a generator: each of its items takes its seconds."""

        @functools.wraps(function)
        def wrapped(*arguments: object, **options: object) -> Iterator:
            items = function(*arguments, **options)
            if name == "steps":
                given = [*arguments, *options.values()]
                pictures = [a for a in given if len(getattr(a, "shape", ())) == 4]
                self.side = max(pictures[0].shape[1:3]) if pictures else None
            try:
                while True:
                    with self.clock().span(self.label(name)):
                        item = next(items, items)
                    if item is items:
                        return
                    if hasattr(item, "side"):
                        seconds = time.monotonic() - self.begun
                        self.frames.append((seconds, item.side, item.step))
                    yield item
            finally:
                items.close()

        return wrapped

    def _name_the_fit(self, clock: Clock, layer: str) -> None:
        """A layer is calibrated after it was fitted: only now its name is known."""
        clock.rename(UNNAMED, f"{FIT} {layer}" if self.fitted else CALIBRATION)
        self.fitted = False

    def watch(self, module: ModuleType) -> None:
        """Wrap what is watched in a module."""
        for path, label in WATCHED[module.__name__].items():
            *owner, name = path.split(".")
            place = functools.reduce(lambda found, part: getattr(found, part, None), owner, module)
            if inspect.isroutine(function := getattr(place, name, None)):
                setattr(place, name, self.wrap(function, label))

    def write(self, path: Path) -> None:
        """Write what was noted, now that the painter is done, however it ends."""
        self.main.switch()
        path.write_text(json.dumps(self._found()))

    def _found(self) -> dict:
        for clock in (self.main, *self.others):
            clock.rename(UNNAMED, f"{FIT}, the rest")
            for label, seconds in self.looks.items():
                share_out(clock.totals, label, seconds)
        beside: dict[str, float] = defaultdict(float)
        for clock in self.others:
            for label, seconds in clock.totals.items():
                beside[label] += seconds * (label != "nothing")
        keep = lambda totals: {k: v for k, v in totals.items() if v > 0}  # noqa: E731
        return {
            "spans": keep(self.main.totals), "beside": keep(beside), "frames": self.frames,
            "peak GB": peak_memory(), "ended": self.main.last,
        }  # fmt: skip


def peak_memory() -> float:
    """The most gigabytes that this process ever had; nan where that is not said."""
    with suppress(OSError):  # on Linux; `ru_maxrss` is there at least its parent's at the start
        line = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
        return int(line[1]) / 1e6
    with suppress(ImportError):  # which Windows has not
        import resource

        unit = 1e9 if sys.platform == "darwin" else 1e6  # bytes there, kilobytes elsewhere
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return float("nan")


def share_out(totals: dict[str, float], label: str, looks: list[float]) -> None:
    """Divide the seconds of looks at G: what the first took longer is the trace, else steps."""
    if label in totals:
        steps, trace = (label.replace("look", word, 1) for word in ("steps", "trace"))
        longer = looks[0] - statistics.median(looks[1:]) if looks[1:] else looks[0]
        longer = min(max(longer, 0.0), totals[label])
        totals[trace] = totals.get(trace, 0.0) + longer
        totals[steps] = totals.get(steps, 0.0) + totals.pop(label) - longer


class Hook(MetaPathFinder):
    """Notes the seconds of imports, and watches what was imported."""

    def __init__(self, spans: Spans) -> None:
        self.spans = spans

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        """Find a module as all others would; a watched one is wrapped when it was read."""
        if name not in WATCHED:
            return None
        others = (
            finder.find_spec(name, path, target) for finder in sys.meta_path if finder != self
        )
        spec = next(filter(None, others), None)
        if spec and spec.loader:
            spec.loader.exec_module = self._noting(spec.loader.exec_module)
        return spec

    def _noting(self, execute: Callable) -> Callable:
        def exec_module(module: ModuleType) -> None:
            with self.spans.clock().span(IMPORTED.get(module.__name__, IMPORTS)):
                execute(module)
            self.spans.watch(module)

        return exec_module


def main() -> int:
    """Paint, then write what was noted; give the painter's exit code."""
    result, begun, checkout, *arguments = sys.argv[1:]
    spans = Spans(float(begun))
    spans.main.switch()
    spans.main.stack = [IMPORTS]
    spans.watch(threading)
    end, os._exit = os._exit, lambda code: (spans.write(Path(result)), end(code))
    sys.meta_path.insert(0, Hook(spans))
    painter = Path(checkout, "notebooks", "painter")
    sys.path.pop(0)  # this file's folder
    sys.argv = [str(painter), *arguments]
    try:
        runpy.run_path(str(painter), run_name="__main__")
        code = 0
    except SystemExit as ended:
        code = ended.code
    spans.write(Path(result))
    return code


if __name__ == "__main__":
    sys.exit(main())
