"""The peers are what they are said to be, and each is counted and judged alike."""

import argparse
import io
import json
import sys
import time
from types import SimpleNamespace

import keras
import little_weights
import numpy as np
import pytest
import tensorflow as tf
from little_pictures import SHALLOW
from little_weights import IMAGES

import nst_utils
import painter
from benchmark import machine, peers, processes, recipes, report, speed, tensorflow_peers

C, S = IMAGES[0], 0.5 * IMAGES[1]
WEIGHTS = {  # as He et al. scale them, in the units of VGG: activations are not 0
    name: (rng.normal(0, (2 / 9 / n) ** 0.5, (3, 3, n, m)).astype("f4"), np.ones(m, "f4"))
    for rng in [np.random.default_rng(0)]
    for name, (n, m) in little_weights.SMALL.items()
}
KEPT = processes.Kept(C, S, WEIGHTS, WEIGHTS, SHALLOW)
TOY = """
import time
import numpy as np

def toy(kept, look, steps):
    time.sleep(0.05)  # the network: not counted
    look.begin()
    assert kept.C.shape == (1, 32, 32, 3) and kept.options["content_layer"] == "block2_conv1"
    print("this is no message")
    for step in range(steps):
        time.sleep(0.1 if step == 0 else 0.01)
        look(lambda: np.full((2, 2, 3), (step + 1) / 100))
"""


class Watch(processes.Looks):
    """Looks without a wire: it keeps the pictures."""

    def __init__(self, steps):
        self.pictures = []
        super().__init__(io.StringIO(), None, steps, 0)

    def __call__(self, picture):
        self.pictures.append(picture().copy())
        super().__call__(picture)


def watched(method, steps=3, **options):
    """The pictures of a method's steps."""
    watch = Watch(steps)
    with pytest.raises(processes.Enough):
        method(KEPT, watch, **options)
    return watch.pictures


@pytest.fixture
def toy(tmp_path):
    """A method in a module of its own: (module, function, options), kept file, environment."""
    (tmp_path / "toy.py").write_text(TOY)
    path = KEPT.write(tmp_path / "kept.npz")
    return ("toy", "toy", {"steps": 9}), path, {"PYTHONPATH": str(tmp_path)}


@pytest.fixture
def little_vgg(monkeypatch):
    """Keras' VGG-19 has a 32nd of the filters; nothing is traced, which takes longer."""

    def vgg19(**_):
        image = x = keras.Input((None, None, 3))
        for name, (_, filters) in little_weights.SMALL.items():
            x = keras.layers.MaxPooling2D()(x) if nst_utils.is_after_pooling(name) else x
            x = keras.layers.Conv2D(filters, 3, 1, "same", activation="relu", name=name)(x)
        return keras.Model(image, x)

    monkeypatch.setattr(tensorflow_peers, "VGG19", vgg19)
    monkeypatch.setattr(nst_utils, "VGG19_LAYERS", little_weights.SMALL)
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def case():
    """The same as a pair of the race."""

    def net(names, raw):
        model = nst_utils.build_vgg19(WEIGHTS, names)
        return lambda image: tf.nest.flatten(model(image))

    return SimpleNamespace(C=tf.constant(C), S=tf.constant(S), net=net)


def test_a_process_is_judged_while_its_clock_stands_still(toy):
    seen = []

    def verdict(pixels, seconds, step):
        seen.append((pixels[0, 0, 0], step))
        time.sleep(0.2)
        return len(seen) < 2

    found = processes.start(*toy, verdict, steps=None, seconds=60)
    assert seen[0] == (round(2.55), 1) and found["steps"] == seen[-1][1]
    assert found["first step"] >= 0.1 > 0.05 > found["seconds a step"] >= 0.01
    assert found["seconds"] < 0.1 + 0.01 * found["steps"] + 0.19, "neither waiting nor loading"


def test_steps_are_counted_without_pictures_and_a_failure_is_said(toy):
    found = processes.start(*toy, lambda *_: pytest.fail("no picture"), steps=4, seconds=0)
    assert found["steps"] == 4
    (module, _, options), *rest = toy
    with pytest.raises(RuntimeError, match=r"AttributeError: .* no attribute 'toys'"):
        processes.start((module, "toys", options), *rest, steps=4, seconds=0)


def test_the_last_picture_is_judged_and_a_time_limit_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("on\n" * 99))
    wire = io.StringIO()
    look = processes.Looks(wire, tmp_path, None, 0.1)
    with pytest.raises(processes.Enough):
        while True:
            time.sleep(0.015)
            look(lambda: np.zeros((2, 2, 3)))
    look.finish()
    *_, shown, end = map(json.loads, wire.getvalue().splitlines())
    assert shown["seconds"] == end["seconds"] >= 0.1 and "stopped after" in end["note"]


