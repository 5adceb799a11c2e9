"""What the blocks must make readable: the answers of fixed filters, computed and not learned.

`targets` gives groups of numbers at every second pixel of a picture, and at every fourth:
  - half-rectified Gabor responses, eight orientations and two phases, in luminance and two
    opponent colours: simple cells (Daugman 1985), each octave by the same filters on a smaller
    copy of the picture, as in a pyramid;
  - their local energies: complex cells (Adelson & Bergen 1985);
  - what coarser Gabor filters answer to the energies of finer ones: second order, as in a
    scattering transform (Bruna & Mallat 2013). It tells borders of textures, corners, line ends;
  - how strong the strongest are: squares of responses and energies. Flat inks with few bold lines
    and soft hatching everywhere have the same energies, and other squares;
  - contours: energies that go on along their own direction (Field, Hayes & Hess 1993);
  - the local colour, and its two sides of grey;
  - palettes: how near the colour is to each of 27 ones. From the three numbers of a colour alone a
    Gram matrix tells no more than means and covariances: violet would do for blue and red.
"""

import numpy as np
import tensorflow as tf

ORIENTATIONS = 8
COLOURS = np.array([[1, 1, 1], [1, 0, -1], [-0.5, 1, -0.5]])  # luminance, red-blue, green-magenta
COLOURS = (COLOURS / np.linalg.norm(COLOURS, axis=1, keepdims=True)).astype(np.float32)


TINTS = np.array([[1, 2, 0], [1, -2, 0], [1, 0, 2], [1, 0, -2]], np.float32)  # of COLOURS
AXES = np.array([d for d in np.ndindex(3, 3, 3) if d != (1, 1, 1)], np.float32) - 1  # (26, 3)
AXES /= np.linalg.norm(AXES, axis=1, keepdims=True)
LEVELS = 0.0, 0.2, 0.4  # distances of planes from grey
PALETTE = np.array(list(np.ndindex(3, 3, 3)), np.float32) * 0.35 - 0.35  # (27, 3), RGB minus 0.5
NEAR = 0.2  # the width of a colour in the palette


def bank(sigma: float, frequency: float, size: int) -> np.ndarray:
    """Even and odd Gabor filters, (size, size, 2 ORIENTATIONS), blind to flat grey; even first."""
    y, x = np.mgrid[:size, :size] - size // 2
    envelope = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    found = []
    for theta in np.arange(ORIENTATIONS) * np.pi / ORIENTATIONS:
        wave = np.exp(2j * np.pi * frequency * (x * np.cos(theta) + y * np.sin(theta)))
        psi = envelope * (wave - (envelope * wave).sum() / envelope.sum())
        found.append(psi / np.abs(psi).sum())
    return np.concatenate([np.real(found), np.imag(found)]).transpose(1, 2, 0).astype(np.float32)


def of_each(filters: np.ndarray, channels: int) -> tf.Tensor:
    """Let every channel be filtered by itself: (n, n, f) -> (n, n, channels, f channels).

    An ordinary convolution with zeros in it is quicker on a CPU than a depthwise one. Its outputs
    come filter by filter, and of each filter channel by channel.
    """
    kernel = np.einsum("hwf,ij->hwifj", filters, np.eye(channels, dtype=np.float32))
    return tf.constant(kernel.reshape(*filters.shape[:2], channels, -1))


def lines(along: float = 2.5, across: float = 0.7, size: int = 9) -> tf.Tensor:
    """Blurs along the lines that each orientation answers to, (size, size, 8, 8)."""
    y, x = np.mgrid[:size, :size] - size // 2
    kernel = np.zeros((size, size, ORIENTATIONS, ORIENTATIONS), np.float32)
    for k, theta in enumerate(np.arange(ORIENTATIONS) * np.pi / ORIENTATIONS):
        v, u = x * np.cos(theta) + y * np.sin(theta), y * np.cos(theta) - x * np.sin(theta)
        blur = np.exp(-(u**2) / (2 * along**2) - v**2 / (2 * across**2))
        kernel[:, :, k, k] = blur / blur.sum()
    return tf.constant(kernel)


def kernel_of(line: list[float]) -> np.ndarray:
    """A blur, (n, n, 1), of sum 1, from its profile."""
    blur = np.outer(line, line)
    return (blur / blur.sum())[..., None].astype(np.float32)


FINEST = of_each(bank(0.6, 0.4, 5), 3)  # (5, 5, 3, 48)
GABORS = of_each(bank(1.0, 0.25, 7), 3)  # (7, 7, 3, 48); an octave lower on a halved picture
GABORS_OF_ENERGY = of_each(bank(1.0, 0.25, 7), ORIENTATIONS)  # (7, 7, 8, 128)
LINES = lines()
HALVE = of_each(kernel_of([1, 3, 3, 1]), 3)
SOFTEN = of_each(kernel_of([1, 6, 14, 6, 1]), 3)
SOFTEN_ENERGY = of_each(kernel_of([1, 6, 14, 6, 1]), 3 * ORIENTATIONS)


