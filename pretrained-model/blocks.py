"""The first blocks of VGG-19 while they learn, with the readouts that ask them questions.

Convolutions here have no padding: next to the edge of a crop they would see a frame of zeros, and
learn it. Batch normalisation (Ioffe & Szegedy 2015) sets the size of every filter's answers while
it trains, and is folded into kernels and biases in the end. Every layer is asked what it can know
already, not the last one alone (Lee et al. 2015): style is measured at most of them.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf
from targets import targets

from nst_utils import RGB_MEAN, VGG19_LAYERS

KEPT = "block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2"
# Block3 learns along, so that block2 is asked for what lies beyond its own sight as well. It is not
# kept: filters fitted by k-means, to the pictures at hand, paint nearer to the style than it does.
LAYERS = *KEPT, "block3_conv1", "block3_conv2"
SIMPLE = "finest", "fine", "colour", "palette"
COMPLEX = *SIMPLE, "coarse", "energies", "strong"
EVERYTHING = *COMPLEX, "second", "contours", "tinted"
READ = {  # layer -> its share of the loss; what must be readable there, and at which resolution
    "block1_conv1": (0.3, ("planes",), "/1"),
    "block1_pool": (0.4, SIMPLE, "/2"),
    "block2_conv1": (0.6, COMPLEX, "/2"),
    "block2_conv2": (1.0, EVERYTHING, "/2"),
    "block3_conv1": (0.8, EVERYTHING, "/4"),
    "block3_conv2": (0.8, EVERYTHING, "/4"),
}
SHARE = {"energies": 2.0, "strong": 2.0, "second": 0.7, "contours": 3.0, "colour": 6.0}
SHARE |= {"palette": 4.0, "tinted": 0.5}
THRESHOLD = {"block1": 0.0, "block2": 0.3, "block3": 0.3}  # where filters begin to fire, at first
STRIDE = {"/1": 4, "/2": 2, "/4": 1}  # only so many positions are asked: neighbours know the same
RATE, WARM_UP = 4e-3, 50  # Adam's highest learning rate; steps until it is reached
UNIT = 64.0  # the network sees 0..255 minus the mean, in this unit


def build(names: Sequence[str]) -> keras.Model:
    """Layers `names` as a model from what `prepared` gives to a dict of activations."""
    image = keras.Input((None, None, 3))
    x, found = image, {}
    for name in names:
        if name.endswith("conv1") and name != "block1_conv1":
            pool = name.replace("conv1", "pool").replace(name[5], str(int(name[5]) - 1))
            x = found[pool] = keras.layers.MaxPooling2D(2, name=pool)(x)
        filters = VGG19_LAYERS[name][1]
        x = keras.layers.Conv2D(
            filters, 3, use_bias=False, kernel_initializer="he_normal", name=name
        )(x)
        # Its scale would be no gain: after a ReLU the next kernel can undo it.
        start = keras.initializers.Constant(-THRESHOLD[name[:6]])
        norm = keras.layers.BatchNormalization(
            scale=False, beta_initializer=start, name=f"{name}_norm"
        )
        x = norm(x)
        x = found[name] = keras.layers.ReLU(name=f"{name}_relu")(x)
    return keras.Model(image, found)


def prepared(x: tf.Tensor) -> tf.Tensor:
    """RGB in [0, 1] -> BGR * 255 - mean, as VGG-19 takes it, in units of UNIT."""
    return (x[..., ::-1] * 255.0 - np.array(RGB_MEAN[::-1], np.float32)) / UNIT


def inner(x: tf.Tensor, side: int) -> tf.Tensor:
    """Cut the middle (n, side, side, channels) out of x."""
    edge, odd = divmod(x.shape[1] - side, 2)
    if odd or edge < 0:
        raise ValueError(f"{side} of {x.shape[1]} positions have no middle: change CROP or MARGIN.")
    return x[:, edge : edge + side, edge : edge + side]


def asked_of(name: str) -> list[str]:
    """The groups of targets that must be readable at a layer."""
    _, groups, resolution = READ[name]
    return [group + resolution for group in groups]


def floor(group: str) -> float:
    """Added to a target's deviation: colours that hardly occur shall not count like others."""
    return 0.03 if group.startswith("palette") else 1e-6


