"""Style pictures painted by code, so that the course can ship them without asking anybody.

    python images/paint_styles.py                    # repaint all of them into images/styles/
    python images/paint_styles.py night mosaic       # only these
    python images/paint_styles.py --list             # their names
    python images/paint_styles.py --out DIR --size 400

Every painter is a function `(size, seed) -> picture`: `size` is the longest side in pixels, the
picture a float array (H, W, 3) in [0, 1], three high to four wide. The same size and seed give the
same pixels. Each lays out a *scene* (a picture of plain colours) and a map of angles, and leaves
the rest to `brushes.py`.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from brushes import (
    Array,
    Canvas,
    Plate,
    Rng,
    Sheet,
    along,
    borders,
    grid,
    light,
    mix,
    noise,
    normals,
    palette,
    points,
    ramp,
    smoothstep,
    spline,
    tesserae,
    whirl,
)
from PIL import Image
from scipy import ndimage

STYLES: dict[str, Callable[..., Array]] = {}  # name -> painter


def style(painter: Callable[..., Array]) -> Callable[..., Array]:
    """Enter `painter` in STYLES under its own name."""
    STYLES[painter.__name__] = painter
    return painter


# ------------------------------------------------------------------ oil

# x, y, radius
STARS = points(
    ".80 .13 .050, .14 .10 .022, .33 .07 .017, .25 .36 .026, .60 .38 .020, .60 .07 .016,"
    ".93 .34 .022, .06 .30 .015, .44 .41 .012"
)


def night_sky(x: Array, y: Array, rng: Rng) -> tuple[Array, Array]:
    """Scene and angles of a sky that whirls round its stars."""
    wind = 1.0 + 0.25j * np.sin(9 * x + 7 * y) + 0.35 * np.exp(2j * noise(x.shape, 0.4, rng, 2))
    wind += whirl(x, y, 0.43, 0.20, 0.17, 3.2) + whirl(x, y, 0.62, 0.27, 0.11, -2.6)
    wind += sum(whirl(x, y, cx, cy, 4.2 * r, 4.5) for cx, cy, r in STARS)
    angle = np.angle(wind)
    swell = np.sin(26 * y + 5 * np.sin(5 * x) + 3 * angle)  # bands drawn out along the wind
    depth = 0.22 + 0.09 * noise(x.shape, 0.10, rng, 3) + 0.12 * swell + 2.8 * y**3
    scene = ramp(depth + 0.2, "071238 0f2a6e 1f4fa8 3f84c8 8cc3d8 d9e3b8")
    for cx, cy, r in STARS:
        d = np.hypot(x - cx, y - cy) / r
        halo = np.exp(-((d / 2.4) ** 2)) * (0.62 + 0.38 * np.cos(4.2 * d))
        scene = mix(scene, ramp(np.exp(-d), "8cc3c8 ffd447 ffec9e fffdf0"), 1.25 * halo)
    return scene, angle


@style
def night(size: int = 720, seed: int = 1) -> Array:
    """Oil: a whirling night sky over hills and fields."""
    rng = np.random.default_rng(seed)
    x, y = grid(size)
    u = size / 720
    scene, angle = night_sky(x, y, rng)
    far = 0.50 + 0.035 * np.sin(7 * x + 1) + 0.02 * np.sin(17 * x)
    near = 0.60 + 0.05 * np.sin(4 * x + 2.6) - 0.05 * x
    field = near + 0.055 + 0.02 * np.sin(6 * x)
    for edge, tones in (
        (far, "5b8fb5 2a4f96 152a66"),
        (near, "2f7f74 17504f 0b2a40"),
        (field, "123f4a 2f7d5e 8fae52 d9b34a 3b8a6a 14506a 0f2c58"),
    ):
        tone = ramp((y - edge) / 0.13 + 0.15 * noise(x.shape, 0.08, rng, 3), tones)
        scene = mix(scene, tone, smoothstep(-0.003, 0.003, y - edge))
        slope = np.arctan(np.gradient(edge, axis=1) * size)
        angle = np.where(y > edge, slope + 0.35 * np.sin(9 * x + 20 * (y - edge)), angle)
    canvas = Canvas(0.6 * scene + 0.1, rng)
    oils = "2a5fd0 6fb7e0 f2d974 0b1d52 58a08c"
    canvas.cover(scene, angle, 36 * u, 150 * u, 0.65, 0.09, oils)
    canvas.cover(scene, angle, 24 * u, 96 * u, 0.85, 0.15, oils, share=0.35)
    # Small strokes only where much happens.
    detail = ndimage.gaussian_gradient_magnitude(scene.sum(2), 3 * u)
    detail = np.clip(detail / np.quantile(detail, 0.95), 0.03, 1)
    canvas.cover(scene, angle, 12 * u, 36 * u, 0.85, 0.09, oils, share=0, where=detail)
    for cx in np.arange(0.04, 0.98, 0.05) + rng.normal(0, 0.014, 19):  # a village, lit
        cy = 0.592 + 0.05 * np.sin(4 * cx + 2.6) - 0.05 * cx + rng.normal(0, 0.007)
        lamp = palette("ffc93c ff9f1c fff1a8")[rng.integers(3)]
        for _ in range(3):
            dab = np.linspace([cx - 0.007, cy - 0.001], [cx + 0.007, cy + 0.001], 8)
            canvas.stroke((dab + rng.normal(0, 0.003, 2)) * size, 6 * u, lamp, 0.85 * lamp, 0.05)
    return canvas.finish()


def boat(canvas: Canvas, cx: float, cy: float, tall: float, sails: Array, size: int) -> None:
    """Two sails (2, 3) of slabs from boom to mast, a hull, and what the water makes of them."""
    rng = canvas.rng
    for k in (1, -1, 0.8, -0.8, 0.6, -0.6, 0.4, -0.4, 0.2, -0.2):
        foot = (cx + 0.44 * tall * k, cy - 0.02 * tall)
        top = (cx + 0.03 * tall * k, cy - tall * (1 - 0.30 * abs(k) - 0.12 * (k < 0)))
        tone = sails[int(k > 0)] * rng.uniform(0.75, 1.08) + rng.normal(0, 0.03, 3)
        canvas.stroke(
            np.linspace(foot, top, 12) * size, 0.13 * tall * size, tone, 0.75 * tone, 0.03
        )
    hull = [(cx - 0.38 * tall, cy), (cx, cy + 0.02 * tall), (cx + 0.42 * tall, cy - 0.01)]
    canvas.stroke(spline(hull, 12) * size, 0.09 * tall * size, *palette("1d1a39 6a2c70"), 0.03)
    for depth in np.linspace(0.08, 0.6, 7) * tall:
        t = np.linspace(-1, 1, 12)
        across = cx + tall * (rng.normal(0, 0.10) + t * rng.uniform(0.1, 0.25))
        path = np.stack([across, cy + depth + 0.004 * np.sin(3 * t + 90 * depth)], 1)
        tone = sails[rng.integers(2)] * rng.uniform(0.6, 0.9)
        canvas.stroke(path * size, max(0.05 * tall, 0.010) * size, tone, 0.6 * tone, 0.15)


@style
def knife(size: int = 720, seed: int = 5) -> Array:
    """Palette knife: sails at sunset, in broad slabs of paint."""
    rng = np.random.default_rng(seed)
    x, y = grid(size)
    u = size / 720
    sea = 0.40 + 0.006 * noise(x.shape, 0.2, rng, 2)
    sky = ramp(
        y / 0.40 + 0.13 * noise(x.shape, 0.25, rng, 3), "2b2d6e 7a3b8f d8486b f58a4b ffd166 fff0b3"
    )
    water = ramp(
        (y - 0.40) / 0.35 + 0.12 * noise(x.shape, 0.2, rng, 3),
        "f9c66a e0735a 8c3f7d 27528f 0f6f86 0b2545",
    )
    scene = mix(sky, water, smoothstep(-0.004, 0.004, y - sea))
    sun = np.hypot(x - 0.63, y - 0.33)
    scene = mix(scene, ramp(sun / 0.10, "fffbe0 ffe680 ffb347"), smoothstep(0.075, 0.05, sun))
    track = np.exp(-(((x - 0.63) / (0.03 + 0.25 * np.clip(y - 0.4, 0, 1))) ** 2)) * (y > sea)
    track *= smoothstep(-0.8, 0.8, noise(x.shape, 0.05, rng, 2))  # the sun on the waves
    scene = mix(scene, ramp(y / 0.75, "fff3b0 ffb54d f2643d"), track)
    breeze, ripple = noise(x.shape, 0.35, rng, 2), noise(x.shape, 0.2, rng, 2)
    angle = np.where(y > sea, 0.16 * ripple, 0.5 * breeze - 0.35)
    canvas = Canvas(0.5 * scene + 0.2, rng)
    oils = "ffe08a f25c54 1b998b 2d3a8c f7f3e3 6a2c70"
    canvas.cover(scene, angle, 46 * u, 120 * u, 0.55, 0.10, oils, dry=0.02)
    canvas.cover(scene, angle, 24 * u, 64 * u, 0.80, 0.13, oils, share=0.3, dry=0.05)
    canvas.cover(scene, angle, 13 * u, 40 * u, 1.0, 0.13, oils, share=0.4, where=0.16)
    boats = points(".45 .42 .11, .93 .43 .15, .30 .44 .19, .16 .47 .30, .82 .50 .34")
    cloth = "2a9d8f f7f3e3, e63946 ffb703, d62839 f4a261, 2a9d8f f7f3e3, f7f3e3 d62839"
    for at, pair in zip(boats, cloth.split(", "), strict=True):
        boat(canvas, *at, palette(pair), size)
    return canvas.finish(5)


# ------------------------------------------------------------------ stone and glass


def fish(x: Array, y: Array, cx: float, cy: float, s: float, way: int) -> list[tuple[Array, Array]]:
    """Fin, tail, body, eye: (where, colours), each over the one before; `s` is half the length."""
    fx, fy = way * (x - cx) / s, (y - cy) / s + 0.10 * np.sin(3 * (x - cx) / s)
    body = 0.36 * np.sqrt(np.clip(1 - fx**2, 0, 1)) * (1 - 0.35 * fx) > np.abs(fy)
    fin = np.abs(fy + 0.22) < 0.55 - 1.5 * np.abs(fx + 0.1)
    tail = (fx < -0.72) & (np.abs(fy) < -0.5 - 0.75 * fx) & (fx + 1.15 + 0.5 * np.abs(fy) > 0)
    scales = 0.5 + 0.5 * np.sin(22 * fx + 3 * np.cos(16 * fy))
    tone = ramp(0.35 + 0.9 * fy + 0.25 * scales, "7a1f2b c8312b ee6c2b f7b23b fbeec1")
    stripes = 0.5 + 0.5 * np.sin(30 * fy)
    eye = np.hypot(fx - 0.62, fy + 0.06)
    return [
        (fin, ramp(stripes, "f4a300 b3261e")),
        (tail, ramp(stripes, "f7c04a d1495b 7a1f2b")),
        (body, tone),
        (eye < 0.17, ramp(eye / 0.17, "101020 101020 fdf6e3 fdf6e3")),
    ]


@style
def mosaic(size: int = 720, seed: int = 2) -> Array:
    """Mosaic: fish under a golden sun; stone, glass and gold in mortar."""
    rng = np.random.default_rng(seed)
    x, y = grid(size)
    u = size / 720
    sun = np.hypot(x - 0.66, y - 0.17)
    rays = 0.165 + 0.03 * np.sin(14 * np.arctan2(y - 0.17, x - 0.66))
    sky = 1.2 * sun + 0.08 * noise(x.shape, 0.2, rng)
    scene = ramp(sky, "f6e3b0 efd9a7 b9d3c0 6fb0b8 3d7f9f 2c5f8a")
    layers = [
        (sun < rays, ramp(rng.random(x.shape), "e8a317 f2c14e c97b12")),
        (sun < 0.105, ramp(sun / 0.105, "fff2b8 f6c644 e2711d b3261e")),
    ]
    for k in range(7):  # waves, one row before the other
        bend = np.sin((15 - k) * x + 2.4 * k + 0.5 * np.sin(9 * x + k))
        depth = (y - 0.34 - 0.062 * k - (0.022 + 0.003 * k) * bend) / 0.075
        tone = ramp(depth + 0.08 * k, "f3f0df 9bd3cf 2fa4a9 1b6f9a 1c4587 12275e")
        layers.append((depth > 0, tone))
    layers += fish(x, y, 0.28, 0.50, 0.20, 1) + fish(x, y, 0.70, 0.60, 0.17, -1)
    layers += fish(x, y, 0.61, 0.44, 0.095, 1)
    region = np.zeros(x.shape, int)
    for number, (where, tone) in enumerate(layers, 1):
        scene, region = mix(scene, tone, where), np.where(where, number, region)
    edge, away = borders(region)
    angle = along(ndimage.gaussian_filter(away, 3 * u))
    piece, middles, joint = tesserae(angle, 14 * u, rng, edge)
    # Every piece is cut from one stone: one colour, one tilt; some of the gold glints.
    n = len(middles)
    stone = scene[middles[:, 0], middles[:, 1]] * rng.normal(1, 0.13, (n, 1))
    stone += rng.normal(0, 0.035, (n, 3))
    gold = (stone[:, 0] > 0.75) & (stone[:, 2] < 0.35)
    stone += (rng.random(n) * gold)[:, None] * [0.25, 0.20, 0.06]
    offset = np.stack(np.indices(x.shape), -1) - middles[piece]
    tilt = (rng.normal(0, 0.12, (n, 2))[piece] * offset).sum(-1)
    height = ndimage.gaussian_filter(0.5 * np.minimum(joint, 2 * u) + tilt, 0.6)
    veins = 1 + 0.05 * noise(x.shape, 0.012, rng, 2)[..., None]
    mortar = ramp(0.5 + 0.2 * noise(x.shape, 0.01, rng, 2), "4a4038 a09482")
    laid = smoothstep(0.3 * u, 1.1 * u, joint)
    return np.clip(mix(mortar, light(stone[piece] * veins, height, 0.5), laid), 0, 1)


def valley(x: Array, y: Array) -> tuple[Array, Array]:
    """Scene and regions of a river valley at sunrise."""
    sun, turn = np.hypot(x - 0.40, y - 0.27), np.arctan2(y - 0.27, x - 0.40)
    region = np.digitize(sun, [0.075, 0.12, 0.20, 0.30, 0.43, 0.60])
    rings = sun / 0.75 + 0.03 * np.sin(14 * turn + 3 * region)
    scene = ramp(rings, "fff3a8 ffd23f f7931e e4472b b0257a 5b2a9d 213fa8 1b2a78")
    hills = "7a4fc0 3d57c8 2b7fc9, 1f9aa8 1b6fb0 2450a0, 2fae66 16805f 0f5f6f, c6c92c 5fae2e 1d7f3f"
    for k, tones in enumerate(hills.split(", ")):
        bend = np.sin((6 + 2 * k) * x + 2 * k) + 0.6 * np.sin((13 + k) * x + 5 * k)
        ridge = 0.33 + 0.096 * k + (0.05 - 0.007 * k) * bend
        tone = ramp((y - ridge) / 0.16 + 0.1 * np.sin(9 * x), tones)
        scene, region = mix(scene, tone, y > ridge), np.where(y > ridge, 10 + k, region)
    middle = 0.46 + 0.26 * np.sin(13 * (y - 0.33)) * (y - 0.25)
    river = (np.abs(x - middle) < 0.012 + 0.26 * np.clip(y - 0.44, 0, 1) ** 1.1) & (y > 0.45)
    flood = (y - 0.45) / 0.3 + 0.2 * np.sin(40 * (x - middle))
    scene = mix(scene, ramp(flood, "ffe08a f79a3b 6fc6e8 2f86d8 1f3fa8"), river)
    return scene, np.where(river, 20, region)


@style
def glass(size: int = 720, seed: int = 4) -> Array:
    """Stained glass: a river valley at sunrise, in lead."""
    rng = np.random.default_rng(seed)
    x, y = grid(size)
    u = size / 720
    scene, region = valley(x, y)
    edge, away = borders(region)
    hills = ndimage.gaussian_filter(np.minimum(away, 90 * u), 5 * u)
    angle = along(hills + 0.03 * size * noise(x.shape, 0.4, rng, 1))
    piece, middles, _ = tesserae(angle, 34 * u, rng, edge, 1.7)
    # A pane is a piece cut again by the drawing, so that outlines stay whole; slivers are joined
    # to the next.
    pane = np.unique(piece * 100 + region, return_inverse=True)[1].reshape(x.shape)
    small = np.bincount(pane.ravel())[pane] < 150 * u * u
    nearest = ndimage.distance_transform_edt(small, return_distances=False, return_indices=True)
    pane = pane[tuple(nearest)]
    shift = rng.normal(0, 1, (pane.max() + 1, 4))[pane]
    own = scene[middles[:, 0], middles[:, 1]][piece]
    glow = (0.6 * scene + 0.4 * own) * (1 + 0.20 * shift[..., :1]) + 0.05 * shift[..., 1:]
    # Blown glass: streaks drawn out sideways, bubbles, dirt along the lead.
    warp = 0.02 * size * np.stack([noise(x.shape, 0.2, rng, 2), noise(x.shape, 0.2, rng, 2)])
    drawn = np.indices(x.shape) * np.array([1, 0.35])[:, None, None] + warp
    streaks = ndimage.map_coordinates(noise(x.shape, 0.05, rng), drawn, order=1, mode="reflect")
    bubbles = noise(x.shape, 0.02, rng, 3)
    glow = glow * (1.08 + 0.22 * streaks + 0.07 * bubbles)[..., None]
    away = ndimage.gaussian_filter(borders(pane)[1], 1.2 * u)
    lead = smoothstep(3.0 * u, 1.9 * u, away + 0.4 * u * noise(x.shape, 0.03, rng, 3))
    bloom = ndimage.gaussian_filter(glow * (1 - lead)[..., None], (9 * u, 9 * u, 0))
    dirt = 1 - 0.35 * smoothstep(14 * u, 2 * u, away)[..., None]
    panes = (glow * dirt).clip(0, 1) * 0.85 + 0.28 * bloom
    panes = light(panes, 0.56 * streaks + 0.32 * bubbles, 0.15)
    came = 1.3 * np.sqrt(np.clip(1 - (away / (3.2 * u)) ** 2, 0, 1)) + 0.12 * bubbles
    metal = light(ramp(0.4 + 0.2 * bubbles, "17181d 3c3d45"), came, 0.5) + 0.12 * bloom
    return np.clip(mix(panes, metal, lead), 0, 1)


# ------------------------------------------------------------------ woodblock

INKS = (palette("f3e8cf 0f2747 1f5a93 6fa9bf c9dcd2 d8402f e9b872") * 255).astype(int).tolist()
CREAM, NAVY, BLUE, PALE, MIST, RED, SAND = map(tuple, INKS)


def foam(rim: Array, big: float, rng: Rng) -> list[tuple[float, float, float]]:
    """Discs (x, y, radius) along a crest (n, 2): lobes, claws that reach out and curl, spray."""
    drops = []
    outward = -normals(rim)
    for p, o in zip(rim, outward, strict=True):
        for lobe in p + rng.normal(0, 0.010, (2, 2)) * big:
            drops.append((*lobe, rng.uniform(0.005, 0.014) * big))
        if rng.random() < 0.28:  # a claw
            heading, long = np.arctan2(o[1], o[0]) + rng.normal(0, 0.2), rng.integers(9, 27)
            curl = rng.uniform(0.5, 1.6) / long
            for step in range(long):
                p = p + 0.0042 * big * np.array([np.cos(heading), np.sin(heading)])
                heading += 2 * curl * step / long
                drops.append((*p, 0.0080 * big * (1 - step / long) ** 0.6 + 0.0016))
    for k in rng.integers(0, len(rim), 60):
        spray = rim[k] + (0.06 * rng.normal(0, 1, 2) + 0.05 * outward[k]) * big
        drops.append((*spray, rng.uniform(0.0015, 0.005)))
    return drops


def breaker(plate: Plate, back: Array, face: Array, big: float, bands: int, rng: Rng) -> None:
    """A wave between two curves (120, 2) that meet in its crest."""
    between = [back * (1 - t) + face * t for t in np.linspace(0, 1, bands + 1) ** 1.15]
    for k in range(bands):
        ink = (BLUE, NAVY, MIST, BLUE, PALE)[k % 5]
        plate.area(np.concatenate([between[k], between[k + 1][::-1]]), ink)
    for _ in range(bands * 9):  # the cuts follow the water upwards
        t, first, long = rng.random() ** 1.15, rng.integers(0, 90), rng.integers(14, 60)
        path = (back * (1 - t) + face * t)[first : first + long]
        plate.cut(path, rng.uniform(1.5, 6), (CREAM, NAVY, PALE, BLUE, CREAM)[rng.integers(5)])
    for edge in (back, face):
        plate.cut(edge, 5, NAVY)
    drops = foam(np.concatenate([back[60:], face[:70:-1]]), big, rng)
    for cx, cy, r in drops:
        plate.disc(cx, cy, r + 0.0028, NAVY)  # all the outlines first: only the outermost is seen
    for cx, cy, r in drops:
        plate.disc(cx, cy, r, CREAM)
    for k, drop in enumerate(drops[::2]):
        plate.arc(*drop, (PALE, BLUE, MIST)[k % 3])


BREAKERS = [  # back, face (x y, x y, ...), size of the foam, number of bands
    (
        "-.12 .66, .04 .50, .14 .32, .26 .17, .42 .11, .55 .16, .60 .27",
        ".80 .74, .58 .66, .42 .54, .36 .42, .40 .31, .49 .255, .60 .27",
        *(1.25, 19),
    ),
    (
        "1.12 .80, 1.05 .66, .97 .56, .88 .50, .79 .50, .735 .54",
        ".50 .80, .66 .74, .79 .70, .85 .64, .82 .57, .735 .54",
        *(0.8, 13),
    ),
    (
        "-.20 .80, -.05 .68, .05 .61, .15 .57, .25 .58, .31 .63",
        ".62 .84, .42 .79, .27 .76, .20 .70, .23 .64, .31 .63",
        *(0.8, 13),
    ),
]


@style
def wave(size: int = 720, seed: int = 6) -> Array:
    """Woodblock print: breakers before a red sun, seven inks on mulberry paper."""
    rng = np.random.default_rng(seed)
    x, y = grid(2 * size)
    dusk = y / 0.55 + 0.03 * noise(x.shape, 0.5, rng, 2)
    plate = Plate(ramp(dusk, "3f78a0 a9c6c0 f0e2bb f3c07f e8845a d8402f"))
    plate.disc(0.80, 0.20, 0.085, RED)
    for _ in range(420):  # clouds: cuts across the sky and the sun
        at = rng.uniform(-0.1, 1) + np.linspace(0, rng.uniform(0.05, 0.3), 30)
        cy = rng.uniform(0, 0.5)
        bend = 0.012 * np.sin(9 * at + 14 * cy) + 0.003 * np.sin(40 * at + 90 * cy)
        ink = (CREAM, SAND, PALE, MIST, CREAM, RED)[rng.integers(6)]
        plate.cut(np.stack([at, cy + bend], 1), rng.uniform(1.5, 6), ink)
    plate.area(points(".58 .55, .66 .45, .71 .40, .75 .44, .86 .55"), NAVY)
    plate.area(points(".665 .447, .71 .40, .745 .435, .725 .455, .71 .44, .69 .46"), CREAM)
    far = spline(points("-.1 .56, .3 .50, .55 .53, .8 .49, 1.1 .55"))
    for k in range(8):
        row = far + np.stack([0 * far[:, 0], 0.035 * k + 0.008 * np.sin(30 * far[:, 0] + 3 * k)], 1)
        plate.area([*row, (1.1, 0.8), (-0.1, 0.8)], (PALE, BLUE, MIST, BLUE)[k % 4])
    for back, face, big, bands in BREAKERS:
        breaker(plate, spline(points(back)), spline(points(face)), big, bands, rng)
    return plate.printed(palette("f3e8cf")[0], rng)


# ------------------------------------------------------------------ watercolour

# x, y, radius
POPPIES = points(
    ".20 .25 .13, .50 .17 .10, .76 .27 .145, .40 .42 .12, .62 .50 .10, .93 .12 .08,"
    ".08 .50 .08, .88 .52 .09, .05 .08 .06"
)
WASHES = [
    "9cc9e8 f6d98a c3b1e1 a5d8c0 f4b8a8 8fb8e0 b7dca0",
    "2f7d4f 6aa84f 1f6f78 9bb53c 274e73",
    "d7263d 2f7d4f 3b5fa0 f9a03f",
]
GROUND, LEAVES, SPATTER = (colours.split() for colours in WASHES)
REDS = ["d7263d f46036 c2185b", "ff7b00 e63946 f9a03f", "b5179e d7263d f15bb5"]


@style
def watercolour(size: int = 720, seed: int = 7) -> Array:
    """Watercolour: poppies, partly wet in wet, on rough paper."""
    rng = np.random.default_rng(seed)
    x, y = grid(size)
    sheet = Sheet(x.shape, rng)

    def blob(cx, cy, rx, ry, turn=0.0):
        """How far inside an ellipse, in widths."""
        z = ((x - cx) + 1j * (y - cy)) * np.exp(-1j * turn)
        return (1 - np.hypot(z.real / rx, z.imag / ry)) * min(rx, ry)

    for colour in GROUND * 2:
        cx, cy, rx, ry, turn = rng.uniform([0, 0, 0.15, 0.1, -1], [1, 0.75, 0.35, 0.2, 1])
        sheet.wash(blob(cx, cy, rx, ry, turn), colour, 0.6, wet=0.03)
    for colour in LEAVES * 7:
        cx, cy, rx, ry, load = rng.uniform(
            [-0.05, 0.56, 0.12, 0.008, 0.5], [1, 0.82, 0.26, 0.028, 1]
        )
        sheet.wash(blob(cx, cy, rx, ry, 1.57 + rng.normal(0, 0.35)), colour, load, rough=0.55)
    for cx, cy, r in POPPIES:
        stem = np.abs(x - cx - 0.15 * np.sin(4 * (y - cy) + 9 * cx) * (y - cy))
        sheet.wash(np.where(y > cy, 0.0045 - stem, -1.0), "2c6e49", 1.2, rough=0.3)
        reds, around = REDS[rng.integers(3)].split(), np.arctan2(y - cy, x - cx)
        for k, a in enumerate(np.arange(5) * 1.257 + rng.uniform(0, 6)):
            mx, my = cx + 0.5 * r * np.cos(a), cy + 0.42 * r * np.sin(a)
            petal = blob(mx, my, 0.62 * r, 0.52 * r, a + rng.normal(0, 0.3))
            petal += 0.05 * r * np.sin(9 * around + k)  # crumpled
            sheet.wash(petal, reds[k % 3], rng.uniform(0.55, 1.0))
        sheet.wash(blob(cx, cy, 0.30 * r, 0.25 * r), "6b1d4a", 0.6, wet=0.006)
        sheet.wash(blob(cx, cy, 0.15 * r, 0.13 * r), "1b1b3a", 1.6)
        for a, d in rng.uniform([0, 0.2 * r], [6.28, 0.36 * r], (26, 2)):  # stamens
            sx, sy = cx + d * np.cos(a), cy + 0.85 * d * np.sin(a)
            sheet.drop(blob(sx, sy, 0.0042, 0.0042), "2a2030", 0.7)
    for colour in SPATTER * 22:
        (cx, cy, load), r = rng.uniform([0, 0, 0.3], [1, 0.75, 1]), 0.001 + rng.exponential(0.0025)
        sheet.drop(blob(cx, cy, r, r), colour, load)
    return sheet.dry()


# ------------------------------------------------------------------ the command


def save(picture: Array, path: Path) -> None:
    """Write a picture whole or not at all."""
    part = path.with_name(path.name + ".part")
    image = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
    image.save(part, "JPEG", quality=90, optimize=True)
    part.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="Repaint the style pictures.")
    parser.add_argument("names", nargs="*", help="which ones; all by default")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "styles")
    parser.add_argument("--size", type=int, default=720, help="longest side in pixels")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    args = parser.parse_args()
    if unknown := set(args.names) - set(STYLES):
        parser.error(f"no such style: {', '.join(sorted(unknown))}; there are {', '.join(STYLES)}")
    if args.list:
        print("\n".join(STYLES))
        return
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.names or STYLES:
        save(STYLES[name](args.size), args.out / f"{name}.jpg")
        print(args.out / f"{name}.jpg")


if __name__ == "__main__":
    main()
