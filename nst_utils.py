"""Helpers for the Neural Style Transfer course: pictures, VGG-19, previews.

Nothing here solves an exercise of the notebook. Sources, cited below by their short names:
  Gatys 2015   Gatys, Ecker & Bethge, "A Neural Algorithm of Artistic Style", arXiv:1508.06576
  VGG 2015     Simonyan & Zisserman, "Very Deep Convolutional Networks ...", arXiv:1409.1556
  Coates 2012  Coates & Ng, "Learning Feature Representations with K-Means"
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import stat
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow: it is chatty on start-up
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # else off without AVX-512: twice the time
os.environ["KERAS_BACKEND"] = "tensorflow"  # keras.json may name another: no GradientTape there

import h5py
import numpy as np
import pooch
import scipy
from matplotlib.figure import Figure
from PIL import Image, ImageCms, PngImagePlugin
from tqdm import tqdm

with Path(os.devnull).open("wb") as _nowhere:  # C++ greets before it reads that variable, in red
    _stderr = os.dup(2 if sys.__stderr__ else _nowhere.fileno())  # IDLE has no 2 on Windows
    os.dup2(_nowhere.fileno(), 2)
    try:
        import keras
        import tensorflow as tf
    finally:
        os.dup2(_stderr, 2)
        os.close(_stderr)

ROOT = Path(__file__).resolve().parent
PRETRAINED = ROOT / "pretrained-model"
PathLike = str | os.PathLike
FAST = os.environ.get("NST_FAST", "") not in ("", "0")  # small pictures, few steps: tests, previews


# ---------------------------------------------------------------------------------- pictures


class ImageError(ValueError):
    """A picture cannot be read or written; the message names it and says what to do."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` only if the block succeeds."""
    temporary = path.with_name(f".{path.stem[:40]}-{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load_image(
    path: PathLike | bytes | io.IOBase, max_side: int | None = None, background: str = "white"
) -> tf.Tensor:
    """Read a picture as a tensor of shape (1, n_H, n_W, 3), float32, RGB in [0, 1].

    `path` names a file, or is the contents of one (bytes), or a file open for reading ("rb"), read
    from its start. Of several frames the first counts. A photo is turned upright by its EXIF tag,
    colours become sRGB by its ICC profile, 16-bit grey is scaled, transparency shows `background`.
    The longer side is at most `max_side` pixels; nothing is enlarged. Raises ImageError.
    """
    if max_side is not None and not (isinstance(max_side, (int, np.integer)) and max_side >= 1):
        raise ImageError(f"max_side must be a whole number from 1 on, or None, not {max_side!r}.")
    shown = _shown(path)
    with _opened(path, shown) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about EXIF and the like: what can be read is read
        warnings.simplefilter("ignore" if max_side else "error", Image.DecompressionBombWarning)
        try:
            return _decoded(file, max_side, background)
        except Exception as error:  # Pillow's readers raise what they like on damaged files
            raise ImageError(f"{shown} {_fault(error, file)}") from None


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


def _fault(error: Exception, file: io.IOBase) -> str:
    """What is wrong with a picture that Pillow could not read, and what to do."""
    if isinstance(error, Image.UnidentifiedImageError):
        file.seek(0)
        data = file.read(8)
        begin = f"it begins with {data!r}" if data else "the file is empty"
        return f"is no picture that Pillow knows ({begin}); save it as JPEG or PNG and try again."
    if isinstance(error, TOO_LARGE):
        remedy = "give max_side, or " * isinstance(error, Image.DecompressionBombWarning)
        return f"has too many pixels ({_reason(error)}); {remedy}make it smaller first."
    return f"is damaged or cut short ({_reason(error)}); get it again."


