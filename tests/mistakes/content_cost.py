"""Exercise 1, compute_content_cost: wrong and right answers."""

# ruff: noqa: B905  (students write zip without strict)

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from . import named


def _last(content_output, generated_output):
    return content_output[-1], generated_output[-1]


def _sum(content_output, generated_output):
    return tf.reduce_sum(tf.square(content_output[-1] - generated_output[-1]))


def _normaliser(content_output):
    _, n_H, n_W, n_C = content_output[-1].shape
    return 4.0 * n_H * n_W * n_C


# --- wrong ---------------------------------------------------------------------------------------


@named("content-no-quarter")
def wrong_no_quarter(content_output, generated_output):
    return 4 * _sum(content_output, generated_output) / _normaliser(content_output)


@named("content-no-quarter")
def wrong_mean(content_output, generated_output):
    return tf.reduce_mean(tf.square(content_output[-1] - generated_output[-1]))


@named("content-not-normalised")
def wrong_half_sum(content_output, generated_output):
    return 0.5 * _sum(content_output, generated_output)


@named("content-not-normalised")
def wrong_plain_sum(content_output, generated_output):
    return _sum(content_output, generated_output)


@named("content-not-normalised")
def wrong_quarter_only(content_output, generated_output):
    return _sum(content_output, generated_output) / 4


@named("content-half")
def wrong_half_mean(content_output, generated_output):
    return 0.5 * tf.reduce_mean(tf.square(content_output[-1] - generated_output[-1]))


