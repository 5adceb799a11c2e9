"""Exercise 2, gram_matrix: its cases, its mistakes, its judge."""

# ruff: noqa: E501
# (One line a sentence, so that the tables can be read.)

from __future__ import annotations

import numpy as np

from .activations import BIG, draw, shapes
from .factors import Normaliser, recognise
from .facts import same
from .judge import judge_values
from .parts import TURNS, chunks, in_words, masked, parts
from .scaled import SCALES
from .verdict import FACTOR, PART, SLIP, Exercise, Finding, Mistake, Verdict


def cases(rng: np.random.Generator) -> list[dict]:
    """More rows than columns and fewer, large numbers, and a matrix of realistic size in a graph.

    The third has the shape of the first: what is remembered by its shape shows. The fourth has a
    row of 0, a channel that no position excites.
    """
    sizes = [(int(c), int(h * w)) for h, w, c in shapes(rng, 3)]
    sizes = [*sizes[:2], sizes[0], sizes[2], (7, 3), (6, 11)]
    kinds = [(size, size == (6, 11), 0) for size in sizes] + [((8, 49 * 37), 0, 1)]
    found = []
    for size, big, graph in kinds:
        signs = np.float32(-1) ** np.arange(size[0], dtype="float32")[:, None]
        small = size == (7, 3)  # so that it shows if something is added
        A = draw(rng, size, BIG if big else 0.02 if small else 1.0) * signs
        A[0] *= len(found) != 3
        upstream = rng.normal(size=(size[0], size[0])).astype("float32")
        found.append(
            {"A": A, "upstream": upstream, "big": int(big), "graph": graph, "dtype": "float32"}
        )
    return found


def centred(A: np.ndarray) -> np.ndarray:
    return A - A.mean(axis=1, keepdims=True)


