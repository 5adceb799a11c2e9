"""A step of train_step in float64: a tiny network instead of VGG-19, its costs, the optimiser.

The network has five style outputs and one content output, each a convolution of the image. So the
right J, the gradient to the pixels and the pixels after a step can be computed here, without
TensorFlow. Sources: Gatys, Ecker & Bethge (2015), equations 1 to 7; Kingma & Ba, "Adam" (2015).
"""

from __future__ import annotations

import numpy as np

from .layer_style_cost import style_cost

STYLE_WEIGHT = 0.2  # of each of the five style layers, as in the notebook's STYLE_LAYERS
KERNELS = (
    (3, 1, 4),
    (1, 1, 5),
    (3, 2, 6),
    (2, 2, 3),
    (1, 2, 2),
    (2, 1, 7),
)  # size, stride, channels


def features(case: dict, image: np.ndarray) -> list[np.ndarray]:
    """The six activations of the tiny network for an image (1, H, W, 3), in float64."""
    outputs = []
    for i in range(6):
        kernel, stride = case[f"kernel_{i}"].astype("float64"), case[f"stride_{i}"]
        h, w = (
            (n - k) // stride + 1 for n, k in zip(image.shape[1:3], kernel.shape[:2], strict=True)
        )
        total = case[f"bias_{i}"].astype("float64")
        for y, x in np.ndindex(*kernel.shape[:2]):
            total = (
                total
                + image[:, y : y + stride * h : stride, x : x + stride * w : stride][:, :h, :w]
                @ kernel[y, x]
            )
        outputs.append(total)
    return outputs


def _pull_back(case: dict, shape: tuple, upstream: dict) -> np.ndarray:
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


def _content(case: dict, target: list, a_G: list, shape: tuple) -> tuple[float, np.ndarray]:
    """J_content and its gradient to the image."""
    difference = a_G[5] - target[5]
    cost = (difference**2).sum() / (4 * difference.size)
    return cost, _pull_back(case, shape, {5: difference / (2 * difference.size)})


def _style(case: dict, target: list, a_G: list, shape: tuple) -> tuple[float, np.ndarray]:
    """J_style of five layers and its gradient to the image."""
    layers = [style_cost(target[i], a_G[i]) for i in range(5)]
    weights = case.get("style_weights", [STYLE_WEIGHT] * 5)
    upstream = {i: weights[i] * layers[i][1] for i in range(5)}
    J_style = sum(weight * cost for weight, (cost, _) in zip(weights, layers, strict=True))
    return J_style, _pull_back(case, shape, upstream)


def terms_of(case: dict, image: np.ndarray) -> dict:
    """The costs, and their gradients, that a train_step may compute, right or wrong."""
    C, S = (features(case, case[k].astype("float64")) for k in ("content_image", "style_image"))
    a_G, shape, nothing = features(case, image), image.shape, (0.0, np.zeros(image.shape))
    return {
        "content": {
            "C": _content(case, C, a_G, shape),
            "S": _content(case, S, a_G, shape),
            "fixed": (_content(case, C, S, shape)[0], nothing[1]),
            "none": nothing,
        },
        "style": {
            "S": _style(case, S, a_G, shape),
            "C": _style(case, C, a_G, shape),
            "fixed": (_style(case, S, C, shape)[0], nothing[1]),
            "none": nothing,
        },
    }


def _case(rng, *kind) -> dict:
    """A tiny network and pictures on which the first step leaves [0, 1] both below and above."""
    for _ in range(100):
        case = _draw(rng, *kind)
        step = rollout(case)[0]
        gradient, sure = step["gradient"], abs(step["gradient"]) > 0.2 * abs(step["gradient"]).max()
        moved = (step["image"] - step_of(case, gradient, {}))[sure]
        if (moved < -0.008).sum() >= 3 and (moved > 1.008).sum() >= 3:
            break
    return case


