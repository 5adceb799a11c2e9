"""Helpers for the Neural Style Transfer course: pictures, VGG-19, previews, the painter.

Read from top to bottom; nothing here solves an exercise of the notebook.

Sources, cited below by their short names:
  Gatys 2015   Gatys, Ecker & Bethge, "A Neural Algorithm of Artistic Style", arXiv:1508.06576
  VGG 2015     Simonyan & Zisserman, "Very Deep Convolutional Networks ...", arXiv:1409.1556
  Gatys 2016   Gatys, Bethge, Hertzmann & Shechtman, "Preserving Color in Neural Artistic Style
               Transfer", arXiv:1606.05897
  Gatys 2017   Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer",
               arXiv:1611.07865
  Coates 2012  Coates & Ng, "Learning Feature Representations with K-Means"
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import io
import json
import numbers
import os
import queue
import re
import stat
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow: it is chatty on start-up
os.environ["KERAS_BACKEND"] = "tensorflow"  # keras.json may name another: no GradientTape there

import h5py
import keras
import numpy as np
import pooch
import psutil
import scipy.io
import scipy.linalg
import scipy.optimize
import scipy.spatial
import tensorflow as tf
from matplotlib.figure import Figure
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent
PRETRAINED = ROOT / "pretrained-model"
FAST = os.environ.get("NST_FAST", "") not in ("", "0")  # small pictures, few steps: tests, previews


# ---------------------------------------------------------------------------------- pictures


class ImageError(ValueError):
    """A picture cannot be read or written; the message names it and says what to do."""


@contextmanager
def _whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` only if the block succeeds."""
    handle, name = tempfile.mkstemp(
        prefix=f".{path.stem[:40]}-", suffix=path.suffix, dir=path.parent
    )
    os.close(handle)
    try:
        yield Path(name)
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)  # mkstemp makes private files; a picture is for everyone
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def load_image(
    path: str | os.PathLike | bytes | BinaryIO, max_side: int | None = None
) -> tf.Tensor:
    """Read a picture as a tensor of shape (1, n_H, n_W, 3), float32, RGB in [0, 1].

    `path` names a file, or is the contents of one (bytes), or a file open for reading ("rb"),
    which is read from its start. Of several frames the first counts. A photo is turned upright by
    its EXIF tag, an ICC profile is converted to sRGB, transparency is laid on white, 16-bit grey
    is scaled (Pillow alone would clip it). With `max_side` the longer side is at most that many
    pixels; a picture is never enlarged. Raises ImageError.
    """
    if max_side is not None and not (isinstance(max_side, (int, np.integer)) and max_side >= 1):
        raise ImageError(f"max_side must be a whole number from 1 on, or None, not {max_side!r}.")
    shown = _shown(path)
    with _opened(path, shown) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about EXIF and the like: what can be read is read
        if max_side is None:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return _decoded(file, max_side)
        except Image.UnidentifiedImageError:
            raise ImageError(
                f"{shown} is no picture that Pillow knows ({_first_bytes(file)}); "
                "save it as JPEG or PNG and try again."
            ) from None
        except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
            raise ImageError(
                f"{shown} has too many pixels ({_reason(error)}); give max_side, or make it "
                "smaller first."
            ) from None
        except Exception as error:  # Pillow's readers raise what they like on damaged files
            raise ImageError(
                f"{shown} is damaged or cut short ({_reason(error)}); get it again."
            ) from None


def _shown(path: object) -> str:
    """What a message calls `path`: its name, quoted, in one line and not endless; else its kind."""
    name = path if isinstance(path, (str, os.PathLike)) else getattr(path, "name", None)
    if not isinstance(name, (str, os.PathLike)):
        return f"What was given ({type(path).__name__})"
    name = os.fsdecode(name)
    return repr(name if len(name) <= 500 else name[:100] + "...")


def _reason(error: BaseException) -> str:
    """What an error says, in one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:200]


@contextmanager
def _opened(path: object, shown: str) -> Iterator[BinaryIO]:
    """Open what `load_image` was given. Raises ImageError, and never waits for a pipe."""
    if not isinstance(path, (str, os.PathLike)):
        yield io.BytesIO(_contents(path, shown))
        return
    name = os.fsdecode(path)
    if re.match("(https?|ftps?|file|data|s3):", name, re.IGNORECASE):
        raise ImageError(f"{shown} is a web address: download the picture and give its path.")
    try:
        mode = Path(name).stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "no ordinary file"
            raise ImageError(f"{shown} is {what}; give the path of a picture.")
        file = Path(name).open("rb")  # noqa: SIM115, closed below
    except FileNotFoundError:
        raise ImageError(f"There is no file {shown}; check the name and the folder.") from None
    except ImageError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL, or half a letter, in the name
        raise ImageError(
            f"{shown} is not readable ({_reason(error)}); give the path of a picture you may read."
        ) from None
    with file:
        yield file


def _contents(source: object, shown: str) -> bytes:
    """The bytes of a picture, from bytes or from an open file. Raises ImageError."""
    if hasattr(source, "read"):
        try:
            if source.seekable():
                source.seek(0)
            source = source.read()
        except Exception as error:  # a closed file, a broken connection, a class of one's own
            raise ImageError(
                f"{shown} is not readable ({_reason(error)}); open it with open(path, 'rb')."
            ) from None
        if isinstance(source, str):
            raise ImageError(f"{shown} is open as text; open it with open(path, 'rb').")
    if isinstance(source, (bytes, bytearray)):
        return bytes(source)
    if isinstance(source, memoryview):
        return source.tobytes()
    raise ImageError(
        f"{shown} is no path, bytes or open file; an array needs no load_image: make it float, "
        "(1, n_H, n_W, 3), in [0, 1]."
    )


# Pillow reads EPS by starting Ghostscript, another program; of DDS it does not notice, before
# version 12, that a file is cut short; the others it only recognises.
NOT_READ = {"EPS", "DDS", "BUFR", "FPX", "GRIB", "HDF5", "MIC", "MPEG", "WMF"}
# Pillow scales a PNG's pixels to 8 bits, but not the one value or colour that is transparent.
TRANSPARENT_SCALE = {"L;2": 85, "L;4": 17, "RGB;16B": 1 / 256}
UPRIGHT = dict(zip(range(2, 9), (0, 3, 1, 5, 4, 6, 2), strict=True))  # EXIF -> Image.Transpose


def _decoded(file: BinaryIO, max_side: int | None) -> tf.Tensor:
    """Decode, turn, convert, shrink. Raises what Pillow raises."""
    Image.init()
    with Image.open(file, formats=[name for name in Image.ID if name not in NOT_READ]) as opened:
        if scale := TRANSPARENT_SCALE.get(opened.format == "PNG" and str(opened.tile[0][3])):
            clear = np.atleast_1d(opened.info.get("transparency", ())) * scale
            if clear.size:
                opened.info["transparency"] = (
                    int(clear[0]) if clear.size == 1 else tuple(map(int, clear))
                )
        opened.load()  # decode now, so that a truncated file fails here
        picture = _rgb(opened)
        with suppress(Exception):  # no EXIF, or a broken one: the picture stays as it lies
            picture = picture.transpose(UPRIGHT[opened.getexif()[0x0112]])
    if max_side and max(picture.size) > max_side:
        scale = max_side / max(picture.size)
        size = [max(1, round(side * scale)) for side in picture.size]
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return tf.constant(np.asarray(picture, np.float32)[None] / 255.0)  # (1, n_H, n_W, 3)


def _rgb(picture: Image.Image) -> Image.Image:
    """Convert any Pillow mode to 8-bit sRGB, transparency on white."""
    profile, clear = picture.info.get("icc_profile"), picture.info.get("transparency")
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        grey = np.asarray(picture, np.float64)
        peak = grey.max(initial=0, where=np.isfinite(grey))
        tops = [1.0] * (picture.mode == "F") + [255.0, 65535.0]
        if picture.mode.startswith("I;16") or picture.format in ("PNG", "PPM"):
            tops = [65535.0]  # whatever the brightest pixel is
        top = next((top for top in tops if peak <= top), peak)
        grey = np.nan_to_num(grey) if clear is None else np.where(grey == clear, top, grey)
        picture = Image.fromarray(np.rint(np.clip(grey / top, 0, 1) * 255).astype(np.uint8))
        clear = None
    alpha = None
    if picture.mode in ("LA", "La", "PA", "RGBA", "RGBa") or clear is not None:
        picture = picture.convert("LA" if picture.mode == "La" else "RGBA")
        alpha = picture.getchannel("A")
    grey = picture.mode == "1" or picture.mode.startswith("L")
    colour = picture if picture.mode in ("CMYK", "LAB") else picture.convert("L" if grey else "RGB")
    if profile:
        with suppress(Exception):  # a profile that is broken, or of other colours, is ignored
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            colour = ImageCms.profileToProfile(colour, source, srgb, outputMode="RGB")
    colour = colour.convert("RGB")
    white = Image.new("RGB", colour.size, "white")
    return Image.composite(colour, white, alpha) if alpha else colour


def _first_bytes(file: BinaryIO) -> str:
    file.seek(0)
    data = file.read(8)
    return f"it begins with {data!r}" if data else "the file is empty"


def match_shape(image: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Cut the centre of `image`, (1, h, w, 3), to the aspect of `like`; resize it to its shape."""
    for name, given in (("image", image), ("like", like)):
        if not _is_picture(given):
            raise ImageError(
                f"{name} must be float, (1, n_H, n_W, 3), not {getattr(given, 'dtype', '')} "
                f"{tuple(getattr(given, 'shape', ()))}; use load_image."
            )
    (h, w), (n_H, n_W) = image.shape[1:3], like.shape[1:3]
    scale = min(h / n_H, w / n_W)
    height, width = max(1, round(n_H * scale)), max(1, round(n_W * scale))
    image = tf.image.crop_to_bounding_box(image, (h - height) // 2, (w - width) // 2, height, width)
    resized = tf.image.resize(image, (n_H, n_W), "lanczos3", antialias=True)
    return tf.clip_by_value(resized, 0.0, 1.0)


def _is_picture(image: object, smallest: int = 1) -> bool:
    """Whether it is float, (1, n_H, n_W, 3), with sides of `smallest` or more."""
    try:
        floating, shape = tf.as_dtype(image.dtype).is_floating, tuple(image.shape)
    except (AttributeError, TypeError):  # no array, or no type that TensorFlow knows
        return False
    fits = len(shape) == 4 and shape[0] == 1 and shape[-1] == 3
    return floating and fits and min(shape[1:3]) >= smallest


def to_pixels(image: tf.Tensor | np.ndarray) -> np.ndarray:
    """Turn (1, n_H, n_W, 3) or (n_H, n_W, 3) in [0, 1] into uint8, clipped, rounded.

    What is uint8 already stays as it is. Raises ImageError.
    The original course cast to uint8, which cuts 254.9 to 254 and wraps 256 to 0.
    """
    try:
        pixels = np.asarray(image)
        kind = pixels.dtype.name
        if kind not in ("uint8", "bool", "bfloat16") and pixels.dtype.kind != "f":
            raise TypeError(f"{kind} {pixels.shape}"[:200])
    except Exception as error:  # what is no array raises what it likes
        raise ImageError(
            f"A picture is an array of float in [0, 1] (or uint8), not {_reason(error)}."
        ) from None
    pixels = pixels[0] if pixels.ndim == 4 and len(pixels) == 1 else pixels
    if pixels.ndim != 3 or pixels.shape[-1] != 3 or 0 in pixels.shape:
        raise ImageError(
            f"Expected shape (1, n_H, n_W, 3) or (n_H, n_W, 3), got {np.shape(image)}."
        )
    if kind == "uint8":
        return pixels.copy()
    pixels = pixels.astype(np.float64)
    if not np.isfinite(pixels).all():
        raise ImageError("The picture holds NaN or infinity: the optimisation diverged.")
    if pixels.max() > 10:  # optimisers leave [0, 1] by a little, never by so much
        raise ImageError(f"Expected values in [0, 1], got {pixels.max():.0f}: divide by 255.")
    return np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)


def save_image(
    image: tf.Tensor | np.ndarray, path: str | os.PathLike, settings: str | None = None
) -> Path:
    """Write an image in [0, 1] to `path`, whole or not at all; the suffix sets the format.

    `settings` is kept in a PNG's metadata, so that a picture says how it was made.
    Raises ImageError for a wrong shape, NaN, an unknown suffix or a folder that cannot be written.
    """
    path, pixels = check_output(path), to_pixels(image)
    options: dict = {"quality": 95} if path.suffix.lower() in (".jpg", ".jpeg", ".webp") else {}
    if settings and path.suffix.lower() == ".png":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("Software", settings)
    return _write(Image.fromarray(pixels), path, **options)


