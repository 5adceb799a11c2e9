"""Ctrl-C at any moment: of saving, fitting, painting, and of the notebook's own loop."""

import contextlib
import re
import signal
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import random_moments
from little_pictures import LIGHT, C, S

import nst_utils
import painter
from painter import animation, painting

BRIEF = LIGHT | {"weights": "kmeans", "steps": 4, "scales": 1, "tolerance": 0}


@pytest.fixture(autouse=True)
def folder(no_cache):
    return no_cache


def is_picture(image):
    return image.shape == C.shape and bool(np.all((image >= 0) & (image <= 1)))


timer = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="POSIX has such timers")


@contextlib.contextmanager
def ctrl_c_after(seconds):
    """Ctrl-C after some time; one that comes too late is not sent."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def ctrl_c_at_line(number):
    """Ctrl-C before the line of our own code that is the `number`-th to run."""
    left, ours = [number], (nst_utils.__file__, animation.__file__)

    def trace(frame, event, _):
        if frame.f_code.co_filename not in ours:
            return None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def keep(path, version):
    """Save picture number `version` to `path`, or a fit of filters, or an animation."""
    if path.suffix == ".png":
        nst_utils.save_image(np.full((8, 8, 3), version / 255), path, "settings")
    elif path.suffix == ".gif":
        painter.save_animation([np.full((8, 8, 3), k, np.uint8) for k in (0, version)], path)
    else:
        nst_utils._cached_fit([C], {}, 0, "block1_conv1")


# Stopped between opening a file and keeping it, Python itself closes it, and says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", ["a.png", "a.gif", "kmeans"])
def test_ctrl_c_at_every_line_of_saving_leaves_the_old_or_the_new_file(folder, monkeypatch, name):
    filters = {"block1_conv1": (np.ones((3, 3, 3, 64), "f4"), np.ones(64, "f4"))}
    monkeypatch.setattr(nst_utils, "fit_kmeans_vgg19", lambda *_, **__: filters)
    path = folder / name
    keep(path, 1)
    old = path.read_bytes() if path.suffix else b""
    keep(path, 2)
    cache = next(folder.glob("kmeans*"), None)
    new = (cache or path).read_bytes()
    seen, line, leftovers = set(), 0, 0
    while True:
        line += 1
        if cache:
            cache.unlink(missing_ok=True)
        else:
            path.write_bytes(old)
        try:
            with ctrl_c_at_line(line):
                keep(path, 2)
            break
        except KeyboardInterrupt:
            left = list(folder.glob(".*"))  # Ctrl-C within the clean-up itself: the dot says so
            leftovers += len(left)
            for path_left in left:
                path_left.unlink()
            there = list(folder.iterdir())
            seen |= {p.read_bytes() == new for p in there} or {False}
            assert all(p.read_bytes() in (old, new) for p in there)
    assert seen == {False, True} and line > 20
    assert leftovers <= 3


@timer
def test_ctrl_c_at_random_moments_of_saving(folder):
    path, rng = folder / "a.png", random_moments()
    noise = [rng.random((128, 128, 3)) for _ in range(2)]
    whole = [nst_utils.save_image(image, path).read_bytes() for image in noise]
    begun = time.perf_counter()
    nst_utils.save_image(noise[0], path)
    took, interrupted = time.perf_counter() - begun, 0
    for k in range(30):
        with contextlib.suppress(KeyboardInterrupt), ctrl_c_after(1e-6 + took * rng.random()):
            nst_utils.save_image(noise[k % 2], path)
            interrupted -= 1
        interrupted += 1
        assert path.read_bytes() in whole
        assert {p.suffix for p in folder.iterdir()} == {".png"}
    assert interrupted > 3


@timer
@pytest.mark.parametrize(
    "times, options",
    [
        (2, BRIEF),
        (1, BRIEF | {"optimizer": "lbfgs"}),
        pytest.param(15, BRIEF | {"scales": 2, "steps": 10}, marks=pytest.mark.slow),
        pytest.param(15, BRIEF | {"optimizer": "lbfgs", "steps": 20}, marks=pytest.mark.slow),
        pytest.param(8, {"weights": "kmeans", "scales": 2, "steps": 3}, marks=pytest.mark.slow),
    ],
)
def test_ctrl_c_at_random_moments_of_painting(folder, times, options):
    """Fitting, tracing or painting: the best picture so far comes back, and all goes on after."""
    rng, ends = random_moments(), []
    begun = time.perf_counter()
    whole = painter.stylize(C, S, **options)
    took = time.perf_counter() - begun
    for k in range(times):
        for path in folder.glob("kmeans-*"):
            path.unlink()
        frames = []

        def on_frame(frame, frames=frames, first=k == 0):
            frames.append(frame)
            if first and len(frames) == 1:  # one surely comes while it paints
                signal.setitimer(signal.ITIMER_REAL, 0.001)

        with ctrl_c_after(took * (k + rng.random()) / times if k else 1000):
            painting = painter.stylize(C, S, on_frame, **options)
        ends.append(painting.stopped)
        assert painting.stopped in ("interrupted", "finished") and is_picture(painting.image)
        if frames and frames[-1].image.shape == C.shape:
            there = [frame for frame in frames if frame.side == frames[-1].side]
            best = [f.image for f in there if min(frame.J for frame in there) == f.J]
            assert any(np.array_equal(painting.image, image) for image in best)
        for path in folder.iterdir():
            assert path.name.startswith(".") or len(nst_utils.read_weights(path)) > 1
    assert "interrupted" in ends
    again = painter.stylize(C, S, **options)
    assert np.array_equal(nst_utils.to_pixels(again.image), nst_utils.to_pixels(whole.image))


@timer
def test_ctrl_c_in_the_notebook_s_own_loop(solution):
    """G is the picture after so many whole steps as Adam has counted, and can be painted on."""
    names = [name for name, _ in nst_utils.STYLE_LAYERS] + [nst_utils.CONTENT_LAYER]
    vgg = nst_utils.load_vgg19(names, "kmeans", [C, S])
    known = {"tf": tf, "keras": keras, "time": time, "nst_utils": nst_utils, "vgg": vgg}
    known |= {"STYLE_LAYERS": nst_utils.STYLE_LAYERS, "C": C}
    known |= {"a_C": vgg(C), "a_S": vgg(nst_utils.match_shape(S, C))}
    known |= {"STEPS": 10, "display": lambda _: None, "show_images": lambda *_, **__: None}
    code = [cell.source for cell in solution.cells if cell.cell_type == "code"]
    begin, loop = (next(c for c in code if c.startswith(s)) for s in ("G = init", "fast_step,"))
    for source in code:
        if re.match(r"def (comp|gram_m|tot|init|train|costs)", source):
            exec(source, known)
    exec(begin, known)
    pictures = [known["G"].numpy()]
    for _ in range(10):
        known["train_step"](*(known[key] for key in ("G", "vgg", "a_C", "a_S", "optimizer")))
        pictures.append(known["G"].numpy())
    rng, interrupted = random_moments(), 0
    begun = time.perf_counter()
    exec(f"{begin}\n{loop}", known)
    took = time.perf_counter() - begun
    for _ in range(5):
        exec(begin, known)
        try:
            with ctrl_c_after(took / 2 * rng.random()):
                exec(loop, known)
        except (KeyboardInterrupt, RuntimeError, SystemError) as error:
            assert any(words in repr(error) for words in painting.INTERRUPTED)
            interrupted += 1
        G, done = known["G"].numpy(), int(known["optimizer"].iterations.numpy())
        assert done == np.argmin([np.abs(G - picture).mean() for picture in pictures])
    assert interrupted


@pytest.mark.parametrize("at", ["_patches", "_whitening", "_spherical_kmeans"])
def test_ctrl_c_in_a_fit(folder, monkeypatch, at):
    """The photo comes back, no half fit is kept, and the next run makes a whole one."""

    def interrupted(*_):
        raise KeyboardInterrupt  # not SIGINT, which is ignored under nohup or &

    with monkeypatch.context() as patch:
        patch.setattr(nst_utils, at, interrupted)
        painting = painter.stylize(C, S, **BRIEF)
    assert painting.stopped == "interrupted" and np.array_equal(painting.image, C)
    assert list(folder.iterdir()) == [] and not painting.history
    assert painter.stylize(C, S, **BRIEF | {"steps": 1}).stopped == "finished"
    assert len(list(folder.iterdir())) == 1
