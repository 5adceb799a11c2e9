"""The painter, its options and its command line."""

import json
from types import SimpleNamespace

import benchmark
import numpy as np
import pytest
import tensorflow as tf
from conftest import save_npz
from PIL import Image

import nst_utils
import painter
import painter.animation
import painter.budget
import painter.files
import painter.painting
import painter.resources
import painter.starts
from painter import PaintError, Recipe
from painter.__main__ import main

ROOT = nst_utils.ROOT
C = nst_utils.load_image(ROOT / "images/content/house.jpg", 64)
S = nst_utils.match_shape(nst_utils.load_image(ROOT / "images/styles/knife.jpg"), C)
T = nst_utils.match_shape(nst_utils.load_image(ROOT / "images/styles/wave.jpg"), C)
LEFT = np.zeros(C.shape[1:3], np.float32)
LEFT[:, :32] = 1


@pytest.fixture(scope="module", autouse=True)
def weights(tmp_path_factory):
    """One fit for all tests of this file."""
    folder = tmp_path_factory.mktemp("weights")
    path = save_npz(folder / "fitted.npz", nst_utils.fit_kmeans_vgg19([C, S]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NST_WEIGHTS", str(path))
        yield path


@pytest.fixture(scope="module")
def vgg(weights):
    names = [name for name, _ in nst_utils.STYLE_LAYERS] + [nst_utils.CONTENT_LAYER]
    return nst_utils.load_vgg19(names, images=[C, S])


def objective(vgg, styles=(S,), content=C, **options):
    recipe = Recipe(**options)
    net = painter.Network(vgg, recipe.layers())
    return painter.Objective(net, content, styles, recipe)


def steps(styles=S, **options):
    """The frames of a short painting, on a canvas as small as the picture."""
    plain = {"steps": 3, "scales": 1, "edges": "zeros"}
    return list(painter.paint(C, styles, **plain | options))


# --- The objective


def test_costs_and_gradient_are_those_of_the_notebook(course, vgg):
    G = tf.Variable(tf.clip_by_value(C + 0.2 * (S - C), 0, 1))
    with tf.GradientTape() as tape:
        a_G = vgg(G)
        J_content = course["compute_content_cost"](vgg(C), a_G)
        J_style = course["compute_style_cost"](vgg(S), a_G)
        J = course["total_cost"](J_content, J_style)
    *ours, gradient = objective(vgg, tv=0)(G.value())
    np.testing.assert_allclose(ours, [J, J_content, J_style], rtol=1e-3)
    want = tape.gradient(J, G)
    np.testing.assert_allclose(gradient, want, rtol=1e-2, atol=1e-3 * np.abs(want).max())


@pytest.mark.parametrize(
    ("size", "devices"), [((16, 16), []), ((33, 50), []), ((64, 47), []), ((33, 50), ["a GPU"])]
)
def test_the_painters_network_is_vgg19_forward_and_back(vgg, size, devices, monkeypatch):
    """Sizes that are no multiples of its 4 x 4 tiles, too."""
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: devices)
    G = tf.image.resize(C, size)
    with tf.GradientTape() as tape:
        tape.watch(G)
        want = vgg(G)
        upstream = [tf.cos(tf.range(tf.size(a), dtype=a.dtype)) for a in want]
        upstream = [tf.reshape(up, a.shape) for up, a in zip(upstream, want, strict=True)]
        J = sum(tf.reduce_sum(up * a) for up, a in zip(upstream, want, strict=True))
    got, back = painter.Network(vgg, Recipe().layers())(G)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4 * np.max(b))
    gradient = tape.gradient(J, G).numpy()
    np.testing.assert_allclose(back(upstream), gradient, atol=1e-3 * np.abs(gradient).max())


@pytest.mark.parametrize("options", [{}, {"masks": [LEFT, 1 - LEFT]}], ids=["plain", "masks"])
def test_windows_give_the_numbers_of_the_whole(vgg, monkeypatch, options):
    photo, *styles = (tf.image.resize(image, (150, 280)) for image in (C, S, T))
    styles = styles if options else styles[:1]
    G = 0.7 * photo + 0.3 * styles[0]
    options["style_layers"] = [("block1_conv1", 0.5), ("block3_conv1", 0.5)]
    options["content_layer"] = "block3_conv2"  # it sees 32 pixels far
    *costs, gradient = objective(vgg, styles, photo, **options)(G)
    monkeypatch.setattr(painter.windows, "TILE", 144)
    cut = objective(vgg, styles, photo, **options)
    assert len(cut.windows) > 3 and len({window[2:] for window, _ in cut.windows}) == 1
    *cut_costs, cut_gradient = cut(G)
    assert cut.measure.experimental_get_tracing_count() == 1
    np.testing.assert_allclose(cut_costs, costs, rtol=1e-4)
    scale = np.abs(gradient).max()
    np.testing.assert_allclose(cut_gradient, gradient, rtol=1e-2, atol=1e-3 * scale)


