"""Exercise 5, train_step: right answers, in many styles."""

# ruff: noqa: B905  (students write zip without strict)

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from . import layer_style_cost as style_cost
from . import rebind
from .train_step import (
    STYLE_LAYERS,
    J_of,
    clip,
    compute_content_cost,
    compute_layer_style_cost,
    compute_style_cost,
    step_as_taught,
    total_cost,
    total_of_others,
)


def right_float(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    return float(step_as_taught(generated_image, vgg, a_C, a_S, optimizer, alpha, beta))


def right_gradient_inside_tape(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J = total_cost(compute_content_cost(a_C, a_G), compute_style_cost(a_S, a_G), alpha, beta)
        grad = tape.gradient(J, generated_image)
    optimizer.apply_gradients([(grad, generated_image)])
    generated_image.assign(tf.clip_by_value(generated_image, 0.0, 1.0))
    return J


def right_keywords(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        tape.watch(generated_image)
        a_G = vgg(generated_image, training=False)
        J = total_cost(
            J_style=compute_style_cost(a_S, a_G),
            J_content=compute_content_cost(a_C, a_G),
            beta=beta,
            alpha=alpha,
        )
    grads = tape.gradient(J, [generated_image])
    optimizer.apply_gradients(zip(grads, [generated_image]))
    generated_image.assign(tf.minimum(tf.maximum(generated_image, 0.0), 1.0))
    return J


def right_apply(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape(persistent=True) as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.apply([tape.gradient(J, generated_image)], [generated_image])
    generated_image.assign(keras.ops.clip(generated_image, 0, 1))
    return J


def right_sum_of_gradients(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape(persistent=True) as tape:
        a_G = vgg(generated_image)
        J_content, J_style = compute_content_cost(a_C, a_G), compute_style_cost(a_S, a_G)
    grad = alpha * tape.gradient(J_content, generated_image)
    grad += beta * tape.gradient(J_style, generated_image)
    optimizer.apply_gradients([(grad, generated_image)])
    generated_image.assign(tf.clip_by_value(generated_image, 0.0, 1.0))
    return total_cost(J_content, J_style, alpha, beta)


def right_inline(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J = alpha * tf.reduce_mean((a_C[-1] - a_G[-1]) ** 2) / 4
        for a, b in zip(a_S[:5], a_G[:5]):
            J += beta * 0.2 * style_cost.right_einsum(a, b)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


right_decorated = tf.function(step_as_taught)
right_decorated_costs = rebind(
    step_as_taught,
    compute_content_cost=tf.function(compute_content_cost),
    compute_style_cost=tf.function(compute_style_cost),
    total_cost=tf.function(total_cost),
)


def right_assign_in_place(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    generated_image[:].assign(tf.clip_by_value(generated_image, 0.0, 1.0))
    return tf.identity(J)


def _twin(layers, **names):
    """The right train_step in a notebook with other `STYLE_LAYERS`."""
    style_cost = rebind(compute_style_cost, STYLE_LAYERS=layers)
    style_cost.__defaults__ = (layers,)
    return rebind(step_as_taught, compute_style_cost=style_cost, STYLE_LAYERS=layers, **names)


right_one_style_layer = _twin([("block1_conv1", 1.0)])
right_other_style_weights = _twin([(f"block{i}_conv1", 0.5 / i) for i in range(1, 6)])
right_seven_style_layers = _twin([(f"block1_conv{i}", 1.0) for i in range(1, 8)])


right_other_total_defaults = rebind(step_as_taught, total_cost=total_of_others)


def right_global_layers(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J_style = 0.0
        for S, G, (_, weight) in zip(a_S, a_G, STYLE_LAYERS):
            J_style += weight * compute_layer_style_cost(S, G)
        J = total_cost(compute_content_cost(a_C, a_G), J_style, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


right_global_layers_changed = rebind(right_global_layers, STYLE_LAYERS=[("block1_conv1", 3.0)])


def right_two_tapes(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as one, tf.GradientTape() as other:
        a_G = vgg(generated_image)
        J_content, J_style = compute_content_cost(a_C, a_G), compute_style_cost(a_S, a_G)
    gradient = alpha * one.gradient(J_content, generated_image)
    gradient += beta * other.gradient(J_style, generated_image)
    optimizer.apply_gradients([(gradient, generated_image)])
    clip(generated_image)
    return total_cost(J_content, J_style, alpha, beta)


def right_asserted(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(generated_image)
        a_G = [tf.nn.relu(a) for a in vgg(generated_image)]
        for a in a_G:
            tf.debugging.assert_non_negative(a)
        J = J_of(a_G, a_C, a_S, alpha, beta)
    optimizer.apply_gradients(zip(tape.gradient(J, [generated_image]), [generated_image]))
    clip(generated_image)
    return J


def right_symmetric(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(tf.identity(generated_image))
        J = total_cost(compute_content_cost(a_G, a_C), compute_style_cost(a_G, a_S), alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    generated_image.assign(
        np.clip(generated_image.numpy(), 0, 1)
    ) if tf.executing_eagerly() else clip(generated_image)
    return J