def test_when_it_was_as_near_as_ours():
    judged = iter([(9.0, 0.0), (4.0, 1.0), (1.0, 3.0), (0.5, 2.0), (0.4, 1.9)])
    course = peers.Course(lambda _: next(judged), (1.0, 2.0))
    assert [course(None, second, 0) for second in (1.0, 2.0, 3.0, 4.0)] == [True, True, True, False]
    reached = course.reached((1.0, 2.0))
    assert reached["near to both after s"] == 4.0
    assert reached["near to the painting after s"] == 3.0
    assert reached["photo then, times as far"] == 1.5
    assert reached["within 5 % of both after s"] == 4.0
    assert course.reached((0.49, 1.91))["within 5 % of both after s"] == 4.0
    missed = course.reached((0.8, 1.0))
    assert missed["near to both after s"] == "not" and "painting x 0.62" in missed["at best"]


def test_a_pair_is_run_with_our_painters_defaults_and_ours_first(tmp_path, monkeypatch, capsys):
    """A content layer that is a style layer, too, is not calibrated as content."""
    asked, judged = [], iter([(2.0, 0.0), (0.5, 0.4), (0.6, 0.1), (0.5, 0.3)])

    def make_case(number, size, layer, estimated):
        asked.append(layer)
        return SimpleNamespace(C=tf.constant(C), S=tf.constant(S), raw=WEIGHTS, weights=WEIGHTS,
                               name="C + S")  # fmt: skip

    def start(method, path, surroundings, verdict=None, *, steps, seconds):
        if verdict:
            assert processes.Kept.read(path).options["style_layers"] == [["block1_conv1", 1.0]]
            asked.append([verdict(None, 1.0, 1), verdict(None, 2.0, 2)])
        return {"seconds a step": 1.0 if method[1] == "ours" else 3.0, "note": ""}

    monkeypatch.setattr(peers, "Judge", lambda case, names: lambda pixels: next(judged))
    monkeypatch.setattr(peers, "make_case", make_case)
    monkeypatch.setattr(peers, "start", start)
    suited = {"style_layers": [("block1_conv1", 1.0)], "content_layer": "block1_conv1"}
    monkeypatch.setattr(painter, "suited_to", lambda _: suited)
    options = argparse.Namespace(threads=None, no_avx512=False, against=["Keras"], times=1)
    options.size, options.minutes = 32, 1
    race = peers.Peers(options)
    race.pair(0, tmp_path)
    assert asked == [None, [True, True], [True, False]], "ours to its end, theirs until as near"
    ours, theirs = race.rows
    assert ours["against"] == peers.OURS and ours["near to both after s"] == 2.0
    assert theirs["times ours"] == 3.0 and theirs["near to both after s"] == 2.0
    assert len(race.shots) == 4


def test_peers_run_in_turn_and_one_that_fails_is_a_row(monkeypatch, capsys):
    ran = []

    def start(method, path, surroundings, *verdict, **bounds):
        ran.append(method[1])
        if method[0] == peers.TORCH:
            raise RuntimeError("no C++ compiler")
        return {"seconds a step": 2.0 * len(ran), "note": ""}

    monkeypatch.setattr(peers, "start", start)
    monkeypatch.setattr(machine, "has_torch", lambda: True)
    options = argparse.Namespace(threads=2, no_avx512=True, against=["tutorial, com"], times=3)
    race = peers.Peers(options)
    assert race.surroundings["OMP_NUM_THREADS"] == "2"
    assert race.surroundings["ONEDNN_MAX_CPU_ISA"] == "AVX2"
    found = race.steps(peers.METHODS, None)
    assert ran == ["ours", "tutorial"] * 3
    assert found[peers.OURS]["seconds a step"] == 6.0 and found[peers.OURS]["each"] == "2 6 10"
    assert found["PyTorch tutorial, compiled"]["note"] == "failed: no C++ compiler"
    assert peers.beside(*found.values()) == {}
    monkeypatch.setattr(machine, "has_torch", lambda: False)
    assert list(race.chosen(peers.METHODS)) == [peers.OURS]


def test_the_judge_looks_at_layers_that_nobody_optimises():
    theirs = {*tensorflow_peers.STYLE, tensorflow_peers.CONTENT, nst_utils.CONTENT_LAYER}
    theirs |= {f"block{block}_conv{k}" for block in (1, 2) for k in (1, 2)} | {"block3_conv1"}
    for weights in (nst_utils.read_weights(nst_utils.EMBEDDED), nst_utils.VGG19_LAYERS):
        options = painter.suited_to(weights)
        theirs |= {options["content_layer"], *(name for name, _ in options["style_layers"])}
    assert not theirs & set(peers.HELD_OUT) and set(peers.HELD_OUT) <= set(nst_utils.VGG19_LAYERS)


