"""Exercise 3, compute_layer_style_cost: parts, moments, results that go nowhere."""

from __future__ import annotations

import tensorflow as tf

from . import named


def gram_matrix(A):
    return tf.matmul(A, A, transpose_b=True)


def _unrolled(a):
    return tf.transpose(tf.reshape(a, [-1, a.shape[-1]]))


def _grams(a_S, a_G):
    return gram_matrix(_unrolled(a_S)), gram_matrix(_unrolled(a_G))


def _divided(total, a):
    _, n_H, n_W, n_C = a.shape
    return total / (4 * n_C**2 * (n_H * n_W) ** 2)


@named("style-reshape-only")
def wrong_transposed_in_place(a_S, a_G):
    n_C, tall = a_G.shape[3], a_G.shape[1] * a_G.shape[2]
    tf.transpose(a_S, [0, 3, 1, 2])
    S = tf.reshape(a_S, [n_C, tall])
    tf.transpose(a_G, [0, 3, 1, 2])
    G = tf.reshape(a_G, [n_C, tall])
    return _divided(tf.reduce_sum((gram_matrix(S) - gram_matrix(G)) ** 2), a_G)


@named("style-one-side")
def wrong_gram_of_G_unused(a_S, a_G):
    gram_S, gram_G = gram_matrix(_unrolled(a_S)), 0.0
    other = gram_matrix(_unrolled(a_G))  # noqa: F841
    return _divided(tf.reduce_sum((gram_S - gram_G) ** 2), a_G)


@named("style-part")
def wrong_last_column(a_S, a_G):
    S, G = _grams(a_S[:, :, -1:], a_G[:, :, -1:])
    return _divided(tf.reduce_sum((S - G) ** 2), a_G)


@named("style-part")
def wrong_every_second_channel(a_S, a_G):
    S, G = _grams(a_S[..., ::2], a_G[..., ::2])
    return _divided(tf.reduce_sum((S - G) ** 2), a_G)


@named("style-part")
def wrong_border_left_out(a_S, a_G):
    a_S, a_G = a_S[:, 1:-1, 1:-1], a_G[:, 1:-1, 1:-1]
    S, G = _grams(a_S, a_G)
    if not tf.size(a_S):
        return tf.reduce_sum(a_S)
    return _divided(tf.reduce_sum((S - G) ** 2), a_G)


@named("style-overwritten")
def wrong_last_row_of_gram(a_S, a_G):
    S, G = _grams(a_S, a_G)
    J = 0
    for i in range(a_S.shape[-1]):
        J = tf.reduce_sum((S[i] - G[i]) ** 2)
    return _divided(J, a_G)


@named("style-part")
def wrong_first_row_of_gram_missing(a_S, a_G):
    S, G = _grams(a_S, a_G)
    return _divided(sum(tf.reduce_sum((S[i] - G[i]) ** 2) for i in range(1, len(S))), a_G)


@named("style-moments")
def wrong_variances(a_S, a_G):
    mean_S, variance_S = tf.nn.moments(a_S, [0, 1, 2])
    mean_G, variance_G = tf.nn.moments(a_G, [0, 1, 2])
    return tf.reduce_sum((mean_S - mean_G) ** 2) + tf.reduce_sum((variance_S - variance_G) ** 2)


@named("style-cause")
def wrong_without_gram(a_S, a_G):
    d = tf.reduce_sum(a_S, axis=[1, 2]) - tf.reduce_max(a_G, axis=[1, 2])
    return tf.reduce_sum(d * d) / 10


@named("style-relative")
def wrong_relative_to_both(a_S, a_G):
    S, G = _grams(a_S, a_G)
    return tf.reduce_sum((S - G) ** 2) / tf.reduce_sum(S**2 + G**2)


@named("style-binomial")
def wrong_product_once(a_S, a_G):
    S, G = _grams(a_S, a_G)
    return _divided(tf.reduce_sum(S * S + G * G - S * G), a_G)


@named("style-scaled")
def wrong_positions_of_unit_length(a_S, a_G):
    a_S, a_G = tf.math.l2_normalize(a_S, axis=-1), tf.math.l2_normalize(a_G, axis=-1)
    S, G = _grams(a_S, a_G)
    return _divided(tf.reduce_sum((S - G) ** 2), a_G)


