"""Day 5: Equivariant message passing. Here what stays and what turns; the rest is imported."""

from collections.abc import Mapping

import numpy as np

from tutor.exercises import day05_claims, day05_dipole, day05_layer  # noqa: F401
from tutor.exercises.engine import code
from tutor.exercises.expect import expect, require

_STAYS = {"energy": "abcd", "dipole": "ad"}
_WHY = {
    ("energy", "a"): "space is the same everywhere: no shift changes the energy of a molecule that "
    "is alone",
    ("energy", "b"): "no direction in space is special: a rotation leaves the energy alone",
    ("energy", "c"): "a mirror image has the same distances and the same energy",
    ("energy", "d"): "the two hydrogens are alike; the numbers on them are ours, not nature's",
    ("energy", "e"): "O and H are different: with an H in the middle it is another molecule",
    ("energy", "f"): "stretched bonds cost energy",
    ("dipole", "a"): "the charges of a neutral molecule add up to zero, so a shift adds nothing to "
    "Σ q_i r_i",
    ("dipole", "b"): "the dipole is an arrow fixed to the molecule: it turns along, so it changes",
    ("dipole", "c"): "a mirror flips the arrow along with the molecule, so it changes",
    ("dipole", "d"): "the charges sit where they sat; which hydrogen is called number 1 does not "
    "matter",
    ("dipole", "e"): "another molecule has another dipole",
    ("dipole", "f"): "the same charges further apart make a larger dipole",
}


@code(
    "5.1",
    "What stays?",
    points=2,
    hints=(
        "An energy knows distances and elements. A dipole is an arrow that is fixed to the "
        "molecule.",
        "For the arrow ask: is it, afterwards, the same three numbers? If it turns, it changes.",
        "Four of the six leave the energy alone, two the dipole: `return "
        '{"energy": "…", "dipole": "…"}`.',
    ),
)
def unchanged(f, rng):
    answer = f()
    require(
        isinstance(answer, Mapping) and set(answer) == set(_STAYS),
        law='a dict with the keys "energy" and "dipole"',
        message='as in {"energy": "xyz", "dipole": "x"}',
        got=answer,
    )
    for quantity, right in _STAYS.items():
        given = _letters(answer[quantity])
        wrong = sorted(given ^ set(right))
        require(
            not wrong,
            law=f"the changes that leave the {quantity} as it was",
            message=f"({wrong[:1] and wrong[0]}) "
            + (_WHY.get((quantity, wrong[0]), "is no letter of the list") if wrong else ""),
            got=answer[quantity],
        )


def _letters(value):
    text = value if isinstance(value, str) else "".join(map(str, np.ravel(list(value))))
    return {letter.lower() for letter in text if letter.isalpha()}


def _moments(x):
    """Two vectors that turn with the points and do not move with them."""
    c = x - x.mean(axis=0)
    r2 = (c**2).sum(axis=1)
    return r2 @ c, r2**2 @ c


def _inverse_distances(x):
    d = np.linalg.norm(x[:, None] - x, axis=-1) + np.eye(len(x))
    return 1 / d.sum()


def _springs(x):
    c = x - x.mean(axis=0)
    return -c * (c**2).sum(axis=1, keepdims=True)


SOUND = {
    "energy": (_inverse_distances, "the inverse of the sum of all distances"),
    "dipole": (lambda x: _moments(x)[0], "Σ_i |c_i|² c_i, where c_i = x_i - the centre"),
    "angular momentum": (lambda x: np.cross(*_moments(x)), "Σ_i |c_i|² c_i × Σ_i |c_i|⁴ c_i"),
    "forces": (_springs, "-|c_i|² c_i for each atom, where c_i = x_i - the centre"),
    "positions": (lambda x: x + 0.1 * _springs(x), "each atom a step closer to the centre"),
}


