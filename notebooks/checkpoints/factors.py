"""Recognises a result that is right, or known, up to a wrong factor: a forgotten 1/4, a lost square."""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import inf, isfinite

import numpy as np

from .facts import near, same
from .verdict import FACTOR, TOLERANCE, TWO, Exercise, Finding, Mistake

POWERS = ("", "", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸")  # ^ would be read as Python's XOR


@dataclass(frozen=True)
class Normaliser:
    """The factor in front of the sum, `k * prod(dims ** exponents)`, and the wrong ones with names."""

    letter: str  # of the result
    dims: tuple[str, ...]
    k: float
    exponents: tuple[int, ...]
    hint: int
    known: tuple[tuple[float, tuple[int, ...], str, str], ...]  # k, exponents, id, sentence

    def is_right(self, k: float, exponents: tuple) -> bool:
        return near(k, self.k) and exponents == self.exponents


@cache
def _exponents(right: tuple) -> np.ndarray:
    """All integer exponents from -4 to 4, those nearest to the right ones first."""
    exponents = np.array(list(itertools.product(range(-4, 5), repeat=len(right))))
    return exponents[abs(exponents - np.array(right)).sum(axis=1).argsort(kind="stable")]


@cache
def _no_factor(dims: tuple) -> np.ndarray:
    """(n, n): takes from n logarithms all that a factor and powers of the sizes can explain."""
    powers = np.column_stack([np.ones(len(dims)), np.log(np.array(dims, dtype="float64"))])
    return np.eye(len(dims)) - powers @ np.linalg.pinv(powers)


def _ratio(got: np.ndarray | None, base: np.ndarray | float) -> float | None:
    """got / base, if that is one number for all entries; 0 if both are 0; else None."""
    base = np.array(base, dtype="float64")
    if got is None or got.shape != base.shape:
        return None
    if got.shape == ():  # thousands of these are tried
        one, other = float(got), float(base)
        if not one or not other:
            return None if one or other else 0.0
        return one / other if isfinite(one) and 0 < abs(one / other) < inf else None
    if not base.any() and not got.any():
        return 0.0
    size = (base * base).sum()
    if not np.isfinite(got).all() or not size > 0:
        return None
    ratio = (got * base).sum() / size
    same = abs(got - ratio * base).max() <= TOLERANCE * abs(got).max()
    return float(ratio) if ratio and same else None


def _factor(gots: list, bases: list, dims: list, right: tuple) -> tuple | None:
    """k and integers e with got = k * prod(dims ** e) * base on every case, and how far off; or None.

    A wrong normaliser shows here whatever it is: a forgotten 1/4 changes k, a forgotten square an
    exponent. `right` holds the exponents of the right formula; the nearest fit to them is taken.
    """
    ratios, known = [], []
    for got, base, sizes in zip(gots, bases, dims, strict=True):
        ratio = _ratio(got, base)
        if ratio is None:
            return None
        if ratio:  # small numbers that were cut to 0 tell nothing
            ratios.append(ratio)
            known.append(tuple(map(int, sizes)))
    ratios = np.array(ratios)
    if len(ratios) < 3 or not (ratios * ratios[0] > 0).all():
        return None
    rest = _no_factor(tuple(known)) @ np.log(abs(ratios))
    if (rest * rest).sum() > len(ratios) * (2 * TOLERANCE) ** 2:  # no exponents fit, whole or not
        return None
    exponents = _exponents(right)
    rest = np.log(abs(ratios)) - exponents @ np.log(np.array(known, dtype="float64")).T
    fits = (rest.max(axis=1) - rest.min(axis=1) < 2 * TOLERANCE).nonzero()[0]
    if not len(fits):
        return None
    k = np.exp(rest[fits[0]].mean()) * (1 if ratios[0] > 0 else -1)
    return float(k), tuple(int(e) for e in exponents[fits[0]]), float(np.ptp(rest[fits[0]]))


def _words(k: float, exponents: tuple, names: tuple) -> str:
    """`k * prod(names ** exponents)` as text: "4 n_C / n_H²"."""
    rounded = (Fraction(abs(k)).limit_denominator(most) for most in (1, 4, 16, 256))
    nice = next((n for n in rounded if n > 0 and near(abs(k), float(n))), Fraction(0))
    exact = nice > 0
    above = [str(nice.numerator) if exact else f"{abs(k):.4g}"]
    below = [str(nice.denominator)] if exact else []
    for name, power in zip(names, exponents, strict=True):
        word = name if abs(power) == 1 else f"{name}{POWERS[abs(power)]}"
        (above if power > 0 else below).extend([word] if power else [])
    above, below = ([w for w in side if w != "1"] for side in (above, below))
    text = " ".join(above) or "1"
    return text + (
        f" / ({' '.join(below)})" if len(below) > 1 else f" / {below[0]}" if below else ""
    )


def _factor_finding(exercise: Exercise, normaliser: Normaliser, k: float, e: tuple) -> Finding:
    """The sentence for a result that is right up to the factor k * prod(dims ** e)."""
    for k_known, e_known, mistake, says in normaliser.known:
        if near(k, k_known) and e == e_known:
            return Finding(mistake, normaliser.hint, FACTOR, says)
    mistake, says = _unlisted_factor(normaliser, k, e)
    return exercise.finding(mistake, normaliser.hint, FACTOR, says)


def _unlisted_factor(normaliser: Normaliser, k: float, e: tuple) -> tuple[str, str]:
    """Id and sentence for a factor that has no name of its own."""
    letter, names, right = normaliser.letter, normaliser.dims, normaliser.exponents
    ratio, powers = k / normaliser.k, tuple(a - b for a, b in zip(e, right, strict=True))
    if not any(powers) and near(ratio, -1):
        return "sign", f"The sign of your {letter} is turned round."
    if any(right) and not any(e) and min(abs(np.log2(abs(k)) % 1 - x) for x in (0, 1)) > 0.01:
        return (
            "dims-hard-coded",
            f"Your {letter} is divided by {1 / k:.6g} whatever the shape: read n_H, n_W and n_C from the argument.",
        )
    if any(b < 0 < a for a, b in zip(e, right, strict=True)):
        return "precedence", (
            f"Your {letter} is multiplied by dimensions that should divide it: "
            f"the sum gets the factor {_words(k, e, names)}. Put brackets round the whole denominator."
        )
    if not any(powers) and near(ratio, 1):  # "exactly 1 times" would say nothing
        return (
            "factor",
            f"Your {letter} is {ratio:.6g} times the expected one: is there a number too many?",
        )
    if says := _exchanged(ratio, powers, normaliser):
        return "size-exchanged", says
    if near(ratio, 1) and sorted(p for p in powers if p) in ([-1, 1], [-2, 2]):
        taken, lost = names[powers.index(min(powers))], names[powers.index(max(powers))]
        return "factor", f"In the factor of your {letter}, {taken} stands where {lost} should."
    if near(ratio, 1) and all(p in (0, -b) for p, b in zip(powers, right, strict=True)):
        lost = " ".join(n + POWERS[p] for n, p in zip(names, powers, strict=True) if p)
        return "not-divided", f"Your {letter} is not divided by {lost}."
    says = f"Your {letter} is exactly {_words(ratio, powers, names)} times the expected one."
    smaller = _words(1 / ratio, tuple(-p for p in powers), names)
    if any(right) and not any(powers) and ratio > 0:
        much = (
            f"{_words(ratio, powers, names)} times too large"
            if ratio > 1
            else f"{smaller} times too small"
        )
        return "factor", f"Your {letter} is exactly {much}: compare the factor with the formula."
    if all(p <= 0 for p in powers) and ratio > 0 and (any(powers) or ratio < 1):
        says = f"Your {letter} is exactly {smaller} times too small."
    return "factor", says + " Compare the factor with the formula."


def _exchanged(ratio: float, powers: tuple, normaliser: Normaliser) -> str:
    """A sentence about sizes, or a fixed number, in the place of others; "" if it is not that."""
    names, right, letter = normaliser.dims, normaliser.exponents, normaliser.letter
    lost = [name for name, p, b in zip(names, powers, right, strict=True) if p and p == -b]
    taken = [name for name, p, b in zip(names, powers, right, strict=True) if p and p == b]
    if not lost or ratio <= 0 or len(lost) + len(taken) != sum(map(bool, powers)):
        return ""
    if taken:
        says = f"In the factor of your {letter}, {' '.join(taken)} stands where {' '.join(lost)} should"
        read = ": is n_C read after the activations were unrolled, from the axis of the positions?"
        return (
            says + (read if lost == ["n_C"] and len(taken) == 2 else ".") if near(ratio, 1) else ""
        )
    fixed = ratio ** (1 / max(right, key=abs))  # to the power that the lost sizes have
    if fixed < 2.9 or not near(fixed, round(fixed)) or round(fixed) == 4:  # of the 1/4, perhaps
        return ""
    says = (
        f"In the factor of your {letter}, a fixed {fixed:.4g} stands where {' '.join(lost)} should"
    )
    colours = " (a layer has n_C channels, not the three colours)" if round(fixed) == 3 else ""
    return f"{says}{colours}: read the sizes from the argument."


def divided_by(formulas: Iterable[Callable], dims: list, sums: list, gots: list) -> bool:
    """Are these the right sums, divided by one of `formulas` of n_H, n_W, n_C?"""
    for formula in formulas:
        below = [formula(*(int(n) for n in sizes)) for sizes in dims]
        known = [i for i, n in enumerate(below) if n and gots[i] is not None]
        if len(known) > 2 and all(same(gots[i], sums[i] / below[i]) for i in known):
            return True
    return False


def recognise(
    exercise: Exercise,
    normaliser: Normaliser,
    gots: list,
    dims: list,
    bases: Iterable[tuple[tuple[Mistake, ...], list]],
) -> Finding | None:
    """Try every base formula with every factor, the fewest mistakes first.

    `bases` yields (parts, values): the `Mistake`s that a formula combines (none for the right
    one) and what it gives on the cases. A formula with the right factor comes before any other.
    """
    candidates, right = [], None
    for parts, values in bases:
        right = values if not parts else right
        if parts and right and all(map(same, map(np.array, values), right)):
            continue  # no mistake shows on these cases
        fit = _factor(gots, values, dims, normaliser.exponents)
        if fit is None:
            continue
        *fit, off = fit
        fit_right = bool(parts) and normaliser.is_right(*fit)
        close = fit[1] == normaliser.exponents and abs(fit[0] / normaliser.k - 1) < 0.03
        if not parts and close and off > 1e-4:
            continue  # it is close to the right one, but no factor
        candidates.append((len(parts) + (not fit_right), len(candidates), parts, fit, fit_right))
    if not candidates:
        return None
    _, _, parts, fit, fit_right = min(candidates, key=lambda c: c[:2])
    findings = [Finding(p.id, p.hint, p.credit, p.says) for p in parts]
    if not fit_right and not (parts and parts[-1].any_factor):
        findings.append(_factor_finding(exercise, normaliser, *fit))
    if len(findings) == 1:
        return findings[0]
    count = {2: "Two", 3: "Three"}.get(len(findings), "Several")
    says = f"{count} things. First: " + " Then: ".join(f.says for f in findings)
    return Finding("+".join(f.id for f in findings), findings[0].hint, TWO, says)
