"""The benchmark races the painter fairly: with its own network, cost and content layer."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from little_pictures import C, S

import nst_utils
from benchmark import cases, recipes, report, runs, tracks


def test_it_paints_with_its_own_network(tmp_path, monkeypatch):
    monkeypatch.setattr(cases, "EXTRA", tmp_path)
    monkeypatch.setattr(cases, "TRAINED", tmp_path / "none")
    case = cases.make_case(2, 48, nst_utils.CONTENT_LAYER)
    frames = runs.paint(case, tmp_path, "ours", {"steps": 3, "scales": 1, "tv": 0})
    again = runs.paint(case, tmp_path, "ours", {"steps": "not read: the pictures are kept"})
    assert len(frames) == len(again) == 4 and frames[-1][1] < frames[0][1]
    assert np.array_equal(frames[-1][2], again[-1][2])
    style, content = cases.Judge(case)(frames[0][2])
    assert style > 0.01 > content, "the start is the photo"


def test_it_gives_track_a_the_painters_cost_and_gradient(vgg, tmp_path, monkeypatch):
    monkeypatch.setattr(nst_utils, "build_vgg19", lambda *_: vgg)
    case = SimpleNamespace(C=C, S=S, weights=None)
    ours, cost = tracks.Bench(64, [], tmp_path, [], None, [], "patches").same_cost(case)
    G = tf.Variable(0.5 * (C + S))

    @tf.function
    def baseline():
        with tf.GradientTape() as tape:
            J = cost(G)
        return J, tape.gradient(J, G)

    J, _, _, gradient = ours(G.value())
    np.testing.assert_allclose(baseline()[0], J, rtol=1e-6)
    np.testing.assert_allclose(baseline()[1], gradient, atol=1e-6 * np.abs(gradient).max())


def test_recipes_get_activations_as_large_as_they_were_published_for(fitted):
    """Else PyTorch's L-BFGS finds gradients too small to start with."""
    names, sizes = list(fitted)[:6], []
    raw = cases.in_released_units(fitted)
    for weights in (fitted, raw):
        found = nst_utils.build_vgg19(weights, names)(C)
        sizes.append([float(tf.reduce_mean(a)) for a in found])
    ratios = np.divide(*sizes[::-1])
    np.testing.assert_allclose(ratios, list(cases.RELEASED.values())[:6], rtol=1e-3)
    keep, rest = ({k: w[k] for k in ks} for w, ks in ((raw, names), (fitted, list(fitted)[6:])))
    above = cases.in_released_units(rest, cases.scale_below(fitted, keep, C))
    for name, filters in above.items():
        np.testing.assert_allclose(filters[0], raw[name][0], rtol=1e-3)


@pytest.mark.parametrize("asked", [None, "block3_conv4"])
def test_it_races_with_the_content_layer_that_it_says(tmp_path, monkeypatch, asked):
    layers, pixels = set(), nst_utils.to_pixels(C.numpy())

    def paint(case, out, key, options):
        layers.add(options["content_layer"])
        assert options["content_layer"] in key, "else a kept run with another layer is read"
        return [(2.0, 0.0, pixels)]

    monkeypatch.setattr(tracks, "paint", paint)
    monkeypatch.setattr(tracks, "Judge", lambda case: lambda pixels: (1.0, 1.0))
    bench = tracks.Bench(64, [], tmp_path, [0.05], asked, [], "patches")
    bench.cases = {0: SimpleNamespace(name="a pair")}
    its = SimpleNamespace(name="a recipe")
    run = SimpleNamespace(baseline=its, shots={"5%": pixels}, times={"5%": 10.0})
    bench.track_0([(bench.cases[0], 0, run)])
    assert layers == {asked or "block2_conv1"} and bench.rows[0]["score"] == 5.0
    assert bench.layer("A") == (asked or nst_utils.CONTENT_LAYER)


def test_a_run_stops_after_enough_seconds(tmp_path):
    """Track B wants all recipes for the same seconds, not for their thousands of steps."""
    adam = recipes.Baseline("Adam", 10**6, recipes.adam(0.01))
    run = runs.Run(tmp_path / "adam.npz", adam, lambda G: tf.reduce_sum(G**2), C, moments=(0.2,))
    assert run.advance(1.0, deadline=time.monotonic() + 60, enough=0.3)
    assert run.seconds >= 0.3 and run.steps < 10**6 and "0.2 s" in run.shots


def test_the_figure_of_the_race_shows_every_recipe():
    row = {"track": "B", "pair": "C + S", "style": 0.5, "content": 0.1}
    names = [tracks.OURS, "course"]
    rows = [row | {"against": name, "seconds": s} for name in names for s in (5, 15)]
    left, right = report.draw_race(rows, 224).axes
    assert [line.get_label() for line in left.lines] == names
    assert "painting" in left.get_ylabel() and "photo" in right.get_ylabel()