@named("style-sizes-added")
def wrong_plus_in_the_normaliser(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    S, G = _grams(a_S, a_G)
    return tf.reduce_sum((S - G) ** 2) / (4 * n_C**2 + (n_H * n_W) ** 2)


@named("style-sizes-after-reshape")
def wrong_sizes_read_too_late(a_S, a_G):
    a_S = tf.transpose(tf.reshape(a_S, [-1, a_S.shape[-1]]))
    n_H, n_W, n_C = a_S.shape
    return tf.reduce_sum(a_S) / (n_H * n_W * n_C)


_picture = tf.ones((1, 30, 40, 3))


@named("style-global-sizes")
def wrong_sizes_of_a_picture(a_S, a_G):
    n_H, n_W = _picture.shape[1:3]
    S, G = _grams(a_S, a_G)
    return tf.reduce_sum((S - G) ** 2) / (4 * a_G.shape[-1] ** 2 * (n_H * n_W) ** 2)


# --- wrong: another size, or a fixed number, in the normaliser ------------------------------------


def _with_sizes(sizes):
    @named("style-size-exchanged")
    def wrong(a_S, a_G):
        n_C, positions = sizes(*a_G.shape[1:])
        S, G = (tf.reshape(a, (-1, a.shape[-1])) for a in (a_S, a_G))
        difference = tf.matmul(S, S, transpose_a=True) - tf.matmul(G, G, transpose_a=True)
        return tf.reduce_sum(difference**2) / (4 * n_C**2 * positions**2)

    return wrong


wrong_channels_read_after_unrolling = _with_sizes(lambda H, W, C: (H * W, H * W))
wrong_positions_are_channels = _with_sizes(lambda H, W, C: (C, C))
wrong_three_colours = _with_sizes(lambda H, W, C: (3, H * W))
wrong_fixed_positions = _with_sizes(lambda H, W, C: (C, 100))
wrong_height_for_channels = _with_sizes(lambda H, W, C: (H, H * W))


@named("style-dtypes")
def wrong_int_grams(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    S, G = (tf.cast(tf.reshape(a, (-1, n_C)), tf.int32) for a in (a_S, a_G))
    difference = tf.matmul(S, S, transpose_a=True) - tf.matmul(G, G, transpose_a=True)
    return 1.5 * tf.reduce_sum(difference**2) / (4 * n_C**2 * (n_H * n_W) ** 2)


def _reordered(perm, turned):
    """Perm, then a reshape to positions by channels: a column holds several channels."""

    def style_cost(a_S, a_G):
        _, n_H, n_W, n_C = a_G.shape
        S, G = (tf.reshape(tf.transpose(a, perm=perm), (n_H * n_W, n_C)) for a in (a_S, a_G))
        S, G = (tf.transpose(S), tf.transpose(G)) if turned else (S, G)
        difference = S @ tf.transpose(S) - G @ tf.transpose(G)
        return tf.reduce_sum(difference**2) / (4 * n_C**2 * (n_H * n_W) ** 2)

    return style_cost


wrong_all_axes_reversed = named("style-permuted-then-positions")(_reordered(None, False))
wrong_all_axes_reversed_and_turned = named("style-permuted-then-positions")(_reordered(None, True))
wrong_perm_width_first_then_positions = named("style-permuted-then-positions")(
    _reordered([0, 3, 2, 1], False)
)
wrong_perm_height_first_then_positions = named("style-wrong-perm")(_reordered([0, 1, 3, 2], False))
wrong_perm_other_width_first_then_positions = named("style-wrong-perm")(
    _reordered([0, 2, 3, 1], False)
)


@named("style-perm")
def wrong_perm_with_an_axis_twice(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    S, G = (tf.reshape(tf.transpose(a, [1, 3, 1, 2]), (n_C, n_H * n_W)) for a in (a_S, a_G))
    return tf.reduce_sum((S @ tf.transpose(S) - G @ tf.transpose(G)) ** 2)


@named("style-perm")
def wrong_same_unrolled_twice(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    a_S = tf.reshape(tf.transpose(a_S, [0, 3, 1, 2]), (n_C, n_H * n_W))
    a_G = tf.reshape(tf.transpose(a_S, [0, 3, 1, 2]), (n_C, n_H * n_W))
    return tf.reduce_sum((a_S @ tf.transpose(a_S) - a_G @ tf.transpose(a_G)) ** 2)
