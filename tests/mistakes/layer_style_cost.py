"""Exercise 3, compute_layer_style_cost: wrong and right answers."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from . import gram_matrix as gram
from . import named, rebind


def gram_matrix(A):
    return tf.matmul(A, tf.transpose(A))


def _matrix(a):
    return tf.transpose(tf.reshape(a, [-1, a.shape[-1]]))


def _sum(a_S, a_G):
    return tf.reduce_sum(tf.square(gram_matrix(_matrix(a_S)) - gram_matrix(_matrix(a_G))))


def _normaliser(a):
    _, n_H, n_W, n_C = a.shape
    return 4.0 * n_C**2 * (n_H * n_W) ** 2


def _cost_of(S, G, a):
    return tf.reduce_sum(tf.square(S - G)) / _normaliser(a)


# --- wrong ---------------------------------------------------------------------------------------


@named("style-reshape-only")
def wrong_reshape_only(a_S, a_G):
    _, n_H, n_W, n_C = a_S.shape
    S, G = tf.reshape(a_S, [n_C, n_H * n_W]), tf.reshape(a_G, [n_C, n_H * n_W])
    return _cost_of(gram_matrix(S), gram_matrix(G), a_S)


@named("style-reshape-only+style-no-quarter")
def wrong_reshape_only_no_quarter(a_S, a_G):
    return 4 * wrong_reshape_only(a_S, a_G)


@named("style-reshape-only+style-not-squared")
def wrong_reshape_only_not_squared(a_S, a_G):
    _, n_H, n_W, n_C = a_S.shape
    return n_H * n_W * n_C * wrong_reshape_only(a_S, a_G)


@named("style-reshape-only+style-no-square")
def wrong_reshape_only_no_square(a_S, a_G):
    n_C = a_S.shape[-1]
    S, G = tf.reshape(a_S, [n_C, -1]), tf.reshape(a_G, [n_C, -1])
    return tf.reduce_sum(gram_matrix(S) - gram_matrix(G)) / _normaliser(a_S)


@named("style-wrong-perm")
def wrong_perm(a_S, a_G):
    n_C = a_S.shape[-1]
    S, G = (tf.reshape(tf.transpose(a, [0, 2, 1, 3]), [n_C, -1]) for a in (a_S, a_G))
    return _cost_of(gram_matrix(S), gram_matrix(G), a_S)


@named("style-wrong-perm")
def wrong_perm_height_first(a_S, a_G):
    n_C = a_S.shape[-1]
    S, G = (tf.reshape(tf.transpose(a, [0, 1, 3, 2]), [n_C, -1]) for a in (a_S, a_G))
    return _cost_of(gram_matrix(S), gram_matrix(G), a_S)


@named("style-one-scrambled")
def wrong_one_scrambled(a_S, a_G):
    G = tf.reshape(a_G, [a_G.shape[-1], -1])
    return _cost_of(gram_matrix(_matrix(a_S)), gram_matrix(G), a_S)


@named("style-positions")
def wrong_positions(a_S, a_G):
    S, G = (tf.reshape(a, [-1, a.shape[-1]]) for a in (a_S, a_G))
    return _cost_of(gram_matrix(S), gram_matrix(G), a_S)


@named("style-positions+style-no-quarter")
def wrong_positions_no_quarter(a_S, a_G):
    return 4 * wrong_positions(a_S, a_G)


@named("style-no-quarter")
def wrong_no_quarter(a_S, a_G):
    return 4 * _sum(a_S, a_G) / _normaliser(a_S)


@named("style-half")
def wrong_half(a_S, a_G):
    return 2 * _sum(a_S, a_G) / _normaliser(a_S)


@named("style-quarter-squared")
def wrong_quarter_squared(a_S, a_G):
    _, n_H, n_W, n_C = a_S.shape
    return _sum(a_S, a_G) / (4 * n_C * n_H * n_W) ** 2


@named("style-not-squared")
def wrong_not_squared(a_S, a_G):
    _, n_H, n_W, n_C = a_S.shape
    return _sum(a_S, a_G) / (4 * n_C * n_H * n_W)


@named("style-positions-not-squared")
def wrong_positions_not_squared(a_S, a_G):
    _, n_H, n_W, n_C = a_S.shape
    return _sum(a_S, a_G) / (4 * n_C**2 * n_H * n_W)


@named("style-channels-not-squared")
def wrong_channels_not_squared(a_S, a_G):
    _, n_H, n_W, n_C = a_S.shape
    return _sum(a_S, a_G) / (4 * n_C * (n_H * n_W) ** 2)


@named("style-positions-not-squared")
def wrong_brackets(a_S, a_G):
    _, n_H, n_W, n_C = a_S.shape
    return _sum(a_S, a_G) / (4 * n_C**2 * n_H * n_W**2)


@named("style-precedence")
def wrong_precedence(a_S, a_G):
    _, n_H, n_W, n_C = a_S.shape
    return 1 / 4 * n_C**2 * (n_H * n_W) ** 2 * _sum(a_S, a_G)


@named("style-precedence")
def wrong_precedence_later(a_S, a_G):
    _, n_H, n_W, n_C = a_S.shape
    return _sum(a_S, a_G) / (4 * n_C**2) * (n_H * n_W) ** 2


@named("style-mean-and-normaliser")
def wrong_mean_and_normaliser(a_S, a_G):
    return _sum(a_S, a_G) / a_S.shape[-1] ** 2 / _normaliser(a_S)


@named("style-mean-only")
def wrong_mean_only(a_S, a_G):
    return _sum(a_S, a_G) / a_S.shape[-1] ** 2


@named("style-not-normalised")
def wrong_plain_sum(a_S, a_G):
    return _sum(a_S, a_G)


@named("style-n_H-twice")
def wrong_height_twice(a_S, a_G):
    _, n_H, _, n_C = a_S.shape
    return _sum(a_S, a_G) / (4 * n_C**2 * (n_H * n_H) ** 2)


@named("style-dims-hard-coded")
def wrong_hard_coded_normaliser(a_S, a_G):
    return _sum(a_S, a_G) / (4 * 3**2 * 16**2)


@named("style-dims-hard-coded")
def wrong_hard_coded_reshape(a_S, a_G):
    S, G = (tf.transpose(tf.reshape(a, [169, 11])) for a in (a_S, a_G))
    return tf.reduce_sum((gram_matrix(S) - gram_matrix(G)) ** 2) / (4 * 11**2 * 169**2)


@named("style-zero")
def wrong_G_from_S(a_S, a_G):
    S, G = _matrix(a_S), _matrix(a_S)
    return _cost_of(gram_matrix(S), gram_matrix(G), a_S)


@named("style-no-square")
def wrong_no_square(a_S, a_G):
    S, G = gram_matrix(_matrix(a_S)), gram_matrix(_matrix(a_G))
    return tf.reduce_sum(S - G) / _normaliser(a_S)


@named("style-no-square+style-not-squared")
def wrong_no_square_not_squared(a_S, a_G):
    _, n_H, n_W, n_C = a_S.shape
    S, G = gram_matrix(_matrix(a_S)), gram_matrix(_matrix(a_G))
    return tf.reduce_sum(S - G) / (4 * n_C * n_H * n_W)


@named("style-absolute")
def wrong_absolute(a_S, a_G):
    S, G = gram_matrix(_matrix(a_S)), gram_matrix(_matrix(a_G))
    return tf.reduce_sum(tf.abs(S - G)) / _normaliser(a_S)


@named("style-sum-then-square")
def wrong_sum_then_square(a_S, a_G):
    S, G = gram_matrix(_matrix(a_S)), gram_matrix(_matrix(a_G))
    return tf.square(tf.reduce_sum(S - G)) / _normaliser(a_S)


@named("style-root")
def wrong_norm(a_S, a_G):
    return tf.sqrt(_sum(a_S, a_G)) / _normaliser(a_S)


@named("style-squares-subtracted")
def wrong_squares_subtracted(a_S, a_G):
    S, G = gram_matrix(_matrix(a_S)), gram_matrix(_matrix(a_G))
    return tf.reduce_sum(S**2 - G**2) / _normaliser(a_S)


@named("style-plus")
def wrong_plus(a_S, a_G):
    S, G = gram_matrix(_matrix(a_S)), gram_matrix(_matrix(a_G))
    return tf.reduce_sum((S + G) ** 2) / _normaliser(a_S)


@named("style-matrix-square")
def wrong_matrix_square(a_S, a_G):
    D = gram_matrix(_matrix(a_S)) - gram_matrix(_matrix(a_G))
    return tf.reduce_sum(D @ D) / _normaliser(a_S)


@named("style-no-gram")
def wrong_no_gram(a_S, a_G):
    return _cost_of(_matrix(a_S), _matrix(a_G), a_S)


@named("style-content-cost")
def wrong_content_cost_again(a_S, a_G):
    return tf.reduce_mean(tf.square(a_S - a_G)) / 4


@named("style-gram-of-difference")
def wrong_gram_of_difference(a_S, a_G):
    return tf.reduce_sum(gram_matrix(_matrix(a_S - a_G)) ** 2) / _normaliser(a_S)


@named("style-elementwise")
def wrong_elementwise(a_S, a_G):
    return _cost_of(_matrix(a_S) ** 2, _matrix(a_G) ** 2, a_S)


@named("style-gram-divided")
def wrong_gram_divided(a_S, a_G):
    n = a_S.shape[1] * a_S.shape[2]
    return _cost_of(gram_matrix(_matrix(a_S)) / n, gram_matrix(_matrix(a_G)) / n, a_S)


@named("style-triangle")
def wrong_triangle(a_S, a_G):
    S, G = (tf.linalg.band_part(gram_matrix(_matrix(a)), 0, -1) for a in (a_S, a_G))
    return _cost_of(S, G, a_S)


@named("style-diagonal")
def wrong_diagonal(a_S, a_G):
    S, G = (tf.linalg.diag_part(gram_matrix(_matrix(a))) for a in (a_S, a_G))
    return _cost_of(S, G, a_S)


@named("style-means")
def wrong_means(a_S, a_G):
    S, G = (tf.reduce_mean(a, axis=[0, 1, 2]) for a in (a_S, a_G))
    return _cost_of(S, G, a_S)


@named("style-dims-misread")
def wrong_dims_misread(a_S, a_G):
    _, n_C, n_H, n_W = a_S.shape
    S, G = (tf.reshape(tf.transpose(a, [0, 3, 1, 2]), [n_C, n_H * n_W]) for a in (a_S, a_G))
    return tf.reduce_sum((gram_matrix(S) - gram_matrix(G)) ** 2) / _normaliser(a_S)


@named("style-overflow")
def wrong_overflow(a_S, a_G):
    shape = tf.shape(a_S)
    n_H, n_W, n_C = shape[1], shape[2], shape[3]
    return _sum(a_S, a_G) / tf.cast(4 * n_C**2 * (n_H * n_W) ** 2, tf.float32)


@named("style-overflow")
def wrong_overflow_late(a_S, a_G):
    shape = tf.shape(a_S)
    positions = tf.cast((shape[1] * shape[2]) ** 2, tf.float32)
    return _sum(a_S, a_G) / (4 * tf.cast(shape[3] ** 2, tf.float32) * positions)


@named("style-no-gradient")
def wrong_numpy(a_S, a_G):
    S, G = (a.numpy().reshape(-1, a.shape[-1]) for a in (a_S, a_G))
    cost = np.sum((S.T @ S - G.T @ G) ** 2) / (4 * S.size**2)
    return tf.constant(cost, dtype=tf.float32)


@named("style-no-quarter")
def wrong_numpy_no_quarter(a_S, a_G):
    S, G = (a.numpy().reshape(-1, a.shape[-1]) for a in (a_S, a_G))
    return np.sum((S.T @ S - G.T @ G) ** 2) / float(S.size**2)


@named("style-gradient-part")
def wrong_detached(a_S, a_G):
    return _sum(a_S, tf.stop_gradient(a_G)) / _normaliser(a_S)


@named("style-no-return")
def wrong_no_return(a_S, a_G):
    _cost_of(gram_matrix(_matrix(a_S)), gram_matrix(_matrix(a_G)), a_S)


@named("style-not-a-scalar")
def wrong_not_summed(a_S, a_G):
    S, G = gram_matrix(_matrix(a_S)), gram_matrix(_matrix(a_G))
    return tf.square(S - G) / _normaliser(a_S)


@named("style-not-a-scalar")
def wrong_one_axis(a_S, a_G):
    S, G = gram_matrix(_matrix(a_S)), gram_matrix(_matrix(a_G))
    return tf.reduce_sum(tf.square(S - G), axis=1) / _normaliser(a_S)


@named("style-sign")
def wrong_sign(a_S, a_G):
    return -_sum(a_S, a_G) / _normaliser(a_S)


@named("style-not-divided")
def wrong_odd_normaliser(a_S, a_G):
    _, n_H, n_W, n_C = a_S.shape
    return _sum(a_S, a_G) / (4 * n_C**2 * (n_H + 0 * n_W) ** 2)


@named("style-not-written")
def wrong_stub(a_S, a_G):
    raise NotImplementedError()


@named("style-as-in-numpy")
def wrong_reshape_method(a_S, a_G):
    S, G = (a.reshape(-1, a.shape[-1]) for a in (a_S, a_G))
    return _cost_of(gram_matrix(tf.transpose(S)), gram_matrix(tf.transpose(G)), a_S)


@named("style-no-such-name")
def wrong_name(a_S, a_G):
    return _sum(a_S, a_G) / (4 * n_C**2)  # noqa: F821


def _with_gram(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    a_S = tf.reshape(tf.transpose(a_S, perm=[0, 3, 1, 2]), [n_C, n_H * n_W])
    a_G = tf.reshape(tf.transpose(a_G, perm=[0, 3, 1, 2]), [n_C, n_H * n_W])
    GS, GG = gram_matrix(a_S), gram_matrix(a_G)
    return tf.reduce_sum(tf.square(GS - GG)) / (4.0 * n_C**2 * (n_H * n_W) ** 2)


def _own_gram(wrong):
    return named("style-fix-gram")(rebind(_with_gram, gram_matrix=wrong))


wrong_own_gram_divided = _own_gram(gram.wrong_divided_by_positions)
wrong_own_gram_positions = _own_gram(gram.wrong_transposed_first)
wrong_own_gram_elementwise = _own_gram(gram.wrong_elementwise)
wrong_own_gram_triangle = _own_gram(gram.wrong_upper)
wrong_own_gram_raises = _own_gram(gram.wrong_no_transpose)
wrong_own_gram_stub = _own_gram(gram.wrong_stub)
wrong_own_gram_none = _own_gram(gram.wrong_no_return)
wrong_own_gram_numpy = named("style-fix-gram")(rebind(_with_gram, gram_matrix=gram.wrong_numpy))


# --- right ---------------------------------------------------------------------------------------


def right_plain(a_S, a_G):
    return _sum(a_S, a_G) / _normaliser(a_S)


def right_course(a_S, a_G):
    return _with_gram(a_S, a_G)


def right_decorated_gram(a_S, a_G):
    return rebind(_with_gram, gram_matrix=tf.function(gram_matrix))(a_S, a_G)


def right_square_of_product(a_S, a_G):
    _, n_H, n_W, n_C = a_S.shape
    return _sum(a_S, a_G) / (2 * n_C * n_H * n_W) ** 2


def right_swapped(a_S, a_G):
    return _sum(a_G, a_S) / _normaliser(a_G)


def right_no_perm(a_S, a_G):
    n_C = a_S.shape[-1]
    S, G = (tf.reshape(tf.transpose(a), [n_C, -1]) for a in (a_S, a_G))
    return _cost_of(gram_matrix(S), gram_matrix(G), a_S)


def right_other_perm(a_S, a_G):
    n_C = a_S.shape[-1]
    S, G = (tf.reshape(tf.transpose(a, [3, 2, 1, 0]), [n_C, -1]) for a in (a_S, a_G))
    return _cost_of(gram_matrix(S), gram_matrix(G), a_S)


def right_einsum(a_S, a_G):
    S, G = (tf.einsum("bhwc,bhwd->cd", a, a) for a in (a_S, a_G))
    return _cost_of(S, G, a_S)


def right_tensordot(a_S, a_G):
    S, G = (tf.tensordot(a, a, axes=[[0, 1, 2], [0, 1, 2]]) for a in (a_S, a_G))
    return _cost_of(S, G, a_S)


def right_l2_loss(a_S, a_G):
    S, G = gram_matrix(_matrix(a_S)), gram_matrix(_matrix(a_G))
    return tf.nn.l2_loss(S - G) / (_normaliser(a_S) / 2)


def right_mean(a_S, a_G):
    S, G = gram_matrix(_matrix(a_S)), gram_matrix(_matrix(a_G))
    n = a_S.shape[1] * a_S.shape[2]
    return tf.reduce_mean(tf.square(S - G)) / 4 / n**2


def right_divided_grams(a_S, a_G):
    n = tf.cast(tf.size(a_S), tf.float32)
    S, G = gram_matrix(_matrix(a_S)) / n, gram_matrix(_matrix(a_G)) / n
    return tf.reduce_sum((S - G) ** 2) / 4


def right_cast_first(a_S, a_G):
    n_H, n_W, n_C = (tf.cast(n, tf.float32) for n in tf.unstack(tf.shape(a_S)[1:]))
    return _sum(a_S, a_G) / (4.0 * n_C**2 * (n_H * n_W) ** 2)


def right_squeezed(a_S, a_G):
    n_C = a_S.shape[-1]
    S, G = (tf.reshape(tf.transpose(tf.squeeze(a, 0), [2, 0, 1]), [n_C, -1]) for a in (a_S, a_G))
    return _cost_of(gram_matrix(S), gram_matrix(G), a_S)


def right_batched(a_S, a_G):
    n_C = a_S.shape[-1]
    S, G = (tf.reshape(a, [1, -1, n_C]) for a in (a_S, a_G))
    S, G = (tf.matmul(M, M, transpose_a=True) for M in (S, G))
    return _cost_of(S, G, a_S)


def right_keras(a_S, a_G):
    S, G = (keras.ops.reshape(a, (-1, a.shape[-1])) for a in (a_S, a_G))
    S, G = (keras.ops.matmul(keras.ops.transpose(M), M) for M in (S, G))
    return keras.ops.sum(keras.ops.square(S - G)) / _normaliser(a_S)


def right_numpy_sizes(a_S, a_G):
    n = np.prod(a_S.shape)
    return _sum(a_S, a_G) / float(4 * n**2)


@tf.function
def right_decorated(a_S, a_G):
    return _sum(a_S, a_G) / _normaliser(a_S)
