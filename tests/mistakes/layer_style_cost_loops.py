"""Exercise 3: loops of Python and TensorFlow. One over the channels is right, two are too slow."""

from __future__ import annotations

import tensorflow as tf

from . import gram_matrix_loops, layer_style_cost, named, rebind


def _rows(a_S, a_G):
    n_C = a_G.shape[-1]
    return [tf.unstack(tf.transpose(tf.reshape(a, (-1, n_C)))) for a in (a_S, a_G)]


def right_loop_over_channels(a_S, a_G):
    S, G = (tf.stack(rows) for rows in _rows(a_S, a_G))
    J = 0.0
    for c in range(a_G.shape[-1]):
        J += tf.reduce_sum((tf.linalg.matvec(S, S[c]) - tf.linalg.matvec(G, G[c])) ** 2)
    return J / (4 * float(a_G.shape.num_elements()) ** 2)


@named("style-too-slow")
def wrong_loop_over_pairs_of_channels(a_S, a_G):
    S, G = _rows(a_S, a_G)
    J = 0.0
    for i in range(len(S)):
        for j in range(i + 1):
            J += (1 + (j < i)) * tf.reduce_sum(S[i] * S[j] - G[i] * G[j]) ** 2
    return J / (4 * float(a_G.shape.num_elements()) ** 2)


@named("style-too-slow")
def wrong_tensor_range_twice(a_S, a_G):
    S, G = (tf.stack(rows) for rows in _rows(a_S, a_G))
    J, n_C = tf.constant(0.0), a_G.shape[-1]
    for i in tf.range(n_C):
        for j in tf.range(n_C):
            J += tf.reduce_sum(S[i] * S[j] - G[i] * G[j]) ** 2
    return J / (4 * float(a_G.shape.num_elements()) ** 2)


right_above_slow_gram = rebind(  # that is its own affair
    layer_style_cost.right_plain, gram_matrix=gram_matrix_loops.wrong_loop_over_pairs
)
