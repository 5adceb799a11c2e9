"""Keeping: the painted picture as a file beside the course, or as a download."""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from pathlib import Path

import tensorflow as tf
from PIL import Image

from atelier.easel import Wishes
from atelier.pictures import encoded
from nst_utils import ROOT, save_image, to_pixels

FOLDER = ROOT / "images" / "generated"


def for_visitors() -> bool:
    """Whether the page is shown by Voila: then its files belong to the visitor, not to us."""
    return "VOILA_PREHEAT" in os.environ  # in each of its kernels, whether "True" or "False"


def file_name(photo: str, painting: str) -> str:
    """A name that no other picture has; git ignores what begins with my_."""
    words = [re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")[:24] for word in (photo, painting)]
    when = time.strftime("%Y%m%d-%H%M%S")
    return "_".join(filter(None, ["my", *words, when, secrets.token_hex(4)])) + ".png"


def save(image: tf.Tensor, photo: str, painting: str, wishes: Wishes) -> Path:
    """Write the picture as PNG, whole or not at all, with its settings. Raises ImageError."""
    settings = {"photo": photo, "painting": painting, "smooth": wishes.smooth, **wishes.options()}
    return save_image(image, FOLDER / file_name(photo, painting), "atelier " + json.dumps(settings))


def png(image: tf.Tensor) -> bytes:
    """The picture as the bytes of a PNG, for a download."""
    return encoded(Image.fromarray(to_pixels(image)), "PNG")
