"""Exercise 5, train_step: gradients, pairs, dtypes, layers, loops, and functions that it calls."""

# ruff: noqa: B905  (students write zip without strict)

from __future__ import annotations

import keras
import tensorflow as tf

from . import content_cost, named, rebind
from . import layer_style_cost as style_cost
from .train_step import (
    J_of,
    clip,
    compute_content_cost,
    compute_layer_style_cost,
    compute_style_cost,
    step_as_taught,
    total_cost,
)


def _with_gradient(update):
    """A train_step that is right but for what it does with tape, J and gradient."""

    def wrong(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
        with tf.GradientTape() as tape:
            J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
        update(tape, J, generated_image, optimizer)
        clip(generated_image)
        return J

    return wrong


def _with_cost(cost):
    """A train_step that is right but for the cost that it computes."""

    def wrong(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
        with tf.GradientTape() as tape:
            J = cost(vgg(generated_image), a_C, a_S, alpha, beta)
        optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
        clip(generated_image)
        return J

    return wrong


# --- wrong: the gradient -------------------------------------------------------------------------


@named("train-gradient-swapped")
def wrong_gradient_swapped(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    grad = tape.gradient(generated_image, J)
    optimizer.apply_gradients([(grad, generated_image)])
    clip(generated_image)
    return J


@named("train-predict")
def wrong_predict(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg.predict(generated_image, verbose=0)
        J = J_of(a_G, a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


@named("train-left-tensorflow")
def wrong_float_before_gradient(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = float(J_of(vgg(generated_image), a_C, a_S, alpha, beta))
    grad = tape.gradient(J, generated_image)
    optimizer.apply_gradients([(grad, generated_image)])
    clip(generated_image)
    return J


@named("train-left-tensorflow")
def wrong_numpy_before_gradient(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta).numpy()
    grad = tape.gradient(J, generated_image)
    optimizer.apply_gradients([(grad, generated_image)])
    clip(generated_image)
    return J


@named("train-tape-twice")
def wrong_tape_used_twice(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J_content, J_style = compute_content_cost(a_C, a_G), compute_style_cost(a_S, a_G)
    grad = tape.gradient(J_content, generated_image) + tape.gradient(J_style, generated_image)
    optimizer.apply_gradients([(grad, generated_image)])
    clip(generated_image)
    return total_cost(J_content, J_style, alpha, beta)


@named("train-pairs")
@_with_gradient
def wrong_gradient_alone(tape, J, generated_image, optimizer):
    optimizer.apply_gradients(tape.gradient(J, generated_image))


@named("train-pairs")
def wrong_pair_swapped(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(generated_image, tape.gradient(J, generated_image))])
    clip(generated_image)
    return J


@named("train-pairs")
@_with_gradient
def wrong_zip_of_tensors(tape, J, generated_image, optimizer):
    optimizer.apply_gradients(zip(tape.gradient(J, generated_image), generated_image))


@named("train-minimize")
@_with_gradient
def wrong_minimize(tape, J, generated_image, optimizer):
    optimizer.minimize(J, [generated_image])


@named("train-gradient-clipped")
@_with_gradient
def wrong_gradient_clipped(tape, J, generated_image, optimizer):
    grad = tf.clip_by_value(tape.gradient(J, generated_image), -1.0, 1.0)
    optimizer.apply_gradients([(grad, generated_image)])


@named("train-gradient-scaled")
@_with_gradient
def wrong_gradient_clipped_by_norm(tape, J, generated_image, optimizer):
    grad = tf.clip_by_norm(tape.gradient(J, generated_image), 1.0)
    optimizer.apply_gradients([(grad, generated_image)])


@named("train-gradient-scaled")
@_with_gradient
def wrong_gradient_normalised(tape, J, generated_image, optimizer):
    grad = tape.gradient(J, generated_image)
    optimizer.apply_gradients([(grad / (tf.math.reduce_std(grad) + 1e-8), generated_image)])


@named("train-gradient-scaled")
@_with_gradient
def wrong_gradient_halved(tape, J, generated_image, optimizer):
    optimizer.apply_gradients([(0.5 * tape.gradient(J, generated_image), generated_image)])


@named("train-gradient-sign")
@_with_gradient
def wrong_sign_of_gradient(tape, J, generated_image, optimizer):
    optimizer.apply_gradients([(tf.sign(tape.gradient(J, generated_image)), generated_image)])


# --- wrong: what is assigned ---------------------------------------------------------------------


@named("train-dtypes")
@_with_gradient
def wrong_assigned_float64(tape, J, generated_image, optimizer):
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    generated_image.assign(tf.clip_by_value(tf.cast(generated_image, tf.float64), 0.0, 1.0))


@named("train-dtypes")
@_with_gradient
def wrong_assigned_uint8(tape, J, generated_image, optimizer):
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    generated_image.assign(tf.cast(255 * generated_image, tf.uint8))


@named("train-rounded")
@_with_gradient
def wrong_rounded(tape, J, generated_image, optimizer):
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    generated_image.assign(tf.round(255 * tf.clip_by_value(generated_image, 0, 1)) / 255)


@named("train-squeezed")
@_with_gradient
def wrong_sigmoid(tape, J, generated_image, optimizer):
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    generated_image.assign(tf.sigmoid(generated_image))


@named("train-clip-other")
@_with_gradient
def wrong_clipped_to_nine_tenths(tape, J, generated_image, optimizer):
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    generated_image.assign(tf.clip_by_value(generated_image, 0.0, 0.9))


@named("train-rate-changed")
@_with_gradient
def wrong_learning_rate(tape, J, generated_image, optimizer):
    optimizer.learning_rate = 0.001
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])


@named("train-pairs")
@_with_gradient
def wrong_pair_of_lists(tape, J, generated_image, optimizer):
    gradients = tape.gradient(J, [generated_image])
    optimizer.apply_gradients([(gradients, [generated_image])])


@named("train-no-batch")
def wrong_batch_dropped(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image[0]), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


@named("train-no-tape")
def wrong_no_tape(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    grad = tape.gradient(J, generated_image)  # noqa: F821
    optimizer.apply_gradients([(grad, generated_image)])
    return J


# --- wrong: layers and weights -------------------------------------------------------------------

content, style, layer = compute_content_cost, compute_style_cost, compute_layer_style_cost
wrong_first_layer_only = named("train-one-layer")(
    _with_cost(lambda G, C, S, a, b: total_cost(content(C, G), layer(S[0], G[0]), a, b))
)
wrong_last_output_as_style = named("train-one-layer")(
    _with_cost(lambda G, C, S, a, b: total_cost(content(C, G), layer(S[-1], G[-1]), a, b))
)
wrong_left_out_twice = named("train-layer-missing")(
    _with_cost(lambda G, C, S, a, b: total_cost(content(C, G), style(S[:-1], G[:-1]), a, b))
)
wrong_layers_unweighted = named("train-layers-unweighted")(
    _with_cost(
        lambda G, C, S, a, b: total_cost(
            content(C, G), sum(layer(s, g) for s, g in zip(S[:-1], G[:-1])), a, b
        )
    )
)
wrong_layers_weighted_twice = named("train-layers-weighted-twice")(
    _with_cost(lambda G, C, S, a, b: total_cost(content(C, G), 0.2 * style(S, G), a, b))
)
wrong_content_layer_too = named("train-layer-too-many")(
    _with_cost(
        lambda G, C, S, a, b: total_cost(
            content(C, G), sum(layer(s, g) for s, g in zip(S, G)) / 6, a, b
        )
    )
)
wrong_weights_twice = named("train-weights-twice")(
    _with_cost(lambda G, C, S, a, b: total_cost(a * content(C, G), b * style(S, G), a, b))
)
wrong_beta_for_both = named("train-one-weight")(
    _with_cost(lambda G, C, S, a, b: total_cost(content(C, G), style(S, G), b, b))
)


@named("train-further-term")
def wrong_total_variation(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
        J += tf.reduce_sum(tf.image.total_variation(generated_image))
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


@named("train-image-scaled")
def wrong_times_255(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(255 * generated_image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


@named("train-image-scaled")
def wrong_preprocessed(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        image = keras.applications.vgg19.preprocess_input(255 * generated_image)
        J = J_of(vgg(image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


wrong_content_of_first_layer = named("train-content-layer")(
    _with_cost(lambda G, C, S, a, b: total_cost(content(C[:1], G[:1]), style(S, G), a, b))
)
wrong_layers_reversed = named("train-layer-too-many")(
    _with_cost(lambda G, C, S, a, b: total_cost(content(C, G), style(S[::-1], G[::-1]), a, b))
)
wrong_compared_with_itself = named("train-no-style")(
    _with_cost(lambda G, C, S, a, b: total_cost(content(C, G), style(G, G), a, b))
)


def _half(activations):
    return [tf.cast(a, tf.float16) for a in activations]


wrong_float16_inside = named("train-float16")(
    _with_cost(
        lambda G, C, S, a, b: tf.cast(
            J_of(_half(G), _half(C), _half(S), float(a), float(b)), tf.float32
        )
    )
)


# --- wrong: loops, results, the notebook's own names ---------------------------------------------


@named("train-several-steps")
def wrong_two_steps(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    J = step_as_taught(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)
    step_as_taught(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)
    return J


@named("train-several-steps")
def wrong_ten_epochs(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    for _ in range(10):
        J = step_as_taught(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)
    return J


@named("train-endless")
def wrong_calls_itself(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    return wrong_calls_itself(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)


@named("train-not-a-tensor")
def wrong_returns_all_costs(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J_content, J_style = compute_content_cost(a_C, a_G), compute_style_cost(a_S, a_G)
        J = total_cost(J_content, J_style, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J, J_content, J_style


_optimizer = keras.optimizers.SGD(0.03)
_optimizer.build([tf.Variable(0.0)])


@named("train-global")
def wrong_global_optimizer(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    _optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


@named("train-stub-left")
def wrong_stub_left_above(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    raise NotImplementedError("Exercise 5: train_step")
    return step_as_taught(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)


# --- wrong: itself, and functions that it calls --------------------------------------------------


def _no_clip(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J_content, J_style = compute_content_cost(a_C, a_G), compute_style_cost(a_S, a_G)
        J = total_cost(J_content, J_style, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    return J


def _style_of_itself(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J = total_cost(compute_content_cost(a_C, a_G), compute_style_cost(a_C, a_G), alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


_scrambled = rebind(compute_style_cost, compute_layer_style_cost=style_cost.wrong_reshape_only)
wrong_no_clip_above_scrambled = named("train-no-clip+train-fix-costs")(
    rebind(_no_clip, compute_style_cost=_scrambled)
)
wrong_target_above_content_stub = named("train-style-target+train-fix-costs")(
    rebind(_style_of_itself, compute_content_cost=content_cost.wrong_stub)
)


def _own_content(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J_content = tf.reduce_mean((a_C[-1] - a_G[-1]) ** 2) / 4
        J = total_cost(J_content, compute_style_cost(a_S, a_G), alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    return J


wrong_no_clip_content_not_called = named("train-no-clip")(  # Exercise 1 is wrong, but not called
    rebind(_own_content, compute_content_cost=content_cost.wrong_mean)
)


# --- wrong: seen in a second class ---------------------------------------------------------------


@named("train-clip-swapped")
def wrong_limits_swapped(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    J = _own_content(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)
    generated_image.assign(tf.clip_by_value(generated_image, 1.0, 0.0))
    return J


@named("train-copy")
def wrong_copy(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    image = tf.Variable(generated_image)
    J = _own_content(image, vgg, a_C, a_S, optimizer, alpha, beta)
    generated_image.assign(tf.clip_by_value(image, 0.0, 1.0))
    return J


@named("train-gradient-averaged")
@_with_gradient
def wrong_grey_gradient(tape, J, generated_image, optimizer):
    grad = tape.gradient(J, generated_image)
    grad = tf.reduce_mean(grad, axis=-1, keepdims=True) * tf.ones_like(grad)
    optimizer.apply_gradients([(grad, generated_image)])


@named("train-gradient-masked")
@_with_gradient
def wrong_red_only(tape, J, generated_image, optimizer):
    grad = tape.gradient(J, generated_image) * tf.constant([1.0, 0.0, 0.0])
    optimizer.apply_gradients([(grad, generated_image)])