def test_windows_cover_every_pixel_once():
    for height, width in ((801, 800), (1000, 3001), (2048, 832)):
        seen = np.zeros((1, height, width), int)
        for (top, left, *size), inside in painter.windows.lay_windows((1, height, width, 3), 96):
            assert top % 16 == left % 16 == 0 and max(size) <= painter.windows.TILE
            part = painter.windows.cut(seen, (top, left, *size))
            first, last, begin, end = inside.numpy()
            assert first >= 96 or (top == 0 and first == 0)
            assert last <= size[0] - 96 or top + last == height
            part[:, first:last, begin:end] += 1
        assert (seen == 1).all()


def test_one_trace_a_scale_and_nothing_above_the_deepest_layer(vgg):
    one = objective(vgg, style_layers=[("block2_conv1", 1.0)], content_layer="block1_conv2")
    for weight in (0.1, 0.2, 0.3):
        one(C + weight)
    assert one.whole.experimental_get_tracing_count() == 1
    assert one.net.layers[-1][0] == "block2_conv1"
    assert objective(vgg, alpha=0).net.layers[-1][0] == "block5_conv1"
    assert len(objective(vgg, beta=0).net(C)[0]) == 1


def test_a_network_of_other_layers_is_refused(vgg):
    net = painter.Network(vgg, ["block1_conv1"])
    with pytest.raises(PaintError, match=r"gives \['block1_conv1'\], and the recipe needs"):
        painter.Objective(net, C, [S], Recipe())


def test_total_variation_and_its_gradient(vgg):
    flat, rough = tf.fill(C.shape, 0.5), painter.starts.first_picture(C, [S], Recipe(init="noise"))
    plain, smooth = objective(vgg, tv=0), objective(vgg)  # 3 is the default
    added = [float(smooth(G)[0] - plain(G)[0]) for G in (flat, rough)]
    assert added[0] == pytest.approx(3 * 2 * 0.01, rel=0.1) and added[1] > 3 * added[0]
    slope = (smooth(rough)[3] - plain(rough)[3]).numpy()
    direction = np.sign(slope)
    moved = [float(painter.objective._roughness(rough + h * direction)[0]) for h in (-1e-3, 1e-3)]
    assert (moved[1] - moved[0]) / 2e-3 == pytest.approx((slope * direction).sum() / 3, rel=0.05)


# --- The descent


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_cost_falls_and_the_result_is_a_picture(optimizer):
    painting = painter.stylize(C, S, steps=8, scales=2, optimizer=optimizer)
    costs = [row[1] for row in painting.history]
    assert painting.stopped == "finished" and len(costs) == 18
    assert costs[-1] < 0.8 * costs[0]
    assert painting.image.shape == C.shape
    assert np.array_equal(painting.image, np.clip(painting.image, 0, 1))


def test_mirrored_edges_paint_a_larger_canvas_and_cut_it(vgg, monkeypatch):
    """The same as painting the photo with a mirrored border, and the same masks with theirs."""
    pads = [(0, 0), (16, 16), (16, 16), (0, 0)]
    canvas = tf.constant(np.pad(C, pads, mode="symmetric"))
    masks = [LEFT, 1 - LEFT]
    wide = [np.pad(np.asarray(mask), pads[1:3], mode="symmetric") for mask in masks]
    options = {"steps": 3, "scales": 1, "seed": 1}
    monkeypatch.setattr(
        painter.painting, "load_vgg19", lambda *_: vgg
    )  # it is calibrated on the photo
    found = painter.stylize(C, [S, T], **options, masks=masks)
    options["style_scale"] = float(np.sqrt(tf.size(C) / tf.size(canvas)))  # no more of the style
    want = painter.stylize(canvas, [S, T], **options, masks=wide, edges="zeros")
    np.testing.assert_allclose(found.history, want.history, 1e-3)
    np.testing.assert_allclose(found.image, want.image[:, 16:-16, 16:-16], atol=1e-3)
    assert np.abs(found.image - C).max() > 0.02


def test_same_seed_same_picture():
    one, two = (painter.stylize(C, S, steps=3, scales=1).image for _ in range(2))
    assert np.array_equal(nst_utils.to_pixels(one), nst_utils.to_pixels(two))


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_an_interrupt_returns_the_best_so_far(optimizer):
    def stop(frame):
        if frame.step == 3:
            raise KeyboardInterrupt

    painting = painter.stylize(C, S, stop, steps=8, scales=2, optimizer=optimizer)
    assert painting.stopped == "interrupted" and len(painting.history) == 4
    assert painting.image.shape == C.shape and not np.array_equal(painting.image, C)


