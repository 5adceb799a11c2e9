"""Exercise 5, train_step: a small term that is added to J, which a large J hides."""

from __future__ import annotations

import tensorflow as tf

from . import named
from .train_step import J_of, clip


def _with_term(term, in_gradient=True, in_J=True):
    """A train_step that is right but for a `term` of the image that is added to J."""

    def wrong(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
        with tf.GradientTape() as tape:
            J = J_of(vgg(generated_image), a_C, a_S, alpha, beta)
            added = J + term(generated_image)
        grad = tape.gradient(added if in_gradient else J, generated_image)
        optimizer.apply_gradients([(grad, generated_image)])
        clip(generated_image)
        return added if in_J else J

    return named("train-further-term")(wrong)


def _variation(image):
    return 1e-3 * tf.reduce_sum(tf.image.total_variation(image))


def _from_left_to_right(image):
    return 1e-3 * tf.reduce_sum(tf.abs(image[:, :, 1:] - image[:, :, :-1]))


wrong_small_variation = _with_term(_variation)
wrong_smaller_variation = _with_term(lambda image: 0.02 * _variation(image))
wrong_variation_in_gradient_alone = _with_term(_variation, in_J=False)
wrong_variation_in_J_alone = _with_term(_variation, in_gradient=False)
wrong_l2_loss_of_image = _with_term(lambda image: 1e-4 * tf.nn.l2_loss(image))
wrong_mean_of_image = _with_term(lambda image: 0.01 * tf.reduce_mean(image))
wrong_distance_from_grey = _with_term(lambda image: 1e-3 * tf.reduce_sum((image - 0.5) ** 2))
wrong_norm_of_image = _with_term(lambda image: 0.01 * tf.norm(image))
wrong_constant_in_J = _with_term(lambda image: 0.01)
wrong_variation_one_way = _with_term(_from_left_to_right)


@named("train-no-clip")  # the term is told once that is mended
def wrong_small_variation_not_clipped(generated_image, vgg, a_C, a_S, optimizer, alpha=10, beta=40):
    with tf.GradientTape() as tape:
        J = J_of(vgg(generated_image), a_C, a_S, alpha, beta) + _variation(generated_image)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    return J
