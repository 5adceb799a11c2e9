"""The vocabulary of `paint_styles.py`: colours, clouds, flow, and four techniques.

    ramp, mix, noise     colours along a palette, laid over each other; clouds at several scales
    whirl, along, trace  fields of angles, and paths that follow them
    Canvas               oil: strokes made of bristles, with colour *and* thickness of the paint
    tesserae             mosaic and stained glass: pieces laid along the flow
    Plate                woodblock: flat inks, tapering cuts, the grain of the wood
    Sheet                watercolour: washes with pigment edges on rough paper
    light                thickness seen under a lamp

Pictures are float arrays (H, W, 3) in [0, 1]; maps are (H, W). Positions count in picture widths,
x to the right and y downwards, unless "pixels" is said.

Sources: Hertzmann 1998 (painterly rendering with curved strokes), Hausner 2001 (simulated
decorative mosaics), Curtis et al. 1997 (computer-generated watercolour).
"""

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

Array = np.ndarray
Rng = np.random.Generator

# ------------------------------------------------------------------ colours, clouds, coordinates


def palette(colours: str) -> Array:
    """'0b1d4a f4d35e' -> (n, 3) in [0, 1]."""
    return np.array([list(bytes.fromhex(c)) for c in colours.split()]) / 255


def ramp(t: Array, colours: str) -> Array:
    """The colour at `t` (any shape; 0 is the first colour, 1 the last) -> (..., 3)."""
    p = palette(colours)
    return np.stack([np.interp(t, np.linspace(0, 1, len(p)), channel) for channel in p.T], -1)


def smoothstep(a: float, b: float, t: Array) -> Array:
    """0 at `a`, 1 at `b`, smooth between; `a` may be the larger one."""
    t = np.clip((t - a) / (b - a), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a: Array, b: Array, t: Array) -> Array:
    """`a` where the map `t` is 0, `b` (a picture or one colour) where it is 1."""
    t = np.clip(t, 0, 1)[..., None]
    return a * (1 - t) + b * t


def grid(size: int) -> tuple[Array, Array]:
    """Maps of x in [0, 1] and y in [0, 0.75]."""
    y, x = np.mgrid[: round(size * 0.75), :size] / size
    return x, y


def noise(shape: tuple[int, int], cell: float, rng: Rng, octaves: int = 4) -> Array:
    """Clouds, a map of mean 0 and deviation 1; the largest are about `cell` widths across."""
    h, w = shape
    total = np.zeros(shape)
    for k in range(octaves):
        step = max(cell * w / 2**k, 1.5)
        knots = rng.normal(size=(int(h / step) + 4, int(w / step) + 4))
        at = np.indices(shape) / step + 1 + rng.uniform(0, 1, (2, 1, 1))
        total += ndimage.map_coordinates(knots, at, mode="nearest") / 2**k
    return (total - total.mean()) / total.std()


def points(text: str) -> Array:
    """'.1 .2, .3 .4' -> (2, 2)."""
    return np.array([pair.split() for pair in text.split(",")], float)


def spline(corners: Array, n: int = 120) -> Array:
    """A smooth curve (n, 2) through the corners."""
    return CubicSpline(np.linspace(0, 1, len(corners)), corners)(np.linspace(0, 1, n))


def normals(path: Array) -> Array:
    """Unit vectors (n, 2) square to a path (n, 2)."""
    tangent = np.gradient(path, axis=0)
    return tangent[:, ::-1] * [-1, 1] / (np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-9)


