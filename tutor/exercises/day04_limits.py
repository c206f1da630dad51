"""Day 4: what messages cannot tell, states and formulas, 4.10 to 4.13."""

from itertools import permutations

import numpy as np

from tutor.exercises.engine import choice, code, written
from tutor.exercises.expect import agree, expect, require


def _distances(x):
    return np.linalg.norm(x[:, None] - x[None, :], axis=-1)


def _same(a, b):
    A, B = _distances(a), _distances(b)
    return any(
        np.allclose(A, B[np.ix_(order, order)], rtol=0, atol=1e-6)
        for order in map(list, permutations(range(len(a))))
    )


def _moved(a, rng, mirror=1):
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= mirror * np.sign(np.linalg.det(rotation))
    return np.roll(a, 1, axis=0) @ rotation.T + rng.normal(size=3)


def _flat(*points):
    return np.array([(*p, 0.0) for p in points], float)


@code(
    "4.10",
    "Are they the same?",
    points=3,
    hints=(
        "Shift, rotation and mirror leave all distances alone, so compare tables of distances. "
        "What is left is the order of the atoms.",
        "`itertools.permutations(range(n))` gives all orders; `B[np.ix_(order, order)]` is the "
        "table with rows and columns in that order.",
        "`any(np.allclose(A, B[np.ix_(order, order)], rtol=0, atol=1e-6) for order in orders)` "
        "with `orders = [list(o) for o in permutations(range(len(a)))]`.",
    ),
)
def congruent(f, rng):
    law = "congruent: some order of the atoms makes all distances equal"
    scalene = np.array([[0, 0, 0], [1.0, 0, 0], [0.2, 1.7, 0], [0.5, 0.3, 2.1]])
    pairs = [(line := _flat((0, 0), (1.2, 0)), line + 3.0, "the same two atoms, shifted")]
    pairs += [
        (scalene, _moved(scalene, rng), "rotated, shifted and renumbered"),
        (scalene, _moved(scalene, rng, mirror=-1), "its mirror image, renumbered"),
        (scalene, scalene * 1.001, "one is larger by a thousandth"),
        (line, 2 * line, "two different bond lengths"),
        (  # all six distances occur in both, in another arrangement
            _flat((0, 0), (0, 1), (0, 2), (1, 3)),
            _flat((0, 0), (0, 1), (1, 1), (1, 3)),
            "four atoms in a plane: the six distances are the same numbers, but they join "
            "different atoms",
        ),
        (_flat((0, 0), (1, 0), (0, 1)), _flat((0, 0), (1, 0), (2, 0)), "bent and straight"),
        (scalene[:3], scalene, "three atoms and four"),
    ]
    for a, b, words in pairs:
        truth = len(a) == len(b) and _same(a, b)
        answer = np.asarray(f(a, b))
        require(
            answer.ndim == 0 and answer.dtype.kind in "bi",
            law="the answer is True or False",
            example={"a": a, "b": b},
            got=answer,
        )
        require(
            bool(answer) == truth,
            law=law,
            message=f"wrong for this pair: {words}",
            example={"a": a, "b": b},
            expected=truth,
            got=bool(answer),
        )


choice(
    "4.11",
    "What follows?",
    right="c",
    why={
        "a": "That holds for one hop without a state. Here every atom also reads the state.",
        "b": "That holds for message passing without a state. Here there is a shortcut: the state "
        "hears all atoms and speaks to all of them.",
        "c": "The state is a mean over all atoms, and all atoms read it in the next block. The "
        "number of hops is infinite, forces reach any distance, and E(A+B) is not E(A) + E(B).",
        "d": "Its neighbours receive messages from it, and all others by way of the state.",
    },
    hints=(
        "Follow the influence of one atom through the three updates: bonds, atoms, state.",
        "Who reads the state in the next block?",
        "Does the distance appear anywhere on that way?",
    ),
)


def _soft(f, w):
    there = w > 0
    a = np.zeros(len(f))
    a[there] = w[there] * np.exp(f[there] - f[there].max())
    return a / a.sum()


@code(
    "4.12",
    "Soft attention",
    points=2,
    hints=(
        "Numerator first, then divide by its sum.",
        "exp(800) overflows. Subtracting the same number from all f changes nothing in the "
        "fraction: subtract the largest f.",
        "`top = f[w > 0].max()`, `a = w * np.exp(np.minimum(f - top, 0))`, `return a / a.sum()`. "
        "The minimum only matters for absent elements, whose f may be larger than `top`.",
    ),
)
def attention(f, rng):
    law = "alpha_j = w_j exp(f_j) / Σ_k w_k exp(f_k)"
    cases = []
    for n in (2, 3, 5):
        w = rng.uniform(0.1, 1.0, size=n)
        w[-1] = 0.0 if n > 2 else w[-1]
        cases.append({"f": rng.normal(size=n), "w": w / w.sum()})
    exp = np.exp
    agree(
        f,
        _soft,
        cases,
        law=law,
        slips={
            "the fractions w are missing: this is the plain softmax": lambda f, w: (
                exp(f) / exp(f).sum()
            ),
            "the weights do not add up to one: divide by their sum": lambda f, w: w * exp(f),
            "the denominator lacks the fractions w": lambda f, w: w * exp(f) / exp(f).sum(),
            "the numerator lacks the fractions w": lambda f, w: exp(f) / (w * exp(f)).sum(),
            "these are the fractions alone: f is not used": lambda f, w: w,
            "exp is missing": lambda f, w: w * f / (w * f).sum(),
        },
    )
    hard = {
        "large f do no harm: subtract the largest before exp": ([800, 801, 799], [0.5, 0.2, 0.3]),
        "an element that is not there does no harm, whatever its f: take the largest f of those "
        "that are there": ([-400, -401, 500], [0.5, 0.5, 0.0]),
    }
    for law, values in hard.items():
        example = dict(zip(("f", "w"), map(np.array, values), strict=True))
        example["f"] = example["f"].astype(float)
        with np.errstate(all="ignore"):  # the verdict says it better than a warning
            got = f(*example.values())
        expect(got, _soft(*example.values()), law=law, example=example)


written(
    "4.13",
    "Read the evidence",
    points=3,
    min_words=40,
    rubric=(
        "1 point: compares the order of models at the smallest and the largest size with "
        "the order that the story predicts, with numbers.",
        "1 point: names what the experiment cannot decide (one seed, few steps, no tuning, "
        "molecules at their minimum only, no forces, small sizes).",
        "1 point: names a pair from round 5 that is not congruent (rings, methane) and says which "
        "model would be blind to it with which cutoff.",
    ),
)
