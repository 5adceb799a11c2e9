"""Exercise 2, gram_matrix: loops, einsum, and what it is divided by."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from . import named


@named("gram-position-missing")
def wrong_loop_ends_early(A):
    return sum(tf.tensordot(A[:, k], A[:, k], axes=0) for k in range(A.shape[1] - 1))


@named("gram-position-missing")
def wrong_first_position_left_out(A):
    return tf.matmul(A[:, 1:], A[:, 1:], transpose_b=True)


@named("gram-beyond")
def wrong_loop_over_the_other_axis(A):
    return sum(tf.tensordot(A[:, k], A[:, k], axes=0) for k in range(A.shape[0] + A.shape[1]))


@named("gram-dims-hard-coded")
def wrong_64_channels(A):
    A = tf.reshape(A, (64, -1))
    return tf.matmul(A, A, transpose_b=True)


@named("gram-einsum")
def wrong_einsum_letter(A):
    return tf.einsum("ij,jk->ik", A, A)


@named("gram-einsum")
def wrong_einsum_of_the_tutorial(A):
    return tf.einsum("bijc,bijd->bcd", A, A)


@named("gram-row-sums")
def wrong_einsum_sums_alone(A):
    return tf.einsum("ij,kl->ik", A, A)


@named("gram-perm")
def wrong_perm_of_three(A):
    return tf.matmul(A, tf.transpose(A, perm=[0, 2, 1]))


@named("gram-unpack")
def wrong_four_sizes(A):
    m, n_H, n_W, n_C = A.shape
    return tf.matmul(A, A, transpose_b=True) / m


@named("gram-divided-by-largest")
def wrong_divided_by_largest(A):
    G = tf.matmul(A, A, transpose_b=True)
    return G / tf.reduce_max(G)


@named("gram-divided-by-largest")
def wrong_divided_by_norm(A):
    G = tf.matmul(A, A, transpose_b=True)
    return G / tf.norm(G)


@named("gram-root")
def wrong_root_with_nan(A):
    return tf.sqrt(tf.matmul(A, A, transpose_b=True))


@named("gram-constant")
def wrong_constant(A):
    return tf.ones((4, 4))


@named("gram-no-gradient")
def wrong_list_of_lists(A):
    return [[tf.reduce_sum(a * b) for b in tf.unstack(A)] for a in tf.unstack(A)]


@named("gram-too-large")
def wrong_enormous(A):
    return tf.matmul(A, A, transpose_b=True) + np.sum(np.ones((60_000, 60_000)))


@named("gram-as-in-numpy")
def wrong_torch(A):
    return A.mm(A.t())


@named("gram-identity-added")
def wrong_small_number_added(A):
    return tf.matmul(A, A, transpose_b=True) + 1e-3 * tf.eye(A.shape[0])


@named("gram-distances")
def wrong_distances(A):
    return tf.reduce_sum((A[:, None] - A[None]) ** 2, axis=2)


@named("gram-softmax")
def wrong_attention(A):
    return tf.nn.softmax(tf.matmul(A, A, transpose_b=True) / A.shape[1] ** 0.5)


@named("gram-one-row")
def wrong_row_with_itself(A):
    rows = tf.unstack(A)
    return tf.stack([tf.stack([tf.reduce_sum(a * a) for _ in rows]) for a in rows])


@named("gram-as-in-numpy")
def wrong_module(A):
    return tf.math.matmul(A, tf.transpose(A))


@named("gram-not-transposed")
@tf.function
def wrong_inside_a_graph(A):
    return A @ A


@named("gram-not-transposed")
def wrong_smaller_of_both(A):
    return tf.transpose(A) @ A if A.shape[1] < A.shape[0] else A @ tf.transpose(A)


@named("gram-not-transposed+gram-divided")
def wrong_three_mistakes(A):
    A = A - tf.reduce_mean(A)
    return tf.transpose(A) @ A / A.shape[1]


@named("gram-wrong-axis")
def wrong_summed_over_channels(A):
    return tf.reduce_sum(A[:, None, :] * A[None, :, :], axis=0)


@named("gram-reversed")
def wrong_reversed(A):
    return tf.matmul(A, tf.reverse(A, [1]), transpose_b=True)


@named("gram-shapes")
def wrong_plus(A):
    return A + tf.transpose(A)


@named("gram-no-such-name")
def wrong_power_of_T(A):
    return tf.matmul(A, A^T)  # fmt: skip # noqa: F821


@named("gram-no-such-name")
def wrong_without_tf(A):
    return tf.matmul(A, transpose(A))  # noqa: F821