def test_a_cost_that_is_not_finite_ends_the_scale_with_the_best_picture(monkeypatch):
    honest, calls = painter.Objective.__call__, []

    def spoilt(self, G):
        calls.append(G)
        J, *rest = honest(self, G)
        return (J * float("nan") if len(calls) in (4, 5) else J, *rest)

    monkeypatch.setattr(painter.Objective, "__call__", spoilt)
    painting = painter.stylize(C, S, steps=6, scales=3)
    assert painting.stopped.count("not finite") == 2 and "after 3 steps" in painting.stopped
    assert len(calls) == 4 + 1 + 7 and np.isfinite([row[1] for row in painting.history]).all()
    assert np.isfinite(painting.image).all() and painting.image.shape == C.shape


@pytest.mark.parametrize("number", [0, 1])
def test_steps_0_and_1(number):
    assert [frame.step for frame in steps(steps=number)] == list(range(number + 1))


def test_a_budget_of_seconds(monkeypatch):
    """On a clock that says: 2 s to begin with, 1 s an evaluation at half the side, 4 s at full."""
    now, honest = [0.0], painter.Objective.__call__
    clock = SimpleNamespace(monotonic=lambda: now[0], perf_counter=lambda: now[0])

    def slow(self, G):
        now[0] += 4.0 if max(G.shape) == 64 else 1.0
        return honest(self, G)

    def begin(*arguments, honest=painter.same_area):
        now[0] = 2.0
        return honest(*arguments)

    for room in (painter.painting, painter.budget, painter.resources):
        monkeypatch.setattr(room, "time", clock)
    monkeypatch.setattr(painter.resources, "_speed", lambda: 1e11)
    monkeypatch.setattr(painter.Objective, "__call__", slow)
    monkeypatch.setattr(painter.painting, "same_area", begin)
    for optimizer in ("adam", "lbfgs"):
        now[0] = 0.0
        options = {"steps": None, "scales": 2, "tolerance": 0, "optimizer": optimizer}
        options["edges"] = "zeros"  # the clock goes by the size of what is painted
        frames = steps(seconds=42, **options)
        sides = [frame.side for frame in frames]
        assert sides.count(32) == 10 and sides.count(64) == 7 and frames[-1].seconds == 40
    now[0] = 0.0
    # 2 s are used, 1 s for a look, 1 s for a step; 8 s would follow
    first, second, last = steps(seconds=6, **options)
    assert (first.side, second.side, last.side, last.seconds) == (32, 32, 64, 4)
    assert "no time for 64 pixels" in last.note and np.isnan(last.J) and second.J < first.J
    fine = second.image - painter.sizes.shrink(C, 0.5)  # the photo's own detail is still there
    assert np.allclose(
        last.image, tf.clip_by_value(C + painter.sizes.resize(fine, C.shape[1:3]), 0, 1)
    )
    now[0] = 0.0
    painting = painter.stylize(C, S, seconds=6, **options)
    assert np.array_equal(painting.image, last.image) and "no time" in painting.stopped
    assert painting.lowered
    now[0] = 0.0
    assert len(steps(seconds=0, **options)) == 2  # a look at the coarsest scale, at least
    now[0] = 0.0
    assert not painter.stylize(C, S, seconds=0, **options).lowered