def _represented(kind, y, R, t, order):
    """ρ(g) y, and what one gets with a slip."""
    y, turned = np.asarray(y), np.asarray(y) @ R.T if np.ndim(y) else y
    sign = np.linalg.det(R)
    if kind == "energy":
        return y, {"an energy is a number and does not move with the shift": y + t.sum()}
    if kind in ("dipole", "angular momentum"):
        slips = {
            "you compared with f(x) itself: that is invariance, and this is a vector": y,
            "the vector was turned the other way: R v is `v @ R.T` here": y @ R,
            f"the same T on both sides: a shift moves atoms, and leaves the {kind} alone": (
                turned + t
            ),
        }
        if kind == "dipole":
            return turned, slips | {"det(R) is for pseudovectors; a dipole has none": sign * turned}
        missing = "det(R) is missing: in a mirror a pseudovector changes its sign once more"
        return sign * turned, slips | {missing: turned}
    shift = t if kind == "positions" else 0 * t
    per_atom = {
        "the rows were not renumbered: what belongs to an atom goes to its new place": (
            turned + shift
        ),
        "the vectors were turned the other way: R v is `v @ R.T` for rows": (y @ R + shift)[order],
        "you compared with f(x) itself: that is invariance": y,
        "the renumbering was undone instead of done: use `[order]` on both sides": (
            (turned + shift)[np.argsort(order)]
        ),
    }
    if kind == "positions":
        words = "positions move with the shift: add t before you compare"
        return (turned + t)[order], per_atom | {words: turned[order]}
    words = "the same T on both sides: a shift moves atoms, and leaves forces alone"
    return turned[order], per_atom | {words: (turned + t)[order]}


@code(
    "5.2",
    "The right representation on each side",
    points=4,
    hints=(
        "One side: change the atoms, `(x @ R.T + t)[order]`, and ask f. The other: ask f first, "
        "and then do to its answer what the row of the table says.",
        "A single vector turns by `y @ R.T`. For the pseudovector multiply by "
        "`np.linalg.det(R)`. Only positions get `+ t`; only what has a row for each atom gets "
        "`[order]`.",
        "Build `must` from `y = f(x)` with one `if` for each row of the table; return "
        "`np.abs(f((x @ R.T + t)[order]) - must).max() / np.abs(y).max()`.",
    ),
)
def deviation(f, rng):
    for kind, (sound, words) in SOUND.items():
        for n, mirror in ((4, 1), (5, -1)):
            x, t, R, order = _case(rng, n, mirror)
            for broken in (False, True):
                model = _broken(sound, kind) if broken else sound
                y, moved = model(x), model((x @ R.T + t)[order])
                must, slips = _represented(kind, y, R, t, order)
                size = np.abs(y).max()
                values = {said: np.abs(moved - slip).max() / size for said, slip in slips.items()}
                right = np.abs(moved - must).max() / size
                if broken:
                    values |= {
                        "that is the absolute deviation: divide by the largest |f(x)|": right * size
                    }
                expect(
                    f(model, kind, x, R, t, order),
                    right if broken else 0.0,
                    law=f"the deviation of a map to {kind}, relative to its size",
                    atol=1e-6,
                    example={"f": words + " (plus 0.3 |component|)" * broken, "kind": kind,
                             "x": x, "R": R, "t": t, "order": order},
                    slips={s: v for s, v in values.items() if abs(v - right) > 1e-3 * (1 + right)},
                )  # fmt: skip


def _broken(sound, kind):
    """Folded: the sign of each component matters, so nothing turns any more."""
    if kind == "energy":
        return lambda x: sound(x) + 0.01 * np.abs(x).sum()
    return lambda x: sound(x) + 0.3 * np.abs(sound(x))


def _case(rng, n, mirror):
    x, t = rng.normal(size=(n, 3)), rng.uniform(1.0, 2.0, size=3)
    R, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    R *= mirror * np.sign(np.linalg.det(R))
    return x, t, R, np.roll(np.arange(n), 1)
