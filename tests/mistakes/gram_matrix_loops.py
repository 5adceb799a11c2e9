"""Exercise 2: loops of Python and TensorFlow. One over the channels is right, two are too slow."""

from __future__ import annotations

import tensorflow as tf

from . import named


def right_loop_over_positions(A):
    G = tf.zeros((A.shape[0], A.shape[0]))
    for first in range(0, A.shape[1], 200):
        columns = A[:, first : first + 200]
        G += tf.matmul(columns, columns, transpose_b=True)
    return G


def right_map_over_channels(A):
    return tf.map_fn(lambda row: tf.linalg.matvec(A, row), A)


@tf.function
def right_tensor_range(A):
    rows = tf.TensorArray(tf.float32, size=tf.shape(A)[0])
    for i in tf.range(tf.shape(A)[0]):
        rows = rows.write(i, tf.linalg.matvec(A, A[i]))
    return rows.stack()


@named("gram-too-slow")
def wrong_loop_over_pairs(A):
    rows = tf.unstack(A)
    return tf.stack([tf.stack([tf.reduce_sum(x * y) for y in rows]) for x in rows])


@named("gram-too-slow")
def wrong_loop_over_half_of_the_pairs(A):
    rows, n_C = tf.unstack(A), A.shape[0]
    G = [[None] * n_C for _ in range(n_C)]
    for i in range(n_C):
        for j in range(i, n_C):
            G[i][j] = G[j][i] = tf.reduce_sum(rows[i] * rows[j])
    return tf.stack([tf.stack(row) for row in G])


@named("gram-too-slow")
def wrong_tensor_range_twice(A):
    n_C = A.shape[0]
    G = tf.zeros((n_C, n_C))
    for i in tf.range(n_C):
        for j in tf.range(n_C):
            G = tf.tensor_scatter_nd_update(G, [[i, j]], [tf.reduce_sum(A[i] * A[j])])
    return G


@named("gram-too-slow")
def wrong_map_inside_map(A):
    return tf.map_fn(lambda x: tf.map_fn(lambda y: tf.reduce_sum(x * y), A), A)


@named("gram-too-slow")
def wrong_while_inside_while(A):
    n_C = tf.shape(A)[0]
    entries, k = tf.TensorArray(tf.float32, size=n_C * n_C), tf.constant(0)
    while k < n_C * n_C:
        j = tf.constant(0)
        while j < n_C:
            entries = entries.write(k, tf.reduce_sum(A[k // n_C] * A[j]))
            j, k = j + 1, k + 1
    return tf.reshape(entries.stack(), (n_C, n_C))