def test_a_long_first_look_is_no_measure_of_a_step(monkeypatch):
    """A first look of 5 s, for the trace, then 0.1 s a step: 12 s are enough for two scales."""
    now, honest, seen = [0.0], painter.Objective.__call__, set()

    def slow(self, G):
        now[0] += 0.1 if self in seen else 5.0
        seen.add(self)
        return honest(self, G)

    for room in (painter.painting, painter.budget):
        monkeypatch.setattr(room, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(painter.Objective, "__call__", slow)
    frames = steps(steps=None, seconds=12, scales=2, tolerance=0)
    assert [frame.side for frame in frames].count(32) == 2  # 5 s are more than a quarter
    assert 10 < [frame.side for frame in frames].count(64) < 25
    assert 11.8 < frames[-1].seconds <= 12 and not any(frame.note for frame in frames)


@pytest.mark.parametrize("error", [TypeError, MemoryError])
def test_an_error_in_scipys_thread_is_raised(monkeypatch, error):
    def fail(function, x, **_):
        function(x)
        raise error("from SciPy")

    monkeypatch.setattr(painter.descent.scipy.optimize, "minimize", fail)
    with pytest.raises(error, match="from SciPy"):
        painter.stylize(C, S, steps=3, scales=1)


def test_a_stop_at_a_coarse_scale_keeps_the_detail_of_the_photo():
    def stop(frame):
        if frame.step == 2:
            raise KeyboardInterrupt

    def detail(image):
        return float(tf.reduce_mean(tf.abs(image[:, :, 1:] - image[:, :, :-1])))

    for options in ({}, {"colour": "luminance"}, {"init": S}):
        image = painter.stylize(C, S, stop, steps=4, scales=2, **options).image
        start = options.get("init", C)
        assert image.shape == C.shape and not np.array_equal(image, start)
        assert detail(image) > 0.8 * detail(start)


def test_steps_are_counted_over_all_scales():
    frames = steps(steps=3, scales=2, tolerance=0)
    assert [frame.step for frame in frames] == [0, 1, 2, 3, 3, 4, 5, 6]
    assert all(frame.network == "fitted.npz (its hash is not known)" for frame in frames)


def test_no_step_lowers_a_cost_that_is_0():
    painting = painter.stylize(C, S, steps=3, scales=1, beta=0, tv=0)
    assert not painting.lowered and painting.stopped == "no step lowered J"
    assert np.array_equal(painting.image, C)


def test_it_stops_when_it_no_longer_pays():
    assert len(steps(steps=60, tolerance=0.5)) < 20


# --- What people ask for


def test_texture_and_reconstruction():
    texture = steps(alpha=0, init="noise", steps=6)
    assert texture[-1].J_style < 0.6 * texture[0].J_style and texture[-1].J_content == 0
    photo = steps(beta=0, init="noise", steps=6)
    assert photo[-1].J_content < 0.7 * photo[0].J_content and photo[-1].J_style == 0


def test_where_it_starts():
    assert np.allclose(steps(steps=0, init="style")[0].image, S, atol=1e-6)
    assert np.allclose(steps(steps=0, init=T)[0].image, T, atol=1e-6)
    noise = [steps(steps=0, init="noise", seed=seed)[0].image.numpy() for seed in (1, 1, 2)]
    assert np.array_equal(noise[0], noise[1]) and not np.array_equal(noise[0], noise[2])
    assert 0.05 < noise[0].std() < 0.07


def test_pieces_of_the_photo_itself_make_the_photo():
    """Each piece finds itself; the border's pieces hold mirrored pixels, which are nowhere else."""
    laid = painter.starts._patchwork(C, C)
    assert laid.shape == C.shape and np.allclose(laid[:, 8:-8, 8:-8], C[:, 8:-8, 8:-8], atol=1e-5)


def test_pieces_lie_near_their_own_place_and_have_the_colours_of_the_style():
    flat = painter.starts._patchwork(C, tf.fill(S.shape, 0.3))
    assert np.allclose(flat, 0.3, atol=1e-6)  # overlapping pieces add up to one everywhere
    halves = np.repeat([0.2, 0.8], 32)[None, None, :, None] * np.ones(C.shape)
    laid = painter.starts._patchwork(tf.fill(C.shape, 0.5), tf.constant(halves, tf.float32)).numpy()
    assert np.allclose(laid[:, :, :24], 0.2, atol=1e-5) and np.allclose(laid[:, :, 40:], 0.8)


def test_the_start_is_the_photo_under_pieces_of_each_style(vgg):
    start = steps(steps=0, init="patches")[0].image
    assert np.allclose(start, (C + painter.starts._patchwork(C, S)) / 2, atol=1e-6)
    assert objective(vgg)(start)[2] < 0.8 * objective(vgg)(C)[2]
    right = 1 - LEFT
    right[:, 48:] = 0  # nobody's
    two = steps([S, T], steps=0, masks=[LEFT, right], init="patches")[0].image.numpy()
    for style, area in ((S, np.s_[:, :, :32]), (T, np.s_[:, :, 32:48])):
        assert np.allclose(
            two[area], ((C + painter.starts._patchwork(C, style)) / 2)[area], atol=1e-6
        )
    assert np.array_equal(two[:, :, 48:], C[:, :, 48:])


def test_the_difference_is_carried_up_not_the_picture():
    frames = list(painter.paint(C, S, steps=1, scales=2))
    change = frames[1].image - painter.sizes.shrink(C, 0.5) if frames[1].J < frames[0].J else 0
    want = tf.clip_by_value(C + painter.sizes.resize(change, C.shape[1:3]), 0, 1)
    assert np.allclose(frames[2].image, want, atol=1e-5)
    assert [frame.side for frame in frames] == [32, 32, 64, 64]


def test_several_styles_by_weight(vgg):
    only, other = (float(objective(vgg, [P])(C)[2]) for P in (S, T))
    mixed = float(objective(vgg, [S, T], style_weights=[1, 3])(C)[2])
    assert mixed == pytest.approx((only + 3 * other) / 4, rel=1e-3)
    first = float(objective(vgg, [S, T], style_weights=[1, 0])(C)[2])
    assert first == pytest.approx(only, rel=1e-3)


def test_a_mask_that_pooling_drops_costs_nothing(vgg):
    below = np.zeros((33, 48), np.float32)
    below[32:] = 1  # the last row: 2 x 2 pooling leaves it out
    photo, *styles = (tf.image.resize(image, (33, 48)) for image in (C, S, T))
    *costs, gradient = objective(vgg, styles, photo, masks=[below, 1 - below])(photo)
    assert np.isfinite(costs).all() and np.isfinite(gradient).all()


def test_a_mask_confines_a_style(vgg):
    near = {"alpha": 0, "tv": 0, "style_layers": [("block1_conv1", 1.0), ("block1_conv2", 1.0)]}
    both = objective(vgg, [S, T], masks=[LEFT, 1 - LEFT], **near)(C)[3].numpy()
    left = objective(vgg, [S], masks=[LEFT], **near)(C)[3].numpy()
    assert np.abs(left[:, :, :30]).min((0, 1, 3)).max() > 0 and not left[:, :, 35:].any()
    far = np.s_[:, :, :28]  # the left half is pulled by S alone, as hard as a whole picture is
    np.testing.assert_allclose(both[far] * 2, left[far], rtol=0.02, atol=1e-5 * np.abs(left).max())


def test_luminance_keeps_the_photo_s_chroma():
    frame = steps(colour="luminance", steps=5)[-1]
    inside = (frame.image > 0.02) & (frame.image < 0.98)
    inside = tf.reduce_all(inside, -1)
    before, after = (tf.image.rgb_to_yiq(image)[..., 1:][inside] for image in (C, frame.image))
    assert np.abs(before - after).max() < 0.01
    assert np.abs(tf.image.rgb_to_yiq(C - frame.image)[..., 0]).mean() > 0.01


def test_matched_colours_have_the_photo_s_mean_and_covariance():
    dull = 0.3 + 0.4 * C  # so that nothing is clipped
    moved = np.asarray(painter.colour.match_colours(S, dull), np.float64).reshape(-1, 3)
    want = np.asarray(dull, np.float64).reshape(-1, 3)
    assert np.allclose(moved.mean(0), want.mean(0), atol=0.01)
    assert np.allclose(np.cov(moved.T), np.cov(want.T), atol=0.002)
    flat = painter.colour.match_colours(tf.fill(S.shape, 0.5), C)
    assert np.isfinite(flat).all()


def test_weights_can_be_given_and_completed(weights):
    given = nst_utils.read_weights(weights)
    some = {name: given[name] for name in given if name.startswith("block1")}
    names = ["block1_conv1", "block2_conv1"]
    whole, partly = (nst_utils.load_vgg19(names, w, [C, S]) for w in (given, some))
    kernels = [net.get_layer("block1_conv2").get_weights()[0] for net in (whole, partly)]
    assert np.allclose(*kernels) and "block2_conv1 and above by k-means" in partly.weights_source
    some["block1_conv1"] = (np.zeros((3, 3, 3, 64)), np.zeros(64))
    with pytest.raises(nst_utils.WeightsError, match="block1_conv1 holds"):
        nst_utils.load_vgg19(names, some, [C, S])


def test_style_scale_makes_the_style_picture_larger():
    areas = [np.prod(painter.same_area(S, C, k).shape[1:3]) for k in (1, 2)]
    assert areas[0] == pytest.approx(64 * 47, rel=0.05) and areas[1] == pytest.approx(
        4 * areas[0], rel=0.05
    )


def test_animation(tmp_path):
    frames = [nst_utils.to_pixels(frame.image) for frame in painter.paint(C, S, steps=2)]
    for suffix in ("gif", "png"):
        with Image.open(painter.save_animation(frames, tmp_path / f"a.{suffix}")) as picture:
            assert picture.n_frames == 3 and picture.size == (64, 47)
    with pytest.raises(nst_utils.ImageError, match="jpg"):
        painter.save_animation(frames, tmp_path / "a.jpg")


# --- Bad options, and what will not fit


@pytest.mark.parametrize(
    "options, word",
    [
        ({"alpha": -1}, "alpha"),
        ({"beta": float("nan")}, "beta"),
        ({"alpha": 0, "beta": 0}, "nothing"),
        ({"colour": "grey"}, "luminance"),
        ({"edges": "black"}, "mirrored or zeros"),
        ({"optimizer": "sgd"}, "lbfgs"),
        ({"init": "black"}, "noise"),
        ({"steps": -1}, "steps"),
        ({"steps": "3"}, "steps is a whole number from 0 up, not '3'"),
        ({"scales": 1.5}, "scales is a whole number from 1 up"),
        ({"seed": -1}, "seed is a whole number"),
        ({"alpha": None}, "alpha is a finite number"),
        ({"style_layers": [("block1_conv1", "1")]}, "block1_conv1"),
        ({"content_layer": "conv4_2"}, "block4_conv2"),
        ({"style_layers": [("block9_conv1", 1)]}, "block9_conv1"),
        ({"style_weights": [1, 2]}, "style_weights has 2 entries for 1"),
        ({"style_weights": [0]}, "not all 0"),
        ({"masks": [np.zeros((4, 4))]}, "not all 0"),
        ({"masks": [LEFT, LEFT]}, "masks has 2"),
    ],
)
def test_bad_options_are_named(options, word):
    with pytest.raises(PaintError, match=word):
        steps(**options)


@pytest.mark.parametrize("init", [C[:, :8], C[0], tf.cast(C * 255, tf.uint8), "x.jpg"])
def test_a_start_is_checked_before_the_network_is_loaded(monkeypatch, init):
    monkeypatch.setattr(painter.painting, "load_vgg19", None)
    with pytest.raises(PaintError, match="init"):
        steps(init=init)


@pytest.mark.parametrize(("limit", "free"), [("max", 8.0), ("3000000000", 1.25), (None, 8.0)])
def test_a_container_has_the_memory_below_its_limit(tmp_path, monkeypatch, limit, free):
    files = {"max": limit, "current": "2000000000", "stat": "anon 1\ninactive_file 250000000\n"}
    for name, text in files.items() if limit else ():
        (tmp_path / f"memory.{name}").write_text(text)
    monkeypatch.setattr(painter.resources, "CGROUP", tmp_path)
    machine = SimpleNamespace(available=8e9)
    monkeypatch.setattr(painter.resources.psutil, "virtual_memory", lambda: machine)
    assert painter.resources._free_memory() == pytest.approx(free)


def test_the_estimates_know_the_optimiser_and_the_windows(monkeypatch):
    shape = (1, 3072, 4096, 3)
    assert painter.memory_needed(shape) > 15 > painter.memory_needed(shape, "adam")
    monkeypatch.setattr(painter.resources, "_speed", lambda: 1e11)
    whole, cut = (painter.seconds_needed((1, 768, n_W, 3), Recipe(scales=1)) for n_W in (768, 1024))
    assert cut > 1.8 * whole  # with a third more pixels


def test_too_large_a_picture_is_refused_with_the_size_that_would_fit(monkeypatch):
    monkeypatch.setattr(
        painter.resources.psutil, "virtual_memory", lambda: SimpleNamespace(available=2e9)
    )
    with pytest.raises(PaintError, match="longer side") as raised:
        next(painter.paint(tf.zeros((1, 600, 900, 3)), S))
    side = int(str(raised.value).split("max_side=")[1].split(")")[0])
    assert 300 < side < 900
    assert painter.memory_needed((1, side * 2 // 3, side, 3)) <= 2
    assert painter.memory_needed((1, 1.1 * side * 2 / 3, 1.1 * side, 3)) > 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"style_layers": []}, "beta is 0"),
        ({"style_layers": [("block1_conv1", 0)]}, "beta is 0"),
        ({"style_layers": ["block1_conv1"]}, "pairs"),
        ({"style_layers": None}, "pairs"),
        ({"style_weights": 1.0}, "list of numbers"),
        ({"style_weights": ["a"]}, "from 0 up"),
        ({"masks": ["a.png"]}, "array of numbers"),
        ({"masks": [tf.zeros((2, 2))]}, "not all 0"),
        ({"masks": [LEFT * 2 - 1]}, "from -1 to 1"),
        ({"masks": [np.zeros((0, 3))]}, "not all 0"),
        ({"style_scale": 1e4}, "take a smaller one"),
    ],
)
def test_options_that_cannot_be_meant(options, words):
    with pytest.raises(PaintError, match=words):
        steps(**options)


