"""Stands in for the course's modules while a notebook is graded: loads, draws, checks nothing."""

import tensorflow as tf

FAST = True
STYLE_LAYERS = [(f"block{i}_conv1", 0.2) for i in range(1, 6)]
CONTENT_LAYER = "block4_conv2"


class CheckpointError(AssertionError):
    pass


def load_image(path=None, max_side=None):
    return tf.random.stateless_uniform((1, 32, 24, 3), seed=(1, 2))


def match_shape(image, like):
    return image


def load_vgg19(*args, **options):
    raise RuntimeError("VGG-19 is not loaded while grading")


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *args, **options: None
