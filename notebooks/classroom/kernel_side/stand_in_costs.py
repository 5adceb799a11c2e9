"""Stand in for a student's function that gives nothing, so that the next one can be judged.

They are smooth, they depend on all that they are given, and none is the right one: `checkpoints`
sees what they give, and judges whether the function that calls them does the right thing with it.
"""

from __future__ import annotations

import tensorflow as tf


def compute_content_cost(content_output, generated_output):
    return tf.reduce_mean(tf.abs(content_output[-1] - generated_output[-1]))


def gram_matrix(A):
    return tf.reduce_sum(A, axis=1)[:, None] + tf.reduce_sum(A, axis=1)[None, :]


def compute_layer_style_cost(a_S, a_G):
    return tf.reduce_mean(
        tf.abs(tf.reduce_mean(a_S, axis=(1, 2)) - tf.reduce_mean(a_G, axis=(1, 2)))
    )


def total_cost(J_content, J_style, alpha=10, beta=40):
    return (alpha * J_content + 2 * beta * J_style) / 3


STAND_INS = {
    function.__name__: function
    for function in (compute_content_cost, gram_matrix, compute_layer_style_cost, total_cost)
}