def test_options_in_any_form_of_a_list(vgg):
    names, weights = zip(*nst_utils.STYLE_LAYERS, strict=True)
    both = {"style_weights": np.array([1.0, 3.0]), "masks": np.stack([LEFT, 1 - LEFT])}
    both["style_layers"] = zip(names, weights, strict=True)  # can be read once
    got = objective(vgg, [S, T], **both)(C)
    lists = {"style_weights": [1, 3], "masks": [LEFT, 1 - LEFT]}
    want = objective(vgg, [S, T], **lists)(C)
    assert float(got[2]) == pytest.approx(float(want[2])) and got[2] > 0
    with pytest.raises(PaintError, match="no style picture"):
        steps([])


def test_scales_end_where_vgg19_does():
    assert painter.sizes.scale_sides((1, 48, 64, 3), 10**6) == [16, 32, 64]
    assert painter.sizes.scale_sides((1, 16, 16, 3), 9) == [16]


@pytest.mark.parametrize("init", ["noise", T], ids=["noise", "picture"])
def test_luminance_is_painted_in_grey_from_any_start(monkeypatch, init):
    seen, honest = [], painter.Objective.__call__
    monkeypatch.setattr(
        painter.Objective, "__call__", lambda self, G: seen.append(G) or honest(self, G)
    )
    steps(colour="luminance", init=init, scales=2, steps=1)
    assert len(seen) == 4 and all(np.ptp(G.numpy(), axis=-1).max() < 1e-5 for G in seen)


