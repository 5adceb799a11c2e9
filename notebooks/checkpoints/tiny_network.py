"""A step of train_step in float64: a tiny network instead of VGG-19, its costs, the optimiser.

The network has five style outputs and one content output, each a convolution of the image. So the
right J, the gradient to the pixels and the pixels after a step can be computed here, without
TensorFlow. Sources: Gatys, Ecker & Bethge (2015), equations 1 to 7; Kingma & Ba, "Adam" (2015).
"""

from __future__ import annotations

import numpy as np

from .activations import channels_first
from .layer_style_cost import style_cost

STYLE_WEIGHT = 0.2  # of each of the five style layers, as in the notebook's STYLE_LAYERS
KERNELS = ((3, 1, 4), (1, 1, 5), (3, 2, 6), (2, 2, 3), (1, 2, 2), (2, 1, 7))  # size, stride, n_C


def features(case: dict, image: np.ndarray) -> list[np.ndarray]:
    """The six activations of the tiny network for an image (1, H, W, 3), in float64."""
    return [_feature(case, image, i) for i in range(6)]


def _feature(case: dict, image: np.ndarray, i: int) -> np.ndarray:
    """The activations (1, h, w, channels) of one layer: a convolution without padding."""
    kernel, stride = case[f"kernel_{i}"].astype("float64"), case[f"stride_{i}"]
    h, w = ((n - k) // stride + 1 for n, k in zip(image.shape[1:3], kernel.shape[:2], strict=True))
    total = case[f"bias_{i}"].astype("float64")
    for y, x in np.ndindex(*kernel.shape[:2]):
        rows, columns = slice(y, y + stride * h, stride), slice(x, x + stride * w, stride)
        total = total + image[:, rows, columns][:, :h, :w] @ kernel[y, x]
    return total


def pull_back(case: dict, shape: tuple, upstream: dict) -> np.ndarray:
    """The gradient to the image, from the gradients `upstream` to some of the six activations."""
    gradient = np.zeros(shape)
    for i, above in upstream.items():
        kernel, stride = case[f"kernel_{i}"].astype("float64"), case[f"stride_{i}"]
        h, w = above.shape[1:3]
        for y, x in np.ndindex(*kernel.shape[:2]):
            rows, columns = (
                slice(y, y + stride * (h - 1) + 1, stride),
                slice(x, x + stride * (w - 1) + 1, stride),
            )
            gradient[:, rows, columns] += above @ kernel[y, x].T
    return gradient


def _cost_of_content(case: dict, target: list, a_G: list, layer: int = 5) -> tuple[float, dict]:
    """J_content, or what stands in for it, and its gradient to the activations."""
    difference = a_G[layer] - target[layer]
    n = difference.size
    if "compute_content_cost" in case.get("stand_ins", ()):
        factor = case["stand_in_content"] / n
        return factor * (difference**4).sum(), {layer: 4 * factor * difference**3}
    return (difference**2).sum() / (4 * n), {layer: difference / (2 * n)}


def _cost_of_layer(case: dict, a_S: np.ndarray, a_G: np.ndarray) -> tuple[float, np.ndarray]:
    """The style cost of a layer, or what stands in for it, and its gradient to a_G."""
    if "compute_layer_style_cost" not in case.get("stand_ins", ()):
        return style_cost(a_S, a_G)
    difference = a_G.mean(axis=(0, 1, 2)) - a_S.mean(axis=(0, 1, 2))
    factor = case["stand_in_style"] / difference.size
    upstream = 2 * factor * difference * a_G.shape[3] / a_G.size
    return factor * (difference**2).sum(), np.broadcast_to(upstream, a_G.shape)


def terms_of(case: dict, image: np.ndarray) -> dict:
    """The costs, and their gradients, that a train_step may compute, right or wrong.

    "content" and "style" map what is compared with what to (cost, gradient to the image); "layers"
    is the list of these for each layer, the content layer last, before the weights.
    """
    C, S = (features(case, case[k].astype("float64")) for k in ("content_image", "style_image"))
    a_G, shape = features(case, image), image.shape
    nothing = (0.0, np.zeros(shape))

    def content(target: list, layer: int = 5) -> tuple[float, np.ndarray]:
        cost, upstream = _cost_of_content(case, target, a_G, layer)
        return cost, pull_back(case, shape, upstream)

    def layers(target: list) -> list[tuple[float, np.ndarray]]:
        costs = [_cost_of_layer(case, target[i], a_G[i]) for i in range(6)]
        return [(cost, pull_back(case, shape, {i: up})) for i, (cost, up) in enumerate(costs)]

    weights, layers_S = style_weights(case), layers(S)
    fixed = sum(w * _cost_of_layer(case, S[i], C[i])[0] for i, w in enumerate(weights))
    return {
        "content": {
            "C": content(C),
            "S": content(S),
            "first": content(C, 0),
            "fixed": (_cost_of_content(case, C, S)[0], nothing[1]),
            "none": nothing,
        },
        "style": {
            "S": weighted(layers_S, weights),
            "C": weighted(layers(C), weights),
            "fixed": (fixed, nothing[1]),
            "none": nothing,
        },
        "layers": layers_S,
    }


def style_weights(case: dict) -> list[float]:
    """The weights of the five style layers; the sixth, the content layer, has none."""
    return [*case.get("style_weights", [STYLE_WEIGHT] * 5), 0.0]


def weighted(layers: list, weights: list) -> tuple[float, np.ndarray]:
    """Cost and gradient of layers with these weights."""
    cost = sum(w * cost for w, (cost, _) in zip(weights, layers, strict=True))
    return cost, sum(w * gradient for w, (_, gradient) in zip(weights, layers, strict=True))


# --- Cases ---------------------------------------------------------------------------------------


def cases(rng: np.random.Generator) -> list[dict]:
    """SGD (shows the gradient itself), Adam with default weights, a small J, Adam in tf.function.

    J rises from the first case to the second: a step that is made only where J falls does not show
    otherwise. Where J is small, a small term that is added to it shows: that comes late, only
    where the others found nothing.
    """
    kinds = [("sgd", 1, 0), ("adam", 0, 0), ("adam", 1, 1), ("sgd", 0, 0)]
    sizes = [(7, 8), (9, 7), (8, 11), (7, 8)]  # two alike: a network takes its time to be built
    *drawn, small = [_case(rng, size, *kind) for size, kind in zip(sizes, kinds, strict=True)]
    return [*drawn[:2], small | {"late": 1}, drawn[2]]


def _case(rng: np.random.Generator, *kind) -> dict:
    """A tiny network and pictures on which the first step leaves [0, 1] both below and above."""
    for _ in range(100):
        case = _draw(rng, *kind)
        gradient = _first_gradient(case)
        size = abs(gradient).max()
        if case["optimizer"] == "sgd":
            case["learning_rate"] = float(np.float32(0.08 / size))
        moved = (case["image"] - step_of(case, gradient, {}))[abs(gradient) > 0.2 * size]
        if (moved < -0.008).sum() >= 3 and (moved > 1.008).sum() >= 3:
            break
    return case | _for_stand_ins(rng, case)


def _draw(rng: np.random.Generator, size: tuple, optimizer: str, explicit: int, graph: int) -> dict:
    """A tiny network on which content and style weigh alike at alpha = 10, beta = 40."""
    case = {"optimizer": optimizer, "explicit": explicit, "graph": graph}
    case |= {"alpha": 10.0, "beta": 40.0, "learning_rate": 0.03}
    for key in ("image", "content_image", "style_image"):
        pixels = rng.uniform(-1, 2, size=(1, *size, 3))  # many near 0 and 1, where clipping shows
        if key == "style_image":
            pixels = pixels + np.array([-1.2, 0.1, 1.2])  # so some colours must fall, some rise
        case[key] = pixels.clip(0.004, 0.996).astype("float32")
    # With SGD it shows whether the gradient is clipped. Large with Adam's own weights, as the
    # activations of VGG-19 itself are: float16 cannot hold it.
    levels = {("sgd", 1): 50, ("adam", 0): 1e6, ("adam", 1): 1, ("sgd", 0): 0.01}
    level = levels[optimizer, explicit]
    shares = rng.permutation([0.4, 0.7, 1.0, 1.3, 1.6])  # of the layers, so that each is another
    for i, kind in enumerate(KERNELS):
        _draw_layer(rng, case, i, kind)
        goal = level * (0.25 * shares[i] if i < 5 else rng.uniform(0.75, 1.3))
        C, S, G = _activations(case, i)
        # J grows with the 4th (style) and 2nd (content) power of the activations
        scale = (goal / ((C - G) ** 2).mean() * 4) ** 0.5
        if i < 5:
            scale = (goal / style_cost(S, G)[0]) ** 0.25
        for key in (f"kernel_{i}", f"bias_{i}"):
            case[key] = case[key] * np.float32(scale)
    if explicit:
        alpha, ratio = rng.uniform((3, 1.5), (7, 3))  # ratio 4: to forget either would look alike
        case["alpha"], case["beta"] = float(np.float32(alpha)), float(np.float32(alpha * ratio))
    return case


def _draw_layer(rng: np.random.Generator, case: dict, i: int, kind: tuple) -> None:
    """A layer with activations >= 0, as after a ReLU, whose Gram matrices of S and G differ much.

    Its kernel is positive and the pictures are, too: there is no kink where rounding could decide.
    """
    side, stride, channels = kind
    case[f"stride_{i}"] = stride
    for _ in range(100):
        kernel = rng.gamma(0.3, size=(side, side, 3, channels))
        case[f"kernel_{i}"] = kernel.astype("float32")
        case[f"bias_{i}"] = rng.uniform(0, 0.1, size=channels).astype("float32")
        S, G = (channels_first(a) for a in _activations(case, i)[1:])
        if np.linalg.norm(S @ S.T - G @ G.T) > 0.4 * np.linalg.norm(G @ G.T):
            break


def _activations(case: dict, i: int) -> list[np.ndarray]:
    """The activations of C, S and G in a layer."""
    pictures = [case[key] for key in ("content_image", "style_image", "image")]
    return list(_feature(case, np.stack(pictures, dtype="float64")[:, 0], i)[:, None])


def _first_gradient(case: dict) -> np.ndarray:
    """The right gradient to the image before the first step, and nothing else."""
    layers = [_activations(case, i) for i in range(6)]
    upstream = {
        i: case["beta"] * weight * style_cost(layers[i][1], layers[i][2])[1]
        for i, weight in enumerate(style_weights(case)[:5])
    }
    C, _, G = layers[5]
    upstream[5] = case["alpha"] * (G - C) / (2 * G.size)
    return pull_back(case, case["image"].shape, upstream)


def _for_stand_ins(rng: np.random.Generator, case: dict) -> dict:
    """What the observer needs for stand-ins, and to ask the student's cost functions alone.

    The stand-ins' costs are made as large as the right ones.
    """
    C, S, G = zip(*(_activations(case, i) for i in range(6)), strict=True)
    content, right = (
        _cost_of_content(case | {"stand_in_content": 1.0, "stand_ins": names}, C, G)[0]
        for names in (("compute_content_cost",), ())
    )
    style, right_style = (
        sum(
            _cost_of_layer(case | {"stand_in_style": 1.0, "stand_ins": names}, S[i], G[i])[0]
            for i in range(5)
        )
        for names in (("compute_layer_style_cost",), ())
    )
    costs = rng.uniform((0.5, 5), (4, 9))
    return {
        "stand_in_content": float(right / content),
        "stand_in_style": float(right_style / style),
        "own_J_content": float(np.float32(costs[0])),
        "own_J_style": float(np.float32(costs[1])),
        "gram_input": rng.normal(size=(4, 7)).astype("float32"),
    }


# --- The right steps -----------------------------------------------------------------------------


def step_of(case: dict, gradient: np.ndarray, state: dict) -> np.ndarray:
    """What the optimiser subtracts: SGD, or Adam (Kingma & Ba 2015) with Keras' defaults."""
    if case["optimizer"] == "sgd":
        return case["learning_rate"] * gradient
    state["t"] = t = state.get("t", 0) + 1
    state["m"] = 0.9 * state.get("m", 0) + 0.1 * gradient
    state["v"] = 0.999 * state.get("v", 0) + 0.001 * gradient**2
    rate = case["learning_rate"] * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
    return rate * state["m"] / (state["v"] ** 0.5 + 1e-7)


def total_of(case: dict, content: tuple, style: tuple, weights: tuple | None = None) -> tuple:
    """J and its gradient from the two terms, each (cost, gradient)."""
    alpha, beta = weights or (case["alpha"], case["beta"])
    if "total_cost" in case.get("stand_ins", ()):
        alpha, beta = 3 * alpha, 2 * beta
    return tuple(alpha * c + beta * s for c, s in zip(content, style, strict=True))


def rollout(case: dict) -> list[dict]:
    """Two right steps: image before, J, gradient, pixels after."""
    image, state, steps = case["image"].astype("float64"), {}, []
    for _ in range(2):
        terms = terms_of(case, image)
        J, gradient = total_of(case, terms["content"]["C"], terms["style"]["S"])
        after = (image - step_of(case, gradient, state)).clip(0, 1)
        steps.append({"image": image, "terms": terms, "J": J, "gradient": gradient, "after": after})
        image = after
    return steps


def pixels_same(case: dict, got, expected: np.ndarray, *gradients: np.ndarray) -> bool:
    """Equal where rounding does not decide the gradient's sign (Adam divides by its size)."""
    if got is None or got.shape != expected.shape or not np.isfinite(got).all():
        return False
    off = abs(got - expected)
    if case["optimizer"] == "sgd":
        return bool(off.max() <= 4e-4)  # SGD moves the pixels by 0.08 at most
    right = off <= 0.08 * case["learning_rate"]
    for size in map(abs, gradients):
        right |= size < 0.1 * size.max()
    return bool(right.all())
