"""Exercise 1, compute_content_cost: slips with operators, sizes, lists, dtypes; right ones, too."""

from __future__ import annotations

import functools

import keras
import numpy as np
import tensorflow as tf

from . import named

_notebook_a_C = tf.ones((1, 1, 1, 1))


def _difference(content_output, generated_output):
    return content_output[-1] - generated_output[-1]


def _normaliser(a):
    return 4 * a.shape[1] * a.shape[2] * a.shape[3]


# --- wrong ---------------------------------------------------------------------------------------


@named("content-power")
def wrong_xor(content_output, generated_output):
    d = _difference(content_output, generated_output)
    return tf.reduce_sum(d ^ 2) / _normaliser(d)


@named("content-times-two")
def wrong_times_two(content_output, generated_output):
    d = _difference(content_output, generated_output)
    return tf.reduce_sum(d * 2) / _normaliser(d)


@named("content-floor")
def wrong_floor(content_output, generated_output):
    d = _difference(content_output, generated_output)
    return tf.reduce_sum(d**2) // _normaliser(d)


@named("content-zero")
def wrong_floor_of_a_quarter(content_output, generated_output):
    return 1 // 4 * tf.reduce_mean(_difference(content_output, generated_output) ** 2)


@named("content-sizes-of-first-layer")
def wrong_sizes_of_first_layer(content_output, generated_output):
    d = _difference(content_output, generated_output)
    return tf.reduce_sum(tf.square(d)) / _normaliser(content_output[0])


@named("content-sizes-of-another-layer", "content-sizes-of-first-layer")
def wrong_sizes_of_layer_before(content_output, generated_output):
    d = _difference(content_output, generated_output)
    return tf.reduce_sum(tf.square(d)) / _normaliser(content_output[-2])


@named("content-sizes-added")
def wrong_sizes_added(content_output, generated_output):
    d = _difference(content_output, generated_output)
    return tf.reduce_sum(d * d) / (4 * (d.shape[1] + d.shape[2] + d.shape[3]))


@named("content-size-exchanged")
def wrong_channels_for_width(content_output, generated_output):
    d = _difference(content_output, generated_output)
    return tf.reduce_sum(d * d) / (4 * d.shape[1] * d.shape[3] * d.shape[3])


@named("content-mean-and-normaliser")
def wrong_normaliser_squared(content_output, generated_output):
    d = _difference(content_output, generated_output)
    return 4 * tf.reduce_sum(d * d) / _normaliser(d) ** 2


@named("content-root")
def wrong_root_of_mean(content_output, generated_output):
    return tf.sqrt(tf.reduce_mean(_difference(content_output, generated_output) ** 2)) / 4


@named("content-part")
def wrong_last_of_last(content_output, generated_output):
    a_C, a_G = content_output[-1][-1][-1], generated_output[-1][-1][-1]
    return tf.reduce_mean((a_C - a_G) ** 2) / 4


@named("content-not-a-tensor")
def wrong_returns_difference_too(content_output, generated_output):
    d = _difference(content_output, generated_output)
    return tf.reduce_mean(d**2) / 4, d


@named("content-list")
def wrong_tf_subtract_lists(content_output, generated_output):
    return tf.reduce_mean(tf.square(tf.subtract(content_output, generated_output))) / 4


@named("content-list")
def wrong_shape_of_list(content_output, generated_output):
    _, n_H, n_W, n_C = content_output.shape
    d = _difference(content_output, generated_output)
    return tf.reduce_sum(d * d) / (4 * n_H * n_W * n_C)


@named("content-batch-dropped")
def wrong_batch_dropped(content_output, generated_output):
    a_C, a_G = content_output[-1][0], generated_output[-1][0]
    _, n_H, n_W, n_C = a_C.shape
    return tf.reduce_sum(tf.square(a_C - a_G)) / (4 * n_H * n_W * n_C)


@named("content-argument-unused")
def wrong_global(content_output, generated_output):
    return tf.reduce_mean((_notebook_a_C - generated_output[-1]) ** 2) / 4


@named("content-float16")
def wrong_float16_inside(content_output, generated_output):
    c, g = (tf.cast(a[-1], tf.float16) for a in (content_output, generated_output))
    return tf.cast(tf.reduce_mean((c - g) ** 2), tf.float32) / 4


@named("content-inexact")
def wrong_bfloat16_inside(content_output, generated_output):
    c, g = (tf.cast(a[-1], tf.bfloat16) for a in (content_output, generated_output))
    return tf.cast(tf.reduce_mean((c - g) ** 2), tf.float32) / 4


@named("content-whole-numbers")
def wrong_whole_numbers(content_output, generated_output):
    c, g = (tf.cast(a[-1], tf.int32) for a in (content_output, generated_output))
    return tf.reduce_mean(tf.cast((c - g) ** 2, tf.float32)) / 4


@named("content-dtypes")
def wrong_divided_by_whole_number(content_output, generated_output):
    d = _difference(content_output, generated_output)
    return tf.reduce_sum(d * d) / (4 * tf.size(d))