def test_light_weights_do_not_hide_the_patches():
    one, other = (
        painter.starts._half_hidden(C, [S, T], Recipe(style_weights=[w, w])) for w in (1, 1e-4)
    )
    assert np.allclose(one, other, atol=1e-4) and not np.allclose(one, C, atol=0.01)


def test_command_line(tmp_path, capsys):
    content, style, other = (
        str(ROOT / f"images/{name}.jpg")
        for name in ("content/house", "styles/knife", "styles/wave")
    )
    out, small = tmp_path / "out.png", ["--max-side", "64", "--steps", "2"]
    arguments = [content, style, "-o", str(out), *small, "--animation", str(tmp_path / "a.gif")]
    assert main(arguments) == 0
    assert "finished" in capsys.readouterr().out and (tmp_path / "a.gif").exists()
    with Image.open(out) as picture:
        picture.load()
        settings = json.loads(picture.text["Software"].removeprefix("painter "))
    assert max(picture.size) == 64 and settings["steps"] == 2 and settings["style"] == [style]
    assert settings["network"].startswith("fitted.npz") and settings["stopped"] == "finished"
    mask = str(nst_utils.save_image(np.repeat(LEFT[..., None], 3, -1), tmp_path / "mask.png"))
    many = ["--masks", mask, mask, "--init", style, "--style-layers", "block1_conv1=1"]
    assert main([content, style, other, "-o", str(out), *small, *many]) == 0
    bad = (
        ["missing.jpg", style],
        [content, style, "--alpha", "-1"],
        [content, style, "--masks", "x"],
    )
    for words, name in zip(bad, ("missing.jpg", "alpha", "'x'"), strict=True):
        assert main([*words, "-o", str(out), *small]) == 1
        assert name in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main([])


