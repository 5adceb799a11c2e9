"""Exercise 2: loops in Python. One over the channels is right, one inside another is too slow."""

from __future__ import annotations

import tensorflow as tf

from . import named


def right_loop_over_positions(A):
    G = tf.zeros((A.shape[0], A.shape[0]))
    for first in range(0, A.shape[1], 200):
        columns = A[:, first : first + 200]
        G += tf.matmul(columns, columns, transpose_b=True)
    return G


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
