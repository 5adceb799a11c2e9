"""Train block1 and block2 of VGG-19 on the pictures of this repository, without labels.

    python pretrained-model/train.py                            # the file of the course
    python pretrained-model/train.py --minutes 20 -o quick.npz

Why. Gatys 2015 measures style by Gram matrices of VGG-19's activations, and VGG-19 learned on
ImageNet. What of that does style need? Filters that together tell what a painter would see in a
small neighbourhood: what they are blind to, a painted picture may have otherwise than the painting,
and it will. That can be asked for without labels, and with a few pictures only.

What is asked. At every position a 1 x 1 convolution must read off the blocks' activations what
fixed, well-known filters see there (`targets.py`): oriented lines and edges in several octaves and
colours, their energies and the squares of both, contours, second-order responses, colours and
palettes. A dense question: a crop answers hundreds of times, so some thousand steps on a CPU are
enough. The fixed filters themselves could not be the network: they are too many, and no 3 x 3
convolutions.

Differs from knowledge distillation (Hinton et al. 2015) in that the teacher learned nothing.

Sources
  Gabor 1946; Daugman 1985          filters that are local in space and in frequency
  Adelson & Bergen 1985             energies
  Bruna & Mallat 2013               scattering transform: the second order
  Portilla & Simoncelli 2000        textures from correlations of such numbers
  Gatys, Ecker & Bethge 2015        Gram matrices
  Ioffe & Szegedy 2015              batch normalisation, folded in the end

The same seed gives the same weights on one machine. Where --minutes end it sooner, the learning
rate follows the clock, and they differ. Every 250 steps a checkpoint is kept; after Ctrl-C the same
command goes on from it.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
STEPS = 2400  # 28 minutes on two busy cores
CROP, MARGIN, COUNT = 64, 6, 10  # pixels that the network sees, that the targets see more; a batch
SAVE_EVERY = 250  # steps


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python pretrained-model/train.py", description=__doc__.split("\n\n")[0]
    )
    add = made.add_argument
    add("-o", "--output", type=Path, default=HERE / "vgg19_block1-2.npz", help="(%(default)s)")
    add("--images", type=Path, default=HERE.parent / "images", help="has content/ and styles/")
    add("--minutes", type=float, default=180.0, help="at most (%(default)s)")
    add("--steps", type=int, default=STEPS, help="at most (%(default)s)")
    add("--seed", type=int, default=0, help="(%(default)s)")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Train, with a progress bar, and write the weights; give the exit code."""
    options = parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.path[:0] = [str(HERE.parent), str(HERE)]
    import keras  # here, so that --help comes at once
    from blocks import Blocks
    from crops import Crops

    keras.utils.set_random_seed(options.seed)
    crops = Crops(options.images, options.seed, COUNT, CROP + 2 * MARGIN)
    blocks = Blocks(crops, MARGIN)
    checkpoint = options.output.with_name(f".{options.output.stem}-checkpoint.npz")
    try:
        train(blocks, crops, options, checkpoint)
    except KeyboardInterrupt:
        kept = f"the same command goes on from {checkpoint}" if checkpoint.exists() else "too early"
        print(f"Interrupted: {kept}.")
        return 130
    write(options.output, blocks, crops)
    checkpoint.unlink(missing_ok=True)
    return 0


def train(blocks, crops, options: argparse.Namespace, checkpoint: Path) -> None:
    """Take the steps, from the checkpoint on if there is one."""
    from tqdm import tqdm

    step, spent = resumed(blocks, checkpoint, options)
    start, left = time.monotonic() - spent, None
    bar = tqdm(total=options.steps, initial=step, desc="training", unit="step")
    with ThreadPoolExecutor(1) as ahead, bar:
        ready = ahead.submit(crops, step)
        while (done := progress(step, time.monotonic() - start, options)) < 1:
            x, ready = ready.result(), ahead.submit(crops, step + 1)
            now = blocks.step(x, done, step)
            left = now if left is None else 0.98 * left + 0.02 * now
            step += 1
            bar.update()
            bar.set_postfix_str("unexplained " + " ".join(f"{share:.3f}" for share in left))
            if step % SAVE_EVERY == 0:
                save(blocks, checkpoint, options, step, time.monotonic() - start)
        ready.cancel()


def progress(step: int, seconds: float, options: argparse.Namespace) -> float:
    """How much of the training is done, by steps or by the clock: 1 is all."""
    return max(step / max(options.steps, 1), seconds / 60 / max(options.minutes, 1e-9))


def save(blocks, checkpoint: Path, options: argparse.Namespace, step: int, seconds: float) -> None:
    """Keep what a later run needs to go on."""
    arrays = {f"state{k:03d}": array for k, array in enumerate(blocks.state())}
    write_npz(checkpoint, where=[step, seconds, options.seed], **arrays)


def resumed(blocks, checkpoint: Path, options: argparse.Namespace) -> tuple[int, float]:
    """Restore a checkpoint, if there is one; give the step and the seconds spent so far."""
    import numpy as np

    if not checkpoint.exists():
        return 0, 0.0
    try:
        with np.load(checkpoint) as file:
            step, spent, seed = file["where"]
            if seed != options.seed:
                raise ValueError(f"it was made with --seed {seed:.0f}")
            blocks.restore([file[name] for name in sorted(file.files) if name != "where"])
    except Exception as error:  # zipfile, NumPy and Keras raise what they like
        sys.exit(f"{checkpoint} is of no use ({error}): delete it, and the training starts anew.")
    print(f"Going on from step {step:.0f} ({checkpoint}).")
    return int(step), float(spent)


def write(path: Path, blocks, crops) -> None:
    """Write the weights in half precision, and say their SHA-256."""
    import hashlib

    import numpy as np

    x = np.concatenate([crops(-1 - k) for k in range(16)])[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    halves = {
        f"{name}/{part}": array.astype(np.float16)
        for name, arrays in blocks.folded(x).items()
        for part, array in zip(("kernel", "bias"), arrays, strict=True)
    }
    write_npz(path, **halves)
    print(f"{path}: SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


def write_npz(path: Path, **arrays: object) -> None:
    """Write an .npz under a temporary name, then rename it: whole or not at all."""
    import numpy as np

    temporary = path.with_name(f".{path.stem}-{os.getpid()}.npz")
    try:
        np.savez(temporary, **arrays)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