def _opened(path: object, shown: str) -> io.IOBase:
    """Open what `load_image` was given. Raises ImageError, and never waits for a pipe."""
    if not isinstance(path, (str, os.PathLike)):
        return io.BytesIO(_contents(path, shown))
    name = os.fsdecode(path)
    if re.match("(https?|ftps?|file|data|s3):", name, re.IGNORECASE):
        raise ImageError(f"{shown} is a web address: download it and give the file's path.")
    try:
        mode = Path(name).stat().st_mode
        if stat.S_ISREG(mode):
            return Path(name).open("rb")
    except FileNotFoundError:
        raise ImageError(f"There is no file {shown}; check the name and the folder.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL, or half a letter, in the name
        raise ImageError(
            f"{shown} is not readable ({_reason(error)}); give another file."
        ) from None
    what = "a folder" if stat.S_ISDIR(mode) else "no ordinary file"
    raise ImageError(f"{shown} is {what}; give the path of a file.")


def _contents(source: object, shown: str) -> bytes:
    """The bytes of a picture, from bytes or from an open file. Raises ImageError."""
    fault = "is no path, bytes or file that is open as binary"
    if hasattr(source, "read"):
        try:
            if source.seekable():
                source.seek(0)
            source = source.read()
        except Exception as error:  # a closed file, a broken connection, a class of one's own
            fault = f"is not readable ({_reason(error)})"
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    array = "an array needs no load_image: make it float, (1, n_H, n_W, 3), in [0, 1]"
    raise ImageError(f"{shown} {fault}: use open(path, 'rb'); {array}.")


# Pillow reads EPS by starting Ghostscript, another program; of DDS it does not notice, before
# version 12, that a file is cut short; the others it only recognises.
NOT_READ = {"EPS", "DDS", "BUFR", "FPX", "GRIB", "HDF5", "MIC", "MPEG", "WMF"}
TOO_LARGE = Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError
WRITTEN = {"PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000", "PPM", "TGA"}
# Pillow scales a PNG's pixels to 8 bits, but not the one value or colour that is transparent.
TRANSPARENT_SCALE = {"L;2": 85, "L;4": 17, "RGB;16B": 1 / 256}
UPRIGHT = dict(zip(range(2, 9), (0, 3, 1, 5, 4, 6, 2), strict=True))  # EXIF -> Image.Transpose


def _decoded(file: io.IOBase, max_side: int | None, background: str) -> tf.Tensor:
    """Decode, turn, convert, shrink. Raises what Pillow raises."""
    Image.init()
    with Image.open(file, formats=[name for name in Image.ID if name not in NOT_READ]) as opened:
        scale = TRANSPARENT_SCALE.get(opened.format == "PNG" and str(opened.tile[0][3]))
        if scale and (clear := opened.info.get("transparency")):  # 0 stays 0
            scaled = [int(value * scale) for value in np.atleast_1d(clear)]
            opened.info["transparency"] = tuple(scaled) if len(scaled) > 1 else scaled[0]
        opened.load()  # decode now, so that a truncated file fails here
        picture = _rgb(opened, background)
        with suppress(Exception):  # no EXIF, or a broken one: the picture stays as it lies
            picture = picture.transpose(UPRIGHT[opened.getexif()[0x0112]])
    if max_side and max(picture.size) > max_side:
        scale = max_side / max(picture.size)
        size = [max(1, round(side * scale)) for side in picture.size]
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return tf.constant(np.asarray(picture, np.float32)[None] / 255.0)  # (1, n_H, n_W, 3)


def _rgb(picture: Image.Image, background: str = "white") -> Image.Image:
    """Convert any Pillow mode to 8-bit sRGB, transparency on `background`."""
    profile, clear = picture.info.get("icc_profile"), picture.info.get("transparency")
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        picture, clear = _grey(picture, clear, background == "white"), None
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
    laid = Image.new("RGB", colour.size, background)
    return Image.composite(colour, laid, alpha) if alpha else colour


def _grey(picture: Image.Image, clear: float | None, white: bool) -> Image.Image:
    """Scale a picture of 16 or 32 bits to 8; white or black where it has the value `clear`."""
    grey = np.asarray(picture, np.float64)
    peak = grey.max(initial=0, where=np.isfinite(grey))
    tops = [1.0] * (picture.mode == "F") + [255.0, 65535.0]
    if picture.mode.startswith("I;16") or picture.format in ("PNG", "PPM"):
        tops = [65535.0]  # whatever the brightest pixel is
    top = next((top for top in tops if peak <= top), peak)
    grey = np.nan_to_num(grey) if clear is None else np.where(grey == clear, top * white, grey)
    return Image.fromarray(np.rint(np.clip(grey / top, 0, 1) * 255).astype(np.uint8))


def match_shape(image: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Cut the centre of `image`, (1, h, w, 3), to the aspect of `like`; resize it to its shape."""
    for name, given in (("image", image), ("like", like)):
        if what := _what_else(given):
            raise ImageError(f"{name} must be float, (1, n_H, n_W, 3), not {what}; use load_image.")
    (h, w), (n_H, n_W) = image.shape[1:3], like.shape[1:3]
    scale = min(h / n_H, w / n_W)
    height, width = max(1, round(n_H * scale)), max(1, round(n_W * scale))
    image = tf.image.crop_to_bounding_box(image, (h - height) // 2, (w - width) // 2, height, width)
    return tf.clip_by_value(tf.image.resize(image, (n_H, n_W), "lanczos3", antialias=True), 0, 1)


def _what_else(image: object, smallest: int = 1) -> str:
    """Empty for float, (1, n_H, n_W, 3), with sides of `smallest` or more; else what it is."""
    kind, shape = getattr(image, "dtype", type(image).__name__), tuple(getattr(image, "shape", ()))
    fits = len(shape) == 4 and shape[0] == 1 and shape[-1] == 3 and min(shape[1:3]) >= smallest
    with suppress(TypeError):  # no array, or no type that TensorFlow knows
        if fits and tf.as_dtype(kind).is_floating:
            return ""
    return f"{kind} {shape}"


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
        raise ImageError(f"A picture is float in [0, 1], or uint8, not {_reason(error)}.") from None
    pixels = pixels[0] if pixels.ndim == 4 and len(pixels) == 1 else pixels
    if pixels.ndim != 3 or pixels.shape[-1] != 3 or 0 in pixels.shape:
        raise ImageError(f"Expected (1, n_H, n_W, 3) or (n_H, n_W, 3), not {np.shape(image)}.")
    if kind == "uint8":
        return pixels.copy()
    pixels = pixels.astype(np.float64)
    if not np.isfinite(pixels).all():
        raise ImageError("The picture holds NaN or infinity: the optimisation diverged.")
    if pixels.max() > 10:  # optimisers leave [0, 1] by a little, never by so much
        raise ImageError(f"Expected values in [0, 1], got {pixels.max():.0f}: divide by 255.")
    return np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)


def save_image(
    image: tf.Tensor | np.ndarray, path: PathLike, settings: str | None = None, alpha: object = None
) -> Path:
    """Write an image in [0, 1] to `path`, whole or not at all; the suffix sets the format.

    A PNG keeps `settings`, which say how it was made, and `alpha`, its opacity, (n_H, n_W) uint8.
    Raises ImageError for a wrong shape, NaN, an unknown suffix or a folder that cannot be written.
    """
    path, pixels = check_output(path), to_pixels(image)
    options: dict = {"quality": 95} if path.suffix.lower() in (".jpg", ".jpeg", ".webp") else {}
    if settings and path.suffix.lower() == ".png":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("Software", settings)
    pixels = pixels if alpha is None else np.dstack([pixels, alpha])
    return write_picture(Image.fromarray(pixels), path, **options)


def check_output(path: PathLike) -> Path:
    """Raise ImageError now, not after an hour's work, if no picture can be written to `path`."""
    with _writing(path):
        path = Path(os.fsdecode(path))
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind not in WRITTEN or kind not in Image.SAVE:
        raise ImageError(f"{_shown(path)}: unknown format {path.suffix!r}; use .png or .jpg.")
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            if stat.S_ISDIR(path.stat().st_mode):
                raise IsADirectoryError(21, "it is a folder")
        tempfile.TemporaryFile(dir=path.parent).close()
    return path


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Make an ImageError that names `path` of whatever goes wrong."""
    try:
        yield
    except Exception as error:  # Pillow's writers raise what they like, say on 70,000 px of JPEG
        other = "folder or name" if getattr(error, "errno", 0) else "name, or a format such as .png"
        fault = f"Cannot write {_shown(path)} ({_reason(error)})"
        raise ImageError(f"{fault}; choose another {other}.") from None


def write_picture(picture: Image.Image, path: Path, **options: object) -> Path:
    """Save with Pillow, whole or not at all. Raises ImageError."""
    with _writing(path):
        encoded = io.BytesIO()  # on a disk that fills, Pillow takes part of a file for a whole one
        picture.save(encoded, Image.registered_extensions()[path.suffix.lower()], **options)
        with whole_file(path) as temporary:
            temporary.write_bytes(encoded.getvalue())
    return path


# ---------------------------------------------------------------------------------- VGG-19

BLOCKS = (2, 64), (2, 128), (4, 256), (4, 512), (4, 512)  # (convolutions, filters): VGG 2015, E
VGG19_LAYERS = {  # name -> (channels in, channels out), in the order of the network
    f"block{i}_conv{j}": (filters if j > 1 else (3, 64, 128, 256, 512)[i - 1], filters)
    for i, (convolutions, filters) in enumerate(BLOCKS, 1)
    for j in range(1, convolutions + 1)
}
STYLE_LAYERS = [(f"block{i}_conv1", 0.2) for i in range(1, 6)]  # Gatys 2015, section "Methods"
CONTENT_LAYER = "block4_conv2"  # Gatys 2015; the original course took block5_conv4
RGB_MEAN = (123.68, 116.779, 103.939)  # of ImageNet, in 0..255; VGG-19 saw pictures minus this
BGR_MEAN = np.array(RGB_MEAN[::-1], np.float32)
INPUT = "float, (1, n_H, n_W, 3) with sides of 16 or more, as load_image gives it"
EMBEDDED = PRETRAINED / "vgg19_block1-2.npz"  # made by pretrained-model/train.py
EMBEDDED_SHA256 = "b8a891627165787f4f7315e66ab20d0bb9ace01d40a7ec02e6d90fccbb38e379"
Conv2D = keras.layers.Conv2D
Filters = tuple[np.ndarray, np.ndarray]  # kernel (3, 3, in, out), bias (out,)
Weights = dict[str, Filters]  # those of each layer, by its name


def layers_up_to(names: Sequence[str]) -> list[str]:
    """The layers of VGG-19 from the first to the deepest of `names`."""
    return list(VGG19_LAYERS)[: max(map(list(VGG19_LAYERS).index, names)) + 1]


def is_after_pooling(name: str) -> bool:
    """Whether a layer begins a block other than the first: the picture's sides are halved there."""
    return name.endswith("conv1") and name != "block1_conv1"


class WeightsError(RuntimeError):
    """VGG-19's weights cannot be had or are wrong; the message says which and what to do."""


def load_vgg19(
    layer_names: Sequence[str],
    weights: PathLike | Weights = "auto",
    images: Sequence[tf.Tensor] | None = None,
    seed: int = 0,
    convolution: type = Conv2D,
) -> keras.Model:
    """Load VGG-19, frozen, as a model from RGB in [0, 1] to the activations of `layer_names`.

    `weights` is "auto", "imagenet", "embedded", "kmeans", the path of an .h5, .mat or .npz file,
    what `find_weights` gave, or a dict as `read_weights` gives it. Layers that it lacks are fitted
    by k-means to `images`, the content and the style picture, (1, n_H, n_W, 3). "auto" takes
    $NST_WEIGHTS; else a verified file in pretrained-model/ or in Keras' cache; else a download of
    80 MB; else the embedded blocks, trained here. `model.weights_source` says which it was.
    With `images` the network is calibrated on them, see `fit_kmeans_vgg19`; the *last* name is the
    content layer. Without, the weights stay as they are in the file. Raises WeightsError.
    `convolution` is the class of the convolutions: it may be one that gives the same sooner.
    """
    layer_names = list(layer_names)
    unknown = ", ".join(repr(name) for name in layer_names if name not in VGG19_LAYERS)
    if unknown or not layer_names:
        known = ", ".join(VGG19_LAYERS)
        raise WeightsError(f"Unknown layer {unknown or '(none given)'}; VGG-19 has {known}.")
    names = layers_up_to(layer_names)
    images = None if images is None else [check_picture(image) for image in images]
    fitted, source = find_weights(weights, images)
    missing = [name for name in names if name not in fitted]
    pooling = "max" if fitted else "avg"  # average pooling suits k-means filters: larger strokes
    if images:
        source += f"; {missing[0]} and above by k-means" if missing and fitted else ""
        # the Gram matrix of a content layer that is a style layer, too, keeps its size
        content = layer_names[-1] if layer_names[-1] not in layer_names[:-1] else None
        fit = _cached_fit if missing else fit_kmeans_vgg19  # that is the calibration alone
        fitted = fit(images, fitted, seed, names[-1], pooling, content)
    print(f"VGG-19: {source}.")
    model = build_vgg19(fitted, layer_names, pooling, convolution)
    model.weights_source = source
    return model


def build_vgg19(
    weights: Weights, layer_names: Sequence[str], pooling: str = "max", convolution: type = Conv2D
) -> keras.Model:
    """Build VGG-19 up to the deepest of `layer_names`, with its preprocessing inside.

    The layers carry Keras' own names, so that `model.get_layer("block1_conv1")` works.
    """
    image = keras.Input((None, None, 3), name="image", dtype="float32")  # RGB in [0, 1]
    x = image[..., ::-1] * 255.0 - BGR_MEAN  # what VGG-19 was trained on
    # keras.json, and a policy of the user's, would otherwise decide; float16 overflows
    fixed = {"data_format": "channels_last", "dtype": "float32"}
    pool = keras.layers.MaxPooling2D if pooling == "max" else keras.layers.AveragePooling2D
    outputs: dict[str, keras.KerasTensor] = {}
    for name in layers_up_to(layer_names):
        if is_after_pooling(name):
            x = pool(2, name=f"block{int(name[5]) - 1}_pool", **fixed)(x)
        filters = VGG19_LAYERS[name][1]
        x = convolution(filters, 3, 1, "same", activation="relu", name=name, **fixed)(x)
        outputs[name] = x
    model = keras.Model(image, [outputs[name] for name in layer_names], name="vgg19")
    for name in outputs:
        if name not in weights:
            remedy = "take those of the whole network, or call load_vgg19(..., images=[C, S])"
            raise WeightsError(f"The weights have no {name}; {remedy}: it is fitted to them then.")
        model.get_layer(name).set_weights(weights[name])
    model.trainable = False  # the network is frozen: only the pixels of G change
    return model


def check_picture(image: tf.Tensor) -> tf.Tensor:
    """Give a picture as float32; raise WeightsError for what is none, or is not in [0, 1]."""
    if found := _what_else(image, 16):
        raise WeightsError(f"A picture for VGG-19 is {INPUT}, not {found}; enlarge a smaller one.")
    image = tf.cast(tf.convert_to_tensor(image), tf.float32)
    low, high = float(tf.reduce_min(image)), float(tf.reduce_max(image))
    if not (tf.reduce_all(tf.math.is_finite(image)) and low > -0.01 and high < 1.01):
        found = f"NaN, infinity or {low:.3g} to {high:.3g}; use load_image, or divide by 255"
        raise WeightsError(f"A picture for VGG-19 has values from 0 to 1, not {found}.")
    return image


# Where weights come from, in the order in which they are tried
KERAS_URL = "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
KNOWN_FILES = {  # MD5 -> name, of the released files; Keras 3 keras/src/applications/vgg19.py
    "253f8cb515780f3b799900260a226db6": "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "cbe5617147190e668d6c5d5026f83318": "vgg19_weights_tf_dim_ordering_tf_kernels.h5",
    "106118b7cf60435e6d8e04f6a6dc3657": "imagenet-vgg-verydeep-19.mat",
    "8ee3263992981a1d26e73b3ca028a123": "imagenet-vgg-verydeep-19.mat",
}
IN_VAIN: list[tuple[float, str]] = []  # when and why a download failed: some take long for that


def find_weights(weights: PathLike | Weights, images: Sequence | None) -> tuple[Weights, str]:
    """Give (weights, where they are from), as `load_vgg19` takes them, too; {} is for k-means."""
    if isinstance(weights, tuple):  # found before
        return weights
    if isinstance(weights, dict):
        try:
            _check_structure(weights, whole=not images)
        except (ValueError, TypeError, AttributeError) as error:
            raise WeightsError(f"The given weights are not VGG-19's: {error}.") from None
        return weights, "given weights"
    asked = (weights == "auto" and os.environ.get("NST_WEIGHTS", "").strip()) or str(weights)
    if asked in ("embedded", "kmeans"):
        return _offline(asked == "embedded", "as asked", images)
    if asked not in ("auto", "imagenet"):
        known = Path(asked).name in KNOWN_FILES.values()
        return read_weights(asked), Path(asked).name + ("" if known else " (its hash is not known)")
    found, why = _find_imagenet(patient=asked == "imagenet")
    if found:
        return read_weights(found), f"ImageNet ({' '.join([found.name, *why])})"
    if asked == "imagenet":
        raise WeightsError(f"{' '.join(why)} Or use 'embedded'. See {PRETRAINED / 'README.md'}.")
    return _offline(True, " ".join(why), images)


def _offline(embedded: bool, why: str, images: Sequence | None) -> tuple[Weights, str]:
    """The blocks that travel with the course, or k-means: if asked for, or if their file is bad."""
    if embedded:
        try:
            if pooch.file_hash(str(EMBEDDED), "sha256") == EMBEDDED_SHA256:
                return _read_npz(EMBEDDED), f"embedded filters, trained for this course ({why})"
            fault = "is damaged or was replaced (wrong SHA-256)"
        except OSError as error:
            fault = f"cannot be read ({error.strerror})"
        why += f"; {EMBEDDED} {fault}: get it again, see {PRETRAINED / 'README.md'}"
    if not images:
        raise WeightsError(f"k-means filters ({why}) need pictures: give images=[C, S], too.")
    return {}, f"k-means filters fitted to the pictures ({why})"


def _find_imagenet(patient: bool) -> tuple[Path | None, list[str]]:
    """Find the released weights on the disk, or download them; say what was wrong on the way."""
    found, bad = search_disk()
    if not found and (patient or not IN_VAIN or time.monotonic() - IN_VAIN[0][0] > 600):
        try:
            found = download_weights()
            bad.pop(found, None)  # that one was replaced
        except WeightsError as error:
            IN_VAIN[:] = [(time.monotonic(), str(error))]
    return found, [*bad.values()] if found else [*bad.values(), IN_VAIN[0][1]]


def search_disk() -> tuple[Path | None, dict[Path, str]]:
    """Look for the released files in pretrained-model/ and Keras' cache; name the bad ones."""
    folders, bad = [PRETRAINED], {}
    with suppress(RuntimeError):  # a user without a home folder
        folders.append(Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models")
    for path in (folder / name for folder in folders for name in KNOWN_FILES.values()):
        try:
            if path.is_file():
                if _released_as(path) == path.name:
                    return path, bad
                bad[path] = f"{path} is damaged (wrong MD5), delete it."
        except OSError as error:
            bad[path] = f"{path} cannot be read ({error.strerror})."
    return None, bad


def _released_as(path: Path) -> str | None:
    """The name under which a file of this content was released."""
    return KNOWN_FILES.get(pooch.file_hash(str(path), "md5"))


def download_weights(url: str = KERAS_URL, folder: Path = PRETRAINED, timeout: float = 15) -> Path:
    """Download the 80 MB of VGG-19 without its top, show progress, check the hash, then rename.

    The server may be silent for `timeout` seconds, and take 5 to connect. Raises WeightsError.
    """
    name = next(iter(KNOWN_FILES.values()))
    remedy = f"Download it by hand, from {url}{name}, to {folder}."
    try:
        _sweep(folder)
        bar = tqdm(total=80_134_624, desc="VGG-19", unit="B", unit_scale=True, file=sys.stdout)
        with bar, whole_file(folder / name) as temporary:
            patience = (min(5, timeout), timeout)  # to connect, to read
            pooch.HTTPDownloader(progressbar=bar, timeout=patience)(url + name, temporary, None)
            if _released_as(temporary) != name:
                raise WeightsError(f"What {url} sent is not VGG-19 (wrong MD5). {remedy}")
    except (OSError, ValueError) as error:  # requests' errors are OSErrors without a number
        with suppress(OSError):  # Windows does not rename over what another process reads: the same
            if _released_as(folder / name) == name:
                return folder / name
        if getattr(error, "errno", None):
            raise WeightsError(f"Cannot write to {folder} ({error.strerror}). {remedy}") from None
        raise WeightsError(f"No download from {url} ({type(error).__name__}). {remedy}") from None
    return folder / name


def _sweep(folder: Path) -> None:
    """Make the folder; remove files of killed processes, an hour old, which their dot hides."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in (*folder.glob(".kmeans-*.npz"), *folder.glob(".vgg19_weights*.h5")):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > 3600:
                left.unlink()


def read_weights(path: PathLike) -> Weights:
    """Read the convolutions of VGG-19 from Keras' .h5, MatConvNet's .mat or our .npz file.

    An .npz may hold the first blocks only. A file with a released name must have its MD5; of others
    names, shapes and values are checked, which shuffled filters or noise pass. Raises WeightsError.
    """
    path = Path(os.path.expanduser(path))  # noqa: PTH111, Path's own needs a home folder
    try:
        _opened(path, repr(str(path))).close()
    except ImageError as error:
        kinds = "an .h5, .mat or .npz file, 'auto', 'imagenet', 'embedded' or 'kmeans'"
        raise WeightsError(f"{error} Weights are {kinds}.") from None
    if path.suffix not in READERS:
        raise WeightsError(f"{path}: unknown suffix {path.suffix!r}; expected .h5, .mat or .npz.")
    known, own = path.name in KNOWN_FILES.values(), path.suffix == ".npz"
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise ValueError("it is empty")
        if known and _released_as(path) != path.name:
            raise ValueError("its MD5 is not that of the released file")
        weights = READERS[path.suffix](path)
        _check_structure(weights, whole=not own)
        for name, (kernel, _) in {} if known or own else weights.items():  # .npz has checksums
            run = kernel.ravel("K")  # as in the file: MATLAB's order is another
            if not run[: kernel.size // 64 * 64].reshape(-1, 64).any(1).all():
                raise ValueError(f"{name} has 64 zeros in a row, as if part was never written")
    except Exception as error:  # h5py, SciPy and zipfile raise what they like on damaged files
        reason = f"{error} is missing" if isinstance(error, KeyError) else _reason(error)
        remedy = f"Delete it and get it again; see {PRETRAINED / 'README.md'}."
        raise WeightsError(f"{path} holds no VGG-19 that can be used: {reason}. {remedy}") from None
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
    if missing := [name for name in names or VGG19_LAYERS if name not in weights]:
        vgg16 = " (as in a VGG-16)" if missing[0] == "block3_conv4" else ""
        raise ValueError(f"{missing[0]} is missing{vgg16}")
    for name in names:
        (kernel, bias), shape = weights[name], (3, 3, *VGG19_LAYERS[name])
        if kernel.shape != shape or bias.shape != shape[-1:]:
            raise ValueError(f"{name} has the shapes {kernel.shape} and {bias.shape}, not {shape}")
        finite = np.isfinite(kernel).all() and np.isfinite(bias).all()
        if not (finite and kernel.any((0, 1, 2)).all()):
            raise ValueError(f"{name} holds NaN, infinity or an empty filter")


def _read_h5(path: Path) -> Weights:
    """Find kernel and bias of each layer by name, whichever Keras version wrote the file."""
    weights: dict[str, dict[int, np.ndarray]] = {}
    known = list(VGG19_LAYERS)  # Keras 3.5 and later have the name in an attribute

    def collect(name: str, item: h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer"):  # same names there
            number = re.search(r"/conv2d_?(\d*)/", name)  # Keras 3.4 numbers the layers
            place = int(number[1] or 0) if number else 16  # a 17th layer has no place in VGG-19
            parts = [*name.split("/"), item.parent.attrs.get("name"), *known[place : place + 1]]
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
        return {n: (_floats(file[f"{n}/kernel"]), _floats(file[f"{n}/bias"])) for n in names}


READERS = {".h5": _read_h5, ".mat": _read_mat, ".npz": _read_npz}
# VGG-19 without a weight file: k-means filters, and the calibration of any filters
FIT_VERSION = 3  # part of the cache's name: raise it when a change below alters the result
PATCHES, ROUNDS = 4000, 5  # patches a layer, rounds of k-means
ACTIVE = 0.5  # each filter fires on half of the patches
RIDGE = 0.4  # of the whitening: 0.01 gives noise, 0.1 fine waves, 1 soft blots


def fit_kmeans_vgg19(
    images: Sequence[tf.Tensor],
    keep: Weights | None = None,
    seed: int = 0,
    until: str = "block5_conv4",
    pooling: str = "avg",
    content: str | None = None,
) -> Weights:
    """Fit VGG-19's filters up to `until` to `images`, (1, n_H, n_W, 3) in [0, 1] each.

    A layer's filters are the centroids of whitened 3x3 patches of the layer below (Coates 2012);
    layers in `keep` have their given filters instead. Each layer is then *calibrated*: kernel and
    bias are multiplied by s > 0, see `_calibration`, in the spirit of Gatys 2015 (mean activation
    1), and so are its activations; the next kernel is divided by s: that changes nothing but units.
    The same seed gives the same weights, rounded to half precision so that a cached fit equals a
    fresh one. With every layer in `keep` this function is the calibration alone, unrounded.
    """
    rng, keep, weights, before = np.random.default_rng(seed), keep or {}, {}, 1.0
    # Pictures are rounded to 8 bits; undoing that at random gives flat ones some structure.
    xs = [check_picture(image)[..., ::-1] * 255.0 - BGR_MEAN for image in images]
    xs = [x + rng.uniform(-0.5, 0.5, x.shape).astype("f4") for x in xs]
    missing = [name for name in layers_up_to([until]) if name not in keep]
    if missing:  # a calibration alone is quick
        print("Fitting filters:", *sorted({name[:6] for name in missing}), flush=True)
    for name in layers_up_to([until]):
        if is_after_pooling(name):
            xs = [tf.nn.pool(x, [2, 2], pooling.upper(), strides=[2, 2]) for x in xs]
        before = before if name in keep else 1.0  # what is fitted, is fitted to calibrated inputs
        kernel, bias = keep.get(name) or _fit_layer(xs, VGG19_LAYERS[name][1], rng)
        xs = [tf.nn.relu(tf.nn.conv2d(x, kernel / before, 1, "SAME") + bias) for x in xs]
        s = _calibration(name, xs, name == content)
        kernel, bias = kernel * (s / before), bias * s
        if name in missing:
            kernel, bias = (np.float32(np.float16(array)) for array in (kernel, bias))
        weights[name], xs, before = (kernel, bias), [x * s for x in xs], s
    return weights


def _calibration(name: str, activations: Sequence[tf.Tensor], content: bool) -> float:
    """Give s: the root mean square of Gram / (n_H n_W), the mean over pictures, becomes 1.

    The content layer has mean square 1 on the first: k-means' J_content would be 10 times larger.
    """
    flat = [tf.reshape(a, (-1, a.shape[-1])) for a in activations]  # (n_H*n_W, n_C)
    grams = (tf.matmul(a, a, transpose_a=True) / len(a) for a in flat)  # (n_C, n_C), if asked for
    mean = tf.reduce_mean
    sizes = [mean(flat[0] ** 2)] if content else [tf.sqrt(mean(gram**2)) for gram in grams]
    s = max(float(np.mean(sizes)), 1e-12) ** -0.5  # a size is of the activations' square
    if not 0 < s < float("inf"):
        raise WeightsError(f"The activations of {name} are too large to be right; use others.")
    return s


def _fit_layer(xs: Sequence[tf.Tensor], filters: int, rng: np.random.Generator) -> Filters:
    """Fit one layer to its inputs, (1, n_H, n_W, n_C); give kernel and bias."""
    patches = tf.concat([_patches(x, PATCHES // len(xs), rng) for x in xs], 0)  # (n, 9 n_C)
    mean = tf.reduce_mean(patches, 0, keepdims=True)
    whiten, points = _whitening(patches - mean, min(filters, *patches.shape), rng)
    centroids = _spherical_kmeans(tf.math.l2_normalize(points, axis=1), filters, rng)
    kernel = tf.matmul(whiten, centroids, transpose_b=True)  # (9 n_C, filters)
    responses = (tf.matmul(points, centroids, transpose_b=True) + mean @ kernel).numpy()
    bias = -np.quantile(responses[:: -(-len(responses) // 2000)], 1 - ACTIVE, axis=0).astype("f4")
    size = np.maximum(responses + bias, 0).mean(0) + 1e-6  # Gatys 2015: mean activation 1 a filter
    return (kernel.numpy() / size).reshape(3, 3, -1, filters), bias / size


def _patches(x: tf.Tensor, n: int, rng: np.random.Generator) -> tf.Tensor:
    """Draw n of the 3x3 patches of x, (1, n_H, n_W, n_C), or all if there are fewer: (n, 9 n_C)."""
    n_H, n_W, n_C = x.shape[1:]
    padded = tf.pad(x[0], ((1, 1), (1, 1), (0, 0)), "SYMMETRIC")
    row, column = np.divmod(rng.permutation(n_H * n_W)[:n], n_W)
    corners, width = row * (n_W + 2) + column, np.arange(3)
    places = corners[:, None, None] + width[:, None] * (n_W + 2) + width  # (n, 3, 3)
    return tf.reshape(tf.gather(tf.reshape(padded, (-1, n_C)), places), (len(row), -1))


def _whitening(x: tf.Tensor, rank: int, rng: np.random.Generator) -> tuple[tf.Tensor, tf.Tensor]:
    """Give W, (d, rank), and x W, whose columns are decorrelated; x is (n, d), centred.

    Where d > rank, x is projected on its main directions, found by one power iteration from random
    ones (Halko et al. 2011), on three rows for each. The products are TensorFlow's: NumPy's
    OpenBLAS becomes many times slower as soon as another program uses a core.
    """
    main = tf.eye(x.shape[1])
    if x.shape[1] > rank:
        few = x[:: -(-len(x) // (3 * rank))]  # from all pictures alike: the rows are shuffled
        guess = tf.constant(rng.standard_normal((x.shape[1], rank), np.float32))
        spread = tf.matmul(few, few @ guess, transpose_a=True)  # (d, rank)
        main = tf.matmul(spread, _inverse_root(spread, 1e-6), transpose_b=True)
    x = x @ main
    whiten = tf.transpose(_inverse_root(x, RIDGE))
    return main @ whiten, x @ whiten


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


def _cached_fit(images: Sequence, keep: Weights, seed: int, *options: str | None) -> Weights:
    """Fit what is not in `keep`, or take it from pretrained-model/ if it was fitted before."""
    key = _digest(str((FIT_VERSION, PATCHES, ROUNDS, ACTIVE, RIDGE, seed, *options)), keep, images)
    path = PRETRAINED / f"kmeans-{key[:16]}.npz"
    if os.access(path, os.F_OK):
        with suppress(Exception):  # zipfile and NumPy raise what they like on damaged files
            fitted = read_weights(path)
            with path.open("rb") as opened, np.load(opened) as file:
                if file["check"] == _digest(key, fitted):
                    return fitted
        print(f"{path} is damaged: the filters are fitted anew.")
    fitted = fit_kmeans_vgg19(images, keep, seed, *options)
    try:
        _sweep(PRETRAINED)
        _keep_fit(path, fitted, keep, _digest(key, fitted))
    except (OSError, ValueError) as error:  # ValueError: zipfile, when the disk fills
        print(f"The fit is not kept in {PRETRAINED} ({_reason(error)}); it will be made again.")
    return fitted


def _digest(key: str, weights: Weights, images: Sequence[tf.Tensor] = ()) -> str:
    """Give the SHA-256 of a fit: no other fit, and no part of one, passes for it."""
    digest = hashlib.sha256(key.encode())
    pictures = [(str(np.shape(image)), [image]) for image in images]
    for name, arrays in (*weights.items(), *pictures):
        digest.update(name.encode() + b"".join(np.asarray(array).tobytes() for array in arrays))
    return digest.hexdigest()


def _keep_fit(path: Path, fitted: Weights, keep: Weights, check: str) -> None:
    """Write a fit, whole or not at all, and keep the newest five. Raises OSError, ValueError."""
    parts = {"check": check}
    for name, (kernel, bias) in fitted.items():
        kind = np.float32 if name in keep else np.float16  # exact: a fit is rounded to it
        parts |= {f"{name}/kernel": kind(kernel), f"{name}/bias": kind(bias)}
    with whole_file(path) as temporary:
        np.savez(temporary, **parts)
    for old in sorted(PRETRAINED.glob("kmeans-*.npz"), key=os.path.getmtime)[:-5]:
        old.unlink(missing_ok=True)


# ---------------------------------------------------------------------------------- previews
# Each returns its figure, made without pyplot: a notebook shows it once, and nothing piles up.


def show_images(images: dict[str, tf.Tensor], columns: int = 3, width: float = 9.0) -> Figure:
    """Draw pictures, {title: (1, n_H, n_W, 3) in [0, 1]}, side by side; `width` is in inches."""
    aspect = np.mean([np.shape(image)[-3] / np.shape(image)[-2] for image in images.values()])
    figure, panels = _panels(list(images), columns, width, aspect)
    for panel, image in zip(panels, images.values(), strict=False):
        panel.imshow(to_pixels(image))
    return figure


def show_maps(maps: dict[str, np.ndarray], columns: int = 4, label: str = "") -> Figure:
    """Draw matrices, {title: (n_H, n_W)}, as heat maps that share one scale."""
    aspect = 0.85 * max(len(values) / len(values.T) for values in maps.values())
    figure, panels = _panels(list(maps), columns, 9, aspect)
    scale = {"vmin": min(map(np.min, maps.values())), "vmax": max(map(np.max, maps.values()))}
    for panel, values in zip(panels, maps.values(), strict=False):
        drawn = panel.imshow(values, cmap="viridis", **scale)
    figure.colorbar(drawn, ax=panels, shrink=0.8, label=label)
    return figure


def _panels(titles: list[str], columns: int, width: float, aspect: float) -> tuple[Figure, list]:
    """A figure, `width` inches wide, and its panels row by row, without axes."""
    rows, columns = -(-len(titles) // columns), min(columns, len(titles))
    height = min(rows * (width / columns * aspect + 0.35), 2 * width)
    figure = Figure(figsize=(width, height), layout="constrained")
    bare = {"frame_on": False, "xticks": [], "yticks": []}
    panels = figure.subplots(rows, columns, squeeze=False, subplot_kw=bare).ravel().tolist()
    for panel, title in zip(panels, titles, strict=False):
        panel.set_title(title, fontsize=12)
    return figure, panels


def draw_vgg19(style_layers: Sequence[str], content_layer: str) -> Figure:
    """Draw the 16 convolutions: as high as the picture is there, as wide as there are filters."""
    kinds = {  # of layers: colour, hatch, what the legend says
        "style": ("#f2b134", "//", "style layer"),
        "content": ("#4f9bd9", "..", "content layer"),
        "other": ("#e4e4e4", "", "not read"),
    }
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    axes, left, bars = figure.subplots(), 0.0, {}
    words = {"ha": "center", "va": "center", "fontsize": 9, "rotation": 90}
    words["bbox"] = {"color": "white", "alpha": 0.8, "pad": 1}
    for name, (_, filters) in VGG19_LAYERS.items():
        block = int(name[5])
        left += 0.5 * is_after_pooling(name)  # room for the pooling
        width, height = 0.45 + filters / 600, (6 - block) / 5
        kind = "style" if name in style_layers else "content" if name == content_layer else "other"
        colour, hatch, legend = kinds[kind]
        look = {"color": colour, "hatch": hatch, "edgecolor": "black", "align": "edge"}
        bars[legend] = axes.bar(left, height, width, bottom=-height / 2, **look)
        axes.text(left + width / 2, 0, name[-5:], **words)
        if name.endswith("conv1"):
            about = f"block{block}\n{filters} filters\nside" + f"/{2 ** (block - 1)}" * (block > 1)
            axes.text(left, 0.56, about, fontsize=9.5, va="bottom")
        left += width + 0.08
    axes.legend(bars.values(), bars, loc="lower right", fontsize=10)
    axes.set(xlim=(-0.1, left), ylim=(-0.55, 0.95), title="VGG-19: 16 convolutions in five blocks")
    axes.axis("off")
    return figure


def plot_costs(history: Sequence[Sequence[float]], title: str = "The costs fall") -> Figure:
    """Draw the curves of a `history` of (step, J, J_content, J_style)."""
    steps, *curves = np.array([row[:4] for row in history], np.float64).reshape(-1, 4).T
    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axes, looks = figure.subplots(), {"J": "-", "J_content": "--", "J_style": ":"}
    for curve, (name, line) in zip(curves, looks.items(), strict=True):
        shown = np.where(curve > 0, curve, np.nan)  # J_content is 0 before the first step from C
        axes.semilogy(steps, shown, line, linewidth=2, label=name)
    axes.set(xlabel="step", ylabel="cost (logarithmic)", title=title)
    axes.legend()
    axes.grid(alpha=0.3)
    return figure
