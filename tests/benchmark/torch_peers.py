"""What PyTorch's users would run: its own tutorial, Gatys' own layers, and a plain step.

Written from what these methods do, run by PyTorch alone, with our network's weights.
  PyTorch tutorial   "Neural Transfer Using PyTorch": conv_1 to conv_5, content conv_4, both before
                     their ReLU; 1e6 and 1; L-BFGS on the picture, which is clipped where it is
                     evaluated; pictures normalised as ImageNet's were for torchvision
  Gatys' layers      the notebook of L. Gatys' PytorchNeuralStyleTransfer: conv1_1 to conv5_1 with
                     1e3 / n^2, content conv4_2 with 1; L-BFGS; pictures as VGG's authors prepared
                     them. Which units his weight file has is not known to us; these are VGG's
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.processes import Filters, Kept, Looks

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # torchvision's, of RGB in [0, 1]
BGR_MEAN = (103.939, 116.779, 123.68)  # VGG's authors', in 0..255
UNIT = 58.0  # 255 * 0.226: a network for pictures of deviation 1 has activations smaller by this
NEAR = ["block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "block3_conv1"]
DEEP = [f"block{block}_conv1" for block in range(1, 6)]


def tutorial(kept: Kept, look: Looks, compiled: bool = False, steps: int = 300) -> None:
    """PyTorch's tutorial."""
    layers = convolutions(for_torchvision(kept.raw), NEAR[-1])
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    C, S = planes(kept.C), planes(kept.S)

    def found_in(x: Tensor) -> list[Tensor]:  # of the convolutions, before their ReLU
        return activations(layers, (x - mean) / deviation, NEAR, before_relu=True)

    look.begin()
    with torch.no_grad():
        grams = [gram(a) / a.numel() for a in found_in(S)]
        content = found_in(C)[3]

    def cost(x: Tensor) -> Tensor:
        found = found_in(x)
        pairs = zip(found, grams, strict=True)
        style = sum(functional.mse_loss(gram(a) / a.numel(), target) for a, target in pairs)
        return 1e6 * style + functional.mse_loss(found[3], content)

    descend(torch.compile(cost) if compiled else cost, C.clone(), look, steps, (0, 1))


def gatys(kept: Kept, look: Looks, compiled: bool = False, steps: int = 500) -> None:
    """Gatys' own layers and weights."""
    layers, mean = convolutions(kept.raw, DEEP[-1]), torch.tensor(BGR_MEAN)[:, None, None]
    C, S = (planes(image).flip(1) * 255 - mean for image in (kept.C, kept.S))
    names = [*DEEP, "block4_conv2"]
    look.begin()
    with torch.no_grad():
        found = activations(layers, S, DEEP)
        grams = [gram(a) / a[0, 0].numel() for a in found]
        content = activations(layers, C, names)[-1]

    def cost(x: Tensor) -> Tensor:
        *found, deep = activations(layers, x, names)
        loss = functional.mse_loss(deep, content)
        for a, target in zip(found, grams, strict=True):
            weight = 1e3 / a.shape[1] ** 2
            loss = loss + weight * functional.mse_loss(gram(a) / a[0, 0].numel(), target)
        return loss

    def shown(x: Tensor) -> Tensor:
        return ((x + mean) / 255).flip(1)

    descend(torch.compile(cost) if compiled else cost, C.clone(), look, steps, shown=shown)


def plain(kept: Kept, look: Looks, compiled: bool = False, channels_last: bool = False) -> None:
    """Forward to conv5_1, and back to the pixels; no costs, no optimiser. Until it is enough."""
    layers, x = convolutions(kept.raw, "block5_conv1"), planes(kept.C)
    if channels_last:
        x = x.contiguous(memory_format=torch.channels_last)
        for _, layer in layers:
            layer.to(memory_format=torch.channels_last)
    network = nn.Sequential(*(layer for _, layer in layers))
    network = torch.compile(network) if compiled else network
    x.requires_grad_(True)
    look.begin()
    while True:
        x.grad = None
        network(x).square().mean().backward()
        look(lambda: pixels(x))


def descend(
    cost: Callable[[Tensor], Tensor],
    x: Tensor,
    look: Looks,
    steps: int,
    bounds: tuple[float, float] | None = None,
    shown: Callable[[Tensor], Tensor] = lambda x: x,
) -> None:
    """torch.optim.LBFGS as it is by default, on the picture x; a step is an evaluation."""
    x.requires_grad_(True)
    optimizer, done = torch.optim.LBFGS([x]), 0

    def closure() -> Tensor:
        nonlocal done
        if bounds:
            with torch.no_grad():
                x.clamp_(*bounds)
        optimizer.zero_grad()
        loss = cost(x)
        loss.backward()
        done += 1
        look(lambda: pixels(shown(x)))
        return loss

    while done < steps:
        optimizer.step(closure)


def convolutions(weights: dict[str, Filters], last: str) -> list[tuple[str, nn.Module]]:
    """VGG-19's layers up to `last`, frozen: convolutions by their names, ReLUs and poolings."""
    layers, before = [], "block1"
    for name, (kernel, bias) in weights.items():
        if name[:6] != before:
            layers.append(("pool", nn.MaxPool2d(2)))
        before = name[:6]
        convolution = nn.Conv2d(*kernel.shape[2:], 3, padding=1).requires_grad_(False)
        convolution.weight.copy_(torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()))
        convolution.bias.copy_(torch.from_numpy(bias))
        layers += [(name, convolution), (f"{name} ReLU", nn.ReLU())]
        if name == last:
            return layers
    raise KeyError(f"The weights have no {last}.")


def for_torchvision(weights: dict[str, Filters]) -> dict[str, Filters]:
    """The same network for pictures as torchvision normalises them, in torchvision's units.

    Its activations are all 58 times smaller, as they are with weights that were trained on such
    pictures: the tutorial's 1e6 is a number for them.
    """
    found = {name: (kernel, bias / UNIT) for name, (kernel, bias) in weights.items()}
    kernel, bias = weights["block1_conv1"]
    kernel = kernel[:, :, ::-1]  # from BGR to RGB
    mean, deviation = 255 * np.array(MEAN), 255 * np.array(DEVIATION)
    offset = mean - np.array(BGR_MEAN[::-1])  # under 0.5 of 255
    bias = bias + np.einsum("hwio,i->o", kernel, offset)
    scaled = kernel * deviation[:, None] / UNIT
    return found | {"block1_conv1": (scaled.astype("f4"), (bias / UNIT).astype("f4"))}


def gram(a: Tensor) -> Tensor:
    """A A^T of (1, n_C, n_H, n_W)."""
    a = a.reshape(a.shape[1], -1)
    return a @ a.T


def activations(
    layers: list, x: Tensor, names: Sequence[str], before_relu: bool = False
) -> list[Tensor]:
    """Activations of `names`, in their order; the layers above the deepest one are not run."""
    found, wanted = {}, {name if before_relu else f"{name} ReLU" for name in names}
    for name, layer in layers:
        x = layer(x)
        if name in wanted:
            found[name.removesuffix(" ReLU")] = x
        if len(found) == len(wanted):
            break
    return [found[name] for name in names]


def planes(image: np.ndarray) -> Tensor:
    """(1, n_H, n_W, 3) as (1, 3, n_H, n_W)."""
    return torch.from_numpy(image.transpose(0, 3, 1, 2).copy())


def pixels(x: Tensor) -> np.ndarray:
    """(1, 3, n_H, n_W) as (n_H, n_W, 3)."""
    return x.detach()[0].permute(1, 2, 0).numpy()