@named("content-none")
def wrong_none_left(content_output, generated_output):
    a_G = None
    return tf.reduce_sum(tf.square(content_output[-1] - a_G)) / 4


@named("content-no-such-name")
def wrong_typo(content_output, generated_output):
    a_c = content_output[-1]  # noqa: F841
    return tf.reduce_mean((a_C - generated_output[-1]) ** 2) / 4  # noqa: F821


@named("content-too-large")
def wrong_outer_product(content_output, generated_output):
    d = tf.reshape(_difference(content_output, generated_output), [-1])
    return tf.linalg.trace(tf.tensordot(d, d, axes=0)) / (4 * d.shape[0])


@named("content-stub-left")
def wrong_stub_left_above(content_output, generated_output):
    raise NotImplementedError("Exercise 1: compute_content_cost")
    return tf.reduce_mean(_difference(content_output, generated_output) ** 2) / 4


@named("content-endless")
def wrong_calls_itself(content_output, generated_output):
    return wrong_calls_itself(content_output, generated_output)


# --- wrong: formulas -----------------------------------------------------------------------------


@named("content-variance")
def wrong_variance(content_output, generated_output):
    return tf.math.reduce_variance(_difference(content_output, generated_output)) / 4


@named("content-denominator-squared")
def wrong_normaliser_inside_the_square(content_output, generated_output):
    d = _difference(content_output, generated_output)
    return tf.reduce_sum((d / _normaliser(d)) ** 2)


@named("content-other-power")
def wrong_third_power(content_output, generated_output):
    return tf.reduce_mean(_difference(content_output, generated_output) ** 3) / 4


@named("content-unit-length")
def wrong_unit_length(content_output, generated_output):
    c, g = (tf.math.l2_normalize(a[-1]) for a in (content_output, generated_output))
    return tf.reduce_mean((c - g) ** 2) / 4


@named("content-number-of-layers")
def wrong_divided_by_layers(content_output, generated_output):
    d = _difference(content_output, generated_output)
    return tf.reduce_mean(d**2) / 4 / len(content_output)


@named("content-not-divided")
def wrong_no_height(content_output, generated_output):
    d = _difference(content_output, generated_output)
    return tf.reduce_sum(d**2) / (4 * d.shape[2] * d.shape[3])


@named("content-root")
def wrong_root_of_all(content_output, generated_output):
    d = _difference(content_output, generated_output)
    return tf.sqrt(tf.reduce_sum(d**2) / _normaliser(d))


@named("content-shapes")
def wrong_two_layers_mixed(content_output, generated_output):
    return tf.reduce_mean((content_output[0] - generated_output[-1]) ** 2) / 4


@named("content-own-assert")
def wrong_own_assert(content_output, generated_output):
    assert content_output[-1].shape[3] == 512
    return tf.reduce_mean(_difference(content_output, generated_output) ** 2) / 4


@named("content-no-gradient")
def wrong_variable_returned(content_output, generated_output):
    return tf.Variable(tf.reduce_mean(_difference(content_output, generated_output) ** 2) / 4)


@named("content-not-a-tensor")
def wrong_generator(content_output, generated_output):
    yield tf.reduce_mean(_difference(content_output, generated_output) ** 2) / 4


# --- right ---------------------------------------------------------------------------------------


def right_asserted(content_output, generated_output):
    tf.debugging.assert_non_negative(content_output[-1])
    tf.debugging.assert_greater_equal(generated_output[-1], 0.0)
    d = tf.math.squared_difference(content_output[-1], generated_output[-1])
    return 0.25 * tf.reduce_mean(d)


def right_relu(content_output, generated_output):
    d = tf.nn.relu(content_output[-1]) - tf.nn.relu(generated_output[-1])
    return tf.reduce_mean(tf.square(d)) / 4


def right_last_of_loop(content_output, generated_output):
    for c, g in zip(content_output, generated_output, strict=True):
        J = tf.reduce_sum(tf.pow(c - g, 2)) / _normaliser(c)
    return J


def right_unpacked(content_output, generated_output):
    *_, c = content_output
    *_, g = generated_output
    return tf.nn.l2_loss(c - g) / (2 * np.prod(c.shape))


def right_mapped(content_output, generated_output):
    d = _difference(content_output, generated_output)[0]
    rows = tf.map_fn(lambda row: tf.reduce_sum(row * row), d)
    return tf.reduce_sum(rows) / (4 * d.shape[0] * d.shape[1] * d.shape[2])


def right_means_of_means(content_output, generated_output):
    d = tf.squeeze(_difference(content_output, generated_output), 0)
    return keras.ops.mean(tf.reduce_mean(tf.reduce_mean(d * d, axis=-1), axis=-1)) / 4


def right_channels_first_sizes(content_output, generated_output):
    _, n_C, n_H, n_W = content_output[-1].shape  # the product is the same
    d = _difference(content_output, generated_output)
    return tf.reduce_sum(d * d) / (4 * n_H * n_W * n_C)


class _Cost:
    """A student who likes classes."""

    def __call__(self, content_output, generated_output):
        return tf.reduce_mean(_difference(content_output, generated_output) ** 2) / 4