WRITTEN = {"PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000", "PPM", "TGA"}


def check_output(path: str | os.PathLike) -> Path:
    """Raise ImageError now, not after an hour's work, if no picture can be written to `path`."""
    try:
        path = Path(os.fsdecode(path))
    except TypeError:
        raise ImageError(f"{_shown(path)} is no path: give a file's name.") from None
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind not in WRITTEN or kind not in Image.SAVE:
        raise ImageError(
            f"{_shown(path)}: unknown picture format {path.suffix!r}; use .png or .jpg."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            if stat.S_ISDIR(path.stat().st_mode):
                raise IsADirectoryError(21, "it is a folder")
        with tempfile.TemporaryFile(dir=path.parent):
            return path
    except (OSError, ValueError) as error:  # ValueError: a NUL, or half a letter, in the name
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: Exception) -> ImageError:
    other = "folder or name" if getattr(error, "errno", None) else "name, or a format such as .png"
    return ImageError(f"Cannot write {_shown(path)} ({_reason(error)}); choose another {other}.")


def _write(picture: Image.Image, path: Path, **options: object) -> Path:
    """Save with Pillow, whole or not at all. Raises ImageError."""
    try:
        encoded = io.BytesIO()  # on a disk that fills, Pillow takes part of a file for a whole one
        picture.save(encoded, Image.registered_extensions()[path.suffix.lower()], **options)
        with _whole_file(path) as temporary:
            temporary.write_bytes(encoded.getvalue())
    except Exception as error:  # Pillow's writers raise what they like, say on 70,000 px of JPEG
        raise _unwritable(path, error) from None
    return path


# ---------------------------------------------------------------------------------- VGG-19

BLOCKS = (
    (2, 64),
    (2, 128),
    (4, 256),
    (4, 512),
    (4, 512),
)  # (convolutions, filters): VGG 2015, table 1, E
VGG19_LAYERS = {  # name -> (channels in, channels out), in the order of the network
    f"block{i}_conv{j}": (filters if j > 1 else (3, 64, 128, 256, 512)[i - 1], filters)
    for i, (convolutions, filters) in enumerate(BLOCKS, 1)
    for j in range(1, convolutions + 1)
}
STYLE_LAYERS = [(f"block{i}_conv1", 0.2) for i in range(1, 6)]  # Gatys 2015, section "Methods"
CONTENT_LAYER = "block4_conv2"  # Gatys 2015; the original course took block5_conv4
RGB_MEAN = (123.68, 116.779, 103.939)  # of ImageNet, in 0..255; VGG-19 saw pictures minus this

KERAS_URL = "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
KNOWN_FILES = {  # name -> MD5 of the released files; Keras 3 keras/src/applications/vgg19.py
    "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5": ("253f8cb515780f3b799900260a226db6",),
    "vgg19_weights_tf_dim_ordering_tf_kernels.h5": ("cbe5617147190e668d6c5d5026f83318",),
    "imagenet-vgg-verydeep-19.mat": (
        "106118b7cf60435e6d8e04f6a6dc3657",
        "8ee3263992981a1d26e73b3ca028a123",
    ),
}
Weights = dict[str, tuple[np.ndarray, np.ndarray]]  # name -> kernel (3, 3, in, out), bias (out,)


def _deepest(names: Sequence[str]) -> str:
    return max(names, key=list(VGG19_LAYERS).index)


class WeightsError(RuntimeError):
    """VGG-19's weights cannot be had or are wrong; the message says which and what to do."""


def load_vgg19(
    layer_names: Sequence[str],
    weights: str | os.PathLike | Weights = "auto",
    images: Sequence[tf.Tensor] | None = None,
    seed: int = 0,
) -> keras.Model:
    """Load VGG-19, frozen, as a model from RGB in [0, 1] to the activations of `layer_names`.

    `weights` is "auto", "imagenet", "kmeans", the path of an .h5, .mat or .npz file, or a dict as
    `read_weights` gives it; where layers are missing, they are fitted by k-means. "auto"
    takes $NST_WEIGHTS; else a verified file in pretrained-model/ or in Keras' cache; else a
    download of 80 MB; else k-means filters fitted to `images`, the content and the style picture,
    each (1, n_H, n_W, 3). `model.weights_source` says which it was.

    With `images` the network is calibrated on them, see `fit_kmeans_vgg19`; the *last* name is
    taken as the content layer. Without `images` the weights stay as they are in the file.
    Nothing above the deepest layer asked for is built. Raises WeightsError.
    """
    layer_names = list(layer_names)
    unknown = [name for name in layer_names if name not in VGG19_LAYERS]
    if unknown or not layer_names:
        raise WeightsError(
            f"Unknown layer {', '.join(map(repr, unknown)) or '(none given)'}; VGG-19 has "
            f"{', '.join(VGG19_LAYERS)}."
        )
    until = _deepest(layer_names)
    images = None if images is None else [_checked(image) for image in images]
    trained, source = _find_weights(weights, images)
    pooling = "max" if trained else "avg"  # average pooling suits k-means filters: larger strokes
    if trained and images:
        missing = [name for name in VGG19_LAYERS if name not in trained]
        fitted = fit_kmeans_vgg19(images, keep=trained, seed=seed, until=until, pooling=pooling)
        source += f"; {missing[0]} and above by k-means" if missing and missing[0] in fitted else ""
    elif trained:
        fitted = trained
    else:
        fitted = _cached_fit(images, seed, until)
    if images and layer_names[-1] not in layer_names[:-1]:  # its Gram matrix would shrink, too
        fitted = _with_unit_content(fitted, layer_names[-1], images[0], pooling)
    model = build_vgg19(fitted, layer_names, pooling)
    model.weights_source = source
    print(f"VGG-19: {source}.")
    return model


def build_vgg19(weights: Weights, layer_names: Sequence[str], pooling: str = "max") -> keras.Model:
    """Build VGG-19 up to the deepest of `layer_names`, with its preprocessing inside.

    The layers carry Keras' own names, so that `model.get_layer("block1_conv1")` works.
    """
    image = keras.Input((None, None, 3), name="image", dtype="float32")  # RGB in [0, 1]
    mean = np.array(RGB_MEAN[::-1], np.float32)
    x = image[..., ::-1] * 255.0 - mean  # what VGG-19 was trained on
    # keras.json, and a policy of the user's, would otherwise decide; float16 overflows
    fixed = {"data_format": "channels_last", "dtype": "float32"}
    pool = keras.layers.MaxPooling2D if pooling == "max" else keras.layers.AveragePooling2D
    outputs: dict[str, keras.KerasTensor] = {}
    for name, (_, filters) in VGG19_LAYERS.items():
        if name.endswith("conv1") and name != "block1_conv1":
            x = pool(2, name=f"block{int(name[5]) - 1}_pool", **fixed)(x)
        x = keras.layers.Conv2D(filters, 3, 1, "same", activation="relu", name=name, **fixed)(x)
        outputs[name] = x
        if set(layer_names) <= set(outputs):
            break
    model = keras.Model(image, [outputs[name] for name in layer_names], name="vgg19")
    for name in outputs:
        if name not in weights:
            raise WeightsError(f"The weights have no {name}; take those of the whole network.")
        model.get_layer(name).set_weights(weights[name])
    model.trainable = False  # the network is frozen: only the pixels of G change
    return model


def _checked(image: tf.Tensor) -> tf.Tensor:
    """Give a picture as float32; raise WeightsError for what is none, or is not in [0, 1]."""
    if not _is_picture(image, 16):
        raise WeightsError(
            "A picture for VGG-19 is float, (1, n_H, n_W, 3) with sides of 16 or more, "
            f"not {getattr(image, 'dtype', type(image).__name__)} "
            f"{tuple(getattr(image, 'shape', ()))}. load_image gives that; enlarge a smaller one."
        )
    image = tf.cast(tf.convert_to_tensor(image), tf.float32)
    low, high = float(tf.reduce_min(image)), float(tf.reduce_max(image))
    finite = tf.reduce_all(tf.math.is_finite(image))
    if not (finite and low > -0.01 and high < 1.01):
        raise WeightsError(
            f"A picture for VGG-19 has values from 0 to 1, not NaN, infinity or {low:.3g} to "
            f"{high:.3g}; use load_image, or divide by 255."
        )
    return image


# Where weights come from, in the order in which they are tried


def _find_weights(
    weights: str | os.PathLike | Weights, images: Sequence | None
) -> tuple[Weights, str]:
    """Give (weights, where they are from); empty weights stand for k-means filters."""
    if isinstance(weights, dict):
        try:
            _check_structure(weights, whole=not images)
        except (ValueError, TypeError, AttributeError) as error:
            raise WeightsError(f"The given weights are not VGG-19's: {error}.") from None
        return weights, "given weights"
    asked = str(weights)
    if asked == "auto":
        asked = os.environ.get("NST_WEIGHTS", "").strip() or "auto"
    if asked == "kmeans":
        return _kmeans("as asked", images)
    if asked not in ("auto", "imagenet"):
        known = Path(asked).name in KNOWN_FILES
        return read_weights(asked), Path(asked).name + ("" if known else " (its hash is not known)")
    found, bad = search_disk()
    why = list(bad.values())
    if found is None:
        try:
            found = download_weights() if asked == "imagenet" else _download_unless_in_vain()
            why = [bad[path] for path in bad if path != found]  # that one was replaced
        except WeightsError as error:
            why.append(str(error))
    if found is not None:
        return read_weights(found), f"ImageNet ({' '.join([found.name, *why])})"
    if asked == "imagenet":
        raise WeightsError(
            " ".join(why) + f" Or use weights='kmeans'. See {PRETRAINED / 'README.md'}."
        )
    return _kmeans(" ".join(why), images)


IN_VAIN: list[tuple[float, str]] = []  # when the last download failed, and why


def _download_unless_in_vain() -> Path:
    """Download, but not if that failed in the last ten minutes: some networks let one wait."""
    if IN_VAIN and time.monotonic() - IN_VAIN[0][0] < 600:
        raise WeightsError(IN_VAIN[0][1])
    try:
        return download_weights()
    except WeightsError as error:
        IN_VAIN[:] = [(time.monotonic(), str(error))]
        raise


def _kmeans(why: str, images: Sequence | None) -> tuple[Weights, str]:
    if not images:
        raise WeightsError(
            f"k-means filters ({why}) are fitted to pictures: call load_vgg19(..., images=[C, S])."
        )
    return {}, f"k-means filters fitted to the pictures ({why})"


