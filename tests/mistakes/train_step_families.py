"""Exercise 5, train_step: what it remembers, sets, adds, loads, and takes from PyTorch."""

from __future__ import annotations

import tensorflow as tf

from . import named
from .train_step import (
    J_of,
    clip,
    compute_content_cost,
    compute_style_cost,
    step_as_taught,
    total_cost,
)

_state = {"least": None}


def _step(generated_image, vgg, a_C, a_S, optimizer, alpha, beta):
    """J and its gradient."""
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    return J, tape.gradient(J, generated_image)


@named("train-remembers")
def wrong_only_while_J_falls(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    J, grad = _step(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)
    least = _state["least"]
    if least is not None and least < J:
        return J
    _state["least"] = J
    optimizer.apply_gradients([(grad, generated_image)])
    clip(generated_image)
    return J


@named("train-remembers")
def wrong_every_second_call(
    generated_image,
    vgg,
    a_C,
    a_S,
    optimizer,
    alpha=10,
    beta=40,
    calls=[],  # noqa: B006
):
    J, grad = _step(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)
    calls.append(1)
    if len(calls) % 2:
        optimizer.apply_gradients([(grad, generated_image)])
        clip(generated_image)
    return J


@named("train-sometimes")
def wrong_no_step_where_J_is_large(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    J, grad = _step(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)
    if J < 1e5:
        optimizer.apply_gradients([(grad, generated_image)])
    clip(generated_image)
    return J


@named("train-no-clip")
def wrong_clipped_to_nowhere(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    J, grad = _step(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)
    optimizer.apply_gradients([(grad, generated_image)])
    tf.clip_by_value(generated_image, 0.0, 1.0)
    return J


@named("train-clip-added")
def wrong_added(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    before = tf.identity(generated_image)
    J = step_as_taught(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)
    after = tf.identity(generated_image)
    generated_image.assign(before)
    generated_image.assign_add(after)
    return J


@named("train-gradient-scaled")
def wrong_gradient_of_tiny_norm(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    J, grad = _step(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)
    optimizer.apply_gradients([(tf.clip_by_norm(grad, 1e-3), generated_image)])
    clip(generated_image)
    return J


@named("train-no-brackets")
def wrong_persistent_tape_without_brackets(
    generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40
):
    with tf.GradientTape as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    return J


@named("train-as-in-pytorch")
def wrong_optimizer_step(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape():
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.step()
    clip(generated_image)
    return J


@named("train-picture-given")
def wrong_style_of_pixels(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J_style = compute_style_cost(a_S, [generated_image, generated_image])
        J_content = compute_content_cost(a_C, generated_image)
        J = total_cost(J_content, J_style, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    return J


_C = tf.ones((1, 4, 5, 3, 1))


@named("train-targets-anew")
def wrong_targets_anew(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    a_S = vgg(_C)
    return step_as_taught(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)


@named("train-gradient-centred")
def wrong_gradient_without_mean(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    J, grad = _step(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)
    grad = grad - tf.reduce_mean(grad)
    optimizer.apply_gradients([(grad, generated_image)])
    clip(generated_image)
    return J


@named("train-no-style")
def wrong_entry_of_the_lists(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J_style = compute_style_cost(a_S[0], a_G[0])
        J = total_cost(compute_content_cost(a_C, a_G), J_style, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


@named("train-outside-tape")
def wrong_pixels_as_numbers(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image.numpy()), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    return J


@named("train-trains")
def wrong_network_is_trained(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    return vgg.train_on_batch(generated_image, a_C)


@named("train-called")
def wrong_optimizer_called(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    J, grad = _step(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)
    optimizer([(grad, generated_image)])
    return J


@named("train-gradient-scaled")
def wrong_gradient_cut_to_a_norm(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    J, grad = _step(generated_image, vgg, a_C, a_S, optimizer, alpha, beta)
    (grad,), _ = tf.clip_by_global_norm([grad], 0.02)
    optimizer.apply_gradients([(grad, generated_image)])
    clip(generated_image)
    return J