def test_nothing_is_written_over_what_is_read_or_was_painted(tmp_path, monkeypatch, capsys):
    photo = str(nst_utils.save_image(C, tmp_path / "photo.png"))
    style, out = str(ROOT / "images/styles/knife.jpg"), tmp_path / "out.png"
    before = nst_utils.save_image(S, out).read_bytes()
    short = ["--max-side", "32", "--steps", "1"]
    moving = ["--animation", str(out)]
    still = ["--animation", str(tmp_path / "a.jpg")]
    for words in (["-o", photo], ["-o", str(out), *moving], ["-o", str(out), *still]):
        assert main([photo, style, *words, *short]) == 1
        assert "used already" in (error := capsys.readouterr().err) or ".gif or .png" in error
    assert main([photo, style, "-o", str(out), "--seconds", "0"]) == 1
    assert "no time for a single step" in capsys.readouterr().err
    assert main([photo, style, "-o", str(out), "--beta", "1e39"]) == 1
    assert "not finite" in capsys.readouterr().err

    def stop(*_, **__):
        raise KeyboardInterrupt

    for room, name in ((painter.painting, "load_vgg19"), (painter.files, "load_image")):
        monkeypatch.setattr(room, name, stop)
        assert main([photo, style, "-o", str(out)]) == 130
    assert out.read_bytes() == before and sorted(p.name for p in tmp_path.iterdir()) == [
        "out.png", "photo.png"
    ]  # fmt: skip


def test_the_style_picture_is_enlarged_from_its_own_pixels(tmp_path, monkeypatch):
    seen, honest = [], painter.Objective.__init__
    monkeypatch.setattr(
        painter.Objective,
        "__init__",
        lambda self, *arguments: seen.append(arguments[2][0]) or honest(self, *arguments),
    )
    content, style = str(ROOT / "images/content/house.jpg"), ROOT / "images/styles/knife.jpg"
    words = ["--max-side", "64", "--steps", "0", "--scales", "1", "--style-scale", "3"]
    assert main([content, str(style), "-o", str(tmp_path / "a.png"), *words]) == 0
    size = seen[0].shape[1:3]
    want = tf.image.resize(nst_utils.load_image(style), size, "area")
    assert max(size) > 160 and np.allclose(seen[0], want, atol=1e-3)


