"""Exercise 5, train_step: tapes that record nothing, gradients of something else, no step."""

from __future__ import annotations

import tensorflow as tf

from . import named
from .train_step import J_of, clip, compute_content_cost, compute_style_cost, total_cost


@named("train-other-source")
def wrong_gradient_to_activations(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J = J_of(a_G, a_C, a_S, alpha, beta)
    grad = tape.gradient(J, a_G)
    optimizer.apply_gradients([(grad, generated_image)])
    return J


@named("train-gradient-of-part")
def wrong_gradient_of_the_content_cost(
    generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40
):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J_content, J_style = compute_content_cost(a_C, a_G), compute_style_cost(a_S, a_G)
        J = total_cost(J_content, J_style, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J_content, generated_image), generated_image)])
    clip(generated_image)
    return J


@named("train-rebound")
def wrong_identity(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        generated_image = tf.identity(generated_image)
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    grad = tape.gradient(J, generated_image)
    optimizer.apply_gradients([(grad, generated_image)])
    return J


@named("train-no-tape")
def wrong_tape_not_entered(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    tape = tf.GradientTape()
    J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    return J


@named("train-unpack")
def wrong_first_activation(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)[0]
        _, n_H, n_W, n_C = a_G[-1].shape
        J = J_of(a_G, a_C, a_S, alpha, beta) / (n_H * n_W * n_C)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    return J


@named("train-not-applied")
def wrong_return_first(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape():
        return J_of(vgg(generated_image), a_C, a_S, alpha, beta)


@named("train-pixels-scaled")
def wrong_clip_by_norm(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    generated_image.assign(tf.clip_by_norm(generated_image, 1.0))
    return J


def _stepped(J, tape, generated_image, optimizer):
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


@named("train-gradient-of-part")
def wrong_stop_gradient(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(generated_image)
        J_content = tf.stop_gradient(compute_content_cost(a_C, a_G))
        J = total_cost(J_content, compute_style_cost(a_S, a_G), alpha, beta)
    return _stepped(J, tape, generated_image, optimizer)


@named("train-rounded")
def wrong_float16_pixels(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    _stepped(J, tape, generated_image, optimizer)
    generated_image.assign(tf.cast(tf.cast(generated_image, tf.float16), tf.float32))
    return J


@named("train-colour-added")
def wrong_mean_colour_added(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    generated_image.assign(tf.clip_by_value(generated_image + [0.485, 0.456, 0.406], 0, 1))
    return J


@named("train-not-in-graph")
def wrong_variable_made_inside(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    tf.Variable(0.0)
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    return _stepped(J, tape, generated_image, optimizer)