def _draw(rng, size: tuple, optimizer: str, explicit: int, graph: int) -> dict:
    """A tiny network on which content and style weigh alike at alpha = 10, beta = 40."""
    case = {
        "optimizer": optimizer,
        "explicit": explicit,
        "graph": graph,
        "alpha": 10.0,
        "beta": 40.0,
    }
    for key in ("image", "content_image", "style_image"):
        pixels = rng.uniform(-1, 2, size=(1, *size, 3))  # many near 0 and 1, where clipping shows
        if key == "style_image":
            pixels = pixels + np.array([-0.8, 0.1, 0.8])  # so some colours must fall, some rise
        case[key] = pixels.clip(0.004, 0.996).astype("float32")
    for i, (side, stride, channels) in enumerate(KERNELS):
        case[f"kernel_{i}"] = rng.normal(size=(side, side, 3, channels)).astype("float32")
        case[f"bias_{i}"] = rng.normal(size=channels).astype("float32") * np.float32(0.2)
        case[f"stride_{i}"] = stride
    C, S, G = (
        features(case, case[k].astype("float64")) for k in ("content_image", "style_image", "image")
    )
    for i in range(6):  # J grows with the 4th (style) and 2nd (content) power of the activations
        scale = (style_cost(S[i], G[i])[0] / 0.25) ** -0.25
        if i == 5:
            scale = (((C[5] - G[5]) ** 2).mean() / 4) ** -0.5
        for key in (f"kernel_{i}", f"bias_{i}"):
            case[key] = case[key] * np.float32(scale)
    if explicit:
        alpha, ratio = rng.uniform((3, 1.5), (7, 3))  # ratio 4: to forget either would look alike
        case["alpha"], case["beta"] = float(np.float32(alpha)), float(np.float32(alpha * ratio))
    case["learning_rate"] = 0.03
    if optimizer == "sgd":
        case["learning_rate"] = 1.0
        gradient = rollout(case)[0]["gradient"]
        case["learning_rate"] = float(np.float32(0.08 / abs(gradient).max()))
    return case


def cases(rng: np.random.Generator) -> list[dict]:
    """Adam with default weights, SGD (shows the gradient itself), and Adam inside tf.function."""
    return [
        _case(rng, (9, 7), "adam", 0, 0),
        _case(rng, (7, 8), "sgd", 1, 0),
        _case(rng, (8, 11), "adam", 1, 1),
    ]


def step_of(case: dict, gradient: np.ndarray, state: dict) -> np.ndarray:
    """What the optimiser subtracts: SGD, or Adam (Kingma & Ba 2015) with Keras' defaults."""
    if case["optimizer"] == "sgd":
        return case["learning_rate"] * gradient
    state["t"] = t = state.get("t", 0) + 1
    state["m"] = 0.9 * state.get("m", 0) + 0.1 * gradient
    state["v"] = 0.999 * state.get("v", 0) + 0.001 * gradient**2
    rate = case["learning_rate"] * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
    return rate * state["m"] / (state["v"] ** 0.5 + 1e-7)


def rollout(case: dict) -> list[dict]:
    """Two right steps: image before, J, gradient, pixels after."""
    image, state, steps = case["image"].astype("float64"), {}, []
    for _ in range(2):
        terms = terms_of(case, image)
        (J_c, g_c), (J_s, g_s) = terms["content"]["C"], terms["style"]["S"]
        gradient = case["alpha"] * g_c + case["beta"] * g_s
        after = (image - step_of(case, gradient, state)).clip(0, 1)
        J = case["alpha"] * J_c + case["beta"] * J_s
        steps.append({"image": image, "terms": terms, "J": J, "gradient": gradient, "after": after})
        image = after
    return steps


def pixels_same(case: dict, got, expected: np.ndarray, *gradients: np.ndarray) -> bool:
    """Equal where rounding does not decide the gradient's sign (Adam divides by its size)."""
    if got is None or got.shape != expected.shape or not np.isfinite(got).all():
        return False
    sure = np.ones(expected.shape, dtype=bool)
    limit = 1.5e-3  # SGD moves the pixels by 0.08 at most
    if case["optimizer"] == "adam":
        limit = 0.08 * case["learning_rate"]
        for gradient in gradients:
            sure &= abs(gradient) >= 0.1 * abs(gradient).max()
    return bool((abs(got - expected)[sure] <= limit).all())
