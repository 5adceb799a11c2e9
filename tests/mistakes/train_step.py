"""Exercise 5, train_step: wrong and right answers."""

# ruff: noqa: B905  (students write zip without strict)

from __future__ import annotations

import keras
import tensorflow as tf

from . import content_cost, named, rebind
from . import gram_matrix as gram
from . import layer_style_cost as style_cost
from . import total_cost as total

STYLE_LAYERS = [(f"block{i}_conv1", 0.2) for i in range(1, 6)]


def compute_content_cost(content_output, generated_output):
    return content_cost.right_plain(content_output, generated_output)


def gram_matrix(A):
    return gram.right_plain(A)


def compute_layer_style_cost(a_S, a_G):
    return style_cost.right_plain(a_S, a_G)


def compute_style_cost(style_image_output, generated_image_output, STYLE_LAYERS=STYLE_LAYERS):
    J = 0
    pairs = zip(style_image_output[:-1], generated_image_output[:-1], STYLE_LAYERS)
    for a_S, a_G, (_, weight) in pairs:
        J += weight * compute_layer_style_cost(a_S, a_G)
    return J


def total_cost(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + beta * J_style


def clip(image):
    """In place, to [0, 1]."""
    image.assign(tf.clip_by_value(image, 0.0, 1.0))


def J_of(a_G, a_C, a_S, alpha, beta):
    """J from the activations of the three pictures."""
    return total_cost(compute_content_cost(a_C, a_G), compute_style_cost(a_S, a_G), alpha, beta)


# --- wrong ---------------------------------------------------------------------------------------


@named("train-outside-tape")
def wrong_features_outside(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    a_G = vgg(generated_image)
    with tf.GradientTape() as tape:
        J = J_of(a_G, a_C, a_S, alpha, beta)
    grad = tape.gradient(J, generated_image)
    optimizer.apply_gradients([(grad, generated_image)])
    clip(generated_image)
    return J


@named("train-outside-tape")
def wrong_all_outside(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    with tf.GradientTape() as tape:
        pass
    grad = tape.gradient(J, generated_image)
    optimizer.apply_gradients([(grad, generated_image)])
    clip(generated_image)
    return J


def _wrong_cost(cost):
    """A train_step that is right but for the cost that it computes."""

    def wrong(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
        with tf.GradientTape() as tape:
            J = cost(vgg(generated_image), a_C, a_S, alpha, beta)
        grad = tape.gradient(J, generated_image)
        optimizer.apply_gradients([(grad, generated_image)])
        clip(generated_image)
        return J

    return wrong


content, style = compute_content_cost, compute_style_cost
wrong_style_between_S_and_C = named("train-style-fixed")(
    _wrong_cost(lambda G, C, S, a, b: total_cost(content(C, G), style(S, C), a, b))
)
wrong_content_between_S_and_G = named("train-content-target")(
    _wrong_cost(lambda G, C, S, a, b: total_cost(content(S, G), style(S, G), a, b))
)
wrong_style_between_C_and_G = named("train-style-target")(
    _wrong_cost(lambda G, C, S, a, b: total_cost(content(C, G), style(C, G), a, b))
)
wrong_both_targets = named("train-content-target+train-style-target")(
    _wrong_cost(lambda G, C, S, a, b: total_cost(content(S, G), style(C, G), a, b))
)
wrong_content_between_C_and_S = named("train-content-fixed")(
    _wrong_cost(lambda G, C, S, a, b: total_cost(content(C, S), style(S, G), a, b))
)
wrong_no_content = named("train-no-content")(
    _wrong_cost(lambda G, C, S, a, b: b * style(S, G)),
)
wrong_no_style = named("train-no-style")(
    _wrong_cost(lambda G, C, S, a, b: a * content(C, G)),
)
wrong_weights_swapped = named("train-weights-swapped")(
    _wrong_cost(lambda G, C, S, a, b: total_cost(content(C, G), style(S, G), b, a))
)
wrong_costs_swapped = named("train-weights-swapped")(
    _wrong_cost(lambda G, C, S, a, b: total_cost(style(S, G), content(C, G), a, b))
)
wrong_weights_40_10 = named("train-weights-swapped")(
    _wrong_cost(lambda G, C, S, a, b: total_cost(content(C, G), style(S, G), 40, 10))
)
wrong_weights_not_passed = named("train-weights-ignored")(
    _wrong_cost(lambda G, C, S, a, b: total_cost(content(C, G), style(S, G)))
)
wrong_alpha_not_passed = named("train-alpha-ignored")(
    _wrong_cost(lambda G, C, S, a, b: total_cost(content(C, G), style(S, G), beta=b))
)
wrong_beta_not_passed = named("train-beta-ignored")(
    _wrong_cost(lambda G, C, S, a, b: total_cost(content(C, G), style(S, G), a))
)
wrong_weights_100_7 = named("train-weights-ignored")(
    _wrong_cost(lambda G, C, S, a, b: total_cost(content(C, G), style(S, G), 100, 7))
)
wrong_no_weights = named("train-no-weights")(
    _wrong_cost(lambda G, C, S, a, b: content(C, G) + style(S, G))
)
wrong_no_alpha = named("train-no-alpha")(
    _wrong_cost(lambda G, C, S, a, b: content(C, G) + b * style(S, G))
)
wrong_style_fixed_and_swapped = named("train-weights-swapped+train-style-fixed")(
    _wrong_cost(lambda G, C, S, a, b: total_cost(content(C, G), style(S, C), b, a))
)
wrong_cost_negative = named("train-cost-scaled+train-ascent")(
    _wrong_cost(lambda G, C, S, a, b: -total_cost(content(C, G), style(S, G), a, b))
)


def _wrong_update(update):
    """A train_step that is right but for what it does with the gradient."""

    def wrong(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
        with tf.GradientTape() as tape:
            J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
        grad = tape.gradient(J, generated_image)
        update(grad, generated_image, optimizer)
        return J

    return wrong


@named("train-no-clip")
@_wrong_update
def wrong_no_clip(grad, image, optimizer):
    optimizer.apply_gradients([(grad, image)])


@named("train-no-clip")
@_wrong_update
def wrong_clip_lost(grad, image, optimizer):
    optimizer.apply_gradients([(grad, image)])
    image = tf.clip_by_value(image, 0.0, 1.0)


@named("train-no-clip")
@_wrong_update
def wrong_new_variable(grad, image, optimizer):
    optimizer.apply_gradients([(grad, image)])
    image = tf.Variable(tf.clip_by_value(image, 0.0, 1.0))


@named("train-clip-255")
@_wrong_update
def wrong_clip_255(grad, image, optimizer):
    optimizer.apply_gradients([(grad, image)])
    image.assign(tf.clip_by_value(image, 0.0, 255.0))


@named("train-clip-above-only")
@_wrong_update
def wrong_clip_minus_one(grad, image, optimizer):
    optimizer.apply_gradients([(grad, image)])
    image.assign(tf.clip_by_value(image, -1.0, 1.0))


@named("train-not-applied")
@_wrong_update
def wrong_not_applied(grad, image, optimizer):
    clip(image)


@named("train-not-applied")
@_wrong_update
def wrong_applied_to_copy(grad, image, optimizer):
    copy = tf.Variable(image)
    keras.optimizers.Adam(0.03).apply_gradients([(grad, copy)])
    clip(copy)


@named("train-ascent")
@_wrong_update
def wrong_ascent(grad, image, optimizer):
    optimizer.apply_gradients([(-grad, image)])
    clip(image)


@named("train-ascent+train-no-clip")
@_wrong_update
def wrong_ascent_no_clip(grad, image, optimizer):
    optimizer.apply_gradients([(-grad, image)])


@named("train-clip-before")
@_wrong_update
def wrong_clip_before(grad, image, optimizer):
    clip(image)
    optimizer.apply_gradients([(grad, image)])


wrong_clip_before.mistakes = ("train-no-clip", "train-clip-before")  # the same after one step


@named("train-own-optimizer")
@_wrong_update
def wrong_new_adam(grad, image, optimizer):
    keras.optimizers.Adam(0.03).apply_gradients([(grad, image)])
    clip(image)


@named("train-own-optimizer")
@_wrong_update
def wrong_plain_descent(grad, image, optimizer):
    image.assign_sub(0.03 * grad)
    clip(image)


@named("train-second-step", "train-state-lost")
@_wrong_update
def wrong_state_lost(grad, image, optimizer):
    for variable in optimizer.variables:
        if len(variable.shape):
            variable.assign(tf.zeros_like(variable))
    optimizer.apply_gradients([(grad, image)])
    clip(image)


@named("train-applied-twice", "train-step-doubled", "train-pixels")
@_wrong_update
def wrong_applied_twice(grad, image, optimizer):
    optimizer.apply_gradients([(grad, image)])
    optimizer.apply_gradients([(grad, image)])
    clip(image)


@named("train-pairs")
@_wrong_update
def wrong_no_pair(grad, image, optimizer):
    optimizer.apply_gradients(grad, image)


@named("train-as-in-numpy")
@_wrong_update
def wrong_clip_method(grad, image, optimizer):
    optimizer.apply_gradients([(grad, image)])
    image.assign(image.clip(0, 1))


@named("train-wrong-variable")
def wrong_gradient_of_network(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    gradients = tape.gradient(J, vgg.trainable_variables)
    optimizer.apply_gradients(zip(gradients, vgg.trainable_variables))
    clip(generated_image)
    return J


@named("train-pairs")
@_wrong_update
def wrong_pair_order(grad, image, optimizer):
    optimizer.apply_gradients([grad, image])


@named("train-cost-after")
def wrong_cost_after(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J_of(vgg(generated_image), a_C, a_S, alpha, beta)


@named("train-no-return")
def wrong_no_return(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)


@named("train-not-a-tensor")
def wrong_returns_pair(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J, generated_image


@named("train-not-a-scalar", "train-returns-image")
def wrong_returns_image(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return generated_image


@named("train-gradient-of-part")
def wrong_gradient_of_content(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J_content = compute_content_cost(a_C, a_G)
        J = total_cost(J_content, compute_style_cost(a_S, a_G), alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J_content, generated_image), generated_image)])
    clip(generated_image)
    return J


@named("train-returns-part")
def wrong_returns_content(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J_content = compute_content_cost(a_C, a_G)
        J = total_cost(J_content, compute_style_cost(a_S, a_G), alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J_content


@named("train-network-changed")
def wrong_trains_network(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape(persistent=True) as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    for weight in vgg.trainable_variables:
        weight.assign_sub(1e-3 * tape.gradient(J, weight))
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


@named("train-not-in-graph")
def wrong_numpy(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J.numpy()


@named("train-style-fixed+train-no-clip")
def wrong_style_fixed_no_clip(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J = total_cost(compute_content_cost(a_C, a_G), compute_style_cost(a_S, a_C), alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    return J


@named("train-weights-swapped+train-not-applied")
def wrong_swapped_not_applied(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    return J_of(vgg(generated_image), a_C, a_S, beta, alpha)


@named("train-cost-after+train-no-clip")
def wrong_cost_after_no_clip(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    return J_of(vgg(generated_image), a_C, a_S, alpha, beta)


@named("train-not-written")
def wrong_stub(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    raise NotImplementedError()


@named("train-signature")
def wrong_signature(generated_image):
    return generated_image


@named("train-no-return")
def wrong_pass(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    pass


def step_as_taught(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J_content = compute_content_cost(a_C, a_G)
        J_style = compute_style_cost(a_S, a_G)
        J = total_cost(J_content, J_style, alpha, beta)
    grad = tape.gradient(J, generated_image)
    optimizer.apply_gradients([(grad, generated_image)])
    generated_image.assign(tf.clip_by_value(generated_image, 0.0, 1.0))
    return J


def _own(**wrong):
    """The right train_step above a wrong cost."""
    return named("train-fix-costs")(rebind(step_as_taught, **wrong))


def _own_style(layer_cost):
    return rebind(compute_style_cost, compute_layer_style_cost=layer_cost)


wrong_own_content = _own(compute_content_cost=content_cost.wrong_mean)
wrong_own_content_stub = _own(compute_content_cost=content_cost.wrong_stub)
wrong_own_content_numpy = _own(compute_content_cost=content_cost.wrong_numpy)
wrong_own_style = _own(compute_style_cost=_own_style(style_cost.wrong_reshape_only))
wrong_own_style_none = _own(compute_style_cost=_own_style(style_cost.wrong_no_return))
wrong_own_style_detached = _own(compute_style_cost=_own_style(style_cost.wrong_detached))
wrong_own_total = _own(total_cost=total.wrong_swapped)


# --- right ---------------------------------------------------------------------------------------

right_plain = step_as_taught


# --- wrong: defaults ---


@named("train-defaults")
def wrong_defaults(generated_image, vgg, a_C, a_S, optimizer, alpha=40, beta=10):
    return step_as_taught(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)


@named("train-defaults")
def wrong_other_defaults(generated_image, vgg, a_C, a_S, optimizer, alpha=1, beta=1000):
    return step_as_taught(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)


def total_of_others(J_content, J_style, alpha=100, beta=3):
    return alpha * J_content + beta * J_style


def _not_passed(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J = total_cost(compute_content_cost(a_C, a_G), compute_style_cost(a_S, a_G))
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


wrong_own_defaults_not_passed = named("train-weights-ignored")(
    rebind(_not_passed, total_cost=total_of_others)
)