def conv(x: tf.Tensor, kernel: tf.Tensor, stride: int = 1) -> tf.Tensor:
    return tf.nn.conv2d(x, kernel, stride, "SAME")


def halves(r: tf.Tensor) -> tf.Tensor:
    """What is positive, and what is negative, each by itself: twice as many channels."""
    return tf.concat([tf.nn.relu(r), tf.nn.relu(-r)], -1)


def pooled(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.avg_pool2d(x, 2, 2, "VALID")


def energy(r: tf.Tensor) -> tf.Tensor:
    """Amplitude of pairs of even and odd responses, (..., 48) -> (..., 24)."""
    even, odd = tf.split(r, 2, -1)
    return tf.sqrt(even**2 + odd**2 + 1e-8)


def second_order(energies: tf.Tensor) -> tf.Tensor:
    """Both signs of Gabor filters' answers to energies in luminance: (..., 24) -> (..., 256)."""
    return halves(conv(energies[..., ::3], GABORS_OF_ENERGY))


def strong(r: tf.Tensor) -> tf.Tensor:
    """Squares of both signs of responses in luminance: (..., 48) -> (..., 32)."""
    return halves(r[..., ::3]) ** 2


def contours(energies: tf.Tensor) -> tf.Tensor:
    """Energies in luminance that go on along a line, and their squares: (..., 24) -> (..., 16)."""
    found = conv(tf.sqrt(energies[..., ::3]), LINES) ** 2
    return tf.concat([found, found**2], -1)


def tinted(r: tf.Tensor) -> tf.Tensor:
    """Edges from dark to bright that change colour as well: (..., 48) -> (..., 128)."""
    r = tf.reshape(r, (*r.shape[:3], -1, 3))
    r = tf.einsum("nhwfc,tc->nhwft", r, TINTS)
    return halves(tf.reshape(r, (*r.shape[:3], -1)))


def planes(x: tf.Tensor) -> tf.Tensor:
    """How far colours (minus 0.5) are beyond planes through the cube of colours: (..., 78)."""
    along = tf.einsum("nhwc,dc->nhwd", x, AXES)
    return tf.concat([tf.nn.relu(along - level) for level in LEVELS], -1)


def palette(x: tf.Tensor) -> tf.Tensor:
    """How near colours (minus 0.5) are to each of PALETTE, 1 if they are the same: (..., 27)."""
    far = tf.reduce_sum((x[..., None, :] - PALETTE) ** 2, -1)
    return tf.exp(-far / (2 * NEAR**2))


def octave(x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Groups of targets at half the resolution of x, RGB minus 0.5: (n, H, W, 3)."""
    colours = tf.einsum("nhwc,kc->nhwk", x, COLOURS)
    half = conv(colours, HALVE, 2)
    finest, fine, coarse = conv(colours, FINEST), conv(colours, GABORS), conv(half, GABORS)
    energies = [pooled(energy(finest)), pooled(energy(fine)), energy(coarse)]
    smooth = [conv(e, SOFTEN_ENERGY) for e in energies]
    soft = conv(half, SOFTEN)
    squares = [pooled(strong(finest)), pooled(strong(fine)), strong(coarse)]
    return {
        "finest": pooled(halves(finest)),
        "fine": pooled(halves(fine)),
        "coarse": halves(coarse),
        "energies": tf.concat(smooth, -1),
        "strong": tf.concat(squares + [e[..., ::3] ** 2 for e in smooth], -1),
        "second": second_order(energies[1]),
        "contours": tf.concat([contours(e) for e in energies[1:]], -1),
        "tinted": tf.concat([pooled(tinted(fine)), tinted(coarse)], -1),
        "palette": tf.concat([pooled(palette(x)), palette(pooled(x))], -1),
        "colour": tf.concat([soft, halves(soft), pooled(halves(colours))], -1),
    }


def targets(x: tf.Tensor) -> dict[str, tf.Tensor]:
    """RGB in [0, 1], (n, H, W, 3) -> groups of targets: "fine/2" is (n, H/2, W/2, channels).

    Those that end in "/4" are the same of the halved picture: an octave lower.
    """
    x = x - 0.5
    found = {"planes/1": planes(x)} | {f"{group}/2": t for group, t in octave(x).items()}
    return found | {f"{group}/4": t for group, t in octave(conv(x, HALVE, 2)).items()}