@named("content-mean-and-normaliser")
def wrong_mean_and_normaliser(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.reduce_mean(tf.square(a_C - a_G)) / _normaliser(content_output)


@named("content-no-square")
def wrong_no_square(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.reduce_sum(a_C - a_G) / _normaliser(content_output)


@named("content-absolute")
def wrong_absolute(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.reduce_sum(tf.abs(a_C - a_G)) / _normaliser(content_output)


@named("content-sum-then-square")
def wrong_sum_then_square(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.reduce_sum(a_C - a_G) ** 2 / _normaliser(content_output)


@named("content-root")
def wrong_norm(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.norm(a_C - a_G) / _normaliser(content_output)


@named("content-root+content-not-normalised")
def wrong_plain_norm(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.norm(a_C - a_G) / 4


@named("content-squares-subtracted")
def wrong_squares_subtracted(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.reduce_sum(a_C**2 - a_G**2) / _normaliser(content_output)


@named("content-plus")
def wrong_plus(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.reduce_sum((a_C + a_G) ** 2) / _normaliser(content_output)


@named("content-first-layer")
def wrong_first_layer(content_output, generated_output):
    return wrong_quarter_mean(content_output[:1], generated_output[:1])


def wrong_quarter_mean(content_output, generated_output):
    return tf.reduce_mean(tf.square(content_output[0] - generated_output[0])) / 4


wrong_quarter_mean.mistakes = ("content-first-layer",)


@named("content-first-layer+content-no-quarter")
def wrong_first_layer_mean(content_output, generated_output):
    return tf.reduce_mean(tf.square(content_output[0] - generated_output[0]))


@named("content-layer-before")
def wrong_layer_before(content_output, generated_output):
    return tf.reduce_mean(tf.square(content_output[-2] - generated_output[-2])) / 4


@named("content-second-layer")
def wrong_second_layer(content_output, generated_output):
    return tf.reduce_mean(tf.square(content_output[1] - generated_output[1])) / 4


@named("content-all-layers")
def wrong_all_layers(content_output, generated_output):
    pairs = zip(content_output, generated_output)
    return sum(tf.reduce_mean(tf.square(c - g)) / 4 for c, g in pairs)


@named("content-all-layers")
def wrong_all_layers_last_normaliser(content_output, generated_output):
    pairs = zip(content_output, generated_output)
    total = sum(tf.reduce_sum(tf.square(c - g)) for c, g in pairs)
    return total / _normaliser(content_output)


@named("content-all-layers+content-no-quarter")
def wrong_all_layers_mean(content_output, generated_output):
    pairs = zip(content_output, generated_output)
    return sum(tf.reduce_mean(tf.square(c - g)) for c, g in pairs)


@named("content-precedence")
def wrong_precedence(content_output, generated_output):
    _, n_H, n_W, n_C = content_output[-1].shape
    return 1 / 4 * n_H * n_W * n_C * _sum(content_output, generated_output)


@named("content-precedence")
def wrong_precedence_later(content_output, generated_output):
    _, n_H, n_W, n_C = content_output[-1].shape
    return _sum(content_output, generated_output) / 4 * n_H * n_W * n_C


@named("content-precedence")
def wrong_precedence_half(content_output, generated_output):
    _, n_H, n_W, n_C = content_output[-1].shape
    return _sum(content_output, generated_output) / (4 * n_H * n_W) * n_C


@named("content-dims-hard-coded")
def wrong_hard_coded(content_output, generated_output):
    return _sum(content_output, generated_output) / (4 * 4 * 4 * 3)


@named("content-dims-hard-coded")
def wrong_hard_coded_reshape(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    a_C, a_G = tf.reshape(a_C, [169, 11]), tf.reshape(a_G, [169, 11])  # no case has so many
    return tf.reduce_sum((a_C - a_G) ** 2) / (4 * 13 * 13 * 11)


@named("content-no-channels")
def wrong_no_channels(content_output, generated_output):
    _, n_H, n_W, _ = content_output[-1].shape
    return _sum(content_output, generated_output) / (4 * n_H * n_W)


@named("content-size-exchanged")
def wrong_height_twice(content_output, generated_output):
    _, n_H, _, n_C = content_output[-1].shape
    return _sum(content_output, generated_output) / (4 * n_H * n_H * n_C)


@named("content-mean-and-normaliser")
def wrong_style_normaliser(content_output, generated_output):
    _, n_H, n_W, n_C = content_output[-1].shape
    return _sum(content_output, generated_output) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("content-sign")
def wrong_sign(content_output, generated_output):
    return -_sum(content_output, generated_output) / _normaliser(content_output)


@named("content-no-gradient")
def wrong_numpy(content_output, generated_output):
    a_C, a_G = content_output[-1].numpy(), generated_output[-1].numpy()
    return tf.constant(np.sum((a_C - a_G) ** 2) / (4 * a_C.size), dtype=tf.float32)


@named("content-no-gradient")
def wrong_float(content_output, generated_output):
    return float(_sum(content_output, generated_output)) / _normaliser(content_output)


@named("content-no-gradient")
def wrong_numpy_at_the_end(content_output, generated_output):
    return (_sum(content_output, generated_output) / _normaliser(content_output)).numpy()


@named("content-no-gradient")
def wrong_stop_gradient(content_output, generated_output):
    J = _sum(content_output, generated_output) / _normaliser(content_output)
    return tf.stop_gradient(J)


@named("content-gradient-part")
def wrong_detached_generated(content_output, generated_output):
    a_C, a_G = content_output[-1], tf.stop_gradient(generated_output[-1])
    return tf.reduce_mean(tf.square(a_C - a_G)) / 4


@named("content-no-quarter")
def wrong_numpy_and_no_quarter(content_output, generated_output):
    return np.mean((content_output[-1].numpy() - generated_output[-1].numpy()) ** 2)


@named("content-no-return")
def wrong_no_return(content_output, generated_output):
    J = _sum(content_output, generated_output) / _normaliser(content_output)  # noqa: F841


@named("content-not-a-scalar")
def wrong_not_summed(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.square(a_C - a_G) / _normaliser(content_output)


@named("content-not-a-scalar")
def wrong_summed_over_one_axis(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.reduce_sum(tf.square(a_C - a_G), axis=-1) / _normaliser(content_output)


@named("content-shape")
def wrong_keepdims(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.reduce_mean(tf.square(a_C - a_G), keepdims=True) / 4


@named("content-zero")
def wrong_same_twice(content_output, generated_output):
    a_C, a_G = generated_output[-1], generated_output[-1]
    return tf.reduce_mean(tf.square(a_C - a_G)) / 4


@named("content-as-in-numpy")
def wrong_sum_method(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return ((a_C - a_G) ** 2).sum() / _normaliser(content_output)


@named("content-no-such-name")
def wrong_raises(content_output, generated_output):
    return content_output[-1].number


@named("content-list")
def wrong_list(content_output, generated_output):
    return tf.reduce_sum((content_output - generated_output) ** 2)


@named("content-unpack")
def wrong_unpack(content_output, generated_output):
    n_H, n_W, n_C = content_output[-1].shape
    return _sum(content_output, generated_output) / (4 * n_H * n_W * n_C)


@named("content-power")
def wrong_power(content_output, generated_output):
    return tf.reduce_mean((content_output[-1] - generated_output[-1]) ^ 2) / 4


@named("content-changes-argument")
def wrong_in_place(content_output, generated_output):
    content_output[-1] -= generated_output[-1]
    return tf.reduce_mean(tf.square(content_output[-1])) / 4


@named("content-not-written")
def wrong_stub(content_output, generated_output):
    raise NotImplementedError()


@named("content-not-a-tensor")
def wrong_tuple(content_output, generated_output):
    return _sum(content_output, generated_output), _normaliser(content_output)


@named("content-dtype")
def wrong_float64(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.reduce_mean(tf.square(tf.cast(a_C - a_G, tf.float64))) / 4


@named("content-changes-argument")
def wrong_pop(content_output, generated_output):
    a_C, a_G = content_output.pop(), generated_output.pop()
    return tf.reduce_mean(tf.square(a_C - a_G)) / 4


@named("content-nan")
def wrong_nan(content_output, generated_output):
    return _sum(content_output, generated_output) / 0.0


@named("content-no-square+content-no-quarter")
def wrong_mean_difference(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.reduce_mean(a_C - a_G)


@named("content-first-layer+content-precedence")
def wrong_first_layer_and_precedence(content_output, generated_output):
    a_C, a_G = content_output[0], generated_output[0]
    _, n_H, n_W, n_C = content_output[-1].shape
    return 1 / 4 * n_H * n_W * n_C * tf.reduce_sum((a_C - a_G) ** 2)


@named("content-index-hard-coded")
def wrong_index_five(content_output, generated_output):
    return tf.reduce_mean(tf.square(content_output[5] - generated_output[5])) / 4


@named("content-first-layer+content-absolute+content-not-normalised")
def wrong_first_layer_absolute(content_output, generated_output):
    return tf.reduce_sum(tf.abs(content_output[0] - generated_output[0]))


@named("content-layer-before+content-no-square")
def wrong_layer_before_no_square(content_output, generated_output):
    return tf.reduce_mean(content_output[-2] - generated_output[-2]) / 4


# --- right ---------------------------------------------------------------------------------------


def right_plain(content_output, generated_output):
    return _sum(content_output, generated_output) / _normaliser(content_output)


def right_mean(content_output, generated_output):
    return tf.reduce_mean(tf.square(content_output[-1] - generated_output[-1])) / 4


def right_l2_loss(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.nn.l2_loss(a_C - a_G) / (_normaliser(content_output) / 2)


def right_course(content_output, generated_output):
    a_C = content_output[-1]
    a_G = generated_output[-1]
    _, n_H, n_W, n_C = a_G.get_shape().as_list()
    a_C_unrolled = tf.transpose(tf.reshape(a_C, shape=[1, n_H * n_W, n_C]), perm=[0, 2, 1])
    a_G_unrolled = tf.transpose(tf.reshape(a_G, shape=[1, n_H * n_W, n_C]), perm=[0, 2, 1])
    difference = tf.square(tf.subtract(a_C_unrolled, a_G_unrolled))
    return (1 / (4 * n_H * n_W * n_C)) * tf.reduce_sum(difference)


def right_swapped(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return 0.25 * tf.reduce_mean((a_G - a_C) * (a_G - a_C))


def right_tf_shape(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    size = tf.cast(tf.size(a_C), tf.float32)
    return tf.reduce_sum(tf.math.squared_difference(a_C, a_G)) / (4 * size)


def right_einsum(content_output, generated_output):
    d = content_output[-1] - generated_output[-1]
    return tf.einsum("bhwc,bhwc->", d, d) / _normaliser(content_output)


def right_keras(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return keras.ops.mean(keras.ops.square(a_C - a_G)) / 4


def right_norm_squared(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.norm(a_C - a_G) ** 2 / _normaliser(content_output)


def right_loop(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    total = 0.0
    for c in range(a_C.shape[-1]):
        total += tf.reduce_sum((a_C[..., c] - a_G[..., c]) ** 2)
    return total / _normaliser(content_output)


def right_tensordot(content_output, generated_output):
    d = tf.reshape(content_output[-1] - generated_output[-1], [-1])
    return tf.tensordot(d, d, axes=1) / _normaliser(content_output)


def right_power(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    n = np.prod(a_C.shape)
    return tf.add_n([tf.reduce_sum(tf.pow(a_C - a_G, 2))]) * (1.0 / (4.0 * n))


@tf.function
def right_decorated(content_output, generated_output):
    return tf.reduce_mean((content_output[-1] - generated_output[-1]) ** 2) / 4


def right_mse(content_output, generated_output):
    a_C, a_G = (tf.reshape(a[-1], [-1]) for a in (content_output, generated_output))
    return tf.reduce_mean(keras.losses.mean_squared_error(a_C, a_G)) / 4