class Blocks:
    """The network, its readouts, the optimiser; `step` trains them on a batch of crops.

    `sample` gives a batch, (n, side, side, 3) in [0, 1]; `margin` is how many pixels at each side
    of it only the targets see, which look farther than the network.
    """

    def __init__(self, sample: Callable[[int], np.ndarray], margin: int) -> None:
        self.margin, self.net = margin, build(LAYERS)
        self.mean, self.spread = self._statistics([sample(k) for k in range(10)])
        self.reads, self.shares = {}, {}
        for name, (_, groups, _) in READ.items():
            sizes = [len(self.mean[group]) for group in asked_of(name)]
            self.reads[name] = keras.layers.Conv2D(sum(sizes), 1)
            self.reads[name].build(self.net.output[name].shape)
            each = np.repeat([SHARE.get(group, 1.0) for group in groups], sizes)
            self.shares[name] = tf.constant(each / each.sum(), tf.float32)
        self.variables = [
            v for part in (self.net, *self.reads.values()) for v in part.trainable_variables
        ]
        self.optimizer = keras.optimizers.AdamW(RATE, weight_decay=1e-4, beta_2=0.99)
        self.optimizer.build(self.variables)
        self._trained = tf.function(self._step, autograph=False)

    def _statistics(self, batches: list[np.ndarray]) -> tuple[dict, dict]:
        """Mean and standard deviation of every target, group by group."""
        found = [targets(tf.constant(x)) for x in batches]
        whole = {group: tf.concat([t[group] for t in found], 0) for group in found[0]}
        mean = {group: tf.reduce_mean(t, (0, 1, 2)) for group, t in whole.items()}
        return mean, {
            group: tf.math.reduce_std(t, (0, 1, 2)) + floor(group) for group, t in whole.items()
        }

    def step(self, x: np.ndarray, done: float, number: int) -> float:
        """Train on one batch at `done`, from 0 to 1, of all; give what is left unexplained."""
        warm = min(1.0, (number + 1) / WARM_UP)
        self.optimizer.learning_rate = RATE * warm * (0.5 + 0.5 * np.cos(np.pi * done)) + 1e-5
        return self._trained(tf.constant(x)).numpy()

    def _step(self, x: tf.Tensor) -> tf.Tensor:
        asked = {g: (t - self.mean[g]) / self.spread[g] for g, t in targets(x).items()}
        x = x[:, self.margin : -self.margin, self.margin : -self.margin]
        with tf.GradientTape() as tape:
            found = self.net(prepared(x), training=True)
            left = [self._unexplained(name, found[name], asked) for name in READ]
            loss = sum(share * part for (share, *_), part in zip(READ.values(), left, strict=True))
        self.optimizer.apply(tape.gradient(loss, self.variables), self.variables)
        return tf.stack(left)

    def _unexplained(self, name: str, a: tf.Tensor, asked: dict[str, tf.Tensor]) -> tf.Tensor:
        """The share of the targets' variance that the readout of a layer does not tell."""
        step = STRIDE[READ[name][2]]
        wanted = [inner(asked[group], a.shape[1])[:, ::step, ::step] for group in asked_of(name)]
        a = a[:, ::step, ::step]
        wrong = tf.reduce_mean((self.reads[name](a) - tf.concat(wanted, -1)) ** 2, (0, 1, 2))
        return tf.reduce_sum(self.shares[name] * wrong)

    def state(self) -> list[np.ndarray]:
        """Everything that changes while it trains, in one order."""
        return [v.numpy() for v in self._all()]

    def restore(self, state: Sequence[np.ndarray]) -> None:
        for variable, value in zip(self._all(), state, strict=True):
            variable.assign(value)

    def _all(self) -> list[keras.Variable]:
        reads = [v for read in self.reads.values() for v in read.variables]
        return [*self.net.variables, *reads, *self.optimizer.variables]

    def folded(self, x: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Kernels and biases of KEPT without normalisation: name -> (kernel, bias).

        Means and variances are measured anew on the crops `x`: those that the layers kept while
        they trained are of networks of some steps ago.
        """
        weights, a = {}, prepared(tf.constant(x))
        for name in KEPT:
            if name.endswith("conv1") and name != "block1_conv1":
                a = tf.nn.max_pool2d(a, 2, 2, "VALID")
            norm = self.net.get_layer(f"{name}_norm")
            kernel = self.net.get_layer(name).kernel.numpy()
            z = tf.nn.conv2d(a, kernel, 1, "VALID")
            mean, variance = (m.numpy() for m in tf.nn.moments(z, (0, 1, 2)))
            s = 1 / np.sqrt(variance + norm.epsilon)
            bias = norm.beta.numpy() - mean * s
            a = tf.nn.relu(z * s + bias)
            weights[name] = kernel * s / (UNIT if name == LAYERS[0] else 1), bias
        return weights