def _softmax(G: np.ndarray) -> np.ndarray:
    powers = np.exp(G - G.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def unit_rows(A: np.ndarray) -> np.ndarray:
    return A / (A * A).sum(axis=1, keepdims=True) ** 0.5


# fmt: off
MISTAKES = (
    Mistake("gram-not-transposed", 2, PART, lambda A: A.T @ A,
            "Your G has the shape (n_H*n_W, n_H*n_W), positions by positions: the wrong one of the two matrices is transposed."),
    Mistake("gram-not-transposed", 2, PART, lambda A: A.T @ A if A.shape[1] < len(A) else A @ A.T,
            "Where there are fewer positions than channels your G is positions by positions: it is always channels by channels, A A^T."),
    Mistake("gram-not-transposed", 2, PART, lambda A: centred(A).T @ centred(A),
            "Your G has the shape (n_H*n_W, n_H*n_W), positions by positions: the wrong one of the two matrices is transposed. Besides, the mean is subtracted: take A as it is."),
    Mistake("gram-not-transposed", 2, PART, lambda A: (A - A.mean()).T @ (A - A.mean()),
            "Your G has the shape (n_H*n_W, n_H*n_W), positions by positions: the wrong one of the two matrices is transposed. Besides, the mean is subtracted: take A as it is."),
    Mistake("gram-wrong-axis", 2, 0, lambda A: A * A.sum(axis=0),
            "The products are summed over the channels (axis 0): sum them over the positions, the last axis."),
    Mistake("gram-reversed", 2, 0, lambda A: A @ A[:, ::-1].T,
            "One of the factors is reversed, not transposed: reversing changes the order of the positions."),
    Mistake("gram-reversed", 2, 0, lambda A: A @ A[::-1].T,
            "The rows of one of the factors are reversed: transpose it alone."),
    Mistake("gram-elementwise", 2, 0, lambda A: A * A,
            "Your G has the shape of A: every entry is multiplied by itself. * is not the matrix product."),
    Mistake("gram-reshaped", 2, PART, lambda A: A @ A.reshape(A.shape[::-1]),
            "A is reshaped to (n_H*n_W, n_C), not transposed: reshaping scrambles the entries."),
    Mistake("gram-reshaped", 2, PART, lambda A: A.reshape(A.shape[::-1]).T @ A.reshape(A.shape[::-1]),
            "A is reshaped to (n_H*n_W, n_C), not transposed: reshaping scrambles the entries."),
    Mistake("gram-reshaped", 2, PART, lambda A: A.reshape(A.shape[::-1]) @ A,
            "A is reshaped to (n_H*n_W, n_C), not transposed, and it comes first in the product."),
    Mistake("gram-row-missing", 0, FACTOR, lambda A: (A @ A.T)[:-1],
            "The last row of your G is missing: does a loop end one too early (n_C - 1)?"),
    Mistake("gram-row-missing", 0, FACTOR, lambda A: (A @ A.T)[:-1, :-1],
            "The last row and column of your G are missing: does a loop end one too early (n_C - 1)?"),
    Mistake("gram-row-missing", 0, FACTOR, lambda A: (A @ A.T)[1:],
            "The first row of your G is missing: does a loop begin at 1?"),
    Mistake("gram-position-missing", 0, FACTOR, lambda A: A[:, :-1] @ A[:, :-1].T,
            "The last position of A is missing from every sum: does a loop end one too early?"),
    Mistake("gram-position-missing", 0, FACTOR, lambda A: A[:, 1:] @ A[:, 1:].T,
            "The first position of A is missing from every sum: does a loop begin at 1?"),
    Mistake("gram-triangle", 1, FACTOR, lambda A: np.triu(A @ A.T),
            "Only the upper triangle of G is there: the lower half belongs to it too."),
    Mistake("gram-triangle", 1, FACTOR, lambda A: np.tril(A @ A.T),
            "Only the lower triangle of G is there: the upper half belongs to it too."),
    Mistake("gram-triangle", 1, FACTOR, lambda A: np.triu(A @ A.T, 1),
            "Only the entries above the diagonal are there: the whole G is needed."),
    Mistake("gram-triangle", 1, FACTOR, lambda A: np.tril(A @ A.T, -1),
            "Only the entries below the diagonal are there: the whole G is needed."),
    Mistake("gram-no-diagonal", 1, FACTOR, lambda A: A @ A.T - np.diag((A * A).sum(axis=1)),
            "The diagonal of your G is 0: each row also meets itself."),
    Mistake("gram-diagonal-only", 1, PART, lambda A: np.diag((A * A).sum(axis=1)),
            "Only the diagonal of G is there: every row meets every other row."),
    Mistake("gram-diagonal-only", 1, PART, lambda A: (A * A).sum(axis=1),
            "Only the diagonal of G is there, as a vector: every row meets every other row."),
    Mistake("gram-diagonal-only", 1, PART, lambda A: (A * A).sum(axis=1, keepdims=True),
            "Only the diagonal of G is there, as a column: every row meets every other row."),
    Mistake("gram-doubled", 1, FACTOR, lambda A: np.triu(A @ A.T) + np.tril(A @ A.T),
            "The diagonal of your G counts twice."),
    Mistake("gram-summed", 1, 0, lambda A: (A * A).sum(),
            "Your G is one number, the sum of all squares: it must be a matrix."),
    Mistake("gram-summed", 1, 0, lambda A: (A @ A.T).sum(),
            "Your G is one number, the sum of all entries: return the matrix itself."),
    Mistake("gram-column-sums", 1, 0, lambda A: (A * A).sum(axis=0),
            "The squares are summed over the channels: G_ij is the dot product of rows i and j."),
    Mistake("gram-row-sums", 1, 0, lambda A: np.outer(A.sum(axis=1), A.sum(axis=1)),
            "The rows are summed before they are multiplied: multiply entry with entry, then sum (a dot product)."),
    Mistake("gram-row-sums", 1, 0, lambda A: np.outer((A * A).sum(axis=1), (A * A).sum(axis=1)),
            "The squares of a row are summed before they are multiplied: multiply entry with entry, then sum (a dot product)."),
    Mistake("gram-row-sums", 1, 0, lambda A: A.sum(axis=1)[:, None] + A.sum(axis=1),
            "The rows are added: multiply entry with entry, then sum (a dot product)."),
    Mistake("gram-one-row", 1, 0, lambda A: np.outer((A * A).sum(axis=1), np.ones(len(A))),
            "Every row meets itself in all columns: entry i, j is row i times row j."),
    Mistake("gram-distances", 1, 0, lambda A: ((A[:, None] - A) ** 2).sum(axis=2),
            "The squared distances of the rows are taken: take their dot products."),
    Mistake("gram-distances", 1, 0, lambda A: ((A[:, None] - A) ** 2).sum(axis=2) ** 0.5,
            "The distances of the rows are taken: take their dot products."),
    Mistake("gram-softmax", 1, 0, lambda A: _softmax(A @ A.T), "A softmax is taken of G: leave it out."),
    Mistake("gram-softmax", 1, 0, lambda A: _softmax(A @ A.T / A.shape[1] ** 0.5), "A softmax is taken of G (attention): leave it out."),
    Mistake("gram-shifted", 1, 0, lambda A: A @ np.roll(A, 1, axis=1).T, "One of the factors is shifted by a position (roll)."),
    Mistake("gram-divided-by-largest", 3, FACTOR, lambda A: A @ A.T / (A @ A.T).max(),
            "Your G is divided by its largest entry: here the Gram matrix is not divided."),
    Mistake("gram-divided-by-largest", 3, FACTOR, lambda A: A @ A.T / ((A @ A.T) ** 2).sum() ** 0.5,
            "Your G is divided by its own length (a norm): here the Gram matrix is not divided."),
    Mistake("gram-centred", 3, FACTOR, lambda A: centred(A) @ centred(A).T,
            "The mean of each row is subtracted first (a covariance): the Gram matrix takes A as it is."),
    Mistake("gram-covariance", 3, FACTOR, lambda A: centred(A) @ centred(A).T / (A.shape[1] - 1) * A.shape[1],
            "That is a covariance matrix (mean subtracted, divided by n - 1): take A as it is."),
    Mistake("gram-centred", 3, FACTOR, lambda A: (A - A.mean()) @ (A - A.mean()).T,
            "The mean of all entries is subtracted first: the Gram matrix takes A as it is."),
    Mistake("gram-correlation", 3, FACTOR, lambda A: unit_rows(centred(A)) @ unit_rows(centred(A)).T,
            "That is a matrix of correlations (mean subtracted, rows scaled to length 1): take A as it is."),
    Mistake("gram-divided-by-root", 3, FACTOR, lambda A: A @ A.T / A.shape[1] ** 0.5,
            "Your G is divided by the root of n_H*n_W: here the Gram matrix is not divided."),
    Mistake("gram-unit-length", 3, FACTOR, lambda A: A @ A.T / (A * A).sum(),
            "A is divided by its length (its norm), or G by its trace: leave both as they are."),
    Mistake("gram-whole-numbers", 3, PART, lambda A: np.trunc(A) @ np.trunc(A).T,
            "The entries of A are cut to whole numbers (int) first: keep float32 throughout."),
    Mistake("gram-identity-added", 3, FACTOR, lambda A: A @ A.T + np.eye(len(A)),
            "Something is added to the diagonal of G: leave it out."),
    Mistake("gram-twice", 3, PART, lambda A: A @ A.T @ A @ A.T,
            "G is multiplied by itself once more: one product is enough."),
    Mistake("gram-outer", 2, 0, lambda A: np.tensordot(A, A.T, axes=0),
            "Every entry is multiplied with every other (axes=0), in four dimensions: multiply rows with rows, a matrix product."),
    Mistake("gram-outer", 2, 0, lambda A: np.tensordot(A, A, axes=0),
            "Every entry is multiplied with every other (axes=0), in four dimensions: multiply rows with rows, a matrix product."),
    Mistake("gram-unit-rows", 3, FACTOR, lambda A: unit_rows(A) @ unit_rows(A).T,
            "The rows are scaled to length 1 (cosine similarity): take A as it is."),
    Mistake("gram-absolute", 3, FACTOR, lambda A: abs(A @ A.T), "The absolute value of G is taken: leave its signs."),
    Mistake("gram-absolute", 3, FACTOR, lambda A: abs(A) @ abs(A).T, "The absolute value of A is taken first: leave its signs."),
    Mistake("gram-clipped", 3, FACTOR, lambda A: (A @ A.T).clip(0), "The negative entries of G are set to 0: leave them."),
    Mistake("gram-clipped", 3, FACTOR, lambda A: A.clip(0) @ A.clip(0).T, "The negative entries of A are set to 0 first (a ReLU): take A as it is."),
    Mistake("gram-squared", 3, PART, lambda A: (A @ A.T) ** 2, "The entries of G are squared: the squares come in the style cost."),
    Mistake("gram-squared", 3, PART, lambda A: (A ** 2) @ (A ** 2).T, "The entries of A are squared before the product."),
    Mistake("gram-root", 3, PART, lambda A: abs(A @ A.T) ** 0.5, "A square root is taken of G: leave it out."),
    Mistake("gram-only-A", 2, 0, lambda A: A, "Your function returns A as it is."),
    Mistake("gram-only-A", 2, 0, lambda A: A.T, "Your function returns A transposed: the product is missing."),
)

MORE = (  # tried after those above, with any factor
    Mistake("gram-rows-dropped", 0, FACTOR, lambda A: A[(A > 0).any(axis=1)] @ A[(A > 0).any(axis=1)].T,
            "Rows of A are left out: those without a number above 0, or every second one (::2). Every channel counts, n_C of them."),
    *(Mistake("gram-position-missing", 0, FACTOR, lambda A, t=take: t(A) @ t(A).T, says) for says, take in (*parts({1: "position"}), *chunks())),
    *(Mistake("gram-row-missing", 0, FACTOR, lambda A, t=take: t(A @ A.T), says) for says, take in parts({0: "row of G", 1: "column of G"})),
    *(
        Mistake("gram-row-missing", 0, FACTOR, lambda A, w=which, at=at: masked(A @ A.T, w, *at), in_words(says, one))
        for which, says in TURNS
        for at, one in (((True, False), "row of G"), ((False, True), "column of G"), ((True, True), "row and column of G"))
    ),
    Mistake("gram-summed", 1, 0, lambda A: (A @ A.T).sum(axis=1),
            "The rows of G are summed up: return the matrix itself."),
    Mistake("gram-summed", 1, 0, lambda A: (A @ A.T).mean(axis=1),
            "The means of the rows of G are taken: return the matrix itself."),
    Mistake("gram-one-column", 2, 0, lambda A: np.outer(A, A),
            "All numbers of A are put into one column or row: A has a row for each channel, keep it as it is."),
    Mistake("gram-inverse", 2, 0, lambda A: A @ np.linalg.pinv(A),
            "A is multiplied by its inverse (inv, pinv): multiply it by its transpose."),
    Mistake("gram-inverse", 2, 0, lambda A: np.linalg.pinv(A @ A.T),
            "An inverse is taken of G: leave it out."),
    Mistake("gram-max", 1, 0, lambda A: (A[:, None] * A).max(axis=2),
            "The largest product is taken: sum the products (a dot product)."),
    Mistake("gram-row-sums", 1, 0, lambda A: np.outer(abs(A).sum(axis=1), abs(A).sum(axis=1)),
            "The rows are summed before they are multiplied: multiply entry with entry, then sum (a dot product)."),
    *(Mistake("gram-scaled", 3, FACTOR, lambda A, f=scale: f(A) @ f(A).T, says.format(them="The entries of A"), True) for scale, says in SCALES),
    *(Mistake("gram-one-scaled", 3, FACTOR, lambda A, f=scale: A @ f(A).T, "In one of the two factors " + says.format(them="the entries of A"), True) for scale, says in SCALES),
    *(Mistake("gram-one-scaled", 3, FACTOR, lambda A, f=scale: f(A) @ A.T, "In one of the two factors " + says.format(them="the entries of A"), True) for scale, says in SCALES),
    *(Mistake("gram-scaled", 3, FACTOR, lambda A, f=scale: f(A @ A.T), says.format(them="The entries of G").replace("channel", "row").replace("position", "column"), True) for scale, says in SCALES),
)
NORMALISER = Normaliser(
    "G",
    ("n_C", "(n_H*n_W)"),
    k=1.0,
    exponents=(0, 0),
    hint=3,
    known=(
        (1.0, (0, -1), "gram-divided", "Your G is divided by n_H*n_W, the number of positions: here the Gram matrix is not divided."),
        (1.0, (-1, -1), "gram-divided-all", "Your G is divided by n_C*n_H*n_W: here the Gram matrix is not divided."),
        (1.0, (-1, 0), "gram-divided-channels", "Your G is divided by n_C: here the Gram matrix is not divided."),
    ),
)
# fmt: on


def judge(cases: list[dict], observations) -> Verdict:
    """G = A A^T (Gatys 2015, eq. 3): G_ij is the dot product of rows i and j of A."""
    matrices = [case["A"].astype("float64") for case in cases]
    expected = [A @ A.T for A in matrices]
    weights = [case["upstream"].astype("float64") for case in cases]
    gradients = [{"A": (w + w.T) @ A} for w, A in zip(weights, matrices, strict=True)]

    def _all_shaped(rows: list, gots: list) -> bool:
        return all(
            g is not None and g.shape == expected[i].shape for i, g in zip(rows, gots, strict=True)
        )

    def explain(rows: list, gots: list, _: list) -> Finding | None:
        alive = [i for i in rows if matrices[i].any(axis=1).all()]
        if all(same(gots[rows.index(i)], expected[i]) for i in alive):
            return _dead_channel([got for i, got in zip(rows, gots, strict=True) if i not in alive])
        gots, rows = [gots[rows.index(i)] for i in alive], alive  # divided by 0 there, perhaps

        def bases():
            yield (), [expected[i] for i in rows]
            for known in (*MISTAKES, *MORE):
                yield (known,), [known.formula(matrices[i]) for i in rows]

        least = min(rows, key=lambda i: abs(expected[i]).max())
        added = gots[rows.index(least)] - expected[least] if _all_shaped(rows, gots) else 0
        what = np.mean(np.diag(added)) if np.ndim(added) else 0
        if what and all(
            same(got, expected[i] + what * np.eye(len(got)))
            for i, got in zip(rows, gots, strict=True)
        ):
            says = f"{what:.3g} is added to the diagonal of G: leave it out."
            return GRAM_MATRIX.finding("identity-added", 3, FACTOR, says)
        dims = [matrices[i].shape for i in rows]
        return recognise(GRAM_MATRIX, NORMALISER, gots, dims, bases())

    return judge_values(GRAM_MATRIX, cases, observations, expected, gradients, explain)


def _dead_channel(gots: list) -> Finding | None:
    """Right but where a row of A is 0 throughout."""
    says = "It is right but where a row of A is 0 throughout, as in VGG-19 a channel may be: are rows of 0 left out, or is there a division by 0?"
    return GRAM_MATRIX.finding("dead-channel", 0, SLIP, says) if gots else None


GRAM_MATRIX = Exercise(
    "gram_matrix",
    number=2,
    points=20,
    short="gram",
    cases=cases,
    judge_facts=judge,
    topics={"gradient": 3, "dims": 2, "zero": 1, "as in NumPy": 2, "entries": 2},
    zero="is the product taken of A at all?",
    more=(
        "Work one small example by hand: for A = [[1, 2], [3, 4]] the result is [[5, 11], [11, 25]].",
        "Print the shapes of both factors: (n_C, positions) times (positions, n_C) gives (n_C, n_C).",
        "Every step must be a TensorFlow operation on A, and nothing may follow the product.",
    ),
)
