"""Do the tests find faults? Put one after the other into a copy of the code, and see.

    python tests/mutations.py [NAME ...] [--tree FOLDER]

A fault is one line changed: a sign, an order, a limit, a check left out; some in every room. The
tests that stand for the room are run on a copy, and must fail. It takes some twenty minutes. The
exit code is 1 if a fault was not found, and 2 if its line is no longer there.
"""

# ruff: noqa: E501
# (One line a fault.)

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "kmeans-*", "*.h5")


@dataclass(frozen=True)
class Fault:
    """`right` becomes `wrong` in `file`; `tests` must notice."""

    file: str
    right: str
    wrong: str
    tests: str

    @property
    def name(self) -> str:
        return f"{self.file}: {' '.join(self.wrong.split())[:60] or 'a line is gone'}"


# fmt: off
FAULTS = [
    # pictures, VGG-19
    Fault("nst_utils.py", "(0, 3, 1, 5, 4, 6, 2)", "(0, 3, 1, 5, 2, 6, 4)", "test_pictures.py test_picture_formats.py"),
    Fault("nst_utils.py", "np.rint(np.clip(pixels, 0, 1) * 255)", "(np.clip(pixels, 0, 1) * 255)", "test_pictures.py"),
    Fault("nst_utils.py", "x = image[..., ::-1] * 255.0 - BGR_MEAN", "x = image * 255.0 - BGR_MEAN", "test_vgg19.py"),
    Fault("nst_utils.py", "model.trainable = False", "model.trainable = True", "test_vgg19.py"),
    Fault("nst_utils.py", "1e-12) ** -0.5", "1e-12) ** -1", "test_vgg19.py"),
    Fault("nst_utils.py", "== EMBEDDED_SHA256", "!= ''", "test_embedded.py"),
    Fault("nst_utils.py", "kernel[:, :, ::-1], bias)", "kernel, bias)", "test_weight_files.py"),
    Fault("nst_utils.py", "if max_side and max(picture.size) > max_side:", "if max_side:", "test_pictures.py"),
    # the painter
    Fault("notebooks/painter/winograd.py", "[5, 1, 2, 4, 3, 0]", "[5, 1, 2, 3, 4, 0]", "painter/test_winograd.py"),
    Fault("notebooks/painter/objective.py", "sums[-1] / (4 * self.size_C)", "sums[-1] / (2 * self.size_C)", "painter/test_objective.py"),
    Fault("notebooks/painter/windows.py", "-(-reach // 16) * 16", "reach // 32 * 16", "painter/test_windows.py painter/test_objective.py"),
    Fault("notebooks/painter/masks.py", "low >= 0 and 0 < high <= 1", "0 < high <= 1", "painter/test_masks.py"),
    Fault("notebooks/painter/starts.py", "/ PATCH) ** 2", "/ PATCH)", "painter/test_starts.py"),
    Fault("notebooks/painter/colour.py", "grey(image) + photo - grey(photo)", "grey(image) + photo - grey(image)", "painter/test_colour.py"),
    Fault("notebooks/painter/sizes.py", ">= 32 for half", ">= 80 for half", "painter/test_sizes.py"),
    Fault("notebooks/painter/lbfgs.py", "(share - np.float32(", "(share + np.float32(", "painter/test_lbfgs.py"),
    Fault("notebooks/painter/lbfgs.py", "if J_there <= J - ENOUGH * gain:", "if True:", "painter/test_lbfgs.py"),
    Fault("notebooks/painter/painting.py", "change = best[1] - base", "change = best[1]", "painter/test_painting.py"),
    Fault("notebooks/painter/descent.py", "tf.clip_by_value(picture, 0, 1)", "picture", "painter/test_descent.py"),
    Fault("notebooks/painter/resources.py", "free = min(free, limit - used", "free = max(free, limit - used", "painter/test_resources.py"),
    Fault("notebooks/painter/animation.py", "len(pictures) - 1, 60)", "len(pictures) - 1, 90)", "painter/test_animation.py"),
    Fault("notebooks/painter/files.py", "return INTERRUPTED if interrupted else 0", "return 0", "painter/test_painter_command.py test_interrupts.py"),
    Fault("notebooks/painter/budget.py", "left / 4 if self.ratio and not self.is_stuck() else left", "left / 4 if self.ratio else left", "painter/test_budget.py"),
    Fault("notebooks/painter/palette.py", "gradient = tf.where(where, tf.tensordot(gradient, A, 1), gradient)", "pass", "painter/test_palette.py"),
    Fault("notebooks/painter/preparation.py", "styles, recipe = _used(styles, recipe)", "pass", "painter/test_preparation.py"),
    Fault("notebooks/painter/reading.py", 'load_image(path, max_side, background="black")\n    try', "load_image(path, max_side)\n    try", "painter/test_painter_reading.py"),
    Fault("notebooks/painter/terminal.py", "os.dup2(nowhere, self.stream.fileno())", "pass", "painter/test_terminal.py"),
    Fault("notebooks/painter/palette.py", "if np.linalg.norm(axes.sum(1)) / 3**0.5 < FLAT:", "if False:", "painter/test_palette.py"),
    Fault("notebooks/painter/preparation.py", "check_memory(C.shape, recipe)", "pass", "painter/test_resources.py painter/test_preparation.py"),
    Fault("notebooks/painter/preparation.py", '{} if "style_layers" in given else suited_to', "suited_to", "painter/test_preparation.py"),
    Fault("notebooks/painter/recipe.py", ' and "block3_conv1" not in weights', "", "painter/test_recipe.py"),
    # the checkpoints
    Fault("notebooks/checkpoints/verdict.py", "TOLERANCE = 2e-3", "TOLERANCE = 2e-1", "checkpoints/test_facts.py checkpoints/test_gram_matrix.py"),
    Fault("notebooks/checkpoints/verdict.py", "SLIP = 0.8", "SLIP = 1.0", "checkpoints"),
    Fault("notebooks/checkpoints/gram_matrix.py", "(w + w.T) @ A", "w @ A", "checkpoints/test_gram_matrix.py"),
    Fault("notebooks/checkpoints/tiny_network.py", "(image - step_of(case, gradient, state)).clip(0, 1)", "image - step_of(case, gradient, state)", "checkpoints/test_train_step.py checkpoints/test_tiny_network.py"),
    Fault("notebooks/checkpoints/content_cost.py", "lambda C, G: _difference(C, G).sum(),", "lambda C, G: _difference(C, G).mean(),", "checkpoints/test_content_cost.py"),
    Fault("notebooks/checkpoints/total_cost.py", 'case | {"alpha": own[0], "beta": own[1]}', "case", "checkpoints/test_total_cost.py"),
    Fault("notebooks/checkpoints/limits.py", "_memory(1) - memory > BYTES", "False", "checkpoints/test_observe.py"),
    Fault("notebooks/checkpoints/limits.py", "if not self.reason:", "if False:", "checkpoints/test_observe.py"),
    Fault("notebooks/checkpoints/rounds.py", "if not verdict.mistake:", "if True:", "checkpoints/test_observe.py"),
    # the classroom
    Fault("notebooks/classroom/release.py", "leaks.append(path.relative_to(folder).as_posix())", "pass", "classroom/test_release.py"),
    Fault("notebooks/classroom/student.py", "elif BEGIN in line or END in line:", "elif False:", "classroom/test_student.py"),
    Fault("notebooks/classroom/kernel_side/fence.py", "dict.fromkeys(REFUSED, lambda args: True)", "dict.fromkeys(REFUSED, lambda args: False)", "classroom/test_fence.py"),
    Fault("notebooks/classroom/watch.py", "self.worked > self.limits.seconds", "self.worked > 1e9", "classroom/test_watch.py"),
    Fault("notebooks/classroom/report.py", '"\'" + item if', "item if", "classroom/test_report.py classroom/test_a_class.py"),
    Fault("notebooks/classroom/archives.py", "size > limit or", "", "classroom/test_archives.py"),
    Fault("notebooks/classroom/choosing.py", "return about.solved, about.defined, *time(path)", "return about.solved, about.defined", "classroom/test_submissions.py"),
    Fault("notebooks/classroom/remarks.py", "if len({code for _, code in defined}) > 1:", "if len(defined) > 1:", "classroom/test_remarks.py"),
    Fault("notebooks/classroom/cluster.py", 'if result and result["status"] != "failed":', "if result:", "classroom/test_cluster.py"),
    Fault("notebooks/classroom/worker_side.py", 'if len(before) >= task["tries"]:', "if False:", "classroom/test_cluster.py"),
    Fault("notebooks/classroom/worker_side.py", "if hashlib.sha256(course).hexdigest() != digest:", "if False:", "classroom/test_cluster.py"),
    # the page with sliders
    Fault("notebooks/atelier/easel.py", "or frame.J <= best.J:", "or True:", "atelier/test_easel.py"),
    Fault("notebooks/atelier/easel.py", "return not (silent and self.steps >= self.STEPS)", "return True", "atelier/test_easel.py"),
    Fault("notebooks/atelier/easel.py", "self.pair[1] is painting", "True", "atelier/test_easel.py"),
    # what runs notebooks, and checks the machine
    Fault("notebooks/run_notebook.py", "code = int(bool(fault))", "code = 0", "test_run_notebook.py"),
    Fault("notebooks/run_notebook.py", "if fault and options.out.resolve()", "if False and options.out.resolve()", "test_run_notebook.py"),
    Fault("notebooks/check_environment.py", "<= release(found) < release(high)", "<= release(found) <= release(high)", "test_check_environment.py"),
    Fault("notebooks/check_environment.py", "return int(missing > 0)", "return 0", "test_check_environment.py"),
    Fault("notebooks/check_environment.py", 'free = free if text == "max" else min(free, int(text))', "pass", "test_check_environment.py"),
    # the style pictures
    Fault("images/brushes.py", "return a * (1 - t) + b * t", "return a * t + b * (1 - t)", "test_images.py"),
]
# fmt: on


