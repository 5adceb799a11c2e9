"""The painting as a whole: it falls, it ends well, and gives the best picture that it had."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf
from conftest import save_npz
from little_pictures import LIGHT, SHALLOW, C, S, steps

import nst_utils
import painter

ONE = SHALLOW | {"steps": 4, "scales": 1, "tolerance": 0}


def stop_at(step):
    def stop(frame):
        if frame.step == step:
            raise KeyboardInterrupt

    return stop


def noting(monkeypatch, made, note=lambda objective: objective):
    """Let every objective that is made leave a note in `made`."""
    init = painter.Objective.__init__

    def noted(self, *arguments):
        init(self, *arguments)
        made.append(note(self))

    monkeypatch.setattr(painter.Objective, "__init__", noted)


def test_with_all_layers_and_a_network_of_its_own(monkeypatch, tmp_path, fitted):
    path = save_npz(tmp_path / "fitted.npz", fitted)
    painting = painter.stylize(C, S, steps=8, scales=2, weights=path)
    costs = [row[1] for row in painting.history]
    assert painting.stopped == "finished" and len(costs) == 18 and costs[-1] < 0.8 * costs[0]
    assert painting.image.shape == C.shape and painting.lowered
    assert np.array_equal(painting.image, np.clip(painting.image, 0, 1))
    assert painting.network == "fitted.npz (its hash is not known)"


@pytest.mark.usefixtures("one_network")
class TestWithOneNetwork:
    @pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
    def test_the_cost_falls(self, optimizer):
        painting = painter.stylize(C, S, steps=8, scales=2, optimizer=optimizer, **SHALLOW)
        costs = [row[1] for row in painting.history]
        assert len(costs) == 18 and costs[-1] < 0.8 * costs[0]
        assert np.array_equal(painting.image, np.clip(painting.image, 0, 1))

    def test_same_seed_same_picture(self):
        one, two = (painter.stylize(C, S, **ONE | {"steps": 3}).image for _ in range(2))
        assert np.array_equal(nst_utils.to_pixels(one), nst_utils.to_pixels(two))

    def test_texture_and_reconstruction(self):
        texture = steps(alpha=0, init="noise", steps=6)
        assert texture[-1].J_style < 0.6 * texture[0].J_style and texture[-1].J_content == 0
        photo = steps(beta=0, init="noise", steps=6)
        assert photo[-1].J_content < 0.7 * photo[0].J_content and photo[-1].J_style == 0

    def test_steps_are_counted_over_all_scales(self):
        frames = steps(steps=3, scales=2, tolerance=0)
        assert [frame.step for frame in frames] == [0, 1, 2, 3, 3, 4, 5, 6]

    @pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
    def test_0_steps_and_1(self, optimizer):
        none, one = (
            painter.stylize(C, S, **ONE | {"steps": n, "optimizer": optimizer}) for n in (0, 1)
        )
        assert np.array_equal(none.image, C) and len(none.history) == 1 and len(one.history) == 2
        assert none.stopped == one.stopped == "finished"
        assert one.history[0] == pytest.approx(none.history[0], rel=1e-5)

    @pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
    def test_an_interrupt_returns_the_best_so_far(self, optimizer):
        options = SHALLOW | {"steps": 8, "scales": 2, "optimizer": optimizer}
        painting = painter.stylize(C, S, stop_at(3), **options)
        assert painting.stopped == "interrupted" and len(painting.history) == 4
        assert painting.image.shape == C.shape and not np.array_equal(painting.image, C)

    @pytest.mark.parametrize("options", [{}, {"colour": "luminance"}, {"init": S}], ids=str)
    def test_a_stop_at_a_coarse_scale_keeps_the_detail_of_the_photo(self, options):
        def detail(image):
            return float(tf.reduce_mean(tf.abs(image[:, :, 1:] - image[:, :, :-1])))

        start = options.get("init", C)
        image = painter.stylize(C, S, stop_at(2), steps=4, scales=2, **SHALLOW, **options).image
        assert image.shape == C.shape and not np.array_equal(image, start)
        assert detail(image) > 0.8 * detail(start)

    def test_a_cost_that_is_not_finite_ends_the_scale_with_the_best_picture(self, monkeypatch):
        honest, calls = painter.Objective.__call__, []

        def spoilt(self, G):
            calls.append(G)
            J, *rest = honest(self, G)
            return (J * float("nan") if len(calls) in (4, 5) else J, *rest)

        monkeypatch.setattr(painter.Objective, "__call__", spoilt)
        painting = painter.stylize(C, S, steps=6, scales=3, **SHALLOW)
        assert painting.stopped.count("not finite") == 2 and "after 3 steps" in painting.stopped
        assert len(calls) == 4 + 1 + 7 and np.isfinite([row[1] for row in painting.history]).all()
        assert np.isfinite(painting.image).all() and painting.image.shape == C.shape

    @pytest.mark.parametrize("end", ["Ctrl-C", "NaN"])
    def test_the_best_picture_is_kept_not_the_last(self, monkeypatch, end):
        costs, frames = iter([3.0, 1.0, 2.0]), []

        def cost(self, G):
            J = next(costs, np.nan)
            if np.isnan(J) and end == "Ctrl-C":
                raise KeyboardInterrupt
            return tf.constant(J), tf.constant(0.0), tf.constant(J), tf.ones_like(G)

        monkeypatch.setattr(painter.Objective, "__call__", cost)
        painting = painter.stylize(C, S, frames.append, **ONE, optimizer="adam")
        assert ("interrupted" if end == "Ctrl-C" else "finite") in painting.stopped
        assert [frame.J for frame in frames[:3]] == [3, 1, 2]
        assert not np.array_equal(frames[1].image, frames[2].image)
        assert np.array_equal(painting.image, frames[1].image)
        assert all(np.array_equal(frame.image, frames[1].image) for frame in frames[3:])  # a note

    def test_no_step_lowers_a_cost_that_is_0(self):
        painting = painter.stylize(C, S, **ONE, beta=0, tv=0)
        assert not painting.lowered and painting.stopped == "no step lowered J"
        assert np.array_equal(painting.image, C)

    @pytest.mark.parametrize(
        "error",
        [
            RuntimeError("InvalidArgumentError REPLACED BY KeyboardInterrupt: <EMPTY MESSAGE>"),
            SystemError("Objects/listobject.c:338: bad argument to internal function"),
        ],
        ids=["wrapped", "lost"],
    )
    def test_ctrl_c_as_tensorflow_raises_it_while_it_traces(self, monkeypatch, error):
        def fail(self, G):
            raise error

        monkeypatch.setattr(painter.Objective, "__call__", fail)
        painting = painter.stylize(C, S, **ONE)
        assert painting.stopped == "interrupted" and np.array_equal(painting.image, C)
        error = type(error)("another")
        with pytest.raises(type(error), match="another"):
            painter.stylize(C, S, **ONE)

    @pytest.mark.parametrize("options", [{"scales": 3}, {"tile": 63}], ids=["scales", "windows"])
    def test_one_trace_of_each_function_a_scale(self, monkeypatch, options):
        made, options = [], options.copy()
        tile = options.pop("tile", painter.windows.TILE)
        monkeypatch.setattr(painter.windows, "TILE", tile)
        noting(monkeypatch, made)
        before = painter.objective.roughness.experimental_get_tracing_count()  # this is shared
        painter.stylize(C, S, **ONE | LIGHT | {"steps": 2, "tv": 0.1} | options)
        traces = [
            [f.experimental_get_tracing_count() for f in (o.whole, o.measure, o.pull)] for o in made
        ]
        assert traces == ([[1, 0, 0]] * 3 if "scales" in options else [[0, 1, 1]])
        after = painter.objective.roughness.experimental_get_tracing_count()
        assert after - before <= len(made)

    def test_an_ended_run_is_freed(self, monkeypatch):
        made = []
        noting(monkeypatch, made, weakref.ref)
        gc.disable()  # the next run does it, before it looks how much memory is free
        try:
            for optimizer in ("adam", "lbfgs", "adam"):
                painter.stylize(C, S, **ONE | {"steps": 1, "optimizer": optimizer})
                assert [ref() for ref in made[:-1]] == [None] * len(made[:-1])
        finally:
            gc.enable()
        gc.collect()
        assert [ref() for ref in made] == [None] * 3
