"""Exercise 2, gram_matrix: families, such as parts, scales, caches."""

from __future__ import annotations

import functools

import tensorflow as tf

from . import named


@named("gram-position-missing")
def wrong_every_second_position(A):
    return tf.matmul(A[:, ::2], A[:, ::2], transpose_b=True)


@named("gram-position-missing")
def wrong_chunks_of_five(A):
    n = A.shape[1]
    chunks = [A[:, k : k + 5] for k in range(0, n - 5, 5)]
    return sum((tf.matmul(c, c, transpose_b=True) for c in chunks), tf.zeros((len(A), len(A))))


@named("gram-overwritten")
def wrong_last_chunk(A):
    G = tf.zeros((A.shape[0], A.shape[0]))
    for k in range(A.shape[1]):
        column = A[:, k : k + 1]
        G = tf.reduce_sum(column[None] * column[:, None], axis=2)
    return G


@named("gram-row-missing")
def wrong_first_row_is_zero(A):
    rows = [tf.zeros(A.shape[0])]
    rows += [tf.linalg.matvec(A, A[i]) for i in range(1, A.shape[0])]
    return tf.stack(rows)


@named("gram-one-scaled")
def wrong_one_factor_of_unit_rows(A):
    return tf.matmul(tf.math.l2_normalize(A, axis=1), A, transpose_b=True)


@named("gram-scaled")
def wrong_standardised_rows(A):
    mean, variance = tf.nn.moments(A, axes=1, keepdims=True)
    B = tf.math.divide_no_nan(A - mean, tf.sqrt(variance))
    return B @ tf.transpose(B)


@named("gram-inverse")
def wrong_inverse_of_gram(A):
    return A @ tf.linalg.pinv(A)


@named("gram-dead-channel")
def wrong_empty_rows_left_out(A):
    A = tf.boolean_mask(A, tf.reduce_any(A != 0, axis=1))
    return A @ tf.transpose(A)


@named("gram-remembers")
@functools.cache
def wrong_cache(A):
    return tf.linalg.matmul(A, A, transpose_b=True)


@named("gram-remembers")
def wrong_kept_by_shape(A, known={}):  # noqa: B006
    if A.shape[0] * 100 + A.shape[1] not in known:
        known[A.shape[0] * 100 + A.shape[1]] = A @ tf.transpose(A)
    return known[A.shape[0] * 100 + A.shape[1]]


@named("gram-no-matrix")
def wrong_row_at(A):
    return tf.stack([A[i] @ A[i] for i in range(len(A))])


@named("gram-whole-number")
def wrong_half_is_no_whole_number(A):
    return sum(A[:, :k] @ tf.transpose(A[:, :k]) for k in range(A.shape[1] / 2))


@named("gram-einsum")
def wrong_einsum_of_one(A):
    return tf.einsum("ik,jk->ij", A)


@named("gram-shapes")
def wrong_concat(A):
    return tf.concat([A, tf.transpose(A)], axis=0)


@named("gram-summed")
def wrong_row_sums_of_gram(A):
    return tf.einsum("ik,jk->i", A, A)


@named("gram-one-column")
def wrong_all_in_one_column(A):
    v = tf.reshape(A, [-1, 1])
    return v @ tf.transpose(v)


# --- wrong: both factors are transposed -------------------------------------------------------


@named("gram-both-transposed")
def wrong_both_flags(A):
    return tf.matmul(A, A, transpose_a=True, transpose_b=True)


@named("gram-both-transposed")
def wrong_both_transposed_above(A):
    A_T = tf.transpose(A)
    return tf.matmul(A_T, A, transpose_b=True)