def light(picture: Array, height: Array, gloss: float = 0.0) -> Array:
    """The picture with its thickness (a map, in pixels) seen under a lamp at the upper left."""
    gy, gx = np.gradient(height)
    normal = np.stack([-gx, -gy, np.ones_like(gx)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    lamp = np.array([-0.45, -0.6, 0.66])
    half = lamp + np.array([0, 0, 1])  # half-way between the lamp and the eye
    half /= np.linalg.norm(half)
    shade = (normal @ lamp / lamp[2])[..., None]  # 1 where the paint lies flat
    shine = (normal @ half).clip(0)[..., None] ** 24 - half[2] ** 24  # 0 where it lies flat
    return np.clip(picture * (0.25 + 0.75 * shade) + gloss * shine, 0, 1)


# ------------------------------------------------------------------ flow


def whirl(x: Array, y: Array, cx: float, cy: float, radius: float, turn: float) -> Array:
    """A vortex as a map of complex velocities: add several, then take the angle."""
    z = (x - cx) + 1j * (y - cy)
    return turn * 1j * z / (np.abs(z) + 1e-9) * np.exp(-((np.abs(z) / radius) ** 2))


def along(hills: Array) -> Array:
    """The angles of the contour lines of a map: strokes that run round the form."""
    gy, gx = np.gradient(hills)
    return np.arctan2(gx, -gy)


def scatter(shape: tuple[int, int], gap: float, rng: Rng) -> Array:
    """Points (n, 2) as (x, y) in pixels, about `gap` apart everywhere, in random order."""
    h, w = shape
    y, x = np.mgrid[-gap / 2 : h + gap : gap, -gap / 2 : w + gap : gap]
    points = np.stack([x.ravel(), y.ravel()], 1)
    return rng.permutation(points + rng.uniform(-0.5, 0.5, points.shape) * gap)


def trace(angle: Array, starts: Array, length: float, steps: int = 12) -> Array:
    """Follow a map of angles from `starts` (n, 2), both ways -> (n, steps + 1, 2), in pixels."""
    h, w = angle.shape
    ahead, back = [starts], [starts]
    for half, sign in ((ahead, 1), (back, -1)):
        for _ in range(steps // 2):
            j, i = half[-1].clip(0, [w - 1, h - 1]).astype(int).T
            step = np.stack([np.cos(angle[i, j]), np.sin(angle[i, j])], 1)
            half.append(half[-1] + sign * length / steps * step)
    return np.stack(back[:0:-1] + ahead, 1)


# ------------------------------------------------------------------ oil


class Canvas:
    """Wet paint at twice the size: red, green, blue and, in the fourth channel, its thickness."""

    def __init__(self, ground: Array, rng: Rng):
        self.h, self.w = ground.shape[:2]
        self.rng = rng
        paint = np.dstack([ground * 255, np.full((self.h, self.w), 60)])
        image = Image.fromarray(paint.clip(0, 255).astype(np.uint8), "RGBA")
        self.image = image.resize((2 * self.w, 2 * self.h))
        self.draw = ImageDraw.Draw(self.image)

    def stroke(self, path: Array, width: float, colour: Array, streak: Array, dry: float = 0.1):
        """One stroke along `path` (n, 2), in pixels, by bristles of `colour` and some of `streak`.

        The share `dry` of the bristles leaves no mark.
        """
        rng, n, long = self.rng, max(3, round(width * 0.9)), len(path)
        across = np.linspace(-1, 1, n) + rng.normal(0, 0.06, n)
        belly = np.sin(np.linspace(0.25, np.pi - 0.2, long)) ** 0.4  # set down, and lifted
        offset = normals(path) * (belly * width / 2)[:, None]
        lines = (2 * (path + across[:, None, None] * offset)).round(1)  # (n, long, 2)
        # Neighbouring bristles share their paint, so the load changes slowly across the brush.
        load = ndimage.gaussian_filter1d(rng.normal(size=n), 1.0, mode="nearest")
        part = 0.7 * np.clip(0.35 + 0.9 * load, 0, 1)[:, None]
        tint = colour * (1 - part) + streak * part + rng.normal(0, 0.025, (n, 1))
        # Paint is pushed aside: a ridge at either edge.
        height = 90 + 80 * np.abs(across) ** 4 + 30 * load + rng.normal(0, 9, n)
        fills = np.column_stack([tint * 255, height]).clip(0, 255).astype(int).tolist()
        first = rng.integers(0, 1 + long // 5, n)
        last = long - rng.integers(0, 1 + long // 3, n)
        for line, fill, a, b in zip(lines, fills, first, last, strict=True):
            if rng.random() > dry and b - a > 1:
                self.draw.line(line[a:b].ravel().tolist(), tuple(fill), 3)

    def cover(
        self,
        scene: Array,
        angle: Array,
        width: float,
        length: float,
        gap: float,
        lively: float,
        accents: str,
        share: float = 0.25,
        where: Array | float = 1.0,
        dry: float = 0.15,
    ):
        """Strokes all over in the colours of `scene`: `width`, `length` in pixels, `gap` in widths.

        `lively` says how far a stroke leaves the colour of the scene; the share `share` of them
        takes up an accent; `where` is the share of strokes kept, a map or a number.
        """
        rng, accents, limit = self.rng, palette(accents), [self.w - 1, self.h - 1]
        where = np.broadcast_to(where, angle.shape)
        for path in trace(angle, scatter(angle.shape, gap * width, rng), length):
            j, i = path[len(path) // 2].clip(0, limit).astype(int)
            if rng.random() > where[i, j]:
                continue
            warm = rng.normal(0, 0.6 * lively) * np.array([1.0, 0.2, -1.0])
            colour = scene[i, j] * (1 + rng.normal(0, 1.6 * lively)) + warm
            j, i = path[-1].clip(0, limit).astype(int)
            streak = scene[i, j] * (1 + rng.normal(0, 3 * lively))
            if rng.random() < share:
                streak = 0.4 * streak + 0.6 * accents[rng.integers(len(accents))]
            self.stroke(path, width * rng.uniform(0.7, 1.3), colour, streak, dry)

    def finish(self, relief: float = 6.0) -> Array:
        """The dry picture, lit."""
        paint = np.asarray(self.image, float) / 255
        height = relief * ndimage.gaussian_filter(paint[..., 3], 0.8)
        return halve(light(paint[..., :3], height, 0.25))


def halve(picture: Array) -> Array:
    """Every pixel the mean of four."""
    h, w = picture.shape[0] // 2, picture.shape[1] // 2
    return picture[: 2 * h, : 2 * w].reshape(h, 2, w, 2, 3).mean((1, 3))


# ------------------------------------------------------------------ pieces of stone and glass


def borders(region: Array) -> tuple[Array, Array]:
    """Where regions (a map of whole numbers) meet, and how many pixels it is to there."""
    edge = ndimage.maximum_filter(region, 3) != ndimage.minimum_filter(region, 3)
    return edge, ndimage.distance_transform_edt(~edge)


def tesserae(
    angle: Array, side: float, rng: Rng, edge: Array, aspect: float = 1.0, turns: int = 16
) -> tuple[Array, Array, Array]:
    """Cut the picture into pieces of about `side` pixels that lie along `angle` (Hausner 2001).

    Returns a map of the pieces' numbers, their middles (n, 2) as (row, column), and a map of the
    distance to the joint with the next piece, in pixels. Where `edge` is true a pixel pulls no
    piece towards it, so that pieces end at edges instead of straddling them.
    """
    h, w = angle.shape
    middles = scatter((h, w), side, rng)[:, ::-1].clip(0, [h - 1, w - 1])
    for turn in range(turns):
        final = turn == turns - 1
        skip = 1 if final else 2  # every second pixel will do until the last turn
        pixels = np.stack(np.mgrid[:h:skip, :w:skip], -1).reshape(-1, 2).astype(float)
        i, j = middles.round().astype(int).T
        near = cKDTree(middles).query(pixels, 5)[1]  # (pixels, 5): the candidates
        dy, dx = np.moveaxis(pixels[:, None] - middles[near], -1, 0)
        cos, sin = np.cos(angle[i, j])[near], np.sin(angle[i, j])[near]
        across, ahead = np.abs(dy * cos - dx * sin), np.abs(dy * sin + dx * cos) / aspect
        far = np.maximum(across, ahead) + 0.05 * (across + ahead)  # equal far out: a square
        two = np.argsort(far, 1)[:, :2]
        piece = near[np.arange(len(near)), two[:, 0]]
        if not final:  # Lloyd: every middle moves to the middle of its pixels
            weight = np.where(edge[::skip, ::skip], 0.02, 1.0).ravel()
            total = np.bincount(piece, weight, len(middles))[:, None] + 1e-9
            sums = [np.bincount(piece, weight * p, len(middles)) for p in pixels.T]
            middles = np.where(total > 0.5, np.stack(sums, 1) / total, middles)
    first, second = np.take_along_axis(far, two, 1).T
    return piece.reshape(h, w), middles.round().astype(int), (second - first).reshape(h, w) / 2


# ------------------------------------------------------------------ woodblock


class Plate:
    """A print from flat inks, drawn at twice the size."""

    def __init__(self, ground: Array):
        self.z = ground.shape[1]
        self.image = Image.fromarray((ground * 255).clip(0, 255).astype(np.uint8))
        self.draw = ImageDraw.Draw(self.image)

    def area(self, corners: Array, ink: tuple):
        """Fill a polygon (n, 2)."""
        self.draw.polygon((np.asarray(corners) * self.z).ravel().tolist(), ink)

    def cut(self, path: Array, width: float, ink: tuple):
        """The knife along `path` (n, 2): thin, thicker, thin; `width` in 1/1440 of the sheet."""
        swell = np.sin(np.linspace(0, np.pi, len(path))) ** 0.7 * width / 1440
        side = normals(path) * swell[:, None]
        self.area(np.concatenate([path + side, (path - side)[::-1]]), ink)

    def disc(self, cx: float, cy: float, r: float, ink: tuple):
        box = [(cx - r) * self.z, (cy - r) * self.z, (cx + r) * self.z, (cy + r) * self.z]
        self.draw.ellipse(box, ink)

    def arc(self, cx: float, cy: float, r: float, ink: tuple):
        box = [(cx - r) * self.z, (cy - r) * self.z, (cx + r) * self.z, (cy + r) * self.z]
        self.draw.arc(box, 10, 130, ink, max(1, self.z // 480))

    def printed(self, paper: Array, rng: Rng) -> Array:
        """Ink lies thin where the grain of the block is open, and gathers along every edge."""
        picture = np.asarray(self.image, float) / 255
        shape = picture.shape[:2]
        mottle = noise(shape, 0.006, rng, 2)
        i, j = np.indices(shape)
        bent = [i, 0.06 * j + 6 * noise(shape, 0.3, rng, 2)]
        grain = ndimage.map_coordinates(noise(shape, 0.06, rng), bent, order=1, mode="reflect")
        soft = ndimage.gaussian_filter(picture, (self.z / 288, self.z / 288, 0))
        picture = picture + 0.35 * (picture - soft)
        picture = mix(picture, paper, np.clip(0.10 + 0.11 * grain + 0.03 * mottle, 0, 0.4))
        return halve(light(picture, 0.12 * mottle + 0.06 * grain))


# ------------------------------------------------------------------ watercolour


class Sheet:
    """Rough paper, and how much light of each colour the pigment on it swallows."""

    def __init__(self, shape: tuple[int, int], rng: Rng):
        h, w = self.shape = shape
        self.rng = rng
        self.paper = 0.6 * noise(shape, 0.012, rng, 3) + 0.4 * noise(shape, 0.004, rng, 1)
        # Clouds larger than the sheet: every wash takes another part of them.
        self.clouds = [noise((2 * h, 2 * w), cell / 2, rng, 5) for cell in (0.12, 0.06, 0.03)]
        self.density = np.zeros((h, w, 3))

    def wash(self, inside: Array, colour: str, strength: float, wet: float = 0, rough: float = 1):
        """Pigment where the map `inside` (widths from the edge inwards) is positive.

        `wet` lets it run, in widths; `rough` says how far the edge trembles.
        """
        h, w = self.shape
        i, j = self.rng.integers(0, self.shape)
        large, middle, small = (cloud[i : i + h, j : j + w] for cloud in self.clouds)
        depth = 720 * (inside + rough * (0.004 * middle + 0.002 * small) + wet * large)
        cover = smoothstep(-0.8 - 900 * wet, 0.8 + 900 * wet, depth)
        rim = np.exp(-np.abs(depth - 1.5) / 1.8) * (wet == 0)  # pigment dries along the edge
        run = np.exp(-np.abs(middle - 0.6) / 0.07) * (small > -0.5)  # water pushed it aside
        load = 0.62 + 0.30 * large + 0.16 * middle + 0.65 * rim + 0.16 * run + 0.13 * self.paper
        hue = 1 + 0.12 * middle[..., None] * self.rng.normal(0, 1, 3)  # never mixed evenly
        swallow = -np.log(palette(colour)[0].clip(0.02, 0.99))
        self.density += (strength * cover * load.clip(0.05, 2))[..., None] * swallow * hue

    def drop(self, inside: Array, colour: str, strength: float):
        """A dab or a drop with a plain edge."""
        dab = strength * smoothstep(-0.001, 0.001, inside)[..., None]
        self.density += dab * -np.log(palette(colour)[0].clip(0.05, 0.99))

    def dry(self) -> Array:
        return light(palette("f8f3e6")[0] * np.exp(-self.density), 0.11 * self.paper)
