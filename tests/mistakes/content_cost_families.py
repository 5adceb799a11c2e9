"""Exercise 1, compute_content_cost: families, such as parts, scales and other losses."""

from __future__ import annotations

import keras
import tensorflow as tf

from . import named


def _last(content_output, generated_output):
    return content_output[-1], generated_output[-1]


def _sum(d):
    return tf.reduce_sum(tf.square(d))


def _n(a):
    return 4 * a.shape[1] * a.shape[2] * a.shape[3]


# --- wrong: a part --------------------------------------------------------------------------


@named("content-overwritten")
def wrong_last_column_of_a_loop(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    total = tf.constant(0.0)
    for j in range(a_G.shape[2]):
        row = a_C[:, :, j] - a_G[:, :, j]
        total = tf.reduce_sum(row * row)
    return total / _n(a_G)


@named("content-part")
def wrong_loop_over_columns_ends_early(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    J = 0.0
    for j in range(a_G.shape[2] - 1):
        J += _sum(a_C[:, :, j] - a_G[:, :, j])
    return J / _n(a_G)


@named("content-part")
def wrong_return_in_the_loop(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    J = 0.0
    for k in range(a_G.shape[3]):
        J += _sum(a_C[..., k] - a_G[..., k])
        return J / _n(a_G)


@named("content-part")
def wrong_every_second_channel(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.reduce_mean((a_C[..., ::2] - a_G[..., ::2]) ** 2) / 4


@named("content-part")
def wrong_half_of_the_rows(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    half = a_C.shape[1] // 2
    return _sum(a_C[:, :half] - a_G[:, :half]) / _n(a_G)


# --- wrong: scaled, summed too early, another loss, a factor --------------------------------


@named("content-scaled")
def wrong_standardised(content_output, generated_output):
    a_C, a_G = (
        (a - tf.reduce_mean(a)) / tf.math.reduce_std(a)
        for a in _last(content_output, generated_output)
    )
    return _sum(a_C - a_G) / _n(a_G)


@named("content-scaled")
def wrong_softmax_over_channels(content_output, generated_output):
    a_C, a_G = (tf.nn.softmax(a) for a in _last(content_output, generated_output))
    return tf.reduce_mean((a_C - a_G) ** 2)


@named("content-sum-then-square")
def wrong_channels_summed_first(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return _sum(tf.reduce_sum(a_C - a_G, axis=-1)) / _n(a_G)


@named("content-huber")
def wrong_log_cosh(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.reduce_mean(keras.losses.log_cosh(a_C, a_G)) / 4


@named("content-relative")
def wrong_relative_entries(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.reduce_mean(((a_C - a_G) / a_C) ** 2) / 4


@named("content-binomial")
def wrong_middle_term_forgotten(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.reduce_sum(a_C**2 + a_G**2) / _n(a_G)


@named("content-sizes-added")
def wrong_plus_before_the_width(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    _, n_H, n_W, n_C = a_G.shape
    return _sum(a_C - a_G) / (4 * n_C * n_H + n_W)


@named("content-factor")
def wrong_l2_loss_divided_by_eight(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return tf.nn.l2_loss(a_C - a_G) / (2 * _n(a_G))


@named("content-no-channels")
def wrong_unpacked_from_the_front(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    height, width, channels, _ = a_G.get_shape()
    return _sum(a_C - a_G) / (4 * height * width * channels)


_results = {}


@named("content-remembers")
def wrong_kept_by_shape(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    shape = tuple(a_G.shape)
    if shape in _results:
        return _results[shape]
    _results[shape] = _sum(a_C - a_G) / _n(a_G)
    return _results[shape]


_mean = keras.metrics.Mean()


@named("content-no-gradient")
def wrong_metric(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    _mean.reset_state()
    _mean.update_state((a_C - a_G) ** 2)
    return _mean.result() / 4


# --- wrong: raised by Python or TensorFlow -----------------------------------------------------


@named("content-axis")
def wrong_axis_beyond(content_output, generated_output):
    return tf.reduce_sum((content_output[-1] - generated_output[-1]) ** 2, axis=4)


@named("content-unpack")
def wrong_sizes_after_an_index(content_output, generated_output):
    n_H, n_W, n_C = content_output[-1][0].shape[1:]
    return n_H * n_W * n_C


@named("content-arguments")
def wrong_name_of_an_argument(content_output, generated_output):
    return tf.reduce_sum(content_output[-1] - generated_output[-1], axes=0)


@named("content-truth")
def wrong_if_of_tensors(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return _sum(a_C - a_G) if a_C != a_G else 0.0


@named("content-whole-shape")
def wrong_range_of_a_shape(content_output, generated_output):
    a_C, a_G = _last(content_output, generated_output)
    return sum(_sum(a_C[0, i] - a_G[0, i]) for i in range(a_G.shape))


@named("content-called")
def wrong_shape_with_brackets(content_output, generated_output):
    return _sum(content_output[-1] - generated_output[-1]) / generated_output[-1].shape()[3]


@named("content-cause")
def wrong_keras_cosine(content_output, generated_output):
    return keras.losses.CosineSimilarity()(*_last(content_output, generated_output))


@named("content-cause")
def wrong_pooled_first(content_output, generated_output):
    a_C, a_G = (tf.nn.max_pool2d(a, 2, 1, "VALID") for a in _last(content_output, generated_output))
    return tf.reduce_mean((a_C - a_G) ** 2) / 4


# --- wrong: another thing is compared, and divided as it should be, or in another way -------------


def _of_grams(divide):
    @named("content-gram")
    def wrong(content_output, generated_output):
        a_C, a_G = content_output[-1], generated_output[-1]
        grams = [tf.einsum("bijc,bijd->bcd", a, a) for a in (a_C, a_G)]
        return divide(tf.square(grams[0] - grams[1]), float(a_G.shape.num_elements()))

    return wrong


wrong_grams_divided_as_asked = _of_grams(lambda x, n: tf.reduce_sum(x) / (4 * n))
wrong_grams_mean = _of_grams(lambda x, n: tf.reduce_mean(x))
wrong_grams_quarter = _of_grams(lambda x, n: tf.reduce_sum(x) / 4)


@named("content-means")
def wrong_means_divided_as_asked(content_output, generated_output):
    a_C, a_G = content_output[-1], generated_output[-1]
    _, n_H, n_W, n_C = a_G.shape
    means = [tf.reduce_mean(a, axis=[0, 1, 2]) for a in (a_C, a_G)]
    return tf.reduce_sum((means[0] - means[1]) ** 2) / (4 * n_H * n_W * n_C)


@named("content-all-pairs")
def wrong_all_pairs_mean(content_output, generated_output):
    a_C, a_G = (tf.reshape(a[-1], [-1]) for a in (content_output, generated_output))
    return tf.reduce_mean((a_C[:, None] - a_G) ** 2) / 4


# --- wrong: another size, or a fixed number, in the denominator -----------------------------------


def _divided_by(sizes):
    @named("content-size-exchanged")
    def wrong(content_output, generated_output):
        a_C, a_G = content_output[-1], generated_output[-1]
        return tf.reduce_sum(tf.square(a_C - a_G)) / (4 * sizes(*a_G.shape[1:]))

    return wrong


wrong_positions_twice = _divided_by(lambda H, W, C: H * W * H * W)
wrong_channels_for_positions = _divided_by(lambda H, W, C: C * C)
wrong_three_for_channels = _divided_by(lambda H, W, C: H * W * 3)
wrong_fixed_height = _divided_by(lambda H, W, C: 37 * W * C)


S = tf.ones((1, 40, 30, 3))  # a picture of the notebook


@named("content-global-sizes")
def wrong_sizes_of_a_picture(content_output, generated_output):
    a_C, a_G = content_output[-1], generated_output[-1]
    _, n_H, n_W, n_C = S.shape
    return tf.reduce_sum(tf.square(a_C - a_G)) / (4 * n_H * n_W * n_C)


@named("content-global-sizes")
def wrong_count_of_a_picture(content_output, generated_output):
    a_C, a_G = content_output[-1], generated_output[-1]
    return tf.reduce_sum(tf.square(a_C - a_G)) / (4 * tf.cast(tf.size(S), tf.float32))


@named("content-dtypes")
def wrong_quarter_of_size(content_output, generated_output):
    a_C, a_G = content_output[-1], generated_output[-1]
    return tf.reduce_sum(tf.square(a_C - a_G)) / tf.cast(tf.size(a_C) * 0.25, tf.float32)


@named("content-dtypes")
def wrong_root_of_size(content_output, generated_output):
    a_C, a_G = content_output[-1], generated_output[-1]
    return tf.reduce_sum(tf.square(a_C - a_G)) / tf.sqrt(tf.size(a_C)) / 4