def noticed(fault: Fault, tree: Path) -> str | None:
    """The test that fails with the fault in a copy of `tree`, "" if none; None without its line."""
    with tempfile.TemporaryDirectory(prefix="nst-mutation-") as name:
        copy = Path(name) / "course"
        shutil.copytree(tree, copy, ignore=LEFT_OUT)
        path = copy / fault.file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if fault.right not in text:
            return None
        path.write_text(text.replace(fault.right, fault.wrong, 1), encoding="utf-8")
        tests = [f"tests/{test}" for test in fault.tests.split()]
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "--no-header", *tests]
        run = subprocess.run(command, cwd=copy, capture_output=True, env=dict(os.environ))
        said = run.stdout.decode(errors="replace")
        failed = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
        # 1: a test failed; 0: nothing noticed; 2 and more: no test ran
        return failed[1] if failed and run.returncode == 1 else ""


def main() -> int:
    """Try the faults, or those whose names hold one of the given words."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="parts of names (all)")
    parser.add_argument("--tree", type=Path, default=ROOT, help="the course to break (this one)")
    options = parser.parse_args()
    results = []
    for fault in FAULTS:
        if options.names and not any(part in fault.name for part in options.names):
            continue
        start, test = time.monotonic(), noticed(fault, options.tree)
        results.append(None if test is None else bool(test))
        says = {True: "found", False: "NOT FOUND", None: "NOT THERE"}[results[-1]]
        line = f"{says:10s}{time.monotonic() - start:5.0f} s  {fault.name}"
        print(f"{line}  <- {test}" if test else line, flush=True)
    print(f"{results.count(True)} of {len(results)} faults found")
    return 2 if None in results else int(False in results)


if __name__ == "__main__":
    sys.exit(main())
