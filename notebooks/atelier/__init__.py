"""The atelier: a page with sliders that paints while one looks. `notebooks/atelier.ipynb` shows it.

  open_page()   the page, as a widget; what an earlier one in this kernel was painting stops

A room for each idea:
  easel      the picture that is painted step by step, and what may happen meanwhile
  progress   how much is done, and the seconds left
  pictures   what can be chosen, and files from outside: limited, checked, as thumbnails
  keeping    the painted picture as a file, or as a download
  tiles      thumbnails to click on
  page       the widgets, and who tells whom; its look is page.css, dropping a file is page.js

There is no thread: the painting is a task in the kernel's own loop. It makes one step of
`painter.paint`, lets the loop handle the page's messages, and makes the next. So a button is heard
after the step that is being made, and when the kernel ends, everything has ended. The page of a
visitor who has left is no longer heard, and the painting stops.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ipywidgets

__all__ = ["open_page"]


def open_page() -> ipywidgets.Widget:
    """Give the page. An earlier one of this kernel stops painting."""
    import_module("nst_utils")  # first: it chooses TensorFlow as the engine of Keras
    return import_module("atelier.page").open_page()
