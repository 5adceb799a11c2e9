"""Exercise 4, total_cost: lines that are cut, weights that are not passed, or clipped."""

from __future__ import annotations

import tensorflow as tf

from . import named


# fmt: off
@named("total-sign-alone")
def wrong_sum_on_two_lines(J_content, J_style, alpha=10, beta=40):
    J = beta * J_style
    + alpha * J_content
    return J


@named("total-no-style")
def wrong_after_return(J_content, J_style, alpha=10, beta=40):
    J = alpha * J_content
    return J
    J += beta * J_style  # noqa: B012


@named("total-no-first-value")
def wrong_subtracted_from_nothing(J_content, J_style, alpha=10, beta=40):
    J -= -alpha * J_content  # noqa: F821, F841
    return J + beta * J_style


@named("total-sign-alone")
def wrong_comma_minus(J_content, J_style, alpha=10, beta=40):
    return sum([alpha * J_content, +[beta * J_style]])
# fmt: on


@named("total-no-matrix")
def wrong_matmul(J_content, J_style, alpha=10, beta=40):
    return tf.matmul(alpha, J_content) + tf.matmul(beta, J_style)


@named("total-passed")
def wrong_by_position_only(J_content, J_style, *weights, **others):
    alpha, beta = weights or (10, 40)
    return alpha * J_content + beta * J_style


@named("total-passed")
def wrong_beta_by_name_only(J_content, J_style, alpha=10, *_, beta=40):
    return alpha * J_content + beta * J_style


@named("total-clipped")
def wrong_beta_capped(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + tf.minimum(float(beta), 45.0) * J_style


@named("total-clipped")
def wrong_weights_at_least_25(J_content, J_style, alpha=10, beta=40):
    return max(alpha, 25.0) * J_content + max(beta, 25.0) * J_style


@named("total-self-divided")
def wrong_divided_by_themselves(J_content, J_style, alpha=10, beta=40):
    J_content = tf.convert_to_tensor(J_content)
    J_style = tf.convert_to_tensor(J_style)
    content, style = tf.stop_gradient(J_content), tf.stop_gradient(J_style)
    divide = tf.math.divide_no_nan
    return alpha * divide(J_content, content) + beta * divide(J_style, style)


@named("total-relative")
def wrong_relative_style(J_content, J_style, alpha=10, beta=40):
    return alpha + beta * J_style / (J_content + 1e-12)


@named("total-not-a-sequence")
def wrong_constant_of_tensors(J_content, J_style, alpha=10, beta=40):
    return tf.reduce_sum(tf.constant([alpha * J_content, beta * J_style]))


@named("total-rounded")
def wrong_two_decimals(J_content, J_style, alpha=10, beta=40):
    return tf.round(100 * (alpha * J_content + beta * J_style)) / 100


@named("total-clipped")
def wrong_style_term_capped(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + min(beta * J_style, 210.0)


@named("total-root")
def wrong_roots_of_costs(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content**0.5 + beta * J_style**0.5


# fmt: off
@named("total-sign-alone")
def wrong_equals_plus(J_content, J_style, alpha=10, beta=40):
    J = alpha * J_content
    J =+ beta * J_style
    return J
# fmt: on