right_object = _Cost()
right_method = _Cost().__call__
right_partial = functools.partial(
    lambda factor, C, G: factor * tf.reduce_mean((C[-1] - G[-1]) ** 2), 0.25
)


def right_constant_target(content_output, generated_output):
    a_C = tf.stop_gradient(content_output[-1])  # the photo stays as it is
    return tf.reduce_mean((generated_output[-1] - a_C) ** 2) / 4


# --- wrong: seen in a second class ---------------------------------------------------------------

_first = []


@named("content-all-pairs")
def wrong_all_pairs(content_output, generated_output):
    a_C, a_G = tf.reshape(content_output[-1], [-1, 1]), tf.reshape(generated_output[-1], [1, -1])
    return tf.reduce_sum((a_C - a_G) ** 2) / _normaliser(content_output[-1])


@named("content-means")
def wrong_means_compared(content_output, generated_output):
    means = [tf.reduce_mean(a[-1], axis=[1, 2]) for a in (content_output, generated_output)]
    return tf.reduce_mean((means[0] - means[1]) ** 2) / 4


@named("content-scrambled")
def wrong_one_transposed(content_output, generated_output):
    a_C = tf.reshape(tf.transpose(content_output[-1], [0, 3, 1, 2]), [-1])
    return tf.reduce_mean((a_C - tf.reshape(generated_output[-1], [-1])) ** 2) / 4


@named("content-unit-length")
def wrong_cosine(content_output, generated_output):
    c, g = (
        tf.math.l2_normalize(tf.reshape(a[-1], [-1]), 0) for a in (content_output, generated_output)
    )
    return 1 - tf.reduce_sum(c * g)


@named("content-relative")
def wrong_relative(content_output, generated_output):
    d = _difference(content_output, generated_output)
    return tf.reduce_sum(d**2) / tf.reduce_sum(content_output[-1] ** 2) / 4


@named("content-one-sign")
def wrong_relu_of_difference(content_output, generated_output):
    return tf.reduce_mean(tf.nn.relu(_difference(content_output, generated_output)) ** 2) / 4


@named("content-random")
def wrong_dropout(content_output, generated_output):
    d = tf.nn.dropout(_difference(content_output, generated_output), 0.1)
    return tf.reduce_mean(d**2) / 4


@named("content-remembers")
def wrong_cached(content_output, generated_output):
    global _first
    _first = _first or [tf.reduce_mean(_difference(content_output, generated_output) ** 2) / 4]
    return _first[0]


@named("content-zero")
def wrong_except(content_output, generated_output):
    try:
        return tf.reduce_mean(_difference(content_output, generated_output) ** 2) / four  # noqa: F821
    except Exception:
        return tf.constant(0.0)


@named("content-exits")
def wrong_exit(content_output, generated_output):
    if content_output[-1].shape[3] != 512:
        raise SystemExit("expected 512 channels")


@named("content-list")
def wrong_dictionary(content_output, generated_output):
    return tf.reduce_mean((content_output["block4"] - generated_output["block4"]) ** 2) / 4


@named("content-called")
def wrong_star_forgotten(content_output, generated_output):
    _, n_H, n_W, n_C = content_output[-1].shape
    d = _difference(content_output, generated_output)
    four = 4
    return tf.reduce_sum(d**2) / four(n_H * n_W * n_C)


@named("content-method")
def wrong_method_not_called(content_output, generated_output):
    return tf.reduce_mean(content_output[-1].numpy - generated_output[-1].numpy)


@named("content-not-a-tensor")
def wrong_inner_not_called(content_output, generated_output):
    def cost():
        return tf.reduce_mean(_difference(content_output, generated_output) ** 2) / 4

    return cost


@named("content-part")
def wrong_first_channel(content_output, generated_output):
    d = _difference(content_output, generated_output)[..., 0]
    return tf.reduce_mean(d**2) / 4


@named("content-index")
def wrong_index_of_length(content_output, generated_output):
    last = len(content_output)
    return tf.reduce_mean((content_output[last] - generated_output[last]) ** 2) / 4


@named("content-layer-varies")
def wrong_largest_layer(content_output, generated_output):
    a_C, a_G = (max(a, key=lambda x: x.shape[-1]) for a in (content_output, generated_output))
    return tf.reduce_mean(tf.square(a_C - a_G)) / 4


@named("content-part")
def wrong_border_left_out(content_output, generated_output):
    return tf.reduce_mean((content_output[-1] - generated_output[-1])[:, 1:, 1:] ** 2) / 4


@named("content-sizes-added")
def wrong_brackets_forgotten_in_the_denominator(content_output, generated_output):
    a_C, a_G = content_output[-1], generated_output[-1]
    _, n_H, n_W, n_C = a_G.shape
    return tf.reduce_sum(tf.square(a_C - a_G)) / (4 * n_H + n_W + n_C)


_kept = {}


@named("content-remembers")
def wrong_first_result_is_kept(content_output, generated_output):
    if "J" not in _kept:
        _kept["J"] = tf.reduce_mean((content_output[-1] - generated_output[-1]) ** 2) / 4
    return _kept["J"]
