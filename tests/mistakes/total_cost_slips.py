"""Exercise 4, total_cost: costs and weights that are 0 or small, other defaults, ifs, rounding."""

from __future__ import annotations

import tensorflow as tf

from . import named


@named("total-defaults")
def wrong_other_defaults(J_content, J_style, alpha=1, beta=1000):
    return alpha * J_content + beta * J_style


@named("total-zero-cost")
def wrong_divides_by_content(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content * (1 + beta * J_style / (alpha * J_content))


@named("total-zero-cost")
def wrong_divides_by_style(J_content, J_style, alpha=10, beta=40):
    return beta * J_style * (1 + alpha * J_content / (beta * J_style))


@named("total-zero-cost")
def wrong_exp_of_log(J_content, J_style, alpha=10, beta=40):
    return alpha * tf.exp(tf.math.log(J_content)) + beta * tf.exp(tf.math.log(J_style))


@named("total-small-costs")
def wrong_threshold(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + beta * tf.where(J_style < 0.01, 0.0, J_style)


@named("total-zero-weight")
def wrong_beta_or_default(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + (beta or 40) * J_style


@named("total-small-weight")
def wrong_weights_below_one(J_content, J_style, alpha=10, beta=40):
    alpha, beta = 10 if alpha < 1 else alpha, 40 if beta < 1 else beta
    return alpha * J_content + beta * J_style


@named("total-largest")
def wrong_larger_cost(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + beta * (J_content + tf.nn.relu(J_style - J_content))


@named("total-log")
def wrong_logsumexp(J_content, J_style, alpha=10, beta=40):
    return tf.reduce_logsumexp(tf.stack([alpha * J_content, beta * J_style]))


@named("total-floor")
def wrong_rounded(J_content, J_style, alpha=10, beta=40):
    return tf.round(alpha * J_content + beta * J_style)


@named("total-constant")
def wrong_never_above_100(J_content, J_style, alpha=10, beta=40):
    return tf.minimum(alpha * J_content + beta * J_style, 100.0)


# --- wrong: whole numbers meet decimal ones ---------------------------------------------------


@named("total-dtypes")
def wrong_costs_cast_to_int(J_content, J_style, alpha=10, beta=40):
    J_content, J_style = (tf.cast(J, tf.int32) for J in (J_content, J_style))
    return alpha * J_content + beta * J_style


@named("total-dtypes")
def wrong_weight_is_whole(J_content, J_style, alpha=10, beta=40):
    return tf.constant(alpha, tf.int32) * J_content + beta * J_style


@named("total-dtypes")
def wrong_int_times_tensor(J_content, J_style, alpha=10, beta=40):
    return tf.cast(tf.round(alpha), tf.int32) * J_content + beta * J_style
