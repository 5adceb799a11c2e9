"""Exercise 3, compute_layer_style_cost: slips with operators, orders, sizes; right ones, too."""

from __future__ import annotations

import tensorflow as tf

from . import gram_matrix as gram
from . import named, rebind


def gram_matrix(A):
    return tf.matmul(A, A, transpose_b=True)


def _unrolled(a):
    return tf.transpose(tf.reshape(a, [-1, a.shape[-1]]))


def _difference(a_S, a_G):
    return gram_matrix(_unrolled(a_S)) - gram_matrix(_unrolled(a_G))


def _sum(S, G):
    return tf.reduce_sum((gram_matrix(S) - gram_matrix(G)) ** 2)


_notebook_S = tf.ones((1, 4, 5, 3))

# --- wrong: operators ----------------------------------------------------------------------------


@named("style-power")
def wrong_xor(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    return tf.reduce_sum(_difference(a_S, a_G) ** 2) / (4 * n_C ^ 2 * (n_H * n_W) ^ 2)


@named("style-power")
def wrong_xor_in_brackets(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    return tf.reduce_sum(_difference(a_S, a_G) ** 2) / (4 * (n_C ^ 2) * ((n_H * n_W) ^ 2))


@named("style-power")
def wrong_xor_of_product(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    return tf.reduce_sum(_difference(a_S, a_G) ** 2) / (4 * (n_C * n_H * n_W) ^ 2)


@named("style-times-two")
def wrong_normaliser_doubled(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    return tf.reduce_sum(_difference(a_S, a_G) ** 2) / (4 * n_C * 2 * (n_H * n_W) * 2)


@named("style-times-two")
def wrong_difference_doubled(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    return tf.reduce_sum(_difference(a_S, a_G) * 2) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-floor")
def wrong_floor(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    return tf.reduce_sum(_difference(a_S, a_G) ** 2) // (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-mean-and-normaliser")
def wrong_channels_squared_twice(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    return tf.reduce_sum(_difference(a_S, a_G) ** 2) / (n_C**2 * n_H * n_W) ** 2


@named("style-no-square")
def wrong_sum_of_difference(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    return tf.reduce_sum(_difference(a_S, a_G)) / (4 * n_C**2 * (n_H * n_W) ** 2)


# --- wrong: orders and sizes ---------------------------------------------------------------------


@named("style-permuted-then-positions")
def wrong_permuted_then_positions(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    S, G = (tf.reshape(tf.transpose(a, [0, 3, 1, 2]), [n_H * n_W, n_C]) for a in (a_S, a_G))
    return _sum(S, G) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-permuted-then-positions")
def wrong_permuted_then_positions_transposed(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    S, G = (
        tf.transpose(tf.reshape(tf.transpose(a, [0, 3, 1, 2]), [n_H * n_W, n_C]))
        for a in (a_S, a_G)
    )
    return _sum(S, G) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-not-unrolled")
def wrong_not_unrolled(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    return _sum(a_S, a_G) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-not-unrolled")
def wrong_not_unrolled_raises(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    S, G = a_S @ tf.transpose(a_S), a_G @ tf.transpose(a_G)
    return tf.reduce_sum((S - G) ** 2) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-dims-misread")
def wrong_channels_first(a_S, a_G):
    _, n_C, n_H, n_W = a_G.shape
    S, G = (tf.reshape(tf.transpose(a, [0, 3, 1, 2]), [n_C, n_H * n_W]) for a in (a_S, a_G))
    return _sum(S, G) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-dims-misread")
def wrong_channels_first_reshape(a_S, a_G):
    _, n_C, n_H, n_W = a_G.shape
    S, G = (tf.reshape(a, [n_C, n_H * n_W]) for a in (a_S, a_G))
    return _sum(S, G) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-dims-misread")
def wrong_channels_first_transposed(a_S, a_G):
    _, n_C, n_H, n_W = a_G.shape
    S, G = (tf.transpose(tf.reshape(a, [n_H * n_W, n_C])) for a in (a_S, a_G))
    return _sum(S, G) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-dims-misread")
def wrong_batch_as_height(a_S, a_G):
    n_H, n_W, n_C, _ = a_G.shape
    S, G = (tf.transpose(tf.reshape(a, [-1, n_C])) for a in (a_S, a_G))
    return _sum(S, G) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-batch-dropped")
def wrong_batch_dropped(a_S, a_G):
    a_S, a_G = a_S[0], a_G[0]
    _, n_H, n_W, n_C = a_G.shape
    return _sum(_unrolled(a_S), _unrolled(a_G)) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-content-cost")
def wrong_content_cost(a_S, a_G):
    return tf.reduce_mean((a_S - a_G) ** 2) / 4


@named("style-outer")
def wrong_outer_product(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    S, G = (tf.tensordot(A, tf.transpose(A), axes=0) for A in (_unrolled(a_S), _unrolled(a_G)))
    return tf.reduce_sum((S - G) ** 2) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-one-row")
def wrong_one_row(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    S, G = (tf.reshape(a, [1, -1]) for a in (a_S, a_G))
    return _sum(S, G) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-root")
def wrong_root_of_all(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    return tf.norm(_difference(a_S, a_G)) / (2 * n_C * n_H * n_W)


@named("style-not-unrolled")
def wrong_squeezed_only(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    S, G = (tf.squeeze(a) for a in (a_S, a_G))
    D = S @ tf.transpose(S) - G @ tf.transpose(G)
    return tf.reduce_sum(D**2) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-dims-hard-coded")
def wrong_channels_of_vgg(a_S, a_G):
    S, G = (tf.transpose(tf.reshape(a, [-1, 64])) for a in (a_S, a_G))
    return _sum(S, G) / (4 * 64**2 * 120_000**2)


@named("style-name-taken")
def wrong_name_taken(a_S, a_G):
    gram_matrix = gram_matrix(_unrolled(a_S)) - gram_matrix(_unrolled(a_G))  # noqa: F823
    return tf.reduce_mean(gram_matrix**2)


@named("style-float16")
def wrong_float16_inside(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    S, G = (tf.cast(_unrolled(a), tf.float16) for a in (a_S, a_G))
    D = (gram_matrix(S) - gram_matrix(G)) / (n_H * n_W * n_C)
    return tf.cast(tf.reduce_sum(D**2), tf.float32) / 4


@named("style-argument-unused")
def wrong_global(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    D = gram_matrix(_unrolled(_notebook_S))[:2, :2] - gram_matrix(_unrolled(a_G))[:2, :2]
    return tf.reduce_sum(D**2) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-stub-left")
def wrong_stub_left_below(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape  # noqa: RUF059
    S = gram_matrix(_unrolled(a_S))  # noqa: F841
    raise NotImplementedError("Exercise 3: compute_layer_style_cost")


# --- wrong: itself, and the student's gram_matrix ------------------------------------------------


def _no_quarter(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    S, G = gram_matrix(_unrolled(a_S)), gram_matrix(_unrolled(a_G))
    return tf.reduce_sum((S - G) ** 2) / (n_C**2 * (n_H * n_W) ** 2)


def _reshape_only(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    S, G = (gram_matrix(tf.reshape(a, [n_C, n_H * n_W])) for a in (a_S, a_G))
    return tf.reduce_sum((S - G) ** 2) / (4 * n_C**2 * (n_H * n_W) ** 2)


wrong_no_quarter_above_wrong_gram = named("style-no-quarter+style-fix-gram")(
    rebind(_no_quarter, gram_matrix=gram.wrong_divided_by_positions)
)
wrong_reshape_above_stub = named("style-reshape-only+style-fix-gram")(
    rebind(_reshape_only, gram_matrix=gram.wrong_stub)
)
wrong_no_quarter_above_no_return = named("style-no-quarter+style-fix-gram")(
    rebind(_no_quarter, gram_matrix=gram.wrong_no_return)
)


# --- right ---------------------------------------------------------------------------------------


def right_relu(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    S, G = (_unrolled(tf.nn.relu(a)) for a in (a_S, a_G))
    return _sum(S, G) / (4 * n_C**2 * (n_H * n_W) ** 2)


def right_asserted(a_S, a_G):
    tf.debugging.assert_non_negative(a_S)
    tf.debugging.assert_greater_equal(a_G, 0.0)
    _, n_H, n_W, n_C = a_G.shape
    D = _difference(a_S, a_G)
    return tf.reduce_sum(D * D) / 4 / n_C / n_C / n_H / n_H / n_W / n_W


def right_trace(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    D = _difference(a_S, a_G)
    return tf.linalg.trace(D @ tf.transpose(D)) / (4 * n_C**2 * (n_H * n_W) ** 2)


def right_norm(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    return (tf.norm(_difference(a_S, a_G)) / (2 * n_C * n_H * n_W)) ** 2


def right_one_picture(a_S, a_G):
    n_H, n_W, n_C = a_G[0].shape
    S, G = (tf.transpose(tf.reshape(a[0], [n_H * n_W, n_C])) for a in (a_S, a_G))
    return _sum(S, G) / (4 * n_C**2 * (n_H * n_W) ** 2)


def right_width_before_height(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape  # any order of positions that is the same for both
    S, G = (tf.reshape(tf.transpose(a, [0, 3, 2, 1]), [n_C, -1]) for a in (a_S, a_G))
    return _sum(S, G) / (4 * n_C**2 * (n_H * n_W) ** 2)


def right_constant_target(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    D = _difference(tf.stop_gradient(a_S), a_G)  # the painting stays as it is
    return tf.reduce_sum(D**2) / (4 * n_C**2 * (n_H * n_W) ** 2)


# --- wrong: seen in a second class ---------------------------------------------------------------


def _divided(total, a):
    _, n_H, n_W, n_C = a.shape
    return total / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-one-sign")
def wrong_relu_of_difference(a_S, a_G):
    return _divided(tf.reduce_sum(tf.nn.relu(_difference(a_G, a_S)) ** 2), a_G)


@named("style-argument-unused")
def wrong_same_name_twice(a_S, a_G):
    S = _unrolled(a_S)
    return _divided(_sum(S, tf.reshape(tf.transpose(S), S.shape)), a_G)


@named("style-product")
def wrong_grams_multiplied(a_S, a_G):
    S, G = gram_matrix(_unrolled(a_S)), gram_matrix(_unrolled(a_G))
    return _divided(tf.reduce_sum((S * G) ** 2), a_G)


@named("style-cross")
def wrong_cross_gram(a_S, a_G):
    M = tf.matmul(_unrolled(a_S), _unrolled(a_G), transpose_b=True)
    return _divided(tf.reduce_sum(M**2), a_G)


@named("style-not-unrolled")
def wrong_gram_of_each_row(a_S, a_G):
    S, G = (tf.einsum("bhwc,bhwd->hcd", a, a) for a in (a_S, a_G))
    return _divided(tf.reduce_sum((S - G) ** 2), a_G)


@named("style-sizes-added")
def wrong_sizes_added(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    return tf.reduce_sum(_difference(a_S, a_G) ** 2) / (4 * n_C**2 * (n_H + n_W) ** 2)


@named("style-weighted")
def wrong_weighted(a_S, a_G):
    return 0.2 * _divided(tf.reduce_sum(_difference(a_S, a_G) ** 2), a_G)


@named("style-reshape")
def wrong_square_picture(a_S, a_G):
    _, n_H, _, n_C = a_G.shape
    S, G = (tf.reshape(tf.transpose(a, [0, 3, 1, 2]), (n_C, n_H * n_H)) for a in (a_S, a_G))
    return _divided(_sum(S, G), a_G)


@named("style-dims-hard-coded")
def wrong_64_channels(a_S, a_G):
    n_H, n_W = a_G.shape[1:3]
    S, G = (tf.reshape(tf.transpose(a, [0, 3, 1, 2]), (64, n_H * n_W)) for a in (a_S, a_G))
    return _divided(_sum(S, G), a_G)


@named("style-global")
def wrong_global_reshaped(a_S, a_G):
    n_C = a_G.shape[3]
    S = tf.transpose(tf.reshape(_notebook_S, (-1, n_C + 60)))
    return _divided(_sum(S, _unrolled(a_G)), a_G)


@named("style-arguments")
def wrong_two_arguments(a_S, a_G):
    return _divided(tf.reduce_sum(gram_matrix(_unrolled(a_S), _unrolled(a_G)) ** 2), a_G)


@named("style-cross")
def wrong_one_cross_matrix(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    S, G = (tf.transpose(tf.reshape(a, (-1, n_C))) for a in (a_S, a_G))
    difference = S @ tf.transpose(S) - S @ tf.transpose(G)
    return tf.reduce_sum(difference**2) / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-logarithm")
def wrong_logarithm(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    S, G = (tf.transpose(tf.reshape(a, (-1, n_C))) for a in (a_S, a_G))
    difference = S @ tf.transpose(S) - G @ tf.transpose(G)
    return tf.math.log1p(tf.reduce_sum(difference**2) / (4 * n_C**2 * (n_H * n_W) ** 2))
