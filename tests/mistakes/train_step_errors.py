"""Exercise 5, train_step: what is changed in place, and gradients with respect to a copy."""

from __future__ import annotations

import tensorflow as tf

from . import named
from .train_step import J_of, clip


@named("train-variable-in-place")
def wrong_minus_equals(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    generated_image -= optimizer.learning_rate * tape.gradient(J, generated_image)
    return J


@named("train-variable-in-place")
def wrong_entries_assigned(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    generated_image[...] = tf.clip_by_value(generated_image, 0, 1)
    return J


@named("train-other-source")
def wrong_gradient_of_copy(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    copied = tf.Variable(generated_image)
    optimizer.apply_gradients([(tape.gradient(J, [copied])[0], generated_image)])
    clip(generated_image)
    return J


@named("train-other-source")
def wrong_gradient_of_new_tensor(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    grad = tape.gradient(J, tf.convert_to_tensor(generated_image))
    optimizer.apply_gradients([(grad, generated_image)])
    clip(generated_image)
    return J


@named("train-other-source")
def wrong_copy_before_tape(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    image = tf.identity(generated_image)
    with tf.GradientTape() as tape:
        J = J_of(vgg(image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, image), generated_image)])
    clip(generated_image)
    return J


@named("train-no-such-name")
def wrong_way_of_optax(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    updates, _ = optimizer.update(tape.gradient(J, generated_image), optimizer.variables)
    generated_image.assign(generated_image + updates)
    return J


@named("train-other-source")
def wrong_weights_watched_and_moved(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        tape.watch(vgg.trainable_variables)
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    gradients = tape.gradient(J, vgg.trainable_variables)
    optimizer.apply_gradients(zip(gradients, vgg.trainable_variables, strict=True))
    return J


@named("train-watched")
def wrong_weights_watched(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        tape.watch(vgg.weights)
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


@named("train-pairs")
def wrong_list_of_one_gradient(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
    grad = tape.gradient(J, [generated_image])
    optimizer.apply_gradients([(grad, generated_image)])
    clip(generated_image)
    return J


@named("train-list")
def wrong_numpy_of_the_list(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image).numpy(), a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


@named("train-outside-tape")
def wrong_constant_of_the_image(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        a_G = vgg(tf.constant(generated_image))
        J = J_of(a_G, a_C, a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J


@named("train-other-picture")
def wrong_activations_to_vgg(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), vgg(a_C), a_S, alpha, beta)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    clip(generated_image)
    return J