def search_disk() -> tuple[Path | None, dict[Path, str]]:
    """Look for the released files in pretrained-model/ and Keras' cache; name the bad ones."""
    folders, bad = [PRETRAINED], {}
    with suppress(RuntimeError):  # a user without a home folder
        folders.append(Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models")
    for folder in folders:
        for name, hashes in KNOWN_FILES.items():
            path = folder / name
            try:
                if not path.is_file():
                    continue
                if _md5(path) in hashes:
                    return path, bad
                bad[path] = f"{path} is damaged (wrong MD5), delete it."
            except OSError as error:
                bad[path] = f"{path} cannot be read ({error.strerror})."
    return None, bad


def _md5(path: Path) -> str:
    return pooch.file_hash(str(path), "md5")


def download_weights(url: str = KERAS_URL, folder: Path = PRETRAINED, timeout: float = 15) -> Path:
    """Download the 80 MB of VGG-19 without its top, show progress, check the hash, then rename.

    `timeout` is how long, in seconds, the server may keep silent; each of its addresses may take
    5 s to connect. Raises WeightsError.
    """
    name, (md5, *_) = next(iter(KNOWN_FILES.items()))
    remedy = f"Download it by hand, from {url}{name}, to {folder}."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        bar = tqdm(total=80_134_624, desc="VGG-19", unit="B", unit_scale=True, file=sys.stdout)
        with bar, _whole_file(folder / name) as temporary:
            patience = (min(5, timeout), timeout)  # to connect, to read
            pooch.HTTPDownloader(progressbar=bar, timeout=patience)(url + name, temporary, None)
            if _md5(temporary) != md5:
                raise WeightsError(f"What {url} sent is not VGG-19 (wrong MD5). {remedy}")
    except (OSError, ValueError) as error:  # requests' errors are OSErrors without a number
        with suppress(OSError):  # Windows does not rename over what another process reads: the same
            if _md5(folder / name) == md5:
                return folder / name
        if getattr(error, "errno", None):
            raise WeightsError(f"Cannot write to {folder} ({error.strerror}). {remedy}") from None
        raise WeightsError(f"No download from {url} ({type(error).__name__}). {remedy}") from None
    return folder / name


def _sweep(folder: Path) -> None:
    """Remove temporary files of killed processes, an hour old; their dot keeps them from use."""
    for left in (*folder.glob(".kmeans-*.npz"), *folder.glob(".vgg19_weights*.h5")):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > 3600:
                left.unlink()


def read_weights(path: str | os.PathLike) -> Weights:
    """Read the convolutions of VGG-19 from Keras' .h5, MatConvNet's .mat or our .npz file.

    An .npz may hold the first blocks only. Raises WeightsError. A file with a released name must
    have its MD5. Any other file has its names, shapes and values checked; but filters that have
    changed places with others of their shape cannot be told from trained ones, nor can noise.
    """
    readers = {".h5": _read_h5, ".mat": _read_mat, ".npz": _read_npz}
    try:
        path = Path(path).expanduser()
        found, begins = path.is_file(), b""
        if found:
            with path.open("rb") as file:
                begins = file.read(1)
    except (OSError, RuntimeError) as error:
        raise WeightsError(
            f"The weights file {str(path)!r} cannot be read ({_reason(error)}); "
            "name one that you may read."
        ) from None
    if not found:
        raise WeightsError(
            f"There is no weights file {str(path)!r}; give the path of an .h5, .mat or .npz file, "
            "or 'imagenet', 'kmeans' or 'auto'."
        )
    if path.suffix not in readers:
        raise WeightsError(f"{path}: unknown suffix {path.suffix!r}; expected .h5, .mat or .npz.")
    try:
        if not begins:
            raise ValueError("it is empty")
        known = KNOWN_FILES.get(path.name)
        if known and _md5(path) not in known:
            raise ValueError("its MD5 is not that of the released file")
        weights = readers[path.suffix](path)
        _check_structure(weights, whole=path.suffix != ".npz")
        for name, (kernel, _) in weights.items():  # an .npz has checksums of its own
            run = kernel.ravel("K")  # as in the file: MATLAB's order is another
            run = run[: kernel.size // 64 * 64].reshape(-1, 64)
            if not known and path.suffix != ".npz" and not run.any(1).all():
                raise ValueError(f"{name} has 64 zeros in a row, as if part was never written")
    except Exception as error:  # h5py, SciPy and zipfile raise what they like on damaged files
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        reason = reason.splitlines()[0] if reason else type(error).__name__
        raise WeightsError(
            f"{path} holds no VGG-19 that can be used: {reason}. Delete it and get it again; "
            f"see {PRETRAINED / 'README.md'}."
        ) from None
    return weights


def _floats(array: object) -> np.ndarray:
    """Give float32; raise ValueError for whole numbers: a quantised network is another network."""
    array = np.asarray(array)
    if array.dtype.kind != "f":
        raise ValueError(f"its numbers are {array.dtype}, expected float16, float32 or float64")
    with np.errstate(over="ignore"):  # infinity is found later
        return array.astype(np.float32)


def _check_structure(weights: Weights, whole: bool) -> None:
    """Raise ValueError unless names, shapes and values can be those of VGG-19."""
    names = list(VGG19_LAYERS)[: 16 if whole else len(weights)]
    missing = [name for name in names if name not in weights]
    if missing == ["block3_conv4", "block4_conv4", "block5_conv4"]:
        raise ValueError("it is a VGG-16 (13 convolutions), 16 are needed")
    if missing or not names:
        raise ValueError(f"{missing[0] if missing else 'block1_conv1'} is missing")
    for name in names:
        kernel, bias = weights[name]
        shape = (3, 3, *VGG19_LAYERS[name])
        if kernel.shape != shape or bias.shape != shape[-1:]:
            raise ValueError(f"{name} has the shapes {kernel.shape} and {bias.shape}, not {shape}")
        if not (
            np.isfinite(kernel).all() and np.isfinite(bias).all() and kernel.any((0, 1, 2)).all()
        ):
            raise ValueError(f"{name} holds NaN, infinity or an empty filter")


def _read_h5(path: Path) -> Weights:
    """Find kernel and bias of each layer by name, whichever Keras version wrote the file."""
    weights: dict[str, dict[int, np.ndarray]] = {}

    def collect(name: str, item: h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer"):  # same names there
            parts = [*name.split("/"), item.parent.attrs.get("name")]  # Keras 3.5 and later
            number = re.search(r"/conv2d_?(\d*)/", name)  # Keras 3.4 numbers the layers
            place = int(number[1] or 0) if number else 16  # a 17th layer has no place in VGG-19
            parts += list(VGG19_LAYERS)[place : place + 1]
            layer = next((part for part in parts if part in VGG19_LAYERS), None)
            if layer and item.ndim in weights.setdefault(layer, {}):
                raise ValueError(f"{layer} is in it twice")
            if layer:
                weights[layer][item.ndim] = _floats(item)

    with h5py.File(path, "r") as file:
        file.visititems(collect)
    for name, found in weights.items():
        if not {1, 4} <= set(found):
            raise ValueError(f"{name} has no {'bias' if 4 in found else 'kernel'}")
    return {name: (found[4], found[1]) for name, found in weights.items()}


def _read_mat(path: Path) -> Weights:
    """Read MatConvNet's file; turn its RGB order into Keras' BGR, and its mean into ours."""
    file = scipy.io.loadmat(path, simplify_cells=True)
    weights = {}
    for layer in file["layers"]:
        if layer["type"] == "conv" and layer["name"].startswith("conv"):
            kernel, bias = layer.get("weights", layer.get("filters")), layer.get("biases")
            kernel, bias = kernel if bias is None else (kernel, bias)
            name = "block{}_conv{}".format(*layer["name"][4:].split("_"))
            weights[name] = (_floats(kernel), _floats(bias).ravel())
    normalization = file.get("meta", file)["normalization"]
    mean = np.asarray(normalization["averageImage"], np.float32).reshape(-1, 3).mean(0)  # RGB
    kernel, bias = weights["block1_conv1"]
    bias = bias + np.einsum("hwio,i->o", kernel, np.array(RGB_MEAN, np.float32) - mean)
    weights["block1_conv1"] = (kernel[:, :, ::-1], bias)
    return weights


def _read_npz(path: Path) -> Weights:
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        names = [name for name in VGG19_LAYERS if f"{name}/kernel" in file]
        return {
            name: tuple(_floats(file[f"{name}/{part}"]) for part in ("kernel", "bias"))
            for name in names
        }


# VGG-19 without a weight file: k-means filters, and the calibration of any filters

FIT_VERSION = 1  # part of the cache's name: raise it when a change below alters the result
PATCHES, ROUNDS = 8000, 5  # patches a layer, rounds of k-means
ACTIVE = 0.5  # each filter fires on half of the patches
RIDGE = 0.4  # of the whitening: 0.01 gives noise, 0.1 fine waves, 1 soft blots
CACHE_FILES = 5  # fits kept in pretrained-model/, the newest


def fit_kmeans_vgg19(
    images: Sequence[tf.Tensor],
    keep: Weights | None = None,
    seed: int = 0,
    until: str = "block5_conv4",
    pooling: str = "avg",
) -> Weights:
    """Fit VGG-19's filters up to `until` to `images`, (1, n_H, n_W, 3) in [0, 1] each.

    A layer's filters are the centroids of whitened 3x3 patches of the layer below (Coates 2012);
    layers in `keep` have their given filters instead. Each layer is then *calibrated*: multiplied
    by one number s > 0, so that the root mean square of its Gram matrix / (n_H n_W) is 1 on the
    images. This is in the spirit of Gatys 2015 (mean activation 1), and changes nothing but units:

      1. ReLU and pooling are positively homogeneous, f(s x) = s f(x), for s > 0;
      2. so with kernel and bias times s, a layer's activations are s times what they were;
      3. and with its kernel divided by s, the next layer does not notice.

    The same seed gives the same weights, rounded to half precision so that a cached fit equals a
    fresh one. With every layer in `keep` this function is the calibration alone, unrounded.
    """
    rng = np.random.default_rng(seed)
    mean = np.array(RGB_MEAN[::-1], np.float32)
    # Pictures are rounded to 8 bits; undoing that at random gives flat ones some structure.
    xs = [
        _checked(image)[..., ::-1] * 255.0 - mean + rng.uniform(-0.5, 0.5, image.shape).astype("f4")
        for image in images
    ]
    weights, before = {}, 1.0  # `before`: the factor of the layer below, which a kept kernel undoes
    names = list(VGG19_LAYERS)[: list(VGG19_LAYERS).index(until) + 1]
    for name in names:
        filters = VGG19_LAYERS[name][1]
        if name.endswith("conv1") and not keep:  # a calibration alone is quick, a fit is not
            print("Fitting filters:" if name == names[0] else "", name[:6], end="", flush=True)
        if name.endswith("conv1") and name != "block1_conv1":
            xs = [tf.nn.pool(x, [2, 2], pooling.upper(), strides=[2, 2]) for x in xs]
        kept = bool(keep) and name in keep
        before = before if kept else 1.0  # what is fitted here, is fitted to calibrated activations
        kernel, bias = keep[name] if kept else _fit_layer(xs, filters, rng)
        xs = [tf.nn.relu(tf.nn.conv2d(x, kernel / before, 1, "SAME") + bias) for x in xs]
        s = 1.0 / _gram_size(xs) ** 0.5  # a Gram matrix grows with the square of the activations
        if not 0 < s < float("inf"):
            raise WeightsError(f"The activations of {name} are too large to be right; use others.")
        kernel, bias = kernel * (s / before), bias * s
        if not kept:
            kernel, bias = (np.float32(np.float16(array)) for array in (kernel, bias))
        weights[name], xs, before = (kernel, bias), [x * s for x in xs], s if kept else 1.0
    if not keep:
        print()
    return weights


def _gram_size(activations: Sequence[tf.Tensor]) -> float:
    """Root mean square of the entries of Gram / (n_H n_W), the mean over pictures."""
    sizes = []
    for a in activations:
        a = tf.reshape(a, (-1, a.shape[-1]))  # (n_H*n_W, n_C)
        gram = tf.matmul(a, a, transpose_a=True) / len(a)  # (n_C, n_C)
        sizes.append(float(tf.sqrt(tf.reduce_mean(gram**2))))
    return max(sum(sizes) / len(sizes), 1e-12)


def _fit_layer(
    xs: Sequence[tf.Tensor], filters: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Fit one layer to its inputs, (1, n_H, n_W, n_C); give kernel and bias."""
    patches = np.concatenate([_patches(x, PATCHES // len(xs), rng) for x in xs])  # (n, 9 n_C)
    centred = tf.constant(patches - patches.mean(0))
    whiten = _whitening(centred, min(filters, *patches.shape), rng)  # (9 n_C, rank)
    centroids = _spherical_kmeans(tf.math.l2_normalize(centred @ whiten, axis=1), filters, rng)
    kernel = tf.matmul(whiten, centroids, transpose_b=True)  # (9 n_C, filters)
    responses = (tf.constant(patches) @ kernel).numpy()  # (n, filters)
    bias = -np.quantile(responses[rng.permutation(len(patches))[:2000]], 1 - ACTIVE, axis=0)
    size = np.maximum(responses + bias, 0).mean(0) + 1e-6  # Gatys 2015: mean activation 1 a filter
    kernel = (kernel.numpy() / size).reshape(3, 3, -1, filters)
    return kernel.astype(np.float32), (bias / size).astype(np.float32)


def _patches(x: tf.Tensor, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw n of the 3x3 patches of x, (1, n_H, n_W, n_C), or all if there are fewer: (n, 9 n_C)."""
    x = np.pad(x[0], ((1, 1), (1, 1), (0, 0)), "symmetric")
    windows = sliding_window_view(x, (3, 3), axis=(0, 1))  # (n_H, n_W, n_C, 3, 3)
    n_H, n_W = windows.shape[:2]
    row, column = np.divmod(rng.permutation(n_H * n_W)[:n], n_W)
    return windows[row, column].transpose(0, 2, 3, 1).reshape(len(row), -1)


def _whitening(x: tf.Tensor, rank: int, rng: np.random.Generator) -> tf.Tensor:
    """Give W, (d, rank), such that the columns of x W are decorrelated; x is (n, d), centred.

    Where d > rank, x is first projected on its main directions, found by one power iteration from
    random ones (Halko et al. 2011). The matrix products are TensorFlow's: NumPy's OpenBLAS becomes
    many times slower as soon as another program uses a core.
    """
    project = None
    if x.shape[1] > rank:
        guess = tf.constant(rng.standard_normal((x.shape[1], rank), np.float32))
        spread = tf.matmul(x, x @ guess, transpose_a=True)  # (d, rank)
        project = tf.matmul(spread, _inverse_root(spread, 1e-6), transpose_b=True)
        x = x @ project
    whiten = tf.transpose(_inverse_root(x, RIDGE))
    return whiten if project is None else project @ whiten


def _inverse_root(x: tf.Tensor, ridge: float) -> tf.Tensor:
    """Give L^-1 where L L^T = x^T x + `ridge` times its mean eigenvalue."""
    x = tf.cast(x, tf.float64)  # in float32, rounding can make the product indefinite
    gram = tf.matmul(x, x, transpose_a=True)
    eye = tf.eye(len(gram), dtype=tf.float64)
    root = tf.linalg.cholesky(gram + (ridge * tf.linalg.trace(gram) / len(gram) + 1e-12) * eye)
    return tf.cast(tf.linalg.triangular_solve(root, eye), tf.float32)


def _spherical_kmeans(points: tf.Tensor, k: int, rng: np.random.Generator) -> tf.Tensor:
    """Cluster unit vectors, (n, d), by angle: k unit centroids, (k, d)."""
    centroids = tf.gather(points, rng.choice(len(points), k, replace=len(points) < k))
    for _ in range(ROUNDS):
        nearest = tf.argmax(tf.matmul(points, centroids, transpose_b=True), axis=1)  # (n,)
        sums = tf.math.unsorted_segment_sum(points, nearest, k)
        empty = tf.norm(sums, axis=1, keepdims=True) < 1e-6
        centroids = tf.math.l2_normalize(tf.where(empty, centroids, sums), axis=1)
    return centroids


def _cached_fit(images: Sequence[tf.Tensor], seed: int, until: str) -> Weights:
    """Fit k-means filters, or take them from pretrained-model/ if they were fitted before."""
    key = hashlib.sha256(
        f"{FIT_VERSION} {seed} {until} {PATCHES} {ROUNDS} {ACTIVE} {RIDGE}".encode()
    )
    for image in images:
        key.update(np.asarray(image).tobytes() + str(image.shape).encode())
    path = PRETRAINED / f"kmeans-{key.hexdigest()[:16]}.npz"
    if os.access(path, os.F_OK):
        with suppress(Exception):  # zipfile and NumPy raise what they like on damaged files
            fitted = read_weights(path)
            with path.open("rb") as opened, np.load(opened) as file:
                if file["check"] == _digest(key.hexdigest(), fitted):
                    return fitted
        print(f"{path} is damaged: the filters are fitted anew.")
    fitted = fit_kmeans_vgg19(images, seed=seed, until=until)
    halves = {
        f"{name}/{part}": array.astype(np.float16)  # exact: the fit is rounded to half precision
        for name, arrays in fitted.items()
        for part, array in zip(("kernel", "bias"), arrays, strict=True)
    }
    try:
        PRETRAINED.mkdir(parents=True, exist_ok=True)
        _sweep(PRETRAINED)
        with _whole_file(path) as temporary:
            np.savez(temporary, check=_digest(key.hexdigest(), fitted), **halves)
        for old in sorted(PRETRAINED.glob("kmeans-*.npz"), key=os.path.getmtime)[:-CACHE_FILES]:
            old.unlink(missing_ok=True)
    except (OSError, ValueError) as error:  # ValueError: zipfile, when the disk fills
        why = _reason(error)
        print(f"The fit is not kept in {PRETRAINED} ({why}); next time it is made again.")
    return fitted


def _digest(key: str, weights: Weights) -> str:
    """Give the SHA-256 of a fit: no other fit, and no part of one, passes for it."""
    digest = hashlib.sha256(key.encode())
    for name, arrays in weights.items():
        digest.update(name.encode() + b"".join(array.tobytes() for array in arrays))
    return digest.hexdigest()


def _with_unit_content(weights: Weights, name: str, image: tf.Tensor, pooling: str) -> Weights:
    """Scale the content layer to mean square 1 on the content picture, and its successor back.

    Otherwise J_content would be some 10 times larger with k-means filters than with ImageNet's.
    """
    a_C = build_vgg19(weights, [name], pooling)(image)
    a_C = a_C[0] if isinstance(a_C, list) else a_C
    s = float(tf.reduce_mean(a_C**2)) ** -0.5 if tf.reduce_any(a_C > 0) else 1.0
    weights = {**weights, name: (weights[name][0] * s, weights[name][1] * s)}
    above = dict(zip(VGG19_LAYERS, list(VGG19_LAYERS)[1:], strict=False)).get(name)
    if above in weights:
        weights[above] = weights[above][0] / s, weights[above][1]
    return weights


# ---------------------------------------------------------------------------------- previews
# Each returns its figure, made without pyplot: a notebook shows it once, and nothing piles up.


def show_images(images: dict[str, tf.Tensor], columns: int = 3, width: float = 9.0) -> Figure:
    """Draw pictures, {title: (1, n_H, n_W, 3) in [0, 1]}, side by side; `width` is in inches."""
    rows, columns = -(-len(images) // columns), min(columns, len(images))
    shapes = [np.shape(image)[-3:-1] for image in images.values()]
    height = width / columns * np.mean([n_H / n_W for n_H, n_W in shapes]) + 0.35
    figure = Figure(figsize=(width, min(rows * height, 2 * width)), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels:
        panel.axis("off")
    for panel, (title, image) in zip(panels, images.items(), strict=False):
        panel.imshow(to_pixels(image))
        panel.set_title(title, fontsize=12)
    return figure


def show_maps(maps: dict[str, np.ndarray], columns: int = 4, label: str = "") -> Figure:
    """Draw matrices, {title: (n_H, n_W)}, as heat maps that share one scale."""
    rows, columns = -(-len(maps) // columns), min(columns, len(maps))
    figure = Figure(figsize=(9, 9 / columns * rows * 0.85 + 0.6), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    low, high = (f(np.min(m) if f is min else np.max(m) for m in maps.values()) for f in (min, max))
    for panel in panels:
        panel.axis("off")
    for panel, (title, values) in zip(panels, maps.items(), strict=False):
        drawn = panel.imshow(values, cmap="viridis", vmin=low, vmax=high)
        panel.set_title(title, fontsize=11)
    figure.colorbar(drawn, ax=panels.tolist(), shrink=0.8, label=label)
    return figure


def draw_vgg19(style_layers: Sequence[str], content_layer: str) -> Figure:
    """Draw the 16 convolutions: as high as the picture is there, as wide as there are filters."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    axes, left, marks = figure.subplots(), 0.0, {}
    for name, (_, filters) in VGG19_LAYERS.items():
        block = int(name[5])
        left += 0.5 if name.endswith("conv1") and block > 1 else 0.0  # room for the pooling
        width, height = 0.45 + filters / 600, (6 - block) / 5
        kind = "style" if name in style_layers else "content" if name == content_layer else "other"
        colour, hatch = {
            "style": ("#f2b134", "//"),
            "content": ("#4f9bd9", ".."),
            "other": ("#e4e4e4", ""),
        }[kind]
        bar = axes.bar(
            left,
            height,
            width,
            bottom=-height / 2,
            align="edge",
            color=colour,
            edgecolor="black",
            hatch=hatch,
        )
        marks[kind] = bar
        axes.text(
            left + width / 2,
            0,
            name[-5:],
            rotation=90,
            ha="center",
            va="center",
            fontsize=9,
            bbox={"color": "white", "alpha": 0.8, "pad": 1},
        )
        if name.endswith("conv1"):
            side = "" if block == 1 else f"/{2 ** (block - 1)}"
            axes.text(
                left,
                0.56,
                f"block{block}\n{filters} filters\nside{side}",
                fontsize=9.5,
                va="bottom",
            )
        left += width + 0.08
    labels = {"style": "style layer", "content": "content layer", "other": "not read"}
    axes.legend(
        [marks[k] for k in labels if k in marks],
        [labels[k] for k in labels if k in marks],
        loc="lower right",
        fontsize=10,
    )
    axes.set(
        xlim=(-0.1, left),
        ylim=(-0.55, 0.95),
        title="The 16 convolutions of VGG-19, with pooling between the blocks",
    )
    axes.axis("off")
    return figure


def show_progress(image: tf.Tensor, step: int, J: float) -> Figure:
    """Draw G as it is after `step` steps."""
    return show_images({f"G after {step} steps, J = {J:.3g}": image}, width=4.5)


def plot_costs(history: Sequence[Sequence[float]], title: str = "The costs fall") -> Figure:
    """Draw the curves of a `history` of (step, J, J_content, J_style)."""
    steps, *curves = np.array([row[:4] for row in history], np.float64).reshape(-1, 4).T
    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axes = figure.subplots()
    for curve, name, line in zip(
        curves, ("J", "J_content", "J_style"), ("-", "--", ":"), strict=True
    ):
        shown = np.where(curve > 0, curve, np.nan)  # J_content is 0 before the first step from C
        axes.semilogy(steps, shown, line, linewidth=2, label=name)
    axes.set(xlabel="step", ylabel="cost (logarithmic)", title=title)
    axes.legend()
    axes.grid(alpha=0.3)
    return figure


# ---------------------------------------------------------------------------------- the painter


class PaintError(ValueError):
    """An option of the painter is wrong, or the picture does not fit into this machine's memory."""


class Frame(NamedTuple):
    """What `paint` yields: a picture, its costs, and where it stands."""

    side: int  # the longer side in pixels, at this scale
    step: int  # counted over all scales
    seconds: float  # since the start
    J: float
    J_content: float
    J_style: float
    image: tf.Tensor  # (1, n_H, n_W, 3) in [0, 1]
    note: str = ""  # why the scale ends before its time, if it does; J is then that of `image`
    network: str = ""  # where its weights are from


class Painting(NamedTuple):
    """What `stylize` returns."""

    image: tf.Tensor  # (1, n_H, n_W, 3) in [0, 1]
    history: list[tuple[int, float, float, float]]  # (step, J, J_content, J_style)
    stopped: str  # why it ended: "finished", "interrupted", what was not finite or had no time
    lowered: bool  # whether any step lowered J: if not, the picture is what it started from
    network: str  # where the weights are from


STARTS = ("content", "patches", "noise", "style")  # patches: the photo under pieces of the style


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to paint: each field is a keyword of `stylize` and `paint`. Raises PaintError."""

    alpha: float = 10  # weight of the content; 0 with init="noise" makes a texture
    beta: float = 40  # weight of the style; 0 with init="noise" shows what the content layer keeps
    content_layer: str = CONTENT_LAYER
    style_layers: Sequence[tuple[str, float]] = tuple(STYLE_LAYERS)  # (name, weight)
    style_weights: Sequence[float] | None = None  # one a style picture; None: all alike
    masks: Sequence | None = None  # one a style picture, (n_H, n_W) in [0, 1]: where it is used
    style_scale: float = 1.0  # 2: the style picture, and so its strokes, twice as large
    colour: str = "style"  # or keep the photo's: "matched", "luminance"
    tv: float = 3.0  # weight of the total variation: smooths; 0 is the notebook's J, with ripple
    edges: str = (
        "mirrored"  # the picture goes on beyond them; "zeros": the notebook's J, and a frame
    )
    init: str | tf.Tensor = "content"  # or another of STARTS, or a picture
    optimizer: str = "lbfgs"  # or "adam"; see tests/benchmark.py
    scales: int | None = None  # None: halve while the longer side stays at 160 pixels or more
    steps: int | None = None  # at each scale; None: 40, or what `seconds` allow
    seconds: float | None = None  # for everything, the fit of filters included
    tolerance: float = 1e-3  # a scale ends when 10 steps lowered J by less than this share
    weights: str | os.PathLike | Weights = "auto"  # see `load_vgg19`
    seed: int = 0

    def __post_init__(self) -> None:
        self._read_lists()
        choices = {"colour": ("style", "matched", "luminance"), "optimizer": ("adam", "lbfgs")}
        choices["edges"] = ("mirrored", "zeros")
        if isinstance(self.init, str):
            choices["init"] = STARTS
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise PaintError(f"{name} is {' or '.join(known)}, not {getattr(self, name)!r}.")
        whole, optional = {"scales": 1, "steps": 0, "seed": 0}, ("scales", "steps", "seconds")
        lowest = {"alpha": 0, "beta": 0, "tv": 0, "tolerance": 0, "style_scale": 0.1, "seconds": 0}
        for name, low in {**lowest, **whole}.items():
            value, kind = getattr(self, name), numbers.Integral if name in whole else numbers.Real
            if value is None and name in optional:
                continue
            if not isinstance(value, kind) or not low <= value < float("inf"):
                number = "whole" if name in whole else "finite"
                raise PaintError(f"{name} is a {number} number from {low} up, not {value!r}.")
        if not self.alpha and not self.beta:
            raise PaintError("alpha and beta are both 0: there is nothing to minimise.")
        for name, weight in (*self.style_layers, (self.content_layer, 1)):
            known = isinstance(name, str) and name in VGG19_LAYERS
            known = known and isinstance(weight, numbers.Real)
            if not known or not 0 <= weight < float("inf"):
                raise PaintError(
                    f"Layer {name!r} with weight {weight}: expected a weight from 0 up, and one of "
                    f"{', '.join(VGG19_LAYERS)}."
                )
        if self.beta and not any(weight for _, weight in self.style_layers):
            raise PaintError("style_layers has no layer with a weight; without style, beta is 0.")

    def _read_lists(self) -> None:
        """Turn arrays, tuples and what can be read only once into lists."""
        for name, holds in {
            "style_layers": "pairs (name, weight)",
            "style_weights": "numbers, one a style picture",
            "masks": "masks, one a style picture",
        }.items():
            value = getattr(self, name)
            if value is None and name != "style_layers":
                continue
            try:
                value = list(value)
                value = [(k, w) for k, w in value] if name == "style_layers" else value
            except (TypeError, ValueError):
                raise PaintError(f"{name} is a list of {holds}.") from None
            object.__setattr__(self, name, value)  # this class is frozen

    def limit(self) -> int | None:
        """Steps at each scale, at most; None if only the seconds count."""
        return 40 if self.steps is None and self.seconds is None else self.steps

    def border(self) -> int:
        """Pixels that the canvas is larger than the picture, at each side."""
        return BORDER if self.edges == "mirrored" else 0

    def layers(self) -> list[str]:
        """Names of the layers that are read: style layers first, the content layer last."""
        style = [name for name, weight in self.style_layers if weight] if self.beta else []
        return style + ([self.content_layer] if self.alpha else [])


# What an error says that began as Ctrl-C: while TensorFlow traces, its C++ code makes it a
# RuntimeError that still names it, or loses it in a SystemError.
INTERRUPTED = ("KeyboardInterrupt", "bad argument to internal function")


def stylize(
    content: tf.Tensor,
    style: tf.Tensor | Sequence[tf.Tensor],
    on_frame: Callable[[Frame], object] | None = None,
    **options: object,
) -> Painting:
    """Paint `content` in the manner of `style`, one picture or several; give the best result.

    Pictures are (1, n_H, n_W, 3) in [0, 1]; `options` are the fields of `Recipe`. `on_frame` is
    called with every Frame of `paint`. Ctrl-C, or a stopped cell, returns the best picture so far;
    a cost that is not finite ends its scale with the best one. Raises PaintError, WeightsError.
    """
    best, history, notes, lowered = None, [], [], False
    try:
        for frame in paint(content, style, **options):
            if not frame.note:
                history.append((frame.step, frame.J, frame.J_content, frame.J_style))
            if best is None or frame.side > best.side or frame.J <= best.J:
                lowered = lowered or (best is not None and frame.J < best.J)
                best = frame
            notes += [frame.note] if frame.note else []
            if on_frame:
                on_frame(frame)
    except (KeyboardInterrupt, RuntimeError, SystemError) as error:
        if not any(words in repr(error) for words in INTERRUPTED):
            raise
        notes.append("interrupted")
    if not (lowered or notes) and options.get("steps") != 0:
        hurried = options.get("seconds") is not None and len(history) == 1
        notes.append("no time for a single step" if hurried else "no step lowered J")
    if best is None:
        return Painting(tf.convert_to_tensor(content), history, "; ".join(notes), False, "")
    image = best.image
    if image.shape != content.shape:  # it ended at a coarser scale
        base = _base(_checked(content), _pictures(style), Recipe(**options))
        image = _carried_up(base, image - _shrink(base, best.side / max(base.shape)))
    return Painting(image, history, "; ".join(notes) or "finished", lowered, best.network)


def paint(
    content: tf.Tensor, style: tf.Tensor | Sequence[tf.Tensor], **options: object
) -> Iterator[Frame]:
    """Yield a Frame before every step, coarse to fine; `options` are the fields of `Recipe`.

    It minimises J = alpha J_content + beta J_style + tv times the total variation. The last term is
    neither Gatys' nor the notebook's: it takes fine ripple away. What a coarser scale changed is
    carried up as a *difference* to where the finer one starts: the photo's fine detail would be
    lost with the picture itself. Differs from Gatys 2015, who start from noise, at one scale.

    VGG-19 pads with zeros: at its edges it sees a step to black, and a picture made with it has a
    frame one or two pixels wide. So it paints on a canvas that is larger by BORDER pixels at each
    side, where the photo goes on as in a mirror, and cuts them off; J is that of the whole canvas.
    Neither the paper nor the notebook does so, and edges = "zeros" does not.

    `init="patches"` reaches a low J sooner, but the photo is less clear: a lower J is not a better
    picture.
    """
    start, recipe = time.monotonic(), Recipe(**options)
    C = _checked(content)
    styles = _pictures(style)
    _check_options(recipe, len(styles))
    photo, (C, styles) = C, _coloured(C, styles, recipe.colour)
    gc.collect()  # a former run's traced functions refer to themselves: 70 MB a run would stay
    _check_memory(C.shape, recipe)
    needs, took = memory_needed(C.shape, recipe.optimizer), seconds_needed(C.shape, recipe)
    print(f"Painting {C.shape[2]} x {C.shape[1]} pixels: about {took:.0f} s and {needs:.1f} GB.")
    styles = [same_area(S, C, recipe.style_scale) for S in styles]
    fitted_to = [_shrink(image, min(1, 512 / max(image.shape))) for image in (C, *styles)]
    names = [name for name, _ in recipe.style_layers] + [recipe.content_layer]
    vgg = load_vgg19(names, recipe.weights, fitted_to, recipe.seed)
    net, source = Network(vgg, recipe.layers()), vgg.weights_source
    step, change, sides = 0, None, _sides(C.shape, recipe.scales)
    laps = []  # when each look at G ended, at the last scale

    def shown(image: tf.Tensor) -> tf.Tensor:
        return _with_colours_of(photo, image) if recipe.colour == "luminance" else image

    for side in sides:
        late = change is not None and recipe.seconds is not None
        late = (
            late and laps[-1] - start + _first_step(laps, side / max(change.shape)) > recipe.seconds
        )
        note = f"no time for {side} pixels: the change is carried up" if late else ""
        side = sides[-1] if late else side
        c, *ss = (_shrink(image, side / max(C.shape)) for image in (C, *styles))
        base = _base(c, ss, recipe)
        base = _grey(base) if recipe.colour == "luminance" else base
        if change is None:
            G = _first_picture(base, ss, recipe)
            G = _grey(G) if recipe.colour == "luminance" else G
        else:
            G = _carried_up(base, change)
        if late:
            nan = 3 * [float("nan")]
            yield Frame(side, step, time.monotonic() - start, *nan, shown(G), note, source)
            return
        best, laps = None, [time.monotonic()]
        progress = _clock(start, recipe, side == sides[-1])
        for costs, image, note in _descend_on_canvas(net, c, ss, G, recipe, progress):
            laps.append(time.monotonic())
            step += best is not None and not note
            yield Frame(side, step, laps[-1] - start, *costs, shown(image), note, source)
            best = (costs[0], image) if best is None or costs[0] <= best[0] else best
        change = best[1] - base


def _first_step(laps: Sequence[float], ratio: float) -> float:
    """Estimate the seconds to a first step with `ratio` times the side; `laps` ended looks at G.

    What the first look took longer than the second, for targets and the trace, does not grow.
    """
    first, *later = np.diff(laps)
    look = min(later, default=first)
    return first - look + 2 * look * ratio**2


def _pictures(style: tf.Tensor | Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Give one style picture, or several, as a list of checked ones."""
    return [_checked(S) for S in (style if isinstance(style, list | tuple) else [style])]


def _carried_up(base: tf.Tensor, change: tf.Tensor) -> tf.Tensor:
    """Add what a coarser scale changed to the picture that it is counted from."""
    return tf.clip_by_value(base + _resize(change, base.shape[1:3]), 0, 1)


BORDER = 16  # pixels


def _mirrored(image: tf.Tensor, border: int) -> tf.Tensor:
    """Let a picture go on for `border` pixels at each side as in a mirror."""
    pads = [(0, 0), (border, border), (border, border), (0, 0)]
    return tf.pad(image, pads, "SYMMETRIC") if border else image


def _descend_on_canvas(
    net: Network,
    C: tf.Tensor,
    styles: Sequence[tf.Tensor],
    G: tf.Tensor,
    recipe: Recipe,
    progress: Callable[[int], float],
) -> Iterator[tuple[tuple[float, ...], tf.Tensor, str]]:
    """Minimise with mirrored borders around all pictures; yield as `_descend`, without them."""
    border, size = recipe.border(), C.shape[1:3]
    masks = [_mirrored(_mask_of_size(mask, size), border) for mask in recipe.masks or ()]
    objective = Objective(net, _mirrored(C, border), styles, replace(recipe, masks=masks or None))
    for costs, canvas, note in _descend(objective, _mirrored(G, border), recipe, progress):
        yield costs, canvas[:, border : border + size[0], border : border + size[1]], note


def _descend(
    objective: Objective, G: tf.Tensor, recipe: Recipe, progress: Callable[[int], float]
) -> Iterator[tuple[tuple[float, ...], tf.Tensor, str]]:
    """Minimise at one scale; yield ((J, J_content, J_style), picture, note) before every step."""
    best, lowest = ((float("nan"),) * 3, G), []
    with closing({"adam": _adam, "lbfgs": _lbfgs}[recipe.optimizer](G)) as optimizer:
        image = next(optimizer)
        while True:
            *values, gradient = objective(image)
            costs = tuple(float(value) for value in values)
            if not (np.isfinite(costs).all() and tf.reduce_all(tf.math.is_finite(gradient))):
                yield *best, f"J or its gradient is not finite after {len(lowest)} steps: stopped"
                return
            if not lowest or costs[0] <= lowest[-1]:
                best = costs, image
            lowest.append(best[0][0])
            yield costs, image, ""
            done = progress(len(lowest) - 1)
            gained = lowest[-11] - lowest[-1] if len(lowest) > 10 else float("inf")
            if done >= 1 or gained < recipe.tolerance * lowest[-1]:
                return
            try:
                image = optimizer.send((costs[0], gradient, done))
            except StopIteration:  # L-BFGS has converged
                return


def _adam(G: tf.Tensor) -> Generator[tf.Tensor, tuple[float, tf.Tensor, float], None]:
    """Yield a picture, be sent its (J, gradient, progress from 0 to 1), move, and so on.

    The rate falls along a cosine, and beta_1 = 0.7 forgets old gradients sooner than Adam's 0.9.
    """
    picture = tf.Variable(G)
    adam = keras.optimizers.Adam(beta_1=0.7, beta_2=0.99)
    adam.build([picture])
    rate = keras.optimizers.schedules.CosineDecay(0.05, 1, alpha=0.06)
    while True:
        _, gradient, progress = yield tf.identity(picture)
        adam.learning_rate = rate(progress)
        adam.apply_gradients([(gradient, picture)])
        picture.assign(tf.clip_by_value(picture, 0, 1))


def _lbfgs(G: tf.Tensor) -> Generator[tf.Tensor, tuple[float, tf.Tensor, float], None]:
    """The same with SciPy's L-BFGS-B between the bounds 0 and 1; Gatys 2015 used L-BFGS, too.

    SciPy calls a function instead of yielding, so it runs in a thread that asks and waits. It looks
    at the bounds of one pixel after the other first, for 1 s at 400 pixels; meanwhile its first
    question, which is G, is already answered here. J is given to it in units in which its first
    step moves pixels by some 0.05: with J as it is, the first ten evaluations are lost in finding
    out how far to go.
    """
    asked, answers, unit = queue.Queue(), queue.Queue(), None

    def evaluate(x: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal unit
        if unit is not None:
            asked.put(x.reshape(G.shape).astype(np.float32))
        answer = answers.get()
        if answer is None:  # the generator is closed
            raise GeneratorExit
        J, gradient = answer
        gradient = np.asarray(gradient, np.float64).ravel()
        unit = unit or 0.05 / (np.sqrt(np.mean(gradient**2)) + 1e-30)
        return J * unit, gradient * unit

    def minimize() -> None:
        options = {"maxiter": 10**6, "maxfun": 10**6, "ftol": 0, "gtol": 0}
        x = np.asarray(G, np.float64).ravel()
        bounds = scipy.optimize.Bounds(np.zeros_like(x), np.ones_like(x))
        try:
            scipy.optimize.minimize(
                evaluate, x, jac=True, method="L-BFGS-B", bounds=bounds, options=options
            )
        except BaseException as error:  # for the thread that waits, MemoryError above all
            asked.put(error)
        else:
            asked.put(None)  # converged

    thread = threading.Thread(target=minimize, daemon=True)
    thread.start()
    picture = G
    try:
        while picture is not None:
            J, gradient, _ = yield tf.identity(picture)
            answers.put((J, gradient))
            picture = asked.get()
            if isinstance(picture, BaseException):
                raise picture
    finally:
        answers.put(None)
        thread.join()


def _clock(start: float, recipe: Recipe, last: bool) -> Callable[[int], float]:
    """Give the progress of a scale, from 0 to 1, as a function of its steps done.

    With a budget of seconds, a coarse scale may use a quarter of what is left; the learning rate
    follows this progress, so the schedule fits whatever the machine can do in the time. One step
    is made as long as there is any time: a first look, with its trace, is no measure of a step.
    """
    begun = lap = time.monotonic()
    left = None if recipe.seconds is None else recipe.seconds - (begun - start)
    allowed = left if last or left is None else left / 4
    steps = recipe.limit()

    def progress(step: int) -> float:
        nonlocal lap
        by_steps = 0.0 if steps is None else step / steps if steps else 1.0
        if allowed is None:
            return by_steps
        (before, lap), used = (lap, time.monotonic()), time.monotonic() - begun
        if step == 0 and used < left:
            return max(by_steps, min(used / allowed, 0.9))
        enough = used + (lap - before) > allowed  # if the next evaluation takes as long as this one
        return 1.0 if enough else max(by_steps, used / allowed)

    return progress


# The objective of one scale

TILE = 768 + 2 * BORDER  # pixels; the largest canvas, down or across, that is painted in one piece


class Objective:
    """J, J_content, J_style and the gradient of J for a picture G; the targets are computed once.

    A picture of up to TILE pixels takes one traced function: one forward and one backward pass. A
    larger one is cut into overlapping windows of one size. A first pass adds up Gram matrices and
    content differences; now J is known as a function of these sums, and a second pass takes its
    gradient window by window. The margins are as wide as a layer can see, so the numbers are the
    same, in the memory of one window.
    """

    def __init__(
        self, net: Network, C: tf.Tensor, styles: Sequence[tf.Tensor], recipe: Recipe
    ) -> None:
        names, self.net, self.recipe = recipe.layers(), net, recipe
        if list(net.names) != names:
            raise PaintError(f"The network gives {net.names}, and the recipe needs {names}.")
        self.weights = [weight for _, weight in recipe.style_layers if weight and recipe.beta]
        self.strides = [2 ** (int(name[5]) - 1) for name in names]
        self.reach = _reach(_deepest(names))
        self.windows = _windows(C.shape, self.reach)
        self.gram_S = [tf.concat(grams, 0) for grams in zip(*map(self._target, styles))]  # noqa: B905
        self.areas = [float(np.prod(_cells(C.shape, stride))) for stride in self.strides]
        shares = tf.constant(recipe.style_weights or [1.0] * len(styles), tf.float32)
        guides = None
        if recipe.masks is not None:
            full, *guides = _guides(recipe.masks, C, [1, *self.strides[: len(self.weights)]])
            self.areas[: len(guides)] = [tf.reduce_sum(T**2, (1, 2)) for T in guides]  # (styles,)
            # A pixel is pulled alike in small and in large regions.
            shares *= tf.reduce_sum(full**2, (1, 2))
        self.shares = tf.math.divide_no_nan(shares, tf.reduce_sum(shares))  # (styles,)
        self.pieces = []  # a window, where its inside is, its masks, its content
        for window, inside in self.windows:
            cut = [_cut(T, window, k) for T, k in zip(guides or (), self.strides, strict=False)]
            a_C = self.net(_cut(C, window))[0][-1] if recipe.alpha else None
            self.pieces.append((window, (inside, cut, a_C)))
        self.size_C = self.areas[-1] * int(a_C.shape[-1]) if recipe.alpha else 1
        self.whole, self.measure, self.pull = (
            tf.function(f, autograph=False)  # which costs half a second, and converts nothing here
            for f in (self._whole, self._measured, self._pulled)
        )

    def __call__(self, G: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Give J, J_content, J_style, and the gradient of J."""
        # A plain call of `whole` would warn of retracing after some short paintings.
        whole = len(self.windows) == 1
        evaluate = self.whole.get_concrete_function(G) if whole else self._by_windows
        J, J_content, J_style, gradient = evaluate(G)
        if self.recipe.tv:
            rough, slope = _roughness(G)
            J, gradient = J + self.recipe.tv * rough, gradient + self.recipe.tv * slope
        if self.recipe.colour == "luminance":  # a grey picture stays grey
            gradient = tf.reduce_mean(gradient, -1, keepdims=True) + tf.zeros_like(G)
        return J, J_content, J_style, gradient

    def _whole(self, G: tf.Tensor) -> tuple[tf.Tensor, ...]:
        activations, back = self.net(G)
        with tf.GradientTape() as tape:
            tape.watch(activations)
            costs = self._costs(self._sums(activations, *self.pieces[0][1]))
        return *costs, back(tape.gradient(costs[0], activations))

    def _by_windows(self, G: tf.Tensor) -> tuple[tf.Tensor, ...]:
        parts = [self.measure(_cut(G, window), *piece) for window, piece in self.pieces]
        sums = [tf.add_n(part) for part in zip(*parts)]  # noqa: B905
        with tf.GradientTape() as tape:
            tape.watch(sums)
            costs = self._costs(sums)
        upstream, gradient = tape.gradient(costs[0], sums), np.zeros(G.shape, np.float32)
        for window, piece in self.pieces:
            _cut(gradient, window)[...] += self.pull(upstream, _cut(G, window), *piece).numpy()
        return *costs, tf.constant(gradient)

    def _measured(self, image: tf.Tensor, *piece: object) -> list[tf.Tensor]:
        return self._sums(self.net(image)[0], *piece)

    def _pulled(self, upstream: list[tf.Tensor], image: tf.Tensor, *piece: object) -> tf.Tensor:
        activations, back = self.net(image)
        with tf.GradientTape() as tape:
            tape.watch(activations)
            sums = self._sums(activations, *piece)
        return back(tape.gradient(sums, activations, upstream))

    def _costs(self, sums: Sequence[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """J, J_content and J_style from sums over all positions: the notebook's formulas."""
        J_content = J_style = tf.constant(0.0)
        for weight, gram, area, gram_S in zip(self.weights, sums, self.areas, self.gram_S):  # noqa: B905
            area = tf.reshape(area, (-1, 1, 1))
            gram = tf.math.divide_no_nan(gram, area)  # pooling may leave nothing of a mask
            distance = tf.reduce_mean((gram - gram_S) ** 2, (1, 2)) / 4  # (styles,)
            J_style += weight * tf.reduce_sum(self.shares * distance)
        if self.recipe.alpha:
            J_content = sums[-1] / (4 * self.size_C)
        return self.recipe.alpha * J_content + self.recipe.beta * J_style, J_content, J_style

    def _sums(self, activations: list, inside, guides=(), a_C=None) -> list[tf.Tensor]:
        """Gram matrices, (1 or styles, n_C, n_C) a layer, then the content's squared difference."""
        sums = []
        for k, a in enumerate(activations[: len(self.weights)]):
            a = _inner(a * guides[k][..., None] if guides else a, inside, self.strides[k])
            a = tf.reshape(a, (tf.shape(a)[0], -1, a.shape[-1]))  # (1 or styles, n_H*n_W, n_C)
            sums.append(_gram(a))
        if a_C is not None:
            difference = _inner(activations[-1] - a_C, inside, self.strides[-1])
            sums.append(tf.reduce_sum(difference**2))
        return sums

    def _target(self, S: tf.Tensor) -> list[tf.Tensor]:
        """Gram matrices / (n_H n_W) of a style picture: pictures of any size can be compared."""
        parts = [
            self._measured(_cut(S, window), inside)
            for window, inside in _windows(S.shape, self.reach)
        ]
        return [
            tf.add_n(grams) / float(np.prod(_cells(S.shape, stride)))
            for grams, stride in zip(zip(*parts), self.strides)  # noqa: B905
        ]


def _gram(a: tf.Tensor) -> tf.Tensor:
    """A^T A of (1 or styles, n_H*n_W, n_C).

    The gradient of J for a Gram matrix is symmetric, so the two products that lead back to A are
    one product, twice.
    """
    gram = tf.matmul(a, tf.stop_gradient(a), transpose_a=True)
    return 2 * gram - tf.stop_gradient(gram)


# The network, forward and back, with a quarter of the multiplications
#
# Winograd's convolution (Lavin & Gray 2016, section 4.3): 4 x 4 outputs of a channel take 36
# products, where 3 x 3 for each are 144. A row of pixels and a row of a filter are polynomials, and
# the product of two polynomials is known from its values at six points. In float32 the activations
# move by some 1e-5 of the largest.
#
# Differs from the paper, which has -2 for 1/2: 1/p is one of the points for each p here, and a
# filter turned around has the value p^2 f(1/p) at p. So the way back takes the same filters.


_POINTS = (0, 1, -1, 2, 1 / 2)  # and infinity
_INVERSE = [5, 1, 2, 4, 3, 0]  # where 1/p is


def _values(n: int) -> np.ndarray:
    """The matrix (6, n) from n coefficients to the values at the points."""
    finite = [[point**k for k in range(n)] for point in _POINTS]
    return np.array([*finite, [0] * (n - 1) + [1]])


_MATRICES = np.linalg.inv(_values(6)).T, _values(3), _values(4).T  # of data, filter, outputs
_SQUARES = np.array(
    [1, *np.square(_POINTS[1:]), 1]
)  # p^2; 0 and infinity change places as they are
_BACK = (_SQUARES[:, None] * _MATRICES[0])[_INVERSE], _MATRICES[2][:, _INVERSE]
DATA, FILTER, OUTPUT, DATA_BACK, OUTPUT_BACK = (
    np.kron(m, m).astype(np.float32)  # both axes at once: 36 x 36, 36 x 9, 16 x 36, ...
    for m in (*_MATRICES, *_BACK)
)


class Network:
    """VGG-19 as a function from a picture, (1, n_H, n_W, 3), to the activations of `names`.

    It also gives a function that leads the gradient for these activations back to the picture. From
    block2 on a convolution is Winograd's, in some half of the time of TensorFlow's own on a CPU.
    With fewer than 128 channels it would win nothing; a GPU's library has its own.
    """

    def __init__(self, vgg: keras.Model, names: Sequence[str]) -> None:
        places = [layer.name for layer in vgg.layers]
        first, last = (places.index(name) for name in ("block1_conv1", _deepest(names)))
        preprocessed = keras.Model(vgg.input, vgg.layers[first].output)
        self.names, self.layers = names, [("block1_conv1", _plain(preprocessed))]
        plain = ("block",) if tf.config.list_logical_devices("GPU") else ("block1", "pool")
        for layer in vgg.layers[first + 1 : last + 1]:
            way = _plain if any(part in layer.name for part in plain) else _winograd
            self.layers.append((layer.name, way(layer)))

    def __call__(self, image: tf.Tensor) -> tuple[list[tf.Tensor], Callable]:
        found, pulls, a = {}, [], image
        for name, layer in self.layers:
            a, pull = layer(a)
            found[name] = a
            pulls.append((name, pull))

        def back(upstream: Sequence[tf.Tensor]) -> tf.Tensor:
            gradient = tf.zeros_like(a)
            for name, pull in reversed(pulls):
                here = [up for n, up in zip(self.names, upstream, strict=True) if n == name]
                gradient = pull(tf.add_n([gradient, *here]))
            return gradient

        return [found[name] for name in self.names], back


def _plain(layer: keras.Layer | keras.Model) -> Callable:
    """Give a layer as a function: x -> what it makes of x, and how a gradient is led back."""

    def run(x: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        return y, lambda upstream: tape.gradient(y, x, upstream)

    return run


def _winograd(layer: keras.layers.Conv2D) -> Callable:
    """Give the same for a 3 x 3 convolution; back, it is that of the filters turned around.

    tf.custom_gradient would do for this, but what it traced is never freed.
    """
    filters = FILTER @ tf.reshape(layer.kernel, (9, -1))
    filters = tf.reshape(filters, (36, *layer.kernel.shape[2:]))  # (36, n_in, n_out)

    def run(x: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        y = tf.nn.relu(_by_tiles(x, filters) + layer.bias)

        def pull(upstream: tf.Tensor) -> tf.Tensor:
            upstream = tf.raw_ops.ReluGrad(gradients=upstream, features=y)
            return _by_tiles(upstream, filters, back=True)

        return y, pull

    return run


def _by_tiles(x: tf.Tensor, filters: tf.Tensor, back: bool = False) -> tf.Tensor:
    """Convolve (1, n_H, n_W, n_in) with filters (36, n_in, n_out); the edges are zeros.

    A tile makes 4 x 4 outputs out of 6 x 6 inputs, so the inputs overlap. `back` takes the filters
    turned around, and n_in and n_out in exchanged roles, which leads a gradient back.
    """
    _, n_H, n_W, n_in = x.shape
    down, across, n_out = -(-n_H // 4), -(-n_W // 4), filters.shape[1 if back else 2]
    x = tf.pad(x, [(0, 0), (1, 4 * down + 1 - n_H), (1, 4 * across + 1 - n_W), (0, 0)])
    i, j, row, column = np.ix_(range(6), range(6), range(down), range(across))
    places = (4 * row + i) * (4 * across + 2) + 4 * column + j
    x = tf.gather(tf.reshape(x, (-1, n_in)), places.ravel())  # (36 tiles, n_in)
    x = tf.reshape((DATA_BACK if back else DATA) @ tf.reshape(x, (36, -1)), (36, -1, n_in))
    x = tf.matmul(x, filters, transpose_b=back)  # (36, tiles, n_out)
    x = (OUTPUT_BACK if back else OUTPUT) @ tf.reshape(x, (36, -1))  # (16, tiles n_out)
    x = tf.transpose(tf.reshape(x, (4, 4, down, across, n_out)), (2, 0, 3, 1, 4))
    return tf.reshape(x, (1, 4 * down, 4 * across, n_out))[:, :n_H, :n_W]


def _cells(shape: Sequence[int], stride: int) -> tuple[int, int]:
    """How many positions, down and across, a layer of this stride has on a picture."""
    return shape[1] // stride, shape[2] // stride


def _reach(deepest: str) -> int:
    """How many pixels away a layer's value can see, rounded up to a multiple of 16."""
    reach, stride = 0, 1
    for name in list(VGG19_LAYERS)[: list(VGG19_LAYERS).index(deepest) + 1]:
        if name.endswith("conv1") and name != "block1_conv1":
            reach, stride = reach + stride, 2 * stride  # 2 x 2 pooling
        reach += stride  # 3 x 3 convolution
    return -(-reach // 16) * 16


def _windows(shape: Sequence[int], margin: int) -> list[tuple[tuple[int, ...], tf.Tensor | None]]:
    """Cut a picture into windows (top, left, height, width), each with the box inside that counts.

    They start at multiples of 16 pixels, as all poolings do, and have one size: one trace. The
    insides, (top, bottom, left, right) in the window, touch but do not overlap.
    """

    def cut(length: int) -> tuple[int, list[tuple[int, int, int]]]:
        if length <= TILE:
            return length, [(0, 0, length)]
        largest = (TILE - 2 * margin - length % 16) // 16 * 16
        inner = -(-length // -(-length // largest) // 16) * 16
        size = inner + 2 * margin + length % 16
        starts = [(max(0, min(at - margin, length - size)), at) for at in range(0, length, inner)]
        return size, [(s, at - s, min(at + inner, length) - s) for s, at in starts]

    (height, rows), (width, columns) = cut(shape[1]), cut(shape[2])
    if len(rows) == len(columns) == 1:
        return [((0, 0, height, width), None)]
    return [
        ((top, left, height, width), tf.constant([first, last, begin, end]))
        for top, first, last in rows
        for left, begin, end in columns
    ]


def _cut(image: tf.Tensor, window: tuple[int, ...], stride: int = 1) -> tf.Tensor:
    top, left, height, width = (number // stride for number in window)
    return image[:, top : top + height, left : left + width]


def _inner(a: tf.Tensor, inside: tf.Tensor | None, stride: int) -> tf.Tensor:
    if inside is None:
        return a
    top, bottom, left, right = tf.unstack(inside // stride)
    return a[:, top:bottom, left:right]


def _guides(masks: Sequence, C: tf.Tensor, strides: Sequence[int]) -> list[tf.Tensor]:
    """Masks at the sizes of the layers, (styles, n_H, n_W) each (Gatys 2017, section 3)."""
    full = tf.concat([_mask_of_size(mask, C.shape[1:3]) for mask in masks], 0)
    return [tf.nn.avg_pool2d(full, stride, stride, "VALID")[..., 0] for stride in strides]


def _mask(mask: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Turn (n_H, n_W) or a picture into (1, n_H, n_W, 1)."""
    try:
        mask = tf.cast(tf.convert_to_tensor(mask), tf.float32)
    except (TypeError, ValueError, tf.errors.OpError):
        raise PaintError(f"A mask is an array of numbers, not {type(mask).__name__}.") from None
    mask = mask[None, ..., None] if mask.ndim == 2 else mask
    low, high = (float(r(mask)) if 0 not in mask.shape else 0 for r in (np.min, np.max))
    if mask.ndim != 4 or mask.shape[0] != 1 or not (low >= 0 and 0 < high <= 1):
        raise PaintError(
            "A mask has the shape (n_H, n_W), or that of a picture, with values from 0 to 1, "
            f"not all 0; this one has the shape {tuple(mask.shape)}, from {low:.3g} to {high:.3g}."
        )
    return tf.reduce_mean(mask, -1, keepdims=True)


def _mask_of_size(mask: np.ndarray | tf.Tensor, size: Sequence[int]) -> tf.Tensor:
    return tf.clip_by_value(_resize(_mask(mask), size), 0, 1)


@tf.function(reduce_retracing=True)
def _roughness(G: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean absolute difference of neighbours, rounded at 0, and its gradient."""
    with tf.GradientTape() as tape:
        tape.watch(G)
        down, across = G[:, 1:] - G[:, :-1], G[:, :, 1:] - G[:, :, :-1]
        rough = sum(tf.reduce_mean(tf.sqrt(d**2 + 1e-4)) for d in (down, across))
    return rough, tape.gradient(rough, G)


# Sizes, colours, starts


def _resize(image: tf.Tensor, size: Sequence[int]) -> tf.Tensor:
    method = "area" if image.shape[1] > size[0] else "bicubic"
    return tf.image.resize(image, size, method)


def _shrink(image: tf.Tensor, ratio: float) -> tf.Tensor:
    """Scale a picture's sides by `ratio`, to 16 pixels at least."""
    size = [max(16, round(side * ratio)) for side in image.shape[1:3]]
    same = size == list(image.shape[1:3])
    return image if same else tf.clip_by_value(_resize(image, size), 0, 1)


def same_area(S: tf.Tensor, C: tf.Tensor, scale: float) -> tf.Tensor:
    """Give the style picture as many pixels as the photo, and `scale` times the side."""
    (h, w), (n_H, n_W) = S.shape[1:3], C.shape[1:3]
    return _shrink(S, scale * (n_H * n_W / (h * w)) ** 0.5)


def _sides(shape: Sequence[int], scales: int | None) -> list[int]:
    """The longer side at each scale, coarse first."""
    side = max(shape)
    if scales is None:
        scales = 1 + sum(side / 2**half >= 160 for half in range(1, 20))
    scales = min(scales, max(1, int(np.log2(side / 16)) + 1))  # VGG-19 needs 16 pixels
    return [round(side / 2**half) for half in reversed(range(scales))]


def _base(C: tf.Tensor, styles: Sequence[tf.Tensor], recipe: Recipe) -> tf.Tensor:
    """Give what a change is counted from; noise is not carried up."""
    if not isinstance(recipe.init, str):
        return match_shape(_checked(recipe.init), C)
    pictures = {"style": lambda: match_shape(styles[0], C), "noise": lambda: tf.zeros_like(C)}
    return pictures.get(recipe.init, lambda: C)()


def _first_picture(base: tf.Tensor, styles: Sequence[tf.Tensor], recipe: Recipe) -> tf.Tensor:
    """Give the picture that the coarsest scale starts from."""
    if isinstance(recipe.init, str) and recipe.init == "noise":
        return tf.random.Generator.from_seed(recipe.seed).uniform(base.shape, 0.4, 0.6)
    if isinstance(recipe.init, str) and recipe.init == "patches":
        return _half_hidden(base, styles, recipe)
    return base


def _half_hidden(C: tf.Tensor, styles: Sequence[tf.Tensor], recipe: Recipe) -> tf.Tensor:
    """Give the mean of C and a patchwork of each style, weighted alike; where no mask is, C."""
    weights = recipe.style_weights or [1.0] * len(styles)
    shares = [tf.fill((1, *C.shape[1:3], 1), float(weight)) for weight in weights]
    if recipe.masks is not None:
        masks = [_mask_of_size(mask, C.shape[1:3]) for mask in recipe.masks]
        shares = [share * mask for share, mask in zip(shares, masks, strict=True)]
    laid = sum(share * _patchwork(C, S) for share, S in zip(shares, styles, strict=True))
    some = sum(shares) > 1e-3 * sum(weights)
    return tf.where(some, (C + tf.math.divide_no_nan(laid, sum(shares))) / 2, C)


PATCH = 8  # pixels, the side of the pieces that `_patchwork` lays


def _patchwork(C: tf.Tensor, S: tf.Tensor) -> tf.Tensor:
    """Lay C anew with overlapping pieces of S: alike in colour, and from about the same place.

    Its strokes are the painting's own, so the style cost is low before the first step, that of
    deep layers above all: they hold what stands where. Like the "texture transfer" of Efros and
    Freeman (2001), but a piece is chosen without a look at its neighbours. A tenth of the
    picture's side counts as much as a difference in colour of 0.1.
    """
    half, guide = PATCH // 2, _match_colours(C, S)  # pieces overlap by half
    guide = tf.pad(guide, [(0, 0), (half, PATCH), (half, PATCH), (0, 0)], "SYMMETRIC")
    pieces = sliding_window_view(S.numpy()[0], (PATCH, PATCH), (0, 1))  # (rows, columns, 3, 8, 8)
    grid = pieces.shape[:2]
    some = np.unravel_index(np.linspace(0, np.prod(grid) - 1, 4000, dtype=int), grid)
    sample = pieces[some].reshape(4000, -1)
    main = np.linalg.svd(sample, full_matrices=False)[2][:24].T  # (192, 24), main directions
    kernel = main.reshape(3, PATCH, PATCH, -1).transpose(1, 2, 0, 3)

    def features(image: tf.Tensor, stride: int, margin: int, shape: Sequence[int]) -> np.ndarray:
        found = tf.nn.conv2d(image, kernel, stride, "VALID")[0].numpy()  # (rows, columns, 24)
        centres = np.stack(np.indices(found.shape[:2]), -1) * stride - margin + half
        return np.concatenate([found, centres / shape[1:3] * 3**0.5 * PATCH], -1)

    known = features(S, 1, 0, S.shape)
    tree = scipy.spatial.KDTree(known.reshape(-1, known.shape[-1]))
    nearest = tree.query(features(guide, half, half, C.shape))[1]  # (rows, columns)
    ramp = np.sin(np.pi * (np.arange(PATCH) + 0.5) / PATCH) ** 2  # two overlapping ones add up to 1
    laid = np.zeros(guide.shape[1:], np.float32)
    for (row, column), number in np.ndenumerate(nearest):
        piece = pieces[np.unravel_index(number, grid)].transpose(1, 2, 0)  # (8, 8, 3)
        y, x = row * half, column * half
        laid[y : y + PATCH, x : x + PATCH] += piece * np.outer(ramp, ramp)[..., None]
    return tf.constant(laid[None, half : half + C.shape[1], half : half + C.shape[2]])


def _grey(image: tf.Tensor) -> tf.Tensor:
    return tf.image.grayscale_to_rgb(tf.image.rgb_to_grayscale(image))


def _with_colours_of(photo: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
    """Keep the luminance of `image`, take the chroma of `photo` (Gatys 2016, section 3.1)."""
    photo = _shrink(photo, max(image.shape) / max(photo.shape))
    return tf.clip_by_value(_grey(image) + photo - _grey(photo), 0, 1)


def _coloured(
    C: tf.Tensor, styles: Sequence[tf.Tensor], colour: str
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Prepare photo and style pictures for "style", "matched" or "luminance"."""
    if colour == "matched":
        return C, [_match_colours(S, C) for S in styles]
    if colour == "luminance":
        grey = _grey(C)
        return grey, [_match_colours(_grey(S), grey) for S in styles]
    return C, list(styles)


def _match_colours(S: tf.Tensor, C: tf.Tensor) -> tf.Tensor:
    """Move the colours of S, linearly, to the mean and covariance of those of C.

    With the symmetric square roots of the covariances (Gatys 2016, section 3.2, "Image Analogies").
    """
    x, y = (np.asarray(image, np.float64).reshape(-1, 3) for image in (S, C))
    roots = [scipy.linalg.sqrtm(np.cov(pixels.T) + 1e-6 * np.eye(3)).real for pixels in (x, y)]
    moved = (x - x.mean(0)) @ np.linalg.solve(roots[0], roots[1]) + y.mean(0)
    return tf.constant(np.clip(moved, 0, 1).reshape(S.shape), tf.float32)


# What it will take


def _check_options(recipe: Recipe, styles: int) -> None:
    for name in ("style_weights", "masks"):
        value = getattr(recipe, name)
        if value is not None and len(value) != styles:
            raise PaintError(f"{name} has {len(value)} entries for {styles} style pictures.")
    if not styles:
        raise PaintError("There is no style picture; give one or several.")
    weights = recipe.style_weights
    if weights is not None and not (
        all(isinstance(w, numbers.Real) and 0 <= w < float("inf") for w in weights)
        and sum(weights) > 0
    ):
        raise PaintError(f"style_weights are numbers from 0 up, not all 0, not {weights!r}.")
    for mask in recipe.masks or ():
        _mask(mask)
    if not isinstance(recipe.init, str):
        try:
            _checked(recipe.init)
        except WeightsError as error:
            raise PaintError(f"init: {error}") from None


MEMORY = 0.9e9, 5000  # bytes: TensorFlow and the transformed filters, a pixel of a window
PICTURE = {"adam": 400, "lbfgs": 1500}  # bytes a pixel of the picture; SciPy lists its bounds
CGROUP = "/sys/fs/cgroup"  # where a container sees its own limits


def memory_needed(shape: Sequence[int], optimizer: str = "lbfgs") -> float:
    """Estimate the gigabytes that painting a picture, (1, n_H, n_W, 3), takes."""
    window = np.prod([min(n + 2 * BORDER, TILE) for n in shape[1:3]])
    return (MEMORY[0] + MEMORY[1] * window + PICTURE[optimizer] * shape[1] * shape[2]) / 1e9


def _free_memory() -> float:
    """Give the gigabytes that are free here, in a container those below its limit."""
    free = psutil.virtual_memory().available
    with suppress(OSError, ValueError):  # no cgroup version 2, or the limit is "max"
        limit, used = (int(Path(CGROUP, f"memory.{k}").read_text()) for k in ("max", "current"))
        cached = re.search(r"^inactive_file (\d+)", Path(CGROUP, "memory.stat").read_text(), re.M)
        free = min(free, limit - used + int(cached[1] if cached else 0))
    return free / 1e9


def seconds_needed(shape: Sequence[int], recipe: Recipe) -> float:
    """Estimate the seconds that the steps take on this machine, at its rate of convolutions now.

    Loading or fitting the network comes on top; a scale that stops early takes less.
    """
    steps = recipe.limit()
    if steps is None:
        return recipe.seconds
    work, deepest = 0.0, _deepest(recipe.layers())
    for side in _sides(shape, recipe.scales):
        canvas = [round(n * side / max(shape)) + 2 * recipe.border() for n in shape]
        windows = _windows(canvas, _reach(deepest))
        passes = 3 / 2 if len(windows) > 1 else 1  # forward twice; they overlap, too
        for (_, _, n_H, n_W), _ in windows:
            work += passes * _operations((1, n_H, n_W, 3), deepest, winograd=0.4)
    seconds = (steps + 1) * work / _speed()
    return min(seconds, recipe.seconds or seconds)


def _operations(shape: Sequence[float], deepest: str, winograd: float = 1) -> float:
    """Multiplications and additions of the convolutions, forward and back to the pixels.

    Those from block2 on are counted as `winograd` of what a plain convolution takes.
    """
    work = 0.0
    for name, (n_in, n_out) in VGG19_LAYERS.items():
        each = 2 * 2 * 9 * n_in * n_out * np.prod(_cells(shape, 2 ** (int(name[5]) - 1)))
        work += each if name.startswith("block1") else winograd * each
        if name == deepest:
            break
    return work


def _speed() -> float:
    """Operations a second, from a typical convolution; it takes some 0.1 s to find out."""
    x, kernel, times = tf.ones((1, 96, 96, 128)), tf.ones((3, 3, 128, 128)), []
    for _ in range(4):
        start = time.perf_counter()
        tf.nn.conv2d(x, kernel, 1, "SAME")[0, 0, 0, 0].numpy()
        times.append(time.perf_counter() - start)
    return 0.65 * 2 * 9 * 128 * 128 * 96 * 96 / min(times)  # 0.65: poolings, Gram matrices, ...


def _check_memory(shape: Sequence[int], recipe: Recipe) -> None:
    """Raise PaintError if the picture, or its style, cannot fit, and name the size that would."""
    free, side, scale, how = _free_memory(), max(shape), recipe.style_scale, recipe.optimizer
    needed = memory_needed(shape, how)
    enlarged = memory_needed([n * scale for n in shape], "adam")  # its targets need no optimiser
    if enlarged > free >= needed:
        raise PaintError(
            f"style_scale = {scale} needs about {enlarged:.1f} GB of memory, {free:.1f} GB "
            "are free: take a smaller one."
        )
    if needed <= free:
        return
    while side > 16 and memory_needed([n * side / max(shape) for n in shape], how) > free:
        side = int(side * 0.97)
    raise PaintError(
        f"{shape[2]} x {shape[1]} pixels need about {needed:.1f} GB of memory, "
        f"{free:.1f} GB are free: make the longer side {side} pixels (max_side={side}), or close "
        "other programs."
    )


ANIMATED = (".gif", ".png", ".webp")


def save_animation(
    pictures: Sequence[np.ndarray], path: str | os.PathLike, seconds: float = 6
) -> Path:
    """Write pictures, as `to_pixels` takes them, as an animated .gif, .png or .webp.

    At most 60 of them, evenly chosen, enlarged to the size of the last, which stays longest.
    Raises ImageError.
    """
    path = check_output(path)
    if path.suffix.lower() not in ANIMATED or not len(pictures):
        kinds = " or ".join(ANIMATED)
        raise ImageError(f"{str(path)!r}: an animation has pictures, and is {kinds}.")
    if not (isinstance(seconds, numbers.Real) and 0 < seconds < 1e6):
        raise ImageError(f"An animation lasts some seconds, more than 0, not {seconds!r}.")
    pictures = [to_pixels(picture) for picture in pictures]
    chosen = np.unique(np.linspace(0, len(pictures) - 1, 60).round().astype(int))
    first, *rest = (
        Image.fromarray(pictures[k]).resize(pictures[-1].shape[1::-1], Image.Resampling.BICUBIC)
        for k in chosen
    )
    pause = [int(1000 * seconds / len(chosen))] * len(rest) + [2000]
    return _write(first, path, save_all=True, append_images=rest, duration=pause, loop=0)


# ---------------------------------------------------------------------------------- command line

EXAMPLES = """examples:
  python nst_utils.py photo.jpg painting.jpg -o painted.png
  python nst_utils.py photo.jpg painting.jpg --max-side 1024 --seconds 300
  python nst_utils.py photo.jpg one.jpg two.jpg --style-weights 1 3
  python nst_utils.py photo.jpg sky.jpg ground.jpg --masks sky_mask.png ground_mask.png
  python nst_utils.py photo.jpg painting.jpg --colour luminance --animation making.gif
  python nst_utils.py photo.jpg painting.jpg --alpha 0 --init noise     (a texture)

exit codes: 0 done, 1 a bad input or option, 2 a wrong command line, 130 stopped by Ctrl-C (the
best picture so far, if there is one, is written)"""


def _parser() -> argparse.ArgumentParser:
    """One option for each field of `Recipe`, with its default."""
    parser = argparse.ArgumentParser(
        prog="python nst_utils.py",
        description="Paint a photo in the style of one or several other pictures.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(**vars(Recipe()) | {"style_layers": None})
    add, now = parser.add_argument, "(%(default)s)"
    add("content", help="the photo")
    add("style", nargs="+", help="the painting, or several")
    add("-o", "--output", default="painted.png", help=f"where to write {now}")
    add("--max-side", type=int, default=400, help=f"longer side in pixels {now}")
    add("--animation", help="write the making of it, too: .gif, .png or .webp")
    add("--alpha", type=float, help=f"weight of the content {now}")
    add("--beta", type=float, help=f"weight of the style {now}")
    add("--content-layer", help=now)
    add("--style-layers", nargs="+", metavar="NAME=WEIGHT", help="(block1_conv1=0.2 ...)")
    add("--style-weights", nargs="+", type=float, metavar="W", help="one a painting (alike)")
    add("--masks", nargs="+", metavar="FILE", help="one a painting: where white, it is used")
    add("--style-scale", type=float, help=f"2: strokes twice as large {now}")
    add("--colour", help=f"style; matched or luminance: the photo's {now}")
    add("--tv", type=float, help=f"smoothing by total variation {now}")
    add("--edges", help=f"mirrored, or zeros: the paper's, with a faint frame {now}")
    add("--init", help=f"{', '.join(STARTS)} or a picture's file {now}")
    add("--optimizer", help=f"lbfgs or adam {now}")
    add("--scales", type=int, help="how often the side is halved, plus 1 (by size)")
    add("--steps", type=int, help="at most, at each scale (40, or what --seconds allow)")
    add("--seconds", type=float, help="time for all after the imports; a fit is not cut short")
    add("--tolerance", type=float, help=f"stop when 10 steps gain less {now}")
    add("--weights", help=f"auto, imagenet, kmeans or a file {now}")
    add("--seed", type=int, help=f"of k-means filters and of noise {now}")
    return parser


def _from_arguments(options: dict) -> dict:
    """Turn strings of the command line into what `Recipe` takes."""
    if options["style_layers"]:
        pairs = (text.partition("=") for text in options["style_layers"])
        try:
            options["style_layers"] = [(name, float(weight or 1)) for name, _, weight in pairs]
        except ValueError as error:
            raise PaintError(f"--style-layers takes NAME=WEIGHT: {error}.") from None
    else:
        del options["style_layers"]
    if options["masks"]:
        options["masks"] = [load_image(path) for path in options["masks"]]
    if options["init"] not in STARTS:
        options["init"] = load_image(options["init"])
    return options


def _save_somewhere(image: tf.Tensor, path: Path, settings: str) -> Path:
    """Save a picture; if that is no longer possible at `path`, in a new temporary folder."""
    try:
        return save_image(image, path, settings)
    except ImageError as error:
        print(f"ImageError: {error}", file=sys.stderr)
        folder = tempfile.mkdtemp(prefix="painted-")
        return save_image(image, Path(folder, path.stem + ".png"), settings)


def _same_file(one: Path, other: str | Path) -> bool:
    """Whether two names mean one file: links, and on some disks capital letters, do not count."""
    if one.exists() and Path(other).exists():
        return one.samefile(other)
    return os.path.realpath(one) == os.path.realpath(other)


def main(arguments: Sequence[str] | None = None) -> int:
    """Paint one picture from the command line; give the exit code."""
    options = vars(_parser().parse_args(arguments))
    settings = {name: value for name, value in options.items() if value is not None}
    output, animation = Path(options.pop("output")), options.pop("animation")
    names = [options["content"], *options["style"], *(options["masks"] or ()), options["init"]]
    try:
        C = load_image(options.pop("content"), options.pop("max_side"))
        styles = [load_image(path, 4096) for path in options.pop("style")]  # `paint` shrinks them
        options = _from_arguments(options)
        recipe, pictures = Recipe(**options), []
        taken = list(names)
        for path in filter(None, (output, animation)):
            if any(_same_file(check_output(path), name) for name in taken):
                raise ImageError(f"{str(path)!r} is used already: choose another name to write to.")
            taken.append(path)
        if animation and Path(animation).suffix.lower() not in ANIMATED:
            raise ImageError(f"{animation!r}: an animation is {' or '.join(ANIMATED)}.")
        scales = len(_sides(C.shape, recipe.scales))
        total = None if recipe.seconds is not None else scales * (recipe.limit() + 1)
        with tqdm(total=total, desc="painting", unit="step") as bar:

            def show(frame: Frame) -> None:
                bar.update()
                bar.set_postfix_str(f"{frame.side} px, J={frame.J:.3g}")
                if animation:
                    pictures.append(to_pixels(_shrink(frame.image, min(1, 480 / frame.side))))

            painting = stylize(C, styles, show, **options)
        if not painting.lowered and painting.stopped != "finished":
            print(f"Nothing was painted, nothing is written: {painting.stopped}", file=sys.stderr)
            return 130 if "interrupted" in painting.stopped else 1
        settings |= {"network": painting.network, "stopped": painting.stopped}
        how = "nst_utils.py " + json.dumps(settings)
        print(_save_somewhere(painting.image, output, how), painting.stopped)
        if animation:
            print(save_animation(pictures, animation))
    except (ImageError, WeightsError, PaintError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)  # while it reads the pictures, or while it saves
        return 130
    return 130 if "interrupted" in painting.stopped else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show
    sys.exit(main())
