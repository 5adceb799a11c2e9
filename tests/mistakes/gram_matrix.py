"""Exercise 2, gram_matrix: wrong and right answers."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from . import named

# --- wrong ---------------------------------------------------------------------------------------


@named("gram-not-transposed")
def wrong_transposed_first(A):
    return tf.matmul(tf.transpose(A), A)


@named("gram-not-transposed")
def wrong_transpose_a(A):
    return tf.matmul(A, A, transpose_a=True)


@named("gram-not-transposed+gram-divided")
def wrong_transposed_first_divided(A):
    return tf.matmul(A, A, transpose_a=True) / A.shape[1]


@named("gram-not-transposed")
def wrong_no_transpose(A):
    return tf.matmul(A, A)


@named("gram-both-transposed")
def wrong_both_transposed(A):
    return tf.transpose(A) @ tf.transpose(A)


@named("gram-elementwise")
def wrong_elementwise(A):
    return A * A


@named("gram-elementwise")
def wrong_square(A):
    return tf.square(A)


@named("gram-shapes")
def wrong_elementwise_transposed(A):
    return A * tf.transpose(A)


@named("gram-divided")
def wrong_divided_by_positions(A):
    return tf.matmul(A, tf.transpose(A)) / A.shape[1]


@named("gram-divided-all")
def wrong_divided_by_all(A):
    return tf.matmul(A, tf.transpose(A)) / (A.shape[0] * A.shape[1])


@named("gram-divided-channels")
def wrong_divided_by_channels(A):
    return tf.matmul(A, tf.transpose(A)) / A.shape[0]


@named("gram-factor")
def wrong_half(A):
    return 0.5 * tf.matmul(A, tf.transpose(A))


@named("gram-factor")
def wrong_divided_twice(A):
    return tf.matmul(A, tf.transpose(A)) / A.shape[1] ** 2


@named("gram-sign")
def wrong_sign(A):
    return -tf.matmul(A, tf.transpose(A))


@named("gram-triangle")
def wrong_upper(A):
    return tf.linalg.band_part(tf.matmul(A, tf.transpose(A)), 0, -1)


@named("gram-triangle")
def wrong_lower(A):
    return tf.linalg.band_part(tf.matmul(A, tf.transpose(A)), -1, 0)


@named("gram-triangle+gram-divided")
def wrong_upper_divided(A):
    return tf.linalg.band_part(tf.matmul(A, tf.transpose(A)), 0, -1) / A.shape[1]


@named("gram-diagonal-only")
def wrong_diagonal(A):
    return tf.linalg.diag_part(A @ tf.transpose(A))


@named("gram-diagonal-only")
def wrong_diagonal_matrix(A):
    return tf.linalg.diag(tf.reduce_sum(A * A, axis=1))


@named("gram-no-diagonal")
def wrong_no_diagonal(A):
    G = A @ tf.transpose(A)
    return G - tf.linalg.diag(tf.linalg.diag_part(G))


@named("gram-summed")
def wrong_summed(A):
    return tf.reduce_sum(A * A)


@named("gram-summed")
def wrong_tensordot_all(A):
    return tf.tensordot(A, A, axes=2)


@named("gram-column-sums")
def wrong_column_sums(A):
    return tf.reduce_sum(A * A, axis=0)


@named("gram-reshaped")
def wrong_reshape_for_transpose(A):
    return A @ tf.reshape(A, (A.shape[1], A.shape[0]))


@named("gram-reshaped")
def wrong_reshape_both(A):
    B = tf.reshape(A, (A.shape[1], A.shape[0]))
    return tf.transpose(B) @ B


@named("gram-centred")
def wrong_centred(A):
    A = A - tf.reduce_mean(A, axis=1, keepdims=True)
    return A @ tf.transpose(A)


@named("gram-centred+gram-divided")
def wrong_covariance(A):
    A = A - tf.reduce_mean(A, axis=1, keepdims=True)
    return A @ tf.transpose(A) / A.shape[1]


@named("gram-covariance+gram-divided")
def wrong_sample_covariance(A):
    A = A - tf.reduce_mean(A, axis=1, keepdims=True)
    return A @ tf.transpose(A) / (A.shape[1] - 1)


@named("gram-unit-rows")
def wrong_cosine(A):
    A = tf.math.l2_normalize(A, axis=1)
    return A @ tf.transpose(A)


@named("gram-absolute")
def wrong_absolute(A):
    return tf.abs(A @ tf.transpose(A))


@named("gram-clipped")
def wrong_relu(A):
    return tf.nn.relu(A @ tf.transpose(A))


@named("gram-squared")
def wrong_squared(A):
    return tf.square(A @ tf.transpose(A))


@named("gram-squared+gram-divided")
def wrong_squared_divided(A):
    return tf.square(A) @ tf.transpose(tf.square(A)) / A.shape[1]


@named("gram-no-gradient")
def wrong_numpy(A):
    A = A.numpy()
    return tf.constant(A @ A.T)


@named("gram-no-gradient")
def wrong_np_dot(A):
    return np.dot(A, np.transpose(A))


@named("gram-no-gradient")
def wrong_stop_gradient(A):
    return tf.stop_gradient(A @ tf.transpose(A))


@named("gram-divided")
def wrong_numpy_divided(A):
    A = A.numpy()
    return A @ A.T / A.shape[1]


@named("gram-gradient-wrong")
def wrong_half_detached(A):
    return A @ tf.transpose(tf.stop_gradient(A))


@named("gram-no-return")
def wrong_no_return(A):
    G = A @ tf.transpose(A)  # noqa: F841


@named("gram-only-A")
def wrong_A(A):
    return A


@named("gram-only-A")
def wrong_A_transposed(A):
    return tf.transpose(A)


@named("gram-shape")
def wrong_extra_axis(A):
    return tf.matmul(A, tf.transpose(A))[tf.newaxis]


@named("gram-dtype")
def wrong_float64(A):
    A = tf.cast(A, tf.float64)
    return A @ tf.transpose(A)


@named("gram-dims-hard-coded")
def wrong_hard_coded(A):
    A = tf.reshape(A, (3, 8))
    return A @ tf.transpose(A)


@named("gram-not-written")
def wrong_stub(A):
    raise NotImplementedError()


@named("gram-zero")
def wrong_zero(A):
    return tf.zeros((A.shape[0], A.shape[0])) * A[0, 0]


@named("gram-as-in-numpy")
def wrong_attribute(A):
    return A @ A.T


@named("gram-as-in-numpy")
def wrong_transpose_method(A):
    return tf.matmul(A, A.transpose())


@named("gram-as-in-numpy")
def wrong_tf_dot(A):
    return tf.dot(A, tf.transpose(A))


@named("gram-whole-numbers")
def wrong_int(A):
    return tf.cast(tf.matmul(A, tf.transpose(A)), tf.int32)


@named("gram-factor")
def wrong_hardly(A):
    return 1.003 * tf.matmul(A, tf.transpose(A))


@named("gram-doubled")
def wrong_mirrored(A):
    upper = tf.linalg.band_part(A @ tf.transpose(A), 0, -1)
    return upper + tf.transpose(upper)


@named("gram-factor")
def wrong_plus_transposed(A):
    G = A @ tf.transpose(A)
    return G + tf.transpose(G)


# --- right ---------------------------------------------------------------------------------------


def right_plain(A):
    return tf.matmul(A, tf.transpose(A))


def right_transpose_b(A):
    return tf.matmul(A, A, transpose_b=True)


def right_operator(A):
    return A @ tf.transpose(A)


def right_einsum(A):
    return tf.einsum("ik,jk->ij", A, A)


def right_tensordot(A):
    return tf.tensordot(A, A, axes=[[1], [1]])


def right_linalg(A):
    return tf.linalg.matmul(A, tf.linalg.matrix_transpose(A))


def right_broadcast(A):
    return tf.reduce_sum(A[:, tf.newaxis, :] * A[tf.newaxis, :, :], axis=2)


def right_keras(A):
    return keras.ops.matmul(A, keras.ops.transpose(A))


def right_rows(A):
    return tf.stack([tf.linalg.matvec(A, A[i]) for i in range(A.shape[0])])


def right_perm(A):
    B = tf.transpose(A, perm=[1, 0])
    return tf.transpose(tf.matmul(A, B))


@tf.function
def right_decorated(A):
    return A @ tf.transpose(A)


def right_outer(A):
    total = tf.zeros((A.shape[0], A.shape[0]))
    for part in tf.split(A, [1, A.shape[1] - 1], axis=1):
        total += tf.matmul(part, part, transpose_b=True)
    return total


def right_autograph(A):
    G = tf.TensorArray(tf.float32, size=A.shape[0])
    for i in tf.range(A.shape[0]):
        G = G.write(i, tf.linalg.matvec(A, A[i]))
    return tf.ensure_shape(G.stack(), (A.shape[0], A.shape[0]))


# --- slips with operators, shapes and dtypes -----------------------------------------------------

_notebook_A = tf.ones((3, 4))


@named("gram-outer")
def wrong_outer_product(A):
    return tf.tensordot(A, tf.transpose(A), axes=0)


@named("gram-transposed-twice")
def wrong_transposed_twice(A):
    return tf.matmul(A, tf.transpose(A), transpose_b=True)


@named("gram-clipped")
def wrong_relu_first(A):
    A = tf.nn.relu(A)
    return tf.matmul(A, A, transpose_b=True)


@named("gram-power")
def wrong_xor(A):
    return A ^ 2


@named("gram-twice")
def wrong_once_more(A):
    G = tf.matmul(A, A, transpose_b=True)
    return G @ G


@named("gram-row-missing")
def wrong_range(A):
    return tf.stack([tf.linalg.matvec(A, A[i]) for i in range(A.shape[0] - 1)])


@named("gram-wrong-shape", "gram-beyond")  # where a case has fewer than three channels
def wrong_fixed_range(A):
    return tf.stack([tf.linalg.matvec(A, A[i]) for i in range(3)])


@named("gram-constant")
def wrong_global(A):
    return tf.matmul(_notebook_A, _notebook_A, transpose_b=True)


@named("gram-float16")
def wrong_float16_inside(A):
    B = tf.cast(A, tf.float16)
    return tf.cast(tf.matmul(B, B, transpose_b=True), tf.float32)


@named("gram-whole-numbers")
def wrong_whole_numbers(A):
    B = tf.cast(tf.cast(A, tf.int32), tf.float32)
    return tf.matmul(B, B, transpose_b=True)


wrong_whole_numbers.mistakes = ("gram-whole-numbers",)


@named("gram-centred")
def wrong_mean_of_all(A):
    A = A - tf.reduce_mean(A)
    return tf.matmul(A, A, transpose_b=True)


@named("gram-unit-length")
def wrong_unit_length(A):
    A = A / tf.norm(A)
    return tf.matmul(A, A, transpose_b=True)


@named("gram-identity-added")
def wrong_identity(A):
    return tf.matmul(A, A, transpose_b=True) + tf.eye(A.shape[0])


@named("gram-item-assigned")
def wrong_assigned(A):
    G = tf.zeros((A.shape[0], A.shape[0]))
    for i in range(A.shape[0]):
        for j in range(A.shape[0]):
            G[i, j] = tf.reduce_sum(A[i] * A[j])
    return G


@named("gram-shapes")
def wrong_star(A):
    return A * tf.transpose(A)


@named("gram-no-such-name")
def wrong_typo(A):
    return tf.matmull(A, A)


@named("gram-endless")
def wrong_calls_itself(A):
    return wrong_calls_itself(tf.transpose(A))


@named("gram-correlation")
def wrong_correlation(A):
    A = A - tf.reduce_mean(A, axis=1, keepdims=True)
    A = tf.math.l2_normalize(A, axis=1)
    return tf.matmul(A, A, transpose_b=True)


@named("gram-divided-by-root")
def wrong_divided_by_root(A):
    return A @ tf.transpose(A) / A.shape[1] ** 0.5


def right_mapped(A):
    return tf.map_fn(lambda row: tf.linalg.matvec(A, row), A)


def right_batch_of_one(A):
    B = A[None]
    return tf.squeeze(tf.matmul(B, B, adjoint_b=True), axis=0)


right_lambda = lambda A: A @ tf.linalg.matrix_transpose(A)  # noqa: E731
