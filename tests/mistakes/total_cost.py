"""Exercise 4, total_cost: wrong and right answers."""

from __future__ import annotations

import keras
import tensorflow as tf

from . import named

# --- wrong ---------------------------------------------------------------------------------------


@named("total-swapped")
def wrong_swapped(J_content, J_style, alpha=10, beta=40):
    return beta * J_content + alpha * J_style


@named("total-hard-coded")
def wrong_hard_coded(J_content, J_style, alpha=10, beta=40):
    return 10 * J_content + 40 * J_style


@named("total-hard-coded-swapped")
def wrong_hard_coded_swapped(J_content, J_style, alpha=10, beta=40):
    return 40 * J_content + 10 * J_style


@named("total-hard-coded")
def wrong_own_defaults_hard_coded(J_content, J_style, alpha=5, beta=7):
    return 5 * J_content + 7 * J_style


@named("total-hard-coded-swapped")
def wrong_own_defaults_hard_coded_swapped(J_content, J_style, alpha=5, beta=7):
    return 7 * J_content + 5 * J_style


@named("total-hard-coded+total-no-beta")
def wrong_hard_coded_no_beta(J_content, J_style, alpha=10, beta=40):
    return 10 * J_content + J_style


@named("total-hard-coded")
def wrong_one_hard_coded(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + 40 * J_style


@named("total-hard-coded")
def wrong_reassigned(J_content, J_style, alpha=10, beta=40):
    alpha, beta = 10, 40
    return alpha * J_content + beta * J_style


@named("total-no-alpha")
def wrong_no_alpha(J_content, J_style, alpha=10, beta=40):
    return J_content + beta * J_style


@named("total-no-beta")
def wrong_no_beta(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + J_style


@named("total-no-weights")
def wrong_no_weights(J_content, J_style, alpha=10, beta=40):
    return J_content + J_style


@named("total-product")
def wrong_product(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content * beta * J_style


@named("total-product")
def wrong_plain_product(J_content, J_style, alpha=10, beta=40):
    return J_content * J_style


@named("total-minus")
def wrong_minus(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content - beta * J_style


@named("total-no-style")
def wrong_no_style(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content


@named("total-no-content")
def wrong_no_content(J_content, J_style, alpha=10, beta=40):
    return beta * J_style


@named("total-one-cost")
def wrong_content_twice(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + beta * J_content


@named("total-one-weight")
def wrong_one_weight(J_content, J_style, alpha=10, beta=40):
    return alpha * (J_content + J_style)


@named("total-brackets")
def wrong_brackets(J_content, J_style, alpha=10, beta=40):
    return alpha * (J_content + beta * J_style)


@named("total-scaled")
def wrong_half(J_content, J_style, alpha=10, beta=40):
    return (alpha * J_content + beta * J_style) / 2


@named("total-scaled")
def wrong_normalised(J_content, J_style, alpha=10, beta=40):
    return (alpha * J_content + beta * J_style) / (alpha + beta)


@named("total-scaled")
def wrong_sign(J_content, J_style, alpha=10, beta=40):
    return -(alpha * J_content + beta * J_style)


@named("total-swapped+total-scaled")
def wrong_swapped_half(J_content, J_style, alpha=10, beta=40):
    return (beta * J_content + alpha * J_style) / 2


@named("total-swapped")
def wrong_argument_order(J_style, J_content, alpha=10, beta=40):
    return alpha * J_content + beta * J_style


@named("total-swapped")
def wrong_weight_order(J_content, J_style, beta=40, alpha=10):
    return alpha * J_content + beta * J_style


@named("total-defaults")
def wrong_defaults(J_content, J_style, alpha=40, beta=10):
    return alpha * J_content + beta * J_style


@named("total-no-gradient")
def wrong_float(J_content, J_style, alpha=10, beta=40):
    return float(alpha * J_content + beta * J_style)


@named("total-no-gradient")
def wrong_stop_gradient(J_content, J_style, alpha=10, beta=40):
    return tf.stop_gradient(alpha * J_content + beta * J_style)


@named("total-gradient-part")
def wrong_content_detached(J_content, J_style, alpha=10, beta=40):
    return alpha * float(J_content) + beta * J_style


@named("total-gradient-part")
def wrong_style_detached(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + beta * tf.stop_gradient(J_style)


@named("total-no-return")
def wrong_no_return(J_content, J_style, alpha=10, beta=40):
    J = alpha * J_content + beta * J_style  # noqa: F841


@named("total-not-written")
def wrong_stub(J_content, J_style, alpha=10, beta=40):
    raise NotImplementedError()


@named("total-signature")
def wrong_missing_weights(J_content, J_style):
    return 10 * J_content + 40 * J_style


@named("total-signature")
def wrong_renamed(J_content, J_style, a=10, b=40):
    return a * J_content + b * J_style


@named("total-not-a-tensor")
def wrong_tuple(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content, beta * J_style


@named("total-shape")
def wrong_shape(J_content, J_style, alpha=10, beta=40):
    return tf.reshape(alpha * J_content + beta * J_style, [1])


@named("total-not-a-scalar")
def wrong_stacked(J_content, J_style, alpha=10, beta=40):
    return tf.stack([alpha * J_content, beta * J_style])


@named("total-int")
def wrong_int(J_content, J_style, alpha=10, beta=40):
    return int(alpha) * J_content + int(beta) * J_style


@named("total-dtype")
def wrong_float64(J_content, J_style, alpha=10, beta=40):
    return tf.cast(alpha * J_content + beta * J_style, tf.float64)


@named("total-zero")
def wrong_zero(J_content, J_style, alpha=10, beta=40):
    return 0 * J_content


@named("total-divided")
def wrong_divided(J_content, J_style, alpha=10, beta=40):
    return J_content / alpha + J_style / beta


@named("total-only-tensors")
def wrong_only_tensors(J_content, J_style, alpha=10, beta=40):
    return tf.cast(alpha, J_content.dtype) * J_content + tf.cast(beta, J_style.dtype) * J_style


wrong_only_tensors.mistakes = ("total-only-tensors",)


# --- right ---------------------------------------------------------------------------------------


def right_plain(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + beta * J_style


def right_roots_squared(J_content, J_style, alpha=10, beta=40):
    return tf.sqrt(alpha * J_content) ** 2 + tf.sqrt(beta * J_style) ** 2


def right_other_order(J_content, J_style, alpha=10, beta=40):
    return J_style * beta + J_content * alpha


def right_tf_ops(J_content, J_style, alpha=10, beta=40):
    return tf.add(tf.multiply(alpha, J_content), tf.multiply(beta, J_style))


def right_keras(J_content, J_style, alpha=10, beta=40):
    return keras.ops.add(alpha * J_content, beta * J_style)


def right_cast(J_content, J_style, alpha=10, beta=40):
    return tf.cast(alpha, tf.float32) * J_content + tf.cast(beta, tf.float32) * J_style


def right_add_n(J_content, J_style, alpha=10, beta=40):
    return tf.add_n([alpha * J_content, beta * J_style])


def right_steps(J_content, J_style, alpha=10, beta=40):
    J = alpha * J_content
    J += beta * J_style
    return J


def right_sum(J_content, J_style, alpha=10, beta=40):
    return sum(weight * cost for weight, cost in ((alpha, J_content), (beta, J_style)))


def right_ratio(J_content, J_style, alpha=10, beta=40):
    return alpha * (J_content + beta / alpha * J_style)


def right_stack(J_content, J_style, alpha=10, beta=40):
    return tf.reduce_sum(tf.stack([alpha * J_content, beta * J_style]))


@tf.function
def right_decorated(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + beta * J_style


def right_float_weights(J_content, J_style, alpha=10, beta=40):
    return float(alpha) * J_content + float(beta) * J_style


# --- slips ---------------------------------------------------------------------------------------

ALPHA, BETA = 10, 40


@named("total-convex")
def wrong_weighted_mean(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + (1 - alpha) * J_style


@named("total-convex")
def wrong_weighted_mean_of_beta(J_content, J_style, alpha=10, beta=40):
    return (1 - beta) * J_content + beta * J_style


@named("total-ratio")
def wrong_ratio(J_content, J_style, alpha=10, beta=40):
    return J_content + beta / alpha * J_style


@named("total-ratio")
def wrong_ratio_of_content(J_content, J_style, alpha=10, beta=40):
    return alpha / beta * J_content + J_style


@named("total-something-added")
def wrong_epsilon(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + beta * J_style + 0.1


@named("total-weights-twice")
def wrong_weights_squared(J_content, J_style, alpha=10, beta=40):
    return alpha**2 * J_content + beta**2 * J_style


@named("total-divided")
def wrong_both_divided(J_content, J_style, alpha=10, beta=40):
    return J_content / alpha + J_style / beta


@named("total-hard-coded")
def wrong_globals(J_content, J_style, alpha=10, beta=40):
    return ALPHA * J_content + BETA * J_style


@named("total-no-gradient")
def wrong_numpy_method(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content.numpy() + beta * J_style.numpy()


@named("total-not-a-tensor")
def wrong_all_three(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + beta * J_style, J_content, J_style


@named("total-floor")
def wrong_floor(J_content, J_style, alpha=10, beta=40):
    return (alpha * J_content + beta * J_style) // 1


@named("total-endless")
def wrong_calls_itself(J_content, J_style, alpha=10, beta=40):
    return wrong_calls_itself(J_content, J_style, alpha, beta)


@named("total-costs-squared")
def wrong_costs_squared(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content**2 + beta * J_style**2


@named("total-weights-added")
def wrong_weights_added(J_content, J_style, alpha=10, beta=40):
    return (alpha + J_content) + (beta + J_style)


@named("total-float16")
def wrong_float16_inside(J_content, J_style, alpha=10, beta=40):
    terms = [
        tf.cast(w, tf.float16) * tf.cast(J, tf.float16)
        for w, J in ((alpha, J_content), (beta, J_style))
    ]
    return tf.cast(terms[0] + terms[1], tf.float32)


def right_stacked_weights(J_content, J_style, alpha=10, beta=40):
    costs = tf.stack([J_content, J_style])
    weights = tf.cast(tf.stack([alpha, beta]), costs.dtype)
    return tf.reduce_sum(costs * weights)


def right_stacked_and_dotted(J_content, J_style, alpha=10, beta=40):
    costs = tf.stack([J_content, J_style])
    weights = tf.stack([tf.cast(alpha, costs.dtype), tf.cast(beta, costs.dtype)])
    return tf.tensordot(costs, weights, 1)


def right_converted(J_content, J_style, alpha=10, beta=40):
    J_content, J_style = (tf.convert_to_tensor(J, tf.float32) for J in (J_content, J_style))
    return alpha * J_content + beta * J_style


# --- wrong: seen in a second class ---------------------------------------------------------------


@named("total-zero-weight")
def wrong_or_default(J_content, J_style, alpha=10, beta=40):
    return (alpha or 10) * J_content + (beta or 40) * J_style


@named("total-power")
def wrong_powers(J_content, J_style, alpha=10, beta=40):
    return J_content**alpha + J_style**beta


@named("total-largest")
def wrong_larger_term(J_content, J_style, alpha=10, beta=40):
    return tf.maximum(alpha * J_content, beta * J_style)


@named("total-log")
def wrong_logarithm(J_content, J_style, alpha=10, beta=40):
    return tf.math.log(alpha * J_content + beta * J_style)


@named("total-brackets")
def wrong_brackets_round_content(J_content, J_style, alpha=10, beta=40):
    return (alpha * J_content + beta) * J_style


@named("total-scaled")
def wrong_style_averaged(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + beta * J_style / 5


@named("total-constant")
def wrong_clipped(J_content, J_style, alpha=10, beta=40):
    return tf.clip_by_value(alpha * J_content + beta * J_style, 0.0, 1.0)


@named("total-constant")
def wrong_one(J_content, J_style, alpha=10, beta=40):
    return tf.constant(1.0)


@named("total-sorted")
def wrong_sorted_weights(J_content, J_style, alpha=10, beta=40):
    return min(alpha, beta) * J_content + max(alpha, beta) * J_style


@named("total-weights-added")
def wrong_plus_for_times(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + beta + J_style


@named("total-set")
def wrong_braces(J_content, J_style, alpha=10, beta=40):
    return {alpha * J_content + beta * J_style}