def test_a_painting_is_not_lost_when_its_place_is(tmp_path, monkeypatch, capsys):
    """The folder is there before the painting, and not after it."""
    content, style = str(ROOT / "images/content/house.jpg"), str(ROOT / "images/styles/knife.jpg")
    out, painted, honest = tmp_path / "folder" / "out.jpg", [], painter.stylize

    def paint_and_break(*arguments, **options):
        painted.append(honest(*arguments, **options))
        out.parent.rmdir()
        out.parent.touch()
        return painted[0]

    monkeypatch.setattr(painter.files, "stylize", paint_and_break)
    monkeypatch.setattr(painter.files.tempfile, "tempdir", str(tmp_path))
    assert main([content, style, "-o", str(out), "--max-side", "64", "--steps", "1"]) == 0
    (rescued,) = tmp_path.glob("painted-*/out.png")
    printed = capsys.readouterr()
    assert str(rescued) in printed.out and str(out) in printed.err
    with Image.open(rescued) as picture:
        assert np.array_equal(np.asarray(picture), nst_utils.to_pixels(painted[0].image))


def test_lbfgs_answers_as_scipy_alone():
    """Through generator and thread: the same pictures in the same order, none twice."""
    target = tf.random.stateless_uniform((1, 16, 16, 3), (1, 2), -0.2, 1.2)
    start = tf.random.stateless_uniform(target.shape, (3, 4))
    search, seen, Js = painter.descent._lbfgs(start), [], []
    picture = next(search)
    for _ in range(12):
        seen.append(picture.numpy())
        Js.append(float(tf.reduce_sum((picture - target) ** 4)))
        try:
            picture = search.send((Js[-1], 4 * (picture - target) ** 3, 0.0))
        except StopIteration:
            break
    search.close()
    assert np.array_equal(seen[0], start) and not np.array_equal(seen[1], start)
    assert all(image.min() >= 0 and image.max() <= 1 for image in seen)
    lowest = float(tf.reduce_sum((tf.clip_by_value(target, 0, 1) - target) ** 4))
    assert lowest <= min(Js) < lowest + 0.01 * (Js[0] - lowest)


def test_benchmark_paints_with_its_own_network(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "EXTRA", tmp_path)
    monkeypatch.setattr(benchmark, "TRAINED", tmp_path / "none")
    case = benchmark.make_case(2, 48, nst_utils.CONTENT_LAYER)
    frames = benchmark.paint(case, tmp_path, "ours", {"steps": 3, "scales": 1, "tv": 0})
    again = benchmark.paint(case, tmp_path, "ours", {"steps": "not read: the pictures are kept"})
    assert len(frames) == len(again) == 4 and frames[-1][1] < frames[0][1]
    assert np.array_equal(frames[-1][2], again[-1][2])
    style, content = benchmark.Judge(case)(frames[0][2])
    assert style > 0.01 > content, "the start is the photo"


def test_benchmark_gives_track_a_the_painters_cost_and_gradient(vgg, tmp_path, monkeypatch):
    monkeypatch.setattr(nst_utils, "build_vgg19", lambda *_: vgg)
    case = SimpleNamespace(C=C, S=S, weights=None)
    ours, cost = benchmark.Bench(64, [], tmp_path, [], None, [], "patches").same_cost(case)
    G = tf.Variable(0.5 * (C + S))

    @tf.function
    def baseline():
        with tf.GradientTape() as tape:
            J = cost(G)
        return J, tape.gradient(J, G)

    J, _, _, gradient = ours(G.value())
    np.testing.assert_allclose(baseline()[0], J, rtol=1e-6)
    np.testing.assert_allclose(baseline()[1], gradient, atol=1e-6 * np.abs(gradient).max())


@pytest.mark.parametrize("asked", [None, "block3_conv4"])
def test_benchmark_races_with_the_content_layer_that_it_says(tmp_path, monkeypatch, asked):
    layers, pixels = set(), nst_utils.to_pixels(C.numpy())

    def paint(case, out, key, options):
        layers.add(options["content_layer"])
        assert options["content_layer"] in key, "else a kept run with another layer is read"
        return [(2.0, 0.0, pixels)]

    monkeypatch.setattr(benchmark, "paint", paint)
    monkeypatch.setattr(benchmark, "Judge", lambda case: lambda pixels: (1.0, 1.0))
    bench = benchmark.Bench(64, [], tmp_path, [0.05], asked, [], "patches")
    bench.cases = {0: SimpleNamespace(name="a pair")}
    its = SimpleNamespace(name="a recipe")
    run = SimpleNamespace(baseline=its, shots={"5%": pixels}, times={"5%": 10.0})
    bench.track_0([(bench.cases[0], 0, run)])
    assert layers == {asked or "block2_conv1"} and bench.rows[0]["score"] == 5.0
    assert bench.layer("A") == (asked or nst_utils.CONTENT_LAYER)