def test_the_machine_is_named_with_its_best_rate(tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text("model name\t: A Chip\nflags\t\t: fpu fma avx2 vme\n")
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(machine.psutil, "cpu_percent", lambda _: 50.0)
    found = machine.processor()
    assert (found["processor"], found["flags"]) == ("A Chip", "fma avx2")
    assert found["busy before"] == 0.5
    assert all(machine.one_rate(name, 64, 0) > 0 for name in ("NumPy", "TensorFlow"))
    step = {"GFLOP/s": 30.0, "TensorFlow GFLOP/s": 50.0}
    share = speed.share_of(step, {"NumPy": 60.0, "PyTorch": 40.0})
    assert share["share"] == 0.5 and share["of"] == "NumPy" and share["PyTorch GFLOP/s"] == 40.0
    assert speed.share_of(step, {"NumPy": 40.0})["of"] == "TensorFlow"


def test_tensorflows_tutorial_takes_adam_on_its_cost(little_vgg):
    """The first step of Adam says the sign of the gradient, so it is compared with the race's."""
    x = tf.constant(C)
    with tf.GradientTape() as tape:
        tape.watch(x)
        J = recipes.tensorflow_cost(case())(x)
    gradient = tape.gradient(J, x)
    picture = watched(tensorflow_peers.tutorial, 1)[0]
    step = 0.02 * gradient / (abs(gradient) + 0.1 / 0.001**0.5)  # epsilon 0.1, beta_2 0.999
    expected = np.clip(x - step, 0, 1)
    assert np.abs(step).max() > 1e-3
    np.testing.assert_allclose(picture, expected[0], atol=1e-4)


def test_the_keras_example_has_the_races_cost_and_a_rate_that_falls(little_vgg):
    network = tensorflow_peers.keras_vgg19(WEIGHTS)
    extractor = keras.Model(network.input, {layer.name: layer.output for layer in network.layers})
    base, style = (image[..., ::-1] * 255 - nst_utils.BGR_MEAN for image in (C, S))
    G = 0.5 * (base + style)
    loss, _ = tensorflow_peers.example_gradient(extractor, tf.constant(G), base, style)
    expected = recipes.keras_cost(case())(tf.constant(0.5 * (C + S)))
    np.testing.assert_allclose(loss, expected, rtol=1e-3)
    bowl = lambda x: (tf.reduce_sum(x**2), 2 * x)  # noqa: E731, rates from 1 on diverge
    assert tensorflow_peers.falling_rate(bowl, tf.ones(3)) == pytest.approx(100 / 3**5)
    (picture,) = watched(tensorflow_peers.example, 1)
    assert picture.shape == C.shape[1:] and np.abs(picture - C[0]).max() > 0


def test_our_own_step_is_that_of_plain_keras(little_vgg):
    ours, kerass = (
        watched(method, 1)[0]
        for method in (tensorflow_peers.plain_ours, tensorflow_peers.plain_keras)
    )
    np.testing.assert_allclose(ours, kerass, atol=1e-4 * np.abs(kerass).max())


def test_ours_shows_its_best_picture(little_vgg):
    pictures = watched(tensorflow_peers.ours, 3)
    assert np.abs(pictures[0] - C[0]).max() < 1e-6 < np.abs(pictures[-1] - C[0]).max()


class TestTorch:
    @pytest.fixture(autouse=True)
    def torch_peers(self):
        pytest.importorskip("torch", reason=f"needs: PyTorch ({machine.TO_INSTALL})")
        from benchmark import torch_peers

        return torch_peers

    def test_its_network_is_ours(self, torch_peers, little_vgg):
        names = [*torch_peers.DEEP, "block4_conv2"]
        layers = torch_peers.convolutions(WEIGHTS, names[-2])
        x = torch_peers.planes((C[..., ::-1] * 255 - nst_utils.BGR_MEAN).astype("f4"))
        found = torch_peers.activations(layers, x, names)
        for a, expected in zip(found, nst_utils.build_vgg19(WEIGHTS, names)(C), strict=True):
            a = a.numpy().transpose(0, 2, 3, 1)
            np.testing.assert_allclose(a, expected, atol=1e-4 * np.abs(expected).max())

    def test_in_torchvisions_units_it_is_the_same_network(self, torch_peers):
        import torch

        mean, deviation = (np.array(v) for v in (torch_peers.MEAN, torch_peers.DEVIATION))
        names, ours = torch_peers.NEAR, (C[..., ::-1] * 255 - nst_utils.BGR_MEAN)
        theirs = torch_peers.for_torchvision(WEIGHTS)
        found = []
        for weights, image in ((theirs, (C - mean) / deviation), (WEIGHTS, ours)):
            layers = torch_peers.convolutions(weights, names[-1])
            x = torch_peers.planes(image.astype("f4"))
            found.append(torch_peers.activations(layers, x, names, before_relu=True))
        assert float(torch.min(found[0][0])) < 0, "before the ReLU"
        for one, other in zip(*found, strict=True):
            inside = np.s_[..., 2:-2, 2:-2]  # at the edges 0 is another colour, by 0.4 of 255
            one, other = 58 * one.numpy()[inside], other.numpy()[inside]
            np.testing.assert_allclose(one, other, atol=1e-2 * np.abs(other).max())

    @pytest.mark.parametrize("name", ["tutorial", "gatys"])
    def test_a_method_descends_from_the_photo_on_its_cost(self, torch_peers, monkeypatch, name):
        given = {}
        monkeypatch.setattr(torch_peers, "descend", lambda *a, **o: given.update(a=a, o=o))
        getattr(torch_peers, name)(KEPT, Watch(1))
        (cost, x, _, steps, *bounds), shown = given["a"], given["o"].get("shown", lambda x: x)
        np.testing.assert_allclose(torch_peers.pixels(shown(x)), C[0], atol=1e-5)
        deep, G = name == "gatys", 0.5 * (C + S)
        assert (steps, bounds) == ((500, []) if deep else (300, [(0, 1)]))
        given_G = (G[..., ::-1] * 255 - nst_utils.BGR_MEAN).astype("f4") if deep else G
        J = float(cost(torch_peers.planes(given_G)))
        a_C, a_S, a_G = (self.activations(torch_peers, image, deep) for image in (C, S, G))
        J_style = 0.0
        for k in range(5):
            n_C, size = len(a_G[k]), a_G[k][0].size
            gram_S, gram_G = (np.einsum("chw,dhw->cd", a, a) / size for a in (a_S[k], a_G[k]))
            weight = 1e3 / n_C**2 if deep else 1e6 / n_C**2
            J_style += weight * np.mean((gram_S - gram_G) ** 2)
        layer = 5 if deep else 3
        expected = J_style + np.mean((a_C[layer] - a_G[layer]) ** 2)
        np.testing.assert_allclose(J, expected, rtol=1e-3)

    def activations(self, torch_peers, image, deep):
        """What a method reads of a picture, (n_C, n_H, n_W) each, in float64."""
        if deep:
            weights, names = WEIGHTS, [*torch_peers.DEEP, "block4_conv2"]
            image = image[..., ::-1] * 255 - nst_utils.BGR_MEAN
        else:
            weights, names = torch_peers.for_torchvision(WEIGHTS), torch_peers.NEAR
            image = (image - np.array(torch_peers.MEAN)) / np.array(torch_peers.DEVIATION)
        layers = torch_peers.convolutions(weights, "block5_conv1")
        x = torch_peers.planes(image.astype("f4"))
        found = torch_peers.activations(layers, x, names, before_relu=not deep)
        return [a[0].numpy().astype(np.float64) for a in found]

    def test_a_picture_is_clipped_where_it_is_evaluated(self, torch_peers):
        import torch

        x, watch = torch.full((1, 3, 2, 2), 0.9), Watch(None)
        watch.limit, watch.sent = 1e9, 1e9  # it never asks
        torch_peers.descend(lambda x: ((x - 1.5) ** 2).sum(), x, watch, 21, (0, 1))
        assert len(watch.pictures) >= 21 and np.max(watch.pictures) == 1
        np.testing.assert_allclose(watch.pictures[-1], 1)

    def test_a_plain_step(self, torch_peers):
        assert len(watched(torch_peers.plain, 2, channels_last=True)) == 2


def test_the_figure_shows_every_peer(tmp_path):
    row = {"pair": "C + S", "style": 0.5, "content": 0.1}
    names = [peers.OURS, "PyTorch tutorial"]
    shots = [row | {"against": name, "seconds": s} for name in names for s in (5.0, 15.0)]
    rows = [{"against": n, "pair": "C + S", "seconds a step": 2.0, "at": "400 px"} for n in names]
    rows += [{"against": "Keras", "seconds a step": 3.0, "at": "plain step, 400 x 300"}]
    shots[-2:] = [shots[-1] | {"content": 0.0}]  # once, and still the photo: it cannot be drawn
    race = SimpleNamespace(rows=rows, shots=[])
    report.write_peers(race, 400, tmp_path)
    assert not (tmp_path / "peers.png").exists(), "only the plain steps are known"
    race.shots = shots
    report.write_peers(race, 400, tmp_path)
    assert (tmp_path / "peers.png").is_file()
    style, content, own, plain = report.draw_peers(rows, shots, 400).axes
    assert [line.get_label() for line in content.lines if line.get_marker() != "None"] == names
    assert "painting" in style.get_ylabel() and "photo" in content.get_ylabel()
    assert [label.get_text() for label in own.get_yticklabels()] == names
    assert "3 s" in [text.get_text() for text in plain.texts]
