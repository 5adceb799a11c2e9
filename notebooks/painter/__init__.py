"""The painter: a photo in the style of one or several other pictures.

  stylize(C, S, **options)   the finished Painting; the options are the fields of `Recipe`
  paint(C, S, **options)     the same as a generator: a Frame before every step

A room for each idea:
  recipe      the options of how to paint, their defaults, what they may be
  painting    coarse to fine: `stylize` and `paint`
  preparation what is given, checked and made ready
  starts      what it starts from
  descent     the steps at one scale: when they end, and Adam
  lbfgs       L-BFGS between the bounds of a pixel
  budget      how the seconds are shared out
  objective   J and its gradient
  network     VGG-19 forward and back
  winograd    a convolution with a quarter of the multiplications; for the course's notebook, too
  windows     how a large picture is cut
  masks       which style is used where
  colour      the photo's own colours
  palette     the painting's own colours, where it has few
  sizes       scales, mirrored edges, the size of the strokes
  resources   the memory and the time that it will take
  animation   its making as a moving picture
  files       from files to files, for the command line
  reading     the files that it names
  terminal    Ctrl-C and its like, and outputs that are closed
Only `recipe` and `terminal` do without TensorFlow; the others are imported when something of theirs
is asked for, so that `python notebooks/painter --help` comes at once.

To add an option of how to paint, say grain:
1. recipe: a field of `Recipe` with its default and what it means; what it may be, in CHOICES, or in
   LOWEST (whole numbers: LOWEST_WHOLE) and HIGHEST. That alone checks it, and names it when wrong.
2. __main__: a line in `parser`, where its help is; test_painter_command.py fails without it.
3. The room where it acts: most are given the recipe. If it takes memory or time, `resources` too.
4. Tests: a wrong value in test_recipe.py, what it does in the test of its room.
The keyword of `stylize`, and what the .png says of how it was made, come by themselves. An option
about files or size, as --max-side or --transparency, is no field: it goes through `parser`, `files`
and `reading`, and `files` takes it out of the options before it makes a Recipe of them. The atelier
has a few of the options, by name: `Wishes` in easel.py, and the sliders in page.py.

Sources, cited by their short names:
  Gatys 2015   Gatys, Ecker & Bethge, "A Neural Algorithm of Artistic Style", arXiv:1508.06576
  Gatys 2016   Gatys, Bethge, Hertzmann & Shechtman, "Preserving Color in Neural Artistic Style
               Transfer", arXiv:1606.05897
  Gatys 2017   Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer",
               arXiv:1611.07865
"""

from importlib import import_module

from painter.recipe import STARTS, PaintError, Recipe, suited_to

ROOMS = {
    "Frame": "painting",
    "Network": "network",
    "Objective": "objective",
    "Painting": "painting",
    "Winograd": "winograd",
    "memory_needed": "resources",
    "paint": "painting",
    "paint_files": "files",
    "paint_scales": "painting",
    "same_area": "sizes",
    "scale_sides": "sizes",
    "save_animation": "animation",
    "seconds_needed": "resources",
    "stylize": "painting",
}
__all__ = ["STARTS", "PaintError", "Recipe", "suited_to", *ROOMS]


def __getattr__(name: str) -> object:
    """Import what is asked for (PEP 562)."""
    if name not in ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_module("nst_utils")  # first: it chooses TensorFlow as the engine of Keras
    return getattr(import_module(f"painter.{ROOMS[name]}"), name)
