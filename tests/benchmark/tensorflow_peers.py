"""What TensorFlow's users would run, in its own code path; and this painter.

Both published methods are run on keras.applications.VGG19, as they are published, with our
network's weights: nothing of ours is in their steps. The weights of their costs are those of
recipes.py, where the same costs are written for our race.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import keras
import tensorflow as tf
from keras.applications.vgg19 import VGG19, preprocess_input

import nst_utils
import painter
from benchmark.processes import Filters, Kept, Looks

STYLE = [f"block{block}_conv1" for block in range(1, 6)]
CONTENT = "block5_conv2"  # of both
RATES = [100 / 3.0**k for k in range(7)]  # of the Keras example: the published one, and less


def ours(kept: Kept, look: Looks) -> None:
    """This painter by default; where steps alone are counted, at one scale."""
    counting = {"scales": 1, "steps": look.steps, "tolerance": 0} if look.steps else {}
    recipe = painter.Recipe(**kept.options | counting)
    C, S = tf.constant(kept.C), tf.constant(kept.S)
    model = nst_utils.build_vgg19(kept.ours, recipe.layers(), "max")
    look.begin()
    net, best = painter.Network(model, recipe.layers()), None
    for frame in painter.paint_scales(net, C, [S], recipe, time.monotonic()):
        if frame.side == max(C.shape):
            best = frame if best is None or frame.J <= best.J else best
            shown = best.image
            look(lambda: shown.numpy()[0])  # noqa: B023, it is called before the next frame


def tutorial(kept: Kept, look: Looks, steps: int = 1000) -> None:
    """TensorFlow's tutorial "Neural style transfer": Adam on J and a total variation."""
    network = keras_vgg19(kept.raw)
    extractor = keras.Model(network.input, [network.get_layer(n).output for n in [*STYLE, CONTENT]])
    image = tf.Variable(kept.C)
    adam = keras.optimizers.Adam(learning_rate=0.02, beta_1=0.99, epsilon=1e-1)

    def features(picture: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
        *style, content = extractor(preprocess_input(picture * 255.0))
        return [_gram(a) for a in style], content

    look.begin()
    grams, content = features(tf.constant(kept.S))[0], features(tf.constant(kept.C))[1]

    @tf.function
    def step(image: tf.Variable) -> None:
        with tf.GradientTape() as tape:
            found, deep = features(image)
            pairs = zip(found, grams, strict=True)
            loss = 1e-2 / 5 * tf.add_n([tf.reduce_mean((a - b) ** 2) for a, b in pairs])
            loss += 1e4 * tf.reduce_mean((deep - content) ** 2)
            loss += 30 * tf.image.total_variation(image)
        adam.apply_gradients([(tape.gradient(loss, image), image)])
        image.assign(tf.clip_by_value(image, 0.0, 1.0))

    for _ in range(steps):
        step(image)
        look(lambda: image.numpy()[0])


def _gram(a: tf.Tensor) -> tf.Tensor:
    """Gram matrix / (n_H n_W), as the tutorial has it: one contraction."""
    return tf.einsum("bijc,bijd->bcd", a, a) / tf.cast(tf.shape(a)[1] * tf.shape(a)[2], tf.float32)


def example(kept: Kept, look: Looks, steps: int = 4000) -> None:
    """The Keras example "Neural style transfer": SGD; each step, the network sees three pictures.

    Its rate is the published one, or, where that diverges at once, a third of it, and so on; the
    seconds to find out are not counted.
    """
    network = keras_vgg19(kept.raw)
    extractor = keras.Model(network.input, {layer.name: layer.output for layer in network.layers})
    S = tf.image.resize(kept.S, kept.C.shape[1:3])  # it loads the painting at the photo's size
    base, style = (preprocess_input(255.0 * tf.constant(image)) for image in (kept.C, S))

    def traced() -> Callable:
        return tf.function(lambda picture: example_gradient(extractor, picture, base, style))

    rate = RATES[0] if look.steps else falling_rate(traced(), base)
    look.note = f"rate {rate:.3g}, published: {RATES[0]:.0f}"
    look.begin()
    picture, sgd, gradient = tf.Variable(base), _sgd(rate), traced()
    for _ in range(steps):
        sgd.apply_gradients([(gradient(picture)[1], picture)])
        look(lambda: ((picture.numpy()[0] + nst_utils.BGR_MEAN) / 255)[..., ::-1])


def _sgd(rate: float) -> keras.optimizers.Optimizer:
    schedule = keras.optimizers.schedules.ExponentialDecay(rate, decay_steps=100, decay_rate=0.96)
    return keras.optimizers.SGD(schedule)


def falling_rate(gradient: Callable, base: tf.Tensor, steps: int = 10) -> float:
    """The first of RATES with which the loss falls."""
    for rate in RATES:
        picture, sgd = tf.Variable(base), _sgd(rate)
        first = gradient(picture)
        sgd.apply_gradients([(first[1], picture)])
        for _ in range(steps):
            loss, slope = gradient(picture)
            if not loss < first[0]:  # also if it is no number
                break
            sgd.apply_gradients([(slope, picture)])
        else:
            return rate
    return RATES[-1]


def example_gradient(
    extractor: keras.Model, picture: tf.Tensor, base: tf.Tensor, style: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The Keras example's loss, and its gradient."""
    size = float(picture.shape[1] * picture.shape[2])
    with tf.GradientTape() as tape:
        tape.watch(picture)
        features = extractor(tf.concat([base, style, picture], axis=0))
        deep = features[CONTENT]
        loss = 2.5e-8 * tf.reduce_sum((deep[2] - deep[0]) ** 2)
        for name in STYLE:
            S, G = (_sums(features[name][k]) for k in (1, 2))
            loss += 1e-6 / 5 * tf.reduce_sum((S - G) ** 2) / (4.0 * 3**2 * size**2)
        down = (picture[:, :-1, :-1] - picture[:, 1:, :-1]) ** 2
        across = (picture[:, :-1, :-1] - picture[:, :-1, 1:]) ** 2
        loss += 1e-6 * tf.reduce_sum((down + across) ** 1.25)
    return loss, tape.gradient(loss, picture)


def _sums(a: tf.Tensor) -> tf.Tensor:
    """Gram matrix of (n_H, n_W, n_C), over positions that are not counted."""
    a = tf.reshape(tf.transpose(a, (2, 0, 1)), (a.shape[-1], -1))
    return tf.matmul(a, a, transpose_b=True)


def plain_ours(kept: Kept, look: Looks) -> None:
    """Our network forward to block5_conv1, and back to the pixels. Until it is enough."""
    names = ["block5_conv1"]
    net = painter.Network(nst_utils.build_vgg19(kept.raw, names, "max"), names)

    def step(G: tf.Tensor) -> tf.Tensor:
        (a,), back = net(G)
        return back([2 * a / tf.cast(tf.size(a), tf.float32)])  # of the mean square

    _repeat(step, kept, look)


def plain_keras(kept: Kept, look: Looks, sooner: bool = False) -> None:
    """The same with Keras and a tape; `sooner`: with the layers of the course's notebook."""
    kinds = {"convolution": painter.Winograd} if sooner else {}
    model = nst_utils.build_vgg19(kept.raw, ["block5_conv1"], **kinds)

    def step(G: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(G)
            loss = tf.reduce_mean(tf.nest.flatten(model(G))[0] ** 2)
        return tape.gradient(loss, G)

    _repeat(step, kept, look)


def _repeat(step: Callable[[tf.Tensor], tf.Tensor], kept: Kept, look: Looks) -> None:
    C, traced = tf.constant(kept.C), tf.function(step, autograph=False)
    look.begin()
    for _ in itertools.count():
        gradient = traced(C).numpy()
        look(lambda: gradient[0])  # noqa: B023, it is called before the next step


def keras_vgg19(weights: dict[str, Filters]) -> keras.Model:
    """Keras' own VGG-19, without its top, with these weights."""
    network = VGG19(include_top=False, weights=None)
    network.trainable = False
    for name, filters in weights.items():
        network.get_layer(name).set_weights(filters)
    return network
